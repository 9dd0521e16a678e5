import numpy as np
import pytest

from sknn_scratch import explain_step


@pytest.fixture(scope="module")
def results(run_example):
    return run_example("plot_4_three_inputs_no_bias")


def test_every_start_learns_the_table(results):
    assert results["predictions"].shape == (20, 4)
    np.testing.assert_allclose(results["predictions"], [results["y"]] * 20, rtol=0, atol=0.05)


def test_the_loss_falls_at_every_iteration(results):
    for network in results["networks"]:
        assert len(network.loss_curve_) == 1500
        assert np.diff(network.loss_curve_).max() < 0


def test_the_estimator_follows_the_rule_in_numpy(results):
    network = results["networks"][0]
    np.testing.assert_allclose(network.coefs_[0], results["W1"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(network.coefs_[1], results["W2"], rtol=0, atol=1e-9)
    assert results["difference"] < 1e-9
    assert not any(intercept.any() for intercept in network.intercepts_)
    assert network.coefs_[0].max() > 6  # far from where they began


def test_one_neuron_answers_one_half(results):
    one_neuron = results["one_neuron"]
    np.testing.assert_allclose(one_neuron.predict_proba(results["X"]), 0.5, rtol=0, atol=1e-9)
    assert one_neuron.loss_ == pytest.approx(1 / 8, rel=1e-9)


def test_the_networks_leave_the_line_of_the_one_neuron_at_different_times(results):
    losses = np.array([network.loss_curve_ for network in results["networks"]])
    assert losses[:, 0].min() > 0.14
    np.testing.assert_allclose(losses[:, 10], 1 / 8, atol=0.0015)
    iterations_on_the_line = (losses > 0.12).sum(axis=1)
    assert (iterations_on_the_line.min(), iterations_on_the_line.max()) == (51, 151)
    assert losses[:, 500].max() < 0.005


def test_shapes_are_those_derived(results):
    hidden, output = results["hidden"], results["output"]
    assert hidden.input.shape == (4, 3)
    assert hidden.weights.shape == hidden.weights_gradient.shape == (3, 4)
    assert hidden.activation.shape == hidden.delta.shape == (4, 4)
    assert output.weights.shape == output.weights_gradient.shape == (4, 1)
    assert output.activation.shape == output.delta.shape == (4, 1)


def test_hidden_neurons_do_what_the_text_says(results):
    weights, last_row = results["output"].weights.ravel(), results["hidden"].activation[3]
    np.testing.assert_array_equal(weights.round(1), [-2.6, 11.6, -6.6, -6.8])
    assert last_row.min() > 0.5
    assert last_row @ weights < -3


def test_the_largest_weight_is_that_of_an_or(results):
    for network in results["networks"]:
        hidden, output = explain_step(network, results["X"], results["y"]).layers
        neuron = hidden.activation[:, output.weights.argmax()]
        assert neuron[0] < 0.4
        assert neuron[1:].min() > 0.96
