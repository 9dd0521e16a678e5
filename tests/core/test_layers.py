import numpy as np
import pytest
import reference
from scipy.sparse import csr_matrix

from sknn_scratch.core import (
    ACTIVATIONS,
    PBLD,
    Activate,
    CategoryEmbedding,
    Columns,
    Dense,
    Layer,
    NeuralTangent,
    Parameters,
    ParametricActivate,
    Part,
    Scale,
)

N_ROWS = 4
LAYERS = (
    {
        "dense": Dense(3, 2),
        "neural_tangent": NeuralTangent(3, 2),
        "scale": Scale(3),
        "pbld": PBLD(3, n_frequencies=5, size=3),
        "columns": Columns((Part(2, PBLD(2)), Part(1, None))),
    }
    | {name: Activate(ACTIVATIONS[name](), 3) for name in ACTIVATIONS}
    | {f"parametric_{name}": ParametricActivate(ACTIVATIONS[name](), 3) for name in ACTIVATIONS}
)

each_layer = pytest.mark.parametrize("name", sorted(LAYERS))


def prepared(layer, n_rows=N_ROWS, dtype=np.float64):
    rng = np.random.RandomState(0)
    parameters, gradient = (Parameters.empty([layer.shapes], dtype) for _ in range(2))
    layer.initialize(rng, parameters.layers[0])
    parameters.flat += 0.1  # so that no factor is 1
    gradient.flat[...] = np.nan
    buffers = layer.forward_buffers(n_rows, dtype) | layer.backward_buffers(n_rows, dtype)
    x = (rng.uniform(0.2, 1.5, (n_rows, 3)) * rng.choice([-1, 1], (n_rows, 3))).astype(dtype)
    return x, parameters, gradient, buffers


@each_layer
def test_backward_is_the_gradient_of_forward(name):
    layer = LAYERS[name]
    x, parameters, gradient, buffers = prepared(layer)
    seen = layer.forward(parameters.layers[0], x.copy(), buffers).shape
    upstream = np.random.RandomState(1).normal(size=seen)

    def scalar(theta, inputs):
        memory = layer.forward_buffers(N_ROWS, inputs.dtype)
        values = Parameters([layer.shapes], theta).layers[0]
        return (upstream * layer.forward(values, inputs.copy(), memory)).sum()

    kept = x.copy()
    layer.forward(parameters.layers[0], kept, buffers)
    delta_x = layer.backward(parameters.layers[0], gradient.layers[0], kept, upstream.copy(), buffers)

    by_input = np.empty_like(x)
    for index in np.ndindex(x.shape):
        by_input[index] = reference.derivative(
            lambda value, index=index: scalar(parameters.flat, _changed(x, index, value)), x[index]
        )
    np.testing.assert_allclose(delta_x, by_input, rtol=1e-8, atol=1e-11)
    for i in range(parameters.flat.size):
        numeric = reference.derivative(
            lambda value, i=i: scalar(_changed(parameters.flat, i, value), x), parameters.flat[i]
        )
        assert gradient.flat[i] == pytest.approx(numeric, rel=1e-8, abs=1e-11)


def _changed(array, index, value):
    array = array.copy()
    array[index] = value
    return array


@each_layer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_buffer_has_one_row_a_row_and_the_dtype_asked_for(name, dtype):
    buffers = LAYERS[name].forward_buffers(5, dtype) | LAYERS[name].backward_buffers(5, dtype)
    assert all(len(array) == 5 and array.dtype == dtype for array in buffers.values())


def test_sparse_rows_give_what_dense_rows_give():
    layer = LAYERS["dense"]
    x, parameters, gradient, buffers = prepared(layer)
    x[0] = x[:, 1] = 0
    results = []
    for data in (x, csr_matrix(x)):
        z = layer.forward(parameters.layers[0], data, buffers).copy()
        layer.backward(parameters.layers[0], gradient.layers[0], data, np.ones_like(z), buffers)
        results.append((z, gradient.flat.copy()))
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=1e-14)
    np.testing.assert_allclose(results[1][1], results[0][1], rtol=1e-14)


def test_a_layer_without_a_backward_pass_cannot_be_made():
    class Half(Layer):
        shapes = {}

        def forward(self, parameters, x, buffers):
            return x / 2

    with pytest.raises(TypeError, match="backward"):
        Half()


def test_a_level_learns_from_its_own_rows():
    layer, n_rows = Columns((Part(1, None), Part(1, CategoryEmbedding(4, 3)))), 5
    parameters, gradient = (Parameters.empty([layer.shapes], np.float64) for _ in range(2))
    layer.initialize(np.random.RandomState(0), parameters.layers[0])
    buffers = layer.forward_buffers(n_rows, np.float64) | layer.backward_buffers(n_rows, np.float64)
    x = np.column_stack([np.arange(5.0), [2, 0, 2, 3, 2]])
    upstream = np.random.RandomState(1).normal(size=(n_rows, 4))

    z = layer.forward(parameters.layers[0], x, buffers)
    np.testing.assert_array_equal(z[:, 0], x[:, 0])
    np.testing.assert_array_equal(z[:, 1:], parameters.layers[0]["1.vectors"][[2, 0, 2, 3, 2]])
    delta_x = layer.backward(parameters.layers[0], gradient.layers[0], x, upstream.copy(), buffers)
    np.testing.assert_array_equal(delta_x, np.column_stack([upstream[:, 0], np.zeros(5)]))
    expected = [upstream[1], np.zeros(4), upstream[0] + upstream[2] + upstream[4], upstream[3]]
    np.testing.assert_allclose(gradient.layers[0]["1.vectors"], np.array(expected)[:, 1:], rtol=1e-15)


def test_pbld_is_the_papers_formula():
    layer, rng = PBLD(2), np.random.RandomState(0)
    parameters = Parameters.empty([layer.shapes], np.float64)
    layer.initialize(rng, parameters.layers[0])
    w, b, V, c = (parameters.layers[0][name] for name in ("frequencies", "phases", "mixture", "offset"))
    x = rng.normal(size=(7, 2))
    e = layer.forward(parameters.layers[0], x, layer.forward_buffers(7, np.float64))
    for i in range(2):
        waves = np.cos(2 * np.pi * np.outer(x[:, i], w[i]) + b[i])
        np.testing.assert_allclose(e[:, 4 * i : 4 * i + 3], waves @ V[i] + c[i], rtol=1e-12)
        np.testing.assert_array_equal(e[:, 4 * i + 3], x[:, i])


def test_pbld_starts_as_the_recipe_says():
    layer = PBLD(500, n_frequencies=16, sigma=0.1)
    parameters = Parameters.empty([layer.shapes], np.float64)
    layer.initialize(np.random.RandomState(0), parameters.layers[0])
    first = parameters.layers[0]
    assert first["frequencies"].std() == pytest.approx(0.1, rel=0.05)
    for name, bound in (("phases", np.pi), ("mixture", 0.25), ("offset", 0.25)):
        assert 0.98 * bound < first[name].max() <= bound
        assert -bound <= first[name].min() < -0.98 * bound
