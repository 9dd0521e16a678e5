"""Activation functions f and the chain rule through them.

Forward computes ``a = f(z)``. Backward turns ``delta = dL/da`` into ``dL/dz = delta * f'(z)``. Where f' can
be written in terms of the output a, z need not be kept: forward overwrites z with a. Backward is the last
reader of a, and may use its memory. Formulas that need temporaries are computed block by block, so that
temporaries are small, whatever the batch.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, ndtr

from sknn_scratch.core.blocks import blocks
from sknn_scratch.core.configuration import FRACTION, POSITIVE, Configured, number
from sknn_scratch.core.parameters import FloatArray

LARGE_BLOCK = 2**16
"""Numbers of a part in formulas of many cheap passes, whose calls then have enough to do to be worth it."""


@dataclass
class Activation(Configured):
    """An elementwise function and its derivative; subclass it for a function of your own.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from sknn_scratch import ScratchMLPClassifier
    >>> from sknn_scratch.core import Activation
    >>> @dataclass
    ... class Sine(Activation):
    ...     def forward(self, z, out):
    ...         np.sin(z, out=out)
    ...
    ...     def backward(self, z, a, delta):
    ...         delta *= np.cos(z)
    >>> ScratchMLPClassifier(activation=Sine())
    ScratchMLPClassifier(activation=Sine())
    """

    keeps_z: ClassVar[bool] = True
    """Whether z is kept for backward. If not, forward is given ``out=z``: less memory, and faster."""

    glorot_factor: ClassVar[float] = 6.0
    """The c of the initial bound sqrt(c / (fan_in + fan_out)) of the layer before it."""

    formula: ClassVar[str] = "f(z)"
    derivative: ClassVar[str] = "f'(z)"
    """f and f' in words, in terms of z and a = f(z); shown by `explain` and by plots."""

    @abstractmethod
    def forward(self, z: FloatArray, out: FloatArray) -> None:
        """Write ``out <- f(z)``; `out` may be `z` unless `keeps_z`."""

    @abstractmethod
    def backward(self, z: FloatArray, a: FloatArray, delta: FloatArray) -> None:
        """Write ``delta <- delta * f'(z)``; `a` may be used up, `z` is valid only if `keeps_z`."""


@dataclass
class ActivationWithSlope(Activation):
    """A function whose derivative shares its costly part: training computes both at once and keeps f'(z).

    So z need not be kept: both forward passes may be given ``out=z``.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import SiLU
    >>> a, slope = np.empty(1), np.empty(1)
    >>> SiLU().forward_with_slope(np.zeros(1), out=a, slope=slope)
    >>> a, slope
    (array([0.]), array([0.5]))
    """

    @abstractmethod
    def forward_with_slope(self, z: FloatArray, out: FloatArray, slope: FloatArray) -> None:
        """Write ``out <- f(z)`` and ``slope <- f'(z)``; `out` may be `z`."""

    def backward(self, z: FloatArray, a: FloatArray, delta: FloatArray) -> None:
        for some_z, some_a, some_delta in blocks(z, a, delta, size=LARGE_BLOCK):
            slope = np.empty_like(some_z)
            self.forward_with_slope(some_z, out=some_a, slope=slope)
            some_delta *= slope


@dataclass
class Identity(Activation):
    """f(z) = z.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Identity
    >>> a = np.empty(2)
    >>> Identity().forward(np.array([-1.0, 2.0]), out=a)
    >>> a
    array([-1.,  2.])
    """

    keeps_z: ClassVar[bool] = False
    formula: ClassVar[str] = "z"
    derivative: ClassVar[str] = "1"

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        if out is not z:
            out[...] = z

    # f'(z) = 1
    def backward(self, z: FloatArray, a: FloatArray, delta: FloatArray) -> None:
        pass


@dataclass
class Logistic(Activation):
    """The logistic sigmoid, f(z) = 1 / (1 + exp(-z)).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Logistic
    >>> a = np.empty(1)
    >>> Logistic().forward(np.array([0.0]), out=a)
    >>> a
    array([0.5])
    """

    keeps_z: ClassVar[bool] = False
    formula: ClassVar[str] = "1 / (1 + exp(-z))"
    derivative: ClassVar[str] = "a * (1 - a)"
    glorot_factor: ClassVar[float] = 2.0

    # twice to four times as fast as scipy.special.expit; exp(-z) = inf is right, the result is 0 then
    @np.errstate(over="ignore")
    def forward(self, z: FloatArray, out: FloatArray) -> None:
        np.negative(z, out=out)
        np.exp(out, out=out)
        out += 1.0
        np.reciprocal(out, out=out)

    # f'(z) = a (1 - a), so delta f'(z) = delta a - (delta a) a
    def backward(self, z: FloatArray, a: FloatArray, delta: FloatArray) -> None:
        delta *= a
        a *= delta
        delta -= a


@dataclass
class Tanh(Activation):
    """The hyperbolic tangent, f(z) = tanh(z).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Tanh
    >>> a = np.empty(2)
    >>> Tanh().forward(np.array([0.0, 100.0]), out=a)
    >>> a
    array([0., 1.])
    """

    keeps_z: ClassVar[bool] = False
    formula: ClassVar[str] = "tanh(z)"
    derivative: ClassVar[str] = "1 - a^2"

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        np.tanh(z, out=out)

    # f'(z) = 1 - a^2, so delta f'(z) = delta - delta a^2
    def backward(self, z: FloatArray, a: FloatArray, delta: FloatArray) -> None:
        a *= a
        a *= delta
        delta -= a


@dataclass
class ReLU(Activation):
    """The rectified linear unit, f(z) = max(z, 0) (Nair & Hinton, 2010).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import ReLU
    >>> a = np.empty(2)
    >>> ReLU().forward(np.array([-1.0, 2.0]), out=a)
    >>> a
    array([0., 2.])
    """

    keeps_z: ClassVar[bool] = False
    formula: ClassVar[str] = "max(z, 0)"
    derivative: ClassVar[str] = "1 if z > 0 else 0"

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        # a row of zeros: with a scalar, NumPy takes three times as long
        np.maximum(z, _zeros(z.shape[-1], z.dtype), out=out)

    # f'(z) = 1 where a > 0, else 0 (the subgradient 0 at the kink)
    def backward(self, z: FloatArray, a: FloatArray, delta: FloatArray) -> None:
        np.greater(a, 0.0, out=a)
        delta *= a


@lru_cache(maxsize=64)
def _zeros(n: int, dtype: np.dtype[Any]) -> FloatArray:
    return np.zeros(n, dtype)


@dataclass
class LeakyReLU(Activation):
    """f(z) = max(z, negative_slope z): a ReLU whose units never die (Maas, Hannun & Ng, 2013).

    Parameters
    ----------
    negative_slope : float in [0, 1), default=0.01
        f'(z) where z is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import LeakyReLU
    >>> a = np.empty(2)
    >>> LeakyReLU().forward(np.array([-1.0, 2.0]), out=a)
    >>> a
    array([-0.01,  2.  ])
    """

    keeps_z: ClassVar[bool] = False
    negative_slope: float = number(0.01, FRACTION)

    @property
    def formula(self) -> str:  # type: ignore[override]
        return f"max(z, {self.negative_slope:g} * z)"

    @property
    def derivative(self) -> str:  # type: ignore[override]
        return f"1 if a > 0 else {self.negative_slope:g}"

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        slope = float(self.negative_slope)  # a NumPy scalar would make float32 arithmetic float64
        for some_z, some_out in blocks(z, out):
            np.maximum(some_z, slope * some_z, out=some_out)

    # f'(z) = 1 where a > 0, else the slope, which is less
    def backward(self, z: FloatArray, a: FloatArray, delta: FloatArray) -> None:
        np.greater(a, 0.0, out=a)
        np.maximum(a, float(self.negative_slope), out=a)
        delta *= a


@dataclass
class ELU(Activation):
    """The exponential linear unit, f(z) = z if z > 0 else alpha (exp(z) - 1) (Clevert et al., 2016).

    Parameters
    ----------
    alpha : float > 0, default=1.0
        -alpha is the limit of f(z) for large negative z.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import ELU
    >>> a = np.empty(2)
    >>> ELU().forward(np.array([-100.0, 2.0]), out=a)
    >>> a
    array([-1.,  2.])
    """

    keeps_z: ClassVar[bool] = False
    alpha: float = number(1.0, POSITIVE)

    @property
    def formula(self) -> str:  # type: ignore[override]
        return f"z if z > 0 else {self.alpha:g} * (exp(z) - 1)"

    @property
    def derivative(self) -> str:  # type: ignore[override]
        return f"1 if a > 0 else a + {self.alpha:g}"

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        _scaled_elu(z, out, float(self.alpha), 1.0)

    def backward(self, z: FloatArray, a: FloatArray, delta: FloatArray) -> None:
        _scaled_elu_backward(a, delta, float(self.alpha), 1.0)


@dataclass
class SELU(Activation):
    """The self-normalizing unit, c z if z > 0 else c alpha (exp(z) - 1) (Klambauer et al., 2017).

    With c = 1.0507, alpha = 1.6733 and first weights by `LecunNormal`, activations are drawn to the mean 0
    and the variance 1 from layer to layer.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import SELU
    >>> a = np.empty(2)
    >>> SELU().forward(np.array([-100.0, 1.0]), out=a)
    >>> a.round(4)
    array([-1.7581,  1.0507])
    """

    SCALE: ClassVar[float] = 1.0507009873554805
    ALPHA: ClassVar[float] = 1.6732632423543772
    """c and alpha of the paper's equation 14, in full."""

    keeps_z: ClassVar[bool] = False
    formula: ClassVar[str] = f"{SCALE} * z if z > 0 else {SCALE * ALPHA} * (exp(z) - 1)"
    derivative: ClassVar[str] = f"{SCALE} if a > 0 else a + {SCALE * ALPHA}"

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        _scaled_elu(z, out, self.ALPHA, self.SCALE)

    def backward(self, z: FloatArray, a: FloatArray, delta: FloatArray) -> None:
        _scaled_elu_backward(a, delta, self.ALPHA, self.SCALE)


# f(z) = scale (max(z, 0) + alpha (exp(min(z, 0)) - 1)); the exponent is never positive
def _scaled_elu(z: FloatArray, out: FloatArray, alpha: float, scale: float) -> None:
    for some_z, some_out in blocks(z, out, size=LARGE_BLOCK):
        negative = np.minimum(some_z, 0.0)
        np.expm1(negative, out=negative)
        negative *= alpha
        np.maximum(some_z, 0.0, out=some_out)
        some_out += negative
        some_out *= scale


# f'(z) = scale if z > 0, else scale alpha exp(z) = a + scale alpha. Without a mask, which NumPy would go
# through number by number: f'(z) = min(a, 0) + scale alpha + [a > 0] (scale - scale alpha)
def _scaled_elu_backward(a: FloatArray, delta: FloatArray, alpha: float, scale: float) -> None:
    for some_a, some_delta in blocks(a, delta, size=LARGE_BLOCK):
        slope = np.minimum(some_a, 0.0)
        np.greater(some_a, 0.0, out=some_a)
        some_a *= scale - scale * alpha
        slope += some_a
        slope += scale * alpha
        some_delta *= slope


@dataclass
class GELU(ActivationWithSlope):
    """The Gaussian error linear unit, f(z) = z Phi(z) (Hendrycks & Gimpel, 2016).

    Phi is the distribution function of the standard normal distribution, computed exactly, not by the
    approximation with tanh.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import GELU
    >>> a = np.empty(2)
    >>> GELU().forward(np.array([-1.0, 1.0]), out=a)
    >>> a.round(4)
    array([-0.1587,  0.8413])
    """

    formula: ClassVar[str] = "z * (1 + erf(z / sqrt(2))) / 2"
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

    Hendrycks & Gimpel (2016) and Elfwing, Uchibe & Doya (2018) proposed it; a search of Ramachandran, Zoph
    & Le (2017) found it again.

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


ACTIVATIONS: dict[str, type[Activation]] = {
    "identity": Identity,
    "logistic": Logistic,
    "tanh": Tanh,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "selu": SELU,
    "gelu": GELU,
    "silu": SiLU,
    "mish": Mish,
    "softplus": Softplus,
}
