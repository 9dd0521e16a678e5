"""Real data, scaled and split, and the scores of both libraries on them."""

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor

COMMON = {"hidden_layer_sizes": (16,), "learning_rate_init": 0.01, "max_iter": 30, "random_state": 0}


def scaled_and_split(X, y):
    X = StandardScaler().fit_transform(X)
    return train_test_split(X, y, test_size=0.3, random_state=0)


def digits():
    X, y = load_digits(return_X_y=True)
    return scaled_and_split(X[:600], y[:600])


def cancer():
    return scaled_and_split(*load_breast_cancer(return_X_y=True))


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return scaled_and_split(X, (y - y.mean()) / y.std())


def pair(kind, **params):
    """Ours and scikit-learn's, with the same parameters."""
    classes = {
        "classifier": (ScratchMLPClassifier, MLPClassifier),
        "regressor": (ScratchMLPRegressor, MLPRegressor),
    }
    return [cls(**{**COMMON, **params}) for cls in classes[kind]]


def assert_does_as_well_as_sklearn(score_of, kind, at_least, **params):
    """The score in some tool, of ours and of scikit-learn's MLP; it may be an array of scores."""
    ours, theirs = pair(kind, **params)
    score = np.asarray(score_of(ours))
    assert np.all(score >= at_least)
    np.testing.assert_allclose(score, score_of(theirs), rtol=0, atol=0.02)
