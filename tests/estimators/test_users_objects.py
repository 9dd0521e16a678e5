"""A fitted model does not follow the objects that the user gave it."""

import numpy as np
import pytest

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import LeakyReLU

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.RandomState(0).standard_normal((40, 3))


@pytest.mark.parametrize("kind", [ScratchMLPClassifier, ScratchMLPRegressor])
@pytest.mark.parametrize("per_layer", [False, True])
def test_predictions_stay_when_an_activation_changes(kind, per_layer):
    activation = LeakyReLU()
    model = kind(hidden_layer_sizes=(5,), activation=[activation] if per_layer else activation, max_iter=3)
    model.fit(X, X[:, 0] > 0)
    predict = getattr(model, "predict_proba", model.predict)
    before, features = predict(X), model.transform(X)
    activation.set_params(negative_slope=0.9)
    np.testing.assert_array_equal(predict(X), before)
    np.testing.assert_array_equal(model.transform(X), features)
