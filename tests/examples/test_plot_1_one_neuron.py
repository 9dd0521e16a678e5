import numpy as np
import pytest


@pytest.fixture(scope="module")
def results(run_example):
    return run_example("plot_1_one_neuron")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("neuron", [[2.3]]),
        ("layer", [[4.8, 1.21, 2.385]]),
        ("sigmoid_neuron", [[0.9990889488055994]]),
        ("network", [[0.7216325609518421]]),
    ],
)
def test_the_core_and_numpy_give_the_textbook_numbers(results, name, expected):
    for how in ("output", "by_numpy"):
        np.testing.assert_allclose(results[f"{name}_{how}"], expected, rtol=1e-12)


def test_the_core_halves_the_squared_error(results):
    assert results["mean_squared_error"] == 0.5
    assert results["half_squared_error"] == 0.25
    np.testing.assert_array_equal(results["error_slope"], [[-0.25], [0], [0], [-0.25]])


def test_the_sigmoid_has_a_slope_where_the_threshold_has_none(results):
    z, sigmoid, threshold = results["z"], results["sigmoid"], results["threshold"]
    np.testing.assert_allclose(results["sigmoid_slope"], sigmoid * (1 - sigmoid), rtol=1e-12)
    assert results["sigmoid_slope"].min() > 0
    assert results["sigmoid_slope"].max() == results["sigmoid_slope"][z == 0] == 0.25
    assert np.count_nonzero(np.diff(threshold)) == 1
