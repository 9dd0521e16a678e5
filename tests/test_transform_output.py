"""scikit-learn's ``transform_output`` is for the user's transformers, not for what estimators are made of."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
)

N = 60
X = pd.DataFrame(np.random.RandomState(0).normal(size=(N, 2)), columns=["a", "b"])
MIXED = X.assign(word=["u", "v", "w"] * 20)
Y = (X["a"] > 0).astype(int).to_numpy()
DROP_IN = {"hidden_layer_sizes": (4,), "max_iter": 3, "solver": "adam", "early_stopping": True}
TABLES = {"hidden_layer_sizes": (4,), "max_iter": 3, "n_cv": 2, "refit": True}
CASES = {
    "drop-in classifier": (ScratchMLPClassifier(**DROP_IN, random_state=0), X),
    "drop-in regressor": (ScratchMLPRegressor(**DROP_IN, scale_target=True, random_state=0), X),
    "classifier for tables": (ScratchRealMLPClassifier(**TABLES, random_state=0), MIXED),
    "regressor for tables": (ScratchRealMLPRegressor(**TABLES, random_state=0), MIXED),
    "embeddings": (ScratchRealMLPClassifier(**TABLES, max_one_hot=0, random_state=0), MIXED),
}


def predicted(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("output", ["pandas", "polars"])
@pytest.mark.parametrize("name", CASES)
def test_the_same_model_comes_out_whatever_transformers_are_to_put_out(name, output):
    estimator, table = CASES[name]
    models = [estimator, make_pipeline(StandardScaler(), estimator)] if table is X else [estimator]
    for model in models:
        expected = predicted(clone(model).fit(table, Y), table)
        with config_context(transform_output=output):
            np.testing.assert_array_equal(predicted(clone(model).fit(table, Y), table), expected)
    # own validation data, and an odd number of epochs that are judged by a scorer
    model = clone(estimator)
    scoring = "accuracy" if is_classifier(model) else "neg_mean_squared_error"
    model.set_params(scoring=scoring, **({"n_cv": 1, "refit": False} if table is MIXED else {}))
    expected = predicted(clone(model).fit(table, Y, X_val=table[:20], y_val=Y[:20]), table)
    with config_context(transform_output=output):
        model.fit(table, Y, X_val=table[:20], y_val=Y[:20])
        np.testing.assert_array_equal(predicted(model, table), expected)
