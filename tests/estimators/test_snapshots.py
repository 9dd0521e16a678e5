"""Snapshots of a training: the model of a fit that ends there."""

import copy
import pickle
from unittest import mock

import numpy as np
import pytest
from helpers.recorder import (
    MAX_ITER,
    SOLVERS,
    STOCHASTIC,
    TARGET,
    X_REGRESSION,
    Recorder,
    Snapshots,
    X,
    assert_same_model,
    attributes_of,
    classifier,
    fitted_without_callbacks,
    too_few_epochs,
    y,
)

from sknn_scratch import ScratchMLPRegressor
from sknn_scratch.estimators._lbfgs import LbfgsRun
from sknn_scratch.estimators._minibatch import MinibatchRun


@too_few_epochs
@pytest.mark.parametrize("solver", SOLVERS)
class TestSnapshots:
    def test_no_snapshot_is_made_unless_a_callback_asks_for_one(self, solver):
        run = LbfgsRun if solver == "lbfgs" else MinibatchRun
        n_made = {}
        for callback in (Recorder(), Snapshots()):
            with mock.patch.object(
                run, "fitted_attributes", autospec=True, side_effect=run.fitted_attributes
            ) as made:
                classifier(solver).set_callbacks(callback).fit(X, y)
            n_made[type(callback)] = made.call_count
        assert n_made == {Recorder: 1, Snapshots: 1 + MAX_ITER}  # one is for the estimator itself

    def test_snapshot_is_the_model_of_a_fit_that_ends_there(self, solver):
        snapshots = Snapshots()
        estimator = classifier(solver).set_callbacks(snapshots).fit(X, y)
        assert len(snapshots.models) == MAX_ITER
        for epoch, snapshot in enumerate(snapshots.models, start=1):
            expected = fitted_without_callbacks(estimator, max_iter=epoch)
            np.testing.assert_array_equal(snapshot.predict_proba(X), expected.predict_proba(X))
            np.testing.assert_array_equal(snapshot.predict(X), expected.predict(X))
            assert_same_model(snapshot, expected)

    def test_snapshot_of_a_refit_is_of_the_new_model(self, solver):
        snapshots = Snapshots()
        estimator = classifier(solver, activation="tanh").fit(X, y)
        estimator.set_params(activation="logistic").set_callbacks(snapshots).fit(X, y)
        expected = fitted_without_callbacks(estimator, max_iter=2)
        np.testing.assert_array_equal(snapshots.models[1].predict_proba(X), expected.predict_proba(X))

    def test_snapshot_does_not_change_while_training_goes_on(self, solver):
        snapshots = Snapshots()
        estimator = classifier(solver, warm_start=True).set_callbacks(snapshots).fit(X, y)
        estimator.set_callbacks().fit(X, y)
        for snapshot, copied in zip(snapshots.models, snapshots.copies, strict=True):
            assert pickle.dumps(attributes_of(snapshot)) == copied

    def test_training_a_snapshot_leaves_the_estimator_alone(self, solver):
        snapshots = Snapshots()
        estimator = classifier(solver, warm_start=True).set_callbacks(snapshots).fit(X, y)
        expected = copy.deepcopy(estimator)
        snapshots.models[-1].set_callbacks().fit(X, y)
        snapshots.models[0].set_callbacks().fit(X, y)
        assert_same_model(estimator, expected)
        assert_same_model(estimator.set_callbacks().fit(X, y), expected.set_callbacks().fit(X, y))


@too_few_epochs
@pytest.mark.parametrize("solver", STOCHASTIC)
def test_snapshot_goes_on_like_a_fit_that_ends_there(solver):
    snapshots = Snapshots()
    estimator = classifier(solver).set_callbacks(snapshots).fit(X, y)
    expected = fitted_without_callbacks(estimator, max_iter=2).partial_fit(X, y)
    assert_same_model(snapshots.models[1].partial_fit(X, y), expected)


@too_few_epochs
@pytest.mark.parametrize("solver", STOCHASTIC)
def test_snapshots_of_early_stopping_hold_the_best_weights_so_far(solver):
    snapshots = Snapshots()
    estimator = classifier(solver, early_stopping=True, learning_rate_init=0.1).set_callbacks(snapshots)
    estimator.fit(X, y)
    assert np.argmax(estimator.validation_scores_) < MAX_ITER - 1  # what came last was not the best
    for epoch, snapshot in enumerate(snapshots.models, start=1):
        expected = fitted_without_callbacks(estimator, max_iter=epoch)
        assert_same_model(snapshot, expected)
        assert snapshot.validation_scores_ == expected.validation_scores_
        assert snapshot.best_validation_score_ == expected.best_validation_score_


@too_few_epochs
def test_snapshots_of_the_regressor_predict():
    snapshots = Snapshots()
    estimator = ScratchMLPRegressor(max_iter=3, random_state=0).set_callbacks(snapshots)
    estimator.fit(X_REGRESSION, TARGET)
    expected = fitted_without_callbacks(estimator, X_REGRESSION, TARGET, max_iter=2)
    np.testing.assert_array_equal(snapshots.models[1].predict(X_REGRESSION), expected.predict(X_REGRESSION))
    np.testing.assert_array_equal(snapshots.models[2].predict(X_REGRESSION), estimator.predict(X_REGRESSION))
