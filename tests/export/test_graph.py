"""What of the export needs no ONNX library: the graphs that are written."""

import builtins

import numpy as np
import pytest
from sklearn.datasets import load_iris

from sknn_scratch import ScratchRealMLPClassifier
from sknn_scratch.core import ACTIVATIONS, LOSSES, Activation, Huber
from sknn_scratch.core.losses.links import INVERSE_LINKS
from sknn_scratch.export import register_skl2onnx, to_onnx
from sknn_scratch.export._activations import activation
from sknn_scratch.export._graph import Graph
from sknn_scratch.export._links import combined, predictions
from sknn_scratch.export._outputs import of_numbers


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_activation_has_operators(name):
    graph = Graph(np.float64)
    result = activation(graph, ACTIVATIONS[name](), "z")
    assert result == "z" or result in graph.nodes[-1].outputs


@pytest.mark.parametrize("link", INVERSE_LINKS)
def test_each_link_has_operators(link):
    loss = next(kind for kind in LOSSES.values() if kind.link_inverse == link)()
    graph = Graph(np.float64)
    assert predictions(graph, loss, "raw")
    assert combined(graph, loss, ["raw_1", "raw_2"]) in graph.nodes[-1].outputs


class Sine(Activation):
    formula = "sin(z)"

    def forward(self, z, out):
        np.sin(z, out=out)

    def backward(self, z, a, delta):
        delta *= np.cos(z)


class HuberOfSquares(Huber):
    def predict(self, raw, out):
        np.square(raw, out=out)


class HuberInOtherUnits(Huber):
    def raw_in_units(self, raw, offset, scale):
        return raw


class TwoNumbers(Huber):
    raw_per_target = 2


def test_functions_of_ones_own_are_refused():
    with pytest.raises(ValueError, match=r"The activation Sine\(\) has no ONNX operators"):
        activation(Graph(np.float64), Sine(), "z")
    with pytest.raises(ValueError, match=r"The loss HuberOfSquares\(.*\) has a link of its own"):
        predictions(Graph(np.float64), HuberOfSquares(), "raw")
    with pytest.raises(ValueError, match=r"The loss HuberInOtherUnits\(.*\) has a link of its own"):
        predictions(Graph(np.float64), HuberInOtherUnits(), "raw")
    with pytest.raises(ValueError, match=r"The loss TwoNumbers\(.*\) predicts 2 numbers for a target"):
        of_numbers(Graph(np.float64), TwoNumbers(), "kinds", 1)


@pytest.mark.parametrize("export", [lambda: to_onnx(*fitted()), register_skl2onnx], ids=["onnx", "skl2onnx"])
def test_a_missing_library_is_named(export, monkeypatch):
    def without_onnx(name, *args, **kwargs):
        if name.partition(".")[0] in ("onnx", "skl2onnx"):
            raise ImportError(f"No module named {name!r}")
        return imported(name, *args, **kwargs)

    imported = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without_onnx)
    with pytest.raises(ImportError, match=r"No module named '(skl2)?onnx'. Install .*\[onnx\]"):
        export()


def fitted():
    X, y = load_iris(return_X_y=True)
    return ScratchRealMLPClassifier(max_iter=1, n_cv=1, random_state=0).fit(X, y), X
