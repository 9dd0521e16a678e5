"""Small data, and whether an estimator is what it was, to the last bit."""

import joblib
import numpy as np
import pytest

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor

RNG = np.random.RandomState(0)
X = RNG.normal(size=(60, 4))
LABELS = np.arange(60) % 3
NUMBERS = np.abs(X[:, 0]) + 1
TARGETS = {ScratchMLPClassifier: LABELS, ScratchMLPRegressor: NUMBERS}
both = pytest.mark.parametrize("kind", list(TARGETS), ids=["classifier", "regressor"])


def fitted(kind, **params):
    return kind(**{"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0} | params).fit(
        X, TARGETS[kind]
    )


def fingerprint(estimator):
    """Everything the estimator holds, to the last bit, by name."""
    state = dict(vars(estimator))
    if "history_" in state:  # the clock differs from run to run
        state["history_"] = [{**row, "seconds": None} for row in state["history_"]]
    return {name: joblib.hash(value) for name, value in state.items()}
