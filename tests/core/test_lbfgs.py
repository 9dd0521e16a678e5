"""L-BFGS works through the rows block by block: the same search, in memory that does not grow with them."""

import numpy as np
import pytest
from helpers.memory import peak_memory
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_info, threadpool_limits

from sknn_scratch.core import (
    Batch,
    Batches,
    History,
    Network,
    Observer,
    Outcome,
    ReLU,
    SquaredError,
    Tanh,
    lbfgs,
    train_lbfgs,
)
from sknn_scratch.core.losses import BinaryLogLoss
from sknn_scratch.core.machine import threads
from sknn_scratch.core.machine.threads import BLAS_LIMIT


def trained(data, rows=None, n_iterations=5, activation=None):
    network = Network.mlp([data.X.shape[1], 8, 1], activation or Tanh(), SquaredError(), l2=0.3)
    parameters = network.initialize(np.random.RandomState(0), data.y.dtype)
    history = History()
    _, _, loss = train_lbfgs(network, parameters, data, history, n_iterations, 100, 1e-9, rows=rows)
    assert loss == pytest.approx(history.losses[-1])
    return [*parameters.flat, *history.losses, *(epoch.gradient_norm for epoch in history.epochs)]


def problem(n_rows, dtype=np.float64):
    rng = np.random.RandomState(1)
    X = rng.normal(size=(n_rows, 5)).astype(dtype)
    return Batch(X, np.sin(X[:, :1]), rng.uniform(size=n_rows).astype(dtype))


@pytest.mark.parametrize("kind", ["unweighted", "weighted", "blocks without weight", "sparse"])
@pytest.mark.parametrize("rows_of_a_block", [1, 7, 50])
def test_blocks_of_rows_change_the_search_by_rounding_only(monkeypatch, kind, rows_of_a_block):
    X, y, weight = problem(60)
    if kind == "blocks without weight":
        weight[14:42] = 0
    data = Batch(csr_matrix(X) if kind == "sparse" else X, y, None if kind == "unweighted" else weight)
    expected = trained(data)
    monkeypatch.setattr(lbfgs, "BLOCK", 8 * rows_of_a_block)
    np.testing.assert_allclose(trained(data), expected, rtol=1e-7)


@pytest.mark.parametrize("rows_of_a_block", [7, 1000])
def test_some_of_the_rows_are_trained_on_as_if_there_were_no_others(monkeypatch, rows_of_a_block):
    monkeypatch.setattr(lbfgs, "BLOCK", 8 * rows_of_a_block)
    data, rows = problem(60), np.random.RandomState(2).permutation(60)[:45]
    expected = trained(Batch(*(array[rows] for array in data)))
    np.testing.assert_array_equal(trained(data, rows), expected)


@pytest.mark.parametrize("chooses_rows", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_does_not_grow_with_the_rows(monkeypatch, chooses_rows, dtype):
    monkeypatch.setattr(lbfgs, "BLOCK", 8 * 500)
    peaks = []
    for n_rows in (2_000, 20_000):
        data = problem(n_rows, dtype)
        rows = np.arange(n_rows - 10) if chooses_rows else None
        trained(data, rows, n_iterations=2, activation=ReLU())
        peaks.append(peak_memory(lambda: trained(data, rows, n_iterations=2, activation=ReLU())))  # noqa: B023
    # the numbers of the rows are one integer each, three times for a moment; a copy of X would be 5 numbers
    grown_by = (peaks[1] - peaks[0]) / 18_000
    assert grown_by < 8 * (3 if chooses_rows else 2), peaks


def test_the_penalty_is_counted_once_whatever_the_blocks(monkeypatch):
    X, y, _ = problem(40)
    network = Network.mlp([5, 1], Tanh(), BinaryLogLoss(), l2=3.0)
    losses = []
    for rows_of_a_block in (3, 40):
        monkeypatch.setattr(lbfgs, "BLOCK", rows_of_a_block)
        parameters = network.initialize(np.random.RandomState(0), np.float64)
        data = Batch(X, (y > 0).astype(float), None)
        _, _, loss = train_lbfgs(network, parameters, data, History(), 100, 1000, 1e-10)
        losses.append([loss, *parameters.flat])
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_the_search_gets_gradients_that_later_evaluations_do_not_change():
    X, y, _ = problem(60)
    network = Network.mlp([5, 8, 1], Tanh(), SquaredError())
    parameters = network.initialize(np.random.RandomState(0), np.float64)
    search = lbfgs._LbfgsSearch(
        network, parameters, Batches(X, y, None, 60), History(), None, None, Observer()
    )
    theta = parameters.flat.copy()
    with BLAS_LIMIT:
        _, gradient = search.value_and_gradient(theta)
        before = gradient.copy()
        search.value_and_gradient(theta + 1)
    np.testing.assert_array_equal(gradient, before)


@pytest.mark.parametrize("are_large", [True, False])
def test_blas_has_its_threads_in_large_products_and_one_between_them(monkeypatch, are_large):
    counts = {"search": set(), "products": set()}
    monkeypatch.setattr(threads, "PRODUCT_FOR_THREADS", 60 * 5 * 8 + (not are_large))

    def seen_by(key, function):
        def watched(*args, **kwargs):
            libraries = threadpool_info()
            counts[key] |= {one["num_threads"] for one in libraries if one["user_api"] == "blas"}
            return function(*args, **kwargs)

        return watched

    monkeypatch.setattr(Network, "loss_and_gradient", seen_by("products", Network.loss_and_gradient))
    monkeypatch.setattr(lbfgs, "minimize", seen_by("search", lbfgs.minimize))
    with threadpool_limits(2, user_api="blas"):
        trained(problem(60))
    assert counts == {"search": {1}, "products": {2 if are_large else 1}}


def test_interrupted_in_validation_it_is_left_at_the_iteration_recorded_last():
    X, y, _ = problem(60)

    def fitted(n_iterations, validate=None):
        network = Network.mlp([5, 8, 1], Tanh(), SquaredError())
        parameters = network.initialize(np.random.RandomState(0), np.float64)
        history = History()
        outcome, _, loss = train_lbfgs(
            network, parameters, Batch(X, y, None), history, n_iterations, 99, 0.0, validate=validate
        )
        assert loss == history.losses[-1]
        return outcome, len(history.epochs), parameters.flat

    n_validated = []

    def validate(parameters):
        n_validated.append(1)
        if len(n_validated) == 4:
            raise KeyboardInterrupt
        return 1.0, 1.0

    outcome, n_iterations, left_at = fitted(9, validate)
    assert (outcome, n_iterations) == (Outcome.INTERRUPTED, 3)
    np.testing.assert_array_equal(left_at, fitted(3)[2])


def test_an_evaluation_that_was_broken_off_is_made_again(monkeypatch):
    X, y, _ = problem(60)
    network = Network.mlp([5, 8, 1], Tanh(), SquaredError())
    parameters = network.initialize(np.random.RandomState(0), np.float64)
    search = lbfgs._LbfgsSearch(
        network, parameters, Batches(X, y, None, 20), History(), None, None, Observer()
    )
    theta = parameters.flat.copy()
    with BLAS_LIMIT:
        search.value_and_gradient(theta)
    expected, gradient = search.reported_at(theta), search.gradient.copy()
    with monkeypatch.context() as patched:
        patched.setattr(Network, "loss_and_gradient", press_ctrl_c)
        with BLAS_LIMIT, pytest.raises(KeyboardInterrupt):
            search.value_and_gradient(theta)
    assert search.reported_at(theta) == expected
    np.testing.assert_array_equal(search.gradient, gradient)


def press_ctrl_c(*args):
    raise KeyboardInterrupt
