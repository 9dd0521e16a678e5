"""Activation functions f and the chain rule through them.

Forward computes ``a = f(z)``. Backward turns ``delta = dL/da`` into ``dL/dz = delta * f'(z)``, where each f'
below is written in terms of the output a, so that z need not be kept: forward overwrites z with a. Backward
is the last reader of a, and may use its memory.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from sknn_scratch.core.configuration import Configured
from sknn_scratch.core.parameters import FloatArray


@dataclass
class Activation(Configured):
    """An elementwise function and its derivative; subclass it for a function of your own.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from scipy.special import expit
    >>> from sknn_scratch import ScratchMLPClassifier
    >>> from sknn_scratch.core import Activation
    >>> @dataclass
    ... class SiLU(Activation):
    ...     def forward(self, z, out):
    ...         np.multiply(z, expit(z), out=out)
    ...
    ...     def backward(self, z, a, delta):
    ...         delta *= expit(z) * (1 + z * (1 - expit(z)))
    >>> ScratchMLPClassifier(activation=SiLU())
    ScratchMLPClassifier(activation=SiLU())
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

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        expit(z, out=out)

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


ACTIVATIONS: dict[str, type[Activation]] = {
    "identity": Identity,
    "logistic": Logistic,
    "tanh": Tanh,
    "relu": ReLU,
}
