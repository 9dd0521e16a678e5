"""Threads: rows in parts, each part with one BLAS thread.

BLAS divides one product at a time. Everything between two products (biases, activations) then runs on one
core while the others wait. A :class:`Team` divides the rows instead: each thread does everything for its part
of the rows, with products in one BLAS thread. This pays for large parts: between two operations, Python's
threads wait for the interpreter's lock, which takes some 10 microseconds. BLAS's threads are better for
smaller parts, and a single thread for small products (:func:`threads_pay`). The number of threads is no
parameter: it is what BLAS may use at the moment. So environment variables, ``threadpool_limits`` and joblib's
workers govern both.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from sknn_scratch.core.interruption import POSTPONEMENT, interruptible, uninterrupted

Item = TypeVar("Item")
Result = TypeVar("Result")

PRODUCT_FOR_THREADS = 2**23
"""BLAS's threads pay for products of at least this many multiplications.

Measured for two threads against one, OpenBLAS on two cores with AVX-512, the best of many runs, in float64
and float32. From here on, products are 1.5 times as fast and training steps 1.1 to 1.2 times. Products of
2**20 to 2**22 are 1.2 to 1.6 times as fast, but steps are no faster: between two products, threads wait for
each other. If other processes use the cores, this wait is a time slice of the system, and a step takes up to
100 times as long.
"""

PRODUCT_OF_ONE_THREAD = 2**18
"""Multiplications up to which OpenBLAS itself computes a product in one thread."""


class BlasLimit:
    """Limits BLAS to one thread while there is a holder; then BLAS has as many threads as before.

    A limit applies to the whole process, so holders are counted: the first one sets the limit and the last
    one lifts it, however they overlap. Ctrl-C waits while a holder begins or ends
    (:mod:`sknn_scratch.core.interruption`), so every hold ends. A forked process keeps the holds of the
    thread that forked it: it has no other threads.

    Examples
    --------
    >>> from sknn_scratch.core.machine.threads import BLAS_LIMIT
    >>> before = BLAS_LIMIT.n_threads
    >>> with BLAS_LIMIT, BLAS_LIMIT:
    ...     BLAS_LIMIT.n_threads == before  # what BLAS may use apart from this limit
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders: list[int] = []  # the thread of each holder
        self._libraries: list[Any] | None = None
        self._found: list[int] = []

    @property
    def n_threads(self) -> int:
        """How many threads BLAS may use; 1 if this is unknown."""
        with self._lock:
            return min(self._found if self._holders else self._counts(), default=1)

    @property
    def n_free(self) -> int:
        """For a holder: its share of the threads, if all threads that hold the limit compute at once."""
        return max(1, self.n_threads // max(1, len(set(self._holders))))

    @uninterrupted
    def __enter__(self) -> Self:
        POSTPONEMENT.__enter__()
        self.hold()
        return self

    @uninterrupted
    def __exit__(self, *exception: object) -> None:
        self.release()
        POSTPONEMENT.__exit__()

    def lifted(self) -> _Lifted:
        """For a holder: a context in which its hold is released."""
        return _Lifted(self)

    def hold(self) -> None:
        """Become a holder."""
        with self._lock:
            if not self._holders:
                self._found = self._counts()
                self._set([1] * len(self._found))
            self._holders.append(threading.get_ident())

    def release(self) -> None:
        """Stop being a holder."""
        with self._lock:
            self._holders.remove(threading.get_ident())
            if not self._holders:
                self._set(self._found)

    def before_fork(self) -> None:
        """Wait until no thread changes the limit, so that the new process finds it consistent."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Let others change the limit again."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Forget the holds of threads that this process does not have."""
        before, self._lock = self._holders, threading.Lock()
        self._holders = [thread for thread in before if thread == threading.get_ident()]
        if before and not self._holders:
            self._set(self._found)

    def _counts(self) -> list[int]:
        if self._libraries is None:  # once: finding the libraries takes a millisecond
            self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        return [library.num_threads for library in self._libraries]

    def _set(self, counts: list[int]) -> None:
        for library, count in zip(self._libraries or (), counts, strict=True):
            # newer versions of threadpoolctl obey only the thread that set the first limit; here the last
            # holder may be another thread
            release = getattr(library, "clear_controlling_thread", lambda force: None)
            release(force=True)
            library.set_num_threads(count)
            release(force=True)


class _Lifted:
    def __init__(self, limit: BlasLimit) -> None:
        self._limit = limit

    @uninterrupted
    def __enter__(self) -> None:
        self._limit.release()

    @uninterrupted
    def __exit__(self, *exception: object) -> None:
        self._limit.hold()


BLAS_LIMIT = BlasLimit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=BLAS_LIMIT.before_fork,
        after_in_parent=BLAS_LIMIT.after_fork_in_parent,
        after_in_child=BLAS_LIMIT.after_fork_in_child,
    )


def threads_pay(n_multiplications: int) -> bool:
    """Whether a product is so large that BLAS's threads pay.

    Parameters
    ----------
    n_multiplications : int
        For n rows and a matrix of p x q weights, n p q.

    Returns
    -------
    bool
        The answer depends on nothing else: neither on the load of the machine nor on the place of arrays.

    Examples
    --------
    >>> from sknn_scratch.core.machine.threads import threads_pay
    >>> threads_pay(200 * 64 * 100), threads_pay(256 * 256 * 256)
    (False, True)
    """
    return n_multiplications >= PRODUCT_FOR_THREADS


def blas_for(n_multiplications: int) -> AbstractContextManager[object]:
    """A context for products up to a size: one BLAS thread where more would not pay.

    Parameters
    ----------
    n_multiplications : int
        Multiplications of the largest product; see :func:`threads_pay`.

    Returns
    -------
    context manager
        :data:`BLAS_LIMIT` or an empty one. It may be entered many times.
    """
    if n_multiplications <= PRODUCT_OF_ONE_THREAD or threads_pay(n_multiplications):
        return nullcontext()
    return BLAS_LIMIT if BLAS_LIMIT.n_threads > 1 else nullcontext()


class Team:
    """Threads that call one function with several items at once; the caller's thread is one of them.

    Parameters
    ----------
    n_threads : int, default=1
        How many, with the caller's. With 1, no thread is started, and BLAS keeps its threads.

    Examples
    --------
    >>> from sknn_scratch.core import Team
    >>> with Team(2) as team:
    ...     team.map(abs, [-1, 2])
    [1, 2]
    """

    def __init__(self, n_threads: int = 1) -> None:
        self.n_threads = n_threads
        self._helpers: ThreadPoolExecutor | None = None

    @uninterrupted
    def __enter__(self) -> Self:
        if self.n_threads > 1:
            BLAS_LIMIT.__enter__()
            self._helpers = ThreadPoolExecutor(self.n_threads - 1, "sknn_scratch")
        return self

    @uninterrupted
    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._helpers is not None:
            self._helpers.shutdown()
            self._helpers = None
            BLAS_LIMIT.__exit__()

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The results for all items, in their order; all calls have ended when it returns or raises.

        Parameters
        ----------
        function : callable
            The function. All threads have NumPy's error state of the caller.
        items : sequence
            Its arguments, one item for each thread.

        Returns
        -------
        list
            The results.
        """
        return self._shared(function, interruptible(function), items)

    def together(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Like :meth:`map`, for threads that wait for each other: Ctrl-C interrupts none of them.

        Parameters
        ----------
        function : callable
            The function.
        items : sequence
            Its arguments, one item for each thread of the team.

        Returns
        -------
        list
            The results.
        """
        return self._shared(function, function, items)

    @uninterrupted
    def _shared(
        self,
        function: Callable[[Item], Result],
        function_of_caller: Callable[[Item], Result],
        items: Sequence[Item],
    ) -> list[Result]:
        if self._helpers is None or len(items) == 1:
            return [function_of_caller(item) for item in items]
        error_state = np.geterr()

        def help_with(item: Item) -> Result:
            with np.errstate(**error_state):
                return function(item)

        futures = [self._helpers.submit(help_with, item) for item in items[1:]]
        try:
            first = function_of_caller(items[0])
        finally:
            wait(futures)
        return [first, *(future.result() for future in futures)]


def team_for(n_parts: int) -> Team:
    """A team with a thread for each part, but no more threads than BLAS may use.

    Parameters
    ----------
    n_parts : int
        Number of parts, each large enough for a thread to pay.

    Returns
    -------
    Team
        The team, not started yet.
    """
    return Team(min(n_parts, BLAS_LIMIT.n_threads) if n_parts > 1 else 1)


def parts_of(n_rows: int, n_parts: int) -> list[slice]:
    """Divide rows into parts whose sizes differ by at most one; fewer than `n_parts` if there are fewer rows.

    Parameters
    ----------
    n_rows, n_parts : int
        Number of rows, and of parts.

    Returns
    -------
    list of slice
        The parts.

    Examples
    --------
    >>> from sknn_scratch.core.machine.threads import parts_of
    >>> parts_of(5, 2)
    [slice(0, 3, None), slice(3, 5, None)]
    """
    n_parts = max(1, min(n_parts, n_rows))
    size, rest = divmod(n_rows, n_parts)
    ends = [part * size + min(part, rest) for part in range(n_parts + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(ends)]
