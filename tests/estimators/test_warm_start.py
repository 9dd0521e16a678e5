"""A fit that goes on from the one before."""

import numpy as np
import pytest

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.RandomState(0).standard_normal((40, 3))


@pytest.mark.parametrize("kind", [ScratchMLPClassifier, ScratchMLPRegressor])
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_the_best_loss_is_that_of_all_fits(kind, solver):
    model = kind(hidden_layer_sizes=(4,), solver=solver, max_iter=8, warm_start=True, random_state=0)
    y = X[:, 0] > 0
    best = model.fit(X, y).best_loss_
    model.set_params(alpha=50.0).fit(X, y)  # a larger penalty, and so a larger loss
    assert min(model.loss_curve_[8:]) > best
    assert model.best_loss_ == best == min(model.loss_curve_)
