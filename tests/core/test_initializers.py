import numpy as np
import pytest

from sknn_scratch.core import ACTIVATIONS, Network, SquaredError, glorot_uniform


@pytest.mark.parametrize("factor", [2.0, 6.0])
def test_glorot_is_uniform_within_its_bound(factor):
    values = glorot_uniform(np.random.RandomState(0), 30, 20, (300, 200), factor)
    bound = np.sqrt(factor / 50)
    assert values.shape == (300, 200)
    assert 0.999 * bound < np.abs(values).max() <= bound
    assert abs(values.mean()) < 0.01 * bound
    # the variance of a uniform distribution on [-b, b] is b^2 / 3
    assert values.var() == pytest.approx(factor / 50 / 3, rel=0.02)


def test_glorot_draws_from_the_generator_it_is_given_and_no_other():
    np.random.seed(0)
    untouched = np.random.get_state()[1].copy()
    first, second = (glorot_uniform(np.random.RandomState(7), 3, 4, (3, 4)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(np.random.get_state()[1], untouched)


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
