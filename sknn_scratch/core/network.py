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
from sknn_scratch.core.layers import Activate, Dense, Dropout, Layer
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
    rng : numpy.random.RandomState or None, default=None
        Source of what is random in a step; without it nothing is: there is no dropout.

    Attributes
    ----------
    regularization : float
        Share of the full rates at which dropout works in the next step, 1 to begin with.

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
        network: Network,
        parameters: Parameters,
        n_rows: int,
        rng: np.random.RandomState | None = None,
    ) -> None:
        dtype = parameters.flat.dtype
        self.parameters, self.rng, self.regularization = parameters, rng, 1.0
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
        if rng is None:
            for buffers in self._buffers:
                buffers.pop("mask", None)
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
        Strength alpha of the penalty alpha / (2 n) ||W||^2, where n is the sum of the batch's weights; biases
        are free of it.

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
        learns = [bool(layer.shapes) for layer in self.layers]
        overwrites = any(b.works_in_place and not a.shapes for a, b in itertools.pairwise(self.layers))
        if not (learns and learns[0] and learns[-1]) or overwrites:
            raise ValueError(
                "The first and the last layer must have weights, and so must the one before an activation, "
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
        dropout: Sequence[float] = (),
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
        dropout : sequence of float, default=()
            Share of the units of each hidden layer that training leaves out; empty for none.

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
        for i, (n_inputs, n_outputs) in enumerate(itertools.pairwise(sizes)):
            rule = initializer or ScikitLearn(activation[i].glorot_factor)
            layers.append(Dense(n_inputs, n_outputs, rule, fit_intercept))
            if i < n_hidden:  # the output layer has the link of the loss instead
                layers.append(Activate(activation[i], n_outputs))
                if dropout and dropout[i] > 0:
                    layers.append(Dropout(dropout[i], n_outputs))
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
        if workspace.rng is not None:
            for layer, _, _, buffers in steps:
                layer.draw(workspace.rng, buffers, workspace.regularization)

        inputs = []
        x = X
        for layer, parameters, _, buffers in steps:
            inputs.append(x)
            x = layer.forward(parameters, x, buffers)

        loss = self.loss.value_and_gradient(x, y, weight, **of_loss)

        delta = of_loss["out"]
        for layer, parameters, gradient, buffers in reversed(steps):
            delta = layer.backward(parameters, gradient, inputs.pop(), delta, buffers)

        if not self.l2:
            return Objective(loss, 0.0)
        # the penalty alpha / (2 n) ||W||^2 has the gradient alpha / n W
        strength = float(self.l2) / (X.shape[0] if weight is None else float(weight.sum()))
        np.multiply(workspace.weights, strength, out=workspace.decay)
        workspace.weights_gradient += workspace.decay
        return Objective(loss, 0.5 * strength * float(workspace.weights.dot(workspace.weights)))

    def raw_scores(
        self,
        X: FloatArray,
        parameters: Sequence[LayerParameters],
        rows: npt.NDArray[np.intp] | None = None,
    ) -> FloatArray:
        """The output of the last layer, computed by blocks of rows in memory of its own.

        Parameters
        ----------
        X : ndarray or CSR of shape (n_rows, n_inputs)
            Data; its dtype and that of the parameters are promoted by NumPy's rules.
        parameters : sequence of mappings
            For each layer, its parameters by name.
        rows : ndarray of int or None, default=None
            Numbers of the rows wanted; None means all. They are taken block by block.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            Raw scores.
        """
        return _run(self.layers, X, parameters, rows)

    def hidden_activations(self, X: FloatArray, parameters: Sequence[LayerParameters]) -> list[FloatArray]:
        """What the hidden layers hand on.

        Parameters
        ----------
        X : ndarray or CSR of shape (n_rows, n_inputs)
            Data.
        parameters : sequence of mappings
            For each layer, its parameters by name.

        Returns
        -------
        list of ndarray of shape (n_rows, n_units)
            The input of each layer with weights but the first.
        """
        ends = [i for i, layer in enumerate(self.layers) if layer.shapes][1:]
        return [_run(self.layers[:end], X, parameters[:end], None) for end in ends]

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


def _run(
    layers: Sequence[Layer],
    X: FloatArray,
    parameters: Sequence[LayerParameters],
    rows: npt.NDArray[np.intp] | None,
) -> FloatArray:
    """The output of the last of some layers, for all or some rows."""
    dtype = np.result_type(X.dtype, *(a.dtype for layer in parameters for a in layer.values()))
    parameters = [{k: a.astype(dtype, copy=False) for k, a in p.items()} for p in parameters]
    n_rows = X.shape[0] if rows is None else len(rows)
    width = max(layer.n_outputs for layer in layers)
    block = max(1, min(n_rows, PREDICTION_BLOCK // width))
    buffers = [layer.forward_buffers(block, dtype) for layer in layers]
    raw: FloatArray = np.empty((n_rows, layers[-1].n_outputs), dtype)
    for start in range(0, n_rows, block):
        part = slice(start, start + block)
        x = X[part if rows is None else rows[part]].astype(dtype, copy=False)
        for layer, theta, memory in zip(layers, parameters, buffers, strict=True):
            x = layer.forward(theta, x, {k: b[: x.shape[0]] for k, b in memory.items()})
        raw[start : start + block] = x
    return raw
