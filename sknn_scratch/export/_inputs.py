"""The inputs of a graph: one array of numbers, or one input for each column of a frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn_scratch.export._graph import ML, Graph
from sknn_scratch.fitting._columns import cells_of, is_frame, names_of
from sknn_scratch.tabular._columns import is_missing

Levels = list[Any]


class Inputs:
    """What a graph reads, of the types that some data have.

    Parameters
    ----------
    graph : Graph
        Is extended.
    X : frame or ndarray of shape (n_rows, n_features)
        Data like those to predict from: their names and types count.

    Attributes
    ----------
    types : dict of str -> (dtype, int)
        Type and number of columns of each input. Strings have the type object.
    """

    def __init__(self, graph: Graph, X: Any) -> None:
        self.graph = graph
        self.types: dict[str, tuple[np.dtype, int]] = {}
        self.n_features = X.shape[1]
        self._is_one_array = not is_frame(X) and X.dtype.kind in "fiub"
        if self._is_one_array:
            self.types["X"] = _type_of(X.dtype), self.n_features
            return
        self._names = [str(name) for name in (X.columns if is_frame(X) else names_of(X))]
        if len(set(self._names)) < len(self._names):
            raise ValueError(f"The columns of X need names of their own to be inputs, got {self._names}.")
        for i, name in enumerate(self._names):
            self.types[name] = _type_of_cells(name, np.asarray(cells_of(X, i))), 1

    def numbers(self, features: np.ndarray) -> str:
        """Columns of numbers, side by side in the precision of the graph."""
        if self._is_one_array:
            numbers = self.graph.cast("X", self.graph.dtype)
            is_all = len(features) == self.n_features
            return numbers if is_all else self.graph.take(numbers, features)
        names = [self._names[i] for i in features]
        return self.graph.side_by_side([self.graph.cast(name, self.graph.dtype) for name in names])

    def codes(self, i: int, levels: Levels) -> str:
        """The numbers of the levels of one column, from 1 and of shape (n_rows, 1); 0 for all else."""
        x = self.graph.take("X", [i]) if self._is_one_array else self._names[i]
        dtype, _ = self.types["X"] if self._is_one_array else self.types[x]
        is_of_strings = dtype.kind == "O"
        if not all(isinstance(level, str) is is_of_strings for level in levels):
            raise ValueError(
                f"Column {x!r} had levels such as {levels[:3]} in fit, which an ONNX input of {dtype} does "
                "not hold: fit with one type, such as strings."
            )
        if is_of_strings:
            return self._looked_up(x, levels, keys_strings=levels)
        if dtype.kind == "f" or any(level != int(level) for level in levels):
            return self._codes_of_floats(x, levels)
        whole = self.graph.cast(x, np.int64)
        return self._looked_up(whole, levels, keys_int64s=[int(level) for level in levels])

    def _looked_up(self, x, levels, **keys):
        numbers = list(range(1, len(levels) + 1))
        return self.graph("LabelEncoder", x, domain=ML, values_int64s=numbers, default_int64=0, **keys)

    def positions(self, i: int, levels: dict[Any, float]) -> str:
        """The positions of the levels of an ordered column, of shape (n_rows, 1); NaN for all else."""
        positions = np.array([np.nan, *levels.values()])
        return self.graph("Gather", positions, self.codes(i, list(levels)), axis=0)

    # the sum over levels k of k [x = level_k], which is exact
    def _codes_of_floats(self, x, levels):
        graph = self.graph
        is_level = graph("Equal", graph.cast(x, np.float64), np.array(levels, dtype=np.float64)[np.newaxis])
        numbers = np.arange(1, len(levels) + 1)[np.newaxis]
        axis = np.array([1], dtype=np.int64)
        return graph("ReduceSum", graph("Mul", graph.cast(is_level, np.int64), numbers), axis, keepdims=1)


def _type_of(dtype):
    if dtype.kind == "b":
        return np.dtype(bool)
    if dtype.kind in "iu":
        return np.dtype(np.int64)
    return np.dtype(np.float32 if dtype.itemsize <= 4 else np.float64)


def _type_of_cells(name, cells):
    """The type of a column; missing cells of other types than float count as none."""
    if cells.dtype.kind in "biuf":
        return _type_of(cells.dtype)
    known = [cell for cell in cells.tolist() if not is_missing(cell)]
    if all(isinstance(cell, str) for cell in known):
        return np.dtype(object)
    if len(known) == len(cells) and all(isinstance(cell, bool) for cell in known):
        return np.dtype(bool)
    if not any(isinstance(cell, str) for cell in known):
        return np.dtype(np.float64)
    raise ValueError(
        f"Column {name!r} of X holds strings and numbers, and an ONNX input has one type: fit with strings."
    )
