"""The kernel of each loss, and `CompiledLoss`, which computes a loss of the core by its kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from sknn_scratch.compiled import losses_of_classes, losses_of_numbers
from sknn_scratch.compiled.jit import Kernel
from sknn_scratch.compiled.loss_means import Constants
from sknn_scratch.core.losses import (
    AbsoluteError,
    BinaryLogLoss,
    BinarySquaredError,
    ClassSquaredError,
    Gamma,
    GaussianNLL,
    Huber,
    LogLoss,
    Loss,
    PerColumn,
    Poisson,
    Quantile,
    SquaredError,
)
from sknn_scratch.core.parameters import FloatArray

_KERNELS: dict[type[Loss], Kernel] = {
    SquaredError: losses_of_numbers.squared_error,
    AbsoluteError: losses_of_numbers.absolute_error,
    Huber: losses_of_numbers.huber,
    Quantile: losses_of_numbers.quantile,
    Poisson: losses_of_numbers.poisson,
    Gamma: losses_of_numbers.gamma,
    GaussianNLL: losses_of_numbers.gaussian_nll,
    BinaryLogLoss: losses_of_numbers.binary_log_loss,
    LogLoss: losses_of_classes.log_loss,
    BinarySquaredError: losses_of_numbers.binary_squared_error,
    ClassSquaredError: losses_of_classes.class_squared_error,
}


class LossKernel(NamedTuple):
    """The compiled form of a loss.

    Attributes
    ----------
    constants : ndarray of float64
        Its settings. For losses of classes, the label smoothing and, if y has several columns, the number of
        classes in each.
    kernel : Kernel
        ``kernel[dtype](constants, raw, y, weight, out)`` returns the loss; `weight` is of size 0 where all
        weights are 1.
    """

    constants: Constants
    kernel: Kernel


def kernel_of(loss: Loss) -> LossKernel | None:
    """The compiled form of a loss; None for losses that are not the core's.

    Parameters
    ----------
    loss : Loss
        The loss.

    Returns
    -------
    LossKernel or None
        Its constants and its kernel.
    """
    widths: tuple[int, ...] = ()
    if type(loss) is PerColumn:
        widths, loss = loss.n_classes, loss.loss
        if type(loss) not in (LogLoss, ClassSquaredError):
            return None
    if type(loss) not in _KERNELS:
        return None
    settings: list[float] = []
    if isinstance(loss, Huber):
        settings = [loss.delta]
    elif isinstance(loss, Quantile):
        settings = loss.levels
    elif isinstance(loss, BinaryLogLoss | LogLoss):
        settings = [loss.label_smoothing]
    elif isinstance(loss, ClassSquaredError):
        settings = [0.0]
    return LossKernel(np.array([*settings, *widths], np.float64), _KERNELS[type(loss)])


@dataclass
class CompiledLoss(Loss):
    """A loss of the core whose value and gradient are compiled; predictions are the core's.

    Parameters
    ----------
    loss : Loss
        One that has a kernel.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.compiled.losses import CompiledLoss
    >>> from sknn_scratch.core import LogLoss
    >>> raw, y, gradient = np.array([[0.0, 800.0]]), np.array([[0.0]]), np.empty((1, 2))
    >>> CompiledLoss(LogLoss()).value_and_gradient(raw, y, None, gradient, np.empty(1))
    800.0
    >>> gradient
    array([[-1.,  1.]])
    """

    loss: Loss
    _kernel: LossKernel = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = kernel_of(self.loss)
        if found is None:
            raise ValueError(f"{self.loss!r} has no kernel.")
        self._kernel = found

    @property
    def link_inverse(self) -> str:  # type: ignore[override]
        """Name of the function that turns raw scores into predictions."""
        return self.loss.link_inverse

    @property
    def raw_per_target(self) -> int:
        return self.loss.raw_per_target

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        weight = per_row[:0] if weight is None else weight
        constants, kernel = self._kernel
        return float(kernel[raw.dtype](constants, raw, y, weight, out))

    def predict(self, raw: FloatArray, out: FloatArray) -> None:
        self.loss.predict(raw, out)
