import numpy as np
import pytest
import reference

from sknn_scratch.core import (
    ACTIVATIONS,
    INITIALIZERS,
    FromFunction,
    Network,
    Normal,
    Orthogonal,
    ScikitLearn,
    SquaredError,
    Tanh,
    Uniform,
)

INSTANCES = {name: kind() for name, kind in INITIALIZERS.items()} | {"scikit-learn": ScikitLearn(2.0)}
each_initializer = pytest.mark.parametrize("name", sorted(INSTANCES))


@each_initializer
def test_weights_have_their_shape_and_come_from_the_generator_given(name):
    np.random.seed(0)
    untouched = np.random.get_state()[1].copy()
    first, second = (INSTANCES[name](3, 4, np.random.RandomState(7)) for _ in range(2))
    assert first.shape == (3, 4)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(np.random.get_state()[1], untouched)


@each_initializer
def test_biases_start_at_zero_except_in_scikit_learns_way(name):
    bias = INSTANCES[name].bias(3, 4, np.random.RandomState(0))
    assert bias.shape == (4,)
    assert bias.any() == (name == "scikit-learn")


@each_initializer
def test_weights_have_the_spread_of_their_rule_around_zero(name):
    weights = INSTANCES[name](300, 200, np.random.RandomState(0))
    standard_deviation = reference.INITIALIZERS[name](300, 200)
    assert abs(weights.mean()) <= 0.01 * standard_deviation
    assert weights.std() == pytest.approx(standard_deviation, rel=0.01)


def test_uniform_and_normal_take_their_limits():
    rng = np.random.RandomState(0)
    weights = Uniform(2, 3)(50, 50, rng)
    assert 2 <= weights.min() < 2.01
    assert 2.99 < weights.max() < 3
    assert Normal(0.01)(200, 200, rng).std() == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize(("fan_in", "fan_out"), [(5, 3), (3, 5), (4, 4)])
def test_orthogonal_weights_are_orthogonal_times_the_gain(fan_in, fan_out):
    weights = Orthogonal(2.0)(fan_in, fan_out, np.random.RandomState(0))
    product = weights.T @ weights if fan_in >= fan_out else weights @ weights.T
    np.testing.assert_allclose(product, 4 * np.eye(min(fan_in, fan_out)), atol=1e-12)


def test_a_function_of_the_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"weight_init=.*\(2, 3\), got \(3,\)"):
        FromFunction(lambda fan_in, fan_out, rng: np.zeros(fan_out))(2, 3, np.random.RandomState(0))


def test_a_network_without_biases_learns_none():
    network = Network.mlp([2, 3, 1], Tanh(), SquaredError(), fit_intercept=False)
    parameters = network.initialize(np.random.RandomState(0), np.float64)
    assert parameters.flat.size == 2 * 3 + 3
    assert not network.raw_scores(np.zeros((4, 2)), parameters.layers).any()


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_a_network_draws_weights_then_bias_layer_by_layer_with_the_factor_of_its_activation(name):
    activation = ACTIVATIONS[name]()
    parameters = Network.mlp([3, 5, 2], activation, SquaredError()).initialize(
        np.random.RandomState(3), np.float64
    )
    rng = np.random.RandomState(3)
    for layer, (fan_in, fan_out) in zip(parameters.layers[::2], [(3, 5), (5, 2)], strict=True):
        bound = np.sqrt(activation.glorot_factor / (fan_in + fan_out))
        np.testing.assert_array_equal(layer["weights"], rng.uniform(-bound, bound, (fan_in, fan_out)))
        np.testing.assert_array_equal(layer["bias"], rng.uniform(-bound, bound, fan_out))


def test_a_float32_network_starts_from_the_same_values_rounded():
    network = Network.mlp([3, 2], ACTIVATIONS["relu"](), SquaredError())
    narrow, wide = (network.initialize(np.random.RandomState(0), dtype) for dtype in (np.float32, np.float64))
    assert narrow.flat.dtype == np.float32
    np.testing.assert_array_equal(narrow.flat, wide.flat.astype(np.float32))
