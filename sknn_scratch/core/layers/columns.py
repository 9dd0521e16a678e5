"""The layer that passes groups of columns to separate layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.layers.base import Buffers, Layer
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters


class Part(NamedTuple):
    """Some columns and their layer; None passes them through unchanged.

    Examples
    --------
    >>> from sknn_scratch.core import CategoryEmbedding, Part
    >>> Part(7, None).n_outputs, Part(1, CategoryEmbedding(12, 8)).n_outputs
    (7, 8)
    """

    n_inputs: int
    layer: Layer | None

    @property
    def n_outputs(self) -> int:
        """Columns of the output."""
        return self.n_inputs if self.layer is None else self.layer.n_outputs


@dataclass(frozen=True)
class Columns(Layer):
    """z = [f_1(x_1), f_2(x_2), ...] where x_1, x_2, ... are consecutive groups of columns of x.

    Parameters and buffers of part i have the names that its layer gives them, prefixed with ``"i."``.

    Parameters
    ----------
    parts : tuple of Part
        From the first column to the last: for each part, its number of columns, and a layer or None.

    Examples
    --------
    >>> from sknn_scratch.core import PBLD, CategoryEmbedding, Columns, Part
    >>> layer = Columns((Part(5, PBLD(5)), Part(7, None), Part(1, CategoryEmbedding(12, 8))))
    >>> layer.n_outputs
    35
    >>> sorted(layer.shapes)
    ['0.frequencies', '0.mixture', '0.offset', '0.phases', '2.vectors']
    """

    parts: tuple[Part, ...]

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        return sum(part.n_outputs for part in self.parts)

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {
            f"{i}.{name}": shape
            for i, (_, layer) in enumerate(self.parts)
            if layer is not None
            for name, shape in layer.shapes.items()
        }

    @property
    def formulas(self) -> Mapping[str, str]:
        return {"pre_activation": "z = [f_1(x_1), f_2(x_2), ...]"}

    def initialize(self, rng: np.random.RandomState, parameters: LayerParameters) -> None:
        for i, (_, layer) in enumerate(self.parts):
            if layer is not None:
                layer.initialize(rng, _of_part(i, parameters))

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        buffers = {"z": aligned((n_rows, self.n_outputs), dtype)}
        for i, (_, layer) in enumerate(self.parts):
            if layer is not None:
                of_layer = layer.forward_buffers(n_rows, dtype)
                buffers.update({f"{i}.{name}": array for name, array in of_layer.items()})
        return buffers

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        n_inputs = sum(part.n_inputs for part in self.parts)
        buffers = {"delta_x": aligned((n_rows, n_inputs), dtype)}
        for i, (_, layer) in enumerate(self.parts):
            if layer is not None:
                of_layer = layer.backward_buffers(n_rows, dtype)
                buffers.update({f"{i}.{name}": array for name, array in of_layer.items()})
        return buffers

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        z = buffers["z"]
        for i, layer, inputs, outputs in self._slices():
            part = x[:, inputs]
            if layer is not None:
                part = layer.forward(_of_part(i, parameters), part, _of_part(i, buffers))
            z[:, outputs] = part
        return z

    # Each part's chain rule is its layer's own.
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        delta_x = buffers.get("delta_x")
        for i, layer, inputs, outputs in self._slices():
            part = delta[:, outputs]
            if layer is not None:
                memory = _of_part(i, buffers)
                if delta_x is None:
                    memory.pop("delta_x", None)
                of_part = _of_part(i, parameters), _of_part(i, gradient)
                part = layer.backward(*of_part, x[:, inputs], part, memory)
            if delta_x is not None:
                delta_x[:, inputs] = part
        return delta if delta_x is None else delta_x

    def _slices(self) -> Iterator[tuple[int, Layer | None, slice, slice]]:
        start = stop = 0
        for i, part in enumerate(self.parts):
            inputs, outputs = slice(start, start + part.n_inputs), slice(stop, stop + part.n_outputs)
            yield i, part.layer, inputs, outputs
            start, stop = inputs.stop, outputs.stop


def _of_part(i: int, arrays: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """The arrays of part i by the names that its layer gives them."""
    return {name: arrays[full] for full, name in _names_of_part(i, tuple(arrays))}


@lru_cache(maxsize=256)
def _names_of_part(i: int, names: tuple[str, ...]) -> list[tuple[str, str]]:
    prefix = f"{i}."
    return [(name, name.removeprefix(prefix)) for name in names if name.startswith(prefix)]
