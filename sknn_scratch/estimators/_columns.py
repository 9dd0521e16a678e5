"""The columns of X that cannot be trained on, by name: dates, text, missing values, infinity."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import is_classifier

from sknn_scratch.fitting._columns import is_frame, kinds_of, named_columns, refuse_dates

_NAMES_SHOWN = 5


def refuse_dates_in(X):
    """Raise if a column holds dates, times or durations, which NumPy turns into numbers in silence.

    Parameters
    ----------
    X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        Data as the user gave them.
    """
    dtypes = X.dtypes if is_frame(X) else [getattr(X, "dtype", None)]
    if all(getattr(dtype, "kind", None) in ("b", "i", "u", "f") for dtype in dtypes):
        return  # the usual case costs nothing
    for name, values in _columns(X):
        refuse_dates(f"Column {name!r} of X", kinds_of(values))


def explained(error, X, estimator):
    """The error about X, with the names of the columns.

    Parameters
    ----------
    error : Exception
        What scikit-learn raised.
    X : array-like, frame or sparse matrix of shape (n_samples, n_features)
        Data.
    estimator : estimator
        The estimator that received them.

    Returns
    -------
    Exception
        An error that says what to do; `error` itself where there is nothing to add.
    """
    message = str(error)
    if message.startswith("Input X contains NaN"):
        task = "Classifier" if is_classifier(estimator) else "Regressor"
        return ValueError(
            f"Input X contains NaN{_in_columns(X, np.isnan)}. {type(estimator).__name__} does not accept "
            f"missing values: fill them (SimpleImputer), or use ScratchRealMLP{task}, which accepts them."
        )
    if message.startswith("Input X contains infinity"):
        limit = np.finfo(np.float32 if "float32" in message else np.float64).max
        where = _in_columns(X, lambda values: np.abs(values) > limit)
        return ValueError(f"{message.rstrip('.')}{where}. Replace it, or take logarithms.")
    if message.startswith("Complex data"):
        return ValueError(
            f"Complex data not supported{_in_columns(X, np.iscomplexobj)}. Split each column in two "
            "(numpy.real, numpy.imag)."
        )
    names = [name for name, values in _columns(X) if len(_as_numbers(values)) < len(values)]
    if not names:
        return error
    advice = f"{error}. Encode them (OneHotEncoder, TargetEncoder) or leave them out."
    if is_frame(X):
        return ValueError(f"Columns {names} of X do not hold numbers: {advice}")
    kind = ValueError if isinstance(error, ValueError) else TypeError
    return kind(f"X does not hold numbers, in columns {names}: {advice}")


def _columns(X):
    """Name and values of each column."""
    if is_frame(X):
        return [(name, np.asarray(column)) for name, column in named_columns(X)]
    if issparse(X):
        X = X.tocsc()
        return [(f"x{i}", X.data[X.indptr[i] : X.indptr[i + 1]]) for i in range(X.shape[1])]
    X = np.asarray(X)
    return [(f"x{i}", column) for i, column in enumerate(X.T)] if X.ndim == 2 else []


def _as_numbers(values):
    """A column as numbers, an empty one if it does not hold any."""
    try:
        return values if values.dtype.kind in "fc" else values.astype(float)
    except (TypeError, ValueError, OverflowError):
        return np.empty(0)


def _in_columns(X, is_bad):
    """Where in X something is, as the end of a sentence; empty if unknown."""
    names = [name for name, values in _columns(X) if np.any(is_bad(_as_numbers(values)))]
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f", in columns {names[:_NAMES_SHOWN]}{more}" if names else ""
