"""The compiled update is the penalty, the clipping and the rule of the core, number by number."""

import math

import numpy as np
import pytest

pytest.importorskip("numba")

import hypothesis.strategies as st
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from sknn_scratch.compiled.rules import CompiledRule, kernel_of
from sknn_scratch.compiled.updates import gradient_norm
from sknn_scratch.core import OPTIMIZERS, SGD, Adam, AdamW, GroupedAdam, RMSprop, Team
from sknn_scratch.core.optimizers import PARAMETERS_OF_A_THREAD

RULES = {name: kind() for name, kind in OPTIMIZERS.items()} | {
    "sgd without Nesterov": SGD(0.5, False),
    "sgd without momentum": SGD(0.0),
    "adam with other settings": Adam(0.5, 0.9, 1e-3),
    "adamw with other settings": AdamW(0.5, 0.0, 0.9, 1e-3),
    "rmsprop with momentum": RMSprop(0.9, 1e-3, 0.7),
    "grouped_adam": GroupedAdam(),
    "grouped_adam with decay": GroupedAdam(weight_decay=0.3),
}
each_rule = pytest.mark.parametrize("name", RULES)
each_dtype = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def state_for(rule, theta, n_weights):
    """A state in which, where the rule has factors, the first `n_weights` parameters have the same."""
    state = rule.init(theta)
    if isinstance(rule, GroupedAdam):
        shapes = [{"weights": (n_weights,), "bias": (len(theta) - n_weights,)}]
        rule.set_factors(state, shapes, {"weights": 0.5, "bias": 0.1}, {"bias": 0.3})
        state.regularization = 0.7
    return state


def numpy_step(rule, theta, gradient, state, learning_rate, n_weights=0, strength=0.0):
    """The core's penalty and step; the same arguments as those of `CompiledRule.step`."""
    weights, gradient = theta[:n_weights], gradient.copy()
    squares = float(weights.astype(float) @ weights.astype(float)) if strength else 0.0
    gradient[:n_weights] += float(strength) * weights
    rule.step(theta, gradient, state, learning_rate)
    return squares


def compiled_step(rule, theta, gradient, *others):
    return CompiledRule(kernel_of(rule)).step(theta, gradient.copy(), *others)


@each_rule
def test_every_rule_of_the_core_has_a_kernel(name):
    assert kernel_of(RULES[name]) is not None


def test_a_users_own_rule_has_none():
    class Mine(Adam):
        def _update(self, theta, gradient, state, learning_rate):
            theta -= gradient

    assert kernel_of(Mine()) is None


def sizes(dtype, n):
    """0, subnormal and ordinary numbers, none of which is negative."""
    width = np.dtype(dtype).itemsize * 8
    return arrays.arrays(dtype, n, elements=st.floats(0, 2.0**30, width=width, allow_subnormal=True))


# The terms of each sum have one sign: where they cancel, their rounding errors are large beside the sum.
@each_rule
@each_dtype
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_step_is_that_of_numpy_within_rounding(name, dtype, data):
    rule, n = RULES[name], data.draw(st.integers(1, 40))
    n_weights = data.draw(st.integers(0, n))
    sign = np.where(data.draw(arrays.arrays(bool, n)), 1, -1).astype(dtype)
    theta, gradient = sign * data.draw(sizes(dtype, n)), sign * data.draw(sizes(dtype, n))
    state = state_for(rule, theta, n_weights)
    signs = {"m": sign, "v": 1, "velocity": -sign if isinstance(rule, SGD) else sign}
    for average, array in state.averages.items():
        array[...] = signs[average] * data.draw(sizes(dtype, n))
    expected, expected_state, before = theta.copy(), state.copy(), theta.copy()
    with np.errstate(all="ignore"):
        expected_squares = numpy_step(rule, expected, gradient, expected_state, 0.01, n_weights, 0.25)
        squares = compiled_step(rule, theta, gradient, state, 0.01, n_weights, 0.25)

    assert squares == pytest.approx(expected_squares, rel=1e-12, abs=1e-300)
    assert state.n_steps == expected_state.n_steps == 1
    eps, tiny = np.finfo(dtype).eps, np.finfo(dtype).tiny
    for average, actual in state.averages.items():
        np.testing.assert_allclose(actual, expected_state.averages[average], rtol=4 * eps, atol=tiny)
    terms = np.abs(before) + np.abs(expected)
    assert (np.abs(theta - expected) <= 4 * eps * terms + tiny).all()


@each_rule
def test_training_may_change_between_numpy_and_compiled_at_any_step(name):
    rng, n = np.random.RandomState(0), 1124
    rule, theta = RULES[name], rng.normal(size=n)
    for n_weights in (0, 994, 1054, n):
        state, expected = state_for(rule, theta, n_weights), theta.copy()
        expected_state, actual = state.copy(), theta.copy()
        for step in range(20):
            others = rng.normal(size=n), 0.01 * (1 + step), n_weights, 0.1
            gradient, rest = others[0], others[1:]
            squares = numpy_step(rule, expected, gradient, expected_state, *rest)
            take = compiled_step if step % 3 else numpy_step
            assert take(rule, actual, gradient, state, *rest) == pytest.approx(squares, rel=1e-12)
        np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-13)


@each_rule
@each_dtype
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_gradient_that_is_not_finite_spoils_what_it_spoils_in_numpy(name, dtype, bad):
    rule, theta = RULES[name], np.linspace(-1, 1, 30).astype(dtype)
    gradient = np.linspace(1, 2, 30).astype(dtype)
    gradient[[3, 20]] = bad
    state, expected = state_for(rule, theta, 7), theta.copy()
    expected_state = state.copy()
    with np.errstate(all="ignore"):
        numpy_step(rule, expected, gradient, expected_state, 0.01, 7, 0.1)
        compiled_step(rule, theta, gradient, state, 0.01, 7, 0.1)
    np.testing.assert_allclose(theta, expected, rtol=1e-5)
    for average, actual in state.averages.items():
        np.testing.assert_allclose(actual, expected_state.averages[average], rtol=1e-5)


@each_rule
@each_dtype
@pytest.mark.parametrize("length", [1e-3, 1.0, 1e4, "huge"])
def test_gradients_are_clipped_with_their_penalty(name, dtype, length):
    rule = RULES[name]
    clipping = type(rule)(**{**rule.get_params(), "max_grad_norm": 5.0})
    theta = np.linspace(-1, 1, 30).astype(dtype)
    gradient = np.cos(np.arange(30)).astype(dtype)
    gradient *= 1e-2 * np.finfo(dtype).max if length == "huge" else length
    state, expected = state_for(clipping, theta, 10), theta.copy()
    expected_state = state.copy()
    numpy_step(clipping, expected, gradient, expected_state, 0.01, 10, 2.0)
    with np.errstate(over="ignore"):  # numba gives no warnings, but the same in Python does
        compiled_step(clipping, theta, gradient, state, 0.01, 10, 2.0)
    np.testing.assert_allclose(theta, expected, rtol=100 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)


@each_dtype
@pytest.mark.parametrize("exponent", [-1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 0.99])
def test_the_norm_of_a_gradient_is_exact_whether_or_not_its_square_can_be_written(dtype, exponent):
    largest = float(np.finfo(dtype).max) ** exponent
    gradient = np.array([3.0, 0.0, 4.0, 12.0]).astype(dtype) * dtype(largest / 16)
    with np.errstate(all="ignore"):
        norm = gradient_norm[dtype](np.ones(4, dtype), gradient, 0, 1.0)
    assert norm == pytest.approx(13 * float(gradient[0]) / 3, rel=1e-6)


def test_the_norm_is_that_of_the_gradient_with_its_penalty():
    theta, gradient = np.array([1.0, 2.0, 100.0]), np.array([2.5, -1.0, 12.0])
    assert gradient_norm[float](theta, gradient, 2, 0.5) == pytest.approx(math.hypot(3.0, 0.0, 12.0))
    assert gradient_norm[float](theta, np.zeros(3), 0, 0.5) == 0.0
    np.testing.assert_array_equal(gradient, [2.5, -1.0, 12.0])
    for bad, expected in ((np.inf, math.inf), (np.nan, math.nan)):
        with np.errstate(all="ignore"):
            norm = gradient_norm[float](theta, np.array([1.0, bad, 1.0]), 2, 0.5)
        np.testing.assert_equal(norm, expected)


@each_rule
@pytest.mark.parametrize("max_grad_norm", [None, 5.0])
def test_threads_change_no_bit_of_a_step(name, max_grad_norm):
    settings = {**RULES[name].get_params(), "max_grad_norm": max_grad_norm}
    rule, n = type(RULES[name])(**settings), 2 * PARAMETERS_OF_A_THREAD + 77
    rng, n_weights = np.random.RandomState(0), PARAMETERS_OF_A_THREAD + 5000
    start, gradient = rng.normal(size=(2, n)).astype(np.float32)
    results = []
    for n_threads in (1, 2):
        theta, state = start.copy(), state_for(rule, start, n_weights)
        with Team(n_threads) as team:
            squares = compiled_step(rule, theta, gradient, state, 0.01, n_weights, 0.1, team)
        results.append([theta, *state.averages.values()])
        assert squares == pytest.approx(float((start[:n_weights].astype(float) ** 2).sum()), rel=1e-12)
    np.testing.assert_array_equal(*results)
