"""Ctrl-C: functions that it does not break off halfway.

Python runs the handler of a signal in the main thread, between any two instructions, and what the handler
raises (KeyboardInterrupt) breaks off whatever runs there. That may be the ``__exit__`` of a context manager
before its first line. A careful order of lines makes such a window smaller and closes none. So the handlers
themselves are replaced for a while (:data:`POSTPONEMENT`). The new one looks at the stack. In a function
marked as :func:`uninterrupted`, and in all that it calls, it keeps the signal. Elsewhere it calls the handler
that it found, which does what it always does. The innermost mark counts: an uninterrupted function may call
one that is :func:`interruptible`. Signals that were kept are delivered where the next interruptible function
begins, and where the postponement ends.
"""

from __future__ import annotations

import functools
import signal
import threading
import weakref
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, ParamSpec, Self, TypeVar

import numpy as np

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., Any])

_SIGNALS = tuple(number for number in signal.valid_signals() if isinstance(number, signal.Signals))
"""Those that have a name."""

_MARKED: set[CodeType] = set()
"""The code of functions that are uninterrupted, and of the one that calls the interruptible ones."""


def uninterrupted(function: Function) -> Function:
    """Decorate a function that signals wait for, while :data:`POSTPONEMENT` is in force.

    Parameters
    ----------
    function : function
        What is marked.

    Returns
    -------
    function
        The same.
    """
    _MARKED.add(function.__code__)
    return function


for _method in (np.errstate.__enter__, np.errstate.__exit__):
    if hasattr(_method, "__code__"):  # else it is C, which no signal breaks off
        uninterrupted(_method)  # NumPy's error state would stay changed
# Python prints and drops what the callback of a weak reference raises: a signal there would be lost.
_weak: tuple[Any, ...] = (weakref.WeakKeyDictionary(), weakref.WeakValueDictionary(), weakref.WeakSet())
for _collection in _weak:
    if _remove := getattr(_collection, "_remove", None):
        uninterrupted(_remove)


def interruptibly(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Call a function that signals may break off, even if the caller is uninterrupted.

    Parameters
    ----------
    function : callable
        What is called.
    *args, **kwargs : object
        Its arguments.

    Returns
    -------
    object
        What it returns.
    """
    POSTPONEMENT.deliver()
    return function(*args, **kwargs)


_MARKED.add(interruptibly.__code__)


def interruptible(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a function that signals may break off, even if the caller is uninterrupted.

    Parameters
    ----------
    function : function
        What is marked.

    Returns
    -------
    function
        The same, called by :func:`interruptibly`.
    """

    @functools.wraps(function)
    def wrapper(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return interruptibly(function, *args, **kwargs)

    return wrapper


class Postponement:
    """While it is in force, signals wait for functions marked as uninterrupted.

    It acts in the main thread alone, as no other thread runs handlers. It may be entered again inside itself.
    Setting a handler is one call of C, and a signal comes before it or after it. So there is no window in
    which a signal is lost, or breaks off what it should not.

    Examples
    --------
    >>> import signal
    >>> from sknn_scratch.core.interruption import POSTPONEMENT, uninterrupted
    >>> @uninterrupted
    ... def all_or_nothing():
    ...     signal.raise_signal(signal.SIGINT)
    ...     print("the end is reached")
    >>> try:
    ...     with POSTPONEMENT:
    ...         all_or_nothing()
    ... except KeyboardInterrupt:
    ...     print("then comes the interrupt")
    the end is reached
    then comes the interrupt
    """

    def __init__(self) -> None:
        self._depth = self._depth_of_closed = 0
        self._found: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._kept: dict[int, FrameType | None] = {}

    @uninterrupted
    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            if self._depth == 0:
                for number in _SIGNALS:
                    found = signal.getsignal(number)
                    if callable(found) and found != self._handle:
                        self._found[number] = found
                        signal.signal(number, self._handle)
            self._depth += 1
        return self

    @uninterrupted
    def __exit__(self, *exception: object) -> None:
        if threading.current_thread() is threading.main_thread():
            self._depth -= 1
            if self._depth < self._depth_of_closed:
                self._depth_of_closed = 0
            if self._depth == 0:
                for number, found in self._found.items():
                    if signal.getsignal(number) == self._handle:  # or somebody has set another one since
                        signal.signal(number, found)
                self.deliver()

    def close(self) -> None:
        """In the main thread: keep signals in all functions, until the context around the caller ends."""
        if threading.current_thread() is threading.main_thread():
            self._depth_of_closed = self._depth

    def deliver(self) -> None:
        """In the main thread: let the handlers act on the signals that were kept."""
        if threading.current_thread() is not threading.main_thread():
            return
        while self._kept and not self._depth_of_closed:
            number, frame = self._kept.popitem()
            self._found[number](number, frame)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        marked = frame
        while marked is not None and marked.f_code not in _MARKED:
            marked = marked.f_back
        if not self._depth_of_closed and (marked is None or marked.f_code is interruptibly.__code__):
            self._found[number](number, frame)
        else:
            self._kept[number] = frame


POSTPONEMENT = Postponement()
