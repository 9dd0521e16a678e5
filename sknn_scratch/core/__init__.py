"""The network itself, on NumPy and SciPy alone, to be read in this order:

activations, losses, initializers, layers, parameters, network, optimizers, schedules, batches, stopping,
training; then explanation and gradient_check, which show a step and test it.
"""

from sknn_scratch.core.activations import ACTIVATIONS, Activation, Identity, Logistic, ReLU, Tanh
from sknn_scratch.core.batches import Batch, Batches
from sknn_scratch.core.configuration import Configured
from sknn_scratch.core.explanation import LayerExplanation, StepExplanation, explain
from sknn_scratch.core.gradient_check import gradient_errors
from sknn_scratch.core.initializers import (
    INITIALIZERS,
    FromFunction,
    GlorotUniform,
    HeNormal,
    Initializer,
    LecunNormal,
    Normal,
    Orthogonal,
    ScikitLearn,
    Uniform,
    Zeros,
)
from sknn_scratch.core.layers import Activate, Dense, Layer
from sknn_scratch.core.losses import (
    LOSSES,
    BinaryLogLoss,
    BinarySquaredError,
    ClassSquaredError,
    LogLoss,
    Loss,
    Poisson,
    SquaredError,
)
from sknn_scratch.core.network import Network, Objective, Workspace
from sknn_scratch.core.optimizers import OPTIMIZERS, SGD, Adam, Optimizer, OptimizerState
from sknn_scratch.core.parameters import Parameters, count_parameters
from sknn_scratch.core.schedules import (
    SCHEDULES,
    Adaptive,
    Constant,
    InverseScaling,
    Progress,
    Schedule,
)
from sknn_scratch.core.stopping import Patience
from sknn_scratch.core.training import (
    Epoch,
    History,
    Observer,
    Outcome,
    Training,
    train_lbfgs,
    train_minibatch,
)

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Identity",
    "Logistic",
    "Tanh",
    "ReLU",
    "LOSSES",
    "Loss",
    "SquaredError",
    "Poisson",
    "BinaryLogLoss",
    "LogLoss",
    "BinarySquaredError",
    "ClassSquaredError",
    "INITIALIZERS",
    "Initializer",
    "ScikitLearn",
    "GlorotUniform",
    "HeNormal",
    "LecunNormal",
    "Orthogonal",
    "Normal",
    "Uniform",
    "Zeros",
    "FromFunction",
    "Layer",
    "Dense",
    "Activate",
    "Parameters",
    "count_parameters",
    "Network",
    "Objective",
    "Workspace",
    "OPTIMIZERS",
    "Optimizer",
    "OptimizerState",
    "SGD",
    "Adam",
    "SCHEDULES",
    "Schedule",
    "Progress",
    "Constant",
    "InverseScaling",
    "Adaptive",
    "Batch",
    "Batches",
    "Patience",
    "Epoch",
    "History",
    "Observer",
    "Outcome",
    "Training",
    "train_minibatch",
    "train_lbfgs",
    "StepExplanation",
    "LayerExplanation",
    "explain",
    "gradient_errors",
    "Configured",
]
