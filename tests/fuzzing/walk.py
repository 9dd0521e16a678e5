"""A walk: an estimator, data for it, and method after method."""

import copy
import pickle

import numpy as np
from hypothesis import note
from hypothesis import strategies as st
from sklearn.base import clone

from fuzzing.chance import mostly, seldom
from fuzzing.checks import attempt, check_fitted, outputs, settings_of
from fuzzing.parameters import estimators, parameters
from fuzzing.tables import tables
from fuzzing.targets import WEIGHTS, targets, weights
from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
)

DROP_INS = [ScratchMLPClassifier, ScratchMLPRegressor]
FOR_TABLES = [ScratchRealMLPClassifier, ScratchRealMLPRegressor]
CLASSIFIERS = ScratchMLPClassifier, ScratchRealMLPClassifier


class Walk:
    """Draws an estimator and data, and goes from method to method."""

    def __init__(self, data, kinds):
        self.draw = data.draw
        self.model = self.draw(estimators(kinds))
        self.table = self.draw(tables(takes_all=type(self.model) in FOR_TABLES))
        takes_several = type(self.model) is not ScratchRealMLPClassifier
        self.target = self.draw(targets(type(self.model) in CLASSIFIERS, takes_several))
        self.n_rows = self.draw(mostly(st.sampled_from([20, 12]), st.integers(1, 10), 5))
        self.trained_on = None
        self.log(f"{self.model!r}\n{self.table}\n{self.target}")

    def go(self):
        """Walk: first a fit, then what is drawn."""
        self.fit()
        for step in self.draw(st.lists(st.sampled_from(STEPS), max_size=4)):
            step(self)

    def log(self, text):
        """Say in the report of a failure what was done."""
        note(text)

    def rows(self, n, seed):
        """Rows, targets and weights."""
        weight = WEIGHTS[self.draw(weights())](np.random.RandomState(seed), n)
        return self.table.rows(n, seed), self.target.rows(n, seed + 1), weight

    def seed(self):
        """A number to draw rows by."""
        return self.draw(st.integers(0, 1000))

    def fit(self):
        """Fit, with or without weights and validation data; twice, if it is to be the same twice."""
        seed = self.seed()
        X, y, weight = self.rows(self.n_rows, seed)
        validation = {}
        if self.draw(seldom(5)):
            n = self.draw(st.integers(1, 6))
            validation = dict(
                zip(("X_val", "y_val", "sample_weight_val"), self.rows(n, seed + 2), strict=True)
            )
        self.log(f"fit {X!r}\n{y!r}\n{weight!r}\n{validation}")
        twin = copy.deepcopy(self.model) if self.draw(seldom(6)) else None
        self._train("fit", X, y, weight, **validation)
        if twin is not None and self.trained_on is X and self.model.random_state is not None:
            _, error = attempt(twin, "fit", X, y, weight, **validation)
            assert error is None, error
            assert outputs(twin, X) == outputs(self.model, X), "the same fit, another model"

    def partial_fit(self):
        """Fit step by step, where that is possible."""
        if not hasattr(self.model, "partial_fit"):
            return
        X, y, weight = self.rows(self.draw(st.integers(1, 10)), self.seed())
        classes = {}
        if type(self.model) in CLASSIFIERS and not self.draw(seldom(6)):
            classes = {"classes": self.target.classes}
        self.log(f"partial_fit {X!r}\n{y!r}\n{weight!r}\n{classes}")
        self._train("partial_fit", X, y, weight, **classes)

    def _train(self, method, X, y, weight, **more):
        fitted, error = attempt(self.model, method, X, y, weight, **more)
        if error is None:
            assert fitted is self.model
            check_fitted(self.model, X, y)
            self.trained_on = X
            self.log("... fitted")
        else:
            self.log(f"... {error!r}")

    def predict(self):
        """Predict other rows, seldom of another table."""
        table = self.draw(tables(True)) if self.draw(seldom(5)) else self.table
        X = table.rows(self.draw(st.integers(1, 5)), self.seed())
        method = self.draw(st.sampled_from(["predict", "predict_proba", "predict_quantiles", "transform"]))
        self.log(f"{method} {X!r}")
        if hasattr(self.model, method):
            attempt(self.model, method, X)

    def score(self):
        """Score rows."""
        seed = self.seed()
        X, y = self.table.rows(6, seed), self.target.rows(6, seed)
        self.log(f"score {X!r}\n{y!r}")
        attempt(self.model, "score", X, y)

    def set_params(self):
        """Change parameters."""
        changes = self.draw(parameters(type(self.model), 2))
        self.log(f"set_params {changes}")
        self.model.set_params(**changes)

    def clone(self):
        """Go on with an estimator that is not fitted."""
        self.log("clone")
        other = clone(self.model)
        assert settings_of(other) == settings_of(self.model)
        self.model, self.trained_on = other, None

    def copied(self, copier):
        """Go on with a copy that says the same."""
        other = copier(self.model)
        if self.trained_on is not None:
            assert outputs(other, self.trained_on) == outputs(self.model, self.trained_on)
        self.model = other

    def pickle(self):
        """Go on with what comes out of a pickle."""
        self.log("pickle")
        self.copied(lambda model: pickle.loads(pickle.dumps(model)))

    def deepcopy(self):
        """Go on with a deep copy."""
        self.log("deepcopy")
        self.copied(copy.deepcopy)


STEPS = [
    Walk.fit,
    Walk.partial_fit,
    Walk.partial_fit,
    Walk.predict,
    Walk.score,
    Walk.set_params,
    Walk.set_params,
    Walk.clone,
    Walk.pickle,
    Walk.deepcopy,
]
