"""The network: an ordered tuple of layers, a loss and an L2 penalty.

It is configuration only. Weights live in :class:`~sknn_scratch.core.Parameters`, the memory of a training
step in a :class:`Workspace`, so that any number of threads may use one network at the same time.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.activations import Activation, Identity
from sknn_scratch.core.initializers import Initializer, ScikitLearn
from sknn_scratch.core.layers import Activate, Dense, Layer
from sknn_scratch.core.losses import Loss
from sknn_scratch.core.parameters import FloatArray, LayerParameters, Parameters, Shapes

PREDICTION_BLOCK = 2**18
"""Numbers in the widest layer of one block of rows at prediction: about what a core's cache holds."""


class Objective(NamedTuple):
    """What training minimises, in its two parts: the mean loss on the data and the penalty on the weights."""

    loss: float
    penalty: float

    @property
    def total(self) -> float:
        """What the gradient is the gradient of."""
        return self.loss + self.penalty


class LayerStep(NamedTuple):
    """A layer and all that its two passes need besides data."""

    layer: Layer
    parameters: LayerParameters
    gradient: LayerParameters
    buffers: dict[str, FloatArray]


class Workspace:
    """The memory of training steps: parameters, their gradient, and the buffers of every layer.

    Parameters
    ----------
    network : Network
        The network that is to be trained.
    parameters : Parameters
        Its weights; used, not copied.
    n_rows : int
        Rows of the largest batch.

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

    def __init__(self, network: Network, parameters: Parameters, n_rows: int) -> None:
        dtype = parameters.flat.dtype
        self.parameters = parameters
        self.gradient = Parameters(parameters.shapes, np.empty_like(parameters.flat))
        self.weights = parameters.flat[: parameters.n_weights]
        self.weights_gradient = self.gradient.flat[: parameters.n_weights]
        self.decay = np.empty_like(self.weights)
        self._layers = network.layers
        self._buffers = [
            layer.forward_buffers(n_rows, dtype) | layer.backward_buffers(n_rows, dtype)
            for layer in network.layers
        ]
        self._buffers[0].pop("delta_x", None)
        self._loss_buffers = {
            "out": np.empty((n_rows, network.n_outputs), dtype),
            "per_row": np.empty(n_rows, dtype),
        }
        self._steps: dict[int, tuple[list[LayerStep], dict[str, FloatArray]]] = {}

    def steps(self, n_rows: int) -> tuple[list[LayerStep], dict[str, FloatArray]]:
        """What the layers and the loss need for a batch of `n_rows` rows: the first rows of all buffers."""
        if n_rows not in self._steps:
            buffers = [{name: array[:n_rows] for name, array in layer.items()} for layer in self._buffers]
            gradients = self.gradient.layers
            self._steps[n_rows] = (
                [
                    LayerStep(*of)
                    for of in zip(self._layers, self.parameters.layers, gradients, buffers, strict=True)
                ],
                {name: array[:n_rows] for name, array in self._loss_buffers.items()},
            )
        return self._steps[n_rows]


@dataclass(frozen=True)
class Network:
    """Layers, a loss and an L2 penalty.

    Parameters
    ----------
    layers : tuple of Layer
        From the data to the raw scores.
    loss : Loss
        What is minimised, with its link from raw scores to predictions.
    l2 : float, default=0.0
        Strength a of the penalty a / 2 ||weights||^2 / (sum of the batch's weights); biases are free of it.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Network, SquaredError, Tanh
    >>> network = Network.mlp([2, 3, 1], Tanh(), SquaredError())
    >>> parameters = network.initialize(np.random.RandomState(0), np.float64)
    >>> network.predict(np.zeros((5, 2)), parameters.layers).shape
    (5, 1)
    """

    layers: tuple[Layer, ...]
    loss: Loss
    l2: float = 0.0

    def __post_init__(self) -> None:
        # an activation works in the memory of the layer before it, and the loss in that of the last one
        learns = [bool(layer.shapes) for layer in self.layers]
        if not (learns and learns[0] and learns[-1]) or (False, False) in itertools.pairwise(learns):
            raise ValueError(
                "The first and the last layer must have weights, and so must one of any two neighbours, "
                f"got {self.layers}. What follows the last layer is the link of the loss."
            )

    @classmethod
    def mlp(
        cls,
        sizes: Sequence[int],
        activation: Activation | Sequence[Activation],
        loss: Loss,
        l2: float = 0.0,
        initializer: Initializer | None = None,
        fit_intercept: bool = True,
    ) -> Self:
        """A multi-layer perceptron: dense layers with an activation between any two.

        Parameters
        ----------
        sizes : sequence of int
            Number of inputs, of units in each hidden layer, of outputs.
        activation : Activation or sequence of Activation
            The function of the hidden units, or one for each hidden layer.
        loss : Loss
            The loss.
        l2 : float, default=0.0
            Strength of the penalty.
        initializer : Initializer or None, default=None
            Draws the first weights; None is scikit-learn's way.
        fit_intercept : bool, default=True
            Whether the dense layers have biases.

        Returns
        -------
        Network
            The network.
        """
        n_hidden = len(sizes) - 2
        if isinstance(activation, Activation):
            activation = [activation] * (n_hidden + 1)
        elif len(activation) == n_hidden:
            activation = [*activation, *(activation[-1:] or [Identity()])]
        else:
            raise ValueError(f"{n_hidden} hidden layers need as many activations, got {len(activation)}.")
        layers: list[Layer] = []
        for of_layer, (n_inputs, n_outputs) in zip(activation, itertools.pairwise(sizes), strict=True):
            rule = initializer or ScikitLearn(of_layer.glorot_factor)
            layers.append(Dense(n_inputs, n_outputs, rule, fit_intercept))
            layers.append(Activate(of_layer, n_outputs))
        layers.pop()  # the output layer has the link of the loss instead
        return cls(tuple(layers), loss, l2)

    @property
    def shapes(self) -> Shapes:
        """The shapes of each layer's parameters."""
        return [layer.shapes for layer in self.layers]

    @property
    def n_outputs(self) -> int:
        """Number of raw scores per row."""
        return self.layers[-1].n_outputs

    def initialize(self, rng: np.random.RandomState, dtype: npt.DTypeLike) -> Parameters:
        """Parameters with initial values, drawn layer by layer."""
        parameters = Parameters.empty(self.shapes, dtype)
        for layer, of_layer in zip(self.layers, parameters.layers, strict=True):
            layer.initialize(rng, of_layer)
        return parameters

    def loss_and_gradient(
        self, X: FloatArray, y: FloatArray, weight: FloatArray | None, workspace: Workspace
    ) -> Objective:
        """One forward and one backward pass; the gradient is left in ``workspace.gradient``.

        Parameters
        ----------
        X : ndarray or CSR of shape (n_rows, n_inputs)
            A batch, in the dtype of the parameters.
        y : ndarray of shape (n_rows, n_targets)
            Its targets, as the loss wants them.
        weight : ndarray of shape (n_rows,) or None
            Its weights, not all zero.
        workspace : Workspace
            Parameters, gradient and buffers.

        Returns
        -------
        Objective
            Loss and penalty; the gradient is that of their sum.
        """
        steps, of_loss = workspace.steps(X.shape[0])

        inputs = []
        x = X
        for layer, parameters, _, buffers in steps:
            inputs.append(x)
            x = layer.forward(parameters, x, buffers)

        loss = self.loss.value_and_gradient(x, y, weight, **of_loss)

        delta = of_loss["out"]
        for layer, parameters, gradient, buffers in reversed(steps):
            delta = layer.backward(parameters, gradient, inputs.pop(), delta, buffers)

        # the penalty a / 2 ||w||^2 / (sum of the batch's weights) has the gradient a w / (the same sum)
        strength = float(self.l2) / (X.shape[0] if weight is None else float(weight.sum()))
        np.multiply(workspace.weights, strength, out=workspace.decay)
        workspace.weights_gradient += workspace.decay
        return Objective(loss, 0.5 * strength * float(workspace.weights.dot(workspace.weights)))

    def raw_scores(self, X: FloatArray, parameters: Sequence[LayerParameters]) -> FloatArray:
        """The output of the last layer, computed by blocks of rows in memory of its own.

        Parameters
        ----------
        X : ndarray or CSR of shape (n_rows, n_inputs)
            Data; its dtype and that of the parameters are promoted by NumPy's rules.
        parameters : sequence of mappings
            For each layer, its parameters by name.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            Raw scores.
        """
        dtype = np.result_type(X.dtype, *(a.dtype for layer in parameters for a in layer.values()))
        parameters = [{k: a.astype(dtype, copy=False) for k, a in p.items()} for p in parameters]
        n_rows = X.shape[0]
        width = max(layer.n_outputs for layer in self.layers)
        block = max(1, min(n_rows, PREDICTION_BLOCK // width))
        buffers = [layer.forward_buffers(block, dtype) for layer in self.layers]
        raw: FloatArray = np.empty((n_rows, self.n_outputs), dtype)
        for start in range(0, n_rows, block):
            x = X[start : start + block].astype(dtype, copy=False)
            for layer, theta, memory in zip(self.layers, parameters, buffers, strict=True):
                x = layer.forward(theta, x, {k: b[: x.shape[0]] for k, b in memory.items()})
            raw[start : start + block] = x
        return raw

    def predict(self, X: FloatArray, parameters: Sequence[LayerParameters]) -> FloatArray:
        """Predictions: the inverse link of the raw scores.

        Parameters
        ----------
        X : ndarray or CSR of shape (n_rows, n_inputs)
            Data.
        parameters : sequence of mappings
            For each layer, its parameters by name.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            Predictions.
        """
        raw = self.raw_scores(X, parameters)
        self.loss.predict(raw, out=raw)
        return raw
