"""What the classic first networks need of the estimators: their losses, first weights, missing biases."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_circles
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import GridSearchCV

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import INITIALIZERS, Normal, ReLU, Tanh, Uniform

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = make_circles(200, noise=0.09, factor=0.46, random_state=0)
both = pytest.mark.parametrize("kind", [ScratchMLPClassifier, ScratchMLPRegressor])
each_solver = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])


@each_solver
def test_squared_error_of_probabilities_is_half_the_brier_score(solver):
    model = ScratchMLPClassifier((8,), loss="squared_error", solver=solver, alpha=0, max_iter=50, tol=0)
    model.set_params(batch_size=200, learning_rate_init=1e-9 if solver != "lbfgs" else 1, random_state=0)
    model.fit(X, y)
    assert model.loss_ == pytest.approx(brier_score_loss(y, model.predict_proba(X)[:, 1]) / 2, rel=1e-5)
    assert model.out_activation_ == "logistic"


def test_squared_error_of_several_classes_learns_iris_and_keeps_softmax():
    inputs, labels = load_iris(return_X_y=True, as_frame=True)
    names = np.array(["setosa", "versicolor", "virginica"])[labels]
    model = ScratchMLPClassifier(loss="squared_error", solver="lbfgs", random_state=0).fit(inputs, names)
    assert model.score(inputs, names) > 0.95
    np.testing.assert_allclose(model.predict_proba(inputs).sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(inputs)), model.predict_proba(inputs))


def test_squared_error_of_labels_learns_each_of_them():
    labels = np.column_stack([y, 1 - y, X[:, 0] > 0]).astype(int)
    model = ScratchMLPClassifier(loss="squared_error", solver="lbfgs", max_iter=500, random_state=0)
    assert model.fit(X, labels).score(X, labels) > 0.95


@both
@each_solver
def test_without_intercept_they_stay_zero_and_draw_nothing(kind, solver):
    model = kind(hidden_layer_sizes=(4,), fit_intercept=False, solver=solver, max_iter=3, random_state=0)
    model.fit(X, y)
    assert not any(intercept.any() for intercept in model.intercepts_)
    assert [intercept.shape for intercept in model.intercepts_] == [(4,), (1,)]
    rng = np.random.RandomState(0)  # weights only, one layer after the other
    start = kind(hidden_layer_sizes=(4,), fit_intercept=False, solver="sgd", max_iter=1, random_state=0)
    start.set_params(learning_rate_init=1e-300).fit(X, y)
    for coef in start.coefs_:
        bound = np.sqrt(6 / sum(coef.shape))
        np.testing.assert_array_equal(coef, rng.uniform(-bound, bound, coef.shape))
    origin = np.zeros((1, 2))
    assert not model.predict(origin).any()
    model.set_params(warm_start=True).fit(X, y)
    assert not any(intercept.any() for intercept in model.intercepts_)


@both
@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_weights_start_as_named_or_configured_and_biases_at_zero(kind, name):
    for weight_init in (name, INITIALIZERS[name]()):
        model = kind(hidden_layer_sizes=(4,), weight_init=weight_init, solver="sgd", max_iter=1)
        model.set_params(learning_rate_init=1e-300, random_state=3).fit(X, y)
        rng = np.random.RandomState(3)
        for coef, intercept in zip(model.coefs_, model.intercepts_, strict=True):
            np.testing.assert_array_equal(coef, INITIALIZERS[name]()(*coef.shape, rng))
            np.testing.assert_allclose(intercept, 0, atol=1e-299)


def test_weights_start_as_a_function_says():
    def draw(fan_in, fan_out, rng):
        return np.full((fan_in, fan_out), 0.25) + rng.uniform(size=(fan_in, fan_out))

    model = ScratchMLPClassifier((3,), weight_init=draw, solver="sgd", learning_rate_init=1e-300, max_iter=1)
    model.set_params(random_state=5).fit(X, y)
    rng = np.random.RandomState(5)
    np.testing.assert_array_equal(model.coefs_[0], draw(2, 3, rng))
    np.testing.assert_array_equal(model.coefs_[1], draw(3, 1, rng))


def test_initializers_are_cloned_and_searched():
    model = ScratchMLPClassifier((5,), weight_init=Normal(0.5), max_iter=5, random_state=0)
    assert clone(model).weight_init == Normal(0.5)
    search = GridSearchCV(model, {"weight_init__scale": [0.01, 1.0]}, cv=2).fit(X, y)
    assert search.best_estimator_.weight_init in (Normal(0.01), Normal(1.0))


@both
@pytest.mark.parametrize("activation", [["tanh", "relu"], (Tanh(), "relu"), [Tanh(), ReLU()]])
def test_each_hidden_layer_has_its_own_activation(kind, activation):
    model = kind(hidden_layer_sizes=(4, 3), activation=activation, max_iter=3, random_state=0).fit(X, y)
    (W1, W2, W3), (b1, b2, b3) = model.coefs_, model.intercepts_
    raw = np.maximum(np.tanh(X @ W1 + b1) @ W2 + b2, 0) @ W3 + b3
    predicted = model.decision_function(X) if kind is ScratchMLPClassifier else model.predict(X)
    np.testing.assert_allclose(predicted, raw.ravel())


@both
def test_equal_activations_are_one_activation(kind):
    one, listed = (
        kind(hidden_layer_sizes=(4, 3), activation=activation, max_iter=3, random_state=0).fit(X, y)
        for activation in ("logistic", ["logistic", "logistic"])
    )
    for array, expected in zip(listed.coefs_, one.coefs_, strict=True):
        np.testing.assert_array_equal(array, expected)
    np.testing.assert_allclose(listed.to_sklearn().predict(X), one.predict(X), rtol=1e-12)
    mixed = clone(one).set_params(activation=["logistic", "tanh"]).fit(X, y)
    with pytest.raises(ValueError, match="does not support activation="):
        mixed.to_sklearn()


@both
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_training_goes_on_with_biases_or_without_them_as_is_set_then(kind, fit_intercept):
    params = {"hidden_layer_sizes": (4,), "random_state": 0, "max_iter": 2, "fit_intercept": fit_intercept}
    watched = kind(**params, warm_start=True, early_stopping=True).fit(X, y)
    step_by_step = kind(**params).fit(X, y)
    for model, method in [(watched, watched.fit), (step_by_step, step_by_step.partial_fit)]:
        # with such small steps, no epoch is better than the best one before
        model.set_params(fit_intercept=not fit_intercept, learning_rate_init=1e-12)
        method(X, y)
        assert np.isfinite(model.predict(X)).all()
        assert any(bias.any() for bias in model.intercepts_) is not fit_intercept


def test_circles_are_learnt_by_full_batch_descent_on_the_squared_error():
    inputs, labels = make_circles(1000, noise=0.09, factor=0.46, random_state=1)
    model = ScratchMLPClassifier(
        (8, 16, 32, 16, 8),
        "tanh",
        loss="squared_error",
        weight_init=Uniform(-1, 1),
        solver="sgd",
        momentum=0,
        alpha=0,
        batch_size=1000,
        learning_rate_init=0.06,  # twice 0.03: the loss here is half the squared error
        max_iter=2000,
        n_iter_no_change=np.inf,
        random_state=0,
    )
    assert model.fit(inputs, labels).score(X, y) > 0.97
