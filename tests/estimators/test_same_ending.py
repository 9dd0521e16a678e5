"""Training ends in the same epoch as scikit-learn's, and draws the same random numbers."""

import numpy as np
import pytest
from helpers.beside_sklearn import (
    PAIRS_OF_CLASSES,
    assert_same_model,
    both_kinds,
    data_for,
    fitted_pair,
    make_data,
    unconverged,
)


@both_kinds
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_patience_runs_out_in_the_same_epoch(ours, theirs, solver, early_stopping):
    X, y, _ = data_for(ours)
    a, b = fitted_pair(
        ours,
        theirs,
        X,
        y,
        solver=solver,
        early_stopping=early_stopping,
        validation_fraction=0.2,
        learning_rate_init=0.02,
        tol=1e-3,
        n_iter_no_change=4,
        max_iter=1000,
        random_state=1,
    )
    assert 4 + 2 < a.n_iter_ < 1000  # more than if nothing ever improved
    np.testing.assert_allclose(a.loss_curve_, b.loss_curve_, rtol=1e-6)


@unconverged
def test_score_as_good_as_the_best_is_not_stagnant_without_tolerance():
    X, y, _ = make_data("binary")
    a, _ = fitted_pair(
        *PAIRS_OF_CLASSES[0],
        X,
        y,
        early_stopping=True,
        validation_fraction=0.2,
        tol=0.0,
        n_iter_no_change=1,
        max_iter=20,
        random_state=1,
    )
    scores = a.validation_scores_
    assert any(score == max(scores[:i]) for i, score in enumerate(scores) if i > 0)
    assert len(scores) > 5


@both_kinds
def test_lbfgs_converges_in_the_same_iteration(ours, theirs):
    X, y, _ = data_for(ours)
    a, b = fitted_pair(
        ours, theirs, X, y, solver="lbfgs", hidden_layer_sizes=(), alpha=1.0, tol=1e-5, random_state=1
    )
    assert 3 < a.n_iter_ < a.max_iter
    np.testing.assert_allclose(a.loss_, b.loss_, rtol=1e-9)


@unconverged
@both_kinds
def test_lbfgs_stops_at_the_same_number_of_evaluations(ours, theirs):
    X, y, _ = data_for(ours)
    a, _ = fitted_pair(ours, theirs, X, y, solver="lbfgs", max_fun=7, random_state=1)
    assert 1 < a.n_iter_ < 8


@both_kinds
@pytest.mark.parametrize("early_stopping", [False, True])
def test_adaptive_learning_rate_decreases_until_training_ends(ours, theirs, early_stopping, capsys):
    X, y, _ = data_for(ours)
    params = {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.1,
        "early_stopping": early_stopping,
        "validation_fraction": 0.2,
        "n_iter_no_change": 2,
        "tol": 0.005,
        "max_iter": 1000,
        "random_state": 1,
        "verbose": True,
    }
    models = [cls(**params).fit(X, y) for cls in (ours, theirs)]
    assert_same_model(*models)
    printed = capsys.readouterr().out
    assert printed.count("Reducing the learning rate") == printed.count("Setting learning rate") == 8
    rates = sorted({row["learning_rate"] for row in models[0].history_})
    np.testing.assert_allclose(
        rates, [0.1 / 5**k for k in range(8, -1, -1)]
    )  # the last is the first below 1e-6
    assert models[0].n_iter_ < 1000


@unconverged
@both_kinds
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_unshuffled_rows_are_trained_on_in_their_order(ours, theirs, solver):
    X, y, _ = data_for(ours)
    params = {"solver": solver, "shuffle": False, "batch_size": 13, "max_iter": 5, "random_state": 1}
    a, _ = fitted_pair(ours, theirs, X, y, **params)
    other_order = ours(**params).fit(X[::-1], y[::-1])
    assert not np.allclose(a.coefs_[0], other_order.coefs_[0], rtol=1e-6)


@unconverged
@both_kinds
def test_auto_batch_is_200_rows_of_many(ours, theirs):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(450, 3))
    y = (X.sum(axis=1) > 0).astype(int)
    a, _ = fitted_pair(ours, theirs, X, y, max_iter=3, random_state=1)
    by_200 = ours(max_iter=3, random_state=1, batch_size=200).fit(X, y)
    np.testing.assert_array_equal(a.coefs_[0], by_200.coefs_[0])


# ---------------------------------------------------------------------------------------------------------
# Random numbers


@unconverged
@both_kinds
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_generator_given_as_random_state_is_left_in_the_same_state(ours, theirs, solver):
    X, y, _ = data_for(ours)
    generators = np.random.RandomState(9), np.random.RandomState(9)
    early_stopping = solver != "lbfgs"
    models = []
    for cls, generator in zip((ours, theirs), generators, strict=True):
        model = cls(
            solver=solver,
            early_stopping=early_stopping,
            validation_fraction=0.2,
            max_iter=3,
            random_state=generator,
        )
        models.append(model.fit(X, y).fit(X, y))
    assert_same_model(*models)
    assert generators[0].uniform() == generators[1].uniform() != np.random.RandomState(9).uniform()


@unconverged
@both_kinds
def test_without_random_state_numpys_global_generator_is_used(ours, theirs):
    X, y, _ = data_for(ours)
    before = np.random.get_state()
    try:
        models = []
        for cls in (ours, theirs):
            np.random.seed(4)
            models.append(cls(max_iter=3).fit(X, y))
    finally:
        np.random.set_state(before)
    assert_same_model(*models)
