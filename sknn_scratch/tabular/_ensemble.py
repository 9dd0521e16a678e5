"""Members trained in lockstep: after each epoch they are judged together."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from sknn_scratch.core import Epoch, History, Observer, Outcome, train_minibatch
from sknn_scratch.core.interruption import POSTPONEMENT, interruptibly, uninterrupted
from sknn_scratch.fitting._engine import engine
from sknn_scratch.tabular._member import Member

SECONDS_OF_A_WAIT = 0.1
"""After which the main thread looks whether it was interrupted.

On Windows, or where a library has waits go on after a signal (polars does), Ctrl-C is noticed only between
two of them. The wait is one call of C: an interrupt could leave one of Python's own locks locked for ever.
"""


NOT_JUDGED = math.nan, math.nan
"""Loss and score of an epoch that a member has not come through."""


class Lockstep:
    """Trains members at the same time, epoch by epoch.

    Think of runners on a round track with one gate. An epoch is one round, and each runner passes the gate
    twice. The gate opens when the last runner has come; before it opens, the thread that called `train` acts
    for all while nobody moves. Scorers and callbacks run in this thread alone, because what they use may
    belong to it: scikit-learn's configuration, a connection, a window. First, members wait there to be judged
    together, so that the epoch whose weights they keep is the best one of the ensemble. Then each compares
    its score and keeps its weights or not. At the second passage the epoch is recorded, and the observer
    looks at members that do not change. A runner who gives up breaks the gate, and all who wait there stop
    too. A single member runs in the calling thread itself.

    Parameters
    ----------
    members : list of Member
        What is trained.
    judge : callable
        Returns the validation loss and score of all members as they are; None where nothing is held out.
    observer : Observer
        Called once for every epoch, with the means over members.
    n_at_work : int
        Members that compute at the same time.
    epochs : list of Epoch
        The means are appended to it.
    """

    def __init__(
        self,
        members: list[Member],
        judge: Callable[[], tuple[float | None, float | None]],
        observer: Observer,
        n_at_work: int,
        epochs: list[Epoch],
    ) -> None:
        self.members, self.judge, self.observer, self.epochs = members, judge, observer, epochs
        self._recent: dict[int, Epoch] = {}
        self._is_interrupted = self._stops = False
        self._judgement: tuple[float | None, float | None] = NOT_JUDGED
        self._at_work = threading.Semaphore(n_at_work)
        self._gate = threading.Barrier(len(members))
        self._asked: tuple[Callable[[], object], Future[None]] | None = None
        self._wakes: SimpleQueue[object] = SimpleQueue()

    def train(self, max_epochs: int) -> Outcome:
        """Train all members.

        Parameters
        ----------
        max_epochs : int
            Passes over the data at most.

        Returns
        -------
        Outcome
            Why training ended.
        """
        train = self._train_in_threads if len(self.members) > 1 else partial(self._train_member, 0)
        outcome = train(max_epochs)
        if outcome is Outcome.DIVERGED:
            self.epochs.append(Epoch(math.nan, *self._judgement))
        return outcome

    @uninterrupted
    def _train_in_threads(self, max_epochs: int) -> Outcome:
        futures: list[Future[Outcome]] = []
        failure: BaseException | None = None
        with POSTPONEMENT, ThreadPoolExecutor(len(self.members)) as pool:
            try:
                for i in range(len(self.members)):
                    futures.append(pool.submit(self._train_member, i, max_epochs))
                    futures[-1].add_done_callback(self._wakes.put)
            except BaseException as error:  # no more threads: those that have begun would wait for the others
                failure = error
                self._gate.abort()
            while not all(future.done() for future in futures):
                try:
                    interruptibly(self._wakes.get, timeout=SECONDS_OF_A_WAIT)
                except Empty:
                    pass
                except BaseException as error:
                    self._is_interrupted = True  # they end with the epoch that they are in
                    if not isinstance(error, KeyboardInterrupt):
                        failure = error
                self._do_what_is_asked()
        if failure is not None:
            raise failure
        outcomes, errors = set(), []
        for future in futures:
            try:
                outcomes.add(future.result())
            except threading.BrokenBarrierError:  # of those that waited for one that failed
                continue
            except BaseException as error:
                errors.append(error)
        if errors:
            raise errors[0]
        if Outcome.DIVERGED in outcomes:
            return Outcome.DIVERGED
        return Outcome.INTERRUPTED if self._is_interrupted else outcomes.pop()

    def _train_member(self, i: int, max_epochs: int) -> Outcome:
        member = self.members[i]
        outcome = None
        try:
            outcome = train_minibatch(
                member.network,
                member.parameters,
                member.batches,
                member.training,
                History(),
                max_epochs,
                validate=lambda parameters: self._be_judged(),
                observer=_MemberObserver(self, i),
                rng=member.rng if member.has_dropout else None,
                engine=engine(),
            )
        finally:
            # the others would wait for it for ever
            if outcome in (None, Outcome.DIVERGED, Outcome.INTERRUPTED):
                self._gate.abort()
                self._at_work.release()
        return outcome

    def _do_what_is_asked(self) -> None:
        """Act for the member that is waiting for it, if there is one."""
        if self._asked is None:
            return
        (act, done), self._asked = self._asked, None
        try:
            act()
        except BaseException as error:
            done.set_exception(error)
        else:
            done.set_result(None)

    def _in_calling_thread(self, act: Callable[[], object]) -> None:
        """Act in the thread that called `train`; one member at a time asks for it."""
        if len(self.members) == 1:
            act()
            return
        done: Future[None] = Future()
        self._asked = act, done
        self._wakes.put(done)
        done.result()

    def _pass_gate(self, act: Callable[[], object]) -> None:
        """Wait for the last member; the calling thread acts, and then all go on."""
        if self._gate.wait() == 0:
            try:
                self._in_calling_thread(act)
            except BaseException:
                self._gate.abort()
                raise
        self._gate.wait()

    def begin_epoch(self, i: int) -> None:
        """Member i wants to work."""
        self._at_work.acquire()
        if i == 0:
            self._in_calling_thread(self.observer.epoch_begins)

    def _be_judged(self) -> tuple[float | None, float | None]:
        self._at_work.release()
        self._pass_gate(self._judge)
        return self._judgement

    def end_epoch(self, i: int, epoch: Epoch) -> bool:
        """Member i has finished an epoch; True ends its training."""
        self._recent[i] = epoch
        self._pass_gate(self._end_epoch)
        return self._stops

    def _judge(self) -> None:
        self._judgement = interruptibly(self.judge)

    def _end_epoch(self) -> None:
        recent: list[Any] = [self._recent[i] for i in range(len(self.members))]
        first = recent[0]
        self.epochs.append(
            Epoch(
                loss=float(np.mean([epoch.loss for epoch in recent])),
                validation_loss=first.validation_loss,
                validation_score=first.validation_score,
                learning_rate=first.learning_rate,
                gradient_norm=float(np.mean([epoch.gradient_norm for epoch in recent])),
                seconds=max(epoch.seconds for epoch in recent),
            )
        )
        self._judgement = NOT_JUDGED
        self._stops = self.observer.epoch_ends(self.epochs[-1]) or self._is_interrupted


class _MemberObserver(Observer):
    def __init__(self, lockstep: Lockstep, i: int) -> None:
        self.lockstep, self.i = lockstep, i

    def epoch_begins(self) -> None:
        self.lockstep.begin_epoch(self.i)

    def epoch_ends(self, epoch: Epoch) -> bool:
        return self.lockstep.end_epoch(self.i, epoch)
