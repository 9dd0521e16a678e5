"""The compiled value and gradient of every loss are those of its NumPy method."""

import numpy as np
import pytest

pytest.importorskip("numba")

import hypothesis.strategies as st
import reference
from hypothesis import given, settings
from reference import evaluate

from sknn_scratch.compiled.losses import CompiledLoss, kernel_of
from sknn_scratch.core import LOSSES, Network, PerColumn, Tanh, Workspace
from sknn_scratch.core.losses import ClassSquaredError, Huber, LogLoss
from sknn_scratch.core.losses.links import LOG_SIGMA_RANGE

CASES = {name: kind() for name, kind in LOSSES.items()} | {
    "huber_near": LOSSES["huber"](0.4),
    "quantile_high": LOSSES["quantile"](0.9),
    "quantiles": LOSSES["quantile"]([0.1, 0.5, 0.8]),
    "binary_log_loss_smoothed": LOSSES["binary_log_loss"](0.2),
    "log_loss_smoothed": LOSSES["log_loss"](0.2),
    "columns": PerColumn((2, 1, 3)),
    "columns_smoothed": PerColumn((2, 3, 2), LogLoss(0.2)),
    "columns_squared": PerColumn((3, 2), ClassSquaredError()),
}
each_loss = pytest.mark.parametrize("name", CASES)
each_dtype = pytest.mark.parametrize("dtype", [np.float64, np.float32])
LAYOUTS = {
    "rows": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "every second row": lambda array: np.repeat(array, 2, axis=0)[::2],
}


def draw(loss, dtype, n_rows, n_targets, seed, spread=2.0):
    """Raw scores, targets and weights, some of them 0."""
    rng = np.random.RandomState(seed)
    if isinstance(loss, PerColumn):
        n_outputs = sum(loss.n_classes)
        y = np.column_stack([rng.randint(n, size=n_rows) for n in loss.n_classes]).astype(dtype)
    else:
        n_outputs = n_targets * loss.raw_per_target
        y = reference.draw_targets(rng, loss, n_rows, n_outputs).astype(dtype)
    raw = (spread * rng.uniform(-1, 1, (n_rows, n_outputs))).astype(dtype)
    return raw, y, np.maximum(rng.uniform(-0.5, 2, n_rows), np.arange(n_rows) == 0).astype(dtype)


# A bound of the terms of each formula: it has no higher power than the second, and its exponentials are
# those of twice a score at most.
def largest_terms(loss, raw, y):
    sizes = 1 + np.abs(raw).max(axis=1) + np.abs(y).max(axis=1)
    grows = loss.link_inverse in ("exp", "identity_exp")
    return sizes.astype(float) ** 2 * (np.exp(2 * np.abs(raw.astype(float))).max(axis=1) if grows else 1.0)


@each_loss
@each_dtype
@settings(max_examples=25, deadline=None)
@given(
    n_rows=st.integers(1, 40) | st.just(300),  # more than registers hold
    n_targets=st.integers(1, 5),
    weighted=st.booleans(),
    layout=st.sampled_from(sorted(LAYOUTS)),
    seed=st.integers(0, 2**20),
)
def test_value_and_gradient_are_those_of_numpy_within_rounding(
    name, dtype, n_rows, n_targets, weighted, layout, seed
):
    loss = CASES[name]
    raw, y, weight = draw(loss, dtype, n_rows, n_targets, seed)
    weight = weight if weighted else None
    expected_value, expected = evaluate(loss, raw, y, weight)
    given_y = LAYOUTS[layout](y)
    given_y.flags.writeable = False
    value, gradient = evaluate(CompiledLoss(loss), raw, given_y, weight)

    assert type(value) is float
    eps, shares = np.finfo(dtype).eps, np.ones(n_rows) if weight is None else weight.astype(float)
    shares /= shares.sum()
    terms = shares * largest_terms(loss, raw, y)
    # 4 for the formula; a sum of n terms, and so one of weights, has an error of up to n eps times their sum
    assert abs(value - expected_value) <= (4 + n_rows) * eps * raw.shape[1] * terms.sum()
    bound = (4 if weight is None else 4 + n_rows) * eps * terms[:, np.newaxis]
    assert (np.abs(gradient.astype(float) - expected) <= bound).all()


def largest_terms_of_derivatives(name, raw, y):
    """The largest term of the formula of each derivative; the default 1 is that of p - y."""
    if name in ("squared_error", "huber"):
        return np.maximum(np.abs(raw), np.abs(y))
    if name == "poisson":
        return np.maximum(np.exp(raw), y)
    if name == "gamma":  # 1 and y / p, the exponential of log y - raw, whose rounding error it multiplies
        return np.maximum(1, y * np.exp(-raw)) * np.maximum(1, np.abs(np.log(y)) + np.abs(raw))
    if name == "gaussian_nll":
        (mu, log_sigma), (low, high) = np.hsplit(raw, 2), LOG_SIGMA_RANGE
        sigma = np.exp(np.clip(log_sigma, low, high))
        return np.hstack([np.abs(mu - y) / sigma**2, np.maximum(1, ((mu - y) / sigma) ** 2)])
    return np.ones_like(raw)


@pytest.mark.parametrize("name", LOSSES)
@each_dtype
@settings(max_examples=25, deadline=None)
@given(n_rows=st.integers(1, 40), seed=st.integers(0, 2**20))
def test_derivatives_are_within_4_ulp_from_subnormal_to_large_scores(name, dtype, n_rows, seed):
    loss, rng, limits = LOSSES[name](), np.random.RandomState(seed), np.finfo(dtype)
    _, y, _ = draw(loss, dtype, n_rows, 3, seed)
    n_outputs = 3 * loss.raw_per_target
    largest = 80.0 if loss.link_inverse == "exp" else 1e4
    sizes = np.exp(rng.uniform(np.log(limits.smallest_subnormal), np.log(largest), (n_rows, n_outputs)))
    raw = (sizes * rng.choice([-1, 1], sizes.shape)).astype(dtype)
    raw = np.where(rng.uniform(size=raw.shape) < 0.6, rng.uniform(-20, 20, raw.shape), raw).astype(dtype)
    with np.errstate(all="ignore"):
        expected = evaluate(loss, raw, y)[1].astype(float)
        actual = evaluate(CompiledLoss(loss), raw, y)[1].astype(float)
        terms = largest_terms_of_derivatives(name, raw.astype(float), y.astype(float)) / n_rows
    # softmax has a sum over classes; the square of an exponential has twice the error of the exponential
    ulps = 4 + {"softmax": n_outputs, "identity_exp": 6}.get(loss.link_inverse, 0)
    bound = ulps * (float(limits.eps) * terms + float(limits.smallest_subnormal))
    assert (np.abs(actual - expected) <= bound).all()


@each_loss
@each_dtype
def test_huge_scores_give_what_they_give_in_numpy(name, dtype):
    loss = CASES[name]
    least, largest = (
        (-700.0, 700.0)
        if name.startswith("columns")
        else reference.LOSSES[next(key for key, kind in LOSSES.items() if type(loss) is kind)].scores
    )
    for seed, pair in enumerate(([least, largest], [largest, least], [largest], [least], [largest, 0.0])):
        raw, y, _ = draw(loss, dtype, 7, 3, seed)
        raw[...] = np.resize(pair, raw.shape)
        if 0.0 not in loss.targets:
            y = np.maximum(y, dtype(0.1))
        expected_value, expected = evaluate(loss, raw, y)
        with np.errstate(all="ignore"):  # numba gives no warnings, but the same in Python does
            value, gradient = evaluate(CompiledLoss(loss), raw, y)
        rtol = 32 * float(np.finfo(dtype).eps)
        assert np.isfinite(value)
        assert value == pytest.approx(expected_value, rel=rtol, abs=rtol)
        np.testing.assert_allclose(gradient, expected, rtol=rtol, atol=rtol)


@each_loss
@each_dtype
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_scores_that_are_not_finite_spoil_what_they_spoil_in_numpy(name, dtype, bad):
    loss = CASES[name]
    for column in range(draw(loss, dtype, 1, 3, 0)[0].shape[1]):
        raw, y, _ = draw(loss, dtype, 30, 3, column)
        raw[4, column] = bad
        with np.errstate(all="ignore"):
            expected_value, expected = evaluate(loss, raw, y)
            value, gradient = evaluate(CompiledLoss(loss), raw, y)
        assert np.isfinite(value) == np.isfinite(expected_value)
        np.testing.assert_array_equal(np.isfinite(gradient), np.isfinite(expected))
        rows = np.arange(30) != 4
        np.testing.assert_allclose(gradient[rows], expected[rows], rtol=1e-3, atol=1e-6)


@each_dtype
@pytest.mark.parametrize("loss", [LogLoss(), ClassSquaredError()])
def test_a_class_that_does_not_exist_has_no_index(loss, dtype):
    raw = np.random.RandomState(0).normal(size=(4, 3)).astype(dtype)
    y = np.array([[-1.0], [3.0], [np.nan], [1e30]], dtype)
    with np.errstate(all="ignore"):
        gradient = evaluate(CompiledLoss(loss), raw, y)[1]
    np.testing.assert_allclose(gradient, evaluate(loss, raw, y)[1], rtol=1e-5, atol=1e-6)


@each_loss
def test_predictions_and_link_are_those_of_the_loss(name):
    loss = CASES[name]
    raw = draw(loss, np.float64, 5, 3, 0)[0]
    expected, actual = np.empty_like(raw), np.empty_like(raw)
    loss.predict(raw, expected)
    CompiledLoss(loss).predict(raw, actual)
    np.testing.assert_array_equal(actual, expected)
    assert CompiledLoss(loss).link_inverse == loss.link_inverse


@each_loss
def test_a_network_has_the_same_objective_with_it(name):
    loss = CASES[name]
    raw, y, weight = draw(loss, np.float64, 50, 3, 0)
    X, results = np.random.RandomState(1).normal(size=(50, 4)), []
    for of_network in (loss, CompiledLoss(loss)):
        network = Network.mlp([4, 6, raw.shape[1]], Tanh(), of_network, l2=0.1)
        parameters = network.initialize(np.random.RandomState(2), np.float64)
        workspace = Workspace(network, parameters, 50)
        results.append([*network.loss_and_gradient(X, y, weight, workspace), *workspace.gradient.flat])
    np.testing.assert_allclose(*results, rtol=1e-11, atol=1e-14)


@each_loss
def test_every_loss_of_the_core_has_a_kernel(name):
    assert kernel_of(CASES[name]) is not None


def test_a_users_own_loss_has_none():
    class Mine(Huber):
        def value_and_gradient(self, raw, y, weight, out, per_row):
            return 0.0

    for loss in (Mine(), PerColumn((2, 2), Mine())):
        assert kernel_of(loss) is None
        with pytest.raises(ValueError, match="has no kernel"):
            CompiledLoss(loss)
