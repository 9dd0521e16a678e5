"""From a table to what the network is given: the recipe's formulas, and what frames may hold."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers.memory import peak_memory
from sklearn.utils.estimator_checks import check_estimator

from sknn_scratch.tabular import TabularPreprocessor

MIXED = {
    "number": [1.0, 2.0, None, 4.0, 5.0, 7.0],
    "whole": [3, 1, 2, 2, 1, 9],
    "flag": [True, False, True, True, False, True],
    "word": ["a", "b", None, "c", "a", "b"],
    "level": ["x", "y", "x", "y", "x", None],
}


def pandas_frame():
    return pd.DataFrame(MIXED).astype({"level": "category"})


def pandas_nullable():
    return pd.DataFrame(MIXED).astype(
        {"number": "Float64", "whole": "Int64", "flag": "boolean", "level": "category"}
    )


def polars_frame():
    return pl.DataFrame(MIXED).with_columns(pl.col("level").cast(pl.Categorical))


def object_array():
    return np.array(list(zip(*MIXED.values(), strict=True)), dtype=object)


def list_of_rows():
    return [list(row) for row in zip(*MIXED.values(), strict=True)]


SOURCES = [pandas_frame, pandas_nullable, polars_frame, object_array, list_of_rows]


def clipped(x, limit=3.0):
    return x / np.sqrt(1 + (x / limit) ** 2)


def test_every_check_of_scikit_learn_passes():
    for result in check_estimator(TabularPreprocessor(), on_fail=None, on_skip=None):
        allowed = {"passed", "skipped" if result["check_name"] == "check_array_api_input" else "passed"}
        assert result["status"] in allowed, (result["check_name"], result["exception"])


def test_numbers_are_scaled_by_their_quartiles_and_clipped_smoothly():
    x = np.random.RandomState(0).gamma(1.0, 3.0, 101)
    q25, median, q75 = np.quantile(x, [0.25, 0.5, 0.75])
    out = TabularPreprocessor().fit_transform(x[:, np.newaxis])
    np.testing.assert_allclose(out[:, 0], clipped((x - median) / (q75 - q25)), rtol=1e-6, atol=1e-7)
    assert out.dtype == np.float32
    assert np.abs(out).max() < 3


def test_without_a_distance_of_quartiles_the_range_counts():
    x = np.array([0.0] * 9 + [5.0, -1.0])
    out = TabularPreprocessor(clip=2.0).fit_transform(x[:, np.newaxis])
    np.testing.assert_allclose(out[:, 0], clipped(x * 2 / 6, 2.0), rtol=1e-6)


def test_a_constant_becomes_zero():
    preprocessor = TabularPreprocessor().fit(np.full((5, 1), 7.0))
    np.testing.assert_array_equal(preprocessor.transform([[7.0], [1000.0]]), 0.0)


def test_a_missing_number_is_the_median_and_is_indicated():
    X = np.array([[1.0], [2.0], [4.0], [np.nan]])
    preprocessor = TabularPreprocessor().fit(X)
    out = preprocessor.transform(X)
    assert list(preprocessor.get_feature_names_out()) == ["x0", "x0_missing"]
    assert out[3, 0] == out[1, 0] == 0
    assert out[3, 1] > out[0, 1] == out[1, 1]
    without_gaps = TabularPreprocessor().fit(X[:3])
    np.testing.assert_array_equal(without_gaps.transform(X)[:, 0] == 0, [False, True, False, True])


def test_three_levels_become_three_columns_and_two_become_one():
    X = pd.DataFrame({"three": ["a", "b", "c", "a", None], "two": ["u", "v", "u", None, "v"]})
    preprocessor = TabularPreprocessor().set_output(transform="pandas").fit(X)
    out = preprocessor.transform(X)
    assert list(out.columns) == ["three_a", "three_b", "three_c", "two_v"]
    signs = np.array([-1.0, 1.0, -1.0, 0.0, 1.0])  # quartiles -1, 1, median 0
    np.testing.assert_allclose(out["two_v"], clipped(signs / 2), rtol=1e-6)
    is_b = np.array([0.0, 1.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(out["three_b"], clipped(2 * is_b), rtol=1e-6)
    missing = out.iloc[4, :3].to_numpy()
    np.testing.assert_allclose(missing, [clipped(0.0) - clipped(0.0), 0, 0], atol=1e-6)


@pytest.mark.parametrize(("max_one_hot", "n_embedded"), [(8, 1), (9, 0), (2, 2), (0, 3), (None, 0)])
def test_categories_with_many_levels_are_numbered(max_one_hot, n_embedded):
    rng = np.random.RandomState(0)
    X = np.column_stack([np.arange(90) % n for n in (9, 3, 2)]).astype(float)
    X = X[rng.permutation(90)]
    preprocessor = TabularPreprocessor([0, 1, 2], max_one_hot=max_one_hot).fit(X)
    assert preprocessor.n_levels_ == [n + 1 for n in (9, 3, 2)][:n_embedded]
    codes = preprocessor.transform(X)[:, preprocessor.n_one_hot_ :]
    np.testing.assert_array_equal(codes, X[:, :n_embedded] + 1)


def test_thousands_of_0_1_columns_need_little_more_memory_than_themselves():
    X = np.random.RandomState(0).randint(1000, size=(1500, 1)).astype(float)
    preprocessor = TabularPreprocessor([0], max_one_hot=None).fit(X)
    out = preprocessor.transform(X)
    names = preprocessor.get_feature_names_out()
    assert out.shape == (1500, len(np.unique(X))) == (1500, len(names))
    assert [names[i] for i in out.argmax(axis=1)] == [f"x0_{value}" for value in X.ravel()]
    assert (out[np.arange(1500), out.argmax(axis=1)] > 0).all()
    for column, value in zip(out.T[:20], np.unique(X), strict=False):
        one = (X.ravel() == value).astype(float)
        np.testing.assert_allclose(column, clipped(2 * one), rtol=1e-6)
    assert peak_memory(lambda: preprocessor.transform(X)) < 1.2 * out.nbytes
    assert peak_memory(lambda: preprocessor.fit(X)) < 0.2 * out.nbytes


def test_unseen_and_missing_levels_are_the_level_0():
    X = pd.DataFrame({"a": list("abcdefghij")})
    preprocessor = TabularPreprocessor().fit(X)
    new = pd.DataFrame({"a": ["a", "z", None, np.nan]}, dtype=object)
    np.testing.assert_array_equal(preprocessor.transform(new)[:, 0], [1, 0, 0, 0])
    one_hot = TabularPreprocessor(max_one_hot=None).fit(X)
    known, unseen, missing, nan = one_hot.transform(new)
    assert (known != unseen).sum() == 1
    np.testing.assert_array_equal(unseen, missing)
    np.testing.assert_array_equal(unseen, nan)


@pytest.mark.parametrize("source", SOURCES)
def test_all_sources_of_the_same_table_give_the_same(source):
    expected = TabularPreprocessor().fit_transform(pandas_frame())
    X = source()
    preprocessor = TabularPreprocessor().fit(X)
    np.testing.assert_array_equal(preprocessor.transform(X), expected)
    np.testing.assert_array_equal(preprocessor.categorical_mask_, [False, False, True, True, True])
    assert (preprocessor.n_numbers_, preprocessor.n_one_hot_) == (2, 6)


def test_numbers_are_categories_where_they_are_said_to_be():
    X = np.array([[1.0, 3.0], [2.0, 4.0], [1.0, 9.0], [np.nan, 8.0]])
    by_index, by_mask = (TabularPreprocessor(which).fit(X) for which in ([0], [True, False]))
    np.testing.assert_array_equal(by_index.transform(X), by_mask.transform(X))
    named = TabularPreprocessor(["a"]).fit(pd.DataFrame(X, columns=["a", "b"]))
    np.testing.assert_array_equal(named.transform(pd.DataFrame(X, columns=["a", "b"])), by_index.transform(X))
    assert list(named.get_feature_names_out()) == ["b", "a_2.0"]
    dtype = pd.DataFrame(X, columns=["a", "b"]).astype({"a": "category"})
    np.testing.assert_array_equal(TabularPreprocessor().fit_transform(dtype), by_index.transform(X))


DAY = datetime.date(2024, 2, 29)
DATES = {
    "pandas datetime": pd.DataFrame({"n": [1, 2], "when": pd.to_datetime([DAY, DAY])}),
    "pandas with a zone": pd.DataFrame({"n": [1, 2], "when": pd.to_datetime([DAY, DAY]).tz_localize("UTC")}),
    "pandas timedelta": pd.DataFrame({"n": [1, 2], "when": pd.to_timedelta([1, 2], unit="h")}),
    "pandas objects": pd.DataFrame({"n": [1, 2], "when": [DAY, None]}, dtype=object),
    "polars date": pl.DataFrame({"n": [1, 2], "when": [DAY, DAY]}),
    "polars time": pl.DataFrame({"n": [1, 2], "when": [datetime.time(1), datetime.time(2)]}),
}


@pytest.mark.parametrize("name", DATES)
def test_dates_are_refused_with_advice(name):
    with pytest.raises(ValueError, match="Column 'when' of X holds dates or times.*days since"):
        TabularPreprocessor().fit(DATES[name])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame({"a": [1.0, np.inf]}), "Column 'a' of X contains infinity"),
        (np.array([[1.0, 2.0], [3.0, 1e39]]), "Column 'x1' of X contains infinity or a value too large"),
        (pd.DataFrame({"a": pd.Series([None, None], dtype="category")}), "nothing to learn from"),
        (pd.DataFrame({"a": []}), "0 sample"),
    ],
)
def test_what_cannot_be_learnt_from_is_told_by_column(X, message):
    with pytest.raises(ValueError, match=message):
        TabularPreprocessor().fit(X)


def test_words_where_only_numbers_are_allowed():
    X = pd.DataFrame({"a": [1, 2], "b": ["u", "v"]})
    with pytest.raises(
        ValueError, match="Column 'b' of X does not hold numbers, but categorical_features=None"
    ):
        TabularPreprocessor(None).fit(X)
    preprocessor = TabularPreprocessor().fit(X)
    with pytest.raises(
        ValueError, match="Column 'a' of X must hold numbers, as it did when the model was fitted"
    ):
        preprocessor.transform(pd.DataFrame({"a": ["u", "v"], "b": ["u", "v"]}))


def test_a_column_of_gaps_only_says_nothing():
    X = np.array([[np.nan, 1.0], [np.nan, 2.0], [np.nan, 3.0]])
    out = TabularPreprocessor().fit_transform(X)
    np.testing.assert_array_equal(out[:, [0, 2]], 0.0)
