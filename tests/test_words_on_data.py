"""What wrong columns and targets are answered with: the same words in both families."""

import re

import numpy as np
import pandas as pd
import pytest
from helpers.families import (
    CLASSIFIERS,
    LABELS,
    NUMBERS,
    X,
    changed,
    each_classifier,
    each_drop_in,
    each_regressor,
    targets,
    unfitted,
)
from scipy.sparse import csr_matrix

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Columns of X


def every_way_in(kind, bad):
    """Fit, predict, partial_fit and X_val with bad data."""
    y, width = targets(kind), bad.shape[1]
    good = X[["a"]] if width == 1 else X
    good = good if hasattr(bad, "columns") else good.to_numpy()
    if hasattr(bad, "columns"):
        good = good.set_axis(bad.columns, axis=1)
    model = unfitted(kind).fit(good, y)
    yield lambda: unfitted(kind).fit(bad, y)
    yield lambda: model.predict(bad)
    yield lambda: model.partial_fit(bad, y)
    yield lambda: unfitted(kind).fit(good, y, X_val=bad, y_val=y)


NOT_FINITE = {
    "NaN": (np.nan, r"X contains NaN, in columns \['{name}'\].*SimpleImputer.*ScratchRealMLP{task}"),
    "inf": (-np.inf, r"X contains infinity .*, in columns \['{name}'\]. Replace"),
}


@each_drop_in
@pytest.mark.parametrize("what", NOT_FINITE)
@pytest.mark.parametrize("library", ["pandas", "polars", "array", "sparse"])
def test_columns_with_gaps_are_named(kind, what, library):
    value, words = NOT_FINITE[what]
    bad = X.assign(b=changed(X["b"], value))
    if library == "polars":
        bad = pytest.importorskip("polars").DataFrame(bad.to_dict("list"))
    elif library != "pandas":
        bad = bad.to_numpy() if library == "array" else csr_matrix(bad.to_numpy())
    name = "x1" if library in ("array", "sparse") else "b"
    match = words.format(name=name, task="Classifier" if kind in CLASSIFIERS else "Regressor")
    with pytest.raises(ValueError, match=match):
        unfitted(kind).fit(bad, targets(kind))
    if library == "pandas":
        for call in every_way_in(kind, bad):
            with pytest.raises(ValueError, match=match):
                call()


def test_numbers_too_large_for_float32_are_named():
    bad = X.assign(b=changed(X["b"], 1e300))
    with pytest.raises(ValueError, match=r"too large for dtype\('float32'\), in columns \['b'\]"):
        unfitted(ScratchMLPRegressor, dtype="float32").fit(bad, NUMBERS)


def test_a_long_list_of_columns_is_cut():
    bad = np.full((60, 8), np.nan)
    with pytest.raises(ValueError, match=r"in columns \['x0', 'x1', 'x2', 'x3', 'x4'\] and 3 more\."):
        unfitted(ScratchMLPRegressor).fit(bad, NUMBERS)


DAYS = pd.date_range("2020-01-01", periods=60).to_series(index=X.index)

TIMES = {
    "date": DAYS,
    "with a time zone": DAYS.dt.tz_localize("UTC"),
    "duration": DAYS - DAYS[0],
    "date as object": DAYS.dt.date,
}


@each_drop_in
@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("is_alone", [True, False])
@pytest.mark.parametrize("library", ["pandas", "polars", "array"])
def test_dates_are_refused_with_the_words_of_the_tables(kind, name, is_alone, library):
    bad = pd.DataFrame({"day": TIMES[name]} | ({} if is_alone else {"b": X["b"]}))
    if library == "polars":
        bad = pytest.importorskip("polars").DataFrame(bad.to_dict("list"))
    elif library == "array":
        bad = bad.to_numpy()
    table = ScratchRealMLPClassifier if kind in CLASSIFIERS else ScratchRealMLPRegressor
    with pytest.raises(ValueError, match="holds dates") as of_table:
        unfitted(table).fit(bad, targets(kind))
    calls = (
        list(every_way_in(kind, bad))
        if library != "polars"
        else [lambda: unfitted(kind).fit(bad, targets(kind))]
    )
    for call in calls:
        with pytest.raises(ValueError, match=re.escape(str(of_table.value))):
            call()


@each_drop_in
def test_other_data_that_are_no_numbers_are_refused_by_name(kind):
    for bad, match in {
        "periods": (X.assign(b=DAYS.dt.to_period("D")), "b"),
        "complex": (X.assign(b=X["b"] * 1j), r"Complex data not supported, in columns \['b'\]"),
        "complex array": (X.to_numpy() * 1j, r"Complex data not supported, in columns \['x0', 'x1'\]"),
    }.values():
        for call in every_way_in(kind, bad):
            with pytest.raises(ValueError, match=match):
                call()
    for bad in ([[np.datetime64("2020-01-01")]] * 60, [[1.0, "Paris"]] * 60):
        with pytest.raises(
            ValueError, match=r"of X holds dates|X does not hold numbers, in columns \['x1'\]"
        ):
            unfitted(kind).fit(bad, targets(kind))


# Targets


NO_LABELS = {
    "None": (changed(LABELS, None), "y contains None: of 60 labels there are 59 str, 1 None"),
    "NaN": (changed(LABELS, np.nan), "y contains NaN: of 60 labels there are 59 str, 1 NaN"),
    "NA": (changed(LABELS, pd.NA), "y contains NA: of 60 labels there are 59 str, 1 NA"),
    "numbers": (changed(LABELS, 1, slice(20)), "y contains int and str|y contains str and int"),
    "number in a list": (changed(LABELS, 1).tolist(), "y contains str and int: .* 59 str, 1 int"),
    "NaN in a list": (changed(LABELS, np.nan).tolist(), "y contains NaN: .* 59 str, 1 NaN"),
    "infinity": (changed(LABELS, np.inf), "y contains str and float: .* 59 str, 1 float"),
    "None among numbers": (
        changed((LABELS == "yes").astype(object), None),
        "y contains None: of 60 labels there are 59 bool, 1 None",
    ),
    "pandas strings": (pd.Series(changed(LABELS, None)).astype("string"), "y contains NA"),
    "pandas integers": (
        pd.Series(changed((LABELS == "no") * 1.0, np.nan)).astype("Int64"),
        "y contains (NaN|NA)",
    ),
    "pandas categories": (pd.Series(changed(LABELS, None)).astype("category"), "y contains NaN"),
    "numbers as objects": ((LABELS == "no").astype(int).astype(object), r"y holds int .*y\.astype\(int\)"),
    "NaN as a number": (changed((LABELS == "no") * 1.0, np.nan), "y contains NaN"),
    "infinity as a number": (changed((LABELS == "no") * 1.0, np.inf), "y contains infinity"),
}


@each_classifier
@pytest.mark.parametrize("name", NO_LABELS)
def test_labels_of_several_kinds_or_missing_are_counted(kind, name):
    y, match = NO_LABELS[name]
    with pytest.raises(ValueError, match=match):
        unfitted(kind).fit(X, y)
    with pytest.raises(ValueError, match=f"X_val, y_val.*({match})"):
        unfitted(kind).fit(X, LABELS, X_val=X, y_val=y)
    if hasattr(kind, "partial_fit"):
        for classes in (None, ["no", "yes"]):
            with pytest.raises(ValueError, match=match if classes else f"{match}|classes must be passed"):
                unfitted(kind).partial_fit(X, y, classes=classes)


def test_the_column_of_labels_is_named():
    y = np.column_stack([LABELS, changed(LABELS, None)])
    with pytest.raises(
        ValueError, match="column 1 of y contains None: of 60 labels there are 59 str, 1 None"
    ):
        unfitted(ScratchMLPClassifier).fit(X, y)
    with pytest.raises(ValueError, match="column 1 of y contains None"):
        unfitted(ScratchMLPClassifier).fit(X, pd.DataFrame(y, dtype=object))


@each_classifier
def test_labels_of_one_kind_are_left_alone(kind):
    yes = LABELS == "yes"
    for y in (
        *(
            LABELS,
            LABELS.tolist(),
            LABELS.astype(str),
            pd.Series(LABELS),
            pd.Series(LABELS, dtype="category"),
        ),
        *(yes, yes.tolist(), yes.astype(int), (yes * 1.0).tolist(), pd.Series(yes * 1, dtype="Int64")),
    ):
        assert unfitted(kind).fit(X, y).score(X, y) >= 0


@each_regressor
@pytest.mark.parametrize(
    ("y", "match"),
    [
        (LABELS, "y must hold numbers: .*'(yes|no)'.*{classifier}"),
        (LABELS.astype(str), "y must hold numbers: .*'(yes|no)'.*{classifier}"),
        (changed(NUMBERS, np.nan), "y contains NaN"),
        (changed(NUMBERS, -np.inf), "y contains infinity"),
        (changed(NUMBERS.astype(object), None), "y contains NaN"),
    ],
)
def test_numbers_are_asked_for_alike(kind, y, match):
    match = match.format(classifier=kind.__name__.replace("Regressor", "Classifier"))
    with pytest.raises(ValueError, match=match):
        unfitted(kind).fit(X, y)
