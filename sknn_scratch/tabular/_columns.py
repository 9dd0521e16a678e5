"""From a frame or an array to a table of numbers and of levels, read once."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from numbers import Complex, Number, Real
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sknn_scratch._sklearn import check_categorical_features, is_pandas_na, safe_indexing
from sknn_scratch.core.machine.blocks import blocks
from sknn_scratch.fitting._columns import (
    cells_of,
    is_frame,
    is_of_numbers,
    kinds_of,
    named_columns,
    names_of,
    refuse_dates,
    says_nothing,
)
from sknn_scratch.fitting._user_line import warn_user
from sknn_scratch.tabular._table import CELLS_OF_A_BLOCK, Numbers, Table

CELLS_READ_TOGETHER = 2**16
"""Cells of a frame up to which its numbers are copied into one array: pandas takes 20 us for a column."""


@dataclass(frozen=True)
class UserColumn:
    """One column as the user gave it.

    Attributes
    ----------
    i : int
        Its position.
    name : str
        How messages and features call it.
    cells : ndarray, or Series of pandas or polars
        What it holds.
    kinds : set of type
        The types of what it holds.
    """

    i: int
    name: str
    cells: Any
    kinds: set[type]


@dataclass(frozen=True)
class UserTable:
    """X as the user gave it.

    Attributes
    ----------
    X : frame or ndarray of shape (n_rows, n_features)
        A frame as it is, all else as an array.
    names : list of str
        How messages and features call the columns.
    numbers : Numbers
        The columns that are read together: their dtypes say that they hold numbers.
    columns : list of UserColumn
        All others.
    """

    X: Any
    names: list[str]
    numbers: Numbers
    columns: list[UserColumn]


def checked_table(estimator, X, reset):
    """Look at the data as they come, with scikit-learn's checks of shape and names.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_features_in_`` and ``feature_names_in_`` are compared, or set if `reset`.
    X : frame or array-like of shape (n_rows, n_features)
        Data.
    reset : bool
        Whether this is fit.

    Returns
    -------
    UserTable
        The data, and the types of what each column holds.

    Raises
    ------
    ValueError
        If a column holds dates, times or complex numbers.
    TypeError
        If a cell is neither a number nor a level.
    """
    if is_frame(X):
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        if X.shape[0] == 0 or X.shape[1] == 0:
            raise ValueError(
                f"Found array with {X.shape[0]} sample(s) and {X.shape[1]} feature(s): X is empty."
            )
    else:
        if isinstance(X, list | tuple) and np.asarray(X).dtype.kind in "US":
            X = np.asarray(X, dtype=object)  # numbers in a list with strings stay numbers
        X = check_array(X, dtype=None, ensure_all_finite=False, estimator=estimator, input_name="X")
        validate_data(estimator, X, skip_check_array=True, reset=reset)
    is_together = _are_read_together(X)
    rest = np.flatnonzero(~is_together).tolist()
    cells = named_columns(_some_columns(X, rest)) if rest else []
    columns = [UserColumn(i, *named, kinds_of(named[1])) for i, named in zip(rest, cells, strict=True)]
    names = names_of(X)
    for column in columns:
        _refuse_what_cannot_be_read(column)
    return UserTable(X, names, _read_together(X, np.flatnonzero(is_together)), columns)


def categorical_mask(table, categorical_features):
    """Which columns hold levels rather than numbers.

    Parameters
    ----------
    table : UserTable
        Data.
    categorical_features : array-like, 'from_dtype' or None
        The parameter of the estimators.

    Returns
    -------
    ndarray of bool of shape (n_features,)
        True for categories.
    """
    named = None
    if not isinstance(categorical_features, str):
        named = check_categorical_features(table.X, categorical_features)
    mask = np.zeros(len(table.names), dtype=bool) if named is None else named.copy()
    spelt_out = []
    for column in table.columns:
        if mask[column.i] or _holds_numbers(column):
            continue
        if categorical_features is not None:
            mask[column.i] = True
            if not is_frame(table.X) and _spells_numbers(column.cells):
                spelt_out.append(column.name)
        elif not says_nothing(column.cells.dtype) or _holds_something(column.cells):
            raise ValueError(
                f"Column {column.name!r} of X does not hold numbers, but categorical_features=None says that "
                "all columns do: name it there, or use categorical_features='from_dtype'."
            )
    if spelt_out:
        warn_user(
            f"Columns {spelt_out} of X hold numbers as strings, each of which becomes a level of a category. "
            "Turn them into numbers (astype(float)); if they are levels, name them in categorical_features."
        )
    return mask


def read_table(table, mask):
    """Read the columns as the mask says.

    Parameters
    ----------
    table : UserTable
        Data.
    mask : ndarray of bool of shape (n_features,)
        True for categories.

    Returns
    -------
    Table
        The columns with all rows.

    Raises
    ------
    ValueError
        If a column of numbers holds something else, or numbers that are not finite in float32.
    """
    alone = [_read_alone(column) for column in table.columns if not mask[column.i]]
    numbers = [some for some in [table.numbers.without(mask), *alone] if len(some.features)]
    for some in numbers:
        _refuse_beyond_float32(table.names, some)
    cells = {column.i: column.cells for column in table.columns}
    cells |= {i: cells_of(table.X, i) for i in table.numbers.features[mask[table.numbers.features]]}
    levels = {i: _cells_as_levels(table.names[i], cells[i]) for i in np.flatnonzero(mask).tolist()}
    return Table(table.X, table.names, numbers, levels)


def is_missing(value):
    """Whether a cell is missing: None, NaN, pandas' NA and NaT."""
    if isinstance(value, str | int):
        return False
    if isinstance(value, float):
        return value != value
    may_differ_from_itself = isinstance(value, Number | np.generic | datetime.date)
    return value is None or is_pandas_na(value) or (may_differ_from_itself and bool(value != value))


def _are_read_together(X):
    """Which columns are numbers in one array, or in a frame so small that they may be copied into one."""
    if not is_frame(X):
        return np.full(X.shape[1], is_of_numbers(X.dtype) and X.dtype.itemsize <= 8)
    is_small = X.shape[0] * X.shape[1] <= CELLS_READ_TOGETHER
    return np.array([is_small and is_of_numbers(dtype) for dtype in X.dtypes])


def _read_together(X, features):
    if not is_frame(X):
        return Numbers(features, features, X)
    columns = _some_columns(X, features)
    # pandas' nullable integers need an explicit float dtype
    dtype = {"dtype": float, "na_value": np.nan} if hasattr(X, "iloc") else {}
    return Numbers(features, np.arange(len(features)), columns.to_numpy(**dtype))


def _some_columns(X, positions):
    """Columns of X; X itself if they are all."""
    return X if len(positions) == X.shape[1] else safe_indexing(X, positions, axis=1)


def _refuse_what_cannot_be_read(column):
    refuse_dates(f"Column {column.name!r} of X", column.kinds)
    for kind in column.kinds:
        if issubclass(kind, Complex) and not issubclass(kind, Real):
            raise ValueError(
                f"Column {column.name!r} of X holds complex numbers. Complex data not supported: make "
                "one column of the real parts and one of the imaginary parts."
            )
        is_array = hasattr(kind, "__array__") and not issubclass(kind, np.generic)
        if kind.__hash__ is None or is_array:
            raise _no_level(column.name, kind)


def _no_level(name, kind):
    return TypeError(
        f"A cell of column {name!r} of X is a {kind.__name__}: argument must be a string or a number, or "
        "another hashable value. Split what it holds into columns, or leave the column out."
    )


def _as_array(cells):
    """A column as NumPy gives it: numbers that may be missing as floats."""
    if getattr(cells.dtype, "kind", None) in ("i", "u", "f") and not isinstance(cells, np.ndarray):
        return cells.to_numpy(dtype=float, na_value=np.nan)  # pandas' nullable integers too
    return np.asarray(cells if isinstance(cells, np.ndarray) else cells.to_numpy())


def _holds_numbers(column):
    """Whether it does by its dtype, or has cells that are numbers and no others."""
    dtype = column.cells.dtype
    if str(dtype) == "category":
        return False
    if any(not issubclass(kind, Number) or issubclass(kind, bool | np.bool_) for kind in column.kinds):
        return False
    return not says_nothing(dtype) or _holds_something(column.cells)


def _holds_something(cells):
    return any(not is_missing(value) for value in np.asarray(cells))


def _spells_numbers(cells):
    """Whether a column holds strings, and all of them are numbers."""
    known = [value for value in cells if not is_missing(value)]
    if not known or not all(isinstance(value, str | bytes) for value in known):
        return False
    try:
        np.array(known).astype(float)
    except ValueError:
        return False
    return True


def _cells_as_levels(name, cells):
    values = np.asarray(cells if isinstance(cells, np.ndarray) else cells.to_numpy())
    levels = np.empty(len(values), dtype=object)
    levels[:] = values.tolist()  # Python's own objects, which are equal whatever the dtype
    if not all(issubclass(kind, str | Number) for kind in set(map(type, levels))):
        for value in levels:
            try:
                hash(value)
            except TypeError:  # a tuple that holds a list
                raise _no_level(name, type(value)) from None
    return levels


def _read_alone(column):
    """The numbers of one column."""
    values = _as_array(column.cells)
    if values.dtype == object:
        values = np.array([np.nan if is_missing(value) else value for value in values], dtype=object)
    try:
        numbers = values.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"Column {column.name!r} of X must hold numbers, as it did when the model was fitted: {error}."
        ) from None
    # a narrow dtype is kept: it takes less memory, and float64 holds its numbers exactly
    is_narrow = values.dtype.kind in "iuf" and values.itemsize < numbers.itemsize
    return Numbers(np.array([column.i]), np.array([0]), (values if is_narrow else numbers)[:, np.newaxis])


def _refuse_beyond_float32(names, numbers):
    """Raise if there are numbers that float32 does not hold; NaN and integers are none of them."""
    if numbers.array.dtype.kind != "f":
        return
    for (rows,) in blocks(numbers.array, size=CELLS_OF_A_BLOCK):
        is_beyond = np.abs(rows) > np.finfo(np.float32).max
        if is_beyond.any() and is_beyond.any(axis=0)[numbers.columns].any():
            first = numbers.features[is_beyond.any(axis=0)[numbers.columns]][0]
            raise ValueError(
                f"Column {names[first]!r} of X contains infinity or a value too large for dtype('float32'). "
                "Replace it, or take logarithms of it."
            )
