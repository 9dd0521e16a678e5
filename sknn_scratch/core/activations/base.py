"""Activation functions f and the chain rule through them.

Forward computes ``a = f(z)``. Backward turns ``delta = dL/da`` into ``dL/dz = delta * f'(z)``. If f' can be
written in terms of the output a, z need not be kept: forward overwrites z with a. Backward is the last to
read a, and may use its memory. Formulas that need temporaries are computed block by block, so temporaries
stay small for any batch.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sknn_scratch.core.configuration import Configured
from sknn_scratch.core.machine.blocks import blocks
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
    """A function that shares costly work with its derivative: training computes both at once, keeping f'(z).

    So z need not be kept: both forward passes accept ``out=z``.

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
