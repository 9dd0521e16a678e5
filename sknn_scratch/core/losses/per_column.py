"""Several columns of targets, each with one class out of several."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from sknn_scratch.core.losses.base import Loss
from sknn_scratch.core.losses.classification import LogLoss
from sknn_scratch.core.parameters import FloatArray


@dataclass
class PerColumn(Loss):
    """The sum of one loss of classes for each column of targets.

    Parameters
    ----------
    n_classes : tuple of int
        Number of classes of each column. Raw scores are those of the first column's classes, then the
        second's, and so on.
    loss : Loss, default=LogLoss()
        The loss of a column.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import PerColumn
    >>> raw, y, gradient = np.zeros((1, 5)), np.array([[1.0, 0.0]]), np.empty((1, 5))
    >>> round(PerColumn((2, 3)).value_and_gradient(raw, y, None, gradient, np.empty(1)), 4)  # log 2 + log 3
    1.7918
    """

    link_inverse: ClassVar[str] = "softmax"
    formula: ClassVar[str] = "sum over columns of y of the loss of its classes"

    n_classes: tuple[int, ...]
    loss: Loss = field(default_factory=LogLoss)

    def parts(self) -> list[slice]:
        """The columns of raw scores that belong to each column of targets."""
        ends = itertools.accumulate(self.n_classes, initial=0)
        return [slice(start, stop) for start, stop in itertools.pairwise(ends)]

    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        return sum(
            self.loss.value_and_gradient(raw[:, part], y[:, i : i + 1], weight, out[:, part], per_row)
            for i, part in enumerate(self.parts())
        )

    def predict(self, raw: FloatArray, out: FloatArray) -> None:
        for part in self.parts():
            self.loss.predict(raw[:, part], out[:, part])

    def class_numbers(self, raw: FloatArray) -> FloatArray:
        """The most probable class for each column of targets."""
        return np.column_stack([raw[:, part].argmax(axis=1) for part in self.parts()])
