"""ordered_as_numbers: ordered categorical columns of pandas keep their order."""

import io
import pickle

import numpy as np
import pandas as pd
import pytest
from helpers.families import TABLES
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor

SIZES = ["small", "medium", "large", "huge"]
RNG = np.random.RandomState(0)
NUMBERS = RNG.randint(4, size=200)
Y = NUMBERS**2 + RNG.normal(size=200)
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 3, "batch_size": 64, "n_cv": 1, "random_state": 0}
each_kind = pytest.mark.parametrize("kind", TABLES)


def frame(ordered=True, levels=SIZES, numbers=NUMBERS):
    sizes = pd.Categorical.from_codes(numbers, SIZES)
    sizes = sizes.set_categories(levels, ordered=ordered)
    return pd.DataFrame({"size": sizes, "x": np.arange(float(len(numbers)))})


def targets(kind):
    return Y > 3 if kind is ScratchRealMLPClassifier else Y


def predictions(model, X):
    return model._raw_scores(X)[1]


@each_kind
@pytest.mark.parametrize(
    ("settings", "as_numbers"),
    [
        ({"preset": "td-s"}, True),
        ({"preset": "td"}, False),
        ({"preset": "td", "ordered_as_numbers": True}, True),
        ({"preset": "td-s", "ordered_as_numbers": False}, False),
        ({"preset": "td-s", "categorical_features": ["size"]}, False),
    ],
)
def test_what_is_ordered_counts_as_numbers_where_the_preset_says_so(kind, settings, as_numbers):
    model = kind(**SMALL | settings).fit(frame(), targets(kind))
    assert list(model._folds[0].preprocessor.categorical_mask_) == [not as_numbers, False]
    positions = frame().assign(size=NUMBERS)
    plain = kind(**SMALL | settings | {"categorical_features": "from_dtype"}).fit(positions, targets(kind))
    same = np.array_equal(predictions(model, frame()), predictions(plain, positions))
    assert same is as_numbers


@each_kind
def test_without_an_order_nothing_changes(kind):
    model = kind("td-s", **SMALL).fit(frame(ordered=False), targets(kind))
    assert list(model._folds[0].preprocessor.categorical_mask_) == [True, False]


@each_kind
def test_the_order_is_that_of_the_data_of_fit(kind):
    """Levels are found by what they are: the dtype of later data does not matter."""
    model = kind("td-s", **SMALL).fit(frame(), targets(kind))
    expected = predictions(model, frame())
    again = pickle.load(io.BytesIO(pickle.dumps(model)))
    as_strings = frame().assign(size=frame()["size"].astype(str))
    for X in (frame(levels=SIZES[::-1]), frame(ordered=False), as_strings):
        np.testing.assert_array_equal(predictions(again, X), expected)


@each_kind
def test_own_validation_data_are_read_alike(kind):
    X, y = frame(), targets(kind)
    seen = []

    def look(model, X, y):
        seen.append(model.predict(X))
        return 0.0

    model = kind("td-s", **SMALL, scoring=look)
    model.fit(X[:150], y[:150], X_val=X[150:].assign(size=X["size"][150:].astype(str)), y_val=y[150:])
    np.testing.assert_array_equal(model.predict(X[150:]), seen[-1])


@each_kind
def test_what_is_missing_or_unknown_is_a_gap(kind):
    numbers = np.where(np.arange(200) % 10 == 0, -1, NUMBERS)
    model = kind("td-s", **SMALL).fit(frame(numbers=numbers), targets(kind))
    assert model._folds[0].preprocessor._has_gaps.tolist() == [True, False]
    unknown = frame().assign(size="none of them")
    missing = frame(numbers=np.full(200, -1))
    np.testing.assert_array_equal(predictions(model, unknown), predictions(model, missing))


def test_the_order_helps_on_real_data():
    """Each column of the diabetes data in twelve ordered levels."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    for name in X:
        X[name] = pd.cut(X[name], 12)
    errors = []
    for seed in range(2):
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
        for ordered in (True, False):
            model = ScratchRealMLPRegressor("td-s", max_iter=16, ordered_as_numbers=ordered, random_state=0)
            errors.append(1 - model.fit(X_train, y_train).score(X_test, y_test))
    assert np.mean(errors[::2]) < 0.95 * np.mean(errors[1::2])
