"""The losses of the estimators: without hidden layers they find what a linear model with the same loss finds.

Also what goes with some losses only (quantiles, standard deviations, allowed targets), and a loss of one's
own.
"""

import pickle
import re

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import (
    GammaRegressor,
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
)
from sklearn.metrics import (
    d2_absolute_error_score,
    log_loss,
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
)
from sklearn.model_selection import GridSearchCV, train_test_split

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor, check_gradients
from sknn_scratch.core import (
    AbsoluteError,
    BinaryLogLoss,
    Cosine,
    Gamma,
    GaussianNLL,
    Huber,
    LogLoss,
    Loss,
    Poisson,
    Quantile,
    SquaredError,
)
from sknn_scratch.core.configuration import Interval

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.RandomState(0)
X = rng.normal(size=(120, 3))
SCORES = X @ [1.0, -0.5, 0.3] + 0.2
Y = SCORES + rng.standard_t(3, size=120)
COUNTS = rng.poisson(np.exp(SCORES)).astype(float)
AMOUNTS = rng.gamma(2.0, np.exp(SCORES) / 2)
CLASSES = np.argmax(np.column_stack([SCORES, -SCORES, X[:, 2]]) + rng.gumbel(size=(120, 3)), axis=1)
WEIGHT = rng.uniform(0.2, 2.0, size=120)

weighted = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
scaled = pytest.mark.parametrize("scale_target", [False, True])

# L-BFGS stops where a loss has kinks; small steps towards the end do not
FOR_KINKS = {
    "solver": "adam",
    "learning_rate": Cosine(),
    "learning_rate_init": 0.1,
    "max_iter": 600,
    "n_iter_no_change": np.inf,
}


def linear(kind=ScratchMLPRegressor, **params):
    defaults = {"hidden_layer_sizes": (), "solver": "lbfgs", "alpha": 0, "tol": 1e-10, "max_iter": 1000}
    if kind is ScratchMLPRegressor:
        defaults["scale_target"] = False  # coefs_ are those of y itself
    return kind(**{**defaults, "random_state": 0, **params})


def assert_same_line(network, model, atol):
    np.testing.assert_allclose(network.coefs_[0].ravel(), model.coef_.ravel(), rtol=0, atol=atol)
    np.testing.assert_allclose(network.intercepts_[0], model.intercept_, rtol=0, atol=atol)


@weighted
@pytest.mark.parametrize(
    ("loss", "y", "model"),
    [
        ("squared_error", Y, LinearRegression()),
        ("poisson", COUNTS, PoissonRegressor(alpha=0, tol=1e-8)),
        ("gamma", AMOUNTS, GammaRegressor(alpha=0, tol=1e-8)),
    ],
)
def test_smooth_losses_find_the_generalised_linear_model(loss, y, model, weight):
    network = linear(loss=loss).fit(X, y, sample_weight=weight)
    assert_same_line(network, clone(model).fit(X, y, sample_weight=weight), atol=1e-4)


@weighted
@pytest.mark.parametrize("epsilon", [1.1, 2.0])
def test_huber_finds_the_line_of_scikit_learn_at_its_scale(epsilon, weight):
    # scikit-learn's loss is sigma + sigma H(e / sigma): where sigma is best, that of delta = epsilon sigma
    model = HuberRegressor(epsilon=epsilon, alpha=0, tol=1e-8, max_iter=1000).fit(X, Y, sample_weight=weight)
    network = linear(loss=Huber(epsilon * model.scale_)).fit(X, Y, sample_weight=weight)
    assert_same_line(network, model, atol=1e-4)
    assert not np.allclose(network.coefs_[0].ravel(), LinearRegression().fit(X, Y).coef_, atol=1e-2)


@weighted
@pytest.mark.parametrize(
    ("loss", "level"),
    [("absolute_error", 0.5), ("quantile", 0.5), (Quantile(0.1), 0.1), (Quantile(0.9), 0.9)],
)
def test_quantiles_are_those_of_the_linear_program(loss, level, weight):
    model = QuantileRegressor(quantile=level, alpha=0).fit(X, Y, sample_weight=weight)
    network = linear(loss=loss, **FOR_KINKS).fit(X, Y, sample_weight=weight)
    least = mean_pinball_loss(Y, model.predict(X), alpha=level, sample_weight=weight)
    found = mean_pinball_loss(Y, network.predict(X), alpha=level, sample_weight=weight)
    assert least <= found * (1 + 1e-12)
    assert found < least * (1 + 1e-4)
    assert_same_line(network, model, atol=0.02)


@weighted
def test_gaussian_nll_finds_the_line_of_least_squares_where_the_spread_is_the_same_everywhere(weight):
    # two rows of each X, half a unit above the line and half a unit below it
    mean, inputs = X[:40] @ [1.0, -0.5, 0.3], np.vstack([X[:40], X[:40]])
    y = np.concatenate([mean + 0.5, mean - 0.5])
    weight = None if weight is None else np.tile(weight[:40], 2)
    mu, sigma = (
        linear(loss="gaussian_nll").fit(inputs, y, sample_weight=weight).predict(inputs, return_std=True)
    )
    np.testing.assert_allclose(mu, np.tile(mean, 2), atol=1e-3)
    np.testing.assert_allclose(sigma, 0.5, atol=1e-3)


def test_gaussian_nll_finds_a_spread_that_grows():
    generator = np.random.RandomState(0)
    inputs = generator.uniform(-1, 1, size=(4000, 1))
    y = 2 * inputs.ravel() + np.exp(inputs.ravel() - 1) * generator.normal(size=4000)
    network = linear(loss="gaussian_nll").fit(inputs, y)
    # log sigma = x - 1
    np.testing.assert_allclose(network.coefs_[0], [[2, 1]], atol=0.05)
    np.testing.assert_allclose(network.intercepts_[0], [0, -1], atol=0.05)


@weighted
def test_log_loss_is_logistic_regression_for_two_classes_several_and_labels(weight):
    y = CLASSES > 0
    network = linear(ScratchMLPClassifier).fit(X, y, sample_weight=weight)
    model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000)
    assert_same_line(network, clone(model).fit(X, y, sample_weight=weight), atol=1e-3)

    network = linear(ScratchMLPClassifier).fit(X, CLASSES, sample_weight=weight)
    several = clone(model).fit(X, CLASSES, sample_weight=weight)
    np.testing.assert_allclose(network.predict_proba(X), several.predict_proba(X), atol=1e-3)
    assert network.loss_ == pytest.approx(
        log_loss(CLASSES, several.predict_proba(X), sample_weight=weight), rel=1e-5
    )

    labels = np.column_stack([CLASSES > 0, CLASSES > 1]).astype(int)
    network = linear(ScratchMLPClassifier).fit(X, labels, sample_weight=weight)
    for i in range(2):
        one = clone(model).fit(X, labels[:, i], sample_weight=weight)
        np.testing.assert_allclose(network.predict_proba(X)[:, i], one.predict_proba(X)[:, 1], atol=1e-3)


@weighted
@pytest.mark.parametrize("y", [CLASSES > 0, CLASSES], ids=["binary", "multiclass"])
@pytest.mark.parametrize("kind", [LogLoss, BinaryLogLoss])
def test_smoothed_labels_are_rows_of_every_class_with_a_share_of_the_weight(kind, y, weight):
    network = linear(ScratchMLPClassifier, loss=kind(label_smoothing=0.1)).fit(X, y, sample_weight=weight)
    labels = np.unique(y)
    shares = np.where(y[:, np.newaxis] == labels, 0.9, 0.0) + 0.1 / len(labels)
    shares *= 1.0 if weight is None else weight[:, np.newaxis]
    rows = {"X": X.repeat(len(labels), axis=0), "y": np.tile(labels, len(X)), "sample_weight": shares.ravel()}
    model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(**rows)
    np.testing.assert_allclose(network.predict_proba(X), model.predict_proba(X), atol=1e-3)
    expected = log_loss(rows["y"], network.predict_proba(rows["X"]), sample_weight=rows["sample_weight"])
    assert network.loss_ == pytest.approx(expected, rel=1e-9)
    assert type(network.loss) is kind


def huber_loss(y, p, sample_weight, delta):
    e = abs(p - y)
    return np.average(np.where(e < delta, e**2 / 2, delta * (e - delta / 2)), weights=sample_weight)


# what is minimised, in the units of y, by scikit-learn's metrics
METRICS = {
    "squared_error": lambda y, p, w: mean_squared_error(y, p, sample_weight=w) / 2,
    "absolute_error": lambda y, p, w: mean_absolute_error(y, p, sample_weight=w),
    "huber": lambda y, p, w: huber_loss(y, p, w, delta=1.0),
    "quantile": lambda y, p, w: mean_pinball_loss(y, p, sample_weight=w),
    "poisson": lambda y, p, w: mean_poisson_deviance(y, p, sample_weight=w) / 2,
    "gamma": lambda y, p, w: mean_gamma_deviance(y, p, sample_weight=w) / 2,
}


@weighted
@pytest.mark.parametrize("loss", sorted(METRICS))
def test_loss_is_the_metric_of_scikit_learn(loss, weight):
    y = {"poisson": COUNTS, "gamma": AMOUNTS}.get(loss, Y)
    network = linear(loss=loss, hidden_layer_sizes=(4,), max_iter=30).fit(X, y, sample_weight=weight)
    assert network.loss_ == pytest.approx(METRICS[loss](y, network.predict(X), weight), rel=1e-9)


@weighted
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile"])
def test_loss_of_scaled_targets_is_in_the_units_of_y(loss, weight):
    network = linear(loss=loss, hidden_layer_sizes=(4,), max_iter=30, scale_target=True)
    network.fit(X, 50 * Y + 7, sample_weight=weight)
    metric, p = METRICS[loss], network.predict(X)
    if loss == "huber":  # delta is in units of the standard deviation then
        delta = np.sqrt(np.cov(50 * Y, aweights=weight, ddof=0))
        expected = huber_loss(50 * Y + 7, p, weight, delta)
    else:
        expected = metric(50 * Y + 7, p, weight)
    assert network.loss_ == pytest.approx(expected, rel=1e-9)


@weighted
@scaled
def test_loss_of_several_quantiles_is_the_sum_of_their_pinball_losses(scale_target, weight):
    levels, y = [0.1, 0.5, 0.9], 50 * Y
    network = linear(loss=Quantile(levels), scale_target=scale_target, max_iter=50)
    network.fit(X, y, sample_weight=weight)
    raw = X @ network.coefs_[0] + network.intercepts_[0]
    if scale_target:
        raw *= np.sqrt(np.cov(y, aweights=weight, ddof=0))
        raw += np.average(y, weights=weight)

    def total(quantiles):
        pairs = zip(levels, quantiles.T, strict=True)
        return sum(mean_pinball_loss(y, p, alpha=level, sample_weight=weight) for level, p in pairs)

    assert network.loss_ == pytest.approx(total(raw), rel=1e-9)
    # putting them in order never makes them worse
    assert total(network.predict_quantiles(X)) <= network.loss_ * (1 + 1e-12)


@weighted
@scaled
def test_loss_of_gaussian_nll_is_the_negative_log_density(scale_target, weight):
    network = linear(loss="gaussian_nll", hidden_layer_sizes=(4,), max_iter=30, scale_target=scale_target)
    mu, sigma = network.fit(X, 50 * Y, sample_weight=weight).predict(X, return_std=True)
    expected = -np.average(norm.logpdf(50 * Y, mu, sigma), weights=weight)
    assert network.loss_ == pytest.approx(expected, rel=1e-9)


def test_a_metric_of_scikit_learn_may_be_watched():
    X_train, X_val, y_train, y_val = train_test_split(X, Y, random_state=0)
    network = linear(loss="absolute_error", scoring="d2_absolute_error_score", **FOR_KINKS)
    network.set_params(max_iter=20).fit(X_train, y_train, X_val=X_val, y_val=y_val)
    expected = d2_absolute_error_score(y_val, network.predict(X_val))
    assert network.validation_scores_[-1] == pytest.approx(expected, rel=1e-12)
    assert len(network.validation_scores_) == 20


@pytest.mark.parametrize(
    ("kind", "loss", "y", "setting", "values"),
    [
        (ScratchMLPRegressor, Quantile(0.9), Y, "level", [0.2, [0.1, 0.5]]),
        (ScratchMLPRegressor, Huber(2.0), Y, "delta", [0.5, 1.0]),
        (ScratchMLPClassifier, LogLoss(label_smoothing=0.1), CLASSES > 0, "label_smoothing", [0.0, 0.2]),
        (ScratchMLPClassifier, LogLoss(label_smoothing=0.1), CLASSES, "label_smoothing", [0.0, 0.2]),
    ],
)
def test_losses_with_settings_are_cloned_and_searched(kind, loss, y, setting, values):
    network = linear(kind, loss=loss, max_iter=20)
    copied = clone(network)
    assert copied.loss == loss
    assert copied.loss is not loss
    assert copied.get_params()[f"loss__{setting}"] == getattr(loss, setting)
    search = GridSearchCV(network, {f"loss__{setting}": values}, cv=2).fit(X, y)
    assert search.best_estimator_.loss in [type(loss)(**{setting: value}) for value in values]
    assert network.loss == loss
    found = [
        linear(kind, loss=type(loss)(**{setting: value}), max_iter=20).fit(X, y).loss_ for value in values
    ]
    chosen = values.index(search.best_params_[f"loss__{setting}"])
    assert search.best_estimator_.loss_ == pytest.approx(found[chosen], rel=1e-12)
    assert found[0] != found[1]


@pytest.mark.parametrize(
    "pair",
    [
        ("squared_error", SquaredError()),
        ("absolute_error", AbsoluteError()),
        ("huber", Huber()),
        ("quantile", Quantile()),
        ("poisson", Poisson()),
        ("gamma", Gamma()),
        ("gaussian_nll", GaussianNLL()),
    ],
    ids=lambda pair: pair[0],
)
def test_a_name_is_the_object_with_its_defaults(pair):
    named, configured = (linear(loss=loss, max_iter=5).fit(X, AMOUNTS) for loss in pair)
    np.testing.assert_array_equal(named.predict(X), configured.predict(X))
    assert named.loss_ == configured.loss_


class TestQuantiles:
    # so few steps from random weights that the raw quantiles are in any order
    untrained = {"hidden_layer_sizes": (8,), "solver": "adam", "max_iter": 2}

    @scaled
    def test_they_never_cross(self, scale_target):
        network = linear(loss=Quantile([0.1, 0.4, 0.7, 0.9]), scale_target=scale_target, **self.untrained)
        quantiles = network.fit(X, Y).predict_quantiles(X)
        raw = network.transform(X) @ network.coefs_[-1] + network.intercepts_[-1]
        assert (np.diff(raw, axis=1) < 0).any()
        assert (np.diff(quantiles, axis=1) >= 0).all()
        spread = Y.std() if scale_target else 1
        np.testing.assert_allclose(np.diff(quantiles), spread * np.diff(np.sort(raw, axis=1)), atol=1e-12)

    @scaled
    @pytest.mark.parametrize(
        ("level", "nearest"), [([0.1, 0.4, 0.7], 1), ([0.6, 0.9], 0), ([0.05, 0.5, 0.95], 1), (0.9, 0)]
    )
    def test_predict_is_the_one_nearest_to_the_median(self, level, nearest, scale_target):
        network = linear(loss=Quantile(level), scale_target=scale_target, **self.untrained).fit(X, Y)
        np.testing.assert_array_equal(network.predict(X), network.predict_quantiles(X)[:, nearest])

    @scaled
    def test_of_several_targets_there_are_some_for_each(self, scale_target):
        targets = np.column_stack([Y, 100 - 50 * Y])
        network = linear(loss=Quantile([0.25, 0.5, 0.75]), scale_target=scale_target, **FOR_KINKS)
        network.set_params(max_iter=2000, learning_rate_init=0.05 if scale_target else 1.0).fit(X, targets)
        quantiles = network.predict_quantiles(X)
        assert quantiles.shape == (120, 3, 2)
        assert network.predict(X).shape == (120, 2)
        for i, level in enumerate([0.25, 0.5, 0.75]):
            for target in range(2):
                below = np.mean(targets[:, target] < quantiles[:, i, target])
                assert below == pytest.approx(level, abs=0.05)

    def test_one_level_is_one_column(self):
        assert linear(loss=Quantile(0.9), max_iter=3).fit(X, Y).predict_quantiles(X).shape == (120, 1)

    def test_there_are_none_of_other_losses(self):
        for network in (linear(), linear(loss=Huber()), linear(loss="gaussian_nll").fit(X, Y)):
            assert not hasattr(network, "predict_quantiles")
            with pytest.raises(AttributeError) as raised:
                network.predict_quantiles(X)
            assert "predict_quantiles needs loss=Quantile" in str(raised.value.__cause__)

    def test_it_is_the_fitted_loss_that_counts(self):
        network = linear(max_iter=3).fit(X, Y).set_params(loss="quantile")
        assert not hasattr(network, "predict_quantiles")
        assert hasattr(network.fit(X, Y).set_params(loss="squared_error"), "predict_quantiles")


class TestStandardDeviation:
    @scaled
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_it_has_the_shape_and_the_dtype_of_the_mean(self, scale_target, dtype):
        network = linear(loss="gaussian_nll", scale_target=scale_target, max_iter=5)
        for y in (Y, np.column_stack([Y, -Y, 2 * Y])):
            mean, std = network.fit(X.astype(dtype), y).predict(X.astype(dtype), return_std=True)
            assert mean.shape == std.shape == y.shape
            assert mean.dtype == std.dtype == dtype
            assert (std > 0).all()
            np.testing.assert_array_equal(mean, network.predict(X.astype(dtype)))

    @pytest.mark.filterwarnings("error")
    def test_of_several_targets_each_has_its_own(self):
        targets = np.column_stack([Y, 100 - 50 * Y])
        mean, std = linear(loss="gaussian_nll", scale_target=True).fit(X, targets).predict(X, return_std=True)
        alone = linear(loss="gaussian_nll").fit(X, Y).predict(X, return_std=True)
        np.testing.assert_allclose(
            mean, np.column_stack([alone[0], 100 - 50 * alone[0]]), rtol=1e-3, atol=0.02
        )
        np.testing.assert_allclose(std, np.column_stack([alone[1], 50 * alone[1]]), rtol=1e-2)

    @pytest.mark.parametrize("loss", ["squared_error", Quantile([0.1, 0.9]), "poisson"])
    def test_other_losses_have_none(self, loss):
        network = linear(loss=loss, max_iter=3).fit(X, COUNTS)
        with pytest.raises(
            ValueError, match="return_std=True needs a network fitted with loss='gaussian_nll'"
        ):
            network.predict(X, return_std=True)


@pytest.mark.parametrize("loss", ["gamma", Gamma(), "poisson", Poisson()])
def test_targets_of_the_wrong_sign_are_refused_by_loss_and_value(loss):
    is_gamma = loss in ("gamma", Gamma())
    for value in (-2.5, 0.0) if is_gamma else (-2.5,):
        y = AMOUNTS.copy()
        y[3] = value
        network = linear(loss=loss, max_iter=3)
        allowed = "be positive" if is_gamma else "not be negative"
        expected = f"y must {allowed} for loss={loss!r}, got a y of {value}."
        with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
            network.fit(X, y)
        assert not hasattr(network, "coefs_")
        with pytest.raises(ValueError, match="X_val, y_val or sample_weight_val do not match") as raised:
            network.fit(X, AMOUNTS, X_val=X, y_val=y)
        assert expected in str(raised.value)


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_positive_predictions_are_scaled_by_the_mean(loss):
    plain, scaled = (linear(loss=loss, scale_target=scale).fit(X, AMOUNTS, WEIGHT) for scale in (False, True))
    np.testing.assert_allclose(scaled.coefs_[0], plain.coefs_[0], atol=1e-3)
    mean = np.average(AMOUNTS, weights=WEIGHT)
    np.testing.assert_allclose(scaled.intercepts_[0] + np.log(mean), plain.intercepts_[0], atol=1e-3)
    assert scaled.loss_ == pytest.approx(METRICS[loss](AMOUNTS, scaled.predict(X), WEIGHT), rel=1e-9)


def test_scaled_targets_stay_arrays_where_transformers_give_frames():
    params = {"loss": "quantile", "scale_target": True, "solver": "adam", "max_iter": 3}
    expected = linear(**params).fit(X, Y).predict(X)
    with config_context(transform_output="pandas"):
        np.testing.assert_array_equal(linear(**params).fit(X, Y).predict(X), expected)


class LogCosh(Loss):
    """log cosh (p - y): squared where the error is small, absolute where it is large."""

    link_inverse = "identity"

    def value_and_gradient(self, raw, y, weight, out, per_row):
        error = raw - y
        weight = np.ones(len(y)) if weight is None else weight
        share = weight[:, np.newaxis] / weight.sum()
        out[...] = share * np.tanh(error)
        return float((share * (np.logaddexp(error, -error) - np.log(2))).sum())


class TestALossOfOnesOwn:
    @weighted
    def test_it_finds_its_minimum(self, weight):
        def mean_loss(theta):
            error = X @ theta[:3] + theta[3] - Y
            return np.average(np.log(np.cosh(error)), weights=weight)

        network = linear(loss=LogCosh()).fit(X, Y, sample_weight=weight)
        best = minimize(mean_loss, np.zeros(4), tol=1e-8)
        found = np.concatenate([network.coefs_[0].ravel(), network.intercepts_[0]])
        np.testing.assert_allclose(found, best.x, atol=1e-3)
        assert network.loss_ == pytest.approx(best.fun, rel=1e-6)

    def test_its_gradient_is_right(self):
        network = linear(loss=LogCosh(), hidden_layer_sizes=(4,), activation="tanh", max_iter=5).fit(X, Y)
        errors = check_gradients(network, X, Y)
        assert set(errors) == {"coefs_[0]", "intercepts_[0]", "coefs_[1]", "intercepts_[1]"}
        assert max(errors.values()) < 1e-6

    def test_it_is_cloned_pickled_and_stopped_early(self):
        network = linear(loss=LogCosh(), hidden_layer_sizes=(4,), solver="adam", max_iter=5)
        network.set_params(early_stopping=True)
        assert clone(network).loss == LogCosh()
        restored = pickle.loads(pickle.dumps(network.fit(X, Y)))
        np.testing.assert_array_equal(restored.predict(X), network.predict(X))
        np.testing.assert_array_equal(restored.fit(X, Y).predict(X), network.predict(X))
        # without a score of its own the negative loss is watched
        assert network.validation_scores_ == pytest.approx([-loss for loss in network.validation_loss_curve_])

    @pytest.mark.parametrize("value", [-0.5, 1.5])
    def test_its_targets_lie_where_it_says(self, value):
        class OfShares(LogCosh):
            targets = Interval(0, 1, includes_high=True)

        shares = np.linspace(0, 1, 120)
        network = linear(loss=OfShares(), max_iter=3).fit(X, shares)
        shares[5] = value
        with pytest.raises(
            ValueError, match=rf"y must be a number in \[0, 1\] for loss=.*got a y of {value}"
        ):
            network.fit(X, shares)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_several_targets_are_learnt_in_the_dtype_of_the_data(self, dtype):
        targets = np.column_stack([Y, -Y])
        network = linear(loss=LogCosh()).fit(X.astype(dtype), targets)
        assert network.predict(X.astype(dtype)).dtype == dtype
        one = linear(loss=LogCosh()).fit(X, Y).predict(X)
        np.testing.assert_allclose(network.predict(X.astype(dtype)), np.column_stack([one, -one]), atol=0.02)
