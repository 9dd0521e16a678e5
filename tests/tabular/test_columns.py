"""What a column may hold, and that fit, predict and X_val read it in the same way."""

import datetime
import enum
import io
import os
import pickle
import subprocess
import sys
import uuid
import warnings
from decimal import Decimal
from pathlib import PurePosixPath

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold, cross_val_score

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor
from sknn_scratch.tabular import TabularPreprocessor, _columns

KINDS = {"classifier": ScratchRealMLPClassifier, "regressor": ScratchRealMLPRegressor}
each_kind = pytest.mark.parametrize("kind", KINDS)
N = 120
RNG = np.random.RandomState(0)
CODES = RNG.randint(3, size=N)
Y = {"classifier": (CODES > 0).astype(int), "regressor": CODES + RNG.normal(size=N)}


class Colour(enum.Enum):
    RED, GREEN, BLUE = "r", "g", "b"


def of_levels(*levels):
    column = np.empty(N, dtype=object)
    column[:] = [levels[code % len(levels)] for code in CODES]
    return column


SIMPLE = {
    "number": pd.Series(CODES + RNG.normal(size=N)),
    "number with gaps": pd.Series(np.where(CODES == 0, np.nan, CODES)),
    "nullable integer": pd.Series(of_levels(1, 2, None)).astype("Int64"),
    "bool": pd.Series(CODES > 0),
    "nullable bool": pd.Series(of_levels(True, False, None)).astype("boolean"),
    "object of bool": pd.Series(of_levels(True, False, None)),
    "string": pd.Series(of_levels("a", "b", None)).astype("string"),
    "object of str": pd.Series(of_levels("a", "b", np.nan)),
    "category": pd.Series(of_levels("a", "b", "c")).astype("category"),
    "ordered category": pd.Series(pd.Categorical(of_levels("a", "b", "c"), ["c", "b", "a"], ordered=True)),
    "category of integers": pd.Series(of_levels(3, 1, 2)).astype("category"),
    "category of floats": pd.Series(of_levels(0.5, 1.5, np.nan)).astype("category"),
    "category of bools": pd.Series(of_levels(True, False, None)).astype("category"),
    "numbers and strings": pd.Series(of_levels(1, "a", 2.5)),
    "bytes": pd.Series(of_levels(b"yes", b"no", b"?")),
    "many levels": pd.Series([f"place {i % 20}" for i in range(N)]),
}
EXOTIC = {
    "enum": pd.Series(of_levels(*Colour)),
    "uuid": pd.Series(of_levels(*(uuid.UUID(int=i) for i in (9, 5, 7)))),
    "tuple": pd.Series(of_levels((1, "a"), (0, "b"), (0, "a"))),
    "tuple without an order": pd.Series(of_levels((1, "a"), ("b", 0), (None,))),
    "path": pd.Series(of_levels(*map(PurePosixPath, "cab"))),
    "frozenset": pd.Series(of_levels(frozenset("ab"), frozenset("c"), frozenset())),
    "interval": pd.Series(pd.cut(CODES, [-1, 0, 1, 2])),
    "interval dtype": pd.Series(pd.arrays.IntervalArray.from_breaks(range(N + 1)).take(CODES)),
    "mixture": pd.Series(of_levels(Colour.RED, "a", (1, 2))),
    "decimal": pd.Series(of_levels(Decimal(1), Decimal("2.5"), None)),
}
OF_POLARS = pl.DataFrame({"b": ["u", "v", None] * 40, "c": [True, False, None] * 40}).with_columns(
    pl.col("b").cast(pl.Enum(["v", "u"])).alias("e"),
    pl.col("b").cast(pl.Categorical).alias("k"),
    pl.col("b").cast(pl.Binary).alias("y"),
)


def through_skops(model):
    sio = pytest.importorskip("skops.io")
    data = sio.dumps(model)
    return sio.loads(data, trusted=sio.get_untrusted_types(data=data))


def through_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


def through_cloudpickle(model):
    return pickle.loads(pytest.importorskip("cloudpickle").dumps(model))


COPIES = {
    "skops": through_skops,
    "joblib": through_joblib,
    "cloudpickle": through_cloudpickle,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


def predicted(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@each_kind
@pytest.mark.parametrize("way", COPIES)
def test_a_saved_model_predicts_the_same_bits_for_every_kind_of_column(kind, way, small):
    simple, frames = pd.DataFrame(SIMPLE), [OF_POLARS]
    frames.append(simple if way == "skops" else simple.assign(**EXOTIC))  # skops knows only what is safe
    for X in frames:
        model = KINDS[kind](**small, random_state=0).fit(X, Y[kind])
        np.testing.assert_array_equal(predicted(COPIES[way](model), X), predicted(model, X))


@pytest.mark.parametrize("name", [*SIMPLE, *EXOTIC])
def test_every_level_that_can_be_hashed_says_something(name):
    column = {**SIMPLE, **EXOTIC}[name]
    X = pd.DataFrame({"a": column, "n": np.arange(N)})
    out = TabularPreprocessor().fit_transform(X)
    seen = {row.tobytes() for row in np.delete(out, TabularPreprocessor().fit(X).n_numbers_ - 1, axis=1)}
    assert len(seen) == column.nunique(dropna=False)


def test_levels_have_their_own_order_where_they_have_one():
    rows = of_levels(uuid.UUID(int=9), uuid.UUID(int=5), uuid.UUID(int=7))
    names = TabularPreprocessor().fit(pd.DataFrame({"a": rows})).get_feature_names_out()
    assert list(names) == [f"a_{uuid.UUID(int=i)}" for i in (5, 7, 9)]


LEVELS_IN_ANOTHER_PROCESS = """
import numpy as np
from sknn_scratch.tabular import TabularPreprocessor, _columns
levels = [frozenset("ab"), frozenset("c"), "word", b"bytes", ("t", 1), (1, "t"), frozenset("abc"), 3]
X = np.empty((len(levels), 1), dtype=object)
X[:, 0] = levels
print(TabularPreprocessor(max_one_hot=0).fit_transform(X).ravel().tolist())
"""


def test_the_order_of_levels_is_the_same_in_every_process():
    printed = {
        subprocess.run(
            [sys.executable, "-c", LEVELS_IN_ANOTHER_PROCESS],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert len(printed) == 1


@each_kind
@pytest.mark.parametrize("cell", [[1], {"a": 1}, {1}, np.ones(2), ([1],)], ids=repr)
def test_a_cell_that_can_be_no_level_is_refused_by_its_column(kind, cell, small):
    X = pd.DataFrame({"n": np.arange(N), "odd": of_levels("a", "b", cell)})
    message = "column 'odd' of X is a .*argument must be a string or a number"
    with pytest.raises(TypeError, match=message):
        KINDS[kind](**small).fit(X, Y[kind])
    good = X.assign(odd=of_levels("a", "b"))
    with pytest.raises(TypeError, match=message):
        KINDS[kind](**small).fit(good, Y[kind], X_val=X, y_val=Y[kind])
    with pytest.raises(TypeError, match=message):
        KINDS[kind](**small).fit(good, Y[kind]).predict(X)


DAY = pd.Timestamp("2024-02-29")
REFUSED = {
    "datetime": (pd.Series([DAY] * N), "dates or times"),
    "datetime with a zone": (pd.Series([DAY.tz_localize("UTC")] * N), "dates or times"),
    "all NaT": (pd.Series([pd.NaT] * N, dtype="datetime64[ns]"), "dates or times"),
    "timedelta": (pd.Series([DAY - DAY] * N), "dates or times"),
    "period": (pd.Series(pd.period_range("2024", periods=N, freq="D")), "dates or times"),
    "no period": (pd.Series([pd.NaT] * N, dtype="period[D]"), "dates or times"),
    "objects of periods": (pd.Series([pd.Period("2024"), None] * 60, dtype=object), "dates or times"),
    "objects of dates": (pd.Series([DAY.date(), None] * 60, dtype=object), "dates or times"),
    "category of dates": (pd.Series([DAY] * N).astype("category"), "dates or times"),
    "complex": (pd.Series(np.ones(N) * 1j), "complex numbers. Complex data not supported"),
    "objects of complex": (pd.Series([1j, 2.0] * 60, dtype=object), "Complex data not supported"),
    "date of polars": (pl.Series([datetime.date(2024, 2, 29)] * N), "dates or times"),
    "duration of polars": (pl.Series([datetime.timedelta(1)] * N), "dates or times"),
}


def frame_with(column, n):
    frame = pl.DataFrame if isinstance(column, pl.Series) else pd.DataFrame
    return frame({"when": column, "n": n})


@pytest.mark.parametrize("stands_for", ["numbers", "levels"])
@pytest.mark.parametrize("name", REFUSED)
def test_dates_and_complex_numbers_are_refused_alike_in_fit_predict_and_validation(name, stands_for, small):
    column, what = REFUSED[name]
    message = f"Column 'when' of X holds {what}" if what.startswith("dates") else f"Column 'when'.*{what}"
    bad = frame_with(column, np.arange(N))
    good = frame_with(type(column)(CODES if stands_for == "numbers" else of_levels("a", "b")), np.arange(N))
    y = Y["regressor"]
    for model in (TabularPreprocessor(), ScratchRealMLPRegressor(**small)):
        with pytest.raises(ValueError, match=message):
            clone(model).fit(bad, y)
    with pytest.raises(ValueError, match=f"X_val, y_val or sample_weight_val do not match.*{message}"):
        ScratchRealMLPRegressor(**small).fit(good, y, X_val=bad, y_val=y)
    model = ScratchRealMLPRegressor(**{**small, "max_iter": 1}).fit(good, y)
    with pytest.raises(ValueError, match=message):
        model.predict(bad)
    with pytest.raises(ValueError, match=message):
        TabularPreprocessor().fit(good).transform(bad)


def test_nat_among_strings_is_a_gap():
    X = pd.DataFrame({"a": of_levels("a", "b", pd.NaT), "n": CODES})
    assert list(TabularPreprocessor().fit(X).get_feature_names_out()) == ["n", "a_b"]


@each_kind
def test_words_and_infinity_in_validation_data_are_refused_before_any_work(kind, small, monkeypatch):
    X = pd.DataFrame({"n": CODES, "m": np.arange(N)})
    monkeypatch.setattr(TabularPreprocessor, "learn", lambda *args: pytest.fail("work has begun"))
    for cells, message in [(of_levels("a"), "must hold numbers"), (np.full(N, np.inf), "infinity")]:
        with pytest.raises(ValueError, match=f"X_val, y_val.*do not match.*Column 'n' of X.*{message}"):
            KINDS[kind](**small).fit(X, Y[kind], X_val=X.assign(n=cells), y_val=Y[kind])


NOTHING = {
    "string": pd.Series([None] * N, dtype="string"),
    "str": pd.Series([None] * N, dtype="str"),
    "category": pd.Series([None] * N, dtype=pd.CategoricalDtype(["a"])),
    "None": pd.Series([None] * N, dtype=object),
    "NaN objects": pd.Series([np.nan] * N, dtype=object),
    "polars string": pl.Series([None] * N, dtype=pl.String),
    "polars null": pl.Series([None] * N),
}


@each_kind
@pytest.mark.parametrize("name", NOTHING)
def test_a_column_without_a_value_in_fit_may_hold_words_at_prediction(kind, name, small):
    empty = NOTHING[name]
    words = pl.Series(["a", "b"] * 60) if isinstance(empty, pl.Series) else pd.Series(of_levels("a", "b"))
    X, new = frame_with(empty, np.arange(N)), frame_with(words, np.arange(N))
    model = KINDS[kind](**small, random_state=0).fit(X, Y[kind])
    np.testing.assert_array_equal(predicted(model, new), predicted(model, X))
    if "category" not in name:
        numbers = frame_with(type(empty)(CODES.tolist()), np.arange(N))
        np.testing.assert_array_equal(predicted(model, numbers), predicted(model, X))


def test_a_column_of_gaps_is_no_error_where_all_columns_are_numbers():
    X = pd.DataFrame({"a": pd.Series([None] * N, dtype=object), "n": CODES})
    assert TabularPreprocessor(None).fit(X).n_numbers_ == 2


@each_kind
def test_cross_validation_has_no_fold_of_nan_where_a_training_part_has_no_word(kind, small):
    words = pd.Series([None] * 60 + ["a", "b"] * 30, dtype="string")
    X = pd.DataFrame({"word": words, "n": np.arange(N)})
    scores = cross_val_score(KINDS[kind](**small), X, Y[kind], cv=KFold(2), error_score="raise")
    assert np.isfinite(scores).all()


class Wrapped:
    """An array in other clothes, as tensors of other libraries are."""

    def __init__(self, array, dtype=None):
        self.array = array
        if dtype is not None:
            self.dtype, self.shape = dtype, array.shape

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype=dtype)

    def __len__(self):
        return len(self.array)


@each_kind
@pytest.mark.parametrize("dtype", [None, "tensor.float32"])
def test_what_can_be_made_an_array_is(kind, dtype, small):
    X = np.column_stack([CODES, np.arange(N)]).astype(np.float32)
    X[3, 0] = np.nan
    model = KINDS[kind](**small, random_state=0)
    expected = predicted(clone(model).fit(X, Y[kind], X_val=X, y_val=Y[kind]), X)
    wrapped = Wrapped(X, dtype)
    fitted = clone(model).fit(wrapped, Y[kind], X_val=wrapped, y_val=Y[kind])
    np.testing.assert_array_equal(predicted(fitted, wrapped), expected)


SPELT = np.array([[f"{i % 5 / 7}", "abc"[i % 3], str(i % 9)] for i in range(N)])


@each_kind
@pytest.mark.parametrize("X", [SPELT, SPELT.astype(object), SPELT.tolist(), SPELT.astype("S")])
def test_numbers_that_an_array_spells_as_strings_are_warned_of_once(kind, X, small):
    message = r"Columns \['x0', 'x2'\] of X hold numbers as strings.*astype\(float\)"
    with pytest.warns(UserWarning, match=message) as caught:
        KINDS[kind](**{**small, "n_cv": 2}).fit(X, Y[kind])
    (warning,) = caught
    assert warning.filename == __file__


def test_numbers_as_strings_are_no_surprise_where_a_user_says_so():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TabularPreprocessor([0, 2]).fit(SPELT)
        TabularPreprocessor().fit(pd.DataFrame(SPELT))  # the dtype says string
        TabularPreprocessor().fit(SPELT[:, [1]])
        fitted = TabularPreprocessor([0, 2]).fit(SPELT)
        fitted.transform(SPELT)


ROWS = np.arange(800)
LARGE = {
    "id": ([f"customer {i}" for i in ROWS], "td", "'large' of X is a category with about as many levels"),
    "wide": (
        [f"street {i // 2 % 1100}" for i in range(6000)],
        "td-s",
        "becomes 1,.* columns.*max_one_hot=8",
    ),
}


@each_kind
@pytest.mark.parametrize("name", LARGE)
def test_a_category_that_is_an_id_or_too_wide_is_warned_of_once(kind, name, small):
    levels, preset, message = LARGE[name]
    X = pd.DataFrame({"large": levels, "n": np.arange(len(levels))})
    y = np.arange(len(levels)) % 2
    model = KINDS[kind](preset, **{**small, "max_iter": 1, "batch_size": 256, "n_cv": 2}, refit=True)
    with pytest.warns(UserWarning, match=message) as caught:
        model.fit(X, y)
    (warning,) = caught
    assert warning.filename == __file__


@each_kind
def test_a_few_rows_may_have_a_level_each(kind, small):
    X = pd.DataFrame({"a": [f"{i}" for i in range(90)], "n": np.arange(90)})
    assert KINDS[kind](**small).fit(X, np.arange(90) % 2).n_iter_ == 8


@pytest.fixture
def small_machine(monkeypatch):
    """A machine with 64 MB; the pages of its memory may be changed."""
    sizes, real = {"SC_PHYS_PAGES": 2**14, "SC_PAGE_SIZE": 2**12}, os.sysconf
    monkeypatch.setattr(os, "sysconf", lambda name: sizes.get(name) or real(name))
    return sizes


@each_kind
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"preset": "td-s", "categorical_features": [0]}, r"Columns \['x0'\] of X.*max_one_hot=8"),
        ({"hidden_layer_sizes": (3000, 3000)}, "smaller hidden_layer_sizes"),
    ],
)
def test_what_memory_cannot_hold_is_refused_with_a_remedy(kind, settings, message, small_machine):
    X = np.arange(5000.0)[:, np.newaxis]
    with pytest.raises(MemoryError, match=f"GiB; this machine has .* GiB.*{message}"):
        KINDS[kind](**settings).fit(X, np.arange(5000) % 2)


@each_kind
@pytest.mark.parametrize(
    ("n_hidden", "several"), [(4, {"n_cv": 5}), (100, {"n_ens": 4}), (4, {"batch_size": 800})]
)
def test_all_tables_networks_and_batches_are_counted(kind, n_hidden, several, small_machine):
    small_machine["SC_PHYS_PAGES"] = 2**8  # 1 MB: room for a table of 400 kB and a network of 300 kB
    X = np.random.RandomState(0).normal(size=(1000, 100))
    settings = {"preset": "td-s", "hidden_layer_sizes": n_hidden, "max_iter": 1, "batch_size": 16}
    KINDS[kind](**settings).fit(X, np.arange(1000) % 2)
    with pytest.raises(MemoryError, match="GiB"):
        KINDS[kind](**settings | several).fit(X, np.arange(1000) % 2)


def test_the_preprocessor_refuses_what_memory_cannot_hold(small_machine):
    X = np.arange(5000.0)[:, np.newaxis]
    with pytest.raises(MemoryError, match="5,000 rows, 5,000 columns.*GiB.*max_one_hot=8"):
        TabularPreprocessor([0], max_one_hot=None).fit_transform(X)


@each_kind
def test_rows_without_names_are_warned_of_once_by_the_estimator(kind, small):
    X = pd.DataFrame({"n": CODES, "m": np.arange(N)})
    model, rows = KINDS[kind](**{**small, "n_cv": 3}, random_state=0), X.to_numpy()
    model.fit(X, Y[kind])
    with pytest.warns(UserWarning, match="X does not have valid feature names, but ") as caught:
        predicted(model, rows)
    (warning,) = caught
    assert KINDS[kind].__name__ in str(warning.message)


@each_kind
@pytest.mark.parametrize("is_scored", [False, True])
@pytest.mark.parametrize("names_in", ["fit", "validation"])
def test_names_of_validation_data_are_compared_once(kind, is_scored, names_in, small):
    X = pd.DataFrame({"n": CODES, "m": np.arange(N)})
    scoring = {"classifier": "f1", "regressor": "neg_max_error"}[kind] if is_scored else None
    X, X_val = (X, X.to_numpy()) if names_in == "fit" else (X.to_numpy(), X)
    with pytest.warns(UserWarning, match="feature names, but ") as caught:
        KINDS[kind](**small, scoring=scoring).fit(X, Y[kind], X_val=X_val, y_val=Y[kind])
    (warning,) = caught
    assert KINDS[kind].__name__ in str(warning.message)


@pytest.mark.parametrize("kind", [ScratchRealMLPClassifier, ScratchRealMLPRegressor])
def test_a_table_is_read_once_in_fit_and_once_in_predict(kind, small, monkeypatch):
    X = pd.DataFrame({"a": np.arange(60.0), "b": ["x", "y", "z"] * 20})
    y = np.arange(60) % 2
    read, n_times = _columns.named_columns, 0

    def counted(table):
        nonlocal n_times
        n_times += 1
        return read(table)

    monkeypatch.setattr(_columns, "named_columns", counted)
    model = kind(**small | {"n_cv": 3}, refit=True, random_state=0).fit(X, y)
    assert n_times == 1
    model.predict(X)
    assert n_times == 2
