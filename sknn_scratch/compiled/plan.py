"""What the loop over whole epochs reads and writes: network, data, memory of a step, parameters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import float64, int64, types

from sknn_scratch.compiled.jit import matrix, row
from sknn_scratch.core.parameters import FloatArray

LINE = 16
"""Matrices and the threads' shares of the parameters begin at multiples of this: a cache line of float32."""

Integers = npt.NDArray[np.int64]

integers = types.Array(int64, 1, "C")
"""The type of vectors of integers."""


class Plan(NamedTuple):
    """A network and its update rule, in the form that the loop reads; functions are addresses."""

    sizes: Integers
    """Units of each layer, from the features to the scores."""
    weights: Integers
    """Where the weights of each layer begin in the vector of parameters."""
    biases: Integers
    """Where the biases of each layer begin in it."""
    has_bias: bool
    forward: Integers
    backward: Integers
    constants: FloatArray
    """The constants of each layer's activation, one row a layer."""
    needs_slope: npt.NDArray[np.bool_]
    rates: npt.NDArray[np.float64]
    """The dropout rate after each hidden layer, 0 for no dropout."""
    loss: int
    loss_constants: npt.NDArray[np.float64]
    rule: int
    rule_constants: npt.NDArray[np.float64]
    max_grad_norm: float
    l2: float
    gemm: int
    gradient_norm: int
    update: int
    give_way: int


def plan_type(number: types.Type) -> types.Type:
    """The type of plans."""
    functions = [int64] * 4
    kinds = [integers, integers, integers, types.boolean, integers, integers, matrix(number)]
    kinds += [types.Array(types.boolean, 1, "C"), row(float64), int64, row(float64), int64, row(float64)]
    kinds += [float64, float64]
    return types.NamedTuple((*kinds, *functions), Plan)


class Data(NamedTuple):
    """The rows, their weights, and the order of the rows in this epoch."""

    X: FloatArray
    y: FloatArray
    weight: FloatArray
    order: Integers


class Places(NamedTuple):
    """Where the matrices of a step begin in the memory, and how many rows each has."""

    n_rows: int
    targets: int
    row_weights: int
    inputs: Integers
    """The inputs of each layer, and then the scores."""
    outputs: Integers
    """The outputs of each hidden layer before dropout."""
    slopes: Integers
    """The slopes of each hidden layer; without memory where the activation needs none."""
    masks: Integers
    """The dropout masks after each hidden layer; without memory where the rate is 0."""
    deltas: Integers
    """The derivatives of the loss by each layer's output before its activation."""
    end: int


places_type: types.Type = types.NamedTuple((*[int64] * 3, *[integers] * 5, int64), Places)
"""The type of places."""


def places_of(plan: Plan, n_rows: int, n_targets: int) -> Places:
    """Divide the memory of a step among its matrices.

    Parameters
    ----------
    plan : Plan
        The network.
    n_rows : int
        Rows of the largest batch.
    n_targets : int
        Columns of y.

    Returns
    -------
    Places
        Where each begins. The memory must have `end` numbers.
    """
    hidden = plan.sizes[1:-1]
    sloped, dropped = hidden * plan.needs_slope, hidden * (plan.rates > 0.0)
    columns = [n_targets, 1, *plan.sizes, *sloped, *plan.sizes[1:], *dropped, *dropped]
    ends = np.cumsum(-(-n_rows * np.array(columns) // LINE) * LINE)
    starts, n_hidden = np.concatenate(([0], ends[:-1])), len(hidden)
    lengths = [n_hidden + 2, n_hidden, n_hidden + 1, n_hidden]
    inputs, slopes, deltas, masks, outputs = np.split(starts[2:], np.cumsum(lengths))
    outputs = np.where(plan.rates > 0.0, outputs, inputs[1:-1])
    targets, row_weights, end = int(starts[0]), int(starts[1]), int(ends[-1])
    return Places(n_rows, targets, row_weights, inputs, outputs, slopes, masks, deltas, end)


class Vectors(NamedTuple):
    """The parameters, their gradient, and the averages of the update rule."""

    theta: FloatArray
    gradient: FloatArray
    first: FloatArray
    second: FloatArray
    bias_gradients: FloatArray
    """The gradient of all biases for the rows of each thread except the first, one row a thread."""


def vectors_type(number: types.Type) -> types.Type:
    """The type of these vectors."""
    return types.NamedTuple((*[row(number)] * 4, matrix(number)), Vectors)
