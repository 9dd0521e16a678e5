"""A graph of ONNX operators under construction, as plain values: only writing it needs the library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

OPSET = 18
"""Version of the standard operators (December 2022)."""

ML_OPSET = 2
"""Version of the operators of ``ai.onnx.ml``, of which LabelEncoder is used."""

ML = "ai.onnx.ml"

_TYPES = {"float32": 1, "float64": 11, "int64": 7, "bool": 9, "object": 8}


class Node(NamedTuple):
    """One operator with the names of what it reads and writes."""

    operator: str
    domain: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]


def number_of(dtype: npt.DTypeLike) -> int:
    """The standard's number of an element type; objects are strings."""
    return _TYPES[np.dtype(dtype).name]


class Graph:
    """Nodes in the order in which they run, and constants by name.

    Calling a graph adds an operator and returns the name of its result. Inputs are such names, or arrays and
    numbers, which become constants.

    Parameters
    ----------
    dtype : dtype
        The precision of the computation. Constants in a lower precision are stored in it, which keeps files
        small, and cast.
    unique_name : callable, default=None
        Gives a name that is not in use, for a graph inside another one.

    Examples
    --------
    >>> from sknn_scratch.export._graph import Graph
    >>> graph = Graph("f4")
    >>> graph("Mul", graph("Tanh", "x"), 0.5)
    'sknn_scratch/2'
    >>> [node.operator for node in graph.nodes], graph.constants
    (['Tanh', 'Mul'], {'sknn_scratch/1': array(0.5, dtype=float32)})
    """

    def __init__(self, dtype: npt.DTypeLike, unique_name: Callable[[], str] | None = None) -> None:
        self.dtype = np.dtype(dtype)
        self.nodes: list[Node] = []
        self.constants: dict[str, np.ndarray] = {}
        self._n_names = 0
        self._unique_name = unique_name or self._next_name

    def __call__(
        self, operator: str, *inputs: Any, domain: str = "", n_outputs: int = 1, **attributes: Any
    ) -> str:
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        outputs = [self._unique_name() for _ in range(n_outputs)]
        self.nodes.append(Node(operator, domain, names, outputs, attributes))
        return outputs[0]

    def constant(self, value: npt.ArrayLike) -> str:
        """Add an array or a number; floats are cast to the precision of the graph."""
        array = np.asarray(value)
        if isinstance(value, float):
            array = array.astype(self.dtype)
        if array.dtype.kind in "US":
            array = array.astype(object)
        name = self._unique_name()
        self.constants[name] = array
        return self.cast(name, self.dtype) if array.dtype.kind == "f" and array.dtype != self.dtype else name

    def cast(self, x: str, dtype: npt.DTypeLike) -> str:
        """Convert numbers to another type."""
        return self("Cast", x, to=number_of(dtype))

    def take(self, x: str, columns: npt.ArrayLike) -> str:
        """Some columns, by their numbers."""
        return self("Gather", x, np.asarray(columns, dtype=np.int64), axis=1)

    def columns(self, x: str, start: int, stop: int) -> str:
        """Neighbouring columns."""
        start_stop_axis = (np.array([number], dtype=np.int64) for number in (start, stop, 1))
        return self("Slice", x, *start_stop_axis)

    def side_by_side(self, parts: list[str], axis: int = 1) -> str:
        """Arrays joined along an axis."""
        return parts[0] if len(parts) == 1 else self("Concat", *parts, axis=axis)

    def stacked(self, arrays: list[str]) -> str:
        """Arrays of one shape along a new first axis."""
        first = np.array([0], dtype=np.int64)
        return self.side_by_side([self("Unsqueeze", array, first) for array in arrays], axis=0)

    def reduced(self, operator: str, x: str) -> str:
        """A sum or a mean along the first axis, which is dropped."""
        return self(operator, x, np.array([0], dtype=np.int64), keepdims=0)

    def reshaped(self, x: str, *shape: int) -> str:
        """Another shape; -1 stands for the number of rows."""
        return self("Reshape", x, np.array(shape, dtype=np.int64))

    def _next_name(self) -> str:
        self._n_names += 1
        return f"sknn_scratch/{self._n_names - 1}"
