"""From a frame or an array to columns: numbers as float64, categories as objects."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Number

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils._missing import is_pandas_na
from sklearn.utils.validation import _check_categorical_features, validate_data

from sknn_scratch.fitting._dates import refuse_dates


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
    """
    if is_frame(X):
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        if X.shape[0] == 0 or X.shape[1] == 0:
            raise ValueError(
                f"Found array with {X.shape[0]} sample(s) and {X.shape[1]} feature(s): X is empty."
            )
        return X
    if not issparse(X) and np.asarray(X).dtype.kind in "US" and not isinstance(X, np.ndarray):
        X = np.asarray(X, dtype=object)  # numbers in a list with strings stay numbers
    if not issparse(X) and getattr(X, "dtype", None) is not None and X.dtype.kind == "O":
        # numbers that came as objects are numbers; what is mixed is told apart column by column
        checked = check_array(X, dtype=None, ensure_all_finite=False, estimator=estimator, input_name="X")
        validate_data(estimator, checked, skip_check_array=True, reset=reset)
        return checked
    return validate_data(estimator, X, dtype=None, ensure_all_finite="allow-nan", reset=reset)


def is_frame(X):
    """Whether X is a frame of pandas, polars or their like, whose columns have dtypes of their own."""
    return hasattr(X, "columns") and hasattr(X, "shape") and hasattr(X, "dtypes")


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
    for i, (name, column) in enumerate(_raw_columns(X)):
        if not mask[i] and not _holds_numbers(name, column):
            if categorical_features is None:
                raise ValueError(
                    f"Column {name!r} of X does not hold numbers, and categorical_features=None says that "
                    "all do: name it there, or use categorical_features='from_dtype'."
                )
            mask[i] = True
        elif mask[i]:
            refuse_dates(name, _as_array(column))
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
        Column(name, _levels(column) if is_categorical else _numbers(name, column))
        for (name, column), is_categorical in zip(_raw_columns(X), mask, strict=True)
    ]


def is_missing(value):
    """Whether a level is none: None, NaN, pandas' NA and NaT."""
    return value is None or is_pandas_na(value) or bool(value != value)


def _raw_columns(X):
    if is_frame(X):
        # by position where pandas can: names may be there twice
        columns = [X.iloc[:, i] if hasattr(X, "iloc") else X[name] for i, name in enumerate(X.columns)]
        return list(zip(map(str, X.columns), columns, strict=True))
    return [(f"x{i}", X[:, i]) for i in range(X.shape[1])]


def _as_array(column):
    """A column as NumPy gives it: numbers that may be missing as floats."""
    if getattr(column.dtype, "kind", None) in ("i", "u", "f") and not isinstance(column, np.ndarray):
        return column.to_numpy(dtype=float, na_value=np.nan)  # pandas' nullable integers too
    return np.asarray(column if isinstance(column, np.ndarray) else column.to_numpy())


def _holds_numbers(name, column):
    kind = getattr(column.dtype, "kind", "")  # of pandas' own dtypes too
    values = _as_array(column)
    refuse_dates(name, values, kind)
    if str(column.dtype) == "category" or "Categorical" in str(column.dtype) or kind == "b":
        return False
    if values.dtype.kind in "iuf":
        return True
    if values.dtype.kind != "O":
        return False
    kinds = {type(value) for value in values if not is_missing(value)}
    return all(issubclass(one, Number) and not issubclass(one, bool | np.bool_) for one in kinds)


def _levels(column):
    values = np.asarray(column if isinstance(column, np.ndarray) else column.to_numpy())
    levels = np.empty(len(values), dtype=object)
    levels[:] = values.tolist()  # Python's own objects, which are equal whatever the dtype
    for value in set(map(type, levels)):
        if not issubclass(value, str | bytes | Number | type(None)) and value.__hash__ is None:
            raise TypeError(
                f"Levels of a category: argument must be a string or a number, not {value.__name__}."
            )
    return levels


def _numbers(name, column):
    values = _as_array(column)
    if values.dtype == object:
        values = np.array([np.nan if is_missing(value) else value for value in values], dtype=object)
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Column {name!r} of X must hold numbers, as where the model was fitted: {error}."
        ) from None
    if (np.abs(numbers) > np.finfo(np.float32).max).any():
        raise ValueError(
            f"Column {name!r} of X contains infinity or a value too large for dtype('float32'). Replace "
            "it, or take logarithms of it."
        )
    return numbers
