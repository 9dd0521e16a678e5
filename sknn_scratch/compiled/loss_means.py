"""Shared by the kernels of all losses: their arguments, and the weighted mean over rows.

Each kernel returns the weighted mean of a loss over rows, and writes out <- dL / d raw; raw is used up. The
formulas are those of :mod:`sknn_scratch.core.losses`. Losses are computed in the arrays' precision and added
up in float64.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import types

from sknn_scratch.compiled.jit import inner, matrix, read_matrix, read_row, reduction, row
from sknn_scratch.core.parameters import FloatArray

Constants = npt.NDArray[np.float64]
"""The settings of a loss."""


def argument_types(number: types.Type) -> tuple[types.Type, ...]:
    """The types of the arguments of each kernel: constants, raw, y, weight, out."""
    return row(types.float64), matrix(number), read_matrix(number), read_row(number), matrix(number)


@reduction
def sum_of(x: FloatArray) -> float:
    """sum_i x_i."""
    total = 0.0
    for i in range(x.size):
        total += np.float64(x[i])
    return total


@reduction
def weighted_sum(x: FloatArray, weight: FloatArray) -> float:
    """sum_i w_i x_i; without weights sum_i x_i."""
    total = 0.0
    if weight.size == 0:
        return sum_of(x)
    for i in range(x.size):
        total += np.float64(weight[i]) * np.float64(x[i])
    return total


@inner
def total_weight(weight: FloatArray, n_rows: int) -> float:
    """The sum of the weights; without any, each row weighs 1."""
    return sum_of(weight) if weight.size else np.float64(n_rows)


# row i of the gradient of the mean is w_i / sum w times that of the loss
@inner
def scale_rows(out: FloatArray, weight: FloatArray, total: float) -> None:
    """Turn derivatives of each row into those of the weighted mean."""
    number = out.dtype.type
    share = number(1.0 / total)
    if weight.size == 0:
        flat = out.reshape(out.size)
        for k in range(flat.size):
            flat[k] *= share
    else:
        for i in range(len(out)):
            factor = weight[i]
            for k in range(out.shape[1]):
                out[i, k] = out[i, k] * factor * share


@inner
def mean(losses: FloatArray, weight: FloatArray, out: FloatArray) -> float:
    """The weighted mean over rows of the sum over columns; turns derivatives in `out` into its gradient."""
    total, flat = total_weight(weight, len(losses)), losses.reshape(losses.size)
    scale_rows(out, weight, total)
    if weight.size == 0 or losses.shape[1] == 1:
        return weighted_sum(flat, weight) / total
    value = 0.0
    for i in range(len(losses)):
        value += np.float64(weight[i]) * sum_of(losses[i])
    return value / total
