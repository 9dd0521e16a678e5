"""The estimators in scikit-learn's tools: what they do there is what scikit-learn's own MLP does there."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers.real_data import (
    COMMON,
    assert_does_as_well_as_sklearn,
    cancer,
    diabetes,
    digits,
    scaled_and_split,
)
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    make_multilabel_classification,
    make_regression,
)
from sklearn.ensemble import BaggingClassifier, StackingRegressor, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
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
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import Adam

# Training is kept short here; whether it converges is not the question.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
