"""The circles: what the example says of its network, and of the recording."""

import numpy as np
import pytest

from sknn_scratch.core import Uniform


@pytest.fixture(scope="module")
def example(run_example):
    return run_example("plot_6_circles")


def test_the_network_is_the_one_described(example):
    network = example["network"]
    assert [coef.shape[0] for coef in network.coefs_] + [1] == [2, 8, 16, 32, 16, 8, 1]
    settings = network.get_params(deep=False)
    assert (settings["activation"], settings["loss"]) == ("tanh", "squared_error")
    assert settings["weight_init"] == Uniform(-1, 1)
    assert (settings["solver"], settings["momentum"], settings["alpha"]) == ("sgd", 0, 0)
    assert settings["learning_rate_init"] == 2 * 0.03  # the loss here is half the squared error
    assert settings["batch_size"] == len(example["X"]) == 1000
    assert network.n_iter_ == 2000
    assert network.out_activation_ == "logistic"


def test_held_out_points_are_told_apart(example):
    assert example["accuracy_new"] > 0.97
    assert example["accuracy"] > 0.97
    assert not np.isin(example["X_new"], example["X"]).any()


def test_the_squared_error_falls_from_guessing_to_almost_nothing(example):
    losses = example["network"].loss_curve_
    assert 2 * losses[0] > 0.25
    assert 2 * losses[-1] < 0.01


def test_the_recording_has_the_epochs_that_are_shown(example):
    recording = example["recording"]
    assert recording.epochs_ == example["epochs"]
    assert set(example["epochs_shown"]) <= set(recording.epochs_)
    assert recording.epochs_[-1] == 2000
    last, final = recording.models_[-1], example["network"]
    np.testing.assert_array_equal(last.predict_proba(example["X_new"]), final.predict_proba(example["X_new"]))
