"""A fit that ends in time: how many epochs fit, from the speed of those that are done."""

from __future__ import annotations

from time import monotonic

from sklearn.exceptions import ConvergenceWarning

from sknn_scratch.core import Epoch, Observer
from sknn_scratch.fitting._user_line import warn_user
from sknn_scratch.tabular._member import Member

FEW_EPOCHS = 16
"""Epochs below which a model is mostly worse.

With 16 instead of 256, its error is 1.6 times as large on letter, 1.06 times on cpu_act, 0.99 times on adult.
"""


class TimeLimit:
    """The seconds that a fit may take, counted from when this is made.

    Parameters
    ----------
    seconds : float
        How many; infinity means no limit.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._start = monotonic()

    @property
    def used(self) -> float:
        """Seconds elapsed."""
        return monotonic() - self._start

    @property
    def left(self) -> float:
        """Seconds that remain."""
        return self.seconds - self.used


class Pacer(Observer):
    """Fits a training into the time that is left, and notifies another observer of each epoch.

    After each epoch it plans how many there will be, at the mean speed of those done. The schedules of all
    members span what is planned. So the last epoch that there is time for ends them, whatever the speed.

    Parameters
    ----------
    observer : Observer
        The other one.
    members : list of Member
        What is trained, in lockstep.
    limit : TimeLimit
        The time of the whole fit.
    max_epochs : int
        Maximum number of epochs, including those of an earlier training that this one continues.
    span : float, default=1.0
        Epochs that the schedules span, as a multiple of those planned.
    epoch_after : float, default=0.0
        For each epoch, the time that a later training may need, as a multiple of an epoch's time.
    seconds_after : float, default=0.0
        Further seconds to keep for the rest of the fit.

    Attributes
    ----------
    n_planned : int
        Epochs that fit, as far as is known.
    ends_training : bool
        Whether training ends for lack of time.
    """

    def __init__(
        self,
        observer: Observer,
        members: list[Member],
        limit: TimeLimit,
        max_epochs: int,
        span: float = 1.0,
        epoch_after: float = 0.0,
        seconds_after: float = 0.0,
    ) -> None:
        self._observer, self._members, self._limit = observer, members, limit
        self._max_epochs, self._span = max_epochs, span
        self._epoch_after, self._seconds_after = epoch_after, seconds_after
        self._ends: list[float] = []
        self._seconds = 0.0
        self.ends_training = False
        self._plan(max_epochs)

    def epoch_begins(self) -> None:
        """Note when the first epoch begins."""
        if not self._ends:
            self._ends.append(self._limit.used)
        self._observer.epoch_begins()

    def epoch_ends(self, epoch: Epoch) -> bool:
        """Plan anew; whether the other observer or the time ends the training."""
        stops = self._observer.epoch_ends(epoch)
        self._ends.append(self._limit.used)
        n_done = self._members[0].training.patience.n_epochs
        self._plan(min(self._max_epochs, n_done + self._n_more(n_done)))
        self.ends_training = not stops and n_done == self.n_planned < self._max_epochs
        return stops or self.ends_training

    @property
    def leaves_time(self) -> bool:
        """Whether an epoch of the later training fits."""
        return self._limit.left >= self._seconds_after + self._epoch_after * self._seconds

    def _n_more(self, n_done: int) -> int:
        """Epochs that still fit: the greatest n with n seconds + after (n_done + n) seconds <= left."""
        since = 1 if len(self._ends) > 2 else 0  # the first epoch may compile, and counts only while alone
        self._seconds = (self._ends[-1] - self._ends[since]) / (len(self._ends) - 1 - since)
        left = self._limit.left - self._seconds_after - self._epoch_after * n_done * self._seconds
        latest = self._ends[-1] - self._ends[-2]
        if left < latest * (1 + self._epoch_after):  # slower than the mean, it would not end in time
            return 0
        of_one = self._seconds * (1 + self._epoch_after)
        return int(min(left / of_one, self._max_epochs)) if of_one > 0 else self._max_epochs

    def _plan(self, n_epochs: int) -> None:
        self.n_planned = n_epochs
        for member in self._members:
            n_steps = self._span * n_epochs * member.batches.n_batches
            member.training.progress.n_steps = round(n_steps)


def warn_of_little_time(limit: TimeLimit, n_epochs: int, max_epochs: int, lacks_refit: bool) -> None:
    """Warn of a limit that leaves too little time.

    Parameters
    ----------
    limit : TimeLimit
        The time of the whole fit.
    n_epochs, max_epochs : int
        Epochs that there was time for, and that were asked for.
    lacks_refit : bool
        Whether there was no time for ``refit=True``.
    """
    lack = (
        "and none for refit=True"
        if lacks_refit
        else f"but fewer than {FEW_EPOCHS} usually give a worse model"
    )
    warn_user(
        f"time_limit={limit.seconds:g} left time for {n_epochs} of max_iter={max_epochs} epochs, {lack}. "
        "Allow more seconds, or train less: smaller hidden_layer_sizes, fewer members (n_ens, n_cv, "
        "refit), or fewer rows.",
        ConvergenceWarning,
    )
