import numpy as np
import pytest


@pytest.fixture(scope="module")
def results(run_example):
    return run_example("plot_2_perceptron")


def test_the_estimator_follows_the_rule_written_by_hand(results):
    perceptron = results["perceptron"]
    assert perceptron.n_iter_ == results["n_iterations"] == 10_000
    np.testing.assert_allclose(perceptron.coefs_[0], results["weights"], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(perceptron.intercepts_[0], 0)
    assert results["difference"] < 1e-9


def test_both_descend_the_same_losses(results):
    outputs = results["probabilities_by_iteration"][:4, :-1]  # the loss is taken before the step
    errors = outputs - np.array([[0], [1], [1], [0]])
    np.testing.assert_allclose(results["perceptron"].loss_curve_, (errors**2).mean(axis=0) / 2, rtol=1e-9)


def test_the_unseen_row_gets_the_surest_answer(results):
    assert results["unseen_probability"] == pytest.approx(0.99994, abs=5e-6)
    assert results["unseen_probability"] > 0.999
    trained = results["probabilities_by_iteration"][:4, -1]
    assert np.maximum(trained, 1 - trained).max() < results["unseen_probability"]


def test_all_rows_are_on_the_right_side_after_four_iterations(results):
    right = (results["probabilities_by_iteration"][:4] > 0.5).T == [False, True, True, False]
    assert right.all(axis=1)[4:].all()
    assert not right[3].all()


def test_the_weights_are_those_the_text_tells(results):
    np.testing.assert_array_equal(results["weights"].round(1), [[9.7], [-0.2], [-4.6]])
