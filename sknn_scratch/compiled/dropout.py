"""The masks of dropout, from the same random numbers as the core's.

NumPy's bit generators let compiled code draw from them, by the addresses of a function and of their state.
The state moves on as if NumPy had drawn. So both engines train the same model, and one may go on after the
other.
"""

from __future__ import annotations

import ctypes
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sknn_scratch.compiled.jit import inner, kernel, matrix, row
from sknn_scratch.compiled.layers import CompiledLayer
from sknn_scratch.core.layers import Dropout
from sknn_scratch.core.layers.base import Buffers
from sknn_scratch.core.layers.dropout import UNITS_OF_A_DRAW
from sknn_scratch.core.parameters import FloatArray, LayerParameters

DRAWS_AT_A_TIME = UNITS_OF_A_DRAW // 4
"""As many as the core's, of 64 bits for four units each."""

of_random_bits = types.Tuple((types.int64, types.int64, row(types.uint64)))
"""The type of `RandomBits.arguments`."""


class RandomBits:
    """What kernels draw 64 random bits by.

    Parameters
    ----------
    rng : numpy.random.RandomState or None
        Whose generator moves on; None where nothing is drawn.

    Attributes
    ----------
    lock : context manager
        That of the generator, to be held while a kernel draws.
    arguments : (int, int, ndarray of uint64)
        What kernels are given: where the function lies that draws, where the state lies, and memory.
    """

    def __init__(self, rng: np.random.RandomState | None) -> None:
        self._rng = rng  # its state must live on
        self.lock: AbstractContextManager[Any] = nullcontext()
        self.arguments = 0, 0, np.empty(0, np.uint64)
        if rng is not None:
            generator = rng._bit_generator
            self.lock, interface = generator.lock, generator.ctypes
            function = ctypes.cast(interface.next_uint64, ctypes.c_void_p).value or 0
            self.arguments = function, interface.state_address, np.empty(DRAWS_AT_A_TIME, np.uint64)


@intrinsic
def _draw_by_address(typing_context: Any, function: Any, state: Any) -> Any:
    """64 random bits."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.IntType(64), [pointer]).as_pointer()
        return builder.call(builder.inttoptr(values[0], kind), [builder.inttoptr(values[1], pointer)])

    return types.uint64(types.int64, types.int64), generate


def _draw_by_ctypes(function: int, state: int) -> int:
    return ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(function)(state)


_draw = _draw_by_ctypes if numba.config.DISABLE_JIT else _draw_by_address


# The core draws for blocks of rows, and what is left of the last 64 bits of a block serves nobody.
@inner
def draw_mask(random_bits: Any, rate: float, mask: Any) -> None:
    """Write 0 with the probability `rate`, else 1 / (1 - rate)."""
    function, state, memory = random_bits
    threshold, none, kept = round(rate * 2**16), mask.dtype.type(0), mask.dtype.type(1.0 / (1.0 - rate))
    numbers, n_units = memory.view(np.uint16), mask.shape[1]
    units_of_a_block = max(1, UNITS_OF_A_DRAW // n_units) * n_units
    units = mask.reshape(mask.size)
    for start in range(0, units.size, units_of_a_block):
        of_block = units[start : start + units_of_a_block]
        for begin in range(0, of_block.size, numbers.size):
            some = of_block[begin : begin + numbers.size]
            for k in range(-(-some.size // 4)):
                memory[k] = _draw(function, state)
            for i in range(some.size):
                some[i] = none if numbers[i] < threshold else kept


@kernel(lambda number: (of_random_bits, types.float64, matrix(number)))
def draw(random_bits: Any, rate: float, mask: Any) -> None:
    """As :func:`draw_mask`, for Python."""
    draw_mask(random_bits, rate, mask)


def draw_by_kernel(rng: np.random.RandomState, rate: float, mask: FloatArray) -> None:
    """Draw a mask from a NumPy generator, as the core's layer does.

    Parameters
    ----------
    rng : numpy.random.RandomState
        The source, which moves on.
    rate : float
        Share of the units that is left out.
    mask : ndarray of shape (n_rows, n_units)
        Where it is written.
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


class CompiledDropout(CompiledLayer):
    """`Dropout` with masks from compiled code.

    Parameters
    ----------
    dropout : Dropout
        The core's layer.
    """

    kernels = (draw,)

    def __init__(self, dropout: Dropout) -> None:
        self.parts, self.dropout, self.n_outputs = (dropout,), dropout, dropout.n_outputs

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return self.dropout.forward_buffers(n_rows, dtype)

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return self.dropout.backward_buffers(n_rows, dtype)

    def draw(self, rng: np.random.RandomState, buffers: Buffers, strength: float = 1.0) -> None:
        draw_by_kernel(rng, strength * self.dropout.rate, buffers["mask"])

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        return self.dropout.forward(parameters, x, buffers)

    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        return self.dropout.backward(parameters, gradient, x, delta, buffers)
