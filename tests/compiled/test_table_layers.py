"""RealMLP's layers compiled, against the core's own layers."""

import numpy as np
import pytest

pytest.importorskip("numba")

from hypothesis import given, settings
from hypothesis import strategies as st

from sknn_scratch.compiled.network import compiled_layers
from sknn_scratch.compiled.periodic import LARGEST
from sknn_scratch.core import (
    ACTIVATIONS,
    PBLD,
    SELU,
    Activate,
    Activation,
    CategoryEmbedding,
    Columns,
    Dropout,
    LogLoss,
    Network,
    NeuralTangent,
    Parameters,
    ParametricActivate,
    Part,
    Scale,
    Workspace,
)
from sknn_scratch.core.prediction import forward_by_blocks

DTYPES = [np.float64, np.float32]


def passes(layers, X, parameters, delta):
    """Output, gradient of the parameters, and gradient of the data, of layers in a row."""
    gradient = Parameters(parameters.shapes, np.full_like(parameters.flat, np.nan))
    memory = [
        layer.forward_buffers(len(X), X.dtype) | layer.backward_buffers(len(X), X.dtype) for layer in layers
    ]
    inputs, x = [], X
    for layer, theta, buffers in zip(layers, parameters.layers, memory, strict=True):
        inputs.append(x)
        x = layer.forward(theta, x, buffers)
    output, delta = x.copy(), delta.copy()
    steps = list(zip(layers, parameters.layers, gradient.layers, inputs, memory, strict=True))
    for layer, theta, of_layer, x, buffers in reversed(steps):
        delta = layer.backward(theta, of_layer, x, delta, buffers)
    return output, gradient.flat, delta


def assert_equal_passes(layers, X, seed=0, scale=1.0):
    rng, dtype = np.random.RandomState(seed), X.dtype
    own = compiled_layers(layers, dtype)
    shapes, own_shapes = [layer.shapes for layer in layers], [layer.shapes for layer in own]
    parameters = Parameters.empty(shapes, dtype)
    for layer, theta in zip(layers, parameters.layers, strict=True):
        layer.initialize(rng, theta)
        if "alpha" in theta:
            theta["alpha"][...] = rng.uniform(-0.5, 1.5, len(theta["alpha"]))
        if "scale" in theta:
            theta["scale"][...] = rng.uniform(-0.5, 1.5, len(theta["scale"]))
    delta = rng.standard_normal((len(X), layers[-1].n_outputs)).astype(dtype) * dtype.type(scale)
    expected = passes(layers, X, parameters, delta)
    values = passes(own, X, Parameters(own_shapes, parameters.flat), delta)
    # sums of n terms differ by n roundings
    tolerance = 32 * max(len(X), 8) * np.finfo(dtype).eps
    for value, wanted in zip(values, expected, strict=True):
        size = np.abs(wanted).max(initial=1)
        np.testing.assert_allclose(value, wanted, rtol=tolerance, atol=tolerance * size)


shapes = st.tuples(st.integers(1, 40), st.integers(1, 9), st.integers(1, 40))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", [Activate, ParametricActivate])
@pytest.mark.parametrize("name", list(ACTIVATIONS))
@settings(max_examples=5, deadline=None)
@given(shape=shapes, seed=st.integers(0, 99))
def test_a_hidden_layer_equals_the_layers_that_it_takes_the_place_of(name, kind, dtype, shape, seed):
    n_rows, n_inputs, units = shape
    layers = [NeuralTangent(n_inputs, units), kind(ACTIVATIONS[name](), units)]
    assert len(compiled_layers(layers, dtype)) == 1
    X = np.random.RandomState(seed).standard_normal((n_rows, n_inputs)).astype(dtype)
    assert_equal_passes(layers, X, seed)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", [None, Activate, ParametricActivate])
@settings(max_examples=5, deadline=None)
@given(shape=shapes, seed=st.integers(0, 99))
def test_a_layer_with_a_factor_for_each_input_equals_the_layers_that_it_takes_the_place_of(
    kind, dtype, shape, seed
):
    n_rows, n_inputs, units = shape
    layers = [Scale(n_inputs), NeuralTangent(n_inputs, units), *([kind(SELU(), units)] if kind else [])]
    assert len(compiled_layers(layers, dtype)) == 1
    X = np.random.RandomState(seed).standard_normal((n_rows, n_inputs)).astype(dtype)
    assert_equal_passes(layers, X, seed)


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=10, deadline=None)
@given(shape=shapes, seed=st.integers(0, 99))
def test_the_output_layer_equals_the_one_that_it_takes_the_place_of(dtype, shape, seed):
    n_rows, n_inputs, units = shape
    X = np.random.RandomState(seed).standard_normal((n_rows, n_inputs)).astype(dtype)
    assert_equal_passes([NeuralTangent(n_inputs, units)], X, seed)


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 5)),
    n_frequencies=st.integers(1, 20),
    size=st.integers(2, 6),
    seed=st.integers(0, 99),
)
def test_embedded_numbers_equal_those_of_the_core(dtype, shape, n_frequencies, size, seed):
    X = np.random.RandomState(seed).standard_normal(shape).astype(dtype)
    assert_equal_passes([PBLD(shape[1], n_frequencies, size)], X, seed)


@pytest.mark.parametrize("dtype", DTYPES)
def test_columns_equal_those_of_the_core(dtype):
    rng = np.random.RandomState(0)
    levels = rng.randint(0, 5, (30, 2))
    X = np.column_stack([rng.standard_normal((30, 5)), levels]).astype(dtype)
    parts = (
        Part(3, PBLD(3)),
        Part(2, None),
        Part(1, CategoryEmbedding(5, 3)),
        Part(1, CategoryEmbedding(9, 2)),
    )
    assert_equal_passes([Columns(parts), Scale(19)], X)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [0.0, 1e-40, 0.99 * LARGEST, 1e3 * LARGEST, np.inf, -np.inf, np.nan])
def test_waves_of_any_number_are_those_of_numpy(dtype, value):
    layer = PBLD(1, 3, 4)
    (own,) = compiled_layers([layer], dtype)
    parameters = Parameters.empty([layer.shapes], dtype)
    layer.initialize(np.random.RandomState(0), parameters.layers[0])
    parameters.layers[0]["frequencies"][...] = 1 / 8
    parameters.layers[0]["phases"][...] = 0
    X = np.array([[value], [1.0], [2.0]], dtype)
    with np.errstate(invalid="ignore"):
        expected = layer.forward(parameters.layers[0], X, layer.forward_buffers(3, dtype))
        output = own.forward(parameters.layers[0], X, own.forward_buffers(3, dtype))
    np.testing.assert_allclose(output, expected, rtol=50 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps)


def real_mlp():
    """A network as RealMLP's, with rows for it."""
    rng = np.random.RandomState(0)
    X = np.column_stack([rng.standard_normal((50, 4)), rng.randint(0, 7, 50)])
    columns = Columns((Part(3, PBLD(3)), Part(1, None), Part(1, CategoryEmbedding(7, 5))))
    layers = [columns, Scale(18)]
    for width in (18, 20):
        layers += [NeuralTangent(width, 20), ParametricActivate(SELU(), 20), Dropout(0.3, 20)]
    network = Network((*layers, NeuralTangent(20, 3)), LogLoss(), l2=0.1)
    return network, X, rng.randint(0, 3, (50, 1)).astype(float)


def test_a_step_of_a_compiled_network_equals_that_of_the_core_with_the_same_dropout():
    network, X, y = real_mlp()
    own = Network(tuple(compiled_layers(network.layers, X.dtype)), network.loss, network.l2)
    kinds = ["Columns", "NeuralTangentParametric", "NeuralTangentParametric", "Affine"]
    assert [type(layer).__name__ for layer in own.layers] == kinds
    parameters = network.initialize(np.random.RandomState(1), X.dtype)
    steps = [
        Workspace(net, Parameters(net.shapes, parameters.flat), 50, np.random.RandomState(2))
        for net in (network, own)
    ]
    for n_rows, strength in ((50, 1.0), (17, 0.5)):  # a short batch uses the first rows of the same memory
        for step in steps:
            step.regularization = strength
        losses = [
            net.loss_and_gradient(X[:n_rows], y[:n_rows], None, step)
            for net, step in zip((network, own), steps, strict=True)
        ]
        np.testing.assert_allclose(losses[1], losses[0], rtol=1e-12)
        np.testing.assert_allclose(steps[1].gradient.flat, steps[0].gradient.flat, rtol=1e-12, atol=1e-12)


def test_a_compiled_network_draws_the_same_first_weights():
    network, X, _ = real_mlp()
    own = Network(tuple(compiled_layers(network.layers, X.dtype)), network.loss)
    flat, own_flat = (net.initialize(np.random.RandomState(1), X.dtype).flat for net in (network, own))
    np.testing.assert_array_equal(own_flat, flat)


def test_predictions_by_blocks_equal_those_of_the_core():
    network, X, _ = real_mlp()
    X = np.tile(X, (200, 1))
    own = compiled_layers(network.layers, X.dtype)
    parameters = network.initialize(np.random.RandomState(1), X.dtype)
    expected = forward_by_blocks(network.layers, X, parameters.layers)
    own_layers = Parameters([layer.shapes for layer in own], parameters.flat).layers
    np.testing.assert_allclose(forward_by_blocks(own, X, own_layers), expected, rtol=1e-12, atol=1e-12)


def test_an_activation_without_formulas_stays_in_numpy():
    class Sine(Activation):
        def forward(self, z, out):
            np.sin(z, out=out)

        def backward(self, z, a, delta):
            delta *= np.cos(z)

    layers = [NeuralTangent(2, 4), ParametricActivate(Sine(), 4), NeuralTangent(4, 1)]
    own = compiled_layers(layers, np.float64)
    assert own[1] is layers[1]
    assert_equal_passes(layers, np.ones((3, 2)))
    assert len(own) == 3
