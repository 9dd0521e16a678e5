"""Members trained in lockstep: after each epoch they are judged together."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from sknn_scratch.core import (
    Batches,
    Dropout,
    Epoch,
    History,
    Network,
    Observer,
    Outcome,
    Parameters,
    Training,
    train_minibatch,
)
from sknn_scratch.core.interruption import POSTPONEMENT, interruptibly, uninterrupted

SECONDS_OF_A_WAIT = 0.1
"""After which the main thread looks whether it was interrupted.

On Windows, or where a library has waits go on after a signal (polars does), Ctrl-C is noticed only between
two of them. The wait is one call of C: an interrupt could leave one of Python's own locks locked for ever.
"""


NOT_JUDGED = math.nan, math.nan
"""Loss and score of an epoch that a member has not come through."""


@dataclass
class Member:
    """One network in training.

    Attributes
    ----------
    network, parameters, batches, training : Network, Parameters, Batches, Training
        What the training loop works with.
    rng : numpy.random.RandomState
        Source of its random numbers.
    """

    network: Network
    parameters: Parameters
    batches: Batches
    training: Training
    rng: np.random.RandomState

    @property
    def has_dropout(self) -> bool:
        """Whether a step draws random numbers."""
        return any(isinstance(layer, Dropout) for layer in self.network.layers)


class Lockstep:
    """Trains members at the same time, epoch by epoch.

    All wait for the last one at two points of an epoch: to be judged together, so that the epoch whose
    weights they keep is the best one of the ensemble; and to be looked at, while none of them changes. One
    member trains in the thread that asks for it.

    Parameters
    ----------
    members : list of Member
        What is trained.
    judge : callable
        Returns the validation loss and score of all members as they are; None where nothing is held out.
    observer : Observer
        Is told of every epoch once, with the means over members.
    n_at_work : int
        Members that compute at the same time.
    epochs : list of Epoch
        What the observer is told is appended to it.
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
        self._judging = threading.Barrier(len(members), self._judge)
        self._ending = threading.Barrier(len(members), self._end_epoch)

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
        try:
            train = self._train_in_threads if len(self.members) > 1 else partial(self._train_member, 0)
            outcome = train(max_epochs)
            if outcome is Outcome.DIVERGED:
                self.epochs.append(Epoch(math.nan, *self._judgement))
            return outcome
        finally:
            del self._judging, self._ending  # they hold this object: the data would outlive it in a cycle

    @uninterrupted
    def _train_in_threads(self, max_epochs: int) -> Outcome:
        ended: SimpleQueue[Future[Outcome]] = SimpleQueue()
        with POSTPONEMENT, ThreadPoolExecutor(len(self.members)) as pool:
            futures: list[Future[Outcome]] = []
            try:
                for i in range(len(self.members)):
                    futures.append(pool.submit(self._train_member, i, max_epochs))
                    futures[-1].add_done_callback(ended.put)
            except BaseException:  # no more threads: those that have begun would wait for the others for ever
                self._abort()
                raise
            while not all(future.done() for future in futures):
                try:
                    interruptibly(ended.get, timeout=SECONDS_OF_A_WAIT)
                except Empty:
                    continue
                except BaseException as error:
                    self._is_interrupted = True  # they end with the epoch that they are in
                    if not isinstance(error, KeyboardInterrupt):
                        raise
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
                validate=lambda parameters: self._wait_to_be_judged(),
                observer=_MemberObserver(self, i),
                rng=member.rng if member.has_dropout else None,
            )
        finally:
            if outcome in (None, Outcome.DIVERGED):  # the others would wait for it for ever
                self._abort()
                self._at_work.release()
        return outcome

    def _abort(self) -> None:
        """End the training of all members that wait, or will wait, for each other."""
        self._judging.abort()
        self._ending.abort()

    def begin_epoch(self, i: int) -> None:
        """Member i wants to work."""
        self._at_work.acquire()
        if i == 0:
            self.observer.epoch_begins()

    def _wait_to_be_judged(self) -> tuple[float | None, float | None]:
        self._at_work.release()
        self._judging.wait()
        return self._judgement

    def end_epoch(self, i: int, epoch: Epoch) -> bool:
        """Member i has an epoch behind it; True ends its training."""
        self._recent[i] = epoch
        self._ending.wait()
        return self._stops

    def _judge(self) -> None:
        self._judgement = self.judge()

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
