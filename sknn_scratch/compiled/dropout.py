"""Dropout with masks drawn in compiled code, bit for bit the same as the core's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from sknn_scratch.compiled.jit import inner, kernel, matrix
from sknn_scratch.compiled.layers import SingleLayer
from sknn_scratch.compiled.random_bits import RandomBits, draw_bits, of_random_bits
from sknn_scratch.core.layers import Dropout
from sknn_scratch.core.layers.base import Buffers
from sknn_scratch.core.layers.dropout import UNITS_OF_A_DRAW
from sknn_scratch.core.parameters import FloatArray


# As in the core, each block of rows begins with new bits; bits left over from the block before are not used.
@inner
def draw_mask(random_bits: Any, rate: float, mask: Any) -> None:
    """Write 0 with the probability `rate`, else 1 / (1 - rate)."""
    threshold, none, kept = round(rate * 2**16), mask.dtype.type(0), mask.dtype.type(1.0 / (1.0 - rate))
    units, n_units = mask.reshape(mask.size), mask.shape[1]
    numbers = random_bits[2].view(np.uint16)
    units_of_a_block = max(1, UNITS_OF_A_DRAW // n_units) * n_units
    for start in range(0, units.size, units_of_a_block):
        of_block = units[start : start + units_of_a_block]
        for begin in range(0, of_block.size, UNITS_OF_A_DRAW):
            some = of_block[begin : begin + UNITS_OF_A_DRAW]
            draw_bits(random_bits, -(-some.size // 4))
            for i in range(some.size):
                some[i] = none if numbers[i] < threshold else kept


@kernel(lambda number: (of_random_bits, types.float64, matrix(number)))
def draw(random_bits: Any, rate: float, mask: Any) -> None:
    """:func:`draw_mask` as a kernel that Python calls."""
    draw_mask(random_bits, rate, mask)


def draw_by_kernel(rng: np.random.RandomState, rate: float, mask: FloatArray) -> None:
    """Draw a mask from a NumPy generator, as the core's layer does.

    Parameters
    ----------
    rng : numpy.random.RandomState
        The generator, whose state advances.
    rate : float
        Share of the units that are dropped.
    mask : ndarray of shape (n_rows, n_units)
        Where the mask is written.
    """
    random_bits = RandomBits(rng)
    with random_bits.lock:
        draw[mask.dtype](random_bits.arguments, rate, mask)


@inner
def multiply(x: Any, mask: Any, out: Any) -> None:
    """out_ij <- x_ij m_ij."""
    values, factors, products = x.reshape(x.size), mask.reshape(mask.size), out.reshape(out.size)
    for i in range(values.size):
        products[i] = values[i] * factors[i]


class CompiledDropout(SingleLayer[Dropout]):
    """`Dropout` with masks from compiled code."""

    kernels = (draw,)

    def draw(self, rng: np.random.RandomState, buffers: Buffers, strength: float = 1.0) -> None:
        draw_by_kernel(rng, strength * self.layer.rate, buffers["mask"])
