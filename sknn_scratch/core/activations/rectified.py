"""The rectified linear unit, and functions that are linear where z > 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sknn_scratch.core.activations.base import LARGE_BLOCK, Activation
from sknn_scratch.core.configuration import FRACTION, POSITIVE, exact, number
from sknn_scratch.core.machine.blocks import blocks
from sknn_scratch.core.parameters import FloatArray


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
    derivative: ClassVar[str] = "1 if a > 0 else 0"

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        np.maximum(z, 0.0, out=out)

    # f'(z) = 1 where a > 0, else 0 (the subgradient 0 at the kink)
    def backward(self, z: FloatArray, a: FloatArray, delta: FloatArray) -> None:
        np.greater(a, 0.0, out=a)
        delta *= a


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
        return f"max(z, {exact(self.negative_slope)} * z)"

    @property
    def derivative(self) -> str:  # type: ignore[override]
        return f"1 if a > 0 else {exact(self.negative_slope)}"

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
        return f"z if z > 0 else {exact(self.alpha)} * (exp(z) - 1)"

    @property
    def derivative(self) -> str:  # type: ignore[override]
        return f"1 if a > 0 else a + {exact(self.alpha)}"

    def forward(self, z: FloatArray, out: FloatArray) -> None:
        _scaled_elu(z, out, float(self.alpha), 1.0)

    def backward(self, z: FloatArray, a: FloatArray, delta: FloatArray) -> None:
        _scaled_elu_backward(a, delta, float(self.alpha), 1.0)


@dataclass
class SELU(Activation):
    """The self-normalizing unit, c z if z > 0 else c alpha (exp(z) - 1) (Klambauer et al., 2017).

    With c = 1.0507, alpha = 1.6733 and initial weights from `LecunNormal`, activations approach mean 0 and
    variance 1 from layer to layer.

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
