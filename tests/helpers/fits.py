"""Small data for each kind of target, and estimators with one small layer."""

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor

X3, Y3 = make_classification(
    120, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, class_sep=2.0, random_state=0
)

X2, Y2 = make_classification(120, 6, n_informative=4, class_sep=1.5, random_state=1)
XM, YM = make_multilabel_classification(120, 6, n_classes=4, random_state=0)
XM = StandardScaler().fit_transform(XM)
XR, YR = make_regression(120, 6, noise=5.0, random_state=0)
YR = YR / YR.std()
DATA = {"binary": (X2, Y2), "multiclass": (X3, Y3), "multilabel": (XM, YM)}
SOLVERS = ["adam", "sgd", "lbfgs"]
each_solver = pytest.mark.parametrize("solver", SOLVERS)
each_target = pytest.mark.parametrize("target", sorted(DATA))


def classifier(**params):
    return ScratchMLPClassifier(
        **{"hidden_layer_sizes": (8,), "max_iter": 20, "learning_rate_init": 0.01, "random_state": 0} | params
    )


def regressor(**params):
    return ScratchMLPRegressor(
        **{"hidden_layer_sizes": (8,), "max_iter": 20, "learning_rate_init": 0.01, "random_state": 0} | params
    )


BOTH = [(classifier, X3, Y3), (regressor, XR, YR)]
both = pytest.mark.parametrize(("make", "X", "y"), BOTH, ids=["classifier", "regressor"])


def weights(estimator):
    return [*estimator.coefs_, *estimator.intercepts_]


def assert_same_weights(first, second):
    for a, b in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(a, b)
