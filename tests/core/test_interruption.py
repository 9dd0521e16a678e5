"""What Ctrl-C may break off, and what not."""

import queue
import signal
import sys
import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from sknn_scratch.core import Team
from sknn_scratch.core.interruption import POSTPONEMENT, interruptible, interruptibly, uninterrupted
from sknn_scratch.core.machine.threads import BLAS_LIMIT, BlasLimit


@pytest.fixture(autouse=True)
def handler_of_python():
    """Where the signal is ignored, as in a job under nohup, Python sets no handler."""
    found = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, found)


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


@uninterrupted
def work(*steps):
    return [step() for step in steps]


def test_a_signal_waits_for_the_end_of_an_uninterrupted_function():
    done = []
    with pytest.raises(KeyboardInterrupt), POSTPONEMENT, POSTPONEMENT:
        work(press_ctrl_c, press_ctrl_c, lambda: done.append("the end"))
    assert done == ["the end"]


def test_other_functions_are_broken_off_at_once():
    with POSTPONEMENT, pytest.raises(KeyboardInterrupt):
        press_ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        work(press_ctrl_c)  # without postponement


@pytest.mark.parametrize("step", [lambda: interruptibly(press_ctrl_c), interruptible(press_ctrl_c)])
def test_so_are_interruptible_ones_in_uninterrupted_ones(step):
    with POSTPONEMENT:
        with pytest.raises(KeyboardInterrupt):
            work(step)
        work(interruptible(lambda: None))  # and that was all


def test_a_signal_that_waits_comes_where_an_interruptible_function_begins():
    done = []
    with POSTPONEMENT:
        with pytest.raises(KeyboardInterrupt):
            work(press_ctrl_c, lambda: done.append(1), interruptible(lambda: done.append(2)))
        assert done == [1]


def test_the_users_own_handlers_are_called_and_put_back():
    calls = []

    def of_user(number, frame):
        calls.append(number)

    def leave(number, frame):
        raise SystemExit

    found = signal.signal(signal.SIGTERM, leave)
    try:
        signal.signal(signal.SIGINT, of_user)
        with pytest.raises(SystemExit), POSTPONEMENT:
            work(press_ctrl_c, lambda: signal.raise_signal(signal.SIGTERM), lambda: calls.append("end"))
        assert signal.getsignal(signal.SIGTERM) is leave
        with POSTPONEMENT:
            press_ctrl_c()
        assert calls == ["end", signal.SIGINT, signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) is of_user
    finally:
        signal.signal(signal.SIGTERM, found)
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_handler_that_is_set_meanwhile_stays():
    with POSTPONEMENT:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    with POSTPONEMENT:  # what is ignored stays ignored
        press_ctrl_c()
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_other_threads_leave_handlers_alone():
    seen = []

    def enter():
        with POSTPONEMENT, BLAS_LIMIT:
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


@pytest.mark.parametrize(
    ("function", "event"), [(np.errstate.__enter__, "return"), (np.errstate.__exit__, "call")]
)
def test_the_error_state_of_numpy_is_put_back_wherever_the_signal_comes(function, event):
    before, traced = np.geterr(), sys.gettrace()

    def press_there(frame, happening, argument):
        if frame.f_code is function.__code__ and happening == event:
            press_ctrl_c()
        return press_there

    def ignore_overflow_and_press():
        sys.settrace(press_there)
        try:
            with np.errstate(over="ignore"):
                pass
        finally:
            sys.settrace(traced)

    with pytest.raises(KeyboardInterrupt), POSTPONEMENT:
        ignore_overflow_and_press()
    assert np.geterr() == before


def hold_the_limit(limit):
    with limit:
        pass


def lift_the_limit(limit):
    with limit, limit.lifted():
        pass


def work_in_a_team(limit):
    with limit, Team(2) as team:
        team.map(abs, [1, 2])


def ignore_overflow(limit):
    with limit, np.errstate(over="ignore", divide="ignore"):
        pass


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of POSIX")
@pytest.mark.parametrize("use", [hold_the_limit, lift_the_limit, work_in_a_team, ignore_overflow])
@pytest.mark.parametrize("n_times", [100, pytest.param(5000, marks=pytest.mark.full)])
def test_at_any_moment_a_limit_ends_with_its_context(use, n_times):
    limit, main = BlasLimit(), threading.main_thread().ident
    wanted, n_times_here = queue.SimpleQueue(), 0
    rng = np.random.RandomState(0)
    before = np.geterr(), threading.active_count()

    def press_often():
        for _ in range(n_times):
            wanted.get()
            time.sleep(rng.uniform(0, 3e-4))
            signal.pthread_kill(main, signal.SIGINT)

    presses = threading.Thread(target=press_often, daemon=True)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with threadpool_limits(3, user_api="blas"):
            presses.start()
            while n_times_here < n_times:
                try:
                    wanted.put("a signal")
                    while True:
                        use(limit)
                except KeyboardInterrupt:
                    n_times_here += 1
                assert limit.n_threads == BLAS_LIMIT.n_threads == 3
                assert np.geterr() == before[0]
            presses.join()
    finally:
        sys.setswitchinterval(interval)
    assert threading.active_count() == before[1]


def test_what_is_closed_keeps_signals_in_all_functions_until_its_context_ends():
    done = []

    def store():
        with POSTPONEMENT:
            POSTPONEMENT.close()
            press_ctrl_c()
            interruptibly(done.append, "inside")
        interruptibly(done.append, "outside")

    with POSTPONEMENT:
        with pytest.raises(KeyboardInterrupt):
            store()
        assert done == ["inside"]
        with pytest.raises(KeyboardInterrupt):
            press_ctrl_c()
