"""Our estimators beside scikit-learn's, with the same parameters on the same data."""

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor

PAIRS_OF_CLASSES = [(ScratchMLPClassifier, MLPClassifier), (ScratchMLPRegressor, MLPRegressor)]
both_kinds = pytest.mark.parametrize(("ours", "theirs"), PAIRS_OF_CLASSES, ids=["classifier", "regressor"])
unconverged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N_SAMPLES, N_FEATURES = 60, 5


def make_data(task, dtype=np.float64):
    rng = np.random.RandomState(3)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES)) * (rng.uniform(size=(N_SAMPLES, N_FEATURES)) < 0.7)
    # noisy enough for no probability to get near 0 or 1, where logarithms of it differ (defect 13)
    scores = np.tanh(X @ rng.normal(size=(N_FEATURES, 3))) + rng.normal(size=(N_SAMPLES, 3))
    y = {
        "binary": np.array(["no", "yes"])[(scores[:, 0] > 0).astype(int)],
        "multiclass": np.array([10, 20, 40])[scores.argmax(axis=1)],
        "multilabel": (scores > 0).astype(int),
        "regression": scores[:, 0],
        "multioutput": scores,
        "poisson": rng.poisson(np.exp(scores[:, 0])).astype(float),
    }[task]
    weight = rng.uniform(0.2, 3.0, size=N_SAMPLES)
    return X.astype(dtype), (y.astype(dtype) if y.dtype.kind == "f" else y), weight


def is_classification(task):
    return task in ("binary", "multiclass", "multilabel")


def is_close(ours, theirs, rtol, atol):
    if isinstance(theirs, list):
        return (
            isinstance(ours, list)
            and len(ours) == len(theirs)
            and all(is_close(a, b, rtol, atol) for a, b in zip(ours, theirs, strict=True))
        )
    if isinstance(theirs, float | np.floating | np.ndarray) and np.asarray(theirs).dtype.kind == "f":
        return np.shape(ours) == np.shape(theirs) and np.allclose(ours, theirs, rtol, atol)
    return type(ours) is type(theirs) and np.array_equal(ours, theirs)


def fitted_pair(ours, theirs, X, y, **params):
    pair = [cls(**params).fit(X, y) for cls in (ours, theirs)]
    assert_same_model(*pair)
    return pair


def assert_same_model(ours, theirs):
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-12)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.t_ == theirs.t_


def data_for(cls):
    return make_data("binary" if is_classifier(cls()) else "regression")
