"""The layer that learns a vector for each level of a category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.layers.base import Buffers, Layer
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters


@dataclass(frozen=True)
class CategoryEmbedding(Layer):
    """The number k of a level becomes row k of a table, e = E[k] (Guo & Berkhahn, 2016).

    Numbers come as floats, in one column. By convention, row 0 is for missing and unknown levels. Initially
    E ~ N(0, 1).

    Parameters
    ----------
    n_levels : int
        Rows of the table.
    n_outputs : int
        Length of a vector.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import CategoryEmbedding
    >>> layer, table = CategoryEmbedding(3, 2), np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
    >>> layer.forward({"vectors": table}, np.array([[2.0]]), layer.forward_buffers(1, float))
    array([[3., 4.]])
    """

    n_levels: int
    n_outputs: int

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {"vectors": (self.n_levels, self.n_outputs)}

    @property
    def formulas(self) -> Mapping[str, str]:
        return {
            "pre_activation": "e = E[k]",
            "vectors_gradient": "dL/dE[k] = sum of dL/de over rows of level k",
        }

    def initialize(self, rng: np.random.RandomState, parameters: LayerParameters) -> None:
        parameters["vectors"][...] = rng.standard_normal(self.shapes["vectors"])

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return {"e": aligned((n_rows, self.n_outputs), dtype)}

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return {"delta_x": aligned((n_rows, 1), dtype, 0.0)}

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        return parameters["vectors"].take(x[:, 0].astype(np.intp), axis=0, out=buffers["e"], mode="clip")

    # dL/dE_kj = sum of delta_ij over the rows i of level k; the number of a level has no derivative
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        levels, vectors = x[:, 0].astype(np.intp), gradient["vectors"]
        # sums by one row of each level in the batch, not by level: there may be far more levels than rows
        row_of_level = np.empty(self.n_levels, np.intp)
        row_of_level[levels] = np.arange(len(x))
        rows = row_of_level[levels]
        # bincount is ten times as fast as np.add.at
        sums = np.stack([np.bincount(rows, column, minlength=len(x)) for column in delta.T], axis=1)
        vectors.fill(0.0)
        vectors[levels] = sums[rows]
        return buffers.get("delta_x", delta)
