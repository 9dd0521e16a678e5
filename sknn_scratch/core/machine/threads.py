"""Threads: rows in parts, each with one BLAS thread of its own.

BLAS shares out one product at a time, and all that stands between two products (biases, activations) then
runs on one core while the others wait. A :class:`Team` shares out rows instead: every thread does everything
for its part of them, and its products are not divided further. That pays where parts are large: between two
operations, threads of Python wait for each other (for the interpreter's lock), which costs some 10
microseconds. Elsewhere BLAS's own threads are the better ones, and one thread is where products are small
(:func:`threads_pay`). There is no parameter for the number of threads: it is what BLAS may use at that
moment, so that the environment's variables, ``threadpool_limits`` and joblib's workers govern both.
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
"""Multiplications of a matrix product from which BLAS's threads pay.

Two threads against one, OpenBLAS on two cores with AVX-512, the best of many, in float64 and float32. From
here on products take 1.5 times less, a step of training 1.1 to 1.2 times. Products of 2**20 to 2**22 take 1.2
to 1.6 times less, a step no less: between two products, threads wait for each other. Where other processes
use the cores, that wait is a time slice of the system, and a step takes up to 100 times as long.
"""

PRODUCT_OF_ONE_THREAD = 2**18
"""Multiplications up to which OpenBLAS itself computes a product in one thread."""


class BlasLimit:
    """One thread for BLAS while anybody asks for it; afterwards as many as were found before.

    Limits are those of the whole process. So there is one count of all who hold it: the first one sets the
    limit, the last one takes it back, however they overlap. Ctrl-C waits while the limit changes hands
    (:mod:`sknn_scratch.core.interruption`), so whoever begins to hold it also ends. A forked process keeps
    the holds of the thread that forked it: it has no other threads.

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
        self._holders: list[int] = []  # the thread of each
        self._libraries: list[Any] | None = None
        self._found: list[int] = []

    @property
    def n_threads(self) -> int:
        """As many threads as BLAS may use; 1 where it cannot be told."""
        with self._lock:
            return min(self._found if self._holders else self._counts(), default=1)

    @property
    def n_free(self) -> int:
        """For a holder: its share of the threads, if every thread that holds the limit computes."""
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
        """For a holder: a context in which its limit is taken back."""
        return _Lifted(self)

    def hold(self) -> None:
        """Become a holder."""
        with self._lock:
            if not self._holders:
                self._found = self._counts()
                self._set([1] * len(self._found))
            self._holders.append(threading.get_ident())

    def release(self) -> None:
        """Be a holder no longer."""
        with self._lock:
            self._holders.remove(threading.get_ident())
            if not self._holders:
                self._set(self._found)

    def before_fork(self) -> None:
        """Wait until nobody changes the limit, so that a new process finds it whole."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Let others change the limit again."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Forget the holds of threads that this process has not."""
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
            # newer versions of threadpoolctl listen to one thread alone, the first to set a limit; here the
            # last one to hold it may be another
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
    """Whether a product is so large that BLAS's threads are worth it.

    Parameters
    ----------
    n_multiplications : int
        For n rows and a matrix of p x q weights, n p q.

    Returns
    -------
    bool
        It depends on nothing else: neither on the load of the machine nor on where arrays lie.

    Examples
    --------
    >>> from sknn_scratch.core.machine.threads import threads_pay
    >>> threads_pay(200 * 64 * 100), threads_pay(256 * 256 * 256)
    (False, True)
    """
    return n_multiplications >= PRODUCT_FOR_THREADS


def blas_for(n_multiplications: int) -> AbstractContextManager[object]:
    """A context for products that are at most so large: one BLAS thread if BLAS would take more in vain.

    Parameters
    ----------
    n_multiplications : int
        Of the largest product; see :func:`threads_pay`.

    Returns
    -------
    context manager
        :data:`BLAS_LIMIT` or an empty one. It may be entered many times.
    """
    if n_multiplications <= PRODUCT_OF_ONE_THREAD or threads_pay(n_multiplications):
        return nullcontext()
    return BLAS_LIMIT if BLAS_LIMIT.n_threads > 1 else nullcontext()


class Team:
    """Threads that do one thing with several items at once; the caller is one of them.

    Parameters
    ----------
    n_threads : int, default=1
        How many, the caller included. With 1 nothing is started, and BLAS is left alone.

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
        """Results for all items, in their order; all are done when it returns, or raises.

        Parameters
        ----------
        function : callable
            What to do. NumPy's error state is the caller's in all threads.
        items : sequence
            What to do it with, one item a thread.

        Returns
        -------
        list
            The results.
        """
        return self._shared(function, interruptible(function), items)

    def together(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Like :meth:`map`, for threads that wait for each other: Ctrl-C breaks off none of them.

        Parameters
        ----------
        function : callable
            What to do.
        items : sequence
            What to do it with, one for each thread of the team.

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
    """A team for so many parts: a thread for each, but no more than BLAS may use.

    Parameters
    ----------
    n_parts : int
        Parts that are large enough for a thread to pay.

    Returns
    -------
    Team
        Not started yet.
    """
    return Team(min(n_parts, BLAS_LIMIT.n_threads) if n_parts > 1 else 1)


def parts_of(n_rows: int, n_parts: int) -> list[slice]:
    """Rows in `n_parts` parts of the same size, but for one row; fewer parts if there are fewer rows.

    Parameters
    ----------
    n_rows, n_parts : int
        How many.

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
