import itertools

import numpy as np
import pytest

from sknn_scratch.core import (
    SELU,
    Activate,
    Network,
    NeuralTangent,
    ParametricActivate,
    Scale,
    SquaredError,
    Zeros,
    fit_first_weights,
)

SIZES = [6, 40, 30, 2]


def prepared(n_rows=300, kind=ParametricActivate):
    rng = np.random.RandomState(0)
    layers = [Scale(6)]
    for n_inputs, n_outputs in itertools.pairwise(SIZES):
        layers += [NeuralTangent(n_inputs, n_outputs), kind(SELU(), n_outputs)]
    network = Network(tuple(layers[:-1]), SquaredError())
    X = rng.gamma(1.0, 3.0, (n_rows, 6))
    return network, network.initialize(rng, np.float64), X, rng


def inputs_of_dense_layers(network, parameters, X):
    x = X
    for layer, of_layer in zip(network.layers, parameters.layers, strict=True):
        if isinstance(layer, NeuralTangent):
            yield layer, of_layer, x
        x = layer.forward(of_layer, x.copy(), layer.forward_buffers(len(x), X.dtype))


@pytest.mark.parametrize("kind", [Activate, ParametricActivate])  # one of them works in place
def test_each_pre_activation_has_the_variance_1(kind):
    network, parameters, X, rng = prepared(kind=kind)
    fit_first_weights(network, parameters, X, rng)
    for layer, of_layer, x in inputs_of_dense_layers(network, parameters, X):
        z = x @ of_layer["weights"] / np.sqrt(layer.n_inputs)
        np.testing.assert_allclose(z.std(axis=0), 1.0, rtol=1e-12)


def test_minus_a_bias_is_a_convex_combination_of_pre_activations():
    network, parameters, X, rng = prepared(n_rows=3)
    fit_first_weights(network, parameters, X, rng)
    for layer, of_layer, x in inputs_of_dense_layers(network, parameters, X):
        z = x @ of_layer["weights"] / np.sqrt(layer.n_inputs)
        assert ((z.min(axis=0) <= -of_layer["bias"]) & (-of_layer["bias"] <= z.max(axis=0))).all()
        assert (
            len(np.unique(of_layer["bias"])) == layer.n_outputs
        )  # each unit has rows and weights of its own


def test_biases_have_the_distribution_of_five_exponential_weights():
    """Of z ~ N(0, 1), sum_k e_k z_k has the variance E sum_k e_k^2 = 5 * 2 / (5 * 6) = 1/3."""
    rng = np.random.RandomState(0)
    network = Network((NeuralTangent(1, 4000),), SquaredError())
    parameters = network.initialize(rng, np.float64)
    fit_first_weights(network, parameters, rng.normal(size=(5000, 1)), rng)
    assert parameters.layers[0]["bias"].var() == pytest.approx(1 / 3, rel=0.1)
    assert parameters.layers[0]["bias"].mean() == pytest.approx(0.0, abs=0.05)


def test_a_unit_that_is_constant_keeps_its_weights():
    network, parameters, X, rng = prepared()
    drawn = parameters.copy()
    fit_first_weights(network, parameters, np.ones_like(X), rng, place_biases=False)
    np.testing.assert_array_equal(parameters.flat, drawn.flat)


def test_parts_of_it_can_be_left_out():
    network, parameters, X, rng = prepared()
    drawn = parameters.copy()
    fit_first_weights(network, parameters, X, rng, scale_weights=False)
    for fitted, before in zip(parameters.layers, drawn.layers, strict=True):
        if "bias" in before:
            np.testing.assert_array_equal(fitted["weights"], before["weights"])
            assert not np.array_equal(fitted["bias"], before["bias"])


def test_zero_weights_stay_zero():
    network = Network((NeuralTangent(6, 2, Zeros(), Zeros()),), SquaredError())
    parameters = network.initialize(np.random.RandomState(0), np.float32)
    fit_first_weights(network, parameters, np.ones((5, 6), np.float32), np.random.RandomState(0))
    assert not parameters.flat.any()
    assert parameters.flat.dtype == np.float32
