"""Columns of X as the user gave them: their names, what they hold, and the refusal of dates."""

import datetime
from typing import Any

import numpy as np

_GAPS = "NoneType", "NAType", "NaTType"
_DATES = datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64
_ADVICE = "Turn it into numbers, such as days since a date, the hour or the day of the week, or leave it out."


def is_frame(X: Any) -> bool:
    """Whether X is a frame of pandas, polars or a similar library, whose columns have their own dtypes."""
    # a lazy frame has no shape; dtypes of pandas are made when they are asked for, which takes longest
    return hasattr(X, "shape") and hasattr(X, "columns") and hasattr(type(X), "dtypes")


def named_columns(X: Any) -> list[tuple[str, Any]]:
    """The columns with their names in messages.

    Parameters
    ----------
    X : frame or ndarray of shape (n_rows, n_features)
        Data.

    Returns
    -------
    list of (str, Series or ndarray)
        One pair for each column.
    """
    return [(name, cells_of(X, i)) for i, name in enumerate(names_of(X))]


def names_of(X: Any) -> list[str]:
    """The names of the columns in messages.

    Parameters
    ----------
    X : frame or ndarray of shape (n_rows, n_features)
        Data.

    Returns
    -------
    list of str
        One for each column.
    """
    return list(map(str, X.columns)) if is_frame(X) else [f"x{i}" for i in range(X.shape[1])]


def cells_of(X: Any, i: int) -> Any:
    """Column i as it is given.

    Parameters
    ----------
    X : frame or ndarray of shape (n_rows, n_features)
        Data.
    i : int
        Its position: a frame of pandas may have a name twice.

    Returns
    -------
    Series or ndarray
        The column.
    """
    if hasattr(X, "iloc"):
        return X.iloc[:, i]
    return X[X.columns[i]] if is_frame(X) else X[:, i]


def kinds_of(column: Any) -> set[type]:
    """The types of what a column holds.

    Parameters
    ----------
    column : ndarray, or Series of pandas or polars
        The column.

    Returns
    -------
    set of type
        The scalar type of the column's dtype. A dtype that says nothing (object) counts by the types of the
        cells, None, NA and NaT left out; a category counts by its categories.
    """
    categories = getattr(column.dtype, "categories", None)
    column = column if getattr(categories, "dtype", None) is None else categories
    if not says_nothing(column.dtype):
        return {_scalar_type(column.dtype)}
    return {kind for kind in set(map(type, np.asarray(column))) if kind.__name__ not in _GAPS}


def is_of_numbers(dtype: Any) -> bool:
    """Whether a dtype, of NumPy, pandas or polars, is one of integers or floats."""
    kind = getattr(dtype, "kind", None)
    return _scalar_type(dtype) in (int, float) if kind is None else kind in ("i", "u", "f")


def says_nothing(dtype: Any) -> bool:
    """Whether a dtype leaves open what a column holds: object, polars' Null, any of older polars."""
    return _scalar_type(dtype) in (object, np.object_, type(None))


def _scalar_type(dtype: Any) -> type:
    # of polars' dtypes; those of NumPy and pandas have a type, and those of older polars neither
    kind: type = dtype.to_python() if hasattr(dtype, "to_python") else getattr(dtype, "type", object)
    return kind


def refuse_dates(what: str, kinds: set[type]) -> None:
    """Raise if a column holds dates, times, durations or periods.

    Parameters
    ----------
    what : str
        How the message calls the column, such as "Column 'a' of X".
    kinds : set of type
        The types of what the column holds, as `kinds_of` returns them.

    Raises
    ------
    ValueError
        If it does; the message names the column and says what to do.
    """
    if any(issubclass(kind, _DATES) or _is_period(kind) for kind in kinds):
        raise ValueError(f"{what} holds dates or times, which are not numbers. {_ADVICE}")


def _is_period(kind: type) -> bool:
    """Whether it is pandas' Period, which is not a date type of the standard library."""
    return kind.__name__ == "Period" and kind.__module__.startswith("pandas")
