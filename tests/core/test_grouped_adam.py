import numpy as np
import pytest

from sknn_scratch.core import AdamW, GroupedAdam, Parameters
from sknn_scratch.core.optimizers import BYTES_OF_A_PART

SHAPES = [{"weights": (3, 2), "bias": (2,)}, {"0.scale": (4,)}]
RATES = {"bias": 0.1, "scale": 6.0}


def trained(rule, factors=None, regularization=1.0, n_steps=7):
    rng = np.random.RandomState(0)
    theta = Parameters(SHAPES, rng.normal(size=12))
    state = rule.init(theta.flat)
    state.regularization = regularization
    if factors is not None:
        rule.set_factors(state, SHAPES, *factors)
    for _ in range(n_steps):
        rule.step(theta.flat, rng.normal(size=12), state, learning_rate=0.01)
    return theta


def test_without_factors_it_is_adamw():
    settings = {"weight_decay": 0.3, "beta_2": 0.95}
    expected = trained(AdamW(**settings)).flat
    np.testing.assert_allclose(trained(GroupedAdam(**settings)).flat, expected, rtol=1e-13)


def test_each_group_has_its_learning_rate_by_the_last_part_of_the_name():
    layers = trained(GroupedAdam(), (RATES, {})).layers
    start = trained(GroupedAdam(), n_steps=0).layers
    for layer, name, rate in [(0, "weights", 1.0), (0, "bias", 0.1), (1, "0.scale", 6.0)]:
        alone = trained(GroupedAdam()).layers[layer][name]
        np.testing.assert_allclose(
            layers[layer][name] - start[layer][name], rate * (alone - start[layer][name]), rtol=1e-12
        )


def test_the_decay_has_the_learning_rate_factor_squared():
    """p <- p (1 - s wd lr f_lr^2 f_wd) before the step, with gradients of zero there is nothing else."""
    rule, theta = GroupedAdam(weight_decay=0.5), Parameters(SHAPES, np.ones(12))
    state = rule.init(theta.flat)
    rule.set_factors(state, SHAPES, RATES, {"bias": 0.0})
    state.regularization = 0.25
    rule.step(theta.flat, np.zeros(12), state, learning_rate=0.02)
    np.testing.assert_allclose(theta.layers[0]["weights"], 1 - 0.25 * 0.5 * 0.02, rtol=1e-15)
    np.testing.assert_array_equal(theta.layers[0]["bias"], 1.0)
    np.testing.assert_allclose(theta.layers[1]["0.scale"], 1 - 0.25 * 0.5 * 0.02 * 36, rtol=1e-15)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_it_stays_in_float32(weight_decay):
    rule, theta = GroupedAdam(weight_decay=np.float64(weight_decay)), np.ones(3, np.float32)
    state = rule.init(theta)
    rule.step(theta, np.ones(3, np.float32), state, learning_rate=np.float64(0.1))
    assert theta.dtype == np.float32
    arrays = [*state.averages.values(), *state.factors.values()]
    assert all(array.dtype == np.float32 for array in arrays)


def test_the_rule_can_go_part_by_part():
    """It is elementwise: any cut of the flat vectors gives the same step."""
    rule, rng = GroupedAdam(weight_decay=0.1), np.random.RandomState(0)
    theta, gradient = rng.normal(size=12), rng.normal(size=12)
    whole, state = theta.copy(), rule.init(theta)
    rule.step(whole, gradient.copy(), state, 0.01)
    for part in (slice(0, 5), slice(5, 12)):
        piece = rule.init(theta[part])
        rule.step(theta[part], gradient[part].copy(), piece, 0.01)
    np.testing.assert_array_equal(theta, whole)


def test_large_layers_of_weights_have_the_step_of_small_ones():
    """Parts of the vector in which all factors are the same are given one number instead of an array."""
    n = BYTES_OF_A_PART // 8 + 5  # weights of more than a part, then biases
    shapes = [{"weights": (n, 2), "bias": (3,)}]
    rule, rng = GroupedAdam(weight_decay=0.1), np.random.RandomState(0)
    large, small = Parameters(shapes, rng.normal(size=2 * n + 3)), Parameters(SHAPES, np.ones(12))
    large.flat[[0, 1, n, 2 * n - 1]], large.layers[0]["bias"][:2] = 1.0, 1.0
    for theta in (large, small):
        state = rule.init(theta.flat)
        rule.set_factors(state, theta.shapes, {"weights": 0.5, "bias": 0.1}, {"bias": 0.0})
        for _ in range(2):
            rule.step(theta.flat, np.full(theta.flat.size, 0.3), state.copy(), 0.01)
    weight, bias = (small.layers[0][name].flat[0] for name in ("weights", "bias"))
    np.testing.assert_array_equal(large.flat[[0, 1, n, 2 * n - 1]], weight)
    np.testing.assert_array_equal(large.layers[0]["bias"][:2], bias)
    assert weight < bias < 1


def test_factors_are_no_averages():
    """What goes over the averages, such as a checkpoint, meets only what steps change."""
    state = GroupedAdam(weight_decay=0.1).init(np.ones(3))
    assert set(state.averages) == {"m", "v"}
    assert set(state.factors) == {"rate", "decay"}


def test_training_goes_on_in_another_precision():
    rule, theta = GroupedAdam(weight_decay=0.1), np.ones(12, np.float32)
    state = rule.init(theta)
    rule.set_factors(state, SHAPES, RATES, {})
    rule.step(theta, np.ones(12, np.float32), state, 0.1)
    wide = state.astype(np.float64)
    assert wide.n_steps == 1
    for name, array in (state.averages | state.factors).items():
        np.testing.assert_array_equal((wide.averages | wide.factors)[name], array.astype(float), strict=True)


def test_new_factors_are_not_those_of_copies():
    rule = GroupedAdam()
    state = rule.init(np.ones(12))
    copy = state.copy()
    rule.set_factors(state, SHAPES, RATES, {})
    np.testing.assert_array_equal(copy.factors["rate"], 1.0)
