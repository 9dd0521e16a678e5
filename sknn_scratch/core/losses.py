"""Losses, each with its link, on raw scores.

A loss takes the raw scores of the last layer, not predictions: logarithms of saturated probabilities never
occur, and the gradient of each loss below through its own link is simply ``prediction - target``.

With rows i, outputs k and weights w_i (1 if none are given), every loss is the weighted mean over rows of the
sum over outputs,

    L = sum_i w_i sum_k l(raw_ik, y_ik) / sum_i w_i.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, log_expit

from sknn_scratch.core.configuration import Configured
from sknn_scratch.core.parameters import FloatArray


@dataclass
class Loss(Configured):
    """A pointwise loss of raw scores, and the link between raw scores and predictions."""

    link_inverse: ClassVar[str]
    """What turns raw scores into predictions, by scikit-learn's name for it (`out_activation_`)."""

    @abstractmethod
    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        """Return L and write ``out <- dL / d raw``.

        Parameters
        ----------
        raw : ndarray of shape (n_rows, n_outputs)
            Raw scores; used up, their memory may hold anything afterwards.
        y : ndarray of shape (n_rows, n_targets)
            Targets, in the dtype of `raw`.
        weight : ndarray of shape (n_rows,) or None
            Weight of each row, not all zero.
        out : ndarray of shape (n_rows, n_outputs)
            Memory for the gradient, apart from `raw`.
        per_row : ndarray of shape (n_rows,)
            Memory for one number a row, to be used freely.
        """

    @abstractmethod
    def predict(self, raw: FloatArray, out: FloatArray) -> None:
        """Write the predictions: ``out <- inverse link(raw)``; `out` may be `raw`."""


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
        value = 0.5 * _weighted_mean(raw, weight)
        # dl/d raw = raw - y
        _scale_rows(out, weight)
        return value

    def predict(self, raw: FloatArray, out: FloatArray) -> None:
        if out is not raw:
            out[...] = raw


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
        value = _weighted_mean(out, weight)
        # dl/d raw = p - y
        np.subtract(p, y, out=out)
        _scale_rows(out, weight)
        return value

    def predict(self, raw: FloatArray, out: FloatArray) -> None:
        np.exp(raw, out=out)


@dataclass
class BinaryLogLoss(Loss):
    """Log-loss of independent yes / no targets with the logistic function as inverse link.

    l = -y log p - (1 - y) log(1 - p) with p = 1 / (1 + exp(-raw)). One output is binary classification,
    several are multilabel classification.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import BinaryLogLoss
    >>> raw, y, gradient = np.array([[800.0]]), np.array([[0.0]]), np.empty((1, 1))
    >>> BinaryLogLoss().value_and_gradient(raw, y, None, gradient, np.empty(1))
    800.0
    """

    link_inverse: ClassVar[str] = "logistic"

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        # -y log p - (1 - y) log(1 - p) = raw - y raw - log p, and log p = log_expit(raw) never overflows
        np.multiply(y, raw, out=out)
        np.subtract(raw, out, out=out)
        log_p = log_expit(raw, out=raw)
        out -= log_p
        value = _weighted_mean(out, weight)
        # dl/d raw = p - y
        np.exp(log_p, out=out)
        out -= y
        _scale_rows(out, weight)
        return value

    def predict(self, raw: FloatArray, out: FloatArray) -> None:
        expit(raw, out=out)

    def predict_log(self, raw: FloatArray, out: FloatArray) -> None:
        """Write the logarithms of the predictions, exact where these saturate; `out` may be `raw`."""
        log_expit(raw, out=out)


@dataclass
class LogLoss(Loss):
    """Log-loss of one class out of several, with softmax as inverse link.

    l = -log p_y with p_k = exp(raw_k) / sum_j exp(raw_j). The target is one column: the number of the class.

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

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        # log p_k = raw_k - log sum_j exp(raw_j). Softmax does not change when a row is shifted: with its
        # largest score at 0, exp cannot overflow. NumPy is faster along the longer axis, hence the transpose.
        by_class = out.reshape(raw.shape[::-1])
        np.copyto(by_class, raw.T)
        raw -= np.maximum.reduce(by_class, axis=0, out=per_row)[:, np.newaxis]
        np.exp(raw, out=out)
        class_numbers, ones = _class_constants(raw.shape[1], raw.dtype)
        np.log(out.dot(ones, out=per_row), out=per_row)
        raw -= per_row[:, np.newaxis]
        log_p, one_hot = raw, np.equal(y, class_numbers, out=out)
        np.einsum("ij,ij->i", one_hot, log_p, out=per_row)
        value = -_weighted_mean(per_row[:, np.newaxis], weight)
        # dl/d raw_k = p_k - [k = y]
        np.subtract(np.exp(log_p, out=log_p), one_hot, out=out)
        _scale_rows(out, weight)
        return value

    def predict(self, raw: FloatArray, out: FloatArray) -> None:
        _softmax(raw, out)

    def predict_log(self, raw: FloatArray, out: FloatArray) -> None:
        """Write the logarithms of the predictions, exact where these saturate; `out` may be `raw`."""
        _log_softmax(raw, out)


@dataclass
class BinarySquaredError(Loss):
    """Half the squared error of probabilities, with the logistic function as inverse link.

    l = (p - y)^2 / 2 with p = 1 / (1 + exp(-raw)): what the first networks minimised. Where p saturates on
    the wrong side its gradient vanishes, which that of the log-loss does not.

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
        value = 0.5 * _weighted_mean(per_row[:, np.newaxis], weight)
        # dl/d raw = (p - y) p (1 - p)
        out *= p
        np.subtract(1.0, p, out=p)
        out *= p
        _scale_rows(out, weight)
        return value

    def predict(self, raw: FloatArray, out: FloatArray) -> None:
        expit(raw, out=out)

    def predict_log(self, raw: FloatArray, out: FloatArray) -> None:
        """Write the logarithms of the predictions, exact where these saturate; `out` may be `raw`."""
        log_expit(raw, out=out)


@dataclass
class ClassSquaredError(Loss):
    """Half the squared error of the probabilities of several classes, with softmax as inverse link.

    l = sum_k (p_k - [k = y])^2 / 2, half of what Brier (1950) scores forecasts by. The target is one column:
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
        value = 0.5 * _weighted_mean(per_row[:, np.newaxis], weight)
        # dl/d raw_k = p_k (error_k - sum_j error_j p_j)
        np.einsum("ij,ij->i", error, p, out=per_row)
        out -= per_row[:, np.newaxis]
        out *= p
        _scale_rows(out, weight)
        return value

    def predict(self, raw: FloatArray, out: FloatArray) -> None:
        _softmax(raw, out)

    def predict_log(self, raw: FloatArray, out: FloatArray) -> None:
        """Write the logarithms of the predictions, exact where these saturate; `out` may be `raw`."""
        _log_softmax(raw, out)


def _softmax(raw: FloatArray, out: FloatArray) -> None:
    np.subtract(raw, raw.max(axis=1, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= out.sum(axis=1, keepdims=True)


def _log_softmax(raw: FloatArray, out: FloatArray) -> None:
    np.subtract(raw, raw.max(axis=1, keepdims=True), out=out)
    out -= np.log(np.exp(out).sum(axis=1, keepdims=True))


@lru_cache(maxsize=32)
def _class_constants(n_classes: int, dtype: np.dtype[Any]) -> tuple[FloatArray, FloatArray]:
    """The numbers of the classes, and as many ones."""
    return np.arange(n_classes, dtype=dtype), np.ones(n_classes, dtype)


def _weighted_mean(values: FloatArray, weight: FloatArray | None) -> float:
    """The mean over rows of the sum over columns; `values` are used up."""
    if weight is None:
        return float(np.add.reduce(values, axis=None)) / len(values)
    values *= weight[:, np.newaxis]  # NumPy sums pairwise; einsum would add up rounding errors in float32
    return float(np.add.reduce(values, axis=None)) / float(weight.sum())


def _scale_rows(gradient: FloatArray, weight: FloatArray | None) -> None:
    """Turn pointwise gradients into those of the weighted mean: row i times w_i / sum w."""
    if weight is None:
        gradient *= 1.0 / len(gradient)
    else:
        gradient *= weight[:, np.newaxis]
        gradient *= 1.0 / float(weight.sum())


LOSSES: dict[str, type[Loss]] = {
    "squared_error": SquaredError,
    "poisson": Poisson,
    "binary_log_loss": BinaryLogLoss,
    "log_loss": LogLoss,
    "binary_squared_error": BinarySquaredError,
    "class_squared_error": ClassSquaredError,
}
