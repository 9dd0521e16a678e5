"""What happens in training: epochs, their observers, and how it ended."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum


class Outcome(Enum):
    """Why a training loop ended."""

    CONVERGED = "converged"
    MAX_ITER = "the number of iterations allowed was reached"
    STOPPED = "the observer asked to stop"
    INTERRUPTED = "interrupted from the keyboard"
    DIVERGED = "a loss or weight, or the score that is watched, is not finite"
    PAUSED = "an epoch paused on its way"
    FAILED = "the optimizer could make no progress"


@dataclass
class Epoch:
    """What is known at the end of an epoch, or of an iteration of L-BFGS.

    Attributes
    ----------
    loss : float
        Training loss, with the penalty.
    validation_loss : float or None
        Loss on the validation part without the penalty, if there is one.
    validation_score : float or None
        Score on the validation part; greater is better, nan if undefined.
    learning_rate : float or None
        Learning rate of its last step, if it has one.
    gradient_norm : float
        Euclidean norm of the gradient at its first step, or at the end of an iteration of L-BFGS.
    seconds : float
        Its duration.
    on_plateau : bool
        Whether patience has just run out.
    is_last : bool
        Whether training ends for that reason.
    """

    loss: float = math.nan
    validation_loss: float | None = None
    validation_score: float | None = None
    learning_rate: float | None = None
    gradient_norm: float = math.nan
    seconds: float = math.nan
    on_plateau: bool = False
    is_last: bool = False

    def watched(self, validation: bool) -> float:
        """What patience watches, greater is better: the validation score, or the negative training loss."""
        return self.validation_score if validation and self.validation_score is not None else -self.loss

    def measured(self) -> dict[str, float | None]:
        """The measurements by name, one row of a table."""
        names = ("loss", "validation_loss", "validation_score", "learning_rate", "gradient_norm", "seconds")
        return {name: getattr(self, name) for name in names}

    def is_finite(self, validation: bool) -> bool:
        """Whether the training loss is finite and, where patience watches validation, what it yields too."""
        measured = (self.loss, *((self.validation_loss, self.validation_score) if validation else ()))
        return all(value is None or math.isfinite(value) for value in measured)


class Observer:
    """Called at every epoch; this one does nothing."""

    def epoch_begins(self) -> None:
        """Called before an epoch."""

    def epoch_ends(self, epoch: Epoch) -> bool:
        """Called after an epoch; True ends the training."""
        return False


@dataclass
class History:
    """The course of one call of training.

    Attributes
    ----------
    epochs : list of Epoch
        One for each epoch, or for each iteration of L-BFGS.
    loss_scale : float
        The data's part of a loss is recorded as ``loss_scale * loss``. It does not affect what is minimised.
    """

    epochs: list[Epoch] = field(default_factory=list)
    loss_scale: float = 1.0

    @property
    def losses(self) -> list[float]:
        """Training loss at each epoch."""
        return [epoch.loss for epoch in self.epochs]

    def reported(self, loss: float) -> float:
        """The data's part of a loss in recorded units."""
        return self.loss_scale * loss
