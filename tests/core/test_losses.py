"""Every loss: its value is the textbook's and its gradient that of its value, whatever dtype and scores."""

import itertools

import numpy as np
import pytest
import reference
import scipy.special
from reference import evaluate

from sknn_scratch.core import (
    LOSSES,
    AbsoluteError,
    BinaryLogLoss,
    Gamma,
    GaussianNLL,
    LogLoss,
    Poisson,
    Quantile,
    SquaredError,
)
from sknn_scratch.core.configuration import FINITE, NOT_NEGATIVE, POSITIVE

# name in the registry and settings: every loss with its defaults, then others
CASES = {name: (name, {}) for name in sorted(LOSSES)} | {
    "huber_near": ("huber", {"delta": 0.4}),
    "quantile_high": ("quantile", {"level": 0.9}),
    "quantiles": ("quantile", {"level": [0.1, 0.5, 0.8]}),
    "binary_log_loss_smoothed": ("binary_log_loss", {"label_smoothing": 0.2}),
    "log_loss_smoothed": ("log_loss", {"label_smoothing": 0.2}),
}
each_loss = pytest.mark.parametrize(("name", "settings"), CASES.values(), ids=CASES)


def data(loss, n_rows=7, n_targets=3, seed=0):
    """Raw scores, targets and weights; a loss of classes has `n_targets` classes."""
    rng = np.random.RandomState(seed)
    n_outputs = n_targets * loss.raw_per_target
    raw = rng.normal(size=(n_rows, n_outputs))
    return raw, reference.draw_targets(rng, loss, n_rows, n_outputs), rng.uniform(0, 2, n_rows)


@each_loss
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n_rows", "n_targets"), [(1, 1), (1, 3), (9, 1), (9, 3)])
def test_value_and_gradient_are_the_textbook_formulas(name, settings, weighted, n_rows, n_targets):
    loss = LOSSES[name](**settings)
    raw, y, weight = data(loss, n_rows, n_targets)
    w = weight if weighted else np.ones(n_rows)
    value, gradient = evaluate(loss, raw, y, weight if weighted else None)
    naive = reference.LOSSES[name]
    pointwise = naive.value(naive.inverse_link(raw), y, **settings)
    assert isinstance(value, float)
    assert value == pytest.approx((w @ pointwise).sum() / w.sum(), rel=1e-12, abs=1e-14)
    expected = (w / w.sum())[:, None] * reference.loss_gradient(name, raw, y, **settings)
    np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-14)


@each_loss
@pytest.mark.parametrize("n_targets", [1, 3])
def test_the_gradient_is_that_of_the_value(name, settings, n_targets):
    loss = LOSSES[name](**settings)
    for seed in itertools.count():
        raw, y, weight = data(loss, n_targets=n_targets, seed=seed)
        if reference.distance_to_kink(name, raw, y, **settings) > 0.01:
            break
        assert seed < 1000
    numeric = np.empty_like(raw)
    for index in np.ndindex(raw.shape):

        def value(score, index=index):
            changed = raw.copy()
            changed[index] = score
            return evaluate(loss, changed, y, weight)[0]

        numeric[index] = reference.derivative(value, raw[index])
    np.testing.assert_allclose(evaluate(loss, raw, y, weight)[1], numeric, rtol=1e-7, atol=1e-10)


@each_loss
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_huge_scores_give_a_finite_right_loss_and_gradient(name, settings, dtype):
    loss = LOSSES[name](**settings)
    least, largest = reference.LOSSES[name].scores
    n_outputs = max(2, loss.raw_per_target)
    for pair in ([least, largest], [largest, least], [largest, largest], [least, least], [largest, 0.0]):
        raw = np.resize(pair, (1, n_outputs)).astype(dtype)
        n_targets = 1 if loss.link_inverse == "softmax" else n_outputs // loss.raw_per_target
        for target in (0.0 if 0.0 in loss.targets else 0.1, 1.0):
            y = np.full((1, n_targets), target, dtype)
            value, gradient = evaluate(loss, raw, y)
            expected_value, expected_gradient = reference.loss_of_any_scores(
                name, raw.astype(float), y.astype(float), **settings
            )
            rtol = 1e-12 if dtype is np.float64 else 1e-5
            assert value == pytest.approx(expected_value, rel=rtol, abs=rtol)
            np.testing.assert_allclose(gradient, expected_gradient, rtol=rtol, atol=rtol)


@each_loss
def test_whole_weights_equal_repeated_rows(name, settings):
    loss = LOSSES[name](**settings)
    raw, y, _ = data(loss, n_rows=4)
    times = np.array([1, 0, 3, 2])
    value, gradient = evaluate(loss, raw, y, times.astype(float))
    repeated_value, repeated = evaluate(loss, raw.repeat(times, axis=0), y.repeat(times, axis=0))
    assert value == pytest.approx(repeated_value, rel=1e-13)
    expected = np.array([part.sum(axis=0) for part in np.split(repeated, np.cumsum(times)[:-1])])
    np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-16)


def as_numpy(value):
    """A setting as a search over `np.linspace` would give it."""
    return [np.float64(v) for v in value] if isinstance(value, list) else np.float64(value)


@each_loss
def test_float32_stays_float32(name, settings):
    loss = LOSSES[name](**settings)
    numpy_loss = LOSSES[name](**{key: as_numpy(value) for key, value in loss.get_params().items()})
    raw, y, weight = data(loss)
    for of_settings, w in itertools.product((loss, numpy_loss), (None, weight)):
        gradient, per_row = reference.float32_only(raw), reference.float32_only(weight)
        value = of_settings.value_and_gradient(
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
def test_weights_of_one_are_as_exact_as_none_on_many_float32_rows(name, settings):
    loss = LOSSES[name](**settings)
    raw, y, _ = (array.astype(np.float32) for array in data(loss, n_rows=400_000, n_targets=2))
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
def test_predict_is_the_inverse_link_also_in_place(name, settings):
    loss = LOSSES[name](**settings)
    raw, _, _ = data(loss)
    p = np.empty_like(raw)
    loss.predict(raw.copy(), out=p)
    np.testing.assert_allclose(p, reference.LOSSES[name].inverse_link(raw), rtol=1e-13)
    in_place = raw.copy()
    loss.predict(in_place, out=in_place)
    np.testing.assert_array_equal(in_place, p)
    narrow = raw.astype(np.float32).view(reference.Float32Only)
    loss.predict(narrow, out=narrow)
    np.testing.assert_allclose(np.asarray(narrow), p, rtol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_are_at_least_the_smallest_normal_number(scale, in_place, dtype):
    raw = (scale * np.random.RandomState(0).normal(size=(6, 3))).astype(dtype)
    tiny = np.finfo(dtype).tiny
    for loss, expected in (
        (LogLoss(), scipy.special.softmax(raw, axis=1)),
        (BinaryLogLoss(), scipy.special.expit(raw)),
    ):
        scores = raw.copy()
        out = scores if in_place else np.empty_like(raw)
        loss.predict(scores, out=out)
        rtol = 1e-12 if dtype is np.float64 else 1e-5
        np.testing.assert_allclose(out, np.maximum(expected, tiny), rtol=rtol)
        assert (out.min() == tiny) == (scale > 1)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [(AbsoluteError(), [0.0]), (Quantile(0.3), [0.2]), (Quantile([0.25, 0.75]), [0.25, -0.25])],
)
def test_the_subgradient_at_a_kink_is_the_middle_one(loss, expected):
    raw = np.full((1, loss.raw_per_target), 2.5)
    value, gradient = evaluate(loss, raw, np.array([[2.5]]))
    assert value == 0.0
    np.testing.assert_allclose(gradient, [expected], rtol=1e-15)


def test_the_standard_deviation_is_never_less_than_its_floor_nor_more_than_its_ceiling():
    raw = np.array([[3.0, -1e4], [3.0, np.log(1e-6)], [3.0, np.log(2e-6)]])
    p = np.empty_like(raw)
    GaussianNLL().predict(raw, out=p)
    np.testing.assert_allclose(p, [[3.0, 1e-6], [3.0, 1e-6], [3.0, 2e-6]], rtol=1e-12)
    GaussianNLL().predict(-raw, out=p)
    np.testing.assert_allclose(p[:, 1], 1e3, rtol=1e-12)
    in_units = GaussianNLL().raw_in_units(np.vstack([raw, -raw]), np.array([5.0]), np.array([2.0]))
    np.testing.assert_allclose(in_units[[0, 3], 0], [11.0, -1.0], rtol=1e-12)
    np.testing.assert_allclose(np.exp(in_units[[0, 2, 3], 1]), [2e-6, 4e-6, 2e3], rtol=1e-12)
    # a target that is met: only above the floor can sigma still shrink
    value, gradient = evaluate(GaussianNLL(), raw, np.full((3, 1), 3.0))
    assert value == pytest.approx(np.log(1e-6 * 2 ** (1 / 3)) + np.log(2 * np.pi) / 2, rel=1e-12)
    np.testing.assert_allclose(gradient, [[0.0, 0.0], [0.0, 0.0], [0.0, 1 / 3]], rtol=1e-15)


@each_loss
def test_each_loss_says_how_many_raw_scores_it_needs_and_which_targets_it_takes(name, settings):
    loss = LOSSES[name](**settings)
    naive = reference.LOSSES[name]
    assert loss.raw_per_target == naive.kinds(**settings)
    intervals = {"any": FINITE, "not negative": NOT_NEGATIVE, "positive": POSITIVE}
    assert loss.targets is intervals[naive.targets]


@pytest.mark.parametrize(
    "level",
    [0.0, 1.0, [], [0.5, 0.5], [0.9, 0.1], [0.1, 1.0], [0.1, "0.5"], [[0.1, 0.5]], np.array([0.1, 0.5])],
)
def test_levels_that_are_not_increasing_between_0_and_1_are_refused(level):
    quantile = Quantile([0.1, 0.9])
    for attempt in (Quantile, lambda level: quantile.set_params(level=level)):
        with pytest.raises(ValueError, match=r"'level' of Quantile must be a number in \(0, 1\), or a list"):
            attempt(level=level)
    assert quantile == Quantile([0.1, 0.9])


@each_loss
@pytest.mark.parametrize("weighted", [False, True])
def test_no_constant_has_less_loss_than_the_best(name, settings, weighted):
    loss = LOSSES[name](**settings)
    raw, y, weight = data(loss, n_rows=50)
    weight = weight if weighted else None
    best = loss.best_constant(y, weight, raw.shape[1])

    def loss_of(constant):
        return evaluate(loss, np.tile(constant, (50, 1)), y, weight)[0]

    assert best.shape == (raw.shape[1],)
    for k, step in itertools.product(range(len(best)), (-0.1, -1e-3, 1e-3, 0.1)):
        assert loss_of(best) <= loss_of(best + step * (np.arange(len(best)) == k)) + 1e-7


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("spread", "sigma"), [(0.0, 1e-6), (1e6, 1e3)])
def test_the_best_standard_deviation_is_within_its_limits(dtype, spread, sigma):
    y = np.array([[3.0 - spread], [3.0 + spread]], dtype)
    np.testing.assert_allclose(GaussianNLL().best_constant(y, None, 2), [3.0, np.log(sigma)], rtol=1e-6)


@pytest.mark.parametrize(
    "loss", [SquaredError(), AbsoluteError(), Quantile(0.3), Poisson(), Gamma(), GaussianNLL()]
)
def test_the_best_constant_is_that_of_rows_repeated(loss):
    y, times = np.random.RandomState(0).uniform(1, 5, (30, 1)), np.arange(30) % 4
    weighted = loss.best_constant(y, times.astype(float), loss.raw_per_target)
    np.testing.assert_allclose(
        weighted, loss.best_constant(y.repeat(times, axis=0), None, loss.raw_per_target), rtol=1e-12
    )


def test_without_events_the_best_constant_of_poisson_is_half_an_event():
    assert Poisson().best_constant(np.zeros((10, 1)), None, 1) == pytest.approx(np.log(0.05))


def test_smoothed_labels_show_in_the_formulas():
    smoothed = BinaryLogLoss(label_smoothing=0.2).formulas
    assert smoothed["loss"] == "sum of (-t * log(p) - (1 - t) * log(1 - p)) / n with t = 0.8 * y + 0.1"
    assert smoothed["delta"] == "dL/dz = (p - t) / n"
    smoothed = LogLoss(label_smoothing=0.2).formulas
    assert smoothed["loss"] == "sum of (-sum_k t_k * log(p_k)) / n with t_k = 0.8 * [k = y] + 0.2 / K"
    assert smoothed["delta"] == "dL/dz = (p - t) / n"
