"""Callbacks that note what they are called with, and fits to call them."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning

from sknn_scratch import ScratchMLPClassifier

SOLVERS = ["adam", "sgd", "lbfgs"]
STOCHASTIC = ["adam", "sgd"]
MAX_ITER = 6
X, y = make_classification(90, 6, n_informative=4, flip_y=0.1, random_state=0)
X_REGRESSION, TARGET = make_regression(90, 6, noise=5, random_state=0)
TARGET = TARGET / TARGET.std()
too_few_epochs = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(solver="adam", **params):
    params = {"hidden_layer_sizes": (5,), "max_iter": MAX_ITER, "batch_size": 30, "random_state": 0, **params}
    return ScratchMLPClassifier(solver=solver, **params)


def fitted_without_callbacks(estimator, X=X, y=y, **params):
    """The same, but for some parameters, fitted the ordinary way."""
    estimator = clone(estimator).set_params(**params).set_callbacks()
    with pytest.warns(ConvergenceWarning):
        return estimator.fit(X, y)


class Recorder:
    """Notes which hook was called for which task, and what with."""

    def __init__(self):
        self.calls = []

    def of(self, hook, task_name):
        return [call for call in self.calls if call["hook"] == hook and call["task"] == task_name]

    def _note(self, hook, context, **received):
        path, ancestor = [], context
        while ancestor is not None:
            path.insert(0, ancestor.task_id)
            ancestor = ancestor.parent
        self.calls.append({"hook": hook, "task": context.task_name, "path": tuple(path), **received})

    def setup(self, estimator, context):
        self._note("setup", context)

    def teardown(self, estimator, context):
        self._note("teardown", context)

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self._note("begin", context, X=X, y=y, metadata=metadata)

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None):
        self._note("end", context, X=X, y=y, metadata=metadata)


class Reaction(Recorder):
    """Does something in a hook of the n-th epoch; what it returns ends up as the answer of that hook."""

    def __init__(self, hook, epoch, action):
        super().__init__()
        self.hook, self.epoch, self.action = hook, epoch, action

    def _note(self, hook, context, **received):
        super()._note(hook, context, **received)
        if hook == self.hook and context.task_name == "epoch" and context.task_id == self.epoch - 1:
            return self.action()
        return None

    def on_fit_task_begin(self, estimator, context):
        self._note("begin", context)

    def on_fit_task_end(self, estimator, context):
        return self._note("end", context)


def stop():
    return True


class Snapshots(Recorder):
    """Keeps the model of each epoch, with a copy of all that it is made of."""

    def __init__(self):
        super().__init__()
        self.models, self.copies = [], []

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "epoch":
            self.models.append(fitted_estimator)
            self.copies.append(pickle.dumps(attributes_of(fitted_estimator)))


def attributes_of(estimator):
    return {name: value for name, value in vars(estimator).items() if "callback" not in name}


def assert_same_model(one, other):
    for name in ("coefs_", "intercepts_"):
        for array, expected in zip(getattr(one, name), getattr(other, name), strict=True):
            np.testing.assert_array_equal(array, expected)
    assert one.n_iter_ == other.n_iter_
    assert one.loss_curve_ == other.loss_curve_
    assert one.loss_ == other.loss_
