"""Random bits in compiled code, from NumPy's generators: the bits that NumPy would draw.

Compiled code draws from NumPy's bit generators by two addresses: the generator's function and its state. The
state advances as if NumPy had drawn. So both engines train the same model, and one can continue what
the other began.
"""

from __future__ import annotations

import ctypes
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sknn_scratch.compiled.jit import inner, row
from sknn_scratch.core.layers.dropout import UNITS_OF_A_DRAW

DRAWS_AT_A_TIME = UNITS_OF_A_DRAW // 4
"""Draws at a time, as in the core: each has 64 bits, enough for four units."""

of_random_bits = types.Tuple((types.int64, types.int64, row(types.uint64)))
"""The type of `RandomBits.arguments`."""


class RandomBits:
    """A NumPy generator in the form that kernels use.

    Parameters
    ----------
    rng : numpy.random.RandomState or None
        The generator, whose state advances; None where nothing is drawn.

    Attributes
    ----------
    lock : context manager
        The generator's lock, to be held while a kernel draws.
    arguments : tuple
        The address of the function that draws 64 bits, the address of the state, and memory for the bits.
    """

    def __init__(self, rng: np.random.RandomState | None) -> None:
        self._rng = rng  # keeps its state alive
        self.lock: AbstractContextManager[Any] = nullcontext()
        self.arguments = 0, 0, np.empty(0, np.uint64)
        if rng is not None:
            generator = rng._bit_generator
            self.lock, interface = generator.lock, generator.ctypes
            function = ctypes.cast(interface.next_uint64, ctypes.c_void_p).value or 0
            self.arguments = function, interface.state_address, np.empty(DRAWS_AT_A_TIME, np.uint64)


@intrinsic
def _next_by_address(typing_context: Any, function: Any, state: Any) -> Any:
    """64 random bits."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.IntType(64), [pointer]).as_pointer()
        return builder.call(builder.inttoptr(values[0], kind), [builder.inttoptr(values[1], pointer)])

    return types.uint64(types.int64, types.int64), generate


def _next_by_ctypes(function: int, state: int) -> int:
    return ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)(function)(state)


_next = _next_by_ctypes if numba.config.DISABLE_JIT else _next_by_address


@inner
def draw_bits(random_bits: Any, n_draws: int) -> None:
    """Draw 64 bits `n_draws` times into the memory; it has room for `DRAWS_AT_A_TIME`."""
    function, state, memory = random_bits
    for k in range(n_draws):
        memory[k] = _next(function, state)
