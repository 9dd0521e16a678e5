"""Labels of any kind come back as they were given."""

import numpy as np
import pandas as pd
import pytest
from helpers.fits import X2, X3, XM, Y2, Y3, YM, assert_same_weights, classifier, each_solver
from scipy.sparse import csr_matrix, issparse

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class TestLabels:
    @each_solver
    @pytest.mark.parametrize("label", ["only", 7, True])
    @pytest.mark.parametrize("seed", range(3))
    def test_one_class_is_learnt_with_one_column(self, solver, label, seed):
        X, y = X3[:30], np.full(30, label)
        model = classifier(solver=solver, random_state=seed, max_iter=3).fit(X, y)
        np.testing.assert_array_equal(model.predict(X), y)
        np.testing.assert_array_equal(model.predict_proba(X), np.ones((30, 1)))
        np.testing.assert_array_equal(model.predict_log_proba(X), np.zeros((30, 1)))
        assert model.score(X, y) == 1
        assert model.classes_.tolist() == [label]

    @pytest.mark.parametrize("seed", range(3))
    def test_one_class_is_learnt_with_early_stopping_too(self, seed):
        model = classifier(early_stopping=True, random_state=seed, max_iter=3).fit(X3, np.zeros(120))
        assert model.best_validation_score_ == 1

    @pytest.mark.parametrize(
        "names",
        [
            np.array(["b", "a", "c"]),
            np.array(["b", "a", "c"], dtype=object),
            np.array([-5, 0, -9]),
            np.array([2.0, -1.0, 5.0]),
            np.array([3, 200, 4], dtype=np.uint8),
        ],
        ids=["str", "object", "negative", "float", "uint8"],
    )
    def test_labels_of_any_kind_come_back(self, names):
        model = classifier().fit(X3, names[Y3])
        np.testing.assert_array_equal(model.classes_, np.sort(names))
        assert set(model.predict(X3)) <= set(names)
        assert model.score(X3, names[Y3]) > 0.7
        # the scores are in the order of the sorted labels
        plain = classifier().fit(X3, np.argsort(np.argsort(names))[Y3])
        np.testing.assert_array_equal(model.predict_proba(X3), plain.predict_proba(X3))

    def test_bool_labels_come_back_as_bool(self):
        model = classifier().fit(X2, Y2 == 1)
        assert model.predict(X2).dtype == bool
        assert model.score(X2, Y2 == 1) > 0.7

    @pytest.mark.parametrize("dtype", ["category", "string", "str", "object", "Int64", "boolean"])
    def test_pandas_labels_come_back(self, dtype):
        names = {"Int64": [3, 1], "boolean": [False, True]}.get(dtype, ["no", "yes"])
        y = pd.Series(np.array(names, dtype=object)[Y2]).astype(dtype)
        model = classifier(max_iter=60).fit(pd.DataFrame(X2).add_prefix("x"), y)
        predicted = model.predict(pd.DataFrame(X2).add_prefix("x"))
        assert set(predicted) == set(names)
        assert np.mean(predicted == y.to_numpy(dtype=object)) > 0.7

    @each_solver
    def test_sparse_multilabel_targets_give_sparse_predictions_of_the_same_model(self, solver):
        dense, sparse = (classifier(solver=solver).fit(XM, y) for y in (YM, csr_matrix(YM)))
        assert_same_weights(dense, sparse)
        predicted = sparse.predict(XM)
        assert issparse(predicted)
        np.testing.assert_array_equal(predicted.toarray(), dense.predict(XM))
        assert not issparse(dense.predict(XM))

    def test_a_column_of_labels_is_taken_with_a_warning(self):
        from sklearn.exceptions import DataConversionWarning

        with pytest.warns(DataConversionWarning):
            model = classifier().fit(X3, Y3[:, np.newaxis])
        assert_same_weights(model, classifier().fit(X3, Y3))
