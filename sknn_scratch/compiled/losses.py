"""Losses: value and gradient of all rows in one compiled call.

The formulas are those of :mod:`sknn_scratch.core.losses`. Values are of the arrays' precision, and are added
up in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types

from sknn_scratch.compiled.elementary import exp, expm1, log, log1p
from sknn_scratch.compiled.jit import (
    Kernel,
    inner,
    kernel,
    matrix,
    read_matrix,
    read_row,
    reduction,
    row,
)
from sknn_scratch.core.losses import (
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
from sknn_scratch.core.losses.links import LOG_SIGMA_RANGE
from sknn_scratch.core.parameters import FloatArray

_LOW, _HIGH = LOG_SIGMA_RANGE
_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)
_Constants = npt.NDArray[np.float64]
_Number = Any


@reduction
def _sum(x: FloatArray) -> float:
    total = 0.0
    for i in range(x.size):
        total += np.float64(x[i])
    return total


@reduction
def _weighted_sum(x: FloatArray, weight: FloatArray) -> float:
    total = 0.0
    if weight.size == 0:
        return _sum(x)
    for i in range(x.size):
        total += np.float64(weight[i]) * np.float64(x[i])
    return total


@inner
def _sum_of_rows(values: FloatArray, weight: FloatArray) -> float:
    """The weighted sum of all numbers of some rows."""
    flat = values.reshape(values.size)
    if weight.size == 0 or values.shape[1] == 1:
        return _weighted_sum(flat, weight)
    total = 0.0
    for i in range(len(values)):
        total += np.float64(weight[i]) * _sum(values[i])
    return total


# row i of the gradient of the mean is w_i / sum w times that of the loss
@inner
def _scale_rows(out: FloatArray, weight: FloatArray, total_weight: float) -> None:
    number = out.dtype.type
    share = number(1.0 / total_weight)
    if weight.size == 0:
        flat = out.reshape(out.size)
        for k in range(flat.size):
            flat[k] *= share
    else:
        for i in range(len(out)):
            factor = weight[i]
            for k in range(out.shape[1]):
                out[i, k] = out[i, k] * factor * share


# What follows writes the loss of each raw score z over it, and its derivative over the target t.


@inner
def _squared(constants: _Constants, z: FloatArray, t: FloatArray) -> None:
    half = z.dtype.type(0.5)
    for k in range(z.size):
        error = z[k] - t[k]
        z[k], t[k] = half * error * error, error


@inner
def _absolute(constants: _Constants, z: FloatArray, t: FloatArray) -> None:
    number = z.dtype.type
    zero, one = number(0), number(1)
    for k in range(z.size):
        error = z[k] - t[k]
        sign = one if error > zero else error  # 0 and NaN are their own signs
        z[k], t[k] = abs(error), -one if error < zero else sign


# with c the error e clipped to [-delta, delta], l = c (2 e - c) / 2 and dl/dz = c
@inner
def _huber(constants: _Constants, z: FloatArray, t: FloatArray) -> None:
    number = z.dtype.type
    delta, half, two = number(constants[0]), number(0.5), number(2)
    for k in range(z.size):
        error = z[k] - t[k]
        clipped = max(min(error, delta), -delta)
        z[k], t[k] = half * ((two * error - clipped) * clipped), clipped


# l = y (log y - z) - y + exp(z)
@inner
def _poisson(constants: _Constants, z: FloatArray, t: FloatArray) -> None:
    tiny = np.finfo(z.dtype).tiny
    for k in range(z.size):
        p, y = exp(z[k]), t[k]
        z[k], t[k] = (log(max(y, tiny)) - z[k]) * y - y + p, p - y


# with r = log y - z, l = (exp(r) - 1) - r
@inner
def _gamma(constants: _Constants, z: FloatArray, t: FloatArray) -> None:
    for k in range(z.size):
        log_ratio = log(t[k]) - z[k]
        excess = expm1(log_ratio)
        z[k], t[k] = excess - log_ratio, -excess


# l = z - t z - log p, where with e = exp(-|z|), -log p = max(-z, 0) + log(1 + e) and p is 1 or e by 1 + e
@inner
def _binary_log(constants: _Constants, z: FloatArray, t: FloatArray) -> None:
    number = z.dtype.type
    kept, added = number(1.0 - constants[0]), number(0.5 * constants[0])
    zero, one = number(0), number(1)
    for k in range(z.size):
        score, y = z[k], t[k] * kept + added
        e = exp(-abs(score))
        p = (one if score >= zero else e) / (one + e)
        z[k], t[k] = (score - y * score) + (max(-score, zero) + log1p(e)), p - y


@inner
def _binary_squared(constants: _Constants, z: FloatArray, t: FloatArray) -> None:
    number = z.dtype.type
    half, zero, one = number(0.5), number(0), number(1)
    for k in range(z.size):
        e = exp(-abs(z[k]))
        p = (one if z[k] >= zero else e) / (one + e)
        error = p - t[k]
        z[k], t[k] = half * error * error, error * p * (one - p)


# at the level q, dl/dz = [z > y] - q and l = (z - y) dl/dz; 1/2 instead of [z > y] at the kink
@inner
def _quantile(constants: _Constants, raw: FloatArray, out: FloatArray) -> None:
    number = raw.dtype.type
    n_targets = raw.shape[1] // constants.size
    half, one, zero = number(0.5), number(1), number(0)
    for i in range(len(raw)):
        for k in range(raw.shape[1]):
            error = raw[i, k] - out[i, k]
            above = one if error > zero else (zero if error < zero else half + error)  # NaN stays NaN
            slope = above - number(constants[k // n_targets])
            raw[i, k], out[i, k] = error * slope, slope


# with u = (mu - y) / sigma, l = log sigma + u^2 / 2 + log(2 pi) / 2; the last term comes once for all rows
@inner
def _gaussian(constants: _Constants, raw: FloatArray, out: FloatArray) -> None:
    number = raw.dtype.type
    low, high, half, zero, one = number(_LOW), number(_HIGH), number(0.5), number(0), number(1)
    n_targets = raw.shape[1] // 2
    for i in range(len(raw)):
        for k in range(n_targets):
            log_sigma = raw[i, n_targets + k]
            is_free = one if low < log_sigma < high else (zero if log_sigma == log_sigma else log_sigma)
            log_sigma = max(min(log_sigma, high), low)
            inverse_sigma = exp(-log_sigma)
            u = (raw[i, k] - out[i, k]) * inverse_sigma
            raw[i, k], raw[i, n_targets + k] = half * u * u, log_sigma
            out[i, k], out[i, n_targets + k] = u * inverse_sigma, is_free * (one - u * u)


@inner
def _end_of(constants: _Constants, column: int, begin: int, n_outputs: int) -> int:
    """Where the raw scores of a column of classes end that begin at `begin`."""
    return n_outputs if constants.size == 1 else begin + int(constants[1 + column])


# Softmax does not change when the scores of a row are shifted: with the largest at 0, exp cannot overflow.
@inner
def _shift(z: FloatArray, largest: FloatArray) -> None:
    largest[:] = z[0]
    for k in range(len(z)):
        of_class = z[k]
        for i in range(largest.size):
            largest[i] = max(of_class[i], largest[i])
    for k in range(len(z)):
        of_class = z[k]
        for i in range(largest.size):
            of_class[i] -= largest[i]


@inner
def _softmax(z: FloatArray, sums: FloatArray, subtracted: float) -> None:
    """Write p - `subtracted` over shifted scores, and the logarithms of the sums of their exponentials."""
    less = z.dtype.type(subtracted)
    sums[:] = 0
    for k in range(len(z)):
        of_class = z[k]
        for i in range(sums.size):
            of_class[i] = exp(of_class[i])
            sums[i] += of_class[i]
    for k in range(len(z)):
        of_class = z[k]
        for i in range(sums.size):
            of_class[i] = of_class[i] / sums[i] - less
    for i in range(sums.size):
        sums[i] = log(sums[i])


@inner
def _weighted_scores_of_targets(smoothing: float, z: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    """The weighted sum of sum_k t_k z_k with the targets t_k = [k = y] (1 - s) + s / K."""
    value = 0.0
    for k in range(len(z)):
        value += smoothing / len(z) * _weighted_sum(z[k], weight)
    for i in range(len(y)):
        if 0 <= y[i] < len(z):
            share = 1.0 if weight.size == 0 else np.float64(weight[i])
            value += share * (1.0 - smoothing) * np.float64(z[int(y[i]), i])
    return value


@reduction
def _dot(a: FloatArray, b: FloatArray) -> _Number:
    total = a.dtype.type(0)
    for k in range(a.size):
        total += a[k] * b[k]
    return total


# with errors e_k = p_k - [k = y], l = sum_k e_k^2 / 2 and dl/dz_k = p_k (e_k - sum_j e_j p_j)
@inner
def _class_squared(p: FloatArray, y: _Number, error: FloatArray) -> float:
    error[:] = p
    if 0 <= y < p.size:
        error[int(y)] -= p.dtype.type(1)
    mean = _dot(error, p)
    for k in range(p.size):
        p[k] *= error[k] - mean
    return 0.5 * np.float64(_dot(error, error))


@inner
def _of_classes(
    is_log_loss: bool,
    constants: _Constants,
    raw: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    out: FloatArray,
) -> float:
    """The weighted sum of the losses of each column of y and its classes; writes the gradients.

    Softmax is computed with one row for a class, since loops over the rows of a batch are longer than loops
    over classes: in the memory of `raw`, with that of `out` for numbers of which each row has one.
    """
    n_rows, n_outputs = raw.shape
    smoothing, value, end = constants[0], 0.0, 0
    out[:] = raw
    by_class, memory = raw.reshape((n_outputs, n_rows)), out.reshape((n_outputs, n_rows))
    for k in range(n_outputs):
        for i in range(n_rows):
            by_class[k, i] = out[i, k]
    for column in range(y.shape[1]):
        begin, end = end, _end_of(constants, column, end, n_outputs)
        z, sums = by_class[begin:end], memory[begin]
        _shift(z, sums)
        if is_log_loss:  # log s - sum_k t_k z_k with s = sum_k exp(z_k)
            value -= _weighted_scores_of_targets(smoothing, z, y[:, column], weight)
        _softmax(z, sums, smoothing / (end - begin))
        if is_log_loss:
            value += _weighted_sum(sums, weight)
    for i in range(n_rows):
        for k in range(n_outputs):
            out[i, k] = by_class[k, i]
    right = out.dtype.type(1.0 - smoothing)
    for i in range(n_rows):
        end, share = 0, 1.0 if weight.size == 0 else np.float64(weight[i])
        for column in range(y.shape[1]):
            begin, end = end, _end_of(constants, column, end, n_outputs)
            if not is_log_loss:
                value += share * _class_squared(out[i, begin:end], y[i, column], raw[i, begin:end])
            elif 0 <= y[i, column] < end - begin:  # dl/dz_k = p_k - t_k
                out[i, begin + int(y[i, column])] -= right
    return value


@inner
def _targets(y: FloatArray, out: FloatArray) -> None:
    """Write the target of each raw score to `out`; raw scores of several kinds lie kind by kind."""
    n_targets = y.shape[1]
    for i in range(len(y)):
        for k in range(out.shape[1]):
            out[i, k] = y[i, k % n_targets]


@inner
def _mean(losses: FloatArray, weight: FloatArray, out: FloatArray) -> float:
    """The weighted mean of losses over rows; turns derivatives in `out` into its gradient."""
    total = _sum(weight) if weight.size else np.float64(len(losses))
    _scale_rows(out, weight, total)
    return _sum_of_rows(losses, weight) / total


@inner
def _mean_of_classes(
    is_log_loss: bool,
    constants: _Constants,
    raw: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    out: FloatArray,
) -> float:
    value = _of_classes(is_log_loss, constants, raw, y, weight, out)
    total = _sum(weight) if weight.size else np.float64(len(raw))
    _scale_rows(out, weight, total)
    return value / total


def argument_types(number: types.Type) -> tuple[types.Type, ...]:
    """The types of the arguments of each kernel: constants, raw, y, weight, out."""
    return row(types.float64), matrix(number), read_matrix(number), read_row(number), matrix(number)


# Each returns the weighted mean of the loss over rows, and writes out <- dL / d raw; raw is used up.


@kernel(argument_types)
def squared_error(
    constants: _Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.SquaredError`."""
    _targets(y, out)
    _squared(constants, raw.reshape(raw.size), out.reshape(out.size))
    return _mean(raw, weight, out)


@kernel(argument_types)
def absolute_error(
    constants: _Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.AbsoluteError`."""
    _targets(y, out)
    _absolute(constants, raw.reshape(raw.size), out.reshape(out.size))
    return _mean(raw, weight, out)


@kernel(argument_types)
def huber(
    constants: _Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.Huber`."""
    _targets(y, out)
    _huber(constants, raw.reshape(raw.size), out.reshape(out.size))
    return _mean(raw, weight, out)


@kernel(argument_types)
def quantile(
    constants: _Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.Quantile`."""
    _targets(y, out)
    _quantile(constants, raw, out)
    return _mean(raw, weight, out)


@kernel(argument_types)
def poisson(
    constants: _Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.Poisson`."""
    _targets(y, out)
    _poisson(constants, raw.reshape(raw.size), out.reshape(out.size))
    return _mean(raw, weight, out)


@kernel(argument_types)
def gamma(
    constants: _Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.Gamma`."""
    _targets(y, out)
    _gamma(constants, raw.reshape(raw.size), out.reshape(out.size))
    return _mean(raw, weight, out)


@kernel(argument_types)
def gaussian_nll(
    constants: _Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.GaussianNLL`."""
    _targets(y, out)
    _gaussian(constants, raw, out)
    return _mean(raw, weight, out) + y.shape[1] * _HALF_LOG_2_PI


@kernel(argument_types)
def binary_log_loss(
    constants: _Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.BinaryLogLoss`."""
    _targets(y, out)
    _binary_log(constants, raw.reshape(raw.size), out.reshape(out.size))
    return _mean(raw, weight, out)


@kernel(argument_types)
def log_loss(
    constants: _Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.LogLoss`."""
    return _mean_of_classes(True, constants, raw, y, weight, out)


@kernel(argument_types)
def binary_squared_error(
    constants: _Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.BinarySquaredError`."""
    _targets(y, out)
    _binary_squared(constants, raw.reshape(raw.size), out.reshape(out.size))
    return _mean(raw, weight, out)


@kernel(argument_types)
def class_squared_error(
    constants: _Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.ClassSquaredError`."""
    return _mean_of_classes(False, constants, raw, y, weight, out)


_KERNELS: dict[type[Loss], Kernel] = {
    SquaredError: squared_error,
    AbsoluteError: absolute_error,
    Huber: huber,
    Quantile: quantile,
    Poisson: poisson,
    Gamma: gamma,
    GaussianNLL: gaussian_nll,
    BinaryLogLoss: binary_log_loss,
    LogLoss: log_loss,
    BinarySquaredError: binary_squared_error,
    ClassSquaredError: class_squared_error,
}


class LossKernel(NamedTuple):
    """What computes a loss instead of its method.

    Attributes
    ----------
    constants : ndarray of float64
        Its settings. Those of losses of classes are the label smoothing and, where y has several columns, the
        number of classes of each.
    kernel : Kernel
        ``kernel[dtype](constants, raw, y, weight, out)`` returns the loss; `weight` is of size 0 where all
        weights are 1.
    """

    constants: _Constants
    kernel: Kernel


def kernel_of(loss: Loss) -> LossKernel | None:
    """What computes a loss, in either precision; None for losses that are not the core's.

    Parameters
    ----------
    loss : Loss
        The loss.

    Returns
    -------
    LossKernel or None
        Its constants and its kernel.
    """
    widths: tuple[int, ...] = ()
    if type(loss) is PerColumn:
        widths, loss = loss.n_classes, loss.loss
        if type(loss) not in (LogLoss, ClassSquaredError):
            return None
    if type(loss) not in _KERNELS:
        return None
    settings: list[float] = []
    if isinstance(loss, Huber):
        settings = [loss.delta]
    elif isinstance(loss, Quantile):
        settings = loss.levels
    elif isinstance(loss, BinaryLogLoss | LogLoss):
        settings = [loss.label_smoothing]
    elif isinstance(loss, ClassSquaredError):
        settings = [0.0]
    return LossKernel(np.array([*settings, *widths], np.float64), _KERNELS[type(loss)])


@dataclass
class CompiledLoss(Loss):
    """A loss of the core whose value and gradient are compiled; predictions are the core's.

    Parameters
    ----------
    loss : Loss
        One that has a kernel.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.compiled.losses import CompiledLoss
    >>> from sknn_scratch.core import LogLoss
    >>> raw, y, gradient = np.array([[0.0, 800.0]]), np.array([[0.0]]), np.empty((1, 2))
    >>> CompiledLoss(LogLoss()).value_and_gradient(raw, y, None, gradient, np.empty(1))
    800.0
    >>> gradient
    array([[-1.,  1.]])
    """

    loss: Loss
    _kernel: LossKernel = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = kernel_of(self.loss)
        if found is None:
            raise ValueError(f"{self.loss!r} has no kernel.")
        self._kernel = found

    @property
    def link_inverse(self) -> str:  # type: ignore[override]
        """Name of what turns raw scores into predictions."""
        return self.loss.link_inverse

    @property
    def raw_per_target(self) -> int:
        return self.loss.raw_per_target

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        weight = per_row[:0] if weight is None else weight
        constants, kernel = self._kernel
        value: float = kernel[raw.dtype](constants, raw, y, weight, out)
        return value

    def predict(self, raw: FloatArray, out: FloatArray) -> None:
        self.loss.predict(raw, out)
