"""A class that is in a registry, and in no other list, is one that users have by its name."""

import pathlib
import pickle
import subprocess
import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from helpers.extending import HardTanh, LecunUniform, Lion, LogCosh, Polynomial
from sklearn.base import clone, is_classifier
from sklearn.utils._param_validation import InvalidParameterError

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
    explain_step,
)
from sknn_scratch.core import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    BinaryLogLoss,
    LogLoss,
    Loss,
)
from sknn_scratch.plotting import ActivationDisplay

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@dataclass
class Doubled(Loss):
    """Twice the log-loss of one class out of several."""

    link_inverse: ClassVar[str] = "softmax"
    formula: ClassVar[str] = "-2 * log(p_y)"

    def value_and_gradient(self, raw, y, weight, out, per_row):
        value = self.single().value_and_gradient(raw, y, weight, out, per_row)
        out *= 2
        return 2 * value

    def single(self):
        return LogLoss()


@dataclass
class BinaryDoubled(Doubled):
    link_inverse: ClassVar[str] = "logistic"
    formula: ClassVar[str] = "-2 * log(p)"

    def single(self):
        return BinaryLogLoss()


REGISTERED = {
    "activation": ("hard_tanh", ACTIVATIONS, HardTanh),
    "solver": ("lion", OPTIMIZERS, Lion),
    "learning_rate": ("polynomial", SCHEDULES, Polynomial),
    "weight_init": ("lecun_uniform", INITIALIZERS, LecunUniform),
    "loss": ("log_cosh", LOSSES, LogCosh),
}
DROP_INS, TABLES = (
    [ScratchMLPClassifier, ScratchMLPRegressor],
    [ScratchRealMLPClassifier, ScratchRealMLPRegressor],
)
CASES = [
    *((kind, name) for kind in DROP_INS for name in ("activation", "solver", "learning_rate", "weight_init")),
    *((kind, name) for kind in TABLES for name in ("activation", "learning_rate", "regularization")),
    *((kind, "loss") for kind in (ScratchMLPRegressor, ScratchRealMLPRegressor)),
]
each_case = pytest.mark.parametrize(
    ("kind", "parameter"), CASES, ids=lambda part: part if isinstance(part, str) else part.__name__
)

X = np.random.RandomState(0).standard_normal((60, 3))


def registered(parameter):
    """Name, registry and class of what is new for a parameter."""
    return REGISTERED["learning_rate" if parameter == "regularization" else parameter]


def targets(kind):
    return (X[:, 0] > 0).astype(int) if is_classifier(kind()) else X[:, 0] + X[:, 1]


def fitted(kind, **params):
    tiny = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
    return kind(**tiny | params).fit(X, targets(kind))


@each_case
def test_a_class_in_a_registry_is_taken_by_its_name(monkeypatch, kind, parameter):
    name, registry, new = registered(parameter)
    with pytest.raises(InvalidParameterError, match=f"'{parameter}' parameter of {kind.__name__}"):
        fitted(kind, **{parameter: name})
    monkeypatch.setitem(registry, name, new)
    model = fitted(kind, **{parameter: name})
    predictions = model.predict(X)
    np.testing.assert_array_equal(predictions, fitted(kind, **{parameter: new()}).predict(X))
    np.testing.assert_array_equal(predictions, pickle.loads(pickle.dumps(model)).predict(X))
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(InvalidParameterError, match=f"among .*'{name}'"):
        fitted(kind, **{parameter: "nonsense"})


def test_a_step_with_it_is_explained(monkeypatch):
    for parameter in ("activation", "loss", "solver"):
        name, registry, new = registered(parameter)
        monkeypatch.setitem(registry, name, new)
    model = fitted(ScratchMLPRegressor, activation="hard_tanh", loss="log_cosh", solver="lion")
    step = explain_step(model, X[:5], targets(ScratchMLPRegressor)[:5])
    assert step.layers[0].formulas["activation"] == f"a = {HardTanh().formula}"
    assert step.formulas["loss"] == f"sum of ({LogCosh.formula}) / n"


def test_it_is_drawn(monkeypatch):
    ax = pytest.importorskip("matplotlib.figure").Figure().subplots()
    monkeypatch.setitem(ACTIVATIONS, "hard_tanh", HardTanh)
    model = fitted(ScratchMLPRegressor, activation="hard_tanh")
    for display in (
        ActivationDisplay.from_activation("hard_tanh", ax=ax),
        ActivationDisplay.from_estimator(model, ax=ax),
    ):
        assert display.ax_.get_title() == "HardTanh"


@pytest.mark.parametrize("names", [("binary_doubled", "doubled"), ("doubled", "class_doubled")])
def test_two_losses_of_classes_have_one_name(monkeypatch, names):
    for name, loss in zip(names, (BinaryDoubled, Doubled), strict=True):
        monkeypatch.setitem(LOSSES, name, loss)
    for y, loss in (((X[:, 0] > 0).astype(int), BinaryDoubled), (np.digitize(X[:, 0], [-0.5, 0.5]), Doubled)):
        model = ScratchMLPClassifier((4,), loss="doubled", max_iter=3, random_state=0).fit(X, y)
        by_object = ScratchMLPClassifier((4,), loss=loss(), max_iter=3, random_state=0).fit(X, y)
        np.testing.assert_array_equal(model.predict_proba(X), by_object.predict_proba(X))
        assert model.loss_curve_[0] > 1  # twice log 2, or log 3
    with pytest.raises(InvalidParameterError, match="'loss' parameter of ScratchMLPRegressor"):
        fitted(ScratchMLPRegressor, loss="doubled")


def test_a_loss_of_one_link_serves_the_targets_of_that_link(monkeypatch):
    monkeypatch.setitem(LOSSES, "doubled", Doubled)
    y = np.digitize(X[:, 0], [-0.5, 0.5])
    ScratchMLPClassifier((4,), loss="doubled", max_iter=3, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="loss='doubled' must have the link 'logistic'"):
        fitted(ScratchMLPClassifier, loss="doubled")


def test_the_core_exports_what_is_in_its_registries_alone():
    program = (
        "import importlib; from helpers.extending import HardTanh; from sknn_scratch import core; "
        "core.ACTIVATIONS['hard_tanh'] = HardTanh; importlib.reload(core); "
        "assert core.HardTanh is HardTanh; assert 'HardTanh' in core.__all__"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=pathlib.Path(__file__).parent)
