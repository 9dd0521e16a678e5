"""What a column holds, by its dtype, and by its cells where the dtype says nothing."""

import numpy as np

_GAPS = "NoneType", "NAType", "NaTType"


def kinds_of(column):
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


def says_nothing(dtype):
    """Whether a dtype leaves open what a column holds: object, polars' Null, any of older polars."""
    return _scalar_type(dtype) in (object, np.object_, type(None))


def _scalar_type(dtype):
    # of polars' dtypes; those of NumPy and pandas have a type, and those of older polars neither
    return dtype.to_python() if hasattr(dtype, "to_python") else getattr(dtype, "type", object)
