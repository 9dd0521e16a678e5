"""Weights that the user puts into a fitted model are those that count."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from helpers.fits import assert_same_weights, both, classifier, weights
from scipy.special import softmax

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class TestWeightsOfOnesOwn:
    @both
    def test_predictions_follow_what_is_put_into_coefs(self, make, X, y):
        output = "predict_proba" if make is classifier else "predict"

        def predictions(model):
            return getattr(model, output)(X)

        def by_hand(model):
            hidden = np.maximum(X @ model.coefs_[0] + model.intercepts_[0], 0)
            raw = hidden @ model.coefs_[1] + model.intercepts_[1]
            return softmax(raw, axis=1) if make is classifier else raw.ravel()

        model = make().fit(X, y)
        seen = [predictions(model)]
        model.coefs_[0][...] = -model.coefs_[0]
        seen.append(predictions(model))
        model.coefs_[0] = 2 * model.coefs_[0]
        seen.append(predictions(model))
        model.coefs_ = [3 * coef for coef in model.coefs_]
        seen.append(predictions(model))
        model.intercepts_ = [intercept + 1 for intercept in model.intercepts_]
        seen.append(predictions(model))
        # prune the hidden layer from 8 units to 3
        model.coefs_ = [model.coefs_[0][:, :3], model.coefs_[1][:3]]
        model.intercepts_ = [model.intercepts_[0][:3], model.intercepts_[1]]
        seen.append(predictions(model))
        np.testing.assert_allclose(seen[-1], by_hand(model), rtol=1e-10)
        for first, second in itertools.pairwise(seen):
            assert not np.allclose(first, second)

    @both
    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
    def test_copies_do_not_share_live_weights(self, make, X, y, duplicate):
        model = make().fit(X, y)
        other, before = duplicate(model), model.predict(X)
        np.testing.assert_array_equal(other.predict(X), before)
        for array in weights(other):
            array[...] = 0
        other.coefs_[0] = None
        other.loss_curve_.append(0.0)
        np.testing.assert_array_equal(model.predict(X), before)
        assert len(model.loss_curve_) == model.n_iter_

    @both
    def test_training_a_copy_leaves_the_original_as_it_was(self, make, X, y):
        model, alone = (make(max_iter=3).fit(X, y) for _ in range(2))
        copy.copy(model).partial_fit(X[:50], y[:50]).partial_fit(X, y)
        copy.copy(model).set_params(warm_start=True).fit(X, y)
        assert_same_weights(model.partial_fit(X, y), alone.partial_fit(X, y))

    @both
    def test_training_goes_on_from_weights_put_there(self, make, X, y):
        model = make(max_iter=1, learning_rate_init=1e-12).fit(X, y)
        model.coefs_ = [np.zeros((6, 5)), np.zeros((5, 3 if make is classifier else 1))]
        model.intercepts_[0] = np.zeros(5)
        model.set_params(hidden_layer_sizes=(5,), warm_start=True).fit(X, y)
        assert max(np.abs(coef).max() for coef in model.coefs_) < 1e-9
