"""A network of compiled layers: another `Network` of the core, on the same vector of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy.typing as npt

from sknn_scratch.compiled import losses
from sknn_scratch.compiled.activations import kernel_of
from sknn_scratch.compiled.embeddings import LevelEmbedding, PeriodicEmbedding
from sknn_scratch.compiled.layers import CompiledLayer, DenseActivate
from sknn_scratch.compiled.losses import CompiledLoss
from sknn_scratch.compiled.table_layers import Affine, NeuralTangentActivate, NeuralTangentParametric
from sknn_scratch.core.layers import (
    PBLD,
    Activate,
    CategoryEmbedding,
    Columns,
    Dense,
    Layer,
    NeuralTangent,
    ParametricActivate,
)
from sknn_scratch.core.network import Network
from sknn_scratch.core.parameters import LayerParameters, Parameters

_PAIRS = {
    (Dense, Activate): DenseActivate,
    (NeuralTangent, Activate): NeuralTangentActivate,
    (NeuralTangent, ParametricActivate): NeuralTangentParametric,
}
_SINGLE = {NeuralTangent: Affine, PBLD: PeriodicEmbedding, CategoryEmbedding: LevelEmbedding}


def compiled_network(network: Network, parameters: Parameters) -> tuple[Network, Parameters]:
    """A network that computes the same, and its view of the same parameters.

    All weights come first in the vector, and then everything else in the order of the layers. So layers that
    became one have their parameters where they were.

    Parameters
    ----------
    network : Network
        The core's.
    parameters : Parameters
        Its parameters.

    Returns
    -------
    Network, Parameters
        Compiled as far as there are kernels, and the same vector.
    """
    layers = tuple(compiled_layers(network.layers, parameters.flat.dtype))
    found = losses.kernel_of(network.loss)
    if found is not None:
        found.kernel.compile(parameters.flat.dtype)
    loss = network.loss if found is None else CompiledLoss(network.loss)
    compiled = Network(layers, loss, network.l2)
    return compiled, Parameters(compiled.shapes, parameters.flat)


def compiled_layers(layers: Sequence[Layer], dtype: npt.DTypeLike) -> list[Layer]:
    """The same layers, those for which there are kernels compiled.

    Parameters
    ----------
    layers : sequence of Layer
        From the data to the raw scores.
    dtype : dtype
        That of the arrays.

    Returns
    -------
    list of Layer
        As many or fewer. Those without a kernel are the given objects.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.compiled.network import compiled_layers
    >>> from sknn_scratch.core import NeuralTangent, ParametricActivate, SELU
    >>> layers = [NeuralTangent(3, 5), ParametricActivate(SELU(), 5), NeuralTangent(5, 1)]
    >>> [type(layer).__name__ for layer in compiled_layers(layers, np.float32)]
    ['NeuralTangentParametric', 'Affine']
    """
    found: list[Layer] = []
    rest = list(layers)
    while rest:
        pair = _compiled_pair(rest[0], rest[1], dtype) if len(rest) > 1 else None
        found.append(_compiled_alone(rest[0], dtype) if pair is None else pair)
        del rest[: 1 if pair is None else 2]
    return found


def _compiled_pair(layer: Layer, following: Layer, dtype: npt.DTypeLike) -> Layer | None:
    kind = _PAIRS.get((type(layer), type(following)))
    if kind is None:
        return None
    kernel = kernel_of(following.activation, dtype)  # type: ignore[attr-defined]
    return None if kernel is None else _ready(kind(layer, following, kernel), dtype)  # type: ignore[abstract]


def _compiled_alone(layer: Layer, dtype: npt.DTypeLike) -> Layer:
    if type(layer) is Columns:
        parts = (
            part._replace(layer=part.layer and _compiled_alone(part.layer, dtype)) for part in layer.parts
        )
        return replace(layer, parts=tuple(parts))
    kind = _SINGLE.get(type(layer))
    return layer if kind is None else _ready(kind(layer), dtype)  # type: ignore[arg-type,abstract]


def _ready(layer: CompiledLayer, dtype: npt.DTypeLike) -> Layer:
    """The layer, whose kernels are compiled now: what cannot be compiled shows before a step begins."""
    for kernel in layer.kernels:
        kernel.compile(dtype)
    return layer


def merged(layers: Sequence[Layer], parameters: Sequence[LayerParameters]) -> list[LayerParameters]:
    """For each compiled layer the parameters of all layers that it is made of.

    Parameters
    ----------
    layers : sequence of Layer
        From :func:`compiled_layers`.
    parameters : sequence of mappings
        For each layer of the core, its parameters by name.

    Returns
    -------
    list of mappings
        One for each compiled layer.
    """
    each = iter(parameters)
    n_parts = [len(layer.parts) if isinstance(layer, CompiledLayer) else 1 for layer in layers]
    return [{name: array for _ in range(n) for name, array in next(each).items()} for n in n_parts]
