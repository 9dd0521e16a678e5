"""What holds of every call, whatever is given to it, and of every fitted estimator."""

import contextlib
import io
import linecache
import pickle
import traceback
import warnings
from pathlib import Path

import joblib
import narwhals
import numpy as np
import pandas as pd
import polars as pl
import sklearn
from scipy.sparse import issparse
from sklearn.exceptions import DataConversionWarning, NotFittedError

import sknn_scratch
from sknn_scratch.callbacks._fingerprint import fingerprint

DOCUMENTED = ValueError, TypeError, AttributeError, NotFittedError, MemoryError
OURS, SKLEARNS, FRAMES = (str(Path(module.__file__).parent) for module in (sknn_scratch, sklearn, narwhals))
METRICS = str(Path(sklearn.__file__).parent / "metrics")
"""What scores raise and warn of is scikit-learn's."""


def frozen(value):
    """A value to the last bit, as something that can be compared."""
    if isinstance(value, pd.DataFrame):
        columns = [value.iloc[:, i] for i in range(value.shape[1])]
        return [list(value.columns), list(value.index), [frozen(column) for column in columns]]
    if isinstance(value, pd.Series):
        return str(value.dtype), list(value.index), repr(value.tolist())
    if isinstance(value, pl.Series):
        value = value.to_frame()
    if isinstance(value, pl.DataFrame):
        return value.schema, repr(value.to_dict(as_series=False))
    if issparse(value):
        return [frozen(getattr(value, name, None)) for name in ("data", "indices", "indptr", "row", "col")]
    if isinstance(value, np.ndarray):
        has_bytes_of_its_own = value.dtype not in (object, np.longdouble)  # not references or padding
        content = value.tobytes() if has_bytes_of_its_own else repr(value.tolist())
        return value.dtype, value.shape, value.strides, content
    if isinstance(value, list | tuple):
        return [frozen(item) for item in value]
    return repr(value)


def state_of(estimator):
    """All that an estimator holds, by name."""
    kept = {name: value for name, value in vars(estimator).items() if "callback" not in name}
    return {name: joblib.hash(value) for name, value in kept.items()}


def settings_of(estimator):
    """Its parameters; of a generator, which a fit moves on, only that it is one."""
    return {name: fingerprint(value) for name, value in estimator.get_params().items()}


def attempt(estimator, method, *args, **kwargs):
    """Call a method, and check what holds of every call.

    Returns
    -------
    result : object
        What it returned; None if it raised.
    error : Exception or None
        What it raised.
    """
    given, settings = frozen([*args, *kwargs.values()]), settings_of(estimator)
    before = state_of(estimator) if "fit" in method else None
    randomness = pickle.dumps(np.random.get_state())
    result = error = None
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            result = getattr(estimator, method)(*args, **kwargs)
        except DOCUMENTED as raised:
            error = raised
    assert frozen([*args, *kwargs.values()]) == given, f"{method} changed its input"
    assert settings_of(estimator) == settings, f"{method} changed parameters"
    if estimator.random_state is not None:
        assert pickle.dumps(np.random.get_state()) == randomness, f"{method} moved NumPy's generator"
    check_warnings(caught)
    if error is not None:
        check_error(error)
        if before is not None:
            after = state_of(estimator)
            changed = {name for name in before.keys() | after if before.get(name) != after.get(name)}
            assert not changed, f"after {method} failed, these are not what they were: {changed}"
    return result, error


def check_warnings(caught):
    """Warnings are for users: of a kind for them, at their line, and once."""
    caught = [warning for warning in caught if not warning.filename.startswith(METRICS)]
    for warning in caught:
        assert issubclass(warning.category, UserWarning), warning
    # column_or_1d warns at the line of its caller, of each column
    caught = [warning for warning in caught if not issubclass(warning.category, DataConversionWarning)]
    for warning in caught:
        assert not warning.filename.startswith(OURS), warning
    texts = [str(warning.message) for warning in caught if not warning.filename.startswith(SKLEARNS)]
    assert len(texts) == len(set(texts)), f"warned again and again: {texts}"


def check_error(error):
    """An error was raised on purpose, by us or by scikit-learn, and says something."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    is_meant = linecache.getline(last.filename, last.lineno).strip().startswith("raise")
    on_purpose = last.filename.startswith((SKLEARNS, FRAMES)) or (is_meant and last.filename.startswith(OURS))
    on_purpose |= any(frame.filename.startswith(METRICS) for frame in frames)
    assert on_purpose, "".join(traceback.format_exception(error))
    assert str(error).strip(), f"{error!r} says nothing"


def check_fitted(estimator, X, y):
    """What holds of predictions on the rows of training."""
    predicted, error = attempt(estimator, "predict", X)
    assert error is None, error
    assert predicted.shape[0] == (X.shape[0] if hasattr(X, "shape") else len(X))
    if hasattr(estimator, "predict_proba"):
        check_classes(estimator, X, predicted)
    else:
        check_numbers(estimator, X, predicted)
    if hasattr(estimator, "transform"):
        features, error = attempt(estimator, "transform", X)
        assert error is None, error
        assert np.isfinite(features).all(), f"transform gives {features}"


def check_classes(estimator, X, predicted):
    """Probabilities are probabilities, and the most probable class is predicted."""
    probabilities, error = attempt(estimator, "predict_proba", X)
    assert error is None, error
    logarithms, error = attempt(estimator, "predict_log_proba", X)
    assert error is None, error
    several = isinstance(probabilities, list)
    columns = zip(
        probabilities if several else [probabilities],
        logarithms if several else [logarithms],
        estimator.classes_ if several else [estimator.classes_],
        predicted.T if several else [predicted],
        strict=True,
    )
    for p, log_p, classes, labels in columns:
        assert ((p >= 0) & (p <= 1 + 1e-6)).all(), f"probabilities: {p}"
        assert (np.isfinite(log_p) & (log_p <= 1e-6)).all(), f"their logarithms: {log_p}"
        if labels.ndim == 2:  # multilabel
            labels = labels.toarray() if issparse(labels) else labels
            assert (labels == (p > 0.5))[p != 0.5].all()
            continue
        assert np.allclose(p.sum(axis=1), 1, atol=1e-5)
        numbers = [list(classes).index(label) for label in labels]
        assert (p[np.arange(len(p)), numbers] == p.max(axis=1)).all(), (
            "predict is not the most probable class"
        )


def check_numbers(estimator, X, predicted):
    """Predictions are finite, quantiles in order, and standard deviations positive."""
    assert np.isfinite(predicted).all(), f"predictions are not finite: {predicted}"
    if hasattr(estimator, "predict_quantiles"):
        quantiles, error = attempt(estimator, "predict_quantiles", X)
        assert error is None, error
        assert np.isfinite(quantiles).all()
    pair, error = attempt(estimator, "predict", X, return_std=True)
    if error is None:
        assert (pair[0] == predicted).all()
        assert (np.isfinite(pair[1]) & (pair[1] > 0)).all(), f"standard deviations: {pair[1]}"


def outputs(estimator, X):
    """All that an estimator says of some rows, to be compared."""
    methods = ["predict", "predict_proba", "decision_function", "predict_quantiles", "transform"]
    return frozen([attempt(estimator, name, X)[0] for name in methods if hasattr(estimator, name)])
