"""From a frame or an array to columns of numbers and of levels, read once."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from numbers import Complex, Number, Real
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sknn_scratch._sklearn import check_categorical_features, is_pandas_na, safe_indexing
from sknn_scratch.fitting._columns import is_frame, kinds_of, named_columns, refuse_dates, says_nothing
from sknn_scratch.fitting._user_line import warn_user


@dataclass(frozen=True)
class UserColumn:
    """One column as the user gave it.

    Attributes
    ----------
    name : str
        How messages and features call it.
    cells : ndarray, or Series of pandas or polars
        What it holds.
    kinds : set of type
        The types of what it holds.
    """

    name: str
    cells: Any
    kinds: set[type]


@dataclass(frozen=True)
class UserTable:
    """X as the user gave it, and its columns one by one.

    Attributes
    ----------
    X : frame or ndarray of shape (n_rows, n_features)
        A frame as it is, all else as an array.
    columns : list of UserColumn
        One for each feature.
    """

    X: Any
    columns: list[UserColumn]


@dataclass(frozen=True)
class Column:
    """One column of the data.

    Attributes
    ----------
    name : str
        How messages and features call it.
    values : ndarray of shape (n_rows,)
        Numbers with NaN for what is missing, or objects.
    """

    name: str
    values: np.ndarray

    @property
    def is_categorical(self):
        """Whether it holds levels."""
        return self.values.dtype == object


@dataclass(frozen=True)
class Table:
    """Columns that have been read, and the rows of them that count.

    Going through it yields one `Column` after the other with these rows only, numbers as float64. No more
    than one column is copied at a time.

    Attributes
    ----------
    X : frame or ndarray of shape (n_rows, n_features)
        What the columns were read from.
    columns : list of Column
        Columns with all rows.
    rows : ndarray of int or None, default=None
        Numbers of the rows that count; None means all.
    """

    X: Any
    columns: list[Column]
    rows: np.ndarray | None = None

    def __len__(self):
        return len(self.columns[0].values) if self.rows is None else len(self.rows)

    def __iter__(self):
        return map(self.column, range(len(self.columns)))

    def column(self, i):
        """Column i with the rows that count."""
        column = self.columns[i]
        values = column.values if self.rows is None else column.values[self.rows]
        return Column(column.name, values if column.is_categorical else values.astype(np.float64, copy=False))

    def take(self, rows):
        """The same table with these of its rows only."""
        return Table(self.X, self.columns, rows if self.rows is None else self.rows[rows])

    def as_given(self):
        """These rows in the form that the user gave."""
        return self.X if self.rows is None else safe_indexing(self.X, self.rows)


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
    columns = [UserColumn(name, cells, kinds_of(cells)) for name, cells in named_columns(X)]
    for column in columns:
        _refuse_what_cannot_be_read(column)
    return UserTable(X, columns)


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
    mask = np.zeros(len(table.columns), dtype=bool) if named is None else named.copy()
    spelt_out = []
    for i, column in enumerate(table.columns):
        if mask[i] or _holds_numbers(column):
            continue
        if categorical_features is not None:
            mask[i] = True
            if not is_frame(table.X) and _spells_numbers(column.cells):
                spelt_out.append(column.name)
        elif not says_nothing(column.cells.dtype) or _holds_something(column.cells):
            raise ValueError(
                f"Column {column.name!r} of X does not hold numbers, and categorical_features=None says that "
                "all do: name it there, or use categorical_features='from_dtype'."
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
    columns = [
        Column(column.name, (_cells_as_levels if is_categorical else _cells_as_numbers)(column))
        for column, is_categorical in zip(table.columns, mask, strict=True)
    ]
    return Table(table.X, columns)


def is_missing(value):
    """Whether a cell is none: None, NaN, pandas' NA and NaT."""
    if isinstance(value, str):
        return False
    may_differ_from_itself = isinstance(value, Number | np.generic | datetime.date)
    return value is None or is_pandas_na(value) or (may_differ_from_itself and bool(value != value))


def _refuse_what_cannot_be_read(column):
    refuse_dates(f"Column {column.name!r} of X", column.kinds)
    for kind in column.kinds:
        if issubclass(kind, Complex) and not issubclass(kind, Real):
            raise ValueError(
                f"Column {column.name!r} of X holds complex numbers. Complex data not supported: make "
                "columns of the real and of the imaginary part."
            )
        is_array = hasattr(kind, "__array__") and not issubclass(kind, np.generic)
        if kind.__hash__ is None or is_array:
            raise _no_level(column.name, kind)


def _no_level(name, kind):
    return TypeError(
        f"A cell of column {name!r} of X is a {kind.__name__}: argument must be a string or a number, or "
        "whatever else can be hashed. Make columns of what it holds, or leave the column out."
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


def _cells_as_levels(column):
    cells = column.cells
    values = np.asarray(cells if isinstance(cells, np.ndarray) else cells.to_numpy())
    levels = np.empty(len(values), dtype=object)
    levels[:] = values.tolist()  # Python's own objects, which are equal whatever the dtype
    if not all(issubclass(kind, str | Number) for kind in set(map(type, levels))):
        for value in levels:
            try:
                hash(value)
            except TypeError:  # a tuple that holds a list
                raise _no_level(column.name, type(value)) from None
    return levels


def _cells_as_numbers(column):
    values = _as_array(column.cells)
    if values.dtype == object:
        values = np.array([np.nan if is_missing(value) else value for value in values], dtype=object)
    try:
        numbers = values.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"Column {column.name!r} of X must hold numbers, as where the model was fitted: {error}."
        ) from None
    if (np.abs(numbers) > np.finfo(np.float32).max).any():
        raise ValueError(
            f"Column {column.name!r} of X contains infinity or a value too large for dtype('float32'). "
            "Replace it, or take logarithms of it."
        )
    # a narrow dtype is kept: it takes less memory, and float64 holds its numbers exactly
    return values if values.dtype.kind in "iuf" and values.itemsize < numbers.itemsize else numbers
