"""Kernels of the losses in which each target has raw scores of its own, one or a few."""

from __future__ import annotations

import math

import numpy as np

from sknn_scratch.compiled.elementary import exp, expm1, log, log1p
from sknn_scratch.compiled.jit import inner, kernel
from sknn_scratch.compiled.loss_means import Constants, argument_types, mean
from sknn_scratch.core.losses.links import LOG_SIGMA_RANGE
from sknn_scratch.core.parameters import FloatArray

_LOW, _HIGH = LOG_SIGMA_RANGE
_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


# The functions that follow write the loss of each raw score over z, and its derivative over the target t.


@inner
def _squared(constants: Constants, z: FloatArray, t: FloatArray) -> None:
    half = z.dtype.type(0.5)
    for k in range(z.size):
        error = z[k] - t[k]
        z[k], t[k] = half * error * error, error


@inner
def _absolute(constants: Constants, z: FloatArray, t: FloatArray) -> None:
    number = z.dtype.type
    zero, one = number(0), number(1)
    for k in range(z.size):
        error = z[k] - t[k]
        sign = one if error > zero else error  # 0 and NaN are their own signs
        z[k], t[k] = abs(error), -one if error < zero else sign


# with c the error e clipped to [-delta, delta], l = c (2 e - c) / 2 and dl/dz = c
@inner
def _huber(constants: Constants, z: FloatArray, t: FloatArray) -> None:
    number = z.dtype.type
    delta, half, two = number(constants[0]), number(0.5), number(2)
    for k in range(z.size):
        error = z[k] - t[k]
        clipped = max(min(error, delta), -delta)
        z[k], t[k] = half * ((two * error - clipped) * clipped), clipped


# l = y (log y - z) - y + exp(z)
@inner
def _poisson(constants: Constants, z: FloatArray, t: FloatArray) -> None:
    tiny = np.finfo(z.dtype).tiny
    for k in range(z.size):
        p, y = exp(z[k]), t[k]
        z[k], t[k] = (log(max(y, tiny)) - z[k]) * y - y + p, p - y


# with r = log y - z, l = (exp(r) - 1) - r
@inner
def _gamma(constants: Constants, z: FloatArray, t: FloatArray) -> None:
    for k in range(z.size):
        log_ratio = log(t[k]) - z[k]
        excess = expm1(log_ratio)
        z[k], t[k] = excess - log_ratio, -excess


# l = z - t z - log p, where with e = exp(-|z|), -log p = max(-z, 0) + log(1 + e) and p is 1 or e by 1 + e
@inner
def _binary_log(constants: Constants, z: FloatArray, t: FloatArray) -> None:
    number = z.dtype.type
    kept, added = number(1.0 - constants[0]), number(0.5 * constants[0])
    zero, one = number(0), number(1)
    for k in range(z.size):
        score, y = z[k], t[k] * kept + added
        e = exp(-abs(score))
        p = (one if score >= zero else e) / (one + e)
        z[k], t[k] = (score - y * score) + (max(-score, zero) + log1p(e)), p - y


@inner
def _binary_squared(constants: Constants, z: FloatArray, t: FloatArray) -> None:
    number = z.dtype.type
    half, zero, one = number(0.5), number(0), number(1)
    for k in range(z.size):
        e = exp(-abs(z[k]))
        p = (one if z[k] >= zero else e) / (one + e)
        error = p - t[k]
        z[k], t[k] = half * error * error, error * p * (one - p)


# at the level q, dl/dz = [z > y] - q and l = (z - y) dl/dz; 1/2 instead of [z > y] at the kink
@inner
def _quantile(constants: Constants, raw: FloatArray, out: FloatArray) -> None:
    number = raw.dtype.type
    n_targets = raw.shape[1] // constants.size
    half, one, zero = number(0.5), number(1), number(0)
    for i in range(len(raw)):
        for k in range(raw.shape[1]):
            error = raw[i, k] - out[i, k]
            above = one if error > zero else (zero if error < zero else half + error)  # NaN stays NaN
            slope = above - number(constants[k // n_targets])
            raw[i, k], out[i, k] = error * slope, slope


# with u = (mu - y) / sigma, l = log sigma + u^2 / 2 + log(2 pi) / 2; the last term is added once for all rows
@inner
def _gaussian(constants: Constants, raw: FloatArray, out: FloatArray) -> None:
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
def _targets(y: FloatArray, out: FloatArray) -> None:
    """Write the target of each raw score to `out`; all targets' raw scores of one kind stand side by side."""
    n_targets = y.shape[1]
    for i in range(len(y)):
        for k in range(out.shape[1]):
            out[i, k] = y[i, k % n_targets]


@kernel(argument_types)
def squared_error(
    constants: Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.SquaredError`."""
    _targets(y, out)
    _squared(constants, raw.reshape(raw.size), out.reshape(out.size))
    return mean(raw, weight, out)


@kernel(argument_types)
def absolute_error(
    constants: Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.AbsoluteError`."""
    _targets(y, out)
    _absolute(constants, raw.reshape(raw.size), out.reshape(out.size))
    return mean(raw, weight, out)


@kernel(argument_types)
def huber(constants: Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray) -> float:
    """See :class:`~sknn_scratch.core.Huber`."""
    _targets(y, out)
    _huber(constants, raw.reshape(raw.size), out.reshape(out.size))
    return mean(raw, weight, out)


@kernel(argument_types)
def quantile(
    constants: Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.Quantile`."""
    _targets(y, out)
    _quantile(constants, raw, out)
    return mean(raw, weight, out)


@kernel(argument_types)
def poisson(
    constants: Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.Poisson`."""
    _targets(y, out)
    _poisson(constants, raw.reshape(raw.size), out.reshape(out.size))
    return mean(raw, weight, out)


@kernel(argument_types)
def gamma(constants: Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray) -> float:
    """See :class:`~sknn_scratch.core.Gamma`."""
    _targets(y, out)
    _gamma(constants, raw.reshape(raw.size), out.reshape(out.size))
    return mean(raw, weight, out)


@kernel(argument_types)
def gaussian_nll(
    constants: Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.GaussianNLL`."""
    _targets(y, out)
    _gaussian(constants, raw, out)
    return mean(raw, weight, out) + y.shape[1] * _HALF_LOG_2_PI


@kernel(argument_types)
def binary_log_loss(
    constants: Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.BinaryLogLoss`."""
    _targets(y, out)
    _binary_log(constants, raw.reshape(raw.size), out.reshape(out.size))
    return mean(raw, weight, out)


@kernel(argument_types)
def binary_squared_error(
    constants: Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.BinarySquaredError`."""
    _targets(y, out)
    _binary_squared(constants, raw.reshape(raw.size), out.reshape(out.size))
    return mean(raw, weight, out)
