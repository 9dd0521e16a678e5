"""Losses of numbers."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sknn_scratch.core.configuration import NOT_NEGATIVE, POSITIVE, Interval, number
from sknn_scratch.core.losses.base import Loss, scale_rows, weighted_mean
from sknn_scratch.core.losses.links import LOG_SIGMA_RANGE
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

    def in_units(self, scale: float) -> tuple[float, float]:
        return scale * scale, 0.0  # infinite where scale**2 would raise

    def best_constant(self, y: FloatArray, weight: FloatArray | None, n_outputs: int) -> FloatArray:
        return np.average(y, axis=0, weights=weight)

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
class AbsoluteError(Loss):
    """The absolute error, ``l = |raw - y|``, with the identity as link: predicts medians.

    At its kink, raw = y, the subgradient is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import AbsoluteError
    >>> raw, y, gradient = np.array([[1.0], [2.0]]), np.array([[3.0], [2.0]]), np.empty((2, 1))
    >>> AbsoluteError().value_and_gradient(raw, y, None, gradient, np.empty(2))
    1.0
    >>> gradient.ravel()
    array([-0.5,  0. ])
    """

    link_inverse: ClassVar[str] = "identity"
    formula: ClassVar[str] = "abs(p - y)"
    derivative: ClassVar[str] = "sign(p - y)"

    def best_constant(self, y: FloatArray, weight: FloatArray | None, n_outputs: int) -> FloatArray:
        return _quantile(y, weight, 0.5)

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        error = np.subtract(raw, y, out=out)
        value = weighted_mean(np.abs(error, out=raw), weight)
        # dl/d raw = sign(raw - y)
        np.sign(error, out=out)
        scale_rows(out, weight)
        return value


@dataclass
class Huber(Loss):
    """Squared where the error is small, absolute where it is large, with the identity as link.

    With e = raw - y, l = e^2 / 2 where ``|e| <= delta``, else ``delta (|e| - delta / 2)``: no row pulls
    harder than delta, however far off it is.

    Parameters
    ----------
    delta : float, default=1.0
        Where the parabola meets the lines, in the units of y.

    References
    ----------
    Huber (1964), "Robust estimation of a location parameter".

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Huber
    >>> raw, y, gradient = np.array([[1.0], [5.0]]), np.zeros((2, 1)), np.empty((2, 1))
    >>> Huber(delta=2.0).value_and_gradient(raw, y, None, gradient, np.empty(2))
    4.25
    >>> gradient.ravel()
    array([0.5, 1. ])
    """

    link_inverse: ClassVar[str] = "identity"
    formula: ClassVar[str] = "(p - y)^2 / 2 if abs(p - y) <= delta else delta * (abs(p - y) - delta / 2)"
    derivative: ClassVar[str] = "max(-delta, min(delta, p - y))"

    delta: float = number(1.0, POSITIVE)

    def in_units(self, scale: float) -> tuple[float, float]:
        return scale * scale, 0.0  # infinite where scale**2 would raise

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        # with c the error e clipped to [-delta, delta], both parts are l = c (2 e - c) / 2; dl/d raw = c
        delta = float(self.delta)
        error = np.subtract(raw, y, out=raw)
        clipped = np.clip(error, -delta, delta, out=out)
        error *= 2.0
        error -= clipped
        error *= clipped
        value = 0.5 * weighted_mean(error, weight)
        scale_rows(out, weight)
        return value


@dataclass
class Quantile(Loss):
    """The pinball loss of one or several quantiles, with the identity as link.

    For the quantile at level q, l = q (y - p) where p <= y, else (1 - q) (p - y); the loss of several levels
    is the sum over them. At the kink, p = y, the subgradient is 1 / 2 - q. With level 1 / 2 this is half the
    absolute error.

    Raw scores are all targets at the first level, then all targets at the second level, and so on. Nothing
    keeps quantiles from crossing.

    Parameters
    ----------
    level : float or list of float, default=0.5
        The share of targets that should lie below the prediction, in (0, 1); or increasing shares, each with
        its own predictions.

    References
    ----------
    Koenker & Bassett (1978), "Regression quantiles".

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Quantile
    >>> raw, y, gradient = np.array([[1.0, 3.0]]), np.array([[2.0]]), np.empty((1, 2))
    >>> Quantile(level=[0.25, 0.5]).value_and_gradient(raw, y, None, gradient, np.empty(1))
    0.75
    >>> gradient
    array([[-0.25,  0.5 ]])
    """

    link_inverse: ClassVar[str] = "identity"
    formula: ClassVar[str] = "max(level * (y - p), (level - 1) * (y - p))"
    derivative: ClassVar[str] = "(p > y) - level"

    level: float | list[float] = 0.5

    def __post_init__(self) -> None:
        levels = self.level if isinstance(self.level, list | tuple) else [self.level]
        is_allowed = all(level in _BETWEEN_0_AND_1 for level in levels)
        if not (levels and is_allowed and all(a < b for a, b in itertools.pairwise(levels))):
            raise ValueError(
                f"'level' of Quantile must be {_BETWEEN_0_AND_1}, or a list of increasing ones, "
                f"got {self.level!r}."
            )

    @property
    def levels(self) -> list[float]:
        """The levels as a list."""
        return [float(q) for q in np.atleast_1d(self.level)]

    @property
    def raw_per_target(self) -> int:
        return np.size(self.level)

    def best_constant(self, y: FloatArray, weight: FloatArray | None, n_outputs: int) -> FloatArray:
        return np.concatenate([_quantile(y, weight, level) for level in self.levels])

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        n_targets = y.shape[1]
        for i, level in enumerate(self.levels):
            columns = slice(i * n_targets, (i + 1) * n_targets)
            error = np.subtract(raw[:, columns], y, out=raw[:, columns])
            # dl/d raw = [raw > y] - q
            slope = np.heaviside(error, 0.5, out=out[:, columns])
            slope -= level
        # l = (raw - y) dl/d raw
        raw *= out
        value = weighted_mean(raw, weight)
        scale_rows(out, weight)
        return value


_BETWEEN_0_AND_1 = Interval(0, 1, includes_low=False)


def _quantile(y: FloatArray, weight: FloatArray | None, level: float) -> FloatArray:
    """For each column, the least y that has a share `level` of the weights at or below it."""
    order = np.argsort(y, axis=0)
    weight = np.ones(len(y)) if weight is None else weight.astype(np.float64)
    shares = np.cumsum(weight[order], axis=0)
    chosen = np.argmax(shares >= level * shares[-1], axis=0)
    quantiles: FloatArray = np.take_along_axis(y, order, axis=0)[chosen, np.arange(y.shape[1])]
    return quantiles.astype(np.float64)


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
    targets: ClassVar[Interval] = NOT_NEGATIVE

    def best_constant(self, y: FloatArray, weight: FloatArray | None, n_outputs: int) -> FloatArray:
        # of no events at all, there is no logarithm: take half an event
        return np.log(np.maximum(np.average(y, axis=0, weights=weight), 0.5 / len(y)))

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


@dataclass
class Gamma(Loss):
    """Half the gamma deviance with the log as link.

    l = y / p - log(y / p) - 1 with p = exp(raw), for amounts y > 0 whose spread is proportional to their
    mean.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Gamma
    >>> raw, y, gradient = np.array([[800.0]]), np.array([[1.0]]), np.empty((1, 1))
    >>> Gamma().value_and_gradient(raw, y, None, gradient, np.empty(1))
    799.0
    >>> gradient
    array([[1.]])
    """

    link_inverse: ClassVar[str] = "exp"
    formula: ClassVar[str] = "y / p - log(y / p) - 1"
    derivative: ClassVar[str] = "1 - y / p"
    targets: ClassVar[Interval] = POSITIVE

    def in_units(self, scale: float) -> tuple[float, float]:
        return 1.0, 0.0

    def best_constant(self, y: FloatArray, weight: FloatArray | None, n_outputs: int) -> FloatArray:
        return np.log(np.average(y, axis=0, weights=weight))

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        # with r = log y - raw, the logarithm of y / p, l = (exp(r) - 1) - r, where expm1 does not cancel
        log_ratio = np.log(y, out=out)
        log_ratio -= raw
        excess = np.expm1(log_ratio, out=raw)
        value = weighted_mean(np.subtract(excess, log_ratio, out=out), weight)
        # dl/d raw = 1 - y / p
        np.negative(excess, out=out)
        scale_rows(out, weight)
        return value


@dataclass
class GaussianNLL(Loss):
    """The negative log-likelihood of normal targets; both mean and standard deviation are predicted.

    l = log sigma + (y - mu)^2 / (2 sigma^2) + log(2 pi) / 2. Raw scores are mu of all targets, then log sigma
    of all targets.

    A target that is met exactly would pull sigma towards 0 without end, and far from the training rows the
    exponential of a line may be enormous. So sigma lies between 1e-6 and 1e3, in the loss and in predictions:
    log sigma is clipped, and beyond its limits the gradient is 0. The limits are in the units of y and suit
    targets with a spread not far from 1. (PyTorch's floor of sigma is 1e-3, and its gradient ignores the
    clipping.)

    References
    ----------
    Nix & Weigend (1994), "Estimating the mean and variance of the target probability distribution".

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import GaussianNLL
    >>> raw, y, gradient = np.array([[1.0, 0.0]]), np.array([[3.0]]), np.empty((1, 2))
    >>> round(GaussianNLL().value_and_gradient(raw, y, None, gradient, np.empty(1)), 4)
    2.9189
    >>> gradient
    array([[-2., -3.]])
    """

    link_inverse: ClassVar[str] = "identity_exp"
    formula: ClassVar[str] = "log(sigma) + (y - mu)^2 / (2 * sigma^2) + log(2 * pi) / 2"
    derivative: ClassVar[str] = "(mu - y) / sigma^2, 1 - (mu - y)^2 / sigma^2"

    @property
    def raw_per_target(self) -> int:
        return 2

    def in_units(self, scale: float) -> tuple[float, float]:
        return 1.0, math.log(scale)

    def best_constant(self, y: FloatArray, weight: FloatArray | None, n_outputs: int) -> FloatArray:
        mean = np.average(y, axis=0, weights=weight)
        with np.errstate(divide="ignore"):  # the log of 0 is clipped
            log_variance = np.log(np.average((y - mean) ** 2, axis=0, weights=weight))
        return np.concatenate([mean, np.clip(0.5 * log_variance, *LOG_SIGMA_RANGE)])

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        n_targets: int = y.shape[1]
        mu, log_sigma = raw[:, :n_targets], raw[:, n_targets:]
        of_mu, of_log_sigma = out[:, :n_targets], out[:, n_targets:]
        error = np.subtract(mu, y, out=of_mu)
        low, high = LOG_SIGMA_RANGE
        is_free = np.heaviside(np.subtract(log_sigma, low, out=of_log_sigma), 0.0, out=of_log_sigma)
        is_free *= np.heaviside(np.subtract(high, log_sigma, out=mu), 0.0, out=mu)  # 0 where clipped, else 1
        np.clip(log_sigma, low, high, out=log_sigma)
        inverse_sigma = np.exp(np.negative(log_sigma, out=mu), out=mu)
        # with u = (mu - y) / sigma, l = (2 log sigma + u^2 + log(2 pi)) / 2
        u = error
        u *= inverse_sigma
        inverse_sigma *= u
        u_over_sigma = inverse_sigma
        u *= u
        log_sigma *= 2.0
        log_sigma += u
        np.add.reduce(log_sigma, axis=1, out=per_row)
        value = 0.5 * (weighted_mean(per_row[:, np.newaxis], weight) + n_targets * math.log(2 * math.pi))
        # dl/d mu = u / sigma, dl/d log sigma = 1 - u^2
        np.subtract(1.0, u, out=u)
        of_log_sigma *= u
        of_mu[...] = u_over_sigma
        scale_rows(out, weight)
        return value
