"""Ctrl-C at any moment: a usable model or KeyboardInterrupt, and the process as it was."""

import signal
import sys
import threading
import time
import warnings
import weakref
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor, ScratchRealMLPClassifier
from sknn_scratch.core import Epoch, Outcome, lbfgs, training
from sknn_scratch.core.interruption import POSTPONEMENT
from sknn_scratch.estimators import _base as mlp_base
from sknn_scratch.fitting._observer import FitObserver
from sknn_scratch.tabular import _base as table_base

pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of POSIX")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(400, 10))
Y = RNG.randint(0, 2, len(X))
MANY_ROWS = RNG.normal(size=(8_000, 10))

LONG = {"tol": 0.0, "n_iter_no_change": 10_000, "random_state": 0}
TABLE = {"hidden_layer_sizes": (16,), "max_iter": 20, "random_state": 0}
FITS = {
    "lbfgs": ScratchMLPClassifier((60, 20), solver="lbfgs", max_iter=50, **LONG),
    "lbfgs, early stopping": ScratchMLPRegressor(
        hidden_layer_sizes=(30,), solver="lbfgs", early_stopping=True, max_iter=50, **LONG
    ),
    "adam": ScratchMLPClassifier((20,), max_iter=100, **LONG),
    "adam, early stopping": ScratchMLPClassifier((20,), early_stopping=True, max_iter=100, **LONG),
    "table": ScratchRealMLPClassifier(**TABLE),
    "table, three members": ScratchRealMLPClassifier(**TABLE, n_ens=3, n_jobs=2),
}


@pytest.fixture(autouse=True)
def handler_of_python():
    """Where the signal is ignored, as in a job under nohup, Python sets no handler."""
    found = signal.signal(signal.SIGINT, signal.default_int_handler)
    with threadpool_limits(3, user_api="blas"):
        yield
    signal.signal(signal.SIGINT, found)


@pytest.fixture
def begun(monkeypatch):
    """The epochs and iterations that have begun to be recorded."""
    epochs = []

    class Counted(Epoch):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            epochs.append(self)

    monkeypatch.setattr(lbfgs, "Epoch", Counted)
    monkeypatch.setattr(training, "Epoch", Counted)
    return epochs


def state_of_process():
    blas = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
    return blas, np.geterr(), threading.active_count(), signal.getsignal(signal.SIGINT)


def interrupted(work, seconds):
    """What became of some work if Ctrl-C is pressed after a while; afterwards the process is as it was."""
    before, main = state_of_process(), threading.main_thread().ident
    presses = threading.Timer(seconds, signal.pthread_kill, (main, signal.SIGINT))
    outcome = "KeyboardInterrupt"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            presses.start()
            work()
            is_said = "Training interrupted by user." in [str(one.message) for one in caught]
            outcome = "warning" if is_said else "complete"
            presses.join()
        except KeyboardInterrupt:
            presses.join()
    assert state_of_process() == before
    return outcome


def seconds_of(work):
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n_times", [6, pytest.param(200, marks=pytest.mark.full)])
@pytest.mark.parametrize("kind", FITS)
def test_a_fit_ends_in_a_usable_model_or_as_if_it_had_not_begun(kind, n_times, begun):
    template = FITS[kind]
    outcomes, seconds = Counter(), seconds_of(lambda: clone(template).fit(X, Y))
    for moment in np.random.RandomState(n_times).uniform(0, seconds, n_times):
        model = clone(template)
        del begun[:]
        outcome = interrupted(lambda model=model: model.fit(X, Y), moment)
        outcomes[outcome] += 1
        if outcome == "KeyboardInterrupt" and not hasattr(model, "n_iter_"):
            assert len(begun) <= (getattr(model, "n_ens", None) or 1)  # no epoch had ended
            continue
        assert model.n_iter_ == len(model.loss_curve_) == len(model.history_)
        if outcome != "warning":  # Ctrl-C came after the fit
            assert model.n_iter_ == model.max_iter
        if getattr(model, "best_iter_", None):
            scores = model.validation_scores_
            assert scores[model.best_iter_ - 1] == max(scores) == model.best_validation_score_
        assert np.isfinite(model.predict(X)).all()
    print(kind, dict(outcomes))  # with -s, what they were


@pytest.mark.parametrize("n_times", [4, pytest.param(200, marks=pytest.mark.full)])
@pytest.mark.usefixtures("numpy_engine")
def test_a_prediction_ends_in_keyboard_interrupt(n_times):
    model = ScratchMLPClassifier((300, 300), max_iter=1, random_state=0)
    with warnings.catch_warnings(action="ignore"):
        model.fit(X, Y)
    seconds = seconds_of(lambda: model.predict_proba(MANY_ROWS))
    expected, outcomes = model.predict_proba(MANY_ROWS), Counter()
    for moment in np.random.RandomState(n_times).uniform(0, seconds, n_times):
        outcomes[interrupted(lambda: model.predict_proba(MANY_ROWS), moment)] += 1
        np.testing.assert_array_equal(model.predict_proba(MANY_ROWS[:500]), expected[:500])
    assert not outcomes["warning"]
    print(dict(outcomes))


class Forgotten:
    """Something that weak references may point to."""


@pytest.mark.parametrize(
    "collect",
    [
        lambda item: weakref.WeakKeyDictionary({item: 1}),
        lambda item: weakref.WeakValueDictionary({1: item}),
        lambda item: weakref.WeakSet([item]),
    ],
)
def test_in_the_callback_of_a_weak_reference_it_is_kept(collect):
    # Python drops what such a callback raises, and the collector runs them at any moment: Ctrl-C was lost.
    item = Forgotten()
    collection = collect(item)

    def press_ctrl_c_in_callback(frame, event, argument):
        if event == "call" and frame.f_code is collection._remove.__code__:
            signal.raise_signal(signal.SIGINT)

    found, reached_the_end = sys.getprofile(), False
    try:
        with POSTPONEMENT:
            sys.setprofile(press_ctrl_c_in_callback)
            del item
            sys.setprofile(found)
            reached_the_end = True
    except KeyboardInterrupt:
        assert reached_the_end
    else:
        pytest.fail("Ctrl-C was lost")
    finally:
        sys.setprofile(found)
    assert not len(collection)


@pytest.mark.parametrize("kind", ["adam", "lbfgs", "table", "table, three members"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_pressed_while_the_model_is_stored_it_comes_after_the_fit(kind, monkeypatch):
    model = clone(FITS[kind]).set_params(max_iter=2)
    expected = clone(model).fit(X, Y).predict_proba(X)

    class PressesCtrlC(FitObserver):
        def fit_ends(self):
            signal.raise_signal(signal.SIGINT)
            super().fit_ends()

    monkeypatch.setattr(mlp_base, "FitObserver", PressesCtrlC)
    monkeypatch.setattr(table_base, "FitObserver", PressesCtrlC)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), expected)


def test_pressed_outside_the_training_loop_it_makes_a_model_only_of_epochs():
    def run_of(epochs):
        return SimpleNamespace(epochs=epochs, train=lambda observer: signal.raise_signal(signal.SIGINT))

    observer = FitObserver(FITS["adam"], None, X, Y, None)
    with pytest.raises(KeyboardInterrupt):
        observer.watch(run_of([]))
    with POSTPONEMENT:
        assert observer.watch(run_of([Epoch()])) is Outcome.INTERRUPTED
