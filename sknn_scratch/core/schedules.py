"""Learning-rate schedules: pure functions of how far training has come, called before every step."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from sknn_scratch.core.configuration import (
    CLOSED_FRACTION,
    FRACTION,
    NOT_NEGATIVE,
    OPEN_FRACTION,
    POSITIVE,
    Configured,
    number,
)


@dataclass
class Progress:
    """How far training has come; all that a schedule may depend on.

    Attributes
    ----------
    learning_rate_init : float
        The initial learning rate.
    epoch : int
        Epochs finished.
    samples_seen : int
        Rows trained on so far, counted at the end of an epoch.
    plateaus : int
        Number of times that patience ran out without ending the training.
    step, n_steps : int
        Steps taken, and steps planned; 0 if not known.
    fraction : float
        Share of the planned steps already taken; 0 while not known.
    """

    learning_rate_init: float
    epoch: int = 0
    samples_seen: int = 0
    plateaus: int = 0
    step: int = 0
    n_steps: int = 0

    @property
    def fraction(self) -> float:
        return min(1.0, self.step / self.n_steps) if self.n_steps else 0.0


@dataclass
class Schedule(Configured):
    """The learning rate as a function of progress."""

    changes_within_epoch: ClassVar[bool] = True
    """Whether two steps of one epoch may have different rates."""

    @abstractmethod
    def __call__(self, progress: Progress) -> float:
        """The learning rate of the next step."""

    def goes_on_after_plateau(self, progress: Progress) -> bool:
        """Whether training continues after this plateau."""
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

    changes_within_epoch: ClassVar[bool] = False

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

    changes_within_epoch: ClassVar[bool] = False

    power_t: float = number(0.5, NOT_NEGATIVE)

    def __call__(self, progress: Progress) -> float:
        # x^-p = exp(-p log x) cannot overflow
        return progress.learning_rate_init * math.exp(-self.power_t * math.log(progress.samples_seen + 1))


@dataclass
class Adaptive(Schedule):
    """lr = lr_init / 5^plateaus: divided by 5 each time patience runs out, until it is 1e-6 or less.

    Examples
    --------
    >>> from sknn_scratch.core import Adaptive, Progress
    >>> Adaptive()(Progress(0.5, plateaus=1))
    0.1
    """

    changes_within_epoch: ClassVar[bool] = False

    def __call__(self, progress: Progress) -> float:
        learning_rate = progress.learning_rate_init
        for _ in range(progress.plateaus):
            learning_rate /= 5.0
        return learning_rate

    def goes_on_after_plateau(self, progress: Progress) -> bool:
        return self(progress) > 1e-6


@dataclass
class Cosine(Schedule):
    """Half a cosine from lr_init down to final lr_init (Loshchilov & Hutter, 2017, without restarts).

    lr = lr_init (final + (1 - final) (1 + cos(pi t)) / 2), where t goes from 0 to 1 over the steps after the
    warm-up. While the number of steps is not known, lr = lr_init.

    Parameters
    ----------
    warmup : float in [0, 1), default=0.0
        Share of all steps over which lr rises to lr_init, in equal parts.
    final : float in [0, 1], default=0.0
        Share of lr_init to end with.

    Examples
    --------
    >>> from sknn_scratch.core import Cosine, Progress
    >>> schedule = Cosine(warmup=0.2)
    >>> [round(schedule(Progress(0.1, step=step, n_steps=10)), 3) for step in range(10)]
    [0.05, 0.1, 0.1, 0.096, 0.085, 0.069, 0.05, 0.031, 0.015, 0.004]
    """

    warmup: float = number(0.0, FRACTION)
    final: float = number(0.0, CLOSED_FRACTION)

    def __call__(self, progress: Progress) -> float:
        t = max(0.0, progress.fraction - self.warmup) / (1 - self.warmup)
        return _warmed_up(_half_cosine(progress.learning_rate_init, self.final, t), self.warmup, progress)


@dataclass
class OneCycle(Schedule):
    """Up from lr_init / div_factor to lr_init, and down again much further (Smith & Topin, 2018).

    Both ways are half a cosine, as in PyTorch's ``OneCycleLR``, whose ``max_lr`` is lr_init. The last step
    uses lr_init / (div_factor final_div_factor). Momentum does not change. While the number of steps is not
    known, lr = lr_init / div_factor.

    Parameters
    ----------
    warmup : float in [0, 1), default=0.3
        Share of all steps on the way up.
    div_factor : float > 0, default=25.0
        lr_init divided by it is the first lr.
    final_div_factor : float > 0, default=1e4
        The first lr divided by it is the last.

    Examples
    --------
    >>> from sknn_scratch.core import OneCycle, Progress
    >>> [round(OneCycle()(Progress(0.1, step=step, n_steps=10)), 3) for step in range(10)]
    [0.004, 0.052, 0.1, 0.095, 0.081, 0.061, 0.039, 0.019, 0.005, 0.0]
    """

    warmup: float = number(0.3, FRACTION)
    div_factor: float = number(25.0, POSITIVE)
    final_div_factor: float = number(1e4, POSITIVE)

    def __call__(self, progress: Progress) -> float:
        first = 1 / self.div_factor
        if not progress.n_steps:
            return float(progress.learning_rate_init * first)
        peak, last = self.warmup * progress.n_steps - 1, progress.n_steps - 1
        if progress.step < peak:
            return _half_cosine(progress.learning_rate_init, first, 1 - progress.step / peak)
        t = min(1.0, (progress.step - peak) / (last - peak))
        return _half_cosine(progress.learning_rate_init, first / self.final_div_factor, t)


@dataclass
class CosLog(Schedule):
    """Waves of growing length, each down to 0; coslog4 has four (Holzmüller, Grinsztajn & Steinwart, 2024).

    lr = lr_init (1 - cos(2 pi log2(1 + (2^n_waves - 1) t))) / 2, where t goes from 0 to 1 over the steps: the
    first step has lr = 0. While the number of steps is not known, lr = lr_init.

    Parameters
    ----------
    n_waves : float > 0, default=4
        From 0 up to lr_init and down to 0 again, each wave twice as long as the one before.

    Examples
    --------
    >>> from sknn_scratch.core import CosLog, Progress
    >>> [round(CosLog()(Progress(0.1, step=step, n_steps=30)), 3) for step in (0, 1, 2, 6, 14, 29)]
    [0.0, 0.093, 0.0, 0.0, 0.0, 0.002]
    """

    n_waves: float = number(4.0, POSITIVE)

    def __call__(self, progress: Progress) -> float:
        if not progress.n_steps:
            return progress.learning_rate_init
        waves = math.log2(1 + (2 ** float(self.n_waves) - 1) * progress.fraction)
        return float(progress.learning_rate_init * (1 - math.cos(2 * math.pi * waves)) / 2)


@dataclass
class FlatCosine(Schedule):
    """lr_init for a while, then half a cosine down to 0.

    lr = lr_init for t < flat, else lr_init (1 + cos(pi (t - flat) / (1 - flat))) / 2, where t goes from 0 to
    1 over the steps.

    Parameters
    ----------
    flat : float in [0, 1), default=0.5
        Share of all steps at lr_init.

    Examples
    --------
    >>> from sknn_scratch.core import FlatCosine, Progress
    >>> [round(FlatCosine()(Progress(1.0, step=step, n_steps=8)), 3) for step in range(8)]
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.854, 0.5, 0.146]
    """

    flat: float = number(0.5, FRACTION)

    def __call__(self, progress: Progress) -> float:
        t = max(0.0, progress.fraction - self.flat) / (1 - self.flat)
        return _half_cosine(progress.learning_rate_init, 0.0, t)


@dataclass
class Exponential(Schedule):
    """lr = lr_init decay^epoch (Senior, Heigold, Ranzato & Yang, 2013).

    Parameters
    ----------
    decay : float in (0, 1), default=0.95
        Factor per epoch.
    warmup : float in [0, 1), default=0.0
        Share of all steps over which lr rises from 0 to this, in equal parts.

    Examples
    --------
    >>> from sknn_scratch.core import Exponential, Progress
    >>> Exponential(decay=0.5)(Progress(0.1, epoch=2))
    0.025
    """

    decay: float = number(0.95, OPEN_FRACTION)
    warmup: float = number(0.0, FRACTION)

    def __call__(self, progress: Progress) -> float:
        return _warmed_up(progress.learning_rate_init * self.decay**progress.epoch, self.warmup, progress)


@dataclass
class Plateau(Schedule):
    """lr = lr_init factor^plateaus: lr is cut each time patience runs out.

    Training ends at the plateau after which a cut would bring lr below min_factor lr_init. `Adaptive` is
    scikit-learn's rule of this kind, with the fixed limit 1e-6.

    Parameters
    ----------
    factor : float in (0, 1), default=0.1
        Factor of a cut.
    min_factor : float in [0, 1), default=1e-3
        Share of lr_init that lr does not fall below; with 0, no plateau ends the training.
    warmup : float in [0, 1), default=0.0
        Share of all steps over which lr rises from 0 to this, in equal parts.

    Examples
    --------
    >>> from sknn_scratch.core import Plateau, Progress
    >>> schedule = Plateau(factor=0.5, min_factor=0.25)
    >>> [schedule(Progress(0.1, plateaus=plateaus)) for plateaus in range(3)]
    [0.1, 0.05, 0.025]
    >>> [schedule.goes_on_after_plateau(Progress(0.1, plateaus=plateaus)) for plateaus in range(3)]
    [True, True, False]
    """

    factor: float = number(0.1, OPEN_FRACTION)
    min_factor: float = number(1e-3, FRACTION)
    warmup: float = number(0.0, FRACTION)

    def __call__(self, progress: Progress) -> float:
        learning_rate = progress.learning_rate_init * self.factor**progress.plateaus
        return _warmed_up(learning_rate, self.warmup, progress)

    def goes_on_after_plateau(self, progress: Progress) -> bool:
        rounding = 1 - 1e-12  # 0.7 * 0.7 is less than 0.49
        return self.factor ** (progress.plateaus + 1) >= rounding * self.min_factor


def _half_cosine(learning_rate: float, final: float, t: float) -> float:
    """From `learning_rate` at t = 0 to its share `final` at t = 1."""
    return float(learning_rate * (final + (1 - final) * (1 + math.cos(math.pi * t)) / 2))


def _warmed_up(learning_rate: float, warmup: float, progress: Progress) -> float:
    """A part of `learning_rate` that grows with the steps; all of it once their share `warmup` is over."""
    n_warmup_steps = warmup * progress.n_steps
    if progress.step + 1 < n_warmup_steps:  # the first step is not to be lost
        learning_rate *= (progress.step + 1) / n_warmup_steps
    return float(learning_rate)


@dataclass
class CustomSchedule(Schedule):
    """lr = function(progress), for your own function.

    Parameters
    ----------
    function : callable
        ``function(progress)`` returns the learning rate of the next step.

    Examples
    --------
    >>> from sknn_scratch.core import CustomSchedule, Progress
    >>> halved_each_epoch = CustomSchedule(lambda progress: progress.learning_rate_init / 2**progress.epoch)
    >>> halved_each_epoch(Progress(0.1, epoch=1))
    0.05
    """

    function: Callable[[Progress], float]

    def __call__(self, progress: Progress) -> float:
        return float(self.function(progress))


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
    "cosine": Cosine,
    "one_cycle": OneCycle,
    "exponential": Exponential,
    "plateau": Plateau,
}
