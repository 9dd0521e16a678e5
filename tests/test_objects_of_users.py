"""Objects as parameters are the user's: what becomes of them later changes no fitted model."""

import pickle
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from helpers.families import (
    CLASSIFIERS,
    KINDS,
    X,
    each_drop_in,
    each_kind,
    fitted,
    predictions,
    takes_objects,
    targets,
    unfitted,
)
from sklearn.model_selection import GridSearchCV

from sknn_scratch import ScratchMLPClassifier
from sknn_scratch.core import Adam, BinaryLogLoss, Exponential, LeakyReLU, LogLoss, Loss, Quantile, Uniform

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

OBJECTS = {
    "activation": (lambda: LeakyReLU(0.1), "negative_slope", 0.9),
    "learning_rate": (lambda: Exponential(0.9), "decay", 0.1),
    "regularization": (lambda: Exponential(0.9), "decay", 0.1),
    "solver": (lambda: Adam(beta_1=0.9), "beta_1", 0.1),
    "weight_init": (lambda: Uniform(-0.5, 0.5), "high", 2.0),
    "loss": (lambda: Quantile([0.2, 0.8]), "level", [0.6, 0.9]),
}


@pytest.mark.parametrize(
    ("kind", "parameter"), [(kind, name) for kind in KINDS for name in OBJECTS if takes_objects(kind, name)]
)
@pytest.mark.parametrize("by_set_params", [True, False])
def test_a_fitted_model_does_not_change_with_the_users_object(kind, parameter, by_set_params):
    make, setting, value = OBJECTS[parameter]
    if parameter == "loss" and kind in CLASSIFIERS:
        make, setting, value = lambda: LogLoss(0.1), "label_smoothing", 0.5
    given = make()
    model = fitted(kind, **{parameter: given})
    assert getattr(model, parameter) is given  # scikit-learn's rule
    before = predictions(model)
    if by_set_params:
        model.set_params(**{f"{parameter}__{setting}": value})
    else:
        setattr(given, setting, value)
    assert getattr(getattr(model, parameter), setting) == value
    np.testing.assert_array_equal(predictions(model), before)
    np.testing.assert_array_equal(predictions(pickle.loads(pickle.dumps(model))), before)


@dataclass
class Tempered(Loss):
    """A user's loss whose predictions depend on a setting."""

    link_inverse: ClassVar[str] = "logistic"
    temperature: float = 1.0

    def value_and_gradient(self, raw, y, weight, out, per_row):
        return BinaryLogLoss().value_and_gradient(raw, y, weight, out, per_row)

    def predict(self, raw, out):
        BinaryLogLoss().predict(raw / self.temperature, out)


def test_a_fitted_classifier_does_not_change_with_a_loss_of_the_users_own():
    model = fitted(ScratchMLPClassifier, loss=Tempered())
    before = predictions(model)
    model.set_params(loss__temperature=9.0)
    np.testing.assert_array_equal(predictions(model), before)


@each_drop_in
@pytest.mark.parametrize("parameter", ["learning_rate", "solver"])
def test_training_goes_on_with_the_rules_it_began_with(kind, parameter):
    make, setting, value = OBJECTS[parameter]
    classes = {"classes": ["no", "yes"]} if kind in CLASSIFIERS else {}
    models = []
    for is_changed in (False, True):
        given = make()
        model = unfitted(kind, **{parameter: given}).partial_fit(X, targets(kind), **classes)
        if is_changed:
            setattr(given, setting, value)
        models.append(model.partial_fit(X, targets(kind)))
    rates = [[row["learning_rate"] for row in model.history_] for model in models]
    assert rates[0] == rates[1]
    np.testing.assert_array_equal(*(model.coefs_[0] for model in models))


@each_kind
def test_a_search_reaches_the_settings_of_an_activation(kind):
    model = unfitted(kind, activation=LeakyReLU(0.1))
    assert model.get_params()["activation__negative_slope"] == 0.1
    search = GridSearchCV(model, {"activation__negative_slope": [0.2, 0.7]}, cv=2).fit(X, targets(kind))
    assert search.best_estimator_.activation.negative_slope in (0.2, 0.7)
    assert model.activation == LeakyReLU(0.1)


@each_kind
def test_a_setting_of_a_name_is_refused_and_says_what_to_do(kind):
    model = unfitted(kind, activation="leaky_relu")
    with pytest.raises(
        ValueError, match="activation__negative_slope .*activation='leaky_relu' .*object first"
    ):
        model.set_params(activation__negative_slope=0.2)
    model.set_params(activation=LeakyReLU(), activation__negative_slope=0.2)
    assert model.activation == LeakyReLU(0.2)
