"""How functions are compiled: numba's options, one for all, and one compilation for each precision.

Numba (0.60 and later) loses vectorised loops in silence. Three habits keep them: ``error_model="numpy"``, so
that no division may raise; loops over slices that begin at 0 instead of ``range(k, n)``; and no call of the
C library's exp or tanh, for which :mod:`sknn_scratch.compiled.elementary` has functions without branches.
``fastmath`` allows products and sums to be contracted, which only saves a rounding. Sums whose order does not
matter may be reordered (`reduction`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from numba import types
from numba.core.errors import NumbaError

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
"""No lock of the interpreter, no exceptions for 1 / 0."""


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
    """Decorate a function that other compiled functions call, with whatever types they have."""
    return _jit(function)


def scalar(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate an inner function of numbers, always inlined: LLVM does not vectorise loops with calls."""
    return _jit(function, forceinline=True)


def reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate an inner function that sums up: its terms may be added in any order."""
    return _jit(function, fastmath={"contract", "reassoc", "nsz"})


Arguments = Callable[[types.Type], tuple[types.Type, ...]]


class Kernel:
    """A compiled function that Python calls, compiled once for each precision when it is first wanted.

    Whatever the layout of the arrays, and whether they may be written, the compilation is the same: so are
    the bits.

    Parameters
    ----------
    function : function
        What is compiled.
    arguments : callable
        The types of its arguments, given numba's type of the numbers.

    Attributes
    ----------
    inner : function
        The same for other compiled functions to call.
    """

    def __init__(self, function: Callable[..., Any], arguments: Arguments) -> None:
        self.function, self.arguments = function, arguments
        self.inner = inner(function)
        self._compiled: dict[np.dtype[Any], Callable[..., Any]] = {}

    def __getitem__(self, dtype: npt.DTypeLike) -> Callable[..., Any]:
        dtype = np.dtype(dtype)
        if dtype not in self._compiled:
            number = types.float64 if dtype == np.float64 else types.float32
            self._compiled[dtype] = _jit(self.function, self.arguments(number))
        return self._compiled[dtype]


def kernel(arguments: Arguments) -> Callable[[Callable[..., Any]], Kernel]:
    """Decorate a function that Python calls; see :class:`Kernel`."""
    return lambda function: Kernel(function, arguments)


def row(number: types.Type) -> types.Array:
    """The type of vectors that lie in one piece and are written."""
    return types.Array(number, 1, "C")


def matrix(number: types.Type) -> types.Array:
    """The type of matrices that lie row by row in one piece and are written."""
    return types.Array(number, 2, "C")


def read_row(number: types.Type) -> types.Array:
    """The type of vectors of any layout that are only read."""
    return types.Array(number, 1, "A", readonly=True)


def read_matrix(number: types.Type) -> types.Array:
    """The type of matrices of any layout that are only read."""
    return types.Array(number, 2, "A", readonly=True)


__all__ = [
    "Kernel",
    "NumbaError",
    "inner",
    "kernel",
    "matrix",
    "read_matrix",
    "read_row",
    "reduction",
    "row",
    "scalar",
]
