"""Losses, each with its link, on raw scores.

A loss takes the raw scores of the last layer, not predictions: it never takes the logarithm of a saturated
probability, and with the loss's natural link the gradient is simply ``prediction - target``.

With rows i, outputs k and weights w_i (1 if none are given), every loss is the weighted mean over rows of the
sum over outputs,

    L = sum_i w_i sum_k l(raw_ik, y_ik) / sum_i w_i.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.optimize import minimize

from sknn_scratch.core.configuration import FINITE, Configured, Interval
from sknn_scratch.core.losses.links import INVERSE_LINKS, LINK_FORMULAS, RAW_IN_UNITS
from sknn_scratch.core.parameters import FloatArray


@dataclass
class Loss(Configured):
    """A pointwise loss of raw scores, and the link between raw scores and predictions."""

    link_inverse: ClassVar[str]
    """Name of what turns raw scores into predictions."""

    formula: ClassVar[str] = "l(p, y)"
    derivative: ClassVar[str] = "dl/dz"
    """l and dl / d raw in words, with p for predictions and z for raw scores; shown by `explain`."""

    targets: ClassVar[Interval] = FINITE
    """Where targets may lie."""

    @property
    def raw_per_target(self) -> int:
        """Columns of raw scores per column of y; the losses of one class out of several have one per class.

        Columns are grouped kind by kind: the first kind for all targets, then the second for all, and so on.
        """
        return 1

    def in_units(self, scale: float) -> tuple[float, float]:
        """Factor and offset that turn the loss of y / scale into that of y."""
        return scale, 0.0

    def best_constant(self, y: FloatArray, weight: FloatArray | None, n_outputs: int) -> FloatArray:
        """Return the raw scores, the same for all rows, with the least loss.

        A network can start there, and has learnt nothing while it is no better. Some losses have a formula
        for it; for the others, SciPy's L-BFGS finds it, starting from 0.

        Parameters
        ----------
        y : ndarray of shape (n_rows, n_targets)
            Targets.
        weight : ndarray of shape (n_rows,) or None
            Weight of each row, not all zero.
        n_outputs : int
            Columns of raw scores.

        Returns
        -------
        ndarray of shape (n_outputs,), float64
            Raw scores.

        Examples
        --------
        >>> import numpy as np
        >>> from sknn_scratch.core import AbsoluteError
        >>> AbsoluteError().best_constant(np.array([[1.0], [2.0], [30.0]]), None, 1)
        array([2.])
        """
        raw, out = np.empty((len(y), n_outputs)), np.empty((len(y), n_outputs))
        per_row, y = np.empty(len(y)), y.astype(np.float64, copy=False)

        def value_and_gradient(constant: FloatArray) -> tuple[float, FloatArray]:
            raw[...] = constant
            return self.value_and_gradient(raw, y, weight, out, per_row), out.sum(axis=0)

        found = minimize(value_and_gradient, np.zeros(n_outputs), method="L-BFGS-B", jac=True)
        return np.asarray(found.x)

    @abstractmethod
    def value_and_gradient(
        self,
        raw: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        out: FloatArray,
        per_row: FloatArray,
    ) -> float:
        """Return L and write ``out <- dL / d raw``.

        Parameters
        ----------
        raw : ndarray of shape (n_rows, n_outputs)
            Raw scores; their memory may hold anything afterwards.
        y : ndarray of shape (n_rows, n_targets)
            Targets, in the dtype of `raw`.
        weight : ndarray of shape (n_rows,) or None
            Weight of each row, not all zero.
        out : ndarray of shape (n_rows, n_outputs)
            Memory for the gradient, separate from `raw`.
        per_row : ndarray of shape (n_rows,)
            Scratch memory for one number per row.
        """

    @property
    def formulas(self) -> Mapping[str, str]:
        """The formulas of the prediction, the loss and the gradient of the raw scores."""
        return {
            "activation": f"p = {LINK_FORMULAS[self.link_inverse]}",
            "loss": f"sum of ({self.formula}) / n",
            "delta": f"dL/dz = ({self.derivative}) / n",
        }

    def raw_in_units(self, raw: FloatArray, offset: FloatArray, scale: FloatArray) -> FloatArray:
        """Raw scores for targets y = offset + scale y', given those of a network that was trained on y'."""
        return RAW_IN_UNITS[self.link_inverse](raw, offset, scale)

    def predict(self, raw: FloatArray, out: FloatArray) -> None:
        """Write the predictions: ``out <- inverse link(raw)``; `out` may be `raw`."""
        INVERSE_LINKS[self.link_inverse](raw, out)


def weighted_mean(values: FloatArray, weight: FloatArray | None) -> float:
    """The mean over rows of the sum over columns; `values` are used up."""
    if weight is None:
        return float(np.add.reduce(values, axis=None)) / len(values)
    values *= weight[:, np.newaxis]  # NumPy sums pairwise; einsum would add up rounding errors in float32
    return float(np.add.reduce(values, axis=None)) / float(weight.sum())


def scale_rows(gradient: FloatArray, weight: FloatArray | None) -> None:
    """Turn pointwise gradients into those of the weighted mean: row i times w_i / sum w."""
    if weight is None:
        gradient *= 1.0 / len(gradient)
    else:
        gradient *= weight[:, np.newaxis]
        gradient *= 1.0 / float(weight.sum())
