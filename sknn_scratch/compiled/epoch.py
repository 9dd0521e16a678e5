"""Whole epochs of a small network in one compiled loop, under one BLAS thread.

In small networks the time goes into calls, not arithmetic: fifty calls of NumPy a step, each a microsecond.
Here Python calls once for many steps. The steps are those of the core, in the same order: take the rows,
go forward, compute the loss, go backward, update.

All that differs between networks is data: sizes, constants, and where the kernels of their activations and of
their loss lie. So there is one compilation for all of them in each precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import float64, int64, types

from sknn_scratch.compiled import activations, losses, rules
from sknn_scratch.compiled.jit import inner, kernel, matrix, native, read_matrix, read_row, row
from sknn_scratch.compiled.products import product, product_of_columns, product_of_rows

_forward = native(activations.forward_types, types.none)
_backward = native(activations.backward_types, types.none)
_value_and_gradient = native(losses.argument_types, float64)
_gradient_norm = native(rules.gradient_norm.arguments, float64)
_update = native(rules.update.arguments, float64)

LINE = 16
"""Buffers begin at multiples of so many numbers, a line of the cache in float32."""


@inner
def _room(n_rows: int, n_columns: int) -> int:
    """Numbers of a buffer, to where the next one begins."""
    return -(-n_rows * n_columns // LINE) * LINE


@inner
def _matrix(memory: Any, start: int, n_rows: int, n_columns: int) -> Any:
    """Some of the memory as a matrix."""
    return memory[start : start + n_rows * n_columns].reshape(n_rows, n_columns)


def room_of_a_step(sizes: npt.NDArray[np.int64], batch_size: int, n_targets: int) -> int:
    """Numbers of memory that :func:`run_steps` needs, at most."""
    columns = [n_targets, 1, *sizes, *sizes, *sizes]  # a batch; inputs, slopes and deltas of all layers
    return sum(_room(batch_size, int(n)) for n in columns)


def _arguments(number: types.Type) -> tuple[types.Type, ...]:
    integers = types.Array(int64, 1, "C")
    return (
        int64,  # gemm
        read_matrix(number),  # X
        read_matrix(number),  # y
        read_row(number),  # weight
        integers,  # order
        int64,  # start
        int64,  # stop
        int64,  # batch_size
        integers,  # sizes
        integers,  # forward
        integers,  # backward
        matrix(number),  # constants
        types.Array(types.boolean, 1, "C"),  # needs_slope
        types.boolean,  # has_bias
        int64,  # loss
        row(float64),  # loss_constants
        int64,  # gradient_norm
        int64,  # update
        int64,  # rule_code
        row(float64),  # rule_constants
        float64,  # max_grad_norm
        float64,  # l2
        row(number),  # theta
        row(number),  # gradient
        row(number),  # first
        row(number),  # second
        row(number),  # memory
        row(float64),  # learning_rates
        int64,  # n_steps
        row(float64),  # totals
    )


@kernel(_arguments)
def run_steps(
    gemm: int,
    X: Any,
    y: Any,
    weight: Any,
    order: Any,
    start: int,
    stop: int,
    batch_size: int,
    sizes: Any,
    forward: Any,
    backward: Any,
    constants: Any,
    needs_slope: Any,
    has_bias: bool,
    loss: int,
    loss_constants: Any,
    gradient_norm: int,
    update: int,
    rule_code: int,
    rule_constants: Any,
    max_grad_norm: float,
    l2: float,
    theta: Any,
    gradient: Any,
    first: Any,
    second: Any,
    memory: Any,
    learning_rates: Any,
    n_steps: int,
    totals: Any,
) -> int:
    """Train on the batches from row `start` up to row `stop` of an epoch's order.

    Returns the number of steps that were made: batches without weight are left out. `totals` are increased by
    the batches' losses and penalties, each times the batch's weight, and by their weights; the fourth number
    is set to the gradient's norm in an epoch's first step.
    """
    n_layers = len(sizes) - 1
    n_weights = 0
    for layer in range(n_layers):
        n_weights += sizes[layer] * sizes[layer + 1]
    no_bias, no_slope = theta[:0], _matrix(memory, 0, 0, 0)
    n_made = 0
    for begin in range(start, stop, batch_size):
        n_rows = min(batch_size, stop - begin)
        # the batch
        batch_weight = float(n_rows)
        place = 0
        targets = _matrix(memory, place, n_rows, y.shape[1])
        place += _room(batch_size, y.shape[1])
        weights = memory[place : place + (n_rows if len(weight) else 0)]
        place += _room(batch_size, 1)
        x = _matrix(memory, place, n_rows, sizes[0])
        if len(order):
            for i in range(n_rows):
                source = order[begin + i]
                x[i] = X[source]
                targets[i] = y[source]
        else:
            for i in range(n_rows):
                x[i] = X[begin + i]
                targets[i] = y[begin + i]
        if len(weight):
            batch_weight = 0.0
            for i in range(n_rows):
                weights[i] = weight[order[begin + i] if len(order) else begin + i]
                batch_weight += weights[i]
            if batch_weight == 0.0:  # nothing to learn from, and no mean to take
                continue

        # forward: the inputs of all layers lie one after the other, and each layer's slope behind its output
        first_input = place
        place += _room(batch_size, sizes[0])
        of_weights, of_bias = 0, n_weights
        for layer in range(n_layers):
            n_inputs, n_units = sizes[layer], sizes[layer + 1]
            z = _matrix(memory, place, n_rows, n_units)
            place += _room(batch_size, n_units)
            product(gemm, x, _matrix(theta, of_weights, n_inputs, n_units), z)
            of_weights += n_inputs * n_units
            bias = theta[of_bias : of_bias + n_units] if has_bias else no_bias
            of_bias += len(bias)
            if layer < n_layers - 1:
                slope = no_slope
                if needs_slope[layer]:
                    slope = _matrix(memory, place, n_rows, n_units)
                    place += _room(batch_size, n_units)
                _forward(forward[layer], theta, (constants[layer], z, bias, slope))
            elif has_bias:
                for i in range(n_rows):
                    raw = z[i]
                    for k in range(n_units):
                        raw[k] += bias[k]
            x = z
        # the loss; its gradient is the first delta
        n_units = sizes[n_layers]
        output = place - _room(batch_size, n_units)
        delta = _matrix(memory, place, n_rows, n_units)
        place += _room(batch_size, n_units)
        value = _value_and_gradient(loss, theta, (loss_constants, x, targets, weights, delta))

        # backward: through the same places
        place_of_x = output
        for layer in range(n_layers - 1, -1, -1):
            n_inputs, n_units = sizes[layer], sizes[layer + 1]
            bias_gradient = no_bias
            if has_bias:
                of_bias -= n_units
                bias_gradient = gradient[of_bias : of_bias + n_units]
            if layer == n_layers - 1:
                for k in range(len(bias_gradient)):
                    bias_gradient[k] = 0
                if has_bias:
                    for i in range(n_rows):
                        row_of_delta = delta[i]
                        for k in range(n_units):
                            bias_gradient[k] += row_of_delta[k]
            else:
                a = _matrix(memory, place_of_x, n_rows, n_units)
                slope = no_slope
                if needs_slope[layer]:
                    slope = _matrix(memory, place_of_x + _room(batch_size, n_units), n_rows, n_units)
                _backward(backward[layer], theta, (constants[layer], a, slope, delta, bias_gradient))
            if layer == 0:
                place_of_x = first_input
            else:
                place_of_x -= _room(batch_size, n_inputs)
                if needs_slope[layer - 1]:
                    place_of_x -= _room(batch_size, n_inputs)
            x = _matrix(memory, place_of_x, n_rows, n_inputs)
            of_weights -= n_inputs * n_units
            product_of_columns(gemm, x, delta, _matrix(gradient, of_weights, n_inputs, n_units))
            if layer > 0:
                delta_x = _matrix(memory, place, n_rows, n_inputs)
                place += _room(batch_size, n_inputs)
                product_of_rows(gemm, delta, _matrix(theta, of_weights, n_inputs, n_units), delta_x)
                delta = delta_x

        # the penalty alpha / (2 n) ||W||^2, and the update
        strength = l2 / batch_weight
        clipping = 1.0
        if totals[2] == 0.0 or max_grad_norm < np.inf:
            norm = _gradient_norm(gradient_norm, theta, (theta, gradient, n_weights, strength))
            if totals[2] == 0.0:
                totals[3] = norm
            if norm > max_grad_norm:
                clipping = max_grad_norm / norm
        squares = _update(
            update,
            theta,
            (
                rule_code,
                rule_constants,
                theta,
                gradient,
                first,
                second,
                no_bias,  # a rule with factors for groups of parameters is not for this loop
                no_bias,
                len(theta),
                n_weights,
                strength,
                clipping,
                learning_rates[n_made],
                n_steps + n_made + 1,
                1.0,
            ),
        )
        totals[0] += batch_weight * value
        totals[1] += batch_weight * 0.5 * strength * squares
        totals[2] += batch_weight
        n_made += 1
    return n_made
