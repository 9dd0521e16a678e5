"""Where threads of compiled code wait for each other, without Python and its lock.

A training step may take a tenth of a millisecond, and threads meet at least three times in it. So each thread
reads a counter in a loop until all have arrived. After a while it also lets other threads of the system run.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sknn_scratch.compiled.jit import inner

LOOKS = 2000
"""How often a thread reads the counter, a few nanoseconds each time, before it lets others run."""

_ARRIVED, _ABANDONED = 0, 8
"""Where the counter and the mark of an abandoned meeting are, each in a cache line of its own."""


def meeting_place() -> npt.NDArray[np.int64]:
    """The memory of a meeting: how many threads have arrived so far, and whether it is abandoned."""
    return np.zeros(16, np.int64)


@contextmanager
def abandoned_on_failure(place: npt.NDArray[np.int64]) -> Iterator[None]:
    """If the body of this context fails, release the waiting threads; their results are then invalid."""
    try:
        yield
    except BaseException:
        place[_ABANDONED] = 1
        raise


def give_way_address() -> int:
    """The address of the system function that lets other threads run."""
    if sys.platform == "win32":
        function = ctypes.WinDLL("kernel32").SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _place(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, values[0])
    return builder.gep(array.data, [values[1]])


@intrinsic
def _add_one(typing_context: Any, place: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        one = ir.Constant(ir.IntType(64), 1)
        builder.atomic_rmw("add", _place(context, builder, signature, values), one, "seq_cst")
        return context.get_dummy_value()

    return types.none(place, index), generate


@intrinsic
def _look(typing_context: Any, place: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load_atomic(_place(context, builder, signature, values), "seq_cst", 8)

    return types.int64(place, index), generate


@intrinsic
def _give_way(typing_context: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        function_type = ir.FunctionType(ir.IntType(32), [])
        builder.call(builder.inttoptr(values[0], function_type.as_pointer()), [])
        return context.get_dummy_value()

    return types.none(address), generate


@inner
def meet(place: npt.NDArray[np.int64], give_way: int, n_threads: int, n_meetings: int) -> int:
    """Wait until all threads have arrived; returns the number of meetings so far, `n_meetings` + 1."""
    if n_threads > 1:
        everybody = n_threads * (n_meetings + 1)
        _add_one(place, _ARRIVED)
        n_looks = 0
        while _look(place, _ARRIVED) < everybody and _look(place, _ABANDONED) == 0:
            n_looks += 1
            if n_looks > LOOKS:
                _give_way(give_way)
    return n_meetings + 1
