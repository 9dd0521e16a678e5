import numpy as np
import pytest

CLASSIC, GLOROT, TANH = "sigmoid, 0.01 x normal", "sigmoid, Glorot", "tanh, Glorot"


@pytest.fixture(scope="module")
def results(run_example):
    return run_example("plot_5_deep_sigmoid")


def test_the_gradient_by_hand_is_the_cores(results):
    assert len(results["step"].layers) == len(results["by_hand"]) == 3
    for number, layer in enumerate(results["step"].layers, start=1):
        dW, db = results["by_hand"][number]
        np.testing.assert_allclose(dW, layer.weights_gradient, rtol=0, atol=1e-12 * np.abs(dW).max())
        np.testing.assert_allclose(db, layer.bias_gradient, rtol=0, atol=1e-12 * np.abs(db).max())
    assert max(results["differences"]) < 1e-12


def test_the_costs_by_hand_are_the_estimators(results):
    assert len(results["costs_by_hand"]) == results["shallow"].n_iter_ == 1000
    np.testing.assert_allclose(results["costs_by_hand"], results["shallow"].loss_curve_, rtol=1e-12)
    assert results["gap"] < 1e-12


def test_one_hidden_layer_learns(results):
    losses = results["shallow"].loss_curve_
    assert losses[0] == pytest.approx(0.690, abs=5e-4)
    assert losses[-1] == pytest.approx(0.043, abs=5e-4)
    assert results["accuracy"][f"{CLASSIC}, 1 hidden layer"] == pytest.approx(0.972, abs=5e-4)


def test_guessing_costs_the_entropy_of_the_share(results):
    share = results["labels"].mean()
    assert share == pytest.approx(0.627, abs=5e-4)
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert results["cost_of_guessing"] == pytest.approx(entropy, rel=1e-12)
    assert entropy == pytest.approx(0.6607, abs=5e-5)


def test_two_hidden_layers_leave_the_plateau_late(results):
    losses = np.array(results["models"][f"{CLASSIC}, 2 hidden layers"].loss_curve_)
    np.testing.assert_allclose(losses[10:400], results["cost_of_guessing"], atol=0.003)
    assert losses[-1] < 0.06
    assert results["accuracy"][f"{CLASSIC}, 2 hidden layers"] > 0.94


@pytest.mark.parametrize("name", [f"{CLASSIC}, 3", f"{CLASSIC}, 8", f"{GLOROT}, 8"])
def test_more_sigmoid_layers_only_guess(results, name):
    model = results["models"][f"{name} hidden layers"]
    np.testing.assert_allclose(model.loss_curve_[50:], results["cost_of_guessing"], atol=1e-5)
    guess = model.predict_proba(results["X_held_out"])[:, 1]
    np.testing.assert_allclose(guess, results["labels"].mean(), atol=1e-4)
    assert results["accuracy"][f"{name} hidden layers"] == results["labels_held_out"].mean()
    assert results["labels_held_out"].mean() == pytest.approx(0.629, abs=5e-4)


def test_eight_tanh_layers_with_glorots_weights_learn(results):
    assert results["models"][f"{TANH}, 8 hidden layers"].loss_ < 0.001
    assert results["accuracy"][f"{TANH}, 8 hidden layers"] > 0.94


def test_gradients_shrink_by_a_hundred_a_layer_backward(results):
    classic = np.array(results["norms"][CLASSIC])
    assert classic.shape == (9,)
    assert classic[0] / classic[-1] == pytest.approx(5e-16, rel=0.5)
    assert np.exp(np.diff(np.log(classic)).mean()) == pytest.approx(100, rel=0.3)
    assert 1e-6 < results["norms"][GLOROT][0] / results["norms"][GLOROT][-1] < 1e-3
    assert 0.1 < min(results["norms"][TANH]) < max(results["norms"][TANH]) < 1
    assert 0 < max(results["stuck_norms"]) < 1e-14


def test_differences_between_rows_shrink_by_a_hundred_a_layer_forward(results):
    classic = np.array(results["spreads"][CLASSIC])
    assert classic.shape == (8,)
    assert np.exp(-np.diff(np.log(classic[:6])).mean()) == pytest.approx(100, rel=0.3)
    assert 1e-16 < classic[-1] < 1e-14
    assert min(results["spreads"][TANH]) > 1


def test_only_the_gradient_under_the_right_key_is_the_slope_of_the_cost(results):
    layers, by_hand, h = results["layers_of"](results["step"]), results["by_hand"], 1e-4
    for number, (W, _) in enumerate(layers, start=1):
        start, direction = W.copy(), by_hand[number][0]
        costs = []
        for W[...] in (start + h * direction, start - h * direction):
            costs.append(results["cross_entropy"](results["forward"](layers)[0], results["y"]))
        W[...] = start
        slope = (costs[0] - costs[1]) / (2 * h)
        assert np.sum(by_hand[number][0] * direction) == pytest.approx(slope, rel=1e-6)
        if number + 1 in by_hand:
            assert np.sum(by_hand[number + 1][0] * direction) != pytest.approx(slope, rel=0.5)


def test_the_neighbours_gradient_makes_the_cost_rise(results):
    assert results["gradient_error"] < 1e-7
    assert min(results["wrong_differences"]) > 1
    assert results["right_costs"][0] == results["wrong_costs"][0]
    assert results["right_costs"][-1] < 0.05
    assert results["wrong_costs"][-1] > results["wrong_costs"][0] + 0.03


def test_saturated_scores_cost_inf_and_nan_by_hand_only(results):
    of_no, of_yes = results["naive_costs"]
    assert np.isposinf(of_no)
    assert np.isnan(of_yes)
    assert results["core_costs"] == [800.0, 0.0]


def test_only_the_sigmoid_by_hand_overflows(results):
    (warning,) = results["naive_warnings"]
    assert "overflow" in str(warning.message)
    np.testing.assert_array_equal(results["z"], 0)  # and the run, in which warnings are errors, went on


def test_a_pair_used_as_an_array_has_one_dimension_more(results):
    assert results["array_shape"] == (426, 30)
    assert results["pair_shape"] == (2, 426, 30)
