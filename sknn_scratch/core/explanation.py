"""Every number of one step: the pass used in training, run once, with all values kept.

The network's own layers do the work. Each is wrapped in a :class:`_Watched`, which passes everything through
and keeps copies.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.activations import Identity
from sknn_scratch.core.layers import Activate, Layer
from sknn_scratch.core.layers.base import Buffers
from sknn_scratch.core.network import Network
from sknn_scratch.core.parameters import FloatArray, LayerParameters, Parameters
from sknn_scratch.core.workspace import Workspace


@dataclass(frozen=True, eq=False)
class LayerExplanation:
    """What a layer with weights and the activation after it computed.

    Attributes
    ----------
    input : ndarray or CSR of shape (n_rows, n_inputs)
        x, the data or the activation of the layer before.
    weights : ndarray of shape (n_inputs, n_outputs)
        W.
    bias : ndarray of shape (n_outputs,) or None
        b, if there is one.
    pre_activation : ndarray of shape (n_rows, n_outputs)
        z; in the last layer these are the raw scores.
    activation : ndarray of shape (n_rows, n_outputs)
        a = f(z); in the last layer this is the prediction p.
    delta : ndarray of shape (n_rows, n_outputs)
        dL/dz.
    weights_gradient : ndarray of shape (n_inputs, n_outputs)
        dL/dW.
    bias_gradient : ndarray of shape (n_outputs,) or None
        dL/db.
    input_gradient : ndarray of shape (n_rows, n_inputs) or None
        dL/dx, which is dL/da of the layer before; None for the data.
    formulas : mapping
        The formula of each of these, by name.
    """

    input: FloatArray
    weights: FloatArray
    bias: FloatArray | None
    pre_activation: FloatArray
    activation: FloatArray
    delta: FloatArray
    weights_gradient: FloatArray
    bias_gradient: FloatArray | None
    input_gradient: FloatArray | None
    formulas: Mapping[str, str]

    def lines(self, *names: str) -> Iterator[str]:
        """Text of some of the arrays, each under its formula."""
        for name in names:
            if getattr(self, name) is not None:
                yield from _lines(name, self.formulas[name], getattr(self, name))


@dataclass(frozen=True, eq=False)
class StepExplanation:
    """One forward and one backward pass; printing it shows the whole calculation in order.

    Attributes
    ----------
    layers : tuple of LayerExplanation
        From the data to the prediction.
    target : ndarray of shape (n_rows, n_targets)
        y as the loss expects it: a number, 0 / 1, or the number of the class.
    loss : float
        Mean loss of the rows.
    penalty : float
        L2 penalty; gradients are those of L = loss + penalty.
    formulas : mapping
        The formulas of `loss` and `penalty`.
    """

    layers: tuple[LayerExplanation, ...]
    target: FloatArray
    loss: float
    penalty: float
    formulas: Mapping[str, str]

    def __str__(self) -> str:
        lines = ["FORWARD"]
        for number, layer in enumerate(self.layers, start=1):
            lines += ["", f"Layer {number}"]
            lines += layer.lines("input", "weights", "bias", "pre_activation", "activation")
        lines += ["", "LOSS", "", *_lines("target", "y", self.target)]
        lines += [
            f"  {name:<18}{self.formulas[name]} = {getattr(self, name):.6g}" for name in ("loss", "penalty")
        ]
        lines += ["", "BACKWARD, of L = loss + penalty"]
        for number, layer in reversed(list(enumerate(self.layers, start=1))):
            lines += ["", f"Layer {number}"]
            lines += layer.lines("delta", "weights_gradient", "bias_gradient", "input_gradient")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The same text in notebooks, in parts that fold."""
        page = []
        for part in re.split(r"\n\n(?=\w)", html.escape(str(self))):
            title, _, text = part.partition("\n")
            numbers = text.strip("\n")
            fold = f"<details open><summary>{title}</summary><pre>{numbers}</pre></details>"
            page.append(fold if numbers else f"<p><b>{title}</b></p>")
        return f"<div>{''.join(page)}</div>"


def _lines(name: str, formula: str, values: FloatArray) -> Iterator[str]:
    title = name.replace("pre_", "pre-").replace("_", " ")
    shape = " x ".join(map(str, values.shape))
    yield f"  {title:<18}{formula}   ({shape})"
    dense = values if isinstance(values, np.ndarray) else values.toarray()
    text = np.array2string(dense, formatter={"float": "{:>10.4g}".format}, threshold=24, max_line_width=96)
    yield from (f"    {line}" for line in text.splitlines())


def explain(
    network: Network,
    parameters: Parameters,
    X: FloatArray,
    y: FloatArray,
    weight: FloatArray | None = None,
) -> StepExplanation:
    """Run one forward and one backward pass, and keep everything computed along the way.

    Parameters
    ----------
    network : Network
        The network.
    parameters : Parameters
        Its weights; they are not changed.
    X : ndarray or CSR of shape (n_rows, n_inputs)
        A small batch, in the dtype of the parameters.
    y : ndarray of shape (n_rows, n_targets)
        Its targets, as the loss expects them.
    weight : ndarray of shape (n_rows,) or None, default=None
        Weights w of its rows, not all zero. In formulas, n is then sum(w), and each row's loss and delta are
        multiplied by its weight.

    Returns
    -------
    StepExplanation
        Every layer's input, pre-activation, activation, delta and gradient, each with its formula.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import BinarySquaredError, Logistic, Network, explain
    >>> network = Network.mlp([2, 2, 1], Logistic(), BinarySquaredError())
    >>> parameters = network.initialize(np.random.RandomState(0), np.float64)
    >>> for layer in parameters.layers[::2]:
    ...     layer["weights"][...], layer["bias"][...] = [[0], [1]], 0
    >>> step = explain(network, parameters, np.array([[2.0, 3.0]]), np.array([[1.0]]))
    >>> step.layers[1].activation.round(4)
    array([[0.7216]])
    >>> step.layers[1].formulas["delta"]
    'dL/dz = ((p - y) * p * (1 - p)) / n'
    """
    watched = tuple(_Watched(layer) for layer in network.layers)
    twin = replace(network, layers=watched)
    workspace = Workspace(twin, parameters, X.shape[0])
    loss, penalty = twin.loss_and_gradient(X, y, weight, workspace)

    decay = f" + {network.l2:g} W / n" if network.l2 else ""
    layers = []
    for place, layer in enumerate(watched):
        values, gradient = parameters.layers[place], workspace.gradient.layers[place]
        if not values:  # an activation: part of the layer before it
            continue
        if layer is watched[-1]:
            activation, then = np.empty_like(layer.output), network.loss.formulas
            network.loss.predict(layer.output, out=activation)
        elif watched[place + 1].shapes:  # another layer with weights follows at once
            activation, then = layer.output.copy(), Activate(Identity(), layer.n_outputs).formulas
        else:
            activation, then = watched[place + 1].output, watched[place + 1].formulas
        formulas = {"input": "x", "weights": "W", "bias": "b", **layer.formulas, **then}
        formulas["weights_gradient"] += decay
        layers.append(
            LayerExplanation(
                input=layer.input,
                weights=values["weights"].copy(),
                bias=values["bias"].copy() if "bias" in values else None,
                pre_activation=layer.output,
                activation=activation,
                delta=layer.delta,
                weights_gradient=gradient["weights"],
                bias_gradient=gradient.get("bias"),
                input_gradient=layer.input_gradient if place else None,
                formulas=formulas,
            )
        )
    formulas = {"loss": network.loss.formulas["loss"], "penalty": f"{network.l2:g} ||W||^2 / (2 n)"}
    return StepExplanation(tuple(layers), y.copy(), loss, penalty, formulas)


@dataclass
class _Watched(Layer):
    """A layer that keeps copies of what goes in and out of another."""

    layer: Layer
    input: FloatArray = field(init=False)
    output: FloatArray = field(init=False)
    delta: FloatArray = field(init=False)
    input_gradient: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.n_outputs = self.layer.n_outputs

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return self.layer.shapes

    @property
    def formulas(self) -> Mapping[str, str]:
        return self.layer.formulas

    def initialize(self, rng: np.random.RandomState, parameters: LayerParameters) -> None:
        self.layer.initialize(rng, parameters)

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return self.layer.forward_buffers(n_rows, dtype)

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return self.layer.backward_buffers(n_rows, dtype)

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        self.input = x.copy()
        output = self.layer.forward(parameters, x, buffers)
        self.output = output.copy()
        return output

    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        self.delta = delta.copy()
        input_gradient = self.layer.backward(parameters, gradient, x, delta, buffers)
        self.input_gradient = input_gradient.copy()
        return input_gradient
