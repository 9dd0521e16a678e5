import math

import numpy as np
import pytest

from sknn_scratch.core import Patience


def stagnant_after(scores, **settings):
    patience = Patience(**{"tol": 0.0, "n_iter_no_change": 2, **settings})
    counts = []
    for score in scores:
        patience.update(score, np.zeros(1))
        counts.append(patience.n_stagnant)
    return counts


@pytest.mark.parametrize(
    ("tol", "scores", "counts"),
    [
        (0.0, [1.0, 2.0, 3.0], [0, 0, 0]),
        (0.0, [1.0, 0.5, 0.7, 2.0, 1.0], [0, 1, 2, 0, 1]),
        (0.0, [1.0, 1.0], [0, 0]),  # an equal score is not below the best
        (0.5, [1.0, 1.2, 1.6, 2.2], [0, 1, 2, 0]),  # better, but by less than tol
        (0.5, [1.0, 1.5], [0, 0]),
    ],
)
def test_an_epoch_is_stagnant_if_it_does_not_beat_the_best_by_tol(tol, scores, counts):
    assert stagnant_after(scores, tol=tol) == counts


def test_patience_runs_out_after_more_stagnant_epochs_than_allowed():
    patience = Patience(tol=0.0, n_iter_no_change=2)
    has_run_out = []
    for score in (1.0, 0.9, 0.8, 0.7, 2.0):
        patience.update(score, np.zeros(1))
        has_run_out.append(patience.has_run_out)
    assert has_run_out == [False, False, False, True, False]


def test_endless_patience_never_runs_out():
    patience = Patience(tol=0.0, n_iter_no_change=math.inf)
    for score in range(0, -1000, -1):
        patience.update(score, np.zeros(1))
    assert not patience.has_run_out


def test_the_weights_of_the_best_score_are_copied():
    weights = np.zeros(2)
    patience = Patience(tol=10.0, n_iter_no_change=1, keeps_best_weights=True)
    for epoch, score in enumerate([0.1, 0.9, 0.9, 0.5]):
        weights[...] = epoch
        patience.update(score, weights)
    assert patience.best == 0.9
    np.testing.assert_array_equal(patience.best_weights, [1, 1])
    assert not np.shares_memory(patience.best_weights, weights)


def test_no_weights_are_kept_unless_wanted():
    patience = Patience(tol=0.0, n_iter_no_change=1)
    patience.update(1.0, np.zeros(2))
    assert patience.best_weights is None


def test_of_equal_scores_the_last_can_be_kept():
    patience = Patience(0.0, math.inf, keeps_best_weights=True, keeps_last_of_equals=True)
    for epoch, score in enumerate([0.1, 0.7, 0.5, 0.7, 0.6]):
        patience.update(score, np.full(2, float(epoch)))
    assert patience.best_epoch == 4
    np.testing.assert_array_equal(patience.best_weights, [3.0, 3.0])


def test_patience_that_grows_with_the_best_epoch():
    """epoch > 3 best_epoch + 40."""
    patience = Patience(0.0, 40, multiple=3.0)
    ran_out = []
    for epoch in range(1, 60):
        patience.update(1.0 if epoch == 2 else 0.0, np.zeros(1))
        if patience.has_run_out:
            ran_out.append(epoch)
    assert ran_out[0] == 47


def test_a_tolerance_in_float32_does_not_round_the_scores():
    patience = Patience(np.float32(1e-8), 5)
    for score in (1.0, 1.0 + 1e-9, -1e300):
        patience.update(score, np.zeros(1))
    assert patience.n_stagnant == 2
