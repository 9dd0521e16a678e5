"""sample_weight in every preset, and the losses of counts and of positive numbers on real data."""

import numpy as np
import pytest
from helpers.families import REGRESSORS
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import GammaRegressor, PoissonRegressor
from sklearn.metrics import mean_gamma_deviance, mean_poisson_deviance
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPRegressor, ScratchRealMLPClassifier, ScratchRealMLPRegressor
from sknn_scratch.tabular._presets import CLASSIFIER_PRESETS, REGRESSOR_PRESETS

SMALL = {"hidden_layer_sizes": (32,), "max_iter": 16, "batch_size": 64, "n_cv": 1, "random_state": 0}


@pytest.mark.parametrize("preset", CLASSIFIER_PRESETS)
@pytest.mark.parametrize("refit", [False, True])
def test_wrong_labels_without_weight_do_no_harm(preset, refit):
    X, y = load_breast_cancer(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    is_wrong = np.random.RandomState(0).uniform(size=len(y)) < 0.6
    model = ScratchRealMLPClassifier(preset, refit=refit, **SMALL)
    y = np.where(is_wrong, 1 - y, y)
    assert model.fit(X, y, sample_weight=1.0 - is_wrong).score(X_test, y_test) > 0.9
    assert model.fit(X, y).score(X_test, y_test) < 0.6


@pytest.mark.parametrize("preset", REGRESSOR_PRESETS)
@pytest.mark.parametrize("refit", [False, True])
def test_wrong_numbers_without_weight_do_no_harm(preset, refit):
    X, y = load_diabetes(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    is_wrong = np.random.RandomState(0).uniform(size=len(y)) < 0.5
    model = ScratchRealMLPRegressor(preset, refit=refit, **SMALL)
    y = np.where(is_wrong, 1000.0, y)
    assert model.fit(X, y, sample_weight=1.0 - is_wrong).score(X_test, y_test) > 0.2
    assert model.fit(X, y).score(X_test, y_test) < 0


LOSSES = {
    "poisson": (mean_poisson_deviance, PoissonRegressor),
    "gamma": (mean_gamma_deviance, GammaRegressor),
}


@pytest.mark.parametrize("kind", REGRESSORS)
@pytest.mark.parametrize("loss", LOSSES)
def test_positive_numbers_are_predicted_as_well_as_by_a_linear_model(kind, loss):
    deviance, linear = LOSSES[loss]
    X, X_test, y, y_test = train_test_split(*load_diabetes(return_X_y=True), random_state=0)
    settings = {
        ScratchMLPRegressor: {"early_stopping": True, "max_iter": 1000, "scale_target": True},
        ScratchRealMLPRegressor: {"max_iter": 32, "hidden_layer_sizes": (64, 64)},
    }
    model = kind(loss=loss, random_state=0, **settings[kind])
    ours = deviance(y_test, make_pipeline(StandardScaler(), model).fit(X, y).predict(X_test))
    theirs = deviance(y_test, make_pipeline(StandardScaler(), linear()).fit(X, y).predict(X_test))
    constant = deviance(y_test, DummyRegressor().fit(X, y).predict(X_test))
    assert ours < 1.15 * theirs
    assert ours < 0.8 * constant
