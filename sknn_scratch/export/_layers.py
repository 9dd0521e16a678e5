"""Layers as ONNX operators."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sknn_scratch.core import (
    PBLD,
    Activate,
    CategoryEmbedding,
    Columns,
    Dense,
    Dropout,
    Layer,
    Network,
    NeuralTangent,
    ParametricActivate,
    Scale,
)
from sknn_scratch.core.parameters import LayerParameters
from sknn_scratch.export._activations import activation
from sknn_scratch.export._graph import Graph


def raw_scores(graph: Graph, network: Network, parameters: Sequence[LayerParameters], x: str) -> str:
    """Add the forward pass of a network.

    Parameters
    ----------
    graph : Graph
        Is extended.
    network : Network
        Its layers.
    parameters : sequence of mappings
        For each layer, its parameters by name.
    x : str
        Name of the data, of shape (n_rows, n_inputs).

    Returns
    -------
    str
        Name of the raw scores, of shape (n_rows, n_outputs).
    """
    for layer, of_layer in zip(network.layers, parameters, strict=True):
        x = _forward(graph, layer, of_layer, x)
    return x


def _forward(graph: Graph, layer: Layer, parameters: LayerParameters, x: str) -> str:
    if type(layer) not in _LAYERS:
        raise ValueError(f"The layer {layer!r} has no ONNX operators.")
    return _LAYERS[type(layer)](graph, layer, parameters, x)


# z = x W + b
def _dense(graph: Graph, layer: Any, parameters: LayerParameters, x: str) -> str:
    z = graph("MatMul", x, parameters["weights"])
    return graph("Add", z, parameters["bias"]) if layer.has_bias else z


# z = x W / sqrt(n_inputs) + b
def _neural_tangent(graph: Graph, layer: Any, parameters: LayerParameters, x: str) -> str:
    z = graph("Mul", graph("MatMul", x, parameters["weights"]), layer.factor)
    return graph("Add", z, parameters["bias"])


def _activate(graph: Graph, layer: Any, parameters: LayerParameters, x: str) -> str:
    return activation(graph, layer.activation, x)


# a = z + alpha (f(z) - z)
def _parametric_activate(graph: Graph, layer: Any, parameters: LayerParameters, x: str) -> str:
    change = graph("Sub", activation(graph, layer.activation, x), x)
    return graph("Add", x, graph("Mul", change, parameters["alpha"]))


def _scale(graph: Graph, layer: Any, parameters: LayerParameters, x: str) -> str:
    return graph("Mul", x, parameters["scale"])


def _columns(graph: Graph, layer: Any, parameters: LayerParameters, x: str) -> str:
    outputs, start = [], 0
    for i, part in enumerate(layer.parts):
        z = graph.columns(x, start, start + part.n_inputs)
        if part.layer is not None:
            of_part = {name: parameters[f"{i}.{name}"] for name in part.layer.shapes}
            z = _forward(graph, part.layer, of_part, z)
        outputs.append(z)
        start += part.n_inputs
    return graph.side_by_side(outputs)


# e = E[k]
def _category_embedding(graph: Graph, layer: Any, parameters: LayerParameters, x: str) -> str:
    levels = graph.reshaped(graph.cast(x, np.int64), -1)
    return graph("Gather", parameters["vectors"], levels, axis=0)


# e_i = [cos(2 pi x_i w_i + b_i) V_i + c_i, x_i], with inputs as the first axis
def _pbld(graph: Graph, layer: Any, parameters: LayerParameters, x: str) -> str:
    last = np.array([2], dtype=np.int64)
    by_input = graph("Unsqueeze", graph("Transpose", x, perm=[1, 0]), last)
    slopes = 2 * math.pi * parameters["frequencies"].astype(graph.dtype)
    h = graph("Add", graph("Mul", by_input, slopes[:, np.newaxis]), parameters["phases"][:, np.newaxis])
    mixed = graph("MatMul", graph("Cos", h), parameters["mixture"])
    mixed = graph("Add", mixed, parameters["offset"][:, np.newaxis])
    by_row = graph("Transpose", graph.side_by_side([mixed, by_input], axis=2), perm=[1, 0, 2])
    return graph.reshaped(by_row, -1, layer.n_outputs)


_LAYERS: dict[type[Layer], Callable[[Graph, Any, LayerParameters, str], str]] = {
    Dense: _dense,
    NeuralTangent: _neural_tangent,
    Activate: _activate,
    ParametricActivate: _parametric_activate,
    Dropout: lambda graph, layer, parameters, x: x,  # in training only
    Scale: _scale,
    Columns: _columns,
    CategoryEmbedding: _category_embedding,
    PBLD: _pbld,
}
