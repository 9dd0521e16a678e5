"""Targets standardised inside the regressor: it trains on numbers of size 1, and answers in units of y."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_regression
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, mean_squared_error
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor, check_gradients, explain_step
from sknn_scratch.core import LOSSES, BinaryLogLoss, Gamma, Huber, Normal, Poisson, Quantile

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, SHAPE = make_regression(120, 5, noise=10.0, random_state=0)
SHAPE = (SHAPE - SHAPE.mean()) / SHAPE.std()
Y = 1000.0 * SHAPE + 5000.0
TARGETS = np.column_stack([Y, 1e-3 * X[:, 0], SHAPE[::-1] - 7])
WEIGHT = np.random.RandomState(0).uniform(0.1, 2.0, 120)
REGRESSION_LOSSES = sorted(
    name for name, loss in LOSSES.items() if loss.link_inverse not in ("logistic", "softmax")
)
each_solver = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
each_size = pytest.mark.parametrize("size", [1e-6, 1e-3, 1.0, 1e6])


def unfitted(**params):
    settings = {"hidden_layer_sizes": (8,), "max_iter": 20, "learning_rate_init": 0.01, "random_state": 0}
    return ScratchMLPRegressor(**settings | params)


def scaled(**params):
    return unfitted(scale_target=True, **params)


def around(**params):
    return TransformedTargetRegressor(unfitted(**params), transformer=StandardScaler())


@each_solver
@pytest.mark.parametrize("y", [Y, TARGETS], ids=["one", "several"])
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"batch_size": 32}], ids=str)
def test_predictions_are_those_of_a_scaler_around_the_same_network(solver, y, settings):
    inside, outside = scaled(solver=solver, **settings).fit(X, y), around(solver=solver, **settings).fit(X, y)
    np.testing.assert_allclose(inside.predict(X), outside.predict(X), rtol=1e-9)
    assert inside.score(X, y) == pytest.approx(outside.score(X, y), rel=1e-9)
    for ours, theirs in zip(inside.coefs_, outside.regressor_.coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@each_size
@each_solver
@pytest.mark.parametrize(
    "settings", [{}, {"early_stopping": True}, {"early_stopping": True, "scoring": "loss"}], ids=str
)
def test_when_training_stops_does_not_depend_on_units(size, solver, settings):
    # lbfgs makes differences of rounding grow
    settings = {"solver": solver, "max_iter": 30 if solver == "lbfgs" else 300, **settings}
    of_size, outside = scaled(**settings).fit(X, size * SHAPE), unfitted(**settings).fit(X, SHAPE)
    assert of_size.n_iter_ == outside.n_iter_
    assert of_size.best_iter_ == outside.best_iter_
    np.testing.assert_allclose(of_size.predict(X), size * outside.predict(X), rtol=1e-6)


@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_targets_of_any_size_are_learnt_with_default_settings(size):
    model = ScratchMLPRegressor(scale_target=True, random_state=0).fit(X, size * (SHAPE + 3))
    assert model.score(X, size * (SHAPE + 3)) > 0.9


def test_a_million_is_not_learnt_without():
    assert ScratchMLPRegressor(random_state=0).fit(X, 1e6 * (SHAPE + 3)).score(X, 1e6 * (SHAPE + 3)) < 0


def test_the_scale_is_that_of_weighted_samples():
    mean = np.average(Y, weights=WEIGHT)
    spread = np.sqrt(np.average((Y - mean) ** 2, weights=WEIGHT))
    by_hand = unfitted().fit(X, (Y - mean) / spread, sample_weight=WEIGHT)
    model = scaled().fit(X, Y, sample_weight=WEIGHT)
    np.testing.assert_allclose(model.predict(X), mean + spread * by_hand.predict(X), rtol=1e-9)
    assert model.loss_curve_ == pytest.approx([spread**2 * loss for loss in by_hand.loss_curve_], rel=1e-9)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_weights_of_two_are_rows_repeated(solver):
    times = np.random.RandomState(0).randint(0, 2, 120) * 2
    settings = {"solver": solver, "activation": "tanh", "max_iter": 5}
    weighted = scaled(**settings).fit(X, Y, sample_weight=times)
    repeated = scaled(**settings).fit(X.repeat(times, axis=0), Y.repeat(times))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-6)


def gaussian_nll(mean, std):
    return np.mean(np.log(std) + (Y - mean) ** 2 / (2 * std**2) + np.log(2 * np.pi) / 2)


def huber(predicted, delta):
    """With the threshold in units of the standardised targets, which is where delta counts."""
    error = np.abs(predicted - Y)
    return np.mean(np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)))


MEASURED = [
    ("squared_error", lambda model: mean_squared_error(Y, model.predict(X)) / 2),
    ("absolute_error", lambda model: mean_absolute_error(Y, model.predict(X))),
    ("quantile", lambda model: mean_pinball_loss(Y, model.predict(X))),
    (Quantile(0.9), lambda model: mean_pinball_loss(Y, model.predict(X), alpha=0.9)),
    ("gaussian_nll", lambda model: gaussian_nll(*model.predict(X, return_std=True))),
    ("huber", lambda model: huber(model.predict(X), Y.std())),
    (Huber(0.5), lambda model: huber(model.predict(X), 0.5 * Y.std())),
]
each_loss = pytest.mark.parametrize(("loss", "measured"), MEASURED, ids=[str(loss) for loss, _ in MEASURED])


@each_loss
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_losses_and_scores_are_in_units_of_y(loss, measured, solver):
    model = scaled(loss=loss, solver=solver, alpha=0, early_stopping=True, scoring="loss")
    model.fit(X, Y, X_val=X, y_val=Y)
    assert model.best_iter_ == model.n_iter_ == 20  # so the weights are those of the last epoch
    assert model.validation_loss_curve_[-1] == pytest.approx(measured(model), rel=1e-9)
    assert model.validation_scores_ == [-value for value in model.validation_loss_curve_]
    assert model.best_validation_score_ == model.validation_scores_[-1]
    by_default = clone(model).set_params(scoring=None).fit(X, Y, X_val=X, y_val=Y)
    if loss != "squared_error":
        assert by_default.validation_scores_ == model.validation_scores_
    if solver == "lbfgs":
        assert model.loss_ == pytest.approx(measured(model), rel=1e-9)
        assert model.loss_curve_ == pytest.approx(model.validation_loss_curve_, rel=1e-9)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_the_penalty_has_the_units_of_the_loss(solver):
    inside, outside = scaled(solver=solver, alpha=50.0).fit(X, Y), around(solver=solver, alpha=50.0).fit(X, Y)
    expected = [Y.var() * loss for loss in outside.regressor_.loss_curve_]
    assert inside.loss_curve_ == pytest.approx(expected, rel=1e-9)
    assert [row["loss"] for row in inside.history_] == inside.loss_curve_
    assert inside.loss_ == inside.loss_curve_[-1]
    assert inside.best_loss_ == min(inside.loss_curve_)


def test_what_is_printed_has_the_units_of_y(capsys):
    model = scaled(verbose=True, max_iter=2).fit(X, Y, X_val=X, y_val=Y)
    for line, row in zip(capsys.readouterr().out.splitlines(), model.history_, strict=True):
        assert f"loss = {row['loss']:.8f}, val {row['validation_loss']:.4g}/" in line
        assert row["loss"] > 1e4


def test_r2_knows_no_units():
    model = scaled().fit(X, Y, X_val=X, y_val=Y)
    assert model.validation_scores_[-1] == pytest.approx(model.score(X, Y), rel=1e-9)


def test_scorers_see_the_units_of_y():
    model = scaled(scoring="neg_mean_absolute_error").fit(X, Y, X_val=X, y_val=Y)
    assert model.validation_scores_[-1] == pytest.approx(-mean_absolute_error(Y, model.predict(X)), rel=1e-9)


@pytest.mark.parametrize("y", [Y, TARGETS], ids=["one", "several"])
def test_quantiles_have_the_units_of_y(y):
    loss = Quantile([0.1, 0.5, 0.9])
    model, outside = scaled(loss=loss).fit(X, y), StandardScaler().fit(y.reshape(120, -1))
    by_hand = unfitted(loss=loss).fit(X, outside.transform(y.reshape(120, -1)).reshape(y.shape))
    quantiles, of_scaled = model.predict_quantiles(X), by_hand.predict_quantiles(X)
    assert quantiles.shape == (120, 3, *y.shape[1:])
    spread, mean = np.squeeze(outside.scale_), np.squeeze(outside.mean_)
    np.testing.assert_allclose(quantiles, of_scaled * spread + mean, rtol=1e-9)
    np.testing.assert_array_equal(model.predict(X), quantiles[:, 1])


@pytest.mark.parametrize("y", [Y, TARGETS], ids=["one", "several"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_standard_deviations_have_the_units_of_y(y, dtype):
    settings = {"loss": "gaussian_nll", "dtype": dtype}
    outside = StandardScaler().fit(y.reshape(120, -1))
    by_hand = unfitted(**settings).fit(X, outside.transform(y.reshape(120, -1)).reshape(y.shape))
    mean, std = scaled(**settings).fit(X, y).predict(X, return_std=True)
    of_scaled = by_hand.predict(X, return_std=True)
    rtol = 1e-9 if dtype == "float64" else 1e-3
    np.testing.assert_allclose(
        mean, of_scaled[0] * np.squeeze(outside.scale_) + np.squeeze(outside.mean_), rtol=rtol
    )
    np.testing.assert_allclose(std, of_scaled[1] * np.squeeze(outside.scale_), rtol=rtol)
    assert mean.shape == std.shape == y.shape
    assert mean.dtype == std.dtype == np.dtype(dtype)


def test_of_several_targets_each_has_its_own_scale_and_the_loss_is_that_of_scaled_ones():
    model, outside = scaled(solver="lbfgs", max_iter=100).fit(X, TARGETS), StandardScaler().fit(TARGETS)
    plain = unfitted(solver="lbfgs", max_iter=100).fit(X, TARGETS)
    share = ((model.predict(X) - TARGETS) ** 2).mean(axis=0) / TARGETS.var(axis=0)
    assert share.max() < 0.6
    assert (((plain.predict(X) - TARGETS) ** 2).mean(axis=0) / TARGETS.var(axis=0)).max() > 0.9
    assert model.loss_curve_ == pytest.approx(
        unfitted(solver="lbfgs", max_iter=100).fit(X, outside.transform(TARGETS)).loss_curve_, rel=1e-6
    )


class TestGoingOn:
    def test_partial_fit_keeps_the_scale_of_its_first_call(self):
        model = scaled(shuffle=False).partial_fit(X[:60], Y[:60]).partial_fit(X[60:], Y[60:])
        mean, spread = Y[:60].mean(), Y[:60].std()
        by_hand = unfitted(shuffle=False)
        by_hand.partial_fit(X[:60], (Y[:60] - mean) / spread).partial_fit(X[60:], (Y[60:] - mean) / spread)
        np.testing.assert_allclose(model.predict(X), mean + spread * by_hand.predict(X), rtol=1e-9)
        expected = [spread**2 * loss for loss in by_hand.loss_curve_]
        assert model.loss_curve_ == pytest.approx(expected, rel=1e-9)
        assert model.best_loss_ == min(model.loss_curve_)

    @each_solver
    def test_a_warm_start_keeps_it_and_a_new_start_does_not(self, solver):
        model = scaled(solver=solver, warm_start=True).fit(X, Y)
        before = model.predict(X)
        model.set_params(max_iter=1, learning_rate_init=1e-12).fit(X, 10 * Y)
        if solver != "lbfgs":
            np.testing.assert_allclose(model.predict(X), before, rtol=1e-6)
        assert model.n_iter_ == 1
        model.set_params(warm_start=False, max_iter=20, learning_rate_init=0.01).fit(X, 10 * Y)
        np.testing.assert_allclose(model.predict(X), 10 * before, rtol=1e-9)

    def test_a_fit_without_forgets_it(self):
        model = scaled().fit(X, Y).set_params(scale_target=False).fit(X, Y)
        np.testing.assert_array_equal(model.predict(X), unfitted().fit(X, Y).predict(X))

    def test_a_pickle_in_the_middle_changes_nothing(self):
        model = scaled().partial_fit(X, Y)
        again = pickle.loads(pickle.dumps(model)).partial_fit(X, Y)
        np.testing.assert_array_equal(again.predict(X), model.partial_fit(X, Y).predict(X))


@each_solver
@pytest.mark.parametrize("y", [Y, TARGETS], ids=["one", "several"])
@pytest.mark.parametrize("hidden_layer_sizes", [(), (8,)], ids=["linear", "deep"])
def test_to_sklearn_folds_the_scale_into_the_last_layer(solver, y, hidden_layer_sizes):
    model = scaled(solver=solver, hidden_layer_sizes=hidden_layer_sizes).fit(X, y)
    np.testing.assert_allclose(model.to_sklearn().predict(X), model.predict(X), rtol=1e-10)
    again = ScratchMLPRegressor.from_sklearn(model.to_sklearn())
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-10)


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_to_sklearn_folds_the_scale_of_positive_targets_into_the_last_biases(loss):
    model = scaled(loss=loss).fit(X, 1000 * np.exp(SHAPE))
    np.testing.assert_allclose(model.to_sklearn().predict(X), model.predict(X), rtol=1e-10)


@pytest.mark.parametrize("loss", ["poisson", "gamma", Poisson(), Gamma()], ids=str)
def test_positive_targets_are_divided_by_their_mean(loss):
    positive, mean = np.exp(SHAPE), np.average(np.exp(SHAPE), weights=WEIGHT)
    inside = scaled(loss=loss).fit(X, positive, sample_weight=WEIGHT)
    by_hand = unfitted(loss=loss, scale_target=False).fit(X, positive / mean, sample_weight=WEIGHT)
    np.testing.assert_allclose(inside.predict(X), mean * by_hand.predict(X), rtol=1e-9)
    in_units = mean if "oisson" in str(loss) else 1.0  # a ratio has no unit
    assert inside.loss_curve_ == pytest.approx([in_units * loss for loss in by_hand.loss_curve_], rel=1e-9)


def test_a_loss_of_probabilities_is_refused():
    model = scaled(loss=BinaryLogLoss())
    with pytest.raises(
        ValueError, match="scale_target=True cannot scale targets for loss=BinaryLogLoss.*'logistic'"
    ):
        model.fit(X, SHAPE > 0)
    assert vars(model) == vars(scaled(loss=BinaryLogLoss()))


def test_by_default_the_losses_of_scikit_learn_are_not_scaled_and_all_others_are():
    positive = np.exp(SHAPE)
    for loss in REGRESSION_LOSSES:
        by_default = unfitted(loss=loss).fit(X, positive).predict(X)
        chosen = loss not in ("squared_error", "poisson")
        np.testing.assert_array_equal(
            unfitted(loss=loss, scale_target=chosen).fit(X, positive).predict(X), by_default
        )


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_training_starts_at_the_best_constant(loss):
    positive = np.exp(SHAPE)
    settings = {"loss": loss, "scale_target": True, "weight_init": Normal(1e-12), "learning_rate_init": 1e-12}
    model = unfitted(max_iter=1, **settings).fit(X, positive)
    of_loss = LOSSES[loss]()

    def constant(y):
        raw = of_loss.best_constant(y[:, np.newaxis], None, model.n_outputs_)[0]
        return np.exp(raw) if of_loss.link_inverse == "exp" else raw

    expected = constant(positive)
    if constant(2 * positive) == pytest.approx(2 * expected, rel=1e-6):  # not that of Huber: delta has units
        np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6)
    first = model.loss_curve_[0]
    assert first <= unfitted(max_iter=1, **settings).fit(X, positive).loss_curve_[0] * (1 + 1e-9)


@pytest.mark.parametrize("constant", [0.0, 1e6])
def test_a_constant_target_is_predicted(constant):
    model = scaled(max_iter=300).fit(X, np.full(120, constant))
    np.testing.assert_allclose(model.predict(X), constant, atol=0.2)
    single = scaled().fit(X[:1], [constant])
    np.testing.assert_allclose(single.predict(X[:1]), constant, atol=2)


def test_frames_lists_and_columns_are_targets_too():
    expected = scaled().fit(X, Y).predict(X)
    for y in (Y.tolist(), pd.Series(Y, name="price")):
        np.testing.assert_array_equal(scaled().fit(X, y).predict(X), expected)
    several = scaled().fit(X, pd.DataFrame(TARGETS)).predict(X)
    np.testing.assert_allclose(several, scaled().fit(X, TARGETS).predict(X), rtol=1e-9)


def test_a_step_is_explained_in_the_units_trained_in():
    model = scaled(activation="tanh", alpha=0).fit(X, Y)
    step = explain_step(model, X, Y)
    assert Y.var() * step.loss == pytest.approx(mean_squared_error(Y, model.predict(X)) / 2, rel=1e-9)
    assert max(check_gradients(model, X[:20], Y[:20]).values()) < 1e-6


def test_it_is_searched_and_the_classifier_has_none():
    search = GridSearchCV(unfitted(), {"scale_target": [False, True]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"scale_target": True}
    assert "scale_target" not in ScratchMLPClassifier().get_params()
