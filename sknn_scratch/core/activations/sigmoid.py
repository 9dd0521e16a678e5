"""The first activation functions: the identity and the two sigmoids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sknn_scratch.core.activations.base import Activation
from sknn_scratch.core.parameters import FloatArray


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
