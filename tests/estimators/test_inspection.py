"""Fitted estimators in scikit-learn's tools of inspection and display."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers.real_data import COMMON, cancer, diabetes, pair
from scipy.special import expit
from sklearn.datasets import make_moons
from sklearn.inspection import DecisionBoundaryDisplay, partial_dependence, permutation_importance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import Adam

# Training is kept short here; whether it converges is not the question.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class TestInspection:
    def test_permutation_importance(self):
        X = np.random.RandomState(0).normal(size=(300, 5))
        y = X[:, 0] - X[:, 1] ** 2 / 2

        def importances(network):
            return permutation_importance(
                network.fit(X, y), X, y, n_repeats=5, random_state=0
            ).importances_mean

        ours, theirs = pair("regressor", max_iter=100)
        importance = importances(ours)
        assert importance[:2].min() > 0.1 > importance[2:].max()
        np.testing.assert_allclose(importance, importances(theirs), rtol=0, atol=0.02)

    @pytest.mark.parametrize("method", ["auto", "brute"])
    @pytest.mark.parametrize("kind", ["average", "individual"])
    def test_partial_dependence_of_the_regressor(self, method, kind):
        X, _, y, _ = diabetes()

        def dependence(network):
            network.fit(X, y)
            return partial_dependence(network, X, features=[2], grid_resolution=10, method=method, kind=kind)[
                kind
            ]

        ours, theirs = map(dependence, pair("regressor", alpha=1.0))
        assert ours.shape[-1] == 10
        assert np.ptp(ours) > 0.1
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=0.02)

    def test_partial_dependence_of_the_classifier(self):
        X, _, y, _ = cancer()

        def dependence(network):
            network.fit(X, y)
            return partial_dependence(network, X, features=[0, 1], grid_resolution=5, response_method="auto")[
                "average"
            ]

        ours, theirs = map(dependence, pair("classifier"))
        assert ours.shape == (1, 5, 5)
        assert np.ptp(ours) > 0.05
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=0.02)

    def test_partial_dependence_of_raw_scores_agrees_with_that_of_probabilities(self):
        X, _, y, _ = cancer()
        network = ScratchMLPClassifier(**COMMON).fit(X, y)
        scores, probabilities = (
            partial_dependence(network, X, [0], grid_resolution=5, kind="individual", response_method=method)
            for method in ("decision_function", "predict_proba")
        )
        np.testing.assert_allclose(expit(scores["individual"]), probabilities["individual"], rtol=1e-10)

    @pytest.mark.parametrize("response_method", ["predict_proba", "predict", "decision_function"])
    def test_decision_boundary_display(self, response_method):
        X, y = make_moons(200, noise=0.1, random_state=0)
        ours, theirs = pair("classifier", hidden_layer_sizes=(10, 10), max_iter=150)

        with mpl.rc_context({"backend": "agg"}):
            display = DecisionBoundaryDisplay.from_estimator(
                ours.fit(X, y), X, grid_resolution=30, response_method=response_method
            )
            expected = DecisionBoundaryDisplay.from_estimator(
                theirs.fit(X, y),
                X,
                grid_resolution=30,
                response_method="predict" if response_method == "predict" else "predict_proba",
            )
            mpl.pyplot.close("all")
        response = display.response
        response = expit(response) if response_method == "decision_function" else response
        assert response.min() < 0.1
        assert response.max() > 0.9
        assert np.abs(response - expected.response).mean() < 0.02


class TestDisplayAndNames:
    @pytest.mark.parametrize("cls", [ScratchMLPClassifier, ScratchMLPRegressor])
    def test_html_repr_shows_class_and_changed_parameters(self, cls):
        html = cls(alpha=0.125, solver=Adam(beta_1=0.75))._repr_html_()
        assert cls.__name__ in html
        assert "0.125" in html
        assert "0.75" in html

    def test_html_repr_of_a_fitted_one_inside_a_pipeline(self):
        X, _, y, _ = cancer()
        html = make_pipeline(StandardScaler(), ScratchMLPClassifier(**COMMON)).fit(X, y)._repr_html_()
        assert "ScratchMLPClassifier" in html
        assert "Not fitted" not in html

    def test_repr_shows_changed_parameters_only(self):
        text = repr(ScratchMLPRegressor("poisson", (5,), solver=Adam(beta_1=0.8), max_iter=7))
        assert text.startswith("ScratchMLPRegressor(")
        for shown in ("loss='poisson'", "hidden_layer_sizes=(5,)", "beta_1=0.8", "max_iter=7"):
            assert shown in text
        assert "momentum" not in text

    @pytest.mark.parametrize("library", [pd, pl])
    def test_feature_names_are_kept_and_checked(self, library):
        X, _, y, _ = diabetes()
        names = [f"measure {i}" for i in range(X.shape[1])]
        frame = library.DataFrame(dict(zip(names, X.T, strict=True)))
        network = ScratchMLPRegressor(**COMMON).fit(frame, y)
        assert network.feature_names_in_.tolist() == names
        assert network.predict(frame).shape == (len(X),)
        with pytest.raises(ValueError, match="feature names"):
            network.predict(frame[names[::-1]])
        with pytest.warns(UserWarning, match="does not have valid feature names"):
            network.predict(X)
