"""Whole epochs in one compiled loop: no allocation in a step, signals between calls, all kernels ahead."""

import math
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

pytest.importorskip("numba")

import joblib
import numba
from numba.core.runtime import _nrt_python, rtsys
from threadpoolctl import threadpool_limits

from sknn_scratch.compiled import whole_epochs
from sknn_scratch.compiled.epoch import N_TOTALS
from sknn_scratch.compiled.whole_epochs import WholeEpochs, plan_of
from sknn_scratch.core import (
    SGD,
    Adam,
    Batches,
    Constant,
    History,
    Identity,
    InverseScaling,
    Network,
    Outcome,
    Patience,
    Progress,
    ReLU,
    SiLU,
    SquaredError,
    Training,
    train_minibatch,
)
from sknn_scratch.core.history import Epoch
from sknn_scratch.core.machine.threads import BLAS_LIMIT
from sknn_scratch.fitting._engine import engine


def parts(n_rows, batch_size, hidden=(8, 5)):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n_rows, 4))
    network = Network.mlp([4, *hidden, 1], SiLU(), SquaredError(), l2=0.01, dropout=[0.2] * len(hidden))
    parameters = network.initialize(rng, X.dtype)
    adam = Adam(max_grad_norm=1.0)
    training = Training(adam, Constant(), adam.init(parameters.flat), Progress(0.01), Patience(0.0, math.inf))
    return network, parameters, Batches(X, X[:, :1] ** 2, np.ones(n_rows), batch_size, rng=rng), training


def share(monkeypatch, n_threads):
    """Make so many threads run the loop, however small the network."""
    if numba.config.DISABLE_JIT and n_threads > 1:
        pytest.skip("Python's threads do not compute at once")
    monkeypatch.setattr(whole_epochs, "threads_of", lambda parameters, batch_size: n_threads)


NETWORKS = {
    "slopes": Network.mlp([4, 9, 5, 1], SiLU(), SquaredError(), l2=0.01),
    "outputs": Network.mlp([4, 40, 3], ReLU(), SquaredError()),
    "dropout": Network.mlp([4, 8, 7, 1], SiLU(), SquaredError(), dropout=[0.5, 0.0]),
    "no hidden layer": Network.mlp([4, 2], Identity(), SquaredError(), l2=0.01),
}
RULES = {"clipped adam": Adam(max_grad_norm=0.1), "sgd": SGD()}


def trained_in_threads(monkeypatch, n_threads, network, rule, is_weighted):
    share(monkeypatch, n_threads)
    rng = np.random.RandomState(0)
    X, weight = rng.normal(size=(43, 4)), rng.randint(0, 2, 43).astype(float)
    weight[:12] = 0.0  # all of a batch, and all that a thread has of another one
    parameters, n_outputs = network.initialize(rng, X.dtype), network.n_outputs
    training = Training(
        rule, InverseScaling(), rule.init(parameters.flat), Progress(0.01), Patience(0.0, math.inf)
    )
    # the last batch has fewer rows than there are threads
    batches = Batches(X, X[:, :n_outputs] ** 2, weight if is_weighted else None, 8)
    history = History()
    train_minibatch(network, parameters, batches, training, history, 4, rng=rng, engine=engine())
    return parameters.flat, history.losses, [epoch.gradient_norm for epoch in history.epochs]


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("n_threads", [2, 5])
def test_threads_that_share_the_steps_train_the_same_model(
    monkeypatch, n_threads, network, rule, is_weighted
):
    expected = trained_in_threads(monkeypatch, 1, network, rule, is_weighted)
    found = trained_in_threads(monkeypatch, n_threads, network, rule, is_weighted)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)
    again = trained_in_threads(monkeypatch, n_threads, network, rule, is_weighted)
    for ours, theirs in zip(again, found, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("failing", [0, 2])
def test_a_thread_that_fails_leaves_none_waiting(monkeypatch, failing):
    share(monkeypatch, 3)
    network, parameters, batches, training = parts(20, batch_size=10)
    epochs = WholeEpochs(*plan_of(network, batches, training), parameters, batches, training)
    run = epochs._run

    def fail(*args):
        if args[-3] == failing:
            raise MemoryError
        return run(*args)

    monkeypatch.setattr(epochs, "_run", fail)
    with pytest.raises(MemoryError):
        epochs(History())


def test_a_thread_that_cannot_be_started_leaves_none_waiting(monkeypatch):
    share(monkeypatch, 3)
    network, parameters, batches, training = parts(20, batch_size=10)
    epochs = WholeEpochs(*plan_of(network, batches, training), parameters, batches, training)
    start, started = threading.Thread.start, []

    def start_one(thread):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_one)
    with pytest.raises(RuntimeError, match="can't start"):
        epochs(History())


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="one thread runs it then")
def test_as_many_threads_as_blas_may_use_share_the_steps_of_a_large_network():
    small, large = parts(300, 300, hidden=(50, 50)), parts(300, 300, hidden=(200, 200))
    for limit in (1, 2):
        with threadpool_limits(limit, user_api="blas"):
            n_threads = min(BLAS_LIMIT.n_threads, joblib.cpu_count())
            assert whole_epochs.threads_of(large[1], batch_size=300) == n_threads
            assert whole_epochs.threads_of(small[1], batch_size=300) == 1
            assert whole_epochs.threads_of(large[1], batch_size=100) == 1


def allocations_of_an_epoch(n_rows):
    network, parameters, batches, training = parts(n_rows, batch_size=2)
    epochs = WholeEpochs(
        *plan_of(network, batches, training), parameters, batches, training, np.random.RandomState(0)
    )
    epochs._call(0, n_rows, np.zeros((1, N_TOTALS)), Epoch())
    before = rtsys.get_allocation_stats()
    epochs._call(0, n_rows, np.zeros((1, N_TOTALS)), Epoch())
    return rtsys.get_allocation_stats().alloc - before.alloc


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_a_step_allocates_nothing():
    _nrt_python.memsys_enable_stats()
    try:
        assert allocations_of_an_epoch(2) == allocations_of_an_epoch(200)
    finally:
        _nrt_python.memsys_disable_stats()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of POSIX")
@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_ends_an_epoch_between_two_calls(monkeypatch, n_threads):
    share(monkeypatch, n_threads)
    monkeypatch.setattr(whole_epochs, "WORK_OF_A_CALL", 2**20)
    network, parameters, batches, training = parts(200_000, batch_size=1)
    train = [network, parameters, batches, training, History(), 1]
    found = signal.signal(signal.SIGINT, signal.default_int_handler)
    press = threading.Timer(0.05, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    try:
        press.start()
        assert train_minibatch(*train, engine=engine()) is Outcome.INTERRUPTED
    finally:
        press.join()
        signal.signal(signal.SIGINT, found)
    assert 0 < training.progress.step < 200_000
    assert training.optimizer_state.n_steps == training.progress.step  # what was done is what was counted
    assert np.isfinite(parameters.flat).all()


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_a_call_takes_less_than_a_fifth_of_a_second():
    # the sizes of the slowest calls: one row a batch, and the largest products that one thread computes
    for batch_size, hidden in ((1, (2,)), (200, (190, 190))):
        network, parameters, batches, training = parts(60_000, batch_size, hidden)
        epochs = WholeEpochs(
            *plan_of(network, batches, training), parameters, batches, training, np.random.RandomState(0)
        )
        n_steps = epochs._steps_of_a_call
        seconds = []
        for _ in range(3):  # the best of them: other processes compute too
            start = time.perf_counter()
            epochs._call(0, min(n_steps * batch_size, 60_000), np.zeros((1, N_TOTALS)), Epoch())
            seconds.append(time.perf_counter() - start)
        assert min(seconds) < 0.2


def test_all_kernels_can_be_compiled_ahead():
    done = subprocess.run([sys.executable, "-m", "sknn_scratch.compiled"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert " kernels of the engine 'numba' are ready after " in done.stdout
