import numpy as np
import pytest

from sknn_scratch import explain_step


@pytest.fixture(scope="module")
def results(run_example):
    return run_example("plot_3_one_sample_at_a_time")


FORWARD = ["sum_h1", "h1", "sum_h2", "h2", "sum_o1", "o1"]
PARAMETERS = ["w1", "w2", "w3", "w4", "w5", "w6", "b1", "b2", "b3"]
FACTORS = [
    *("d_L_d_ypred", "d_ypred_d_w5", "d_ypred_d_w6", "d_ypred_d_b3", "d_ypred_d_h1", "d_ypred_d_h2"),
    *("d_h1_d_w1", "d_h1_d_w2", "d_h1_d_b1", "d_h2_d_w3", "d_h2_d_w4", "d_h2_d_b2"),
]


def test_the_table_has_every_number_of_an_update(results):
    products = [f"d_L_d_{name}" for name in PARAMETERS]
    assert sorted(results["table"]) == sorted(FORWARD + FACTORS + products)


@pytest.mark.parametrize("name", [*FORWARD, *FACTORS, *(f"d_L_d_{name}" for name in PARAMETERS)])
def test_by_hand_and_by_the_library_each_number_is_the_same(results, name):
    by_hand, by_library = results["table"][name]
    assert by_hand != 0
    assert by_hand == pytest.approx(by_library, rel=1e-12, abs=0)


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_slopes_are_those_of_the_squared_error(results, name):
    def loss(step):
        v = {key: results[key] for key in PARAMETERS}
        v[name] += step
        (x1, x2), sigmoid = results["people"][0], results["sigmoid"]
        h1 = sigmoid(v["w1"] * x1 + v["w2"] * x2 + v["b1"])
        h2 = sigmoid(v["w3"] * x1 + v["w4"] * x2 + v["b2"])
        return (results["targets"][0] - sigmoid(v["w5"] * h1 + v["w6"] * h2 + v["b3"])) ** 2

    slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
    assert results["table"][f"d_L_d_{name}"][0] == pytest.approx(slope, rel=1e-6)


def test_one_update_by_hand_is_the_estimators(results):
    np.testing.assert_allclose(
        results["updated_by_estimator"], results["updated_by_hand"], rtol=0, atol=1e-12
    )
    assert results["update_difference"] < 1e-12
    moved = np.abs(results["updated_by_estimator"] - list(results["start"].values()))
    assert moved.min() > 5e-5


def test_pounds_and_inches_are_exact(results):
    np.testing.assert_allclose(results["features"](45.359237, 254), [100 - 135, 100 - 66], rtol=1e-12)
    np.testing.assert_allclose(results["features"](61, 168), [-0.52, 0.14], atol=0.005)


def test_every_start_learns_the_four_people(results):
    assert len(results["networks"]) == 20
    assert [network.n_iter_ for network in results["networks"]] == [1000] * 20
    assert 0.0013 < min(results["squared_errors"]) < max(results["squared_errors"]) < 0.003
    for network in results["networks"]:
        assert network.score(results["people"], results["targets"]) == 1
        losses = np.array(network.loss_curve_)
        assert losses[-1] < 0.02 * losses[0]


def test_every_start_is_sure_of_the_newcomers(results):
    of_seven_less, of_twenty_more, between = results["probabilities"].T
    assert 0.93 < of_seven_less.min() < of_seven_less.max() < 0.98
    assert 0.03 < of_twenty_more.min() < of_twenty_more.max() < 0.06
    np.testing.assert_allclose([between.min(), between.max()], [0.19, 0.91], atol=0.005)


def test_a_hidden_neuron_for_each_target_ends_lower(results):
    same, errors = np.array(results["same_sign"]), np.array(results["squared_errors"])
    np.testing.assert_array_equal(np.flatnonzero(same), [0, 3, 4, 7, 10, 15, 19])
    assert errors[same].min() > 0.0021
    opposite = np.delete(errors, [*np.flatnonzero(same), 8])
    assert opposite.max() < 0.0016
    assert 0.0016 < errors[8] < errors[same].min()


def test_hidden_neurons_are_on_for_those_the_text_says(results):
    women = results["targets"] == 1
    for seed, (network, same) in enumerate(zip(results["networks"], results["same_sign"], strict=True)):
        h = explain_step(network, results["people"], results["targets"]).layers[0].activation
        on = (h > 0.5).T.tolist()
        if same:
            assert on[0] == on[1]
            assert h[~np.array(on[0])].max() < 0.06
        else:
            assert on[0] == [not is_on for is_on in on[1]]
        assert on[0] in (women.tolist(), (~women).tolist())
        undecided = np.abs(h - 0.5) < 0.1
        assert undecided.any() == (seed == 8)
        if seed == 8:
            np.testing.assert_array_equal(np.argwhere(undecided), [[0, 1]])
