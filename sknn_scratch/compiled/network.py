"""A network of compiled layers: another `Network` of the core, on the same vector of parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy.typing as npt

from sknn_scratch.compiled import losses
from sknn_scratch.compiled.activations import kernel_of
from sknn_scratch.compiled.dropout import CompiledDropout
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
    Dropout,
    Layer,
    NeuralTangent,
    ParametricActivate,
    Scale,
)
from sknn_scratch.core.network import Network
from sknn_scratch.core.parameters import LayerParameters, Parameters

_COMPILED: dict[tuple[type[Layer], ...], Callable[..., CompiledLayer]] = {
    (Dense, Activate): DenseActivate,
    (NeuralTangent,): Affine,
    (NeuralTangent, Activate): NeuralTangentActivate,
    (NeuralTangent, ParametricActivate): NeuralTangentParametric,
    (NeuralTangent, ParametricActivate, Dropout): NeuralTangentParametric,
    (PBLD,): PeriodicEmbedding,
    (CategoryEmbedding,): LevelEmbedding,
    (Dropout,): CompiledDropout,
}
"""The compiled layer that replaces consecutive layers of these types."""

_COMPILED |= {(Scale, *kinds): kind for kinds, kind in _COMPILED.items() if kinds[0] is NeuralTangent}

_LONGEST = max(map(len, _COMPILED))


def compiled_network(network: Network, parameters: Parameters) -> tuple[Network, Parameters]:
    """A network that computes the same, and its view of the same parameters.

    All weights come first in the vector, and then everything else in the order of the layers. So a compiled
    layer finds the parameters of its parts where they were.

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
    """The same layers, compiled where there are kernels.

    Parameters
    ----------
    layers : sequence of Layer
        From the data to the raw scores.
    dtype : dtype
        The dtype of the arrays.

    Returns
    -------
    list of Layer
        As many or fewer. Layers without a kernel are the given objects.

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
        lengths = range(min(_LONGEST, len(rest)), 0, -1)
        fused = next(filter(None, (_compiled(rest[:n], dtype) for n in lengths)), None)
        found.append(_in_parts(rest[0], dtype) if fused is None else fused)
        del rest[: 1 if fused is None else len(fused.parts)]
    return found


def _compiled(layers: Sequence[Layer], dtype: npt.DTypeLike) -> CompiledLayer | None:
    """The compiled layer that replaces all these layers, if there is one."""
    kind = _COMPILED.get(tuple(map(type, layers)))
    activations = [layer.activation for layer in layers if isinstance(layer, Activate | ParametricActivate)]
    kernels = [kernel_of(activation, dtype) for activation in activations] if kind else []
    if kind is None or None in kernels:
        return None
    compiled = kind(*layers, **({"kernel": kernels[0]} if kernels else {}))
    for kernel in compiled.kernels:  # now, so that a failure shows before a step begins
        kernel.compile(dtype)
    return compiled


def _in_parts(layer: Layer, dtype: npt.DTypeLike) -> Layer:
    """The layer itself; if it is made of layers, with these compiled."""
    if type(layer) is not Columns:
        return layer
    parts = (
        part._replace(layer=part.layer and compiled_layers([part.layer], dtype)[0]) for part in layer.parts
    )
    return replace(layer, parts=tuple(parts))


def merged(layers: Sequence[Layer], parameters: Sequence[LayerParameters]) -> list[LayerParameters]:
    """For each compiled layer, the parameters of all its parts.

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
