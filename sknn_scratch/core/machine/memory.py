"""Arrays that begin at a line of the processor's cache.

A vector register is as wide as a cache line. NumPy's own large arrays begin elsewhere: each load then touches
two lines, and an addition in the cache takes twice as long.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

CACHE_LINE = 64
"""Bytes."""

SMALL = 4096
"""Up to this many bytes, an array is NumPy's own: calls of NumPy then take longer than loads."""


def aligned(
    shape: int | tuple[int, ...], dtype: npt.DTypeLike, value: float | None = None
) -> npt.NDArray[Any]:
    """A new array at the start of a cache line.

    Parameters
    ----------
    shape : int or tuple of int
        Its shape.
    dtype : dtype
        Its dtype.
    value : float or None, default=None
        The value that fills it; None leaves it uninitialised.

    Returns
    -------
    ndarray
        The array.

    Examples
    --------
    >>> from sknn_scratch.core.machine.memory import aligned
    >>> aligned((200, 100), float, 1.0).ctypes.data % 64
    0
    """
    dtype = np.dtype(dtype)
    shape = shape if isinstance(shape, tuple) else (shape,)
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes <= SMALL:
        array = np.empty(shape, dtype)
    else:
        memory = np.empty(n_bytes + CACHE_LINE, np.uint8)
        start = -memory.ctypes.data % CACHE_LINE
        array = memory[start : start + n_bytes].view(dtype).reshape(shape)
    if value is not None:
        array[...] = value
    return array


def aligned_like(array: npt.NDArray[Any], value: float | None = None) -> npt.NDArray[Any]:
    """A new array of the same shape and dtype, at the start of a cache line.

    Parameters
    ----------
    array : ndarray
        The array that gives shape and dtype.
    value : float or None, default=None
        The value that fills it; None leaves it uninitialised.

    Returns
    -------
    ndarray
        The array.
    """
    return aligned(array.shape, array.dtype, value)


def aligned_copy(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same values at the start of a cache line.

    Parameters
    ----------
    array : ndarray
        The array to copy.

    Returns
    -------
    ndarray
        The copy.
    """
    copy = aligned_like(array)
    copy[...] = array
    return copy
