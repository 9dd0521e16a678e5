"""The network: an ordered tuple of layers, a loss and an L2 penalty.

It is configuration only. Weights live in :class:`~sknn_scratch.core.Parameters`, and the memory of a training
step in a :class:`~sknn_scratch.core.Workspace`, so any number of threads may use one network at the same
time.
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
from sknn_scratch.core.prediction import forward_by_blocks
from sknn_scratch.core.workspace import BatchPart, Workspace


class Objective(NamedTuple):
    """What training minimises, in its two parts: the mean loss on the data and the penalty on the weights."""

    loss: float
    penalty: float

    @property
    def total(self) -> float:
        """What the gradient is the gradient of."""
        return self.loss + self.penalty


@dataclass(frozen=True)
class Network:
    """Layers, a loss and an L2 penalty.

    Parameters
    ----------
    layers : tuple of Layer
        From the data to the raw scores.
    loss : Loss
        The loss to minimise, with its link from raw scores to predictions.
    l2 : float, default=0.0
        Strength alpha of the penalty alpha / (2 n) ||W||^2, where n is the sum of the batch's weights; biases
        are not penalised.

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
                "The first and last layers must have weights, and so must each layer before an activation, "
                f"got {self.layers}. The link of the loss follows the last layer."
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
        """Return a multi-layer perceptron: dense layers with activations in between.

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
            Draws the initial weights; None means scikit-learn's method.
        fit_intercept : bool, default=True
            Whether the dense layers have biases.
        dropout : sequence of float, default=()
            Share of each hidden layer's units that training leaves out; empty for none.

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
            Its targets, as the loss expects them.
        weight : ndarray of shape (n_rows,) or None
            Its weights, not all zero.
        workspace : Workspace
            Parameters, gradient and buffers.

        Returns
        -------
        Objective
            Loss and penalty; the gradient is that of their sum.
        """
        workspace.draw(X.shape[0])
        parts = workspace.parts(X.shape[0])
        total_weight = X.shape[0] if weight is None else float(weight.sum())
        if len(parts) == 1:
            loss = self._pass(X, y, weight, parts[0])
        else:
            # the mean over the batch is that of the parts' means, by weight: so are the gradients
            def pass_of_part(part: BatchPart) -> float:
                of_part = None if weight is None else weight[part.rows]
                part_weight = part.rows.stop - part.rows.start if of_part is None else float(of_part.sum())
                if part_weight == 0:
                    part.gradient.fill(0.0)
                    return 0.0
                share = part_weight / total_weight
                return share * self._pass(X[part.rows], y[part.rows], of_part, part, share)

            loss = sum(workspace.team.map(pass_of_part, parts))
            for part in parts[1:]:
                workspace.gradient.flat += part.gradient

        return Objective(loss, self._penalise(workspace, total_weight))

    # alpha / (2 n) ||W||^2 has the gradient alpha / n W
    def _penalise(self, workspace: Workspace, total_weight: float) -> float:
        """Add the gradient of the penalty; returns its value."""
        if not self.l2:
            return 0.0
        strength, squares = float(self.l2) / total_weight, 0.0
        for weights, gradient, decay in workspace.weights_by_blocks:
            np.multiply(weights, strength, out=decay)
            gradient += decay
            squares += float(weights.dot(weights))
        return 0.5 * strength * squares

    def _pass(
        self, X: FloatArray, y: FloatArray, weight: FloatArray | None, part: BatchPart, share: float = 1.0
    ) -> float:
        """Forward and backward; returns the loss, and leaves `share` times its gradient with the part."""
        inputs = []
        x = X
        for layer, parameters, _, buffers in part.layers:
            inputs.append(x)
            x = layer.forward(parameters, x, buffers)

        loss = self.loss.value_and_gradient(x, y, weight, **part.loss_buffers)

        delta = part.loss_buffers["out"]
        if share != 1.0:
            delta *= share
        for layer, parameters, gradient, buffers in reversed(part.layers):
            delta = layer.backward(parameters, gradient, inputs.pop(), delta, buffers)
        return loss

    def raw_scores(
        self,
        X: FloatArray,
        parameters: Sequence[LayerParameters],
        rows: npt.NDArray[np.intp] | None = None,
    ) -> FloatArray:
        """The output of the last layer, computed in blocks of rows in its own memory.

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
        return forward_by_blocks(self.layers, X, parameters, rows)

    def hidden_activations(self, X: FloatArray, parameters: Sequence[LayerParameters]) -> list[FloatArray]:
        """The outputs of the hidden layers.

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
        return [forward_by_blocks(self.layers[:end], X, parameters[:end]) for end in ends]

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
