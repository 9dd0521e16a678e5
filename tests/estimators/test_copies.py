"""Copies of estimators: pickled, through a file, deep, shallow, and cloned."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from helpers.real_data import COMMON, cancer, diabetes, digits, pair
from sklearn.base import clone

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import SGD, Adam

# Training is kept short here; whether it converges is not the question.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class TestCopies:
    COPIES = {
        "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
        "joblib": None,  # goes through a file
        "deepcopy": copy.deepcopy,
        "copy": copy.copy,
    }

    @pytest.fixture(params=COPIES)
    def copied(self, request, tmp_path):
        def through_a_file(estimator):
            joblib.dump(estimator, tmp_path / "estimator.joblib")
            return joblib.load(tmp_path / "estimator.joblib")

        return self.COPIES[request.param] or through_a_file

    @pytest.mark.parametrize("kind", ["classifier", "regressor"])
    @pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
    def test_predictions_are_identical(self, kind, solver, copied):
        X, X_test, y, _ = cancer()
        estimator = pair(kind, solver=solver)[0].fit(X, y)
        other = copied(estimator)
        np.testing.assert_array_equal(other.predict(X_test), estimator.predict(X_test))
        assert other.get_params() == estimator.get_params()
        assert other.loss_curve_ == estimator.loss_curve_

    @pytest.mark.parametrize("solver", ["adam", "sgd", Adam(beta_2=0.9), SGD(momentum=0.5)])
    def test_partial_fit_goes_on_to_the_bit(self, solver, copied):
        X, X_test, y, _ = digits()

        def train(network, calls):
            for call in calls:
                rows = slice(call % 3 * 100, call % 3 * 100 + 100)
                network.partial_fit(X[rows], y[rows], classes=np.arange(10))
            return network

        estimator = train(pair("classifier", solver=solver, batch_size=30)[0], range(4))
        other = copied(estimator)
        at_once = train(pair("classifier", solver=solver, batch_size=30)[0], range(9)).predict_proba(X_test)
        np.testing.assert_array_equal(train(other, range(4, 9)).predict_proba(X_test), at_once)
        # and the original was not touched by training the copy
        np.testing.assert_array_equal(train(estimator, range(4, 9)).predict_proba(X_test), at_once)

    @pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
    def test_warm_start_goes_on_to_the_bit(self, solver, copied):
        X, X_test, y, _ = diabetes()
        estimator = ScratchMLPRegressor(solver=solver, max_iter=5, warm_start=True, random_state=0).fit(X, y)
        other = copied(estimator)
        once = other.fit(X, y).predict(X_test)
        np.testing.assert_array_equal(once, estimator.fit(X, y).predict(X_test))

    def test_editing_a_copy_leaves_the_original_alone(self, copied):
        X, X_test, y, _ = diabetes()
        estimator = pair("regressor")[0].fit(X, y)
        predictions, losses = estimator.predict(X_test), list(estimator.loss_curve_)
        other = copied(estimator)
        other.coefs_[0][...] = 0
        other.intercepts_[1] += 100
        other.loss_curve_.append(0.0)
        np.testing.assert_array_equal(estimator.predict(X_test), predictions)
        assert estimator.loss_curve_ == losses
        assert not np.allclose(other.predict(X_test), predictions)

    def test_clone_has_the_parameters_only(self):
        X, _, y, _ = cancer()
        estimator = ScratchMLPClassifier(**COMMON, solver=Adam(beta_1=0.8)).fit(X, y)
        other = clone(estimator)
        assert other.get_params() == estimator.get_params()
        assert other.solver is not estimator.solver
        assert not hasattr(other, "coefs_")
        np.testing.assert_array_equal(other.fit(X, y).predict_proba(X), estimator.predict_proba(X))
