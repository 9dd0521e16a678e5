"""The forward pass without training: all rows, block by block, in its own memory.

A block has few enough rows that the outputs of all layers for them stay in a core's cache. Any number of
threads may predict with the same layers and parameters at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.layers import Layer
from sknn_scratch.core.machine.threads import BLAS_LIMIT, Team, blas_for
from sknn_scratch.core.parameters import FloatArray, LayerParameters, largest_weights
from sknn_scratch.core.workspace import rows_of

BYTES_OF_A_BLOCK = 2**21
"""Outputs of all layers for one block of rows: what a core's cache holds."""

WORK_OF_A_BLOCK = 2**24
"""Multiplications of one block from which threads, a block each, are faster than BLAS's own."""


def forward_by_blocks(
    layers: Sequence[Layer],
    X: FloatArray,
    parameters: Sequence[LayerParameters],
    rows: npt.NDArray[np.intp] | None = None,
) -> FloatArray:
    """Compute the output of the last of the given layers, for all or some rows.

    Parameters
    ----------
    layers : sequence of Layer
        The layers, starting at the data.
    X : ndarray or CSR of shape (n_rows, n_inputs)
        Data; its dtype and that of the parameters are promoted by NumPy's rules.
    parameters : sequence of mappings
        For each layer, its parameters by name.
    rows : ndarray of int or None, default=None
        Numbers of the rows wanted; None means all. They are taken block by block.

    Returns
    -------
    ndarray of shape (n_rows, n_outputs)
        The output.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Scale
    >>> from sknn_scratch.core.prediction import forward_by_blocks
    >>> forward_by_blocks([Scale(1)], np.array([[1.0], [2.0]]), [{"scale": np.array([3.0])}])
    array([[3.],
           [6.]])
    """
    forward = _ForwardPass(layers, *_in_one_dtype(X, parameters), X, rows)
    n_rows = X.shape[0] if rows is None else len(rows)
    if n_rows == 1:  # what follows would take as long as its products
        return forward.of_part(slice(1), forward.memory(1))

    size = _rows_of_a_block(layers, forward.dtype)
    if n_rows <= size:  # taking the limit would take as long as what it saves
        return forward.of_part(slice(n_rows), forward.memory(n_rows))

    out: FloatArray = np.empty((n_rows, layers[-1].n_outputs), forward.dtype)
    starts = range(0, n_rows, size)
    n_parameters = sum(array.size for of_layer in parameters for array in of_layer.values())
    if size * n_parameters < WORK_OF_A_BLOCK:
        with blas_for(size * largest_weights(parameters)):
            forward.of_blocks(starts, size, out)
    else:
        _in_threads(forward, starts, size, out)
    return out


class _ForwardPass(NamedTuple):
    """Layers, their parameters in the dtype of the pass, and the data."""

    layers: Sequence[Layer]
    dtype: np.dtype[Any]
    parameters: Sequence[LayerParameters]
    X: FloatArray
    rows: npt.NDArray[np.intp] | None

    def memory(self, n_rows: int) -> list[dict[str, FloatArray]]:
        """Buffers of all layers for so many rows."""
        return [layer.forward_buffers(n_rows, self.dtype) for layer in self.layers]

    def of_part(self, part: slice, memory: Iterable[dict[str, FloatArray]]) -> FloatArray:
        """The output for a part of the rows, in the memory of the last layer."""
        x = self.X[part if self.rows is None else self.rows[part]].astype(self.dtype, copy=False)
        for layer, of_layer, buffers in zip(self.layers, self.parameters, memory, strict=True):
            x = layer.forward(of_layer, x, buffers)
        return x

    def of_blocks(self, starts: range, size: int, out: FloatArray) -> None:
        """Write the output for blocks of `size` rows into `out`, one after the other in the same memory."""
        memory = self.memory(size)
        for start in starts:
            block = slice(start, min(start + size, len(out)))
            n_rows = block.stop - start
            out[block] = self.of_part(block, [rows_of(buffers, slice(n_rows)) for buffers in memory])


def _in_one_dtype(
    X: FloatArray, parameters: Sequence[LayerParameters]
) -> tuple[np.dtype[Any], Sequence[LayerParameters]]:
    """The dtype to which data and parameters are promoted, and the parameters in it."""
    arrays = [array for of_layer in parameters for array in of_layer.values()]
    dtype = X.dtype
    if all(array.dtype == dtype for array in arrays):
        return dtype, parameters
    dtype = np.result_type(X, *arrays)
    return dtype, [
        {name: array.astype(dtype, copy=False) for name, array in of_layer.items()} for of_layer in parameters
    ]


def _rows_of_a_block(layers: Sequence[Layer], dtype: np.dtype[Any]) -> int:
    """How many rows have outputs of `BYTES_OF_A_BLOCK` in all layers together, at least one."""
    return max(1, BYTES_OF_A_BLOCK // (dtype.itemsize * sum(layer.n_outputs for layer in layers)))


def _in_threads(forward: _ForwardPass, starts: range, size: int, out: FloatArray) -> None:
    """Write the output for all blocks, which are shared by threads.

    Blocks are the same whoever computes them, and so are their bits.
    """
    with BLAS_LIMIT, Team(min(len(starts), BLAS_LIMIT.n_free)) as team:
        shares = [starts[i :: team.n_threads] for i in range(team.n_threads)]
        team.map(lambda share: forward.of_blocks(share, size, out), shares)
