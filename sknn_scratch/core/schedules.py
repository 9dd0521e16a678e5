"""Learning-rate schedules: pure functions of how far training has come."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

from sknn_scratch.core.configuration import NOT_NEGATIVE, Configured, number


@dataclass
class Progress:
    """How far training has come; all that a schedule may depend on.

    Attributes
    ----------
    learning_rate_init : float
        The learning rate to start from.
    epoch : int
        Epochs finished.
    samples_seen : int
        Rows that have been trained on, counted at the end of an epoch.
    plateaus : int
        How often patience ran out without ending the training.
    """

    learning_rate_init: float
    epoch: int = 0
    samples_seen: int = 0
    plateaus: int = 0


@dataclass
class Schedule(Configured):
    """The learning rate as a function of progress."""

    @abstractmethod
    def __call__(self, progress: Progress) -> float:
        """The learning rate of the next epoch."""

    def goes_on_after_plateau(self, progress: Progress) -> bool:
        """Whether training goes on, one plateau further, when patience has run out."""
        return False


@dataclass
class Constant(Schedule):
    """lr = lr_init.

    Examples
    --------
    >>> from sknn_scratch.core import Constant, Progress
    >>> Constant()(Progress(0.1, epoch=7))
    0.1
    """

    def __call__(self, progress: Progress) -> float:
        return progress.learning_rate_init


@dataclass
class InverseScaling(Schedule):
    """lr = lr_init / (samples seen + 1)^power_t.

    Parameters
    ----------
    power_t : float >= 0, default=0.5
        The exponent.

    Examples
    --------
    >>> from sknn_scratch.core import InverseScaling, Progress
    >>> round(InverseScaling()(Progress(0.1, samples_seen=99)), 6)
    0.01
    """

    power_t: float = number(0.5, NOT_NEGATIVE)

    def __call__(self, progress: Progress) -> float:
        # x^-p = exp(-p log x) cannot overflow
        return progress.learning_rate_init * math.exp(-self.power_t * math.log(progress.samples_seen + 1))


@dataclass
class Adaptive(Schedule):
    """lr = lr_init / 5^plateaus: a fifth each time patience runs out, until it is 1e-6 or less.

    Examples
    --------
    >>> from sknn_scratch.core import Adaptive, Progress
    >>> Adaptive()(Progress(0.5, plateaus=1))
    0.1
    """

    def __call__(self, progress: Progress) -> float:
        learning_rate = progress.learning_rate_init
        for _ in range(progress.plateaus):
            learning_rate /= 5.0
        return learning_rate

    def goes_on_after_plateau(self, progress: Progress) -> bool:
        return self(progress) > 1e-6


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
}
