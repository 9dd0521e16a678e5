"""Random bits in compiled code, from NumPy's generators: the same as NumPy draws.

Compiled code may draw from any bit generator of NumPy, by the addresses of a function and of its state. The
state moves on as if NumPy had drawn. So both engines train the same model, and one may go on after the other.

MT19937, which is behind `RandomState`, is computed here (Matsumoto & Nishimura, 1998, "Mersenne Twister").
Its recurrence runs over 624 words at once, where a call for each number takes five times as long.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sknn_scratch.compiled.jit import inner, row, scalar
from sknn_scratch.core.layers.dropout import UNITS_OF_A_DRAW

DRAWS_AT_A_TIME = UNITS_OF_A_DRAW // 4
"""As many as the core's, of 64 bits for four units each."""

N_WORDS, DISTANCE = 624, 397

of_random_bits = types.Tuple((types.int64, types.int64, row(types.uint32), row(types.uint64)))
"""The type of `RandomBits.arguments`."""


class RandomBits:
    """What kernels draw random bits by.

    Parameters
    ----------
    rng : numpy.random.RandomState or None
        Whose generator moves on; None where nothing is drawn.

    Attributes
    ----------
    lock : context manager
        That of the generator, to be held while a kernel draws.
    arguments : tuple
        What kernels are given: where a function lies that draws, and where the state; the words of the state
        of MT19937 and the number of those that are used up, of size 0 for other generators; and memory for
        64 bits at a time.
    """

    def __init__(self, rng: np.random.RandomState | None) -> None:
        self._rng = rng  # its state must live on
        self.lock: AbstractContextManager[Any] = nullcontext()
        self.arguments = 0, 0, np.empty(0, np.uint32), np.empty(0, np.uint64)
        if rng is not None:
            generator = rng._bit_generator
            self.lock, interface = generator.lock, generator.ctypes
            function = ctypes.cast(interface.next_uint64, ctypes.c_void_p).value or 0
            is_twister = type(generator) is np.random.MT19937 and _words_lie_in_front()
            words = _words(generator) if is_twister else np.empty(0, np.uint32)
            memory = np.empty(DRAWS_AT_A_TIME, np.uint64)
            self.arguments = function, interface.state_address, words, memory


def _words(generator: np.random.BitGenerator) -> npt.NDArray[np.uint32]:
    """The first words of the memory of a state."""
    memory = (ctypes.c_uint32 * (N_WORDS + 1)).from_address(generator.ctypes.state_address)
    return np.ctypeslib.as_array(memory)


@functools.cache
def _words_lie_in_front() -> bool:
    """Whether this NumPy keeps the state of MT19937 as all have: the words, and how many are used up."""
    generator = np.random.MT19937(0)
    generator.random_raw(5)
    state: Any = generator.state["state"]
    return np.array_equal(_words(generator), [*state["key"], state["pos"]])


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

_UPPER, _LOWER, _ONE = np.uint32(0x80000000), np.uint32(0x7FFFFFFF), np.uint32(1)
_MATRIX, _MASK_1, _MASK_2 = np.uint32(0x9908B0DF), np.uint32(0x9D2C5680), np.uint32(0xEFC60000)
_1, _7, _11, _15, _18 = (np.uint32(n) for n in (1, 7, 11, 15, 18))


@scalar
def _twisted(word: Any, following: Any, distant: Any) -> Any:
    """The word that takes the place of one, from those that follow it by 1 and by `DISTANCE`."""
    joined = (word & _UPPER) | (following & _LOWER)
    return np.uint32(distant ^ (joined >> _1) ^ (_MATRIX if (joined & _ONE) != 0 else np.uint32(0)))


@scalar
def _tempered(word: Any) -> Any:
    """The random number of a word."""
    y = np.uint32(word ^ (word >> _11))
    y = np.uint32(y ^ ((y << _7) & _MASK_1))
    y = np.uint32(y ^ ((y << _15) & _MASK_2))
    return np.uint32(y ^ (y >> _18))


# each word from three of which none has the place of the one before it: so the loops can be vectorised
@inner
def _twist(words: Any) -> None:
    rest = N_WORDS - DISTANCE
    for i in range(rest):
        words[i] = _twisted(words[i], words[i + 1], words[i + DISTANCE])
    for i in range(DISTANCE - 1):
        words[i + rest] = _twisted(words[i + rest], words[i + rest + 1], words[i])
    words[N_WORDS - 1] = _twisted(words[N_WORDS - 1], words[0], words[DISTANCE - 1])


_FIRST_IS_LOW = sys.byteorder == "little"


@inner
def draw_bits(random_bits: Any, n_draws: int) -> None:
    """Draw 64 bits `n_draws` times into the memory, at most as often as it has room."""
    function, state, words, memory = random_bits
    if words.size == 0:
        for k in range(n_draws):
            memory[k] = _next(function, state)
        return
    halves, n_drawn = memory.view(np.uint32), 0
    while n_drawn < 2 * n_draws:
        if words[N_WORDS] == N_WORDS:
            _twist(words)
            words[N_WORDS] = 0
        used = int(words[N_WORDS])
        rest = words[used:N_WORDS]
        some = halves[n_drawn : min(n_drawn + rest.size, 2 * n_draws)]
        for i in range(some.size):
            some[i] = _tempered(rest[i])
        words[N_WORDS] += some.size
        n_drawn += some.size
    if _FIRST_IS_LOW:  # the first 32 bits of 64 are the high ones
        for k in range(n_draws):
            memory[k] = (memory[k] << np.uint64(32)) | (memory[k] >> np.uint64(32))
