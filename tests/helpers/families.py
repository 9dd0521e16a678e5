"""The estimators of both families, and small data for them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import is_classifier

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
)

DROP_INS = [ScratchMLPClassifier, ScratchMLPRegressor]
TABLES = [ScratchRealMLPClassifier, ScratchRealMLPRegressor]
CLASSIFIERS = [ScratchMLPClassifier, ScratchRealMLPClassifier]
REGRESSORS = [ScratchMLPRegressor, ScratchRealMLPRegressor]
KINDS = DROP_INS + TABLES
each_kind = pytest.mark.parametrize("kind", KINDS)
each_drop_in = pytest.mark.parametrize("kind", DROP_INS)
each_classifier = pytest.mark.parametrize("kind", CLASSIFIERS)
each_regressor = pytest.mark.parametrize("kind", REGRESSORS)
RNG = np.random.RandomState(0)
X = pd.DataFrame({"a": RNG.normal(size=60), "b": RNG.normal(size=60)})
LABELS = np.where(X["a"] > 0, "yes", "no").astype(object)
NUMBERS = X["a"].to_numpy()


def unfitted(kind, **params):
    return kind(**{"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0} | params)


def targets(kind):
    return LABELS if kind in CLASSIFIERS else NUMBERS


def fitted(kind, **params):
    return unfitted(kind, **params).fit(X, targets(kind))


def predictions(model):
    return model.predict_proba(X) if is_classifier(model) else model.predict(X)


def takes_objects(kind, parameter):
    allowed = kind._parameter_constraints.get(parameter, ())
    return any(isinstance(one, type) or one is callable for one in allowed)


def changed(values, value, row=3):
    values = values.copy()
    values[row] = value
    return values
