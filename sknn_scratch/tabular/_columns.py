"""From a frame or an array to columns: numbers as float64, categories as objects."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from numbers import Complex, Number, Real

import numpy as np
from sklearn.utils import check_array
from sklearn.utils._missing import is_pandas_na
from sklearn.utils.validation import _check_categorical_features, validate_data

from sknn_scratch.fitting._dates import refuse_dates
from sknn_scratch.fitting._frames import is_frame, named_columns
from sknn_scratch.fitting._kinds import kinds_of, says_nothing
from sknn_scratch.fitting._user_line import warn_user


@dataclass
class Column:
    """One column of the data.

    Attributes
    ----------
    name : str
        How messages and features call it.
    values : ndarray of shape (n_rows,)
        float64 with NaN for what is missing, or objects.
    """

    name: str
    values: np.ndarray

    @property
    def is_categorical(self):
        """Whether it holds levels."""
        return self.values.dtype == object


def checked_table(estimator, X, reset):
    """The data as they will be read, with scikit-learn's checks of shape and names.

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
    frame or ndarray
        A frame as it is, all else as an array.

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
    for name, column in named_columns(X):
        _refuse_what_cannot_be_read(name, column)
    return X


def categorical_mask(X, categorical_features):
    """Which columns hold levels rather than numbers.

    Parameters
    ----------
    X : frame or ndarray of shape (n_rows, n_features)
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
        named = _check_categorical_features(X, categorical_features)
    mask = np.zeros(X.shape[1], dtype=bool) if named is None else named.copy()
    spelt_out = []
    for i, (name, column) in enumerate(named_columns(X)):
        if mask[i] or _holds_numbers(column):
            continue
        if categorical_features is not None:
            mask[i] = True
            if not is_frame(X) and _spells_numbers(column):
                spelt_out.append(name)
        elif not says_nothing(column.dtype) or any(not is_missing(value) for value in np.asarray(column)):
            raise ValueError(
                f"Column {name!r} of X does not hold numbers, and categorical_features=None says that "
                "all do: name it there, or use categorical_features='from_dtype'."
            )
    if spelt_out:
        warn_user(
            f"Columns {spelt_out} of X hold numbers as strings, each of which becomes a level of a category. "
            "Turn them into numbers (astype(float)); if they are levels, name them in categorical_features."
        )
    return mask


def read_columns(X, mask):
    """The columns of X as the mask says.

    Parameters
    ----------
    X : frame or ndarray of shape (n_rows, n_features)
        Data.
    mask : ndarray of bool of shape (n_features,)
        True for categories.

    Returns
    -------
    list of Column
        One for each.

    Raises
    ------
    ValueError
        If a column of numbers holds something else, or numbers that are not finite in float32.
    """
    return [
        Column(name, _levels(name, column) if is_categorical else _numbers(name, column))
        for (name, column), is_categorical in zip(named_columns(X), mask, strict=True)
    ]


def is_missing(value):
    """Whether a cell is none: None, NaN, pandas' NA and NaT."""
    if isinstance(value, str):
        return False
    may_differ_from_itself = isinstance(value, Number | np.generic | datetime.date)
    return value is None or is_pandas_na(value) or (may_differ_from_itself and bool(value != value))


def _refuse_what_cannot_be_read(name, column):
    refuse_dates(f"Column {name!r} of X", column)
    for kind in kinds_of(column):
        if issubclass(kind, Complex) and not issubclass(kind, Real):
            raise ValueError(
                f"Column {name!r} of X holds complex numbers. Complex data not supported: make columns of "
                "the real and of the imaginary part."
            )
        is_array = hasattr(kind, "__array__") and not issubclass(kind, np.generic)
        if kind.__hash__ is None or is_array:
            raise _no_level(name, kind)


def _no_level(name, kind):
    return TypeError(
        f"A cell of column {name!r} of X is a {kind.__name__}: argument must be a string or a number, or "
        "whatever else can be hashed. Make columns of what it holds, or leave the column out."
    )


def _as_array(column):
    """A column as NumPy gives it: numbers that may be missing as floats."""
    if getattr(column.dtype, "kind", None) in ("i", "u", "f") and not isinstance(column, np.ndarray):
        return column.to_numpy(dtype=float, na_value=np.nan)  # pandas' nullable integers too
    return np.asarray(column if isinstance(column, np.ndarray) else column.to_numpy())


def _holds_numbers(column):
    """Whether it does by its dtype, or has cells that are numbers and no others."""
    if str(column.dtype) == "category":
        return False
    kinds = kinds_of(column)
    if any(not issubclass(kind, Number) or issubclass(kind, bool | np.bool_) for kind in kinds):
        return False
    return not says_nothing(column.dtype) or any(not is_missing(value) for value in np.asarray(column))


def _spells_numbers(column):
    """Whether a column holds strings, and all of them are numbers."""
    known = [value for value in column if not is_missing(value)]
    if not known or not all(isinstance(value, str | bytes) for value in known):
        return False
    try:
        np.array(known).astype(float)
    except ValueError:
        return False
    return True


def _levels(name, column):
    values = np.asarray(column if isinstance(column, np.ndarray) else column.to_numpy())
    levels = np.empty(len(values), dtype=object)
    levels[:] = values.tolist()  # Python's own objects, which are equal whatever the dtype
    if not all(issubclass(kind, str | Number) for kind in set(map(type, levels))):
        for value in levels:
            try:
                hash(value)
            except TypeError:  # a tuple that holds a list
                raise _no_level(name, type(value)) from None
    return levels


def _numbers(name, column):
    values = _as_array(column)
    if values.dtype == object:
        values = np.array([np.nan if is_missing(value) else value for value in values], dtype=object)
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"Column {name!r} of X must hold numbers, as where the model was fitted: {error}."
        ) from None
    if (np.abs(numbers) > np.finfo(np.float32).max).any():
        raise ValueError(
            f"Column {name!r} of X contains infinity or a value too large for dtype('float32'). Replace "
            "it, or take logarithms of it."
        )
    return numbers
