"""What members together are judged by: the loss of the labels as they are, in float64."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from sknn_scratch import ScratchRealMLPClassifier
from sknn_scratch.core import GaussianNLL, LogLoss, SquaredError
from sknn_scratch.tabular._fold import combined


@pytest.mark.parametrize("n_ens", [1, 3])
def test_the_validation_loss_is_one_of_labels_that_are_not_smoothed(n_ens, table, labels, small):
    X, X_val, y, y_val = table[0][:200], table[0][200:], labels[:200], labels[200:]
    model = ScratchRealMLPClassifier(**small, label_smoothing=0.3, n_ens=n_ens, random_state=0)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    loss = model.validation_loss_curve_[model.best_iter_ - 1]
    assert loss == pytest.approx(log_loss(y_val, model.predict_proba(X_val)), rel=1e-4)


@pytest.mark.parametrize("loss", [LogLoss(), SquaredError(), GaussianNLL()])
def test_raw_scores_in_float32_lose_nothing_in_their_mean(loss):
    raws = np.random.RandomState(0).normal(0, 20, (3, 50, 4)).astype(np.float32)
    together = combined(loss, list(raws))
    assert together.dtype == np.float64
    np.testing.assert_array_equal(together, combined(loss, list(raws.astype(np.float64))))
