"""A checkpoint holds the whole state of a generator, a normal number in store included."""

import numpy as np
import pytest
from helpers.stop_after import StopAfter

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.callbacks import Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.RandomState(0).standard_normal((30, 3))


@pytest.mark.parametrize("kind", [ScratchMLPClassifier, ScratchMLPRegressor])
def test_a_generator_goes_on_with_the_same_normal_numbers(kind, tmp_path):
    # normal numbers are drawn in pairs, and these layers have 15 + 5 + 1 weights: one is left over
    def fit(rng, *callbacks):
        model = kind(hidden_layer_sizes=(5, 1), weight_init="he_normal", max_iter=6, random_state=rng)
        return model.set_callbacks(*callbacks).fit(X, X[:, 0] > 0)

    whole = np.random.RandomState(1)
    fit(whole)
    assert whole.get_state(legacy=False)["has_gauss"]

    path = tmp_path / "state.npz"
    fit(np.random.RandomState(1), Checkpoint(path), StopAfter(3))
    resumed = np.random.RandomState(2)
    fit(resumed, Checkpoint(path, resume=True))
    np.testing.assert_array_equal(resumed.standard_normal(5), whole.standard_normal(5))
