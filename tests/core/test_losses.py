import numpy as np
import pytest
import reference
import scipy.special
from sklearn import metrics

from sknn_scratch.core import (
    LOSSES,
    BinaryLogLoss,
    BinarySquaredError,
    ClassSquaredError,
    LogLoss,
    Poisson,
    SquaredError,
)

each_loss = pytest.mark.parametrize("name", sorted(LOSSES))


def evaluate(loss, raw, y, weight=None):
    """Value and gradient, with `raw` left as it is."""
    gradient, per_row = np.full_like(raw, np.nan), np.full(len(raw), np.nan, raw.dtype)
    return loss.value_and_gradient(raw.copy(), y, weight, gradient, per_row), gradient


def data(loss, n_rows=7, n_outputs=3, seed=0):
    rng = np.random.RandomState(seed)
    raw = rng.normal(size=(n_rows, n_outputs))
    return raw, reference.draw_targets(rng, loss.link_inverse, n_rows, n_outputs), rng.uniform(0, 2, n_rows)


@each_loss
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n_rows", "n_outputs"), [(1, 1), (1, 4), (9, 1), (9, 4)])
def test_value_and_gradient_are_the_textbook_formulas(name, weighted, n_rows, n_outputs):
    loss = LOSSES[name]()
    raw, y, weight = data(loss, n_rows, n_outputs)
    w = weight if weighted else np.ones(n_rows)
    value, gradient = evaluate(loss, raw, y, weight if weighted else None)
    pointwise = reference.LOSSES[name](reference.INVERSE_LINKS[name](raw), y)
    assert isinstance(value, float)
    assert value == pytest.approx((w @ pointwise).sum() / w.sum(), rel=1e-12, abs=1e-14)
    expected = (w / w.sum())[:, None] * reference.loss_gradient(name, raw, y)
    np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-14)


@each_loss
def test_the_gradient_is_that_of_the_value(name):
    loss = LOSSES[name]()
    raw, y, weight = data(loss)
    numeric = np.empty_like(raw)
    for index in np.ndindex(raw.shape):

        def value(score, index=index):
            changed = raw.copy()
            changed[index] = score
            return evaluate(loss, changed, y, weight)[0]

        numeric[index] = reference.derivative(value, raw[index])
    np.testing.assert_allclose(evaluate(loss, raw, y, weight)[1], numeric, rtol=1e-7, atol=1e-10)


def exact(loss, raw, y):
    """The loss of one row by formulas that hold for scores of any size, and its gradient."""
    if isinstance(loss, BinarySquaredError):
        p, q = scipy.special.expit(raw), scipy.special.expit(-raw)
        return ((p - y) ** 2).sum() / 2, (p - y) * p * q
    if isinstance(loss, ClassSquaredError):
        p = scipy.special.softmax(raw, axis=1)
        error = p - reference.one_hot(raw, y)
        return (error**2).sum() / 2, p * (error - (error * p).sum())
    if loss.link_inverse == "softmax":
        log_p, hit = scipy.special.log_softmax(raw, axis=1), reference.one_hot(raw, y)
        return -(hit * log_p).sum(), np.exp(log_p) - hit
    if loss.link_inverse == "logistic":
        value = y * np.logaddexp(0, -raw) + (1 - y) * np.logaddexp(0, raw)
        return value.sum(), scipy.special.expit(raw) - y
    if loss.link_inverse == "exp":
        return (scipy.special.xlogy(y, y) - y - y * raw + np.exp(raw)).sum(), np.exp(raw) - y
    return ((raw - y) ** 2 / 2).sum(), raw - y


@each_loss
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_huge_scores_give_a_finite_right_loss_and_gradient(name, dtype):
    loss = LOSSES[name]()
    largest = 50.0 if loss.link_inverse == "exp" else 1e4
    for scores in ([-1e4, largest], [largest, -1e4], [largest, largest], [-1e4, -1e4], [largest, 0.0]):
        raw = np.array([scores], dtype)
        for target in (0.0, 1.0):
            y = np.full((1, 1 if loss.link_inverse == "softmax" else 2), target, dtype)
            value, gradient = evaluate(loss, raw, y)
            expected_value, expected_gradient = exact(loss, raw.astype(float), y.astype(float))
            rtol = 1e-12 if dtype is np.float64 else 1e-5
            assert value == pytest.approx(expected_value, rel=rtol, abs=rtol)
            np.testing.assert_allclose(gradient, expected_gradient, rtol=rtol, atol=rtol)


@each_loss
def test_whole_weights_equal_repeated_rows(name):
    loss = LOSSES[name]()
    raw, y, _ = data(loss, n_rows=4)
    times = np.array([1, 0, 3, 2])
    value, gradient = evaluate(loss, raw, y, times.astype(float))
    repeated_value, repeated = evaluate(loss, raw.repeat(times, axis=0), y.repeat(times, axis=0))
    assert value == pytest.approx(repeated_value, rel=1e-13)
    expected = np.array([part.sum(axis=0) for part in np.split(repeated, np.cumsum(times)[:-1])])
    np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-16)


@each_loss
def test_float32_stays_float32(name):
    loss = LOSSES[name]()
    raw, y, weight = data(loss)
    for w in (None, weight):
        gradient, per_row = reference.float32_only(raw), reference.float32_only(weight)
        value = loss.value_and_gradient(
            reference.float32_only(raw),
            reference.float32_only(y),
            None if w is None else reference.float32_only(w),
            gradient,
            per_row,
        )
        expected_value, expected = evaluate(loss, raw, y, w)
        assert type(value) is float
        assert value == pytest.approx(expected_value, rel=1e-5)
        np.testing.assert_allclose(np.asarray(gradient), expected, rtol=1e-4, atol=1e-6)


@each_loss
def test_weights_of_one_are_as_exact_as_none_on_many_float32_rows(name):
    loss = LOSSES[name]()
    raw, y, _ = (array.astype(np.float32) for array in data(loss, n_rows=400_000, n_outputs=2))
    exact_value = evaluate(loss, raw.astype(float), y.astype(float))[0]
    assert evaluate(loss, raw, y)[0] == pytest.approx(exact_value, rel=3e-6)
    ones = np.ones(len(raw), np.float32)
    assert evaluate(loss, raw, y, ones)[0] == pytest.approx(exact_value, rel=3e-6)


def test_poisson_of_large_float32_counts_does_not_drown_in_rounding():
    y = np.random.RandomState(0).poisson(1e4, size=(200, 1)).astype(float)
    raw = np.full((200, 1), np.log(1e4), np.float32)
    value = evaluate(Poisson(), raw, y.astype(np.float32))[0]
    assert value == pytest.approx(evaluate(Poisson(), raw.astype(float), y)[0], rel=2e-3)


@each_loss
def test_predict_is_the_inverse_link_also_in_place(name):
    loss = LOSSES[name]()
    raw, _, _ = data(loss)
    p = np.empty_like(raw)
    loss.predict(raw.copy(), out=p)
    np.testing.assert_allclose(p, reference.INVERSE_LINKS[name](raw), rtol=1e-13)
    in_place = raw.copy()
    loss.predict(in_place, out=in_place)
    np.testing.assert_array_equal(in_place, p)
    narrow = raw.astype(np.float32).view(reference.Float32Only)
    loss.predict(narrow, out=narrow)
    np.testing.assert_allclose(np.asarray(narrow), p, rtol=1e-5)


def test_squared_error_is_half_of_scikit_learns():
    raw, y, weight = data(SquaredError(), n_outputs=1)
    expected = metrics.mean_squared_error(y, raw, sample_weight=weight) / 2
    assert evaluate(SquaredError(), raw, y, weight)[0] == pytest.approx(expected, rel=1e-12)


def test_poisson_is_half_of_scikit_learns_deviance():
    raw, y, weight = data(Poisson(), n_outputs=1)
    expected = metrics.mean_poisson_deviance(y.ravel(), np.exp(raw).ravel(), sample_weight=weight) / 2
    assert evaluate(Poisson(), raw, y, weight)[0] == pytest.approx(expected, rel=1e-12)


def test_log_loss_is_scikit_learns():
    raw, y, weight = data(LogLoss())
    p = scipy.special.softmax(raw, axis=1)
    expected = metrics.log_loss(y.ravel(), p, sample_weight=weight, labels=[0, 1, 2])
    assert evaluate(LogLoss(), raw, y, weight)[0] == pytest.approx(expected, rel=1e-12)


def test_binary_log_loss_is_scikit_learns_summed_over_labels():
    raw, y, weight = data(BinaryLogLoss())
    p = scipy.special.expit(raw)
    expected = sum(
        metrics.log_loss(y[:, k], p[:, k], sample_weight=weight, labels=[0, 1]) for k in range(y.shape[1])
    )
    assert evaluate(BinaryLogLoss(), raw, y, weight)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("in_place", [False, True])
def test_log_predictions_are_exact_where_probabilities_saturate(scale, in_place):
    raw = scale * np.random.RandomState(0).normal(size=(6, 3))
    for loss, expected_log, expected in (
        (LogLoss(), scipy.special.log_softmax(raw, axis=1), scipy.special.softmax(raw, axis=1)),
        (BinaryLogLoss(), scipy.special.log_expit(raw), scipy.special.expit(raw)),
    ):
        for predict, wanted in ((loss.predict_log, expected_log), (loss.predict, expected)):
            scores = raw.copy()
            out = scores if in_place else np.empty_like(raw)
            predict(scores, out=out)
            assert np.isfinite(out).all()
            np.testing.assert_allclose(out, wanted, rtol=1e-12, atol=1e-300)
