"""Kernels of the losses for one class out of several: softmax turns raw scores into probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn_scratch.compiled.elementary import exp, log
from sknn_scratch.compiled.jit import inner, kernel, reduction
from sknn_scratch.compiled.loss_means import Constants, argument_types, scale_rows, total_weight, weighted_sum
from sknn_scratch.core.parameters import FloatArray


@inner
def _end_of(constants: Constants, column: int, begin: int, n_outputs: int) -> int:
    """Where the raw scores of a column of y end that begin at `begin`."""
    return n_outputs if constants.size == 1 else begin + int(constants[1 + column])


# Softmax does not change when the scores of a row are shifted: with the largest at 0, exp cannot overflow.
# Numbers are copied one by one: an assignment of slices checks for overlap, and takes seconds to compile.
@inner
def _shift(z: FloatArray, largest: FloatArray) -> None:
    first = z[0]
    for i in range(largest.size):
        largest[i] = first[i]
    for k in range(len(z)):
        of_class = z[k]
        for i in range(largest.size):
            largest[i] = max(of_class[i], largest[i])
    for k in range(len(z)):
        of_class = z[k]
        for i in range(largest.size):
            of_class[i] -= largest[i]


@inner
def _softmax(z: FloatArray, sums: FloatArray, subtracted: float) -> None:
    """Write p - `subtracted` over shifted scores, and the logarithms of the sums of their exponentials."""
    less = z.dtype.type(subtracted)
    for i in range(sums.size):
        sums[i] = 0
    for k in range(len(z)):
        of_class = z[k]
        for i in range(sums.size):
            of_class[i] = exp(of_class[i])
            sums[i] += of_class[i]
    for k in range(len(z)):
        of_class = z[k]
        for i in range(sums.size):
            of_class[i] = of_class[i] / sums[i] - less
    for i in range(sums.size):
        sums[i] = log(sums[i])


@inner
def _weighted_scores_of_targets(smoothing: float, z: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    """The weighted sum of sum_k t_k z_k with the targets t_k = [k = y] (1 - s) + s / K."""
    value = 0.0
    for k in range(len(z)):
        value += smoothing / len(z) * weighted_sum(z[k], weight)
    for i in range(len(y)):
        if 0 <= y[i] < len(z):
            share = 1.0 if weight.size == 0 else np.float64(weight[i])
            value += share * (1.0 - smoothing) * np.float64(z[int(y[i]), i])
    return value


@reduction
def _dot(a: FloatArray, b: FloatArray) -> Any:
    total = a.dtype.type(0)
    for k in range(a.size):
        total += a[k] * b[k]
    return total


# with errors e_k = p_k - [k = y], l = sum_k e_k^2 / 2 and dl/dz_k = p_k (e_k - sum_j e_j p_j)
@inner
def _class_squared(p: FloatArray, y: Any, error: FloatArray) -> float:
    for k in range(p.size):
        error[k] = p[k]
    if 0 <= y < p.size:
        error[int(y)] -= p.dtype.type(1)
    mean = _dot(error, p)
    for k in range(p.size):
        p[k] *= error[k] - mean
    return 0.5 * np.float64(_dot(error, error))


# Softmax is computed with one row for each class: loops over the rows of a batch are longer than loops over
# classes. It is computed in the memory of `raw`. `out` lends memory for one number for each row of the batch.
@inner
def _transpose(x: FloatArray, memory: FloatArray) -> None:
    """Write x^T over x."""
    n_rows, n_outputs = x.shape
    by_class = x.reshape((n_outputs, n_rows))
    for i in range(n_rows):
        for k in range(n_outputs):
            memory[i, k] = x[i, k]
    for k in range(n_outputs):
        for i in range(n_rows):
            by_class[k, i] = memory[i, k]


@inner
def _by_row(by_class: FloatArray, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[i, k] = by_class[k, i]


@inner
def _mean(value: float, weight: FloatArray, out: FloatArray) -> float:
    """The weighted mean, from a weighted sum; turns derivatives in `out` into its gradient."""
    total = total_weight(weight, len(out))
    scale_rows(out, weight, total)
    return value / total


# l = log s - sum_k t_k z_k with s = sum_k exp(z_k), and dl/dz_k = p_k - t_k
@kernel(argument_types)
def log_loss(
    constants: Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.LogLoss`."""
    smoothing, n_outputs, value, end = constants[0], raw.shape[1], 0.0, 0
    _transpose(raw, out)
    of_classes = n_outputs, len(raw)
    by_class, memory = raw.reshape(of_classes), out.reshape(of_classes)
    for column in range(y.shape[1]):
        begin, end = end, _end_of(constants, column, end, n_outputs)
        z, sums = by_class[begin:end], memory[begin]
        _shift(z, sums)
        value -= _weighted_scores_of_targets(smoothing, z, y[:, column], weight)
        _softmax(z, sums, smoothing / (end - begin))
        value += weighted_sum(sums, weight)
    _by_row(by_class, out)
    right = out.dtype.type(1.0 - smoothing)
    for i in range(len(out)):
        end = 0
        for column in range(y.shape[1]):
            begin, end = end, _end_of(constants, column, end, n_outputs)
            if 0 <= y[i, column] < end - begin:
                out[i, begin + int(y[i, column])] -= right
    return _mean(value, weight, out)


@kernel(argument_types)
def class_squared_error(
    constants: Constants, raw: FloatArray, y: FloatArray, weight: FloatArray, out: FloatArray
) -> float:
    """See :class:`~sknn_scratch.core.ClassSquaredError`."""
    n_outputs, value, end = raw.shape[1], 0.0, 0
    _transpose(raw, out)
    of_classes = n_outputs, len(raw)
    by_class, memory = raw.reshape(of_classes), out.reshape(of_classes)
    for column in range(y.shape[1]):
        begin, end = end, _end_of(constants, column, end, n_outputs)
        z, sums = by_class[begin:end], memory[begin]
        _shift(z, sums)
        _softmax(z, sums, 0.0)
    _by_row(by_class, out)
    for i in range(len(out)):
        end, share = 0, 1.0 if weight.size == 0 else np.float64(weight[i])
        for column in range(y.shape[1]):
            begin, end = end, _end_of(constants, column, end, n_outputs)
            value += share * _class_squared(out[i, begin:end], y[i, column], raw[i, begin:end])
    return _mean(value, weight, out)
