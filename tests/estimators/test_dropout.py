"""Dropout of the estimators: in training only, reproducible, and worth something."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.model_selection import GridSearchCV

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import (
    SGD,
    Batches,
    Constant,
    History,
    Network,
    Patience,
    Progress,
    ReLU,
    SquaredError,
    Training,
    train_minibatch,
)
from sknn_scratch.fitting._engine import engine

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(120, 6, n_informative=4, random_state=1)
both = pytest.mark.parametrize("kind", [ScratchMLPClassifier, ScratchMLPRegressor])
each_solver = pytest.mark.parametrize("solver", ["adam", "sgd"])


def network(kind=ScratchMLPClassifier, **params):
    defaults = {"hidden_layer_sizes": (8, 6), "batch_size": 25, "max_iter": 4, "random_state": 0}
    return kind(**{**defaults, "dropout": 0.5, **params})


def weights(estimator):
    return [*estimator.coefs_, *estimator.intercepts_]


def are_same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(weights(first), weights(second), strict=True))


@both
@each_solver
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_random_state_decides_what_is_left_out(kind, solver, dtype):
    inputs = X.astype(dtype)
    model = network(kind, solver=solver).fit(inputs, Y)
    assert {array.dtype for array in weights(model)} == {np.dtype(dtype)}
    assert are_same(model, network(kind, solver=solver).fit(inputs, Y))
    assert are_same(model, network(kind, solver=solver, random_state=np.random.RandomState(0)).fit(inputs, Y))
    assert not are_same(model, network(kind, solver=solver, random_state=1).fit(inputs, Y))
    # the masks are random by themselves, not by the order of the rows or the first weights only
    assert not are_same(model, network(kind, solver=solver, dropout=0.0).fit(inputs, Y))
    kept = {"shuffle": False, "weight_init": lambda n_in, n_out, rng: np.full((n_in, n_out), 0.1)}
    first, second = (network(kind, solver=solver, random_state=i, **kept).fit(inputs, Y) for i in (0, 1))
    assert not are_same(first, second)


def test_without_random_state_each_fit_differs():
    first, second = (network(random_state=None).fit(X, Y) for _ in range(2))
    assert not are_same(first, second)


@both
@each_solver
def test_a_rate_of_0_changes_no_bit(kind, solver):
    plain = kind(hidden_layer_sizes=(8, 6), solver=solver, batch_size=25, max_iter=4, random_state=0).fit(
        X, Y
    )
    for rate in (0, 0.0, np.float64(0), [0.0, 0.0], (0, 0)):
        assert are_same(plain, network(kind, solver=solver, dropout=rate).fit(X, Y))
    without_hidden_layers = network(kind, solver=solver, hidden_layer_sizes=())
    assert are_same(
        without_hidden_layers.fit(X, Y), clone(without_hidden_layers).set_params(dropout=0).fit(X, Y)
    )


@both
def test_nothing_is_left_out_at_prediction(kind):
    model = network(kind).fit(X, Y)
    (W1, W2, W3), (b1, b2, b3) = model.coefs_, model.intercepts_
    raw = np.maximum(np.maximum(X @ W1 + b1, 0) @ W2 + b2, 0) @ W3 + b3
    found = model.decision_function(X) if kind is ScratchMLPClassifier else model.predict(X)
    np.testing.assert_allclose(found, raw.ravel(), rtol=1e-12)
    for array, again in zip(model.hidden_activations(X), model.hidden_activations(X), strict=True):
        np.testing.assert_array_equal(array, again)


@pytest.mark.parametrize("scoring", [None, "loss", "neg_log_loss"])
def test_nothing_is_left_out_in_validation(scoring):
    model = network(scoring=scoring).fit(X[:80], Y[:80], X_val=X[80:], y_val=Y[80:])
    loss = log_loss(Y[80:], model.predict_proba(X[80:]))
    score = model.score(X[80:], Y[80:]) if scoring is None else -loss
    assert model.validation_loss_curve_[-1] == pytest.approx(loss, rel=1e-12)
    assert model.validation_scores_[-1] == pytest.approx(score, rel=1e-12)
    # while the loss that is minimised is that of the thinned network
    assert model.loss_ > log_loss(Y[:80], model.predict_proba(X[:80]))


def test_early_stopping_keeps_the_weights_that_score_best_without_dropout():
    model = network(early_stopping=True, scoring="loss", max_iter=40, learning_rate_init=0.05, tol=0)
    model.fit(X[:80], Y[:80], X_val=X[80:], y_val=Y[80:])
    loss = log_loss(Y[80:], model.predict_proba(X[80:]))
    assert loss == pytest.approx(min(model.validation_loss_curve_), rel=1e-12)
    assert loss < model.validation_loss_curve_[-1]


@pytest.mark.parametrize("dropout", [[0.5, 0.2], (0.5, 0.0), [0, 0.9], 0.3])
def test_each_layer_has_its_own_rate_as_in_the_core(dropout):
    params = {"solver": "sgd", "momentum": 0, "learning_rate_init": 0.1, "alpha": 0.01, "max_iter": 3}
    model = network(ScratchMLPRegressor, dropout=dropout, **params).fit(X, Y)
    rates = dropout if isinstance(dropout, list | tuple) else [dropout, dropout]
    rng, y = np.random.RandomState(0), Y[:, np.newaxis].astype(float)
    core = Network.mlp([6, 8, 6, 1], ReLU(), SquaredError(), 0.01, dropout=rates)
    parameters, optimizer = core.initialize(rng, X.dtype), SGD(momentum=0)
    state = optimizer.init(parameters.flat)
    training = Training(optimizer, Constant(), state, Progress(0.1), Patience(1e-4, 10))
    batches = Batches(X, y, None, 25, rng=rng)
    train_minibatch(core, parameters, batches, training, History(), 3, rng=rng, engine=engine())
    expected = [layer["weights"] for layer in parameters.layers if layer]
    for actual, array in zip(model.coefs_, expected, strict=True):
        np.testing.assert_array_equal(actual, array)


@both
def test_lbfgs_is_refused(kind):
    for dropout in (0.5, [0.0, 0.5]):
        model = network(kind, solver="lbfgs", dropout=dropout)
        with pytest.raises(
            ValueError, match=r"dropout=.* needs a solver that trains step by step, not 'lbfgs'"
        ):
            model.fit(X, Y)
        assert not hasattr(model, "coefs_")
    assert hasattr(network(kind, solver="lbfgs", dropout=[0, 0.0]).fit(X, Y), "coefs_")


@both
@pytest.mark.parametrize(
    "dropout",
    [1, 1.0, -0.1, np.nan, "0.5", None, [], [0.5], [0.5, 0.5, 0.5], [0.5, 1.0], [0.5, "a"], [0.5, np.nan]],
    ids=str,
)
def test_wrong_rates_are_refused_by_name(kind, dropout):
    model = network(kind, dropout=dropout)
    with pytest.raises(ValueError, match="dropout"):
        model.fit(X, Y)
    with pytest.raises(ValueError, match="dropout"):
        model.partial_fit(X, Y, **({"classes": [0, 1]} if kind is ScratchMLPClassifier else {}))
    assert not hasattr(model, "coefs_")


@both
@each_solver
def test_partial_fit_goes_on_where_it_was(kind, solver):
    # an epoch of fit shuffles the order of the epoch before, partial_fit that of the data
    whole = network(kind, solver=solver, max_iter=4, shuffle=False).fit(X, Y)
    stepwise = network(kind, solver=solver, shuffle=False)
    first = {"classes": [0, 1]} if kind is ScratchMLPClassifier else {}
    for i in range(4):
        stepwise.partial_fit(X, Y, **(first if i == 0 else {}))
    assert are_same(whole, stepwise)


@both
@each_solver
def test_a_pickle_goes_on_to_the_same_bits(kind, solver):
    model = network(kind, solver=solver).fit(X, Y)
    restored = pickle.loads(pickle.dumps(model))
    for _ in range(3):
        assert are_same(model.partial_fit(X, Y), restored.partial_fit(X, Y))
    assert are_same(*(one.set_params(warm_start=True).fit(X, Y) for one in (model, restored)))


def test_rates_are_cloned_and_searched():
    model = network(dropout=[0.1, 0.2])
    assert clone(model).dropout == [0.1, 0.2]
    search = GridSearchCV(model, {"dropout": [0.0, [0.3, 0.0]]}, cv=2).fit(X, Y)
    assert search.best_params_["dropout"] in (0.0, [0.3, 0.0])
    assert are_same(search.best_estimator_, network(**search.best_params_).fit(X, Y))


def test_a_fit_that_fails_leaves_the_masks_to_come_as_they_were():
    model, twin = (network().fit(X, Y) for _ in range(2))
    with pytest.raises(ValueError, match="diverged"):
        model.partial_fit(X * 1e200, Y)
    assert are_same(model.partial_fit(X, Y), twin.partial_fit(X, Y))


def test_it_regularises():
    errors = {0.0: [], 0.5: []}
    for rate, seed in [(rate, seed) for rate in errors for seed in range(5)]:
        rng = np.random.RandomState(seed)
        inputs = rng.normal(size=(560, 10))
        y = inputs[:, 0] - inputs[:, 1] + rng.normal(size=560)  # no model has an error below 1
        model = network(
            ScratchMLPRegressor, dropout=rate, hidden_layer_sizes=(50,), random_state=seed, alpha=0
        )
        model.set_params(max_iter=200, n_iter_no_change=np.inf, learning_rate_init=0.01)
        model.fit(inputs[:60], y[:60])
        parts = slice(60), slice(60, None)
        errors[rate].append([mean_squared_error(y[rows], model.predict(inputs[rows])) for rows in parts])
    (train, test), (train_thinned, test_thinned) = (np.mean(errors[rate], axis=0) for rate in errors)
    assert train < 0.01 < 0.05 < train_thinned  # without, the noise is learnt by heart
    assert test_thinned < 0.9 * test
    assert test_thinned - train_thinned < 0.8 * (test - train)
