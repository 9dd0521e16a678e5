"""How functions are compiled: one set of numba's options, and one compilation for each precision.

Numba (0.60 and later) loses vectorised loops in silence. Three habits keep them: ``error_model="numpy"``, so
that no division may raise; loops over slices that begin at 0 instead of ``range(k, n)``; and no call of the
C library's exp or tanh, for which :mod:`sknn_scratch.compiled.elementary` has functions without branches.
``fastmath`` allows products and sums to be contracted, which only saves a rounding. Sums whose order does not
matter may be reordered (`reduction`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

import numba
import numpy as np
import numpy.typing as npt
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}, "_nrt": False}
"""No lock of the interpreter, no exceptions for 1 / 0, and no numba runtime (NRT).

The runtime counts references at every slice, which in small networks takes longer than the arithmetic.
Without it, code that allocates does not compile, such as an assignment of slices that may overlap. No
function may return an array.
"""


def _jit(function: Callable[..., Any], signature: Any = None, **options: Any) -> Callable[..., Any]:
    """Compile with numba's cache on disk, or without one where no directory can be written."""
    arguments = () if signature is None else (signature,)
    try:
        return _compiled(function, arguments, options | {"cache": True})
    except RuntimeError as error:  # numba's "cannot cache function: no locator available"
        if "cannot cache" not in str(error):
            raise
        return _compiled(function, arguments, options)


def _compiled(
    function: Callable[..., Any], signature: tuple[Any, ...], options: dict[str, Any]
) -> Callable[..., Any]:
    compiled: Callable[..., Any] = numba.njit(*signature, **{**OPTIONS, **options})(function)
    return compiled


def inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function that other compiled functions call, with arguments of any type."""
    return _jit(function)


def scalar(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate an inner function of numbers, always inlined: LLVM does not vectorise loops with calls."""
    return _jit(function, forceinline=True)


def reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate an inner function that sums up: its terms may be added in any order."""
    return _jit(function, fastmath={"contract", "reassoc", "nsz"})


Arguments = Callable[[types.Type], tuple[types.Type, ...]]


class Kernel:
    """A function that Python calls, compiled once for each precision, on first use.

    One compilation serves arrays of every layout, read-only or not. So the bits of the results are the same.

    Parameters
    ----------
    function : function
        The function to compile.
    arguments : callable
        Returns the types of its arguments, given numba's type of the numbers.

    Attributes
    ----------
    seconds : float
        Time spent on compiling in this process, without loading kernels from the cache.
    all : list of Kernel
        Every kernel of this process.
    """

    seconds: ClassVar[float] = 0.0
    all: ClassVar[list[Kernel]] = []

    def __init__(self, function: Callable[..., Any], arguments: Arguments) -> None:
        self.function, self.arguments = function, arguments
        Kernel.all.append(self)
        self._compiled: dict[np.dtype[Any], Callable[..., Any]] = {}

    def compile(self, dtype: npt.DTypeLike) -> None:
        """Compile for a precision, or load from the cache, if not done yet."""
        dtype = np.dtype(dtype)
        if dtype not in (np.float64, np.float32):
            raise TypeError(f"Kernels are compiled for float64 and float32, got {dtype}.")
        if dtype not in self._compiled:
            number = types.float64 if dtype == np.float64 else types.float32
            start = time.perf_counter()
            compiled = self._compiled[dtype] = _jit(self.function, self.arguments(number))
            if not numba.config.DISABLE_JIT and compiled.stats.cache_misses:  # type: ignore[attr-defined]
                Kernel.seconds += time.perf_counter() - start

    def __getitem__(self, dtype: npt.DTypeLike) -> Callable[..., Any]:
        self.compile(dtype)
        return self._compiled[np.dtype(dtype)]

    def address(self, dtype: npt.DTypeLike) -> int:
        """The address of the compiled function, for calls by :func:`native`."""
        compiled = self[dtype]
        if numba.config.DISABLE_JIT:
            _FUNCTIONS[id(compiled)] = compiled
            return id(compiled)
        (overload,) = compiled.overloads.values()  # type: ignore[attr-defined]
        found: int = overload.library.get_pointer_to_function(overload.fndesc.llvm_func_name)
        return found


_FUNCTIONS: dict[int, Callable[..., Any]] = {}
"""The functions that :func:`native` calls where compilation is disabled."""


def native(arguments: Arguments, result: types.Type) -> Callable[..., Any]:
    """Make a function by which compiled code calls kernels by their address.

    So a loop is compiled once, whatever kernels its networks need.

    Parameters
    ----------
    arguments : callable
        The types of the kernels' arguments, as for :class:`Kernel`.
    result : numba type
        The type of their result.

    Returns
    -------
    function
        ``call(address, like, args)``: the kernel's address, any array of its precision, and a tuple of its
        arguments.
    """
    if numba.config.DISABLE_JIT:
        return lambda address, like, args: _FUNCTIONS[address](*args)

    @intrinsic
    def call(typing_context: Any, address: Any, like: Any, args: Any) -> Any:
        declared = arguments(like.dtype)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            convention = context.call_conv
            function_type = convention.get_function_type(result, declared)
            function = builder.inttoptr(values[0], function_type.as_pointer())
            given = [
                context.cast(builder, builder.extract_value(values[2], i), found, wanted)
                for i, (found, wanted) in enumerate(zip(args.types, declared, strict=True))
            ]
            status, value = convention.call_function(builder, function, result, declared, given)
            with cgutils.if_unlikely(builder, status.is_error):
                convention.return_status_propagate(builder, status)
            return value

        return result(types.int64, like, args), generate

    return call


@intrinsic
def _rows_in(typing_context: Any, memory: Any, place: Any, n_columns: Any, start: Any, stop: Any) -> Any:
    kind = types.Array(memory.dtype, 2, "C")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        numbers, place, n_columns, start, stop = values
        size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(memory.dtype)))
        begin = builder.add(place, builder.mul(start, n_columns))
        found = context.make_array(kind)(context, builder)
        populate_array(
            found,
            data=builder.gep(context.make_array(memory)(context, builder, numbers).data, [begin]),
            shape=[builder.sub(stop, start), n_columns],
            strides=[builder.mul(n_columns, size), size],
            itemsize=size,
            meminfo=None,
        )
        return found._getvalue()

    return kind(memory, *[types.intp] * 4), generate


def _rows_by_numpy(memory: Any, place: int, n_columns: int, start: int, stop: int) -> Any:
    return memory[place + start * n_columns : place + stop * n_columns].reshape(stop - start, n_columns)


_IS_CHECKED = numba.config.DISABLE_JIT or numba.config.BOUNDSCHECK

rows_in = _jit(_rows_by_numpy, inline="always") if _IS_CHECKED else _rows_in
"""Some rows of a matrix in a vector: ``rows_in(memory, place, n_columns, start, stop)``.

The matrix begins at `place`. The result is a slice with a new shape. `reshape` would do the same, but numba
calls a C function for it; it is used where bounds are checked.
"""


def kernel(arguments: Arguments) -> Callable[[Callable[..., Any]], Kernel]:
    """Decorate a function that Python calls; see :class:`Kernel`."""
    return lambda function: Kernel(function, arguments)


def row(number: types.Type) -> types.Array:
    """The type of contiguous vectors that are written."""
    return types.Array(number, 1, "C")


def matrix(number: types.Type) -> types.Array:
    """The type of contiguous matrices, row by row, that are written."""
    return types.Array(number, 2, "C")


def read_row(number: types.Type) -> types.Array:
    """The type of vectors of any layout that are only read."""
    return types.Array(number, 1, "A", readonly=True)


def read_matrix(number: types.Type) -> types.Array:
    """The type of matrices of any layout that are only read."""
    return types.Array(number, 2, "A", readonly=True)
