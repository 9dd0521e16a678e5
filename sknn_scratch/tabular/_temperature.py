"""The temperature of probabilities: one number that makes them neither overconfident nor underconfident."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from sknn_scratch.core import Loss
from sknn_scratch.core.parameters import FloatArray

LARGEST_LOG = 4.0
"""Temperatures are looked for between exp(-4) and exp(4)."""

Judged = tuple[FloatArray, FloatArray, npt.NDArray[np.floating] | None]


def best_temperature(loss: Loss, held_out: Sequence[Judged]) -> float:
    """Find the T > 0 for which the loss of raw / T on rows held out is least.

    Label smoothing makes probabilities too cautious, and long training makes them too bold. Dividing raw
    scores by T mends both and changes no prediction of a class. Where all n rows held out are classified
    right, no T > 0 would be small enough: so the labels are smoothed by 1 / (n + 1), as if one more row could
    be of any class.

    Parameters
    ----------
    loss : Loss
        What is minimised, without label smoothing.
    held_out : sequence of (raw, y, weight)
        For each split the raw scores of its rows held out, shape (n_rows, n_outputs), their encoded targets,
        and their weights or None.

    Returns
    -------
    float
        The temperature.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger (2017), "On calibration of modern neural networks".

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import LogLoss
    >>> raw, y = np.log([[0.9, 0.1]] * 400), np.repeat([[0.0], [1.0]], [300, 100], axis=0)
    >>> T = best_temperature(LogLoss(), [(raw, y, None)])  # 0.9, where three of four rows are right
    >>> f"{0.9 ** (1 / T) / (0.9 ** (1 / T) + 0.1 ** (1 / T)):.2f}"
    '0.75'
    """
    raw = np.concatenate([raw for raw, _, _ in held_out])
    y = np.concatenate([y for _, y, _ in held_out]).astype(raw.dtype)
    weights = [weight for _, _, weight in held_out if weight is not None]
    weight = np.concatenate(weights).astype(raw.dtype) if weights else None
    loss = copy.deepcopy(loss).set_params(label_smoothing=1 / (len(raw) + 1))
    out, per_row = np.empty_like(raw), np.empty(len(raw), raw.dtype)

    def loss_at(log_temperature: float) -> float:
        return loss.value_and_gradient(raw / np.exp(log_temperature), y, weight, out, per_row)

    found = minimize_scalar(loss_at, bounds=(-LARGEST_LOG, LARGEST_LOG), method="bounded")
    return float(np.exp(found.x))
