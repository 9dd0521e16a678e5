"""The rows that early stopping holds out."""

import numpy as np
import pytest

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.RandomState(0).standard_normal((41, 3))


def n_trained(model):
    """Rows of an epoch."""
    return model.t_ / model.n_iter_


def test_a_class_of_one_row_is_trained_on():
    y = np.arange(41) % 2
    y[7] = 2
    model = ScratchMLPClassifier((8,), max_iter=5, early_stopping=True, random_state=0)
    with pytest.warns(UserWarning, match=r"Classes \[2\] have one sample each"):
        model.fit(X, y)
    assert n_trained(model) == 41 - 4  # a tenth of the other 40 is held out


@pytest.mark.parametrize("kind", [ScratchMLPClassifier, ScratchMLPRegressor])
@pytest.mark.parametrize(("n_rows", "n_held_out"), [(11, 2), (20, 2), (21, 3)])
def test_the_number_of_rows_held_out_is_rounded_up(kind, n_rows, n_held_out):
    y = np.arange(n_rows) % 2
    model = kind(hidden_layer_sizes=(2,), max_iter=2, early_stopping=True, random_state=0).fit(X[:n_rows], y)
    assert n_trained(model) == n_rows - n_held_out
