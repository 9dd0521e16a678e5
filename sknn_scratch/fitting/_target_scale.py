"""Targets of size 1 for training, and predictions in the units of y."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from sknn_scratch.core.losses.links import RAW_IN_UNITS

if TYPE_CHECKING:
    from sknn_scratch._typing import FloatArray
    from sknn_scratch.core import Loss, Parameters

SCALED_LINKS = frozenset(RAW_IN_UNITS)
"""The inverse links of losses whose targets can be scaled."""


@dataclass(frozen=True)
class TargetScale:
    """Targets y are (y - offset) / scale in training.

    Numbers get the mean 0 and the standard deviation 1. Where predictions are exp(raw), so that they stay
    positive, y is divided by its mean.

    Attributes
    ----------
    offset, scale : ndarray of shape (n_targets,)
        One for each target.
    """

    offset: FloatArray
    scale: FloatArray

    @classmethod
    def of(cls, y: FloatArray, weight: FloatArray | None, link_inverse: str) -> Self:
        """Learn the scale of targets.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_targets), float64
            Targets.
        weight : ndarray of shape (n_samples,) or None
            Weight of each sample, not all zero.
        link_inverse : str
            The inverse link of the loss.

        Returns
        -------
        TargetScale
            The scale.
        """
        unit = unit_of(y)
        y = y / unit
        mean = np.average(y, axis=0, weights=weight)
        if link_inverse == "exp":
            offset, scale = np.zeros_like(mean), mean
        else:
            offset, scale = mean, np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weight))
        # of a constant, rounding may leave a little
        is_constant = scale <= 10 * np.finfo(y.dtype).eps * np.abs(mean)
        own_size = np.minimum(1.0, np.abs(mean) * unit)
        scale = np.where(is_constant, np.where(own_size > 0, own_size, 1.0), scale * unit)
        return cls(offset * unit, np.maximum(scale, np.finfo(np.float64).tiny))

    def scaled(self, y: FloatArray) -> FloatArray:
        """Targets in the units of training."""
        return (y - self.offset) / self.scale

    def restored(self, y: FloatArray) -> FloatArray:
        """Targets in their own units."""
        return y * self.scale + self.offset


def unit_of(y: FloatArray) -> FloatArray:
    """For each column, a power of two of its size.

    In this unit, squares neither overflow nor vanish; dividing by it changes no bit of the digits.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_targets)
        Numbers.

    Returns
    -------
    ndarray of shape (n_targets,)
        The units.
    """
    unit: FloatArray = np.ldexp(1.0, np.frexp(np.abs(y).max(axis=0))[1] - 1)
    return unit


def start_at_constant(parameters: Parameters, loss: Loss, y: FloatArray, weight: FloatArray | None) -> None:
    """Move the output layer's biases by the constant that minimises the loss.

    Where a target is constant there is nothing to move to: its scale has put it at 0.

    Parameters
    ----------
    parameters : Parameters
        First weights as drawn; changed in place.
    loss : Loss
        What is minimised.
    y : ndarray of shape (n_samples, n_targets)
        Targets in the units of training.
    weight : ndarray of shape (n_samples,) or None
        Weight of each sample.
    """
    bias = parameters.layers[-1].get("bias")
    if bias is not None:
        varies = np.tile(np.ptp(y, axis=0) > 0, loss.raw_per_target)
        bias += np.where(varies, loss.best_constant(y, weight, len(bias)), 0.0).astype(bias.dtype)
