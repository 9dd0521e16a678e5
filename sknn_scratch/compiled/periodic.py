"""Sine and cosine at once, without branches, for arguments up to `LARGEST`.

With k = round(x / (pi / 2)) and r = x - k pi / 2, sine and cosine of x are those of r, |r| <= pi / 4, up to
sign and order. The last two bits of k determine these. The polynomials are those of fdlibm (Sun Microsystems,
1993) and of its single precision in FreeBSD. pi / 2 is the sum of three parts. The first two have 33 bits, so
their products with k are exact.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sknn_scratch.compiled.elementary import Number, by_precision
from sknn_scratch.compiled.jit import scalar

LARGEST = 2.0**20
"""For larger numbers, products with k are no longer exact."""

_ROUNDER = 1.5 * 2.0**52  # adding it rounds to an integer, which has the same last bits as the float
_PER_QUARTER = 2 / math.pi
_QUARTER_1, _QUARTER_2 = 1.57079632673412561417e00, 6.07710050630396597660e-11
_QUARTER_3 = 2.02226624879595063154e-21


@scalar
def _reduced(x: Number) -> Any:
    """The last bits of k, and r."""
    shifted = np.float64(x * _PER_QUARTER + _ROUNDER)
    k = shifted - _ROUNDER
    return shifted.view(np.int64), ((x - k * _QUARTER_1) - k * _QUARTER_2) - k * _QUARTER_3


@scalar
def _turned(quarter: Any, sine: Number, cosine: Number) -> Any:
    """Sine and cosine of x from those of r."""
    swapped = (quarter & 1) != 0
    sine_x = cosine if swapped else sine
    cosine_x = sine if swapped else cosine
    sine_x = -sine_x if (quarter & 2) != 0 else sine_x
    cosine_x = -cosine_x if ((quarter + 1) & 2) != 0 else cosine_x
    return sine_x, cosine_x


_S1, _S2, _S3 = -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04
_S4, _S5, _S6 = 2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10
_C1, _C2, _C3 = 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05
_C4, _C5, _C6 = -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11


@scalar
def _sine_and_cosine_64(x: Number) -> Any:
    quarter, r = _reduced(x)
    s = r * r
    sine = r + (r * s) * (_S1 + s * (_S2 + s * (_S3 + s * (_S4 + s * (_S5 + s * _S6)))))
    rest = (s * s) * (_C1 + s * (_C2 + s * (_C3 + s * (_C4 + s * (_C5 + s * _C6)))))
    # 1 - s / 2 is rounded to y: the rounding error is added to the rest
    half = 0.5 * s
    y = 1.0 - half
    return _turned(quarter, sine, y + (((1.0 - y) - half) + rest))


_ONE_32, _HALF_32 = np.float32(1), np.float32(0.5)
_S1_32, _S2_32, _S3_32, _S4_32 = map(
    np.float32,
    (-1.6666666641626524e-01, 8.3333293858894632e-03, -1.9839334836096632e-04, 2.7183114939898219e-06),
)
_C1_32, _C2_32, _C3_32 = map(
    np.float32, (4.1666623323739063e-02, -1.3886763774609930e-03, 2.4390448796277409e-05)
)


# k and r need float64; for the polynomials float32 is enough
@scalar
def _sine_and_cosine_32(x: Number) -> Any:
    bits, exact = _reduced(np.float64(x))
    quarter, r = np.int32(bits & 3), np.float32(exact)
    s = r * r
    sine = r + (r * s) * (_S1_32 + s * (_S2_32 + s * (_S3_32 + s * _S4_32)))
    rest = (s * s) * (_C1_32 + s * (_C2_32 + s * _C3_32))
    half = _HALF_32 * s
    y = _ONE_32 - half
    return _turned(quarter, sine, y + (((_ONE_32 - y) - half) + rest))


sine_and_cosine = by_precision(_sine_and_cosine_64, _sine_and_cosine_32)
"""The sine and the cosine of a number that is not beyond `LARGEST`."""
