"""Activation functions as ONNX operators."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sknn_scratch.core import (
    ELU,
    GELU,
    SELU,
    Activation,
    Identity,
    LeakyReLU,
    Logistic,
    Mish,
    ReLU,
    SiLU,
    Softplus,
    Tanh,
)
from sknn_scratch.export._graph import Graph


def activation(graph: Graph, function: Activation, z: str) -> str:
    """Add an activation function.

    Parameters
    ----------
    graph : Graph
        Is extended.
    function : Activation
        One of this library's.
    z : str
        Name of the pre-activations.

    Returns
    -------
    str
        Name of the activations.

    Raises
    ------
    ValueError
        If it is a function of the user's own.
    """
    if type(function) not in _FUNCTIONS:
        raise ValueError(
            f"The activation {function!r} has no ONNX operators: train with one of "
            f"{[kind.__name__ for kind in _FUNCTIONS]} to export the model."
        )
    return _FUNCTIONS[type(function)](graph, z, function)


# onnxruntime has Relu, Sigmoid, Tanh, Softplus and Exp in float64 too, but neither LeakyRelu nor Selu
def _leaky_relu(graph: Graph, z: str, function: Any) -> str:
    return graph("Max", z, graph("Mul", z, float(function.negative_slope)))


# scale z where z > 0, else scale alpha (exp(z) - 1)
def _elu(graph: Graph, z: str, alpha: float, scale: float) -> str:
    excess = graph("Sub", graph("Exp", graph("Min", z, 0.0)), 1.0)
    negative = graph("Mul", excess, alpha * scale)
    return graph("Add", graph("Mul", graph("Max", z, 0.0), scale), negative)


# z Phi(z) = z / 2 (1 + erf(z / sqrt(2))); onnxruntime has Erf in float32 only, to 1e-7
def _gelu(graph: Graph, z: str, function: Any) -> str:
    u = graph.cast(graph("Mul", z, math.sqrt(0.5)), np.float32)
    erf = graph.cast(graph("Erf", u), graph.dtype)
    return graph("Mul", graph("Mul", z, 0.5), graph("Add", erf, 1.0))


_FUNCTIONS: dict[type[Activation], Callable[[Graph, str, Any], str]] = {
    Identity: lambda graph, z, _: z,
    Logistic: lambda graph, z, _: graph("Sigmoid", z),
    Tanh: lambda graph, z, _: graph("Tanh", z),
    ReLU: lambda graph, z, _: graph("Relu", z),
    LeakyReLU: _leaky_relu,
    ELU: lambda graph, z, elu: _elu(graph, z, float(elu.alpha), 1.0),
    SELU: lambda graph, z, _: _elu(graph, z, SELU.ALPHA, SELU.SCALE),
    GELU: _gelu,
    SiLU: lambda graph, z, _: graph("Mul", z, graph("Sigmoid", z)),
    Mish: lambda graph, z, _: graph("Mul", z, graph("Tanh", graph("Softplus", z))),
    Softplus: lambda graph, z, _: graph("Softplus", z),
}
