"""Objects in place of names: a solver with its settings, an activation of one's own."""

import copy
import pickle
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from helpers.real_data import COMMON, cancer, diabetes, digits
from scipy.special import expit
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import SGD, Activation, Adam

# Training is kept short here; whether it converges is not the question.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class TestObjectsAsParameters:
    def test_settings_of_the_solver_are_parameters_of_the_estimator(self):
        network = ScratchMLPClassifier(solver=Adam(beta_1=0.8))
        assert network.get_params()["solver__beta_1"] == 0.8
        assert network.get_params(deep=False)["solver"] == Adam(beta_1=0.8)
        network.set_params(solver__beta_1=0.7, solver__epsilon=1e-6)
        assert network.solver == Adam(beta_1=0.7, epsilon=1e-6)
        network.set_params(solver=SGD(), solver__momentum=0.1)
        assert network.solver == SGD(momentum=0.1)

    @pytest.mark.parametrize(
        ("solver", "params"),
        [
            (Adam(beta_1=0.8, epsilon=1e-5), {"solver": "adam", "beta_1": 0.8, "epsilon": 1e-5}),
            (SGD(momentum=0.5), {"solver": "sgd", "momentum": 0.5}),
            (SGD(nesterovs_momentum=False), {"solver": "sgd", "nesterovs_momentum": False}),
        ],
    )
    def test_solver_object_trains_like_its_name_and_settings(self, solver, params):
        X, _, y, _ = diabetes()
        network = ScratchMLPRegressor(**COMMON, solver=solver).fit(X, y)
        expected = ScratchMLPRegressor(**COMMON, **params).fit(X, y)
        np.testing.assert_array_equal(network.predict(X), expected.predict(X))

    def test_fit_leaves_the_solver_object_alone(self):
        X, _, y, _ = diabetes()
        solver = Adam(beta_1=0.8)
        network = ScratchMLPRegressor(**COMMON, solver=solver).fit(X, y)
        assert network.solver is solver
        assert vars(solver) == vars(Adam(beta_1=0.8))

    def test_wrong_setting_is_refused(self):
        network = ScratchMLPClassifier(solver=Adam())
        with pytest.raises(ValueError, match="beta_1"):
            network.set_params(solver__beta_1=1.0)
        assert network.solver == Adam()
        with pytest.raises(ValueError, match="momentum"):
            network.set_params(solver__momentum=0.5)


@dataclass
class Softplus(Activation):
    """A smooth ReLU that needs z in the backward pass."""

    keeps_z: ClassVar[bool] = True
    sharpness: float = 1.0

    def forward(self, z, out):
        np.logaddexp(0, self.sharpness * z, out=out)
        out /= self.sharpness

    def backward(self, z, a, delta):
        delta *= expit(self.sharpness * z)


@dataclass
class LeakyReLU(Activation):
    """An activation whose derivative is known from its output."""

    slope: float = 0.01

    def forward(self, z, out):
        np.maximum(z, self.slope * z, out=out)

    def backward(self, z, a, delta):
        delta[a < 0] *= self.slope


@dataclass
class TanhThatKeepsZ(Activation):
    """tanh, written in terms of its input."""

    keeps_z: ClassVar[bool] = True

    def forward(self, z, out):
        np.tanh(z, out=out)

    def backward(self, z, a, delta):
        delta /= np.cosh(z) ** 2


class TestActivationOfOnesOwn:
    @pytest.mark.parametrize("activation", [Softplus(), LeakyReLU()])
    @pytest.mark.parametrize("solver", ["adam", "lbfgs"])
    def test_it_learns_like_relu(self, activation, solver):
        X, X_test, y, y_test = digits()

        def score(network):
            return network.fit(X, y).score(X_test, y_test)

        like_relu = MLPClassifier(**COMMON, solver=solver)
        network = ScratchMLPClassifier(**COMMON, activation=activation, solver=solver)
        assert score(network) == pytest.approx(score(like_relu), abs=0.05)
        assert score(network) > 0.85

    @pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
    def test_tanh_in_terms_of_its_input_gives_the_model_of_tanh(self, solver):
        X, _, y, _ = diabetes()
        params = {**COMMON, "hidden_layer_sizes": (8, 6), "solver": solver, "max_iter": 8}
        network = ScratchMLPRegressor(**params, activation=TanhThatKeepsZ()).fit(X, y)
        expected = ScratchMLPRegressor(**params, activation="tanh").fit(X, y)
        np.testing.assert_allclose(network.predict(X), expected.predict(X), rtol=1e-6, atol=1e-8)

    def test_it_can_be_cloned_searched_and_copied(self):
        X, X_test, y, _ = cancer()
        network = ScratchMLPClassifier(**COMMON, activation=LeakyReLU(slope=0.2))
        assert clone(network).activation == LeakyReLU(slope=0.2)
        search = GridSearchCV(network, {"activation__slope": [0.1, 0.5]}, cv=2).fit(X, y)
        assert search.best_score_ > 0.9
        fitted = search.best_estimator_
        np.testing.assert_array_equal(
            pickle.loads(pickle.dumps(fitted)).predict_proba(X_test), fitted.predict_proba(X_test)
        )
        np.testing.assert_array_equal(copy.deepcopy(fitted).predict(X_test), fitted.predict(X_test))

    def test_its_settings_make_a_difference(self):
        X, _, y, _ = cancer()
        fitted = [ScratchMLPClassifier(**COMMON, activation=Softplus(s)).fit(X, y) for s in (0.5, 5.0)]
        assert np.abs(fitted[0].predict_proba(X) - fitted[1].predict_proba(X)).max() > 0.01
