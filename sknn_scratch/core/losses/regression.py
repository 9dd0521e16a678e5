"""Losses of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sknn_scratch.core.losses.base import Loss, scale_rows, weighted_mean
from sknn_scratch.core.parameters import FloatArray


@dataclass
class SquaredError(Loss):
    """Half the squared error, l = (raw - y)^2 / 2, with the identity as link.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import SquaredError
    >>> raw, y, gradient = np.array([[1.0], [2.0]]), np.zeros((2, 1)), np.empty((2, 1))
    >>> SquaredError().value_and_gradient(raw, y, None, gradient, np.empty(2))
    1.25
    >>> gradient.ravel()
    array([0.5, 1. ])
    """

    link_inverse: ClassVar[str] = "identity"
    formula: ClassVar[str] = "(p - y)^2 / 2"
    derivative: ClassVar[str] = "p - y"

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        np.subtract(raw, y, out=out)
        np.multiply(out, out, out=raw)
        value = 0.5 * weighted_mean(raw, weight)
        # dl/d raw = raw - y
        scale_rows(out, weight)
        return value


@dataclass
class Poisson(Loss):
    """Half the Poisson deviance with the log as link.

    l = y log(y / p) - y + p with p = exp(raw), for counts or rates y >= 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Poisson
    >>> raw, y, gradient = np.array([[0.0]]), np.array([[0.0]]), np.empty((1, 1))
    >>> Poisson().value_and_gradient(raw, y, None, gradient, np.empty(1))
    1.0
    """

    link_inverse: ClassVar[str] = "exp"
    formula: ClassVar[str] = "y * log(y / p) - y + p"
    derivative: ClassVar[str] = "p - y"

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        # y log(y / p) - y + p = y (log y - raw) - y + p: the logarithm of p is never taken, and large counts
        # cancel row by row, before rounding errors of their sums could drown the loss
        np.maximum(y, np.finfo(y.dtype).tiny, out=out)
        np.log(out, out=out)
        out -= raw
        out *= y
        out -= y
        p = np.exp(raw, out=raw)
        out += p
        value = weighted_mean(out, weight)
        # dl/d raw = p - y
        np.subtract(p, y, out=out)
        scale_rows(out, weight)
        return value
