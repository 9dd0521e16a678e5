"""Exponentials and logarithms without branches, which LLVM turns into vector instructions.

The C library's functions take one number at a time. These use only arithmetic and bit operations, so a loop
over an array computes four to sixteen numbers at once. They are right for infinities, NaN and subnormal
numbers. Their errors are at most 3 units in the last place (`tanh_softplus`: 4). The result for a float32 is
computed in float32. Signs of zeros are not kept, and `logistic` is 0 where exp(-x) overflows.

The exponential: with k = round(x / log 2) and r = x - k log 2, exp(x) = 2^k (1 + p) where p = exp(r) - 1 is
a Taylor polynomial, |r| < 0.35. The logarithm: with x = 2^k (1 + f), log(x) = k log 2 + log(1 + f), where
log(1 + f) is a series in s = f / (2 + f) whose coefficients are those of fdlibm (Sun Microsystems, 1993).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from sknn_scratch.compiled.jit import scalar

Number = Any
"""A float64 or a float32, or a result computed from one."""


def by_precision(double: Callable[..., Any], single: Callable[..., Any]) -> Callable[..., Any]:
    """A function that calls one of two: the first for a float64, the second for a float32."""

    def chosen(x: Number) -> Any:  # what Python runs
        return single(x) if isinstance(x, np.float32) else double(x)

    @overload(chosen, strict=False)
    def compiled(x: types.Type) -> Callable[..., Any]:  # what numba runs
        function = single if x == types.float32 else double
        return lambda x: function(x)

    return chosen


# Floats from this number to twice as much have no fraction. Adding it rounds: the last bits are an integer.
_ROUNDER, _ROUNDER_32 = 1.5 * 2.0**52, np.float32(1.5 * 2.0**23)
# log 2 in two parts. Products of the first part with exponents are exact.
_LOG2_HIGH, _LOG2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LOG2_HIGH_32, _LOG2_LOW_32 = np.float32(6.9314575195e-01), np.float32(1.4286067653e-06)
_PER_LOG2, _PER_LOG2_32 = 1 / math.log(2), np.float32(1 / math.log(2))
_HALF_32 = np.float32(0.5)


# Beyond the bounds, exp is infinite or 0; up to them, 2^k is a product of two normal numbers. Python's min
# and max return NaN if it is their first argument, and compile to no branch.
@scalar
def _reduced_64(x: Number) -> Any:
    x = max(min(x, 720.0), -760.0)
    k = (x * _PER_LOG2 + _ROUNDER) - _ROUNDER
    return k, (x - k * _LOG2_HIGH) - k * _LOG2_LOW


@scalar
def _reduced_32(x: Number) -> Any:
    x = max(min(x, np.float32(95)), np.float32(-110))
    k = (x * _PER_LOG2_32 + _ROUNDER_32) - _ROUNDER_32
    return k, (x - k * _LOG2_HIGH_32) - k * _LOG2_LOW_32


_EXPM1 = tuple(1 / math.factorial(n) for n in range(2, 14))
_E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9, _E10, _E11, _E12, _E13 = _EXPM1
_F2, _F3, _F4, _F5, _F6, _F7 = (np.float32(c) for c in _EXPM1[:6])


# exp(r) - 1 = r + r^2 / 2! + r^3 / 3! + ...
@scalar
def _taylor_64(r: Number) -> Any:
    s = r * r
    low = (_E2 + r * _E3) + s * (_E4 + r * _E5)
    high = (_E6 + r * _E7) + s * (_E8 + r * _E9)
    highest = (_E10 + r * _E11) + s * (_E12 + r * _E13)
    return r + s * (low + (s * s) * (high + (s * s) * highest))


@scalar
def _taylor_32(r: Number) -> Any:
    return r + (r * r) * (_F2 + r * (_F3 + r * (_F4 + r * (_F5 + r * (_F6 + r * _F7)))))


# The exponent's bits are those of the integer k + bias
@scalar
def _power_of_two_64(k: Number) -> Any:
    bits = np.float64(k + (_ROUNDER + 1023.0)).view(np.int64)
    return np.int64(bits << 52).view(np.float64)


@scalar
def _power_of_two_32(k: Number) -> Any:
    bits = np.float32(k + (_ROUNDER_32 + np.float32(127))).view(np.int32)
    return np.int32(bits << np.int32(23)).view(np.float32)


@scalar
def _half_64(k: Number) -> Any:
    return (k * 0.5 + _ROUNDER) - _ROUNDER


@scalar
def _half_32(k: Number) -> Any:
    return (k * _HALF_32 + _ROUNDER_32) - _ROUNDER_32


_reduced = by_precision(_reduced_64, _reduced_32)
_taylor = by_precision(_taylor_64, _taylor_32)
_power_of_two = by_precision(_power_of_two_64, _power_of_two_32)
_half = by_precision(_half_64, _half_32)


# 2^k in two factors: the first product is exact, and the second overflows or becomes subnormal as it should
@scalar
def exp(x: Number) -> Any:
    """exp(x)."""
    k, r = _reduced(x)
    first = _half(k)
    return ((type(x)(1) + _taylor(r)) * _power_of_two(first)) * _power_of_two(k - first)


# 2^k p + (2^k - 1), in which nothing cancels: where k = 0 it is p
@scalar
def expm1(x: Number) -> Any:
    """exp(x) - 1, exact to the last digits near 0."""
    k, r = _reduced(x)
    first = _half(k)
    one, scale = _power_of_two(first - k), _power_of_two(first)
    return (_taylor(r) * scale + (scale - one)) * _power_of_two(k - first)


@scalar
def logistic(x: Number) -> Any:
    """1 / (1 + exp(-x))."""
    one = type(x)(1)
    return one / (one + exp(-x))


# e / (e + 2) with e = exp(2 |x|) - 1; beyond 20 it is 1 to the last digit. Up to 20, 2^k is one factor.
@scalar
def tanh(x: Number) -> Any:
    """The hyperbolic tangent."""
    number = type(x)
    y = min(abs(x), number(20))
    k, r = _reduced(y + y)
    scale = _power_of_two(k)
    e = _taylor(r) * scale + (scale - number(1))
    t = e / (e + number(2))
    return t if x > number(0) else -t


# ((1 + e)^2 - 1) / ((1 + e)^2 + 1) with e = exp(x); beyond 20 it is 1 to the last digit, and e^2 stays finite
@scalar
def tanh_softplus(x: Number) -> Any:
    """tanh(log(1 + exp(x)))."""
    number = type(x)
    e = exp(min(x, number(20)))
    n = e * (e + number(2))
    return n / (n + number(2))


# x = 2^k m with m in [sqrt(1/2), sqrt(2)): minus the bits of sqrt(1/2), the exponent's bits are k. They
# become a float as the last bits of the float 2^52 + 2048.
@scalar
def _split_64(x: Number) -> Any:
    bits = np.float64(x).view(np.int64) - 0x3FE6A09E00000000
    exponent = (((bits >> 52) + 2048) & 0xFFF) | 0x4330000000000000
    m = np.int64((bits & 0xFFFFFFFFFFFFF) + 0x3FE6A09E00000000).view(np.float64)
    return np.int64(exponent).view(np.float64) - (2.0**52 + 2048.0), m


@scalar
def _split_32(x: Number) -> Any:
    bits = np.int32(np.float32(x).view(np.int32) - np.int32(0x3F3504F3))
    m = np.int32(np.int32(bits & np.int32(0x7FFFFF)) + np.int32(0x3F3504F3)).view(np.float32)
    return np.float32(np.int32(bits >> np.int32(23))), m


_L1, _L2, _L3, _L4, _L5, _L6, _L7 = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)
_M1, _M2, _M3, _M4 = map(np.float32, (0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841))


@scalar
def _series_64(t: Number) -> Any:
    return t * (_L1 + t * (_L2 + t * (_L3 + t * (_L4 + t * (_L5 + t * (_L6 + t * _L7))))))


@scalar
def _series_32(t: Number) -> Any:
    return t * (_M1 + t * (_M2 + t * (_M3 + t * _M4)))


@scalar
def _times_log2_64(k: Number) -> Any:
    return k * _LOG2_HIGH, k * _LOG2_LOW


@scalar
def _times_log2_32(k: Number) -> Any:
    return k * _LOG2_HIGH_32, k * _LOG2_LOW_32


@scalar
def _unsubnormal_64(x: Number) -> Any:
    return (x * 2.0**54, -54.0) if x < 2.0**-1022 else (x, 0.0)


@scalar
def _unsubnormal_32(x: Number) -> Any:
    return (x * _MANY_32, -_SHIFT_32) if x < _TINY_32 else (x, np.float32(0))


_TINY_32, _MANY_32, _SHIFT_32 = map(np.float32, (2.0**-126, 2.0**25, 25.0))
_split = by_precision(_split_64, _split_32)
_series = by_precision(_series_64, _series_32)
_times_log2 = by_precision(_times_log2_64, _times_log2_32)
_unsubnormal = by_precision(_unsubnormal_64, _unsubnormal_32)


# log(2^k (1 + f)) + c for a small c: k log 2 + f - (f^2 / 2 - s (f^2 / 2 + R)), in an order that keeps the
# last digits
@scalar
def _log_and(k: Number, f: Number, c: Number) -> Any:
    number = type(f)
    s = f / (number(2) + f)
    half_square = number(0.5) * f * f
    high, low = _times_log2(k)
    return high + (f - (half_square - (s * (half_square + _series(s * s)) + (low + c))))


@scalar
def _with_ends(x: Number, value: Number) -> Any:
    """The logarithm of any x, given its `value` for a positive and finite x."""
    number = type(x)
    value = value if x > number(0) else number(np.nan)
    value = value if x != number(0) else number(-np.inf)
    return value if x != number(np.inf) else x


@scalar
def log(x: Number) -> Any:
    """The natural logarithm."""
    scaled, shift = _unsubnormal(x)
    number = type(x)
    k, m = _split(scaled)
    return _with_ends(x, _log_and(k + shift, m - number(1), number(0)))


# 1 + x is rounded to y, and log(1 + x) = log(y) + (1 + x - y) / y to first order in the rounding error
@scalar
def log1p(x: Number) -> Any:
    """log(1 + x), exact to the last digits near 0."""
    one = type(x)(1)
    y = one + x
    error = x - (y - one) if x < one else one - (y - x)
    k, m = _split(y)
    return _with_ends(y, _log_and(k, m - one, error / y))


# log(1 + exp(x)) = max(x, 0) + log(1 + e) with e = exp(-|x|) in [0, 1], where nothing overflows, and
# 1 + e = 2^k (1 + f) with f = e or f = (e - 1) / 2, whichever is nearer to 0.
@scalar
def softplus(x: Number) -> Any:
    """log(1 + exp(x))."""
    zero, half, one = type(x)(0), type(x)(0.5), type(x)(1)
    e = exp(-abs(x))
    k = one if e > type(x)(0.4142135) else zero
    f = half * (e - one) if e > type(x)(0.4142135) else e
    return max(x, zero) + _log_and(k, f, zero)


__all__ = ["exp", "expm1", "log", "log1p", "logistic", "softplus", "tanh", "tanh_softplus"]
