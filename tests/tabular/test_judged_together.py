"""What is recorded of members that are trained together, and what they are judged by."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor
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


def test_what_is_recorded_is_the_mean_over_members(table, small):
    X, y = table

    def rows(n_ens, rng):
        model = ScratchRealMLPRegressor(**small, n_ens=n_ens, random_state=rng)
        history = model.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:]).history_
        return [[row["loss"], row["gradient_norm"]] for row in history]

    one_by_one = np.random.RandomState(0)
    alone = [rows(1, one_by_one) for _ in range(3)]
    np.testing.assert_allclose(rows(3, np.random.RandomState(0)), np.mean(alone, axis=0), rtol=1e-12)
    assert not np.allclose(alone[0], alone[1])
