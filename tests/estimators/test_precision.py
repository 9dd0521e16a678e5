"""Weights, predictions and scores in the precision asked for."""

import copy

import numpy as np
import pytest
from helpers.fits import (
    DATA,
    X2,
    X3,
    Y2,
    Y3,
    assert_same_weights,
    both,
    classifier,
    each_solver,
    each_target,
    weights,
)
from scipy.special import expit, log_expit, log_softmax, softmax

from sknn_scratch import ScratchMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class TestPrecision:
    @both
    @each_solver
    @pytest.mark.parametrize("dtype", [None, "float32", "float64"])
    @pytest.mark.parametrize("of_data", [np.float32, np.float64, np.int64])
    def test_weights_and_predictions_have_the_dtype_asked_for(self, make, X, y, solver, dtype, of_data):
        X = (10 * X).astype(of_data)
        expected = np.dtype(dtype or ("float32" if of_data is np.float32 else "float64"))
        model = make(solver=solver, dtype=dtype, max_iter=3).fit(X, y)
        assert {array.dtype for array in weights(model)} == {expected}
        methods = (
            ["predict_proba", "predict_log_proba", "decision_function"] if make is classifier else ["predict"]
        )
        for method in methods:
            assert getattr(model, method)(X).dtype == expected
        assert all(type(loss) is float for loss in [*model.loss_curve_, model.loss_])

    @both
    @each_solver
    def test_float32_is_as_accurate_as_float64(self, make, X, y, solver):
        narrow, wide = (make(solver=solver, dtype=d, max_iter=60).fit(X, y) for d in ("float32", "float64"))
        assert narrow.score(X, y) == pytest.approx(wide.score(X, y), abs=1e-2)
        assert narrow.loss_curve_[:5] == pytest.approx(wide.loss_curve_[:5], rel=1e-2)
        assert narrow.loss_curve_ != wide.loss_curve_

    @pytest.mark.parametrize("solver", ["adam", "sgd"])
    def test_settings_given_as_numpy_scalars_change_no_bit_of_a_float32_model(self, solver):
        settings = {"alpha": 0.01, "learning_rate_init": 0.01, "momentum": 0.8, "beta_1": 0.8, "beta_2": 0.99}
        settings |= {"epsilon": 1e-3, "power_t": 0.3, "tol": 1e-3, "learning_rate": "invscaling"}
        numpy_scalars = {k: np.float64(v) if isinstance(v, float) else v for k, v in settings.items()}
        plain, given = (
            classifier(solver=solver, dtype="float32", **chosen).fit(X3, Y3)
            for chosen in (settings, numpy_scalars)
        )
        assert_same_weights(plain, given)

    @both
    def test_partial_fit_and_warm_start_go_on_in_the_dtype_asked_for(self, make, X, y):
        for dtype in ("float32", "float64"):
            other = "float64" if dtype == "float32" else "float32"
            model = make(dtype=other, warm_start=True).fit(X, y).set_params(dtype=dtype)
            assert {array.dtype for array in weights(copy.copy(model).partial_fit(X, y))} == {np.dtype(dtype)}
            assert {array.dtype for array in weights(model.fit(X, y))} == {np.dtype(dtype)}

    @both
    def test_the_dtype_holds_when_early_stopping_goes_back_to_weights_of_an_earlier_fit(self, make, X, y):
        model = make(dtype="float64", warm_start=True, early_stopping=True, max_iter=100).fit(X, y)
        model.set_params(dtype="float32", max_iter=1, learning_rate_init=10.0).fit(X, y)
        assert {array.dtype for array in weights(model)} == {np.dtype("float32")}


class TestScores:
    @each_target
    @pytest.mark.parametrize("scale", [1, 1e4], ids=["usual", "saturated"])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_scores_probabilities_and_predictions_agree(self, target, scale, dtype):
        X, y = DATA[target]
        model = classifier(dtype=dtype).fit(X, y)
        X = scale * X
        scores, probabilities, labels = (
            model.decision_function(X),
            model.predict_proba(X),
            model.predict(X),
        )
        log_probabilities = model.predict_log_proba(X)
        rtol, atol = (1e-12, 1e-15) if dtype == "float64" else (1e-5, 1e-6)
        if target == "binary":
            assert scores.shape == (len(X),)
            np.testing.assert_array_equal(labels, model.classes_[(scores > 0).astype(int)])
            both_sides = np.column_stack([-scores, scores])
            expected, expected_log = expit(both_sides), log_expit(both_sides)
        elif target == "multiclass":
            assert scores.shape == (len(X), 3)
            np.testing.assert_array_equal(labels, model.classes_[scores.argmax(axis=1)])
            expected, expected_log = softmax(scores, axis=1), log_softmax(scores, axis=1)
        else:
            assert scores.shape == (len(X), 4)
            np.testing.assert_array_equal(labels, scores > 0)
            expected, expected_log = expit(scores), log_expit(scores)
        np.testing.assert_allclose(probabilities, expected, rtol=rtol, atol=atol)
        expected_log = np.maximum(expected_log, np.log(np.finfo(dtype).tiny))
        np.testing.assert_allclose(log_probabilities, expected_log, rtol=rtol, atol=atol)
        np.testing.assert_array_equal(log_probabilities, np.log(probabilities))
        assert np.isfinite(log_probabilities).all()
        assert (probabilities > 0).all()
        assert (probabilities <= 1).all()
        if scale > 1:
            assert probabilities.min() == np.finfo(dtype).tiny  # what exp turns into 0

    def test_the_probability_of_the_improbable_class_is_exact(self):
        model = classifier(hidden_layer_sizes=()).fit(X2, Y2)
        model.coefs_[0][...], model.intercepts_[0][...] = 0, 50
        # 1 - 1 / (1 + exp(-50)) rounds to 0
        assert model.predict_log_proba(X2[:1])[0] == pytest.approx([-50, 0], rel=1e-12)


def test_training_goes_on_in_another_precision():
    X, y = np.random.RandomState(0).normal(size=(50, 3)), np.arange(50) % 2
    model = ScratchMLPClassifier((4,), dtype="float32", random_state=0).partial_fit(X, y, classes=[0, 1])
    model.set_params(dtype="float64").partial_fit(X, y)
    averages = model._training.optimizer_state.averages.values()
    assert {array.dtype for array in (*model.coefs_, *averages)} == {np.dtype(np.float64)}
