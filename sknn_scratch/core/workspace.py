"""The memory of a training step: buffers used again and again, so that steps allocate nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from sknn_scratch.core.layers import Layer
from sknn_scratch.core.machine.blocks import blocks
from sknn_scratch.core.machine.memory import aligned, aligned_like
from sknn_scratch.core.machine.threads import Team, parts_of
from sknn_scratch.core.parameters import FloatArray, LayerParameters, Parameters

WEIGHTS_OF_A_BLOCK = 2**15
"""Weights that the penalty is computed for at a time, so that its passes over them meet them in the cache."""


class LayerStep(NamedTuple):
    """A layer and all that its two passes need apart from data."""

    layer: Layer
    parameters: LayerParameters
    gradient: LayerParameters
    buffers: dict[str, FloatArray]


class BatchPart(NamedTuple):
    """Some rows of a batch, and all that one thread needs for a step with them."""

    rows: slice
    layers: list[LayerStep]
    loss_buffers: dict[str, FloatArray]
    gradient: FloatArray


class HasLayers(Protocol):
    """What a workspace needs of a :class:`~sknn_scratch.core.Network`."""

    @property
    def layers(self) -> Sequence[Layer]:
        """From the data to the raw scores."""

    @property
    def n_outputs(self) -> int:
        """Number of raw scores per row."""


class Workspace:
    """The memory of training steps: parameters, their gradient, and the buffers of every layer.

    Parameters
    ----------
    network : Network
        The network to train.
    parameters : Parameters
        Its weights; used, not copied.
    n_rows : int
        Rows of the largest batch.
    rng : numpy.random.RandomState or None, default=None
        Source of randomness in a step; without it, there is no dropout.
    team : Team or None, default=None
        Threads that share a batch's rows; None means the calling thread alone. The same number of threads
        always gives the same result; different numbers differ by rounding.

    Attributes
    ----------
    regularization : float
        Share of the full dropout rates in the next step; initially 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Identity, Network, SquaredError, Workspace
    >>> network = Network.mlp([1, 1], Identity(), SquaredError())
    >>> workspace = Workspace(network, network.initialize(np.random.RandomState(0), float), n_rows=2)
    >>> workspace.parameters.flat[:] = 1, 0
    >>> X = np.array([[1.0], [2.0]])
    >>> network.loss_and_gradient(X, np.zeros((2, 1)), None, workspace)
    Objective(loss=1.25, penalty=0.0)
    >>> workspace.gradient.flat
    array([2.5, 1.5])
    """

    def __init__(
        self,
        network: HasLayers,
        parameters: Parameters,
        n_rows: int,
        rng: np.random.RandomState | None = None,
        team: Team | None = None,
    ) -> None:
        dtype = parameters.flat.dtype
        self.parameters, self.rng, self.team = parameters, rng, team or Team()
        self.regularization = 1.0
        self._gradients = [
            Parameters(parameters.shapes, aligned_like(parameters.flat)) for _ in range(self.team.n_threads)
        ]
        self.gradient = self._gradients[0]
        decay = aligned(min(parameters.n_weights, WEIGHTS_OF_A_BLOCK), dtype)
        of_weights = slice(parameters.n_weights)
        self.weights_by_blocks = [
            (weights, gradient, decay[: len(weights)])
            for weights, gradient in blocks(
                parameters.flat[of_weights], self.gradient.flat[of_weights], size=WEIGHTS_OF_A_BLOCK
            )
        ]
        self._layers = network.layers
        self._buffers = [
            layer.forward_buffers(n_rows, dtype) | layer.backward_buffers(n_rows, dtype)
            for layer in network.layers
        ]
        self._buffers[0].pop("delta_x", None)
        if rng is None:
            for buffers in self._buffers:
                buffers.pop("mask", None)
        self._loss_buffers = {
            "out": aligned((n_rows, network.n_outputs), dtype),
            "per_row": aligned(n_rows, dtype),
        }
        self._parts: dict[int, list[BatchPart]] = {}

    def draw(self, n_rows: int) -> None:
        """Draw the random numbers of a step with `n_rows` rows, for all parts at once."""
        if self.rng is not None:
            for layer, buffers in zip(self._layers, self._buffers, strict=True):
                layer.draw(self.rng, rows_of(buffers, slice(n_rows)), self.regularization)

    def parts(self, n_rows: int) -> list[BatchPart]:
        """A batch of `n_rows` rows in parts, each with its rows of all buffers."""
        if n_rows not in self._parts:
            # a short batch has fewer parts, if it has fewer rows than there are threads
            self._parts[n_rows] = [
                BatchPart(
                    rows,
                    [
                        LayerStep(layer, theta, of_layer, rows_of(buffers, rows))
                        for layer, theta, of_layer, buffers in zip(
                            self._layers, self.parameters.layers, gradient.layers, self._buffers, strict=True
                        )
                    ],
                    rows_of(self._loss_buffers, rows),
                    gradient.flat,
                )
                for rows, gradient in zip(
                    parts_of(n_rows, self.team.n_threads), self._gradients, strict=False
                )
            ]
        return self._parts[n_rows]


def rows_of(buffers: dict[str, FloatArray], rows: slice) -> dict[str, FloatArray]:
    """Some rows of all buffers, views."""
    return {name: array[rows] for name, array in buffers.items()}
