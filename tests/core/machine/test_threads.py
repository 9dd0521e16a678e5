"""Threads: the same results, BLAS's limits as they were, and nothing left running."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers.memory import peak_memory
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_info, threadpool_limits

from sknn_scratch.core import (
    LOSSES,
    OPTIMIZERS,
    Batches,
    BinaryLogLoss,
    Constant,
    History,
    LogLoss,
    Network,
    Outcome,
    Patience,
    Progress,
    ReLU,
    SquaredError,
    Tanh,
    Team,
    Training,
    Workspace,
    prediction,
    train_minibatch,
)
from sknn_scratch.core import optimizers as optimizers_module
from sknn_scratch.core import training as training_module
from sknn_scratch.core.machine import threads as threads_module
from sknn_scratch.core.machine.threads import BLAS_LIMIT, BlasLimit, parts_of, team_for, threads_pay

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@given(n_rows=st.integers(1, 500), n_parts=st.integers(1, 40))
def test_parts_are_all_rows_once_and_of_one_size(n_rows, n_parts):
    parts = parts_of(n_rows, n_parts)
    assert list(itertools.chain(*(range(n_rows)[part] for part in parts))) == list(range(n_rows))
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert len(parts) == min(n_parts, n_rows)


def test_a_team_is_as_large_as_blas_may_be():
    with threadpool_limits(3, user_api="blas"):
        assert [team_for(n).n_threads for n in (0, 1, 2, 3, 100)] == [1, 1, 2, 3, 3]
    with threadpool_limits(1, user_api="blas"):
        assert team_for(100).n_threads == 1
    with threadpool_limits(3, user_api="blas"), Team(2):
        assert team_for(100).n_threads == 3  # a fit beside another


def test_blas_has_one_thread_in_a_team_and_then_what_it_had():
    with threadpool_limits(3, user_api="blas"):
        with Team(2), Team(2):
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {3}
        with Team(1):
            assert set(blas_threads()) == {3}


def test_teams_that_overlap_leave_the_limits_as_they_found_them():
    def one_after_the_other(seed):
        rng = np.random.RandomState(seed)
        for _ in range(30):
            with Team(2) as team:
                team.map(time.sleep, 1e-4 * rng.uniform(size=2))
                assert set(blas_threads()) == {1}

    with threadpool_limits(3, user_api="blas"):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one_after_the_other, range(4)))
        assert set(blas_threads()) == {3}
        assert BLAS_LIMIT.n_threads == 3


def test_what_is_raised_comes_out_when_all_are_done():
    done = []

    def work(item):
        if item == 0:
            raise KeyboardInterrupt
        time.sleep(0.05)
        done.append(item)

    before = threading.active_count()
    with threadpool_limits(3, user_api="blas"):
        with pytest.raises(KeyboardInterrupt), Team(3) as team:
            team.map(work, [0, 1, 2])
        assert set(blas_threads()) == {3}
    assert sorted(done) == [1, 2]
    assert threading.active_count() == before
    with pytest.raises(ZeroDivisionError), Team(2) as team:
        team.map(lambda item: 1 / item, [1, 0])


def test_helpers_have_the_callers_error_state():
    with Team(3) as team, np.errstate(divide="ignore"):
        assert team.map(lambda x: float(np.float64(1.0) / x), [0.0, 0.0, 0.0]) == [np.inf] * 3


def step(network, n_threads, X, y, weight=None, seed=None):
    """Objective and gradient, in threads."""
    dtype = np.asarray(y).dtype
    parameters = network.initialize(np.random.RandomState(1), dtype)
    rng = None if seed is None else np.random.RandomState(seed)
    with Team(n_threads) as team:
        workspace = Workspace(network, parameters, X.shape[0] + 3, rng, team)
        objective = network.loss_and_gradient(X, y, weight, workspace)
        return [*objective, *workspace.gradient.flat.tolist()]


def problem(n_rows, dtype, loss="squared_error"):
    network = Network.mlp([5, 7, 6, 2], Tanh(), LOSSES[loss](), l2=0.1)
    rng = np.random.RandomState(0)
    X, weight = rng.normal(size=(n_rows, 5)).astype(dtype), rng.uniform(size=n_rows).astype(dtype)
    y = rng.uniform(0.1, 1, size=(n_rows, 1 if loss in ("log_loss", "gaussian_nll") else 2)).round(
        0 if loss == "log_loss" else 3
    )
    return network, X, y.astype(dtype), weight


@pytest.mark.parametrize("loss", sorted(set(LOSSES) - {"class_squared_error"}))
@pytest.mark.parametrize("is_weighted", [False, True])
@each_dtype
def test_threads_change_a_step_by_rounding_only(loss, is_weighted, dtype):
    network, X, y, weight = problem(23, dtype, loss)
    weight = weight if is_weighted else None
    alone = step(network, 1, X, y, weight)
    for n_threads in (2, 3):
        together = step(network, n_threads, X, y, weight)
        np.testing.assert_allclose(together, alone, rtol=0, atol=50 * np.finfo(dtype).eps)
        assert together == step(network, n_threads, X, y, weight)


def test_rows_that_weigh_nothing_may_be_all_of_a_part():
    network, X, y, weight = problem(8, np.float64)
    weight[4:] = 0
    np.testing.assert_allclose(
        step(network, 2, X, y, weight), step(network, 1, X[:4], y[:4], weight[:4]), atol=1e-15
    )


def test_sparse_rows_fewer_rows_than_threads_and_dropout_in_threads():
    network, X, y, weight = problem(9, np.float64)
    np.testing.assert_allclose(step(network, 2, csr_matrix(X), y, weight), step(network, 1, X, y, weight))
    np.testing.assert_allclose(step(network, 3, X[:2], y[:2]), step(network, 1, X[:2], y[:2]), atol=1e-15)
    random = Network.mlp([5, 7, 6, 2], Tanh(), SquaredError(), dropout=(0.4, 0.2))
    np.testing.assert_allclose(step(random, 3, X, y, seed=7), step(random, 1, X, y, seed=7), atol=1e-15)
    assert step(random, 3, X, y, seed=7) != step(random, 3, X, y, seed=8)


@pytest.mark.parametrize("rule", sorted(OPTIMIZERS))
@each_dtype
def test_an_update_by_parts_is_the_update(monkeypatch, rule, dtype):
    rng = np.random.RandomState(0)
    start, gradients = rng.normal(size=1001).astype(dtype), rng.normal(size=(3, 1001)).astype(dtype)

    def updated(n_threads):
        optimizer, theta = OPTIMIZERS[rule](max_grad_norm=20.0), start.copy()
        state = optimizer.init(theta)
        with Team(n_threads) as team:
            for gradient in gradients:
                optimizer.step(theta, gradient.copy(), state, 0.1, team)
        assert state.n_steps == 3
        return theta

    whole = updated(1)
    monkeypatch.setattr(optimizers_module, "BYTES_OF_A_PART", 800)
    monkeypatch.setattr(optimizers_module, "PARAMETERS_OF_A_THREAD", 100)
    for n_threads in (1, 2, 3):
        np.testing.assert_array_equal(updated(n_threads), whole)


def trained(observer=None, n_epochs=3, activation=None):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(200, 5))
    network = Network.mlp([5, 20, 1], activation or ReLU(), BinaryLogLoss(), l2=0.1)
    parameters, adam = network.initialize(rng, X.dtype), OPTIMIZERS["adam"]()
    training = Training(adam, Constant(), adam.init(parameters.flat), Progress(0.01), Patience(0.0, 99))
    batches = Batches(X, (X[:, :1] > 0).astype(float), None, 60, rng=rng)
    outcome = train_minibatch(
        network, parameters, batches, training, History(), n_epochs, observer=observer, rng=rng
    )
    return outcome, parameters.flat


def test_training_in_threads_is_the_same_training(monkeypatch):
    with threadpool_limits(2, user_api="blas"):
        _, alone = trained()
        monkeypatch.setattr(training_module, "WORK_OF_A_PART", 100)
        _, together = trained()
        np.testing.assert_allclose(together, alone, rtol=1e-9)
        np.testing.assert_array_equal(trained()[1], together)  # and the same bits each time
        assert set(blas_threads()) == {2}


# products of 60 rows and 5 x 20 weights, once without the limit and once with it
SIZES = {
    "BLAS itself takes one thread": (6000, 2**23, 2),
    "one thread is faster": (5999, 6001, 1),
    "threads are faster": (5999, 6000, 2),
}


@pytest.mark.parametrize("size", SIZES)
def test_blas_has_one_thread_in_training_whose_products_are_too_small_for_more(monkeypatch, size):
    of_one_thread, for_threads, expected = SIZES[size]
    seen = set()

    def watched(*args):
        seen.update(blas_threads())
        return loss_and_gradient(*args)

    loss_and_gradient = Network.loss_and_gradient
    monkeypatch.setattr(Network, "loss_and_gradient", watched)
    monkeypatch.setattr(threads_module, "PRODUCT_OF_ONE_THREAD", of_one_thread)
    monkeypatch.setattr(threads_module, "PRODUCT_FOR_THREADS", for_threads)
    with threadpool_limits(2, user_api="blas"):
        trained()
        assert seen == {expected}
        assert set(blas_threads()) == {2}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("n_blocks", [2, 3])
def test_blas_has_one_thread_in_predictions_whose_products_are_too_small_for_more(
    monkeypatch, size, n_blocks
):
    of_one_thread, for_threads, expected = SIZES[size]
    seen = set()

    class Watched(Tanh):
        def forward(self, z, out):
            seen.update(blas_threads())
            super().forward(z, out)

    network = Network.mlp([5, 20, 1], Watched(), SquaredError())
    parameters = network.initialize(np.random.RandomState(0), np.float64)
    monkeypatch.setattr(prediction, "BYTES_OF_A_BLOCK", 60 * 41 * 8)
    monkeypatch.setattr(threads_module, "PRODUCT_OF_ONE_THREAD", of_one_thread)
    monkeypatch.setattr(threads_module, "PRODUCT_FOR_THREADS", for_threads)
    with threadpool_limits(2, user_api="blas"):
        network.predict(np.zeros((60 * n_blocks, 5)), parameters.layers)
        assert seen == {expected}
        assert set(blas_threads()) == {2}


def test_threads_pay_for_a_batch_of_a_table_and_not_for_one_of_digits():
    assert not threads_pay(200 * 64 * 100)
    assert threads_pay(256 * 256 * 256)


class BreaksOffTheSecondEpoch(Tanh):
    """Fails within a step, where the limit is held."""

    n_calls = 0

    def forward(self, z, out):
        type(self).n_calls += 1
        if self.n_calls == 6:  # four steps an epoch
            raise KeyboardInterrupt
        super().forward(z, out)


def test_an_interrupt_within_a_step_takes_the_limit_back(monkeypatch):
    monkeypatch.setattr(threads_module, "PRODUCT_OF_ONE_THREAD", 1)
    with threadpool_limits(2, user_api="blas"):
        outcome, _ = trained(activation=BreaksOffTheSecondEpoch())
        assert set(blas_threads()) == {2}
    assert outcome is Outcome.INTERRUPTED


class InterruptsTheSecondEpoch:
    n_epochs = 0

    def epoch_begins(self):
        self.n_epochs += 1
        if self.n_epochs == 2:
            raise KeyboardInterrupt

    def epoch_ends(self, epoch):
        assert set(blas_threads()) == {1}
        return False


def test_an_interrupt_leaves_limits_and_threads_as_they_were(monkeypatch):
    monkeypatch.setattr(training_module, "WORK_OF_A_PART", 100)
    before = threading.active_count()
    with threadpool_limits(2, user_api="blas"):
        outcome, weights = trained(InterruptsTheSecondEpoch())
        assert set(blas_threads()) == {2}
    assert outcome is Outcome.INTERRUPTED
    assert np.isfinite(weights).all()
    assert threading.active_count() == before


def test_those_who_compute_at_once_share_the_threads():
    limit = BlasLimit()

    def free_beside_others():
        with limit:
            return limit.n_free

    def holds_until(others):
        with limit:
            others.wait()
            others.wait()

    with threadpool_limits(4, user_api="blas"), ThreadPoolExecutor(4) as pool, limit:
        assert limit.n_free == 4
        with limit:  # what one thread holds twice, it computes once
            assert limit.n_free == 4
        assert pool.submit(free_beside_others).result() == 2
        others = threading.Barrier(4)
        for _ in range(3):
            pool.submit(holds_until, others)
        others.wait()
        assert limit.n_free == 1
        others.wait()
        pool.shutdown()
        assert limit.n_free == 4


@each_dtype
def test_predictions_in_threads_are_the_same_to_the_bit(monkeypatch, dtype):
    network = Network.mlp([5, 20, 3], Tanh(), LogLoss())
    parameters = network.initialize(np.random.RandomState(0), dtype)
    X = np.random.RandomState(1).normal(size=(203, 5)).astype(dtype)
    monkeypatch.setattr(prediction, "BYTES_OF_A_BLOCK", 4000)
    alone = network.predict(X, parameters.layers)
    monkeypatch.setattr(prediction, "WORK_OF_A_BLOCK", 1)
    with threadpool_limits(3, user_api="blas"):
        np.testing.assert_array_equal(network.predict(X, parameters.layers), alone)
        with ThreadPoolExecutor(8) as pool:
            for result in pool.map(lambda _: network.predict(X, parameters.layers), range(40)):
                np.testing.assert_array_equal(result, alone)
        assert set(blas_threads()) == {3}


@each_dtype
def test_a_step_in_threads_allocates_nothing_that_grows(dtype):
    # NumPy's ufuncs buffer 8192 numbers, in two threads at the same time or not; what grows is far more here
    peaks = []
    for n_rows, width in [(4096, 8), (2**20, 2), (256, 768)]:
        network = Network.mlp([5, width, width, 2], ReLU(), SquaredError(), l2=0.1)
        parameters = network.initialize(np.random.RandomState(0), dtype)
        X, y = np.ones((n_rows, 5), dtype), np.ones((n_rows, 2), dtype)
        with Team(2) as team:
            workspace, adam = Workspace(network, parameters, n_rows, None, team), OPTIMIZERS["adam"]()
            state = adam.init(parameters.flat)

            def a_step(X=X, y=y, network=network, workspace=workspace, adam=adam, state=state, team=team):
                network.loss_and_gradient(X, y, None, workspace)
                adam.step(workspace.parameters.flat, workspace.gradient.flat, state, 1e-6, team)

            peaks.append(peak_memory(a_step))
    assert max(peaks) - peaks[0] < 2**18, peaks
