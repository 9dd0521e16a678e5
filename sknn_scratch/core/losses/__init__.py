"""Losses on raw scores, each with its link."""

from sknn_scratch.core.losses.base import Loss
from sknn_scratch.core.losses.classification import (
    BinaryLogLoss,
    BinarySquaredError,
    ClassSquaredError,
    LogLoss,
)
from sknn_scratch.core.losses.regression import Poisson, SquaredError

__all__ = [
    "LOSSES",
    "BinaryLogLoss",
    "BinarySquaredError",
    "ClassSquaredError",
    "LogLoss",
    "Loss",
    "Poisson",
    "SquaredError",
]

LOSSES: dict[str, type[Loss]] = {
    "squared_error": SquaredError,
    "poisson": Poisson,
    "binary_log_loss": BinaryLogLoss,
    "log_loss": LogLoss,
    "binary_squared_error": BinarySquaredError,
    "class_squared_error": ClassSquaredError,
}
