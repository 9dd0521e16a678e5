"""Losses of probabilities: of independent yes / no targets, and of one class out of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, log_expit

from sknn_scratch.core.configuration import FRACTION, exact, number
from sknn_scratch.core.losses.base import Loss, scale_rows, weighted_mean
from sknn_scratch.core.parameters import FloatArray


@dataclass
class BinaryLogLoss(Loss):
    """Log-loss of independent yes / no targets with the logistic function as inverse link.

    l = -y log p - (1 - y) log(1 - p) with p = 1 / (1 + exp(-raw)). One output means binary classification;
    several mean multilabel classification.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        s in [0, 1): the targets y become y (1 - s) + s / 2. The best probability is then never 0 or 1.

    References
    ----------
    Szegedy, Vanhoucke, Ioffe, Shlens & Wojna (2016), "Rethinking the Inception architecture for computer
    vision".

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import BinaryLogLoss
    >>> raw, y, gradient = np.array([[800.0]]), np.array([[0.0]]), np.empty((1, 1))
    >>> BinaryLogLoss().value_and_gradient(raw, y, None, gradient, np.empty(1))
    800.0
    """

    link_inverse: ClassVar[str] = "logistic"
    formula: ClassVar[str] = "-y * log(p) - (1 - y) * log(1 - p)"
    derivative: ClassVar[str] = "p - y"

    label_smoothing: float = number(0.0, FRACTION)

    @property
    def formulas(self) -> Mapping[str, str]:
        smoothing = self.label_smoothing
        if not smoothing:
            return super().formulas
        targets = f"t = {exact(1 - smoothing)} * y + {exact(smoothing / 2)}"
        return {
            **super().formulas,
            "loss": f"sum of (-t * log(p) - (1 - t) * log(1 - p)) / n with {targets}",
            "delta": "dL/dz = (p - t) / n",
        }

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        # -y log p - (1 - y) log(1 - p) = raw - y raw - log p, and log p = log_expit(raw) never overflows
        np.multiply(_smoothed(y, self.label_smoothing, out), raw, out=out)
        np.subtract(raw, out, out=out)
        log_p = log_expit(raw, out=raw)
        out -= log_p
        value = weighted_mean(out, weight)
        # dl/d raw = p - y
        np.exp(log_p, out=out)
        out -= _smoothed(y, self.label_smoothing, log_p)
        scale_rows(out, weight)
        return value


@dataclass
class LogLoss(Loss):
    """Log-loss of one class out of several, with softmax as inverse link.

    l = -log p_y with p_k = exp(raw_k) / sum_j exp(raw_j). The target is one column: the number of the class.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        s in [0, 1): the targets [k = y] become [k = y] (1 - s) + s / K for K classes, and
        l = -sum_k ([k = y] (1 - s) + s / K) log p_k. The best probability is then never 0 or 1.

    References
    ----------
    Szegedy, Vanhoucke, Ioffe, Shlens & Wojna (2016), "Rethinking the Inception architecture for computer
    vision".

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import LogLoss
    >>> raw, y, gradient = np.array([[0.0, 800.0]]), np.array([[0.0]]), np.empty((1, 2))
    >>> LogLoss().value_and_gradient(raw, y, None, gradient, np.empty(1))
    800.0
    >>> gradient
    array([[-1.,  1.]])
    """

    link_inverse: ClassVar[str] = "softmax"
    formula: ClassVar[str] = "-log(p_y)"
    derivative: ClassVar[str] = "p - [k = y]"

    label_smoothing: float = number(0.0, FRACTION)

    @property
    def formulas(self) -> Mapping[str, str]:
        smoothing = self.label_smoothing
        if not smoothing:
            return super().formulas
        targets = f"t_k = {exact(1 - smoothing)} * [k = y] + {exact(smoothing)} / K"
        return {
            **super().formulas,
            "loss": f"sum of (-sum_k t_k * log(p_k)) / n with {targets}",
            "delta": "dL/dz = (p - t) / n",
        }

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        # log p_k = raw_k - log sum_j exp(raw_j). Softmax does not change when a row is shifted: with its
        # largest score at 0, exp cannot overflow. NumPy is faster along the longer axis, so that work is done
        # with one row for a class.
        np.copyto(out, raw)
        log_p, by_class = raw.reshape(raw.shape[::-1]), out.reshape(raw.shape[::-1])
        np.copyto(log_p, out.T)
        log_p -= np.maximum.reduce(log_p, axis=0, out=per_row)
        class_numbers, ones = _class_constants(raw.shape[1], raw.dtype)
        np.exp(log_p, out=by_class)
        np.log(ones.dot(by_class, out=per_row), out=per_row)
        log_p -= per_row
        targets = np.equal(class_numbers[:, np.newaxis], y.T, out=by_class)
        if self.label_smoothing:
            targets *= 1.0 - float(self.label_smoothing)
            targets += float(self.label_smoothing) / raw.shape[1]
        np.einsum("ij,ij->j", targets, log_p, out=per_row)
        value = -weighted_mean(per_row[:, np.newaxis], weight)
        # dl/d raw_k = p_k - target_k
        p = np.exp(log_p, out=log_p)
        p -= targets
        np.copyto(out, p.T)
        scale_rows(out, weight)
        return value


@dataclass
class BinarySquaredError(Loss):
    """Half the squared error of probabilities, with the logistic function as inverse link.

    l = (p - y)^2 / 2 with p = 1 / (1 + exp(-raw)): the loss of the first networks. Where p saturates on the
    wrong side, its gradient vanishes; the log-loss's gradient does not.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import BinarySquaredError
    >>> raw, y, gradient = np.array([[0.0]]), np.array([[1.0]]), np.empty((1, 1))
    >>> BinarySquaredError().value_and_gradient(raw, y, None, gradient, np.empty(1))
    0.125
    >>> gradient
    array([[-0.125]])
    """

    link_inverse: ClassVar[str] = "logistic"
    formula: ClassVar[str] = "(p - y)^2 / 2"
    derivative: ClassVar[str] = "(p - y) * p * (1 - p)"

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        p = expit(raw, out=raw)
        error = np.subtract(p, y, out=out)
        np.einsum("ij,ij->i", error, error, out=per_row)
        value = 0.5 * weighted_mean(per_row[:, np.newaxis], weight)
        # dl/d raw = (p - y) p (1 - p)
        out *= p
        np.subtract(1.0, p, out=p)
        out *= p
        scale_rows(out, weight)
        return value


@dataclass
class ClassSquaredError(Loss):
    """Half the squared error of the probabilities of several classes, with softmax as inverse link.

    l = sum_k (p_k - [k = y])^2 / 2, half the score of Brier (1950) for forecasts. The target is one column:
    the number of the class.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import ClassSquaredError
    >>> raw, y, gradient = np.array([[0.0, 0.0]]), np.array([[0.0]]), np.empty((1, 2))
    >>> ClassSquaredError().value_and_gradient(raw, y, None, gradient, np.empty(1))
    0.25
    >>> gradient
    array([[-0.25,  0.25]])
    """

    link_inverse: ClassVar[str] = "softmax"
    formula: ClassVar[str] = "sum_k (p_k - [k = y])^2 / 2"
    derivative: ClassVar[str] = "p * (p - [k = y] - sum_j p_j (p_j - [j = y]))"

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        class_numbers, ones = _class_constants(raw.shape[1], raw.dtype)
        raw -= np.max(raw, axis=1, out=per_row)[:, np.newaxis]
        p = np.exp(raw, out=raw)
        p /= p.dot(ones, out=per_row)[:, np.newaxis]
        error = np.subtract(p, np.equal(y, class_numbers, out=out), out=out)
        np.einsum("ij,ij->i", error, error, out=per_row)
        value = 0.5 * weighted_mean(per_row[:, np.newaxis], weight)
        # dl/d raw_k = p_k (error_k - sum_j error_j p_j)
        np.einsum("ij,ij->i", error, p, out=per_row)
        out -= per_row[:, np.newaxis]
        out *= p
        scale_rows(out, weight)
        return value


@lru_cache(maxsize=32)
def _class_constants(n_classes: int, dtype: np.dtype[Any]) -> tuple[FloatArray, FloatArray]:
    """The numbers of the classes, and as many ones."""
    return np.arange(n_classes, dtype=dtype), np.ones(n_classes, dtype)


def _smoothed(y: FloatArray, smoothing: float, out: FloatArray) -> FloatArray:
    """The targets y (1 - s) + s / 2: `y` itself if s = 0, else in `out`."""
    if not smoothing:
        return y
    np.multiply(y, 1.0 - float(smoothing), out=out)
    out += 0.5 * float(smoothing)
    return out
