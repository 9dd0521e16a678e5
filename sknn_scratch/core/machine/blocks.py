"""Large arrays, taken in parts that stay in the processor's cache."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy.typing as npt

BLOCK = 8192
"""Numbers in a part by default, unless a single row has more."""


def blocks(*arrays: npt.NDArray[Any], size: int = BLOCK) -> Iterator[tuple[npt.NDArray[Any], ...]]:
    """Yield views of the same rows of each array, part by part.

    A formula with temporary arrays then needs memory for one part only, and its passes over a part do not
    wait for main memory.

    Parameters
    ----------
    *arrays : ndarray of shape (n_rows, ...)
        Arrays of one shape.
    size : int, default=8192
        Numbers in a part.

    Yields
    ------
    tuple of ndarray
        One view for each array.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core.machine.blocks import blocks
    >>> [part.shape for part, in blocks(np.zeros((100, 4096)))][-1]
    (2, 4096)
    """
    n_rows, *others = arrays[0].shape
    step = max(1, size // math.prod(others))
    for start in range(0, n_rows, step):
        yield tuple(array[start : start + step] for array in arrays)
