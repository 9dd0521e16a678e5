import tracemalloc

import numpy as np
import pytest
import reference
from helpers.memory import peak_memory
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.utils import shuffle

from sknn_scratch.core import Batches, Network, SquaredError, Tanh, Workspace


def numbered(n_rows):
    """Rows that say their number in X, y and weight."""
    numbers = np.arange(n_rows, dtype=float)
    return np.column_stack([numbers, -numbers]), 10 * numbers[:, np.newaxis], 100 * numbers + 1


def epoch(batches):
    """The row numbers of one epoch, batch by batch; checks that X, y and weight stay together."""
    seen = []
    for X, y, weight in batches:
        X = X.toarray() if hasattr(X, "toarray") else X
        np.testing.assert_array_equal(X[:, 1], -X[:, 0])
        np.testing.assert_array_equal(y.ravel(), 10 * X[:, 0])
        if weight is not None:
            np.testing.assert_array_equal(weight, 100 * X[:, 0] + 1)
        seen.append(X[:, 0].astype(int).tolist())
    return seen


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    n_rows=st.integers(1, 20),
    batch_size=st.integers(1, 25),
    shuffles=st.booleans(),
    picks=st.booleans(),
    is_sparse=st.booleans(),
    weighted=st.booleans(),
)
def test_every_row_once_an_epoch_in_batches_of_which_the_last_may_be_short(
    n_rows, batch_size, shuffles, picks, is_sparse, weighted
):
    X, y, weight = numbered(n_rows)
    rows = np.arange(n_rows)[::-2].copy() if picks else None
    rng = np.random.RandomState(0) if shuffles else None
    data = csr_matrix(X) if is_sparse else X
    batches = Batches(data, y, weight if weighted else None, batch_size, rows, rng)
    expected = np.arange(n_rows) if rows is None else rows
    for _ in range(3):
        seen = epoch(batches)
        flat = [row for batch in seen for row in batch]
        assert sorted(flat) == sorted(expected)
        assert shuffles or flat == list(expected)
        size = min(batch_size, len(expected))
        assert {len(batch) for batch in seen[:-1]} <= {size}
        assert len(seen[-1]) == (len(expected) - 1) % size + 1


@pytest.mark.parametrize("picks", [False, True])
def test_each_epoch_shuffles_the_order_of_the_last_as_scikit_learn_does(picks):
    X, y, weight = numbered(13)
    rows = np.array([12, 3, 4, 0, 9, 7, 1]) if picks else None
    batches = Batches(X, y, weight, 4, rows, np.random.RandomState(5))
    order, rng = np.arange(13) if rows is None else rows, np.random.RandomState(5)
    for _ in range(4):
        order = shuffle(order, random_state=rng)
        assert [row for batch in epoch(batches) for row in batch] == order.tolist()


def test_without_shuffling_dense_rows_are_not_copied():
    X, y, weight = numbered(5)
    for batch in Batches(X, y, weight, 2):
        for part, whole in zip(batch, (X, y, weight), strict=True):
            assert np.shares_memory(part, whole)


def test_the_data_and_the_rows_given_are_left_as_they_were():
    X, y, weight = numbered(9)
    rows = np.array([3, 1, 8, 5])
    for batch in Batches(X, y, weight, 2, rows, np.random.RandomState(0)):
        for part in batch:
            part[...] = -1
    np.testing.assert_array_equal(rows, [3, 1, 8, 5])
    for actual, expected in zip((X, y, weight), numbered(9), strict=True):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_batches_keep_the_dtype(dtype):
    X = np.ones((3, 2), dtype)
    for batch in Batches(X, X, X[:, 0], 2, rng=np.random.RandomState(0)):
        assert {part.dtype for part in batch} == {np.dtype(dtype)}


@pytest.mark.parametrize("shuffles", [False, True])
def test_an_autoencoder_may_be_given_one_array_as_data_and_target(shuffles):
    X = np.random.RandomState(0).normal(size=(7, 3))
    copied = X.copy()
    network = Network.mlp([3, 2, 3], Tanh(), SquaredError())
    parameters = network.initialize(np.random.RandomState(1), np.float64)
    workspace = Workspace(network, parameters, 4)
    weights, biases = reference.unflatten(parameters.flat, [3, 2, 3])
    rng = np.random.RandomState(2) if shuffles else None
    for batch in Batches(X, X, None, 4, rng=rng):
        np.testing.assert_array_equal(batch.X, batch.y)
        network.loss_and_gradient(*batch, workspace)
        expected = reference.gradients(batch.X, batch.X, weights, biases, "tanh", "squared_error")
        np.testing.assert_allclose(workspace.gradient.flat, reference.flatten(*expected), rtol=1e-10)
    np.testing.assert_array_equal(X, copied)


@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_taking_rows_copies_no_more_than_these_rows(order):
    X = np.ones((20_000, 50)) if order != "strided" else np.ones((40_000, 50))[::2]
    X = np.asfortranarray(X) if order == "F" else X
    batches = Batches(X, X, None, batch_size=10, rng=np.random.RandomState(0))
    iterator = iter(batches)
    next(iterator)
    tracemalloc.start()
    try:
        next(iterator)
        assert tracemalloc.get_traced_memory()[1] < X.nbytes / 100
    finally:
        tracemalloc.stop()


def test_rows_may_be_a_list_or_a_mask():
    X, y, weight = numbered(4)
    for rows in ([3, 1], np.array([False, True, False, True])):
        [batch] = epoch(Batches(X, y, weight, 3, rows))
        assert sorted(batch) == [1, 3]


def test_weights_that_are_all_zero_are_refused():
    X, y, _ = numbered(4)
    with pytest.raises(ValueError, match="weight is zero for all rows"):
        Batches(X, y, np.array([0.0, 0, 0, 1]), 2, rows=[0, 1])


def test_drop_last_leaves_out_what_does_not_fill_a_batch():
    X = np.arange(11.0)[:, np.newaxis]
    batches = Batches(X, X, None, 4, rng=np.random.RandomState(0), drop_last=True)
    assert batches.n_batches == 2
    epochs = [np.concatenate([batch.X.ravel().copy() for batch in batches]) for _ in range(50)]
    assert all(len(np.unique(epoch)) == 8 for epoch in epochs)
    assert set(np.concatenate(epochs)) == set(X.ravel())  # not always the same rows
    few = Batches(X[:3], X[:3], None, 4, drop_last=True)
    assert [len(batch.X) for batch in few] == [3]


def test_a_new_order_takes_no_memory():
    X = np.zeros((100_000, 1), np.float32)
    batches = Batches(X, X, None, 1000, rng=np.random.RandomState(0))
    assert peak_memory(lambda: next(iter(batches))) < 10_000
