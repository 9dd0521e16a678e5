"""Dropout, a regulariser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.layers.base import Buffers, Layer
from sknn_scratch.core.machine.blocks import blocks
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters

UNITS_OF_A_DRAW = 2**14
"""Units that random numbers are drawn for at a time."""


@dataclass(frozen=True)
class Dropout(Layer):
    """Leave out a random share of the units in each training step (Srivastava et al., 2014).

    The remaining units are divided by their share, so that sums keep their expected value ("inverted"
    dropout). Predictions need no correction: without the buffer ``"mask"``, the layer passes x through.

    Parameters
    ----------
    rate : float in [0, 1)
        Share of the units left out.
    n_outputs : int
        Columns of x.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Dropout
    >>> layer, x = Dropout(0.5, n_outputs=4), np.ones((1, 4))
    >>> buffers = layer.backward_buffers(1, float)
    >>> layer.draw(np.random.RandomState(0), buffers)
    >>> layer.forward({}, x, buffers)
    array([[2., 2., 0., 2.]])
    >>> layer.forward({}, x, {}) is x
    True
    """

    rate: float
    n_outputs: int

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {}

    @property
    def formulas(self) -> Mapping[str, str]:
        return {}

    def initialize(self, rng: np.random.RandomState, parameters: LayerParameters) -> None:
        pass

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return {}

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return {name: aligned((n_rows, self.n_outputs), dtype) for name in ("mask", "kept")}

    def draw(self, rng: np.random.RandomState, buffers: Buffers, strength: float = 1.0) -> None:
        mask, rate = buffers["mask"], strength * self.rate
        # A Generator moves the same source of numbers on. A rate to 16 bits is near enough, so that one draw
        # of 64 serves four units.
        threshold = round(rate * 2**16)
        generator = np.random.Generator(rng._bit_generator)
        for (units,) in blocks(mask, size=UNITS_OF_A_DRAW):
            bits = generator.integers(2**64 - 1, size=-(-units.size // 4), dtype=np.uint64, endpoint=True)
            numbers = bits.view(np.uint16)[: units.size].reshape(units.shape)
            np.greater_equal(numbers, threshold, out=units)
        mask *= 1.0 / (1.0 - rate)

    # a_ij = x_ij m_ij with m_ij = 0 with probability r, else 1 / (1 - r)
    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        if "mask" not in buffers:
            return x
        return np.multiply(x, buffers["mask"], out=buffers["kept"])

    # dL/dx_ij = dL/da_ij m_ij
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        if "mask" in buffers:
            delta *= buffers["mask"]
        return delta
