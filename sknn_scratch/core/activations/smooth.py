"""Smooth relatives of the rectified linear unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit, ndtr

from sknn_scratch.core.activations.base import LARGE_BLOCK, Activation, ActivationWithSlope
from sknn_scratch.core.machine.blocks import blocks
from sknn_scratch.core.parameters import FloatArray


@dataclass
class GELU(ActivationWithSlope):
    """The Gaussian error linear unit, f(z) = z Phi(z) (Hendrycks & Gimpel, 2016).

    Phi is the distribution function of the standard normal distribution, computed exactly, not by the tanh
    approximation.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import GELU
    >>> a = np.empty(2)
    >>> GELU().forward(np.array([-1.0, 1.0]), out=a)
    >>> a.round(4)
    array([-0.1587,  0.8413])
    """

    formula: ClassVar[str] = "z / 2 * (1 + erf(z / sqrt(2)))"
    derivative: ClassVar[str] = "(1 + erf(z / sqrt(2))) / 2 + z * exp(-z^2 / 2) / sqrt(2 * 3.141592653589793)"

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        for some_z, some_out in blocks(z, out):
            np.multiply(some_z, ndtr(some_z), out=some_out)

    # f'(z) = Phi(z) + z phi(z), with the density phi(z) = exp(-z^2 / 2) / sqrt(2 pi)
    def forward_with_slope(self, z: FloatArray, out: FloatArray, slope: FloatArray) -> None:
        for some_z, some_out, some_slope in blocks(z, out, slope):
            probability = ndtr(some_z)
            density = np.exp(-0.5 * some_z * some_z) / math.sqrt(2 * math.pi)
            np.add(probability, some_z * density, out=some_slope)
            np.multiply(some_z, probability, out=some_out)


@dataclass
class SiLU(ActivationWithSlope):
    """The sigmoid linear unit or swish, f(z) = z / (1 + exp(-z)).

    Hendrycks & Gimpel (2016) and Elfwing, Uchibe & Doya (2018) proposed it; a search by Ramachandran, Zoph &
    Le (2017) found it again.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import SiLU
    >>> a = np.empty(2)
    >>> SiLU().forward(np.array([-1.0, 1.0]), out=a)
    >>> a.round(4)
    array([-0.2689,  0.7311])
    """

    formula: ClassVar[str] = "z / (1 + exp(-z))"
    derivative: ClassVar[str] = "(1 + z / (1 + exp(z))) / (1 + exp(-z))"

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        for some_z, some_out in blocks(z, out):
            np.multiply(some_z, expit(some_z), out=some_out)

    # f'(z) = s + z s (1 - s) with the sigmoid s(z) = 1 / (1 + exp(-z))
    def forward_with_slope(self, z: FloatArray, out: FloatArray, slope: FloatArray) -> None:
        for some_z, some_out, some_slope in blocks(z, out, slope):
            s = expit(some_z)
            np.multiply(some_z, s, out=some_out)
            np.multiply(some_out, 1.0 - s, out=some_slope)
            some_slope += s


@dataclass
class Mish(ActivationWithSlope):
    """f(z) = z tanh(softplus(z)) (Misra, 2019).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Mish
    >>> a = np.empty(2)
    >>> Mish().forward(np.array([-1.0, 1.0]), out=a)
    >>> a.round(4)
    array([-0.3034,  0.8651])
    """

    formula: ClassVar[str] = "z * tanh(log(1 + exp(z)))"
    derivative: ClassVar[str] = "tanh(log(1 + exp(z))) + z * (1 - tanh(log(1 + exp(z)))^2) / (1 + exp(-z))"

    # With e = exp(z) and n = e (e + 2), tanh(log(1 + e)) = ((1 + e)^2 - 1) / ((1 + e)^2 + 1) = n / (n + 2):
    # one function that is not arithmetic instead of three, and nothing is lost where e is tiny. From z = 20
    # on it is 1 to the last digit.
    def forward(self, z: FloatArray, out: FloatArray) -> None:
        for some_z, some_out in blocks(z, out, size=LARGE_BLOCK):
            e = np.minimum(some_z, 20.0)
            np.exp(e, out=e)
            n = e + 2.0
            n *= e
            share = n + 2.0
            np.reciprocal(share, out=share)
            share *= n
            np.multiply(some_z, share, out=some_out)

    # f'(z) = (n + 4 z e (1 + e) / (n + 2)) / (n + 2), and e (1 + e) = n - e
    def forward_with_slope(self, z: FloatArray, out: FloatArray, slope: FloatArray) -> None:
        for some_z, some_out, some_slope in blocks(z, out, slope, size=LARGE_BLOCK):
            e = np.minimum(some_z, 20.0)
            np.exp(e, out=e)
            n = e + 2.0
            n *= e
            np.subtract(n, e, out=some_slope)
            share = np.add(n, 2.0, out=e)
            np.reciprocal(share, out=share)
            some_slope *= share
            some_slope *= some_z
            some_slope *= 4.0
            some_slope += n
            some_slope *= share
            share *= n
            np.multiply(some_z, share, out=some_out)


@dataclass
class Softplus(Activation):
    """A smooth ReLU, f(z) = log(1 + exp(z)) (Dugas, Bengio, Bélisle, Nadeau & Garcia, 2001).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Softplus
    >>> a = np.empty(2)
    >>> Softplus().forward(np.array([0.0, 1000.0]), out=a)
    >>> a.round(4)
    array([6.931e-01, 1.000e+03])
    """

    keeps_z: ClassVar[bool] = False
    formula: ClassVar[str] = "log(1 + exp(z))"
    derivative: ClassVar[str] = "1 - exp(-a)"

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        for some_z, some_out in blocks(z, out):
            some_out[...] = _softplus(some_z)

    # f'(z) = 1 / (1 + exp(-z)) = 1 - exp(-a)
    def backward(self, z: FloatArray, a: FloatArray, delta: FloatArray) -> None:
        np.negative(a, out=a)
        np.expm1(a, out=a)
        np.negative(a, out=a)
        delta *= a


# log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), where nothing overflows
def _softplus(z: FloatArray) -> FloatArray:
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))
