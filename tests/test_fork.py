"""A process that is forked while another thread computes: its own fits end, and give the same model."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from sknn_scratch import ScratchMLPClassifier, ScratchRealMLPClassifier
from sknn_scratch.core.machine.threads import BLAS_LIMIT

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # Python warns of forks beside threads
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

SECONDS_TO_END = 60
X = np.random.RandomState(0).normal(size=(200, 5))
Y = (X[:, 0] > 0).astype(int)
FITS = {
    "lbfgs": ScratchMLPClassifier((10,), solver="lbfgs", max_iter=15, tol=0.0, random_state=0),
    "two members": ScratchRealMLPClassifier(
        hidden_layer_sizes=(8,), max_iter=2, n_ens=2, n_jobs=2, random_state=0
    ),
}


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def probabilities(model):
    return model.fit(X, Y).predict_proba(X)


def exit_code(child):
    """Of a process that has ended, or None if it was ended because it hung."""
    end = time.monotonic() + SECONDS_TO_END
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def forked(work):
    """The exit code of a child that does some work: 0 if it returns True."""
    child = os.fork()
    if not child:
        code = 3
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return exit_code(child)


@pytest.mark.parametrize("n_forks", [10, pytest.param(300, marks=pytest.mark.full)])
@pytest.mark.parametrize("kind", FITS)
def test_beside_a_fit_in_another_thread(kind, n_forks):
    model, is_over = FITS[kind], threading.Event()
    rng = np.random.RandomState(0)

    def fit_again_and_again():
        while not is_over.is_set():
            clone(model).fit(X, Y)

    with threadpool_limits(2, user_api="blas"):
        expected = probabilities(clone(model))

        def work():
            was_restored = blas_threads() == {2}
            return was_restored and np.array_equal(probabilities(clone(model)), expected)

        other = threading.Thread(target=fit_again_and_again)
        other.start()
        try:
            codes = []
            for _ in range(n_forks):
                time.sleep(rng.uniform(0, 0.01))
                codes.append(forked(work))
        finally:
            is_over.set()
            other.join()
        assert codes == [0] * n_forks
        assert blas_threads() == {2}


def test_in_a_thread_that_holds_the_limit_itself():
    with threadpool_limits(2, user_api="blas"):
        with BLAS_LIMIT:
            assert forked(lambda: blas_threads() == {1} and BLAS_LIMIT.n_threads == 2) == 0

            def end():
                BLAS_LIMIT.__exit__()
                return blas_threads() == {2}

            assert forked(end) == 0
        assert blas_threads() == {2}
