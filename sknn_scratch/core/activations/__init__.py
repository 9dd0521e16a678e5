"""Activation functions f and the chain rule through them, by family."""

from sknn_scratch.core.activations.base import Activation, ActivationWithSlope
from sknn_scratch.core.activations.rectified import ELU, SELU, LeakyReLU, ReLU
from sknn_scratch.core.activations.sigmoid import Identity, Logistic, Tanh
from sknn_scratch.core.activations.smooth import GELU, Mish, SiLU, Softplus

__all__ = [
    "ACTIVATIONS",
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "ActivationWithSlope",
    "Identity",
    "LeakyReLU",
    "Logistic",
    "Mish",
    "ReLU",
    "SiLU",
    "Softplus",
    "Tanh",
]

ACTIVATIONS: dict[str, type[Activation]] = {
    "identity": Identity,
    "logistic": Logistic,
    "tanh": Tanh,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "selu": SELU,
    "gelu": GELU,
    "silu": SiLU,
    "mish": Mish,
    "softplus": Softplus,
}
