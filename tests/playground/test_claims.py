"""What docs/playground.md says will be seen is what is seen."""

import numpy as np
import pytest

from sknn_scratch.playground.presets import PRESETS
from sknn_scratch.playground.session import Session
from sknn_scratch.playground.settings import Settings

DEEP = PRESETS["deep sigmoids that don't learn"]


def trained(n_epochs, settings=None, **changes):
    session = Session((settings or Settings()).changed(**changes))
    session.train_epochs(n_epochs)
    return session


def test_deep_sigmoids_stay_flat_and_tanh_does_not():
    norms = Session(DEEP).gradient_norms()
    assert norms[0] < 1e-3 * norms[-1]
    flat = trained(60, DEEP)
    assert flat.measured().train_score < 0.6
    tanh = trained(100, DEEP, activation=("tanh",) * len(DEEP.hidden_layer_sizes))
    assert tanh.measured().train_score > 0.95


def test_one_neuron_needs_the_product_for_the_exclusive_or():
    alone = trained(100, dataset="exclusive_or", hidden_layer_sizes=(), activation=())
    assert alone.measured().test_score < 0.65
    alone.change(features=("x1", "x2", "product"))
    alone.train_epochs(100)
    assert alone.measured().test_score > 0.8
    assert alone.dense[0]["weights"][2, 0] < 0


@pytest.mark.parametrize(("n_units", "closes"), [(2, False), (3, True)])
def test_three_units_close_a_ring(n_units, closes):
    session = trained(300, hidden_layer_sizes=(n_units,), activation=("tanh",))
    assert (session.measured().test_score > 0.9) == closes


def test_a_rate_too_high_makes_the_loss_grow():
    session = trained(20, solver="sgd", learning_rate_init=0.1)
    good = session.measured().train_loss
    session.change(learning_rate_init=10.0)
    session.train_epochs(20)
    assert session.measured().train_loss > 100 * good


def test_few_noisy_rows_are_learnt_by_heart_unless_weights_stay_small():
    few = {"n_rows": 40, "noise": 0.3, "hidden_layer_sizes": (8, 8)}
    by_heart, small = trained(360, **few).measured(), trained(360, **few, alpha=0.1).measured()
    assert by_heart.train_loss < 0.02
    assert by_heart.test_loss > 1.5
    assert small.test_loss < 1.0


def test_units_that_start_equal_stay_equal():
    session = trained(20, weight_init="zeros")
    for hidden in session.activations(np.random.RandomState(0).standard_normal((5, 2)))[1:-1]:
        assert np.ptp(hidden, axis=1).max() == 0
