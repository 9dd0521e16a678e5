"""A file of skops opens with the names of trusted_types(), and with no others."""

import numpy as np
import pandas as pd
import pytest
from helpers.families import DROP_INS, KINDS, TABLES, X, fitted, predictions, unfitted
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
    TabularPreprocessor,
    trusted_types,
)
from sknn_scratch.callbacks import EpochLogger
from sknn_scratch.core import ACTIVATIONS, INITIALIZERS, OPTIMIZERS, SCHEDULES
from sknn_scratch.fitting._names import losses_of_numbers
from sknn_scratch.tabular._presets import CLASSIFIER_PRESETS

sio = pytest.importorskip("skops.io")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
FRAME = X.assign(
    word=RNG.choice(["u", "v", "w"], 60),
    level=pd.Categorical(RNG.choice(["u", "v", "w"], 60), ordered=True),
    many=RNG.permutation(60) // 3,
    flag=RNG.uniform(size=60) < 0.5,
).astype({"many": "category"})
AMOUNTS = np.abs(X["a"].to_numpy()) + 0.1
CLASSES = {
    "two": AMOUNTS > 0.5,
    "three": np.digitize(AMOUNTS, [0.5, 1.0]).astype(str),
    "labels": np.column_stack([AMOUNTS > 0.5, AMOUNTS > 1.0]).astype(int),
}


def reopened(model):
    return sio.loads(sio.dumps(model), trusted=trusted_types())


ENTRIES = {
    "activation": ACTIVATIONS,
    "solver": [*OPTIMIZERS, "lbfgs"],
    "learning_rate": SCHEDULES,
    "weight_init": INITIALIZERS,
    "loss": losses_of_numbers(),
}


@pytest.mark.parametrize(
    ("parameter", "name"), [(parameter, name) for parameter, names in ENTRIES.items() for name in names]
)
def test_each_entry_of_the_registries(parameter, name):
    model = ScratchMLPRegressor(
        hidden_layer_sizes=(4,), solver="sgd", scale_target=True, max_iter=1, random_state=0
    )
    model.set_params(**{parameter: name}).fit(X, AMOUNTS)
    np.testing.assert_array_equal(reopened(model).predict(X), model.predict(X))


@pytest.mark.parametrize("y", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
def test_classes(loss, y):
    model = ScratchMLPClassifier((4,), loss=loss, early_stopping=True, max_iter=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(reopened(model).predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("preset", CLASSIFIER_PRESETS)
@pytest.mark.parametrize(
    "model",
    [
        ScratchRealMLPClassifier(),
        ScratchRealMLPClassifier(n_cv=1, refit=True, n_ens=2, calibrate=True),
        ScratchRealMLPRegressor(n_cv=1),
    ],
    ids=["five splits", "refit", "numbers"],
)
def test_tables_by_each_preset(model, preset):
    model = clone(model).set_params(preset=preset, hidden_layer_sizes=(4,), max_iter=1, random_state=0)
    model.fit(FRAME, AMOUNTS) if isinstance(model, ScratchRealMLPRegressor) else model.fit(
        FRAME, CLASSES["two"]
    )
    np.testing.assert_array_equal(reopened(model).predict(FRAME), model.predict(FRAME))


@pytest.mark.parametrize("kind", KINDS)
def test_models_before_a_fit_and_with_a_generator(kind):
    assert repr(reopened(unfitted(kind))) == repr(unfitted(kind))
    model = fitted(kind, random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(predictions(reopened(model)), predictions(model))


def test_a_pipeline_from_a_frame():
    table = make_column_transformer(
        (StandardScaler(), ["a", "b"]),
        (OneHotEncoder(handle_unknown="ignore"), ["word", "many"]),
    )
    for first in (table, TabularPreprocessor()):
        model = make_pipeline(first, ScratchMLPClassifier((4,), max_iter=1, random_state=0))
        model.fit(FRAME, CLASSES["two"])
        np.testing.assert_array_equal(reopened(model).predict_proba(FRAME), model.predict_proba(FRAME))


@pytest.mark.parametrize("kind", [DROP_INS[0], TABLES[0]])
def test_callbacks_are_for_the_user_to_trust(kind):
    model = fitted(kind).set_callbacks(EpochLogger())
    with pytest.raises(sio.exceptions.UntrustedTypesFoundException, match="EpochLogger"):
        reopened(model)


def test_the_names_are_of_this_library():
    assert all(name.startswith("sknn_scratch.") for name in trusted_types())
