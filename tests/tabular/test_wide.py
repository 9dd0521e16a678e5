"""Tables of many columns, levels or rows: their numbers are read in several ways, and memory has a bound."""

from functools import partial

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor
from sknn_scratch.tabular import TabularPreprocessor, _columns
from tests.helpers.memory import peak_memory

KINDS = {"classifier": ScratchRealMLPClassifier, "regressor": ScratchRealMLPRegressor}
each_kind = pytest.mark.parametrize("kind", KINDS)
N_ROWS, N_COLUMNS = 400, 200
RNG = np.random.RandomState(0)
NUMBERS = RNG.normal(size=(N_ROWS, N_COLUMNS))
NUMBERS[RNG.uniform(size=NUMBERS.shape) < 0.01] = np.nan
NUMBERS[:, 50:60] = RNG.randint(20, size=(N_ROWS, 10))
Y = np.arange(N_ROWS) % 2


def frame_of_all_kinds():
    """A frame so large that its columns are read one by one; a few rows of it are read together."""
    X = pd.DataFrame(NUMBERS).add_prefix("n")
    X["n3"] = X["n3"].astype(np.float32)
    X[["n50", "n51"]] = X[["n50", "n51"]].astype(np.int8)
    X["n52"] = X["n52"].astype("Int64").where(X["n52"] > 3)
    X["n53"] = X["n53"].astype(object)
    X["n54"] = pd.Categorical(X["n54"].map("level {:.0f}".format))
    X["n55"] = X["n55"] > 10
    return X


WIDE = {
    "array": NUMBERS,
    "float32 in Fortran's order": np.asfortranarray(NUMBERS, dtype=np.float32),
    "pandas": frame_of_all_kinds(),
    "polars": pl.DataFrame({f"n{i}": column for i, column in enumerate(NUMBERS.T)}),
}
each_wide = pytest.mark.parametrize("X", WIDE.values(), ids=WIDE)


def rows_of(X, rows):
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


@each_kind
@each_wide
@pytest.mark.parametrize("categories", ["from_dtype", [50, 58, 59]])
def test_one_row_of_many_columns_is_predicted_as_all_rows_are(kind, X, categories):
    settings = {"categorical_features": categories, "n_cv": 1, "max_iter": 1, "hidden_layer_sizes": 8}
    model = KINDS[kind](**settings, random_state=0).fit(X, Y)
    predict = model.predict_proba if kind == "classifier" else model.predict
    each = np.concatenate([predict(rows_of(X, slice(i, i + 1))) for i in range(20)])
    np.testing.assert_allclose(each, predict(X)[:20], rtol=0, atol=1e-12)


@pytest.mark.parametrize("max_one_hot", [0, 8, None])
@pytest.mark.parametrize("categories", [None, [0], [10, 11, 29], list(range(10, 20))])
def test_all_ways_to_read_numbers_give_the_same_table(max_one_hot, categories, monkeypatch):
    some = NUMBERS[:, 40:70]
    forms = [some, np.asfortranarray(some), pd.DataFrame(some), pd.DataFrame(some).astype("Float64")]
    forms.append(pl.DataFrame({f"n{i}": column for i, column in enumerate(some.T)}))
    forms += [] if categories else [pd.DataFrame(some.astype(object)), some.astype(object)]
    tables = []
    for cells in (0, some.size):  # column by column, and together
        monkeypatch.setattr(_columns, "CELLS_READ_TOGETHER", cells)
        for X in forms:
            preprocessor = TabularPreprocessor(categories, max_one_hot=max_one_hot).fit(
                rows_of(X, range(300))
            )
            assert preprocessor.n_numbers_ == 30 - len(categories or [])
            tables.append(preprocessor.transform(X))
    for table in tables:
        np.testing.assert_array_equal(table, tables[0])


@pytest.mark.parametrize("form", [np.array, pd.DataFrame])
def test_levels_of_integers_that_are_read_together_stay_integers(form):
    X = form(np.arange(30).reshape(10, 3) % 5)
    names = TabularPreprocessor([1]).fit(X).get_feature_names_out(["a", "b", "c"])
    assert names.tolist() == ["a", "c", *(f"b_{level}" for level in range(5))]


@pytest.mark.parametrize("form", [np.array, pd.DataFrame])
def test_infinity_is_refused_in_the_column_where_it_is_and_may_be_a_level(form):
    X = NUMBERS[:20, :6].copy()
    X[7, 4] = np.inf
    with pytest.raises(ValueError, match=r"Column 'x?4' of X contains infinity"):
        TabularPreprocessor().fit(form(X))
    assert TabularPreprocessor([4]).fit(form(X)).n_levels_ == [len(set(X[~np.isnan(X[:, 4]), 4])) + 1]


@each_kind
def test_a_model_is_stored_as_it_was_before_it_predicted(kind):
    model = KINDS[kind](n_cv=1, max_iter=1, random_state=0).fit(NUMBERS, Y)
    stored = joblib.hash(model)
    model.predict(NUMBERS[:1])
    assert joblib.hash(model) == stored


@pytest.mark.parametrize(
    ("kind", "form", "is_given"),
    [
        ("classifier", np.array, False),
        ("regressor", pd.DataFrame, True),
    ],
)
def test_memory_grows_by_less_than_twice_the_table_in_float32(kind, form, is_given):
    n_columns, sizes, peaks = 100, (7000, 8000), []  # more rows held out than a block has
    settings = {"n_cv": 1, "max_iter": 1, "hidden_layer_sizes": 8, "n_frequencies": 4}
    for n_rows in sizes:
        X = RNG.normal(size=(n_rows, n_columns))
        y, X = (X[:, 0] > 0).astype(int), form(X)
        validation = {"X_val": X, "y_val": y} if is_given else {}
        model = KINDS[kind](**settings, random_state=0)
        peaks.append(peak_memory(partial(model.fit, X, y, **validation)))
    n_tables = 2 if is_given else 1
    assert peaks[1] - peaks[0] < 2 * n_tables * (sizes[1] - sizes[0]) * n_columns * 4
