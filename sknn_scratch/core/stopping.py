"""When to stop: patience with a tolerance, and the best weights seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sknn_scratch.core.parameters import FloatArray


@dataclass
class Patience:
    """Counts the epochs in which a score has not improved enough.

    Parameters
    ----------
    tol : float
        An epoch counts as stagnant if its score is below ``best + tol``.
    n_iter_no_change : float
        Patience runs out after more stagnant epochs in a row than this.
    keeps_best_weights : bool, default=False
        Whether to copy the weights at each new best score.
    keeps_last_of_equals : bool, default=False
        Whether a score equal to the best one counts as a new best score.
    multiple : float or None, default=None
        If given, stagnant epochs do not count: patience runs out after more epochs than
        ``multiple * best_epoch + n_iter_no_change``. So patience grows with the best epoch.

    Attributes
    ----------
    best : float
        The best score so far; greater is better.
    best_weights : ndarray or None
        A copy of the weights at that score.
    best_epoch, n_epochs : int
        The epoch that reached it, and the number of epochs so far.
    n_stagnant : int
        Stagnant epochs in a row.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Patience
    >>> patience = Patience(tol=0.0, n_iter_no_change=1)
    >>> for score in (0.5, 0.4, 0.3):
    ...     patience.update(score, np.zeros(1))
    >>> patience.has_run_out
    True
    """

    tol: float
    n_iter_no_change: float
    keeps_best_weights: bool = False
    keeps_last_of_equals: bool = False
    multiple: float | None = None
    best: float = -math.inf
    best_weights: FloatArray | None = None
    best_epoch: int = 0
    n_epochs: int = 0
    n_stagnant: int = 0

    def update(self, score: float, weights: FloatArray) -> None:
        """Record the score at the end of an epoch, and the weights that reached it."""
        self.n_epochs += 1
        threshold = self.best + float(self.tol)  # np.float32 would round the sum
        self.n_stagnant = self.n_stagnant + 1 if score < threshold else 0
        if score > self.best or (self.keeps_last_of_equals and score == self.best):
            self.best, self.best_epoch = score, self.n_epochs
            if self.keeps_best_weights:
                self.best_weights = weights.copy()  # the live ones go on changing

    @property
    def has_run_out(self) -> bool:
        """Whether there were more stagnant epochs in a row, or epochs in all, than patience allows."""
        if self.multiple is not None:
            return self.n_epochs > self.multiple * self.best_epoch + self.n_iter_no_change
        return self.n_stagnant > self.n_iter_no_change
