import math

import numpy as np
import pytest
import reference

from sknn_scratch.core import OPTIMIZERS, SGD, Adam

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
        expected, velocity = reference.sgd_step(expected, [g], velocity, learning_rate, momentum, nesterov)
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


def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient():
    g = np.array([1e-2, -3.0, 1e5, -1e10])
    theta = descend(Adam(), lambda _: g.copy(), np.zeros(4), 0.1, n_steps=1)
    np.testing.assert_allclose(theta, -0.1 * np.sign(g), rtol=1e-4)


@each_optimizer
def test_every_rule_finds_the_bottom_of_a_bowl(name):
    curvature = np.array([1.0, 3.0, 10.0])
    theta = descend(OPTIMIZERS[name](), lambda t: curvature * (t - 1), [3.0, -2.0, 0.5], 0.01, 2000)
    np.testing.assert_allclose(theta, 1.0, atol=1e-6)


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
    rule = OPTIMIZERS[name]()
    for setting, value in rule.get_params().items():
        if isinstance(value, float):
            rule.set_params(**{setting: number(value)})
    theta = reference.float32_only(np.linspace(-1, 1, 5))
    state = rule.init(theta)
    for _ in range(3):
        rule.step(theta, reference.float32_only(np.linspace(2, 3, 5)), state, number(0.01))
    assert theta.dtype == np.float32
    assert all(average.dtype == np.float32 for average in state.averages.values())
