"""The estimators in scikit-learn's tools: what they do there is what scikit-learn's own MLP does there."""

import copy
import pickle
from dataclasses import dataclass
from typing import ClassVar

import joblib
import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.special import expit
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    make_moons,
    make_multilabel_classification,
    make_regression,
)
from sklearn.ensemble import BaggingClassifier, StackingRegressor, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import DecisionBoundaryDisplay, partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_validate,
    train_test_split,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import SGD, Activation, Adam

# Training is kept short here; whether it converges is not the question.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COMMON = {"hidden_layer_sizes": (16,), "learning_rate_init": 0.01, "max_iter": 30, "random_state": 0}


def scaled_and_split(X, y):
    X = StandardScaler().fit_transform(X)
    return train_test_split(X, y, test_size=0.3, random_state=0)


def digits():
    X, y = load_digits(return_X_y=True)
    return scaled_and_split(X[:600], y[:600])


def cancer():
    return scaled_and_split(*load_breast_cancer(return_X_y=True))


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return scaled_and_split(X, (y - y.mean()) / y.std())


def pair(kind, **params):
    """Ours and scikit-learn's, with the same parameters."""
    classes = {
        "classifier": (ScratchMLPClassifier, MLPClassifier),
        "regressor": (ScratchMLPRegressor, MLPRegressor),
    }
    return [cls(**{**COMMON, **params}) for cls in classes[kind]]


def assert_does_as_well_as_sklearn(score_of, kind, at_least, **params):
    """The score in some tool, of ours and of scikit-learn's MLP; it may be an array of scores."""
    ours, theirs = pair(kind, **params)
    score = np.asarray(score_of(ours))
    assert np.all(score >= at_least)
    np.testing.assert_allclose(score, score_of(theirs), rtol=0, atol=0.02)


class TestComposition:
    def test_last_step_of_a_pipeline(self):
        X, X_test, y, y_test = train_test_split(*load_breast_cancer(return_X_y=True), random_state=0)

        def score(network):
            return make_pipeline(StandardScaler(), network).fit(X, y).score(X_test, y_test)

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.9)

    @pytest.mark.parametrize("library", [pd, pl])
    def test_column_transformer_on_a_frame_of_numbers_and_categories(self, library):
        rng = np.random.RandomState(0)
        size, age = rng.normal(50, 20, 300), rng.uniform(0, 100, 300)
        place = rng.choice(["coast", "hills", "town"], 300)
        price = size * (1 + (place == "town")) - age / 2
        frame = library.DataFrame({"size": size, "age": age, "place": place})
        labels = np.where(price > np.median(price), "dear", "cheap")

        def score(network):
            columns = ColumnTransformer(
                [
                    ("numbers", StandardScaler(), ["size", "age"]),
                    ("categories", OneHotEncoder(sparse_output=False), ["place"]),
                ]
            )
            model = make_pipeline(columns, network).fit(frame[:200], labels[:200])
            assert set(model.predict(frame[200:])) == {"cheap", "dear"}
            return model.score(frame[200:], labels[200:])

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.9, max_iter=100)

    def test_sparse_output_of_an_encoder_before_it(self):
        rng = np.random.RandomState(0)
        words = rng.choice(list("abcdef"), (300, 4))
        y = (words == "a").any(axis=1)

        def score(network):
            return (
                make_pipeline(OneHotEncoder(), network).fit(words[:200], y[:200]).score(words[200:], y[200:])
            )

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.9)

    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_frames_made_by_set_output_upstream(self, library):
        X, X_test, y, y_test = cancer()
        names = [f"measure {i}" for i in range(X.shape[1])]
        frame, test_frame = pd.DataFrame(X, columns=names), pd.DataFrame(X_test, columns=names)

        def score(network):
            model = make_pipeline(StandardScaler(), network).set_output(transform=library).fit(frame, y)
            assert model[-1].feature_names_in_.tolist() == names
            return model.score(test_frame, y_test)

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.9)

    def test_transformed_target(self):
        X, y = load_diabetes(return_X_y=True)
        X, X_test, y, y_test = train_test_split(X, y, random_state=0)

        def score(network):
            model = TransformedTargetRegressor(
                make_pipeline(StandardScaler(), network), transformer=StandardScaler()
            )
            return model.fit(X, y).score(X_test, y_test)

        assert_does_as_well_as_sklearn(score, "regressor", at_least=0.2, alpha=1.0)


class TestSearchAndValidation:
    GRID = {"alpha": [1e-4, 10.0], "hidden_layer_sizes": [(4,), (16,)]}

    @staticmethod
    def score_and_check(search, X, X_test, y, y_test):
        search.fit(X, y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        assert type(search.best_estimator_) is type(search.estimator)
        return np.append(search.cv_results_["mean_test_score"], search.score(X_test, y_test))

    def test_grid_search_in_parallel(self):
        data = digits()

        def score(network):
            return self.score_and_check(GridSearchCV(network, self.GRID, cv=2, n_jobs=2), *data)

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.2)

    def test_randomized_search_in_parallel(self):
        data = digits()

        def score(network):
            search = RandomizedSearchCV(network, self.GRID, n_iter=3, cv=2, n_jobs=2, random_state=0)
            return self.score_and_check(search, *data)

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.2)

    def test_halving_search_with_epochs_as_the_resource(self):
        data = digits()

        def score(network):
            search = HalvingGridSearchCV(
                network,
                self.GRID,
                resource="max_iter",
                min_resources=5,
                max_resources=20,
                cv=2,
                random_state=0,
            )
            scores = self.score_and_check(search, *data)
            assert set(search.cv_results_["n_resources"]) == {5, 15}
            assert search.best_estimator_.max_iter == 15
            return scores[-1]

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.8)

    def test_search_over_a_setting_of_the_solver(self):
        X, X_test, y, y_test = cancer()
        search = GridSearchCV(
            ScratchMLPClassifier(**COMMON, solver=Adam()), {"solver__beta_1": [0.0, 0.5, 0.9]}, cv=2, n_jobs=2
        ).fit(X, y)
        expected = GridSearchCV(MLPClassifier(**COMMON), {"beta_1": [0.0, 0.5, 0.9]}, cv=2).fit(X, y)
        np.testing.assert_allclose(
            search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"], rtol=0, atol=0.02
        )
        assert search.best_estimator_.solver == Adam(beta_1=search.best_params_["solver__beta_1"])
        assert search.score(X_test, y_test) > 0.9

    def test_cross_validate(self):
        X, _, y, _ = digits()

        def score(network):
            results = cross_validate(
                network, X, y, cv=3, scoring=["accuracy", "neg_log_loss"], return_estimator=True, n_jobs=2
            )
            assert len({id(estimator) for estimator in results["estimator"]}) == 3
            np.testing.assert_array_less(-1.0, results["test_neg_log_loss"])
            return results["test_accuracy"]

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.8)

    @pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
    def test_cross_val_predict(self, method):
        X, _, y, _ = digits()

        def score(network):
            predicted = cross_val_predict(network, X, y, cv=3, method=method)
            return accuracy_score(y, predicted if method == "predict" else predicted.argmax(axis=1))

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.8)

    def test_cross_val_predict_of_the_regressor(self):
        X, _, y, _ = diabetes()

        def score(network):
            return r2_score(y, cross_val_predict(network, X, y, cv=3))

        assert_does_as_well_as_sklearn(score, "regressor", at_least=0.1, alpha=1.0, max_iter=15)


class TestMetaEstimators:
    @pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
    def test_calibrated_classifier(self, method):
        X, X_test, y, y_test = cancer()

        def score(network):
            return CalibratedClassifierCV(network, method=method, cv=3).fit(X, y).score(X_test, y_test)

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.9)

    def test_bagging(self):
        X, X_test, y, y_test = digits()

        def score(network):
            bag = BaggingClassifier(network, n_estimators=4, max_samples=0.7, n_jobs=2, random_state=0)
            return bag.fit(X, y).score(X_test, y_test)

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.85)

    @pytest.mark.parametrize("voting", ["hard", "soft"])
    def test_voting(self, voting):
        X, X_test, y, y_test = digits()

        def score(network):
            others = clone(network).set_params(random_state=1), LogisticRegression()
            vote = VotingClassifier([("a", network), ("b", others[0]), ("c", others[1])], voting=voting)
            return vote.fit(X, y).score(X_test, y_test)

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.85)

    def test_stacking(self):
        X, X_test, y, y_test = diabetes()

        def score(network):
            stack = StackingRegressor([("network", network), ("ridge", Ridge())], cv=3)
            return stack.fit(X, y).score(X_test, y_test)

        assert_does_as_well_as_sklearn(score, "regressor", at_least=0.3, alpha=1.0)

    @pytest.mark.parametrize("meta", [MultiOutputClassifier, ClassifierChain])
    def test_several_labels_by_one_network_each(self, meta):
        X, y = make_multilabel_classification(300, 10, n_classes=3, n_labels=2, random_state=0)
        X, X_test, y, y_test = scaled_and_split(X, y)

        def score(network):
            return accuracy_score(y_test.ravel(), meta(network).fit(X, y).predict(X_test).ravel())

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.7)

    def test_several_labels_by_chunks(self):
        X, y = make_multilabel_classification(300, 10, n_classes=3, n_labels=2, random_state=0)
        X, X_test, y, y_test = scaled_and_split(X, y)

        def score(network):
            model = MultiOutputClassifier(network.set_params(shuffle=False))
            for _ in range(20):
                for start in range(0, len(X), 70):
                    rows = slice(start, start + 70)
                    model.partial_fit(X[rows], y[rows], classes=[[0, 1]] * 3)
            return accuracy_score(y_test.ravel(), model.predict(X_test).ravel())

        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.7, batch_size=70)

    def test_several_targets_by_one_network_each(self):
        X, y = make_regression(200, 8, n_targets=3, noise=5, random_state=0)
        X, X_test, y, y_test = scaled_and_split(X, y / y.std(axis=0))

        def score(network):
            return MultiOutputRegressor(network).fit(X, y).score(X_test, y_test)

        assert_does_as_well_as_sklearn(score, "regressor", at_least=0.8, max_iter=100)


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


class TestMetadataRouting:
    """Weights of 0 for all rows of one class: who gets them never predicts that class."""

    @pytest.fixture(autouse=True)
    def routing(self):
        with config_context(enable_metadata_routing=True):
            yield

    @staticmethod
    def weighted_data():
        X, X_test, y, _ = digits()
        return X, X_test, y, np.where(y == 3, 0.0, 1.0)

    def test_pipeline_passes_the_weights_on(self):
        X, X_test, y, weight = self.weighted_data()
        network = ScratchMLPClassifier(**COMMON).set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        predictions = make_pipeline(scaler, network).fit(X, y, sample_weight=weight).predict(X_test)
        assert 3 not in predictions
        expected = clone(network).fit(StandardScaler().fit_transform(X), y, sample_weight=weight)
        np.testing.assert_array_equal(
            predictions, expected.predict(StandardScaler().fit(X).transform(X_test))
        )

    def test_grid_search_passes_the_weights_on_to_fit_and_score(self):
        X, X_test, y, weight = self.weighted_data()

        def score(network):
            network.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
            search = GridSearchCV(network, {"alpha": [1e-4, 1.0]}, cv=2).fit(X, y, sample_weight=weight)
            assert 3 not in search.predict(X_test)
            return search.cv_results_["mean_test_score"]

        # without weights in the score, the class that nobody learnt would cost a tenth
        assert_does_as_well_as_sklearn(score, "classifier", at_least=0.92)

    def test_request_can_be_refused(self):
        X, _, y, weight = self.weighted_data()
        network = ScratchMLPClassifier(**COMMON).set_fit_request(sample_weight=False)
        with pytest.raises(TypeError, match="sample_weight"):
            make_pipeline(network).fit(X, y, sample_weight=weight)

    @pytest.mark.parametrize("cls", [ScratchMLPClassifier, ScratchMLPRegressor])
    def test_partial_fit_can_request_them_too(self, cls):
        network = cls().set_partial_fit_request(sample_weight=True)
        assert network.get_metadata_routing().partial_fit.requests["sample_weight"] is True


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


class TestObjectsAsParameters:
    def test_settings_of_the_solver_are_parameters_of_the_estimator(self):
        network = ScratchMLPClassifier(solver=Adam(beta_1=0.8))
        assert network.get_params()["solver__beta_1"] == 0.8
        assert network.get_params(deep=False)["solver"] == Adam(beta_1=0.8)
        network.set_params(solver__beta_1=0.7, solver__epsilon=1e-6)
        assert network.solver == Adam(beta_1=0.7, epsilon=1e-6)
        network.set_params(solver=SGD(), solver__momentum=0.1)
        assert network.solver == SGD(momentum=0.1)

    @pytest.mark.parametrize(
        ("solver", "params"),
        [
            (Adam(beta_1=0.8, epsilon=1e-5), {"solver": "adam", "beta_1": 0.8, "epsilon": 1e-5}),
            (SGD(momentum=0.5), {"solver": "sgd", "momentum": 0.5}),
            (SGD(nesterovs_momentum=False), {"solver": "sgd", "nesterovs_momentum": False}),
        ],
    )
    def test_solver_object_trains_like_its_name_and_settings(self, solver, params):
        X, _, y, _ = diabetes()
        network = ScratchMLPRegressor(**COMMON, solver=solver).fit(X, y)
        expected = ScratchMLPRegressor(**COMMON, **params).fit(X, y)
        np.testing.assert_array_equal(network.predict(X), expected.predict(X))

    def test_fit_leaves_the_solver_object_alone(self):
        X, _, y, _ = diabetes()
        solver = Adam(beta_1=0.8)
        network = ScratchMLPRegressor(**COMMON, solver=solver).fit(X, y)
        assert network.solver is solver
        assert vars(solver) == vars(Adam(beta_1=0.8))

    def test_wrong_setting_is_refused(self):
        network = ScratchMLPClassifier(solver=Adam())
        with pytest.raises(ValueError, match="beta_1"):
            network.set_params(solver__beta_1=1.0)
        assert network.solver == Adam()
        with pytest.raises(ValueError, match="momentum"):
            network.set_params(solver__momentum=0.5)


@dataclass
class Softplus(Activation):
    """A smooth ReLU that needs z in the backward pass."""

    keeps_z: ClassVar[bool] = True
    sharpness: float = 1.0

    def forward(self, z, out):
        np.logaddexp(0, self.sharpness * z, out=out)
        out /= self.sharpness

    def backward(self, z, a, delta):
        delta *= expit(self.sharpness * z)


@dataclass
class LeakyReLU(Activation):
    """An activation whose derivative is known from its output."""

    slope: float = 0.01

    def forward(self, z, out):
        np.maximum(z, self.slope * z, out=out)

    def backward(self, z, a, delta):
        delta[a < 0] *= self.slope


@dataclass
class TanhThatKeepsZ(Activation):
    """tanh, written in terms of its input."""

    keeps_z: ClassVar[bool] = True

    def forward(self, z, out):
        np.tanh(z, out=out)

    def backward(self, z, a, delta):
        delta /= np.cosh(z) ** 2


class TestActivationOfOnesOwn:
    @pytest.mark.parametrize("activation", [Softplus(), LeakyReLU()])
    @pytest.mark.parametrize("solver", ["adam", "lbfgs"])
    def test_it_learns_like_relu(self, activation, solver):
        X, X_test, y, y_test = digits()

        def score(network):
            return network.fit(X, y).score(X_test, y_test)

        like_relu = MLPClassifier(**COMMON, solver=solver)
        network = ScratchMLPClassifier(**COMMON, activation=activation, solver=solver)
        assert score(network) == pytest.approx(score(like_relu), abs=0.05)
        assert score(network) > 0.85

    @pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
    def test_tanh_in_terms_of_its_input_gives_the_model_of_tanh(self, solver):
        X, _, y, _ = diabetes()
        params = {**COMMON, "hidden_layer_sizes": (8, 6), "solver": solver, "max_iter": 8}
        network = ScratchMLPRegressor(**params, activation=TanhThatKeepsZ()).fit(X, y)
        expected = ScratchMLPRegressor(**params, activation="tanh").fit(X, y)
        np.testing.assert_allclose(network.predict(X), expected.predict(X), rtol=1e-6, atol=1e-8)

    def test_it_can_be_cloned_searched_and_copied(self):
        X, X_test, y, _ = cancer()
        network = ScratchMLPClassifier(**COMMON, activation=LeakyReLU(slope=0.2))
        assert clone(network).activation == LeakyReLU(slope=0.2)
        search = GridSearchCV(network, {"activation__slope": [0.1, 0.5]}, cv=2).fit(X, y)
        assert search.best_score_ > 0.9
        fitted = search.best_estimator_
        np.testing.assert_array_equal(
            pickle.loads(pickle.dumps(fitted)).predict_proba(X_test), fitted.predict_proba(X_test)
        )
        np.testing.assert_array_equal(copy.deepcopy(fitted).predict(X_test), fitted.predict(X_test))

    def test_its_settings_make_a_difference(self):
        X, _, y, _ = cancer()
        fitted = [ScratchMLPClassifier(**COMMON, activation=Softplus(s)).fit(X, y) for s in (0.5, 5.0)]
        assert np.abs(fitted[0].predict_proba(X) - fitted[1].predict_proba(X)).max() > 0.01
