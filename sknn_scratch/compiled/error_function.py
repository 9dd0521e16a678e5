"""The error function without branches, within 3 units in the last place.

Up to 1 it is x + x P(x^2), beyond 1 - exp(-x^2 - Q(x)), with polynomials P and Q.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn_scratch.compiled.elementary import Number, by_precision, exp
from sknn_scratch.compiled.jit import scalar

# Minimax polynomials, in x^2 up to 1 and in x - 5 / 2 beyond
_N0, _N1, _N2, _N3, _N4, _N5, _N6, _N7, _N8, _N9, _N10, _N11 = (
    0.12837916709551257,
    -0.37612638903183543,
    0.11283791670945073,
    -0.026866170643249945,
    0.005223977607228244,
    -0.0008548325981182978,
    0.00012055295086825166,
    -1.4924740503519107e-05,
    1.6447469657621117e-06,
    -1.6208828768071726e-07,
    1.3721547453826588e-08,
    -7.798632850608556e-10,
)
_O0, _O1, _O2, _O3, _O4, _O5, _O6 = map(
    np.float32,
    (
        0.1283791658815026,
        -0.3761262690358044,
        0.11283597463488061,
        -0.02685432879606755,
        0.005189311942687205,
        -0.0008018854992791757,
        7.882497110105191e-05,
    ),
)
_P0, _P1, _P2, _P3, _P4, _P5, _P6, _P7, _P8, _P9, _P10, _P11, _P12, _P13, _P14, _P15, _P16 = (
    1.556815272727146,
    0.35268075098600754,
    -0.05610626646813924,
    0.010858072777676482,
    -0.0021654768938318748,
    0.00042093230359444955,
    -7.703119278008198e-05,
    1.2756149603850304e-05,
    -1.7678871283054947e-06,
    1.5639974386397519e-07,
    1.1738823967083397e-08,
    -1.1769149840160658e-08,
    3.5953801823475465e-09,
    -4.676439978588521e-10,
    2.6301192915668954e-10,
    -6.967567752889063e-11,
    -2.0774081691530576e-11,
)
_Q0, _Q1, _Q2, _Q3, _Q4, _Q5, _Q6, _Q7 = map(
    np.float32,
    (
        1.556815266609192,
        0.35268062353134155,
        -0.05610816180706024,
        0.010853500105440617,
        -0.0021665217354893684,
        0.0004309163196012378,
        -6.18159756413661e-05,
        2.1686952095478773e-05,
    ),
)


# c_0 + c_1 t + c_2 t^2 + c_3 t^3, a piece of a longer polynomial
@scalar
def _cubic(t: Number, c_0: Number, c_1: Number, c_2: Number, c_3: Number) -> Any:
    return (c_0 + t * c_1) + (t * t) * (c_2 + t * c_3)


@scalar
def _erf_near_64(s: Number) -> Any:
    u = (s * s) * (s * s)
    return _cubic(s, _N0, _N1, _N2, _N3) + u * (
        _cubic(s, _N4, _N5, _N6, _N7) + u * _cubic(s, _N8, _N9, _N10, _N11)
    )


@scalar
def _erf_near_32(s: Number) -> Any:
    return _cubic(s, _O0, _O1, _O2, _O3 + s * (_O4 + s * (_O5 + s * _O6)))


@scalar
def _erf_far_64(t: Number) -> Any:
    u = (t * t) * (t * t)
    high = _cubic(t, _P8, _P9, _P10, _P11) + u * _cubic(t, _P12, _P13, _P14, _P15 + t * _P16)
    return _cubic(t, _P0, _P1, _P2, _P3) + u * (_cubic(t, _P4, _P5, _P6, _P7) + u * high)


@scalar
def _erf_far_32(t: Number) -> Any:
    return _cubic(t, _Q0, _Q1, _Q2, _Q3) + (t * t) * (t * t) * _cubic(t, _Q4, _Q5, _Q6, _Q7)


_erf_near = by_precision(_erf_near_64, _erf_near_32)
_erf_far = by_precision(_erf_far_64, _erf_far_32)


# x + x P(x^2) up to 1, and then 1 - exp(-x^2 - Q(x)); from 6 on it is 1 to the last digit
@scalar
def erf(x: Number) -> Any:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    number = type(x)
    y = min(abs(x), number(6))
    square = y * y
    near = y + y * _erf_near(square)
    far = number(1) - exp(-(square + _erf_far(y - number(2.5))))
    value = near if y < number(1) else far
    return value if x > number(0) else -value
