"""Losses on raw scores, each with its link."""

from sknn_scratch.core.losses.base import Loss
from sknn_scratch.core.losses.classification import (
    BinaryLogLoss,
    BinarySquaredError,
    ClassSquaredError,
    LogLoss,
)
from sknn_scratch.core.losses.per_column import PerColumn
from sknn_scratch.core.losses.regression import (
    AbsoluteError,
    Gamma,
    GaussianNLL,
    Huber,
    Poisson,
    Quantile,
    SquaredError,
)

__all__ = [
    "LOSSES",
    "AbsoluteError",
    "BinaryLogLoss",
    "BinarySquaredError",
    "ClassSquaredError",
    "Gamma",
    "GaussianNLL",
    "Huber",
    "LogLoss",
    "Loss",
    "PerColumn",
    "Poisson",
    "Quantile",
    "SquaredError",
]

LOSSES: dict[str, type[Loss]] = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
    "quantile": Quantile,
    "poisson": Poisson,
    "gamma": Gamma,
    "gaussian_nll": GaussianNLL,
    "binary_log_loss": BinaryLogLoss,
    "log_loss": LogLoss,
    "binary_squared_error": BinarySquaredError,
    "class_squared_error": ClassSquaredError,
}
