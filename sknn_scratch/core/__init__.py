"""The network itself, on NumPy and SciPy (and threadpoolctl). Read it in this order:

- ``configuration``: settings as checked fields
- ``activations``: ``base``, ``sigmoid``, ``rectified``, ``smooth``
- ``losses``: ``base``, ``links``, ``regression``, ``classification``, ``per_column``
- ``initializers``: the initial weights
- ``parameters``: one flat vector, with named views for each layer
- ``layers``: ``base``, ``dense``, ``activation``, ``dropout``; those of networks for tables are
  ``neural_tangent``, ``scaling``, ``parametric_activation``, ``pbld``, ``category_embedding``, ``columns``
- ``workspace``: the memory of a step
- ``network``: a step of training, forward and backward
- ``prediction``: forward only, block by block
- ``optimizers``: how a gradient changes the parameters
- ``grouped_adam``: the optimizer of networks for tables
- ``schedules``: the learning rate
- ``batches``: the order of rows
- ``stopping``: patience, and the best weights
- ``history``: the record of each epoch
- ``epochs``: one pass over the data, and the engine that computes it
- ``stepwise``: the same with pauses between steps
- ``training``: the loop over epochs
- ``lbfgs``: the other way to train
- ``first_weights``: initial weights adapted to the data
- ``explanation``: every number of one step
- ``gradient_check``: backpropagation against central differences

Skip on a first reading:

- ``machine``: hardware, not mathematics, in ``memory``, ``blocks``, ``threads``
- ``interruption``: Ctrl-C
"""

from sknn_scratch.core.activations import (
    ACTIVATIONS,
    ELU,
    GELU,
    SELU,
    Activation,
    ActivationWithSlope,
    Identity,
    LeakyReLU,
    Logistic,
    Mish,
    ReLU,
    SiLU,
    Softplus,
    Tanh,
)
from sknn_scratch.core.batches import Batch, Batches
from sknn_scratch.core.configuration import Configured
from sknn_scratch.core.epochs import NUMPY, Engine, Training
from sknn_scratch.core.explanation import LayerExplanation, StepExplanation, explain
from sknn_scratch.core.first_weights import fit_first_weights
from sknn_scratch.core.gradient_check import gradient_errors
from sknn_scratch.core.grouped_adam import GroupedAdam
from sknn_scratch.core.history import Epoch, History, Observer, Outcome
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
from sknn_scratch.core.layers import (
    PBLD,
    Activate,
    CategoryEmbedding,
    Columns,
    Dense,
    Dropout,
    Layer,
    NeuralTangent,
    ParametricActivate,
    Part,
    Scale,
)
from sknn_scratch.core.lbfgs import train_lbfgs
from sknn_scratch.core.losses import (
    LOSSES,
    AbsoluteError,
    BinaryLogLoss,
    BinarySquaredError,
    ClassSquaredError,
    Gamma,
    GaussianNLL,
    Huber,
    LogLoss,
    Loss,
    PerColumn,
    Poisson,
    Quantile,
    SquaredError,
)
from sknn_scratch.core.machine.threads import Team
from sknn_scratch.core.network import Network, Objective
from sknn_scratch.core.optimizers import OPTIMIZERS, SGD, Adam, AdamW, Optimizer, OptimizerState, RMSprop
from sknn_scratch.core.parameters import Parameters, count_parameters
from sknn_scratch.core.schedules import (
    SCHEDULES,
    Adaptive,
    Constant,
    Cosine,
    CosLog,
    CustomSchedule,
    Exponential,
    FlatCosine,
    InverseScaling,
    OneCycle,
    Plateau,
    Progress,
    Schedule,
)
from sknn_scratch.core.stepwise import Stepwise
from sknn_scratch.core.stopping import Patience
from sknn_scratch.core.training import train_minibatch
from sknn_scratch.core.workspace import Workspace

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "ActivationWithSlope",
    "Identity",
    "Logistic",
    "Tanh",
    "ReLU",
    "LeakyReLU",
    "ELU",
    "SELU",
    "GELU",
    "SiLU",
    "Mish",
    "Softplus",
    "LOSSES",
    "Loss",
    "SquaredError",
    "AbsoluteError",
    "Huber",
    "Quantile",
    "Poisson",
    "Gamma",
    "GaussianNLL",
    "BinaryLogLoss",
    "LogLoss",
    "BinarySquaredError",
    "ClassSquaredError",
    "PerColumn",
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
    "Dropout",
    "NeuralTangent",
    "Scale",
    "ParametricActivate",
    "PBLD",
    "CategoryEmbedding",
    "Columns",
    "Part",
    "Parameters",
    "count_parameters",
    "Network",
    "Objective",
    "Workspace",
    "fit_first_weights",
    "Team",
    "OPTIMIZERS",
    "Optimizer",
    "OptimizerState",
    "SGD",
    "Adam",
    "AdamW",
    "RMSprop",
    "GroupedAdam",
    "SCHEDULES",
    "Schedule",
    "Progress",
    "Constant",
    "InverseScaling",
    "Adaptive",
    "Cosine",
    "OneCycle",
    "CosLog",
    "FlatCosine",
    "Exponential",
    "Plateau",
    "CustomSchedule",
    "Batch",
    "Batches",
    "Patience",
    "Epoch",
    "History",
    "Observer",
    "Outcome",
    "Training",
    "NUMPY",
    "Engine",
    "Stepwise",
    "train_minibatch",
    "train_lbfgs",
    "StepExplanation",
    "LayerExplanation",
    "explain",
    "gradient_errors",
    "Configured",
]

# A class in a registry is public, whether or not it is imported by name above.
_REGISTERED = {
    kind.__name__: kind
    for registry in (ACTIVATIONS, LOSSES, INITIALIZERS, OPTIMIZERS, SCHEDULES)
    for kind in registry.values()
}
globals().update(_REGISTERED)
__all__ += sorted(_REGISTERED.keys() - set(__all__))
