import math

import numpy as np
import pytest
import reference

from sknn_scratch.core import OPTIMIZERS, SGD, Adam, AdamW, Optimizer, RMSprop
from sknn_scratch.core.machine.blocks import BLOCK

each_optimizer = pytest.mark.parametrize("name", sorted(OPTIMIZERS))


def descend(rule, gradient, theta, learning_rate, n_steps):
    theta = np.array(theta, dtype=float)
    state = rule.init(theta)
    for _ in range(n_steps):
        rule.step(theta, gradient(theta), state, learning_rate)
    return theta


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_is_the_textbook_rule(momentum, nesterov):
    rng = np.random.RandomState(0)
    rule, theta = SGD(momentum, nesterov), rng.normal(size=11)
    state, expected, velocity = rule.init(theta), [theta.copy()], [np.zeros(11)]
    for step in range(20):
        g, learning_rate = rng.normal(size=11), 0.1 / (step + 1)
        expected, velocity = reference.sgd_step(
            expected, [g], velocity, step + 1, learning_rate, momentum, nesterov
        )
        rule.step(theta, g.copy(), state, learning_rate)
        np.testing.assert_allclose(theta, expected[0], rtol=1e-10, atol=1e-15)
    assert state.n_steps == 20


@pytest.mark.parametrize(
    ("beta_1", "beta_2", "epsilon"),
    [(0.9, 0.999, 1e-8), (0.0, 0.999, 1e-8), (0.9, 0.0, 1e-8), (0.5, 0.9, 1e-2), (0.99, 0.9999, 1e-3)],
)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_adam_is_the_papers_rule(beta_1, beta_2, epsilon, scale):
    rng = np.random.RandomState(0)
    rule, theta = Adam(beta_1, beta_2, epsilon), rng.normal(size=11)
    state, expected, m, v = rule.init(theta), [theta.copy()], [np.zeros(11)], [np.zeros(11)]
    for t in range(1, 21):
        g, learning_rate = scale * rng.normal(size=11), 0.01 * t
        expected, m, v = reference.adam_step(expected, [g], m, v, t, learning_rate, beta_1, beta_2, epsilon)
        rule.step(theta, g.copy(), state, learning_rate)
        np.testing.assert_allclose(theta, expected[0], rtol=1e-10, atol=1e-13)
    assert state.n_steps == 20


@pytest.mark.parametrize(
    ("weight_decay", "beta_1", "beta_2", "epsilon"),
    [(0.01, 0.9, 0.999, 1e-8), (0.0, 0.9, 0.999, 1e-8), (0.5, 0.0, 0.9, 1e-2), (2.0, 0.99, 0.0, 1e-3)],
)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_adamw_is_the_papers_rule(weight_decay, beta_1, beta_2, epsilon, scale):
    rng = np.random.RandomState(0)
    rule, theta = AdamW(weight_decay, beta_1, beta_2, epsilon), rng.normal(size=11)
    state, expected, m, v = rule.init(theta), [theta.copy()], [np.zeros(11)], [np.zeros(11)]
    for t in range(1, 21):
        g, learning_rate = scale * rng.normal(size=11), 0.01 * t
        expected, m, v = reference.adamw_step(
            expected, [g], m, v, t, learning_rate, weight_decay, beta_1, beta_2, epsilon
        )
        rule.step(theta, g.copy(), state, learning_rate)
        np.testing.assert_allclose(theta, expected[0], rtol=1e-10, atol=1e-13)
    assert state.n_steps == 20


@pytest.mark.parametrize(
    ("alpha", "epsilon", "momentum"),
    [(0.99, 1e-8, 0.0), (0.0, 1e-8, 0.0), (0.9, 1e-2, 0.5), (0.5, 1e-6, 1.0)],
)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("n_parameters", [11, BLOCK + 3])
def test_rmsprop_is_the_lectures_rule(alpha, epsilon, momentum, scale, n_parameters):
    rng = np.random.RandomState(0)
    rule, theta = RMSprop(alpha, epsilon, momentum), rng.normal(size=n_parameters)
    state, expected = rule.init(theta), [theta.copy()]
    v, velocity = [np.zeros(n_parameters)], [np.zeros(n_parameters)]
    for t in range(1, 21):
        g, learning_rate = scale * rng.normal(size=n_parameters), 0.01 * t
        expected, v, velocity = reference.rmsprop_step(
            expected, [g], v, velocity, t, learning_rate, alpha, epsilon, momentum
        )
        rule.step(theta, g.copy(), state, learning_rate)
        np.testing.assert_allclose(theta, expected[0], rtol=1e-10, atol=1e-13)
    assert state.n_steps == 20


@each_optimizer
def test_every_rule_is_that_of_its_source(name):
    rng = np.random.RandomState(0)
    rule, theta = OPTIMIZERS[name](), rng.normal(size=11)
    state, expected = rule.init(theta), [theta.copy()]
    averages = [[np.zeros(11)] for _ in state.averages]
    for t in range(1, 21):
        g, learning_rate = rng.normal(size=11), 0.01 * t
        expected, *averages = reference.OPTIMIZERS[name](expected, [g], *averages, t, learning_rate)
        rule.step(theta, g.copy(), state, learning_rate)
        np.testing.assert_allclose(theta, expected[0], rtol=1e-10, atol=1e-13)


@each_optimizer
@pytest.mark.parametrize("max_grad_norm", [0.1, 5.0, 1e3])
def test_clipping_gives_the_rule_a_gradient_of_that_norm(name, max_grad_norm):
    rng = np.random.RandomState(0)
    clipping, rule, theta = (
        OPTIMIZERS[name](max_grad_norm=max_grad_norm),
        OPTIMIZERS[name](),
        rng.normal(size=9),
    )
    state, expected_state, expected = clipping.init(theta), rule.init(theta), theta.copy()
    for t in range(20):
        g = rng.normal(size=9) * 10 ** rng.uniform(-2, 2)
        norm = np.sqrt((g**2).sum())
        rule.step(expected, g * min(1.0, max_grad_norm / norm), expected_state, 0.1 / (t + 1))
        clipping.step(theta, g, state, 0.1 / (t + 1))
        np.testing.assert_allclose(theta, expected, rtol=1e-12)


@pytest.mark.parametrize(("dtype", "huge"), [(np.float32, 1e38), (np.float64, 1e308)])
def test_a_gradient_whose_square_overflows_is_clipped_too(dtype, huge):
    theta = np.zeros(2, dtype)
    rule = SGD(momentum=0.0, max_grad_norm=5.0)
    rule.step(theta, np.array([-0.6 * huge, 0.8 * huge], dtype), rule.init(theta), 1.0)
    np.testing.assert_allclose(theta, [3.0, -4.0], rtol=1e-6)


def test_a_short_gradient_is_not_touched_by_clipping():
    theta = np.zeros(2)
    rule = SGD(momentum=0.0, max_grad_norm=5.0)
    for g in ([0.3, 0.4], [3.0, 4.0]):
        theta[...] = 0
        rule.step(theta, np.array(g), rule.init(theta), 1.0)
        np.testing.assert_array_equal(-theta, g)


def test_a_rule_without_an_update_cannot_be_made():
    class Half(Optimizer):
        def init(self, theta):
            return None

    with pytest.raises(TypeError, match="_update"):
        Half()


def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient():
    g = np.array([1e-2, -3.0, 1e5, -1e10])
    theta = descend(Adam(), lambda _: g.copy(), np.zeros(4), 0.1, n_steps=1)
    np.testing.assert_allclose(theta, -0.1 * np.sign(g), rtol=1e-4)


@each_optimizer
def test_every_rule_finds_the_bottom_of_a_bowl(name):
    curvature, theta = np.array([1.0, 3.0, 10.0]), [2.0, -3.0, -0.5]
    # around 0, where weights decay to as well; RMSprop comes as near as the learning rate and no nearer
    for learning_rate in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7):
        theta = descend(OPTIMIZERS[name](), lambda t: curvature * t, theta, learning_rate, 2000)
    np.testing.assert_allclose(theta, 0.0, atol=1e-6)


@each_optimizer
def test_every_rule_goes_down_rosenbrocks_valley(name):
    def rosenbrock(t):
        return (1 - t[0]) ** 2 + 100 * (t[1] - t[0] ** 2) ** 2

    def gradient(t):
        bend = t[1] - t[0] ** 2
        return np.array([-2 * (1 - t[0]) - 400 * t[0] * bend, 200 * bend])

    theta = descend(OPTIMIZERS[name](), gradient, [-1.2, 1.0], 3e-4, 2000)
    assert rosenbrock(theta) < 0.5 * rosenbrock([-1.2, 1.0])
    assert math.isfinite(rosenbrock(theta))


@each_optimizer
def test_a_learning_rate_of_zero_changes_nothing(name):
    np.testing.assert_array_equal(descend(OPTIMIZERS[name](), lambda t: t + 1, [1.0, 2.0], 0.0, 3), [1, 2])


@each_optimizer
def test_states_are_apart(name):
    rule, theta = OPTIMIZERS[name](), np.ones(3)
    first, second = rule.init(theta), rule.init(theta)
    rule.step(theta, np.ones(3), first, 0.1)
    assert (first.n_steps, second.n_steps) == (1, 0)
    assert all((average == 0).all() for average in second.averages.values())


@each_optimizer
@pytest.mark.parametrize("number", [float, np.float64], ids=["Python floats", "NumPy scalars"])
def test_float32_stays_float32(name, number):
    """Also with settings from np.linspace or scipy.stats, as a search gives them."""
    rule = OPTIMIZERS[name](max_grad_norm=1.5)
    for setting, value in rule.get_params().items():
        if isinstance(value, float):
            rule.set_params(**{setting: number(value)})
    theta = reference.float32_only(np.linspace(-1, 1, 5))
    state = rule.init(theta)
    for _ in range(3):
        rule.step(theta, reference.float32_only(np.linspace(2, 3, 5)), state, number(0.01))
    assert theta.dtype == np.float32
    assert all(average.dtype == np.float32 for average in state.averages.values())
