"""`gradient_errors` finds right gradients right and wrong ones wrong, and says where."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
import reference
from scipy.sparse import csr_matrix

from sknn_scratch.core import (
    ACTIVATIONS,
    LOSSES,
    Activation,
    Dense,
    Loss,
    Network,
    ReLU,
    SquaredError,
    Tanh,
    explain,
    gradient_errors,
)

N_ROWS = 4


def largest(errors):
    return max(error for layer in errors for error in layer.values())


def of_dense_layers(errors):
    return [layer for layer in errors if layer]


def problem(network, seed=0):
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(N_ROWS, network.layers[0].n_inputs))
    y = reference.draw_targets(rng, network.loss, N_ROWS, network.n_outputs)
    return network.initialize(rng, np.float64), X, y, rng.uniform(0.3, 2.0, N_ROWS)


def is_smooth_and_alive(activation, loss, step):
    """Neither a hidden unit nor the loss is at a kink, and no gradient has vanished."""
    *hidden, last = step.layers
    distances = [np.abs(layer.pre_activation).min() for layer in hidden]
    distances.append(reference.distance_to_kink(loss, last.pre_activation, step.target))
    is_at_kink = any(reference.crosses_kink(activation, layer.pre_activation, 1e-3) for layer in hidden)
    is_alive = all(np.abs(layer.delta.sum(axis=0)).max() > 1e-3 for layer in step.layers)
    return min(distances) > 1e-3 and is_alive and not is_at_kink


@pytest.mark.parametrize(
    ("activation", "loss", "depth", "fit_intercept", "weighted", "l2"),
    reference.networks(ACTIVATIONS, LOSSES),
)
def test_right_gradients_are_found_right(activation, loss, depth, fit_intercept, weighted, l2):
    network = Network.mlp(
        [2, *[3] * depth, 2], ACTIVATIONS[activation](), LOSSES[loss](), l2, fit_intercept=fit_intercept
    )
    for seed in itertools.count():
        parameters, X, y, weight = problem(network, seed)
        weight = weight if weighted else None
        if is_smooth_and_alive(activation, loss, explain(network, parameters, X, y, weight)):
            break
        assert seed < 1000
    errors = gradient_errors(network, parameters, X, y, weight)
    assert [set(layer) for layer in errors] == [set(layer.shapes) for layer in network.layers]
    assert largest(errors) < 1e-6


def test_sparse_rows_give_what_dense_rows_give():
    network = Network.mlp([4, 3, 2], Tanh(), SquaredError(), 0.1)
    parameters, X, y, weight = problem(network)
    X[0] = X[:, 1] = 0
    assert largest(gradient_errors(network, parameters, csr_matrix(X), y, weight)) < 1e-7


@dataclass
class TanhWithoutTheSquare(Activation):
    """f'(z) is 1 - a^2, not 1 - a."""

    def forward(self, z, out):
        np.tanh(z, out=out)

    def backward(self, z, a, delta):
        delta *= 1 - a


def test_a_wrong_activation_shows_in_the_layers_before_it_and_only_there():
    network = Network.mlp([3, 4, 4, 4, 2], [Tanh(), TanhWithoutTheSquare(), Tanh()], SquaredError())
    first, before, *after = of_dense_layers(gradient_errors(network, *problem(network)))
    assert min(first.values()) > 1e-2
    assert min(before.values()) > 1e-2
    assert len(after) == 2
    assert largest(after) < 1e-6


@dataclass(frozen=True)
class DenseWithoutBiasGradient(Dense):
    """Forgets that b learns too."""

    def backward(self, parameters, gradient, x, delta, buffers):
        delta_x = super().backward(parameters, gradient, x, delta, buffers)
        gradient["bias"][...] = 0
        return delta_x


def test_a_wrong_layer_shows_in_the_array_that_is_wrong_and_only_there():
    right = Network.mlp([3, 4, 4, 2], Tanh(), SquaredError(), 0.1)
    layers = list(right.layers)
    layers[2] = DenseWithoutBiasGradient(4, 4)
    network = Network(tuple(layers), SquaredError(), 0.1)
    first, wrong, last = of_dense_layers(gradient_errors(network, *problem(network)))
    assert wrong.pop("bias") == 1.0
    assert largest([first, wrong, last]) < 1e-6


@dataclass
class SquaredErrorWithoutTheHalf(Loss):
    """The value is twice what the gradient belongs to."""

    link_inverse = "identity"

    def value_and_gradient(self, raw, y, weight, out, per_row):
        return 2 * SquaredError().value_and_gradient(raw, y, weight, out, per_row)


def test_a_wrong_loss_shows_everywhere():
    network = Network.mlp([3, 4, 2], Tanh(), SquaredErrorWithoutTheHalf())
    for layer in of_dense_layers(gradient_errors(network, *problem(network))):
        assert list(layer.values()) == pytest.approx([0.5, 0.5])


def test_nothing_is_changed():
    network = Network.mlp([3, 4, 2], Tanh(), SquaredError(), 0.1)
    parameters, X, y, weight = problem(network)
    before = [array.copy() for array in (parameters.flat, X, y, weight)]
    parameters.flat.setflags(write=False)  # not even for a moment
    gradient_errors(network, parameters, X, y, weight)
    for array, copied in zip((parameters.flat, X, y, weight), before, strict=True):
        np.testing.assert_array_equal(array, copied)


def test_gradients_of_zero_are_right():
    network = Network.mlp([3, 4, 2], ReLU(), SquaredError())
    parameters, X, y, _ = problem(network)
    parameters.layers[0]["bias"][...] = -100  # no unit fires: only the last biases learn
    hidden, last = of_dense_layers(gradient_errors(network, parameters, X, y))
    assert hidden == {"weights": 0.0, "bias": 0.0}
    assert last["weights"] == 0.0
    assert 0.0 < last["bias"] < 1e-6
    assert all(type(error) is float for layer in (hidden, last) for error in layer.values())


def test_a_right_gradient_below_the_rounding_of_the_loss_is_not_called_wrong():
    network = Network.mlp([3, 4, 2], Tanh(), SquaredError())
    parameters, X, y, _ = problem(network)
    for bias in (15.0, 18.0, 19.0):  # the units saturate: f' is 4e-13, 9e-16, then exactly 0
        parameters.layers[0]["bias"][...] = bias
        assert largest(gradient_errors(network, parameters, X, y)) < 1e-5
