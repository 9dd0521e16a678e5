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

from sknn_scratch.compiled import activations, rules
from sknn_scratch.compiled.activations import add_bias, add_columns
from sknn_scratch.compiled.dropout import draw_mask, multiply
from sknn_scratch.compiled.jit import inner, kernel, matrix, matrix_in, native, read_matrix, read_row, row
from sknn_scratch.compiled.loss_means import argument_types, sum_of
from sknn_scratch.compiled.products import product, product_of_columns, product_of_rows
from sknn_scratch.compiled.random_bits import of_random_bits

_forward = native(activations.forward_types, types.none)
_backward = native(activations.backward_types, types.none)
_value_and_gradient = native(argument_types, float64)
_gradient_norm = native(rules.gradient_norm.arguments, float64)
_update = native(rules.update.arguments, float64)

LINE = 16
"""Buffers begin at multiples of so many numbers, a line of the cache in float32."""


@inner
def _room(n_rows: int, n_columns: int) -> int:
    """Numbers of a buffer, to where the next one begins."""
    return -(-n_rows * n_columns // LINE) * LINE


def room_of_a_step(sizes: npt.NDArray[np.int64], batch_size: int, n_targets: int, has_dropout: bool) -> int:
    """Numbers of memory that :func:`run_steps` needs, at most."""
    columns = [n_targets, 1, *sizes, *sizes, *sizes]  # a batch; inputs, slopes and deltas of all layers
    if has_dropout:
        columns += [*sizes, *sizes]  # masks, and what they keep
    return sum(_room(batch_size, int(n)) for n in columns)


@inner
def _take(X: Any, y: Any, weight: Any, order: Any, begin: int, x: Any, targets: Any, weights: Any) -> float:
    """Copy the rows of a batch; returns the sum of their weights."""
    for i in range(len(x)):
        source = order[begin + i] if len(order) else begin + i
        for j in range(X.shape[1]):  # an assignment of rows would look whether they overlap
            x[i, j] = X[source, j]
        for j in range(y.shape[1]):
            targets[i, j] = y[source, j]
        if len(weight):
            weights[i] = weight[source]
    return float(len(x)) if len(weight) == 0 else sum_of(weights)


# The inputs of all layers lie one after the other: the output of an activation, then its slope if it has one,
# and with dropout the mask and what it keeps.
@inner
def _place_of_mask(needs_slope: Any, layer: int, output: int, room: int) -> int:
    """Where the mask of a hidden layer begins."""
    return output + (2 if needs_slope[layer] else 1) * room


@inner
def _place_of_next(needs_slope: Any, rates: Any, layer: int, output: int, room: int) -> int:
    """Where the output of the layer after a hidden one begins."""
    return _place_of_mask(needs_slope, layer, output, room) + (2 if rates[layer] > 0.0 else 0) * room


@inner
def _draw_masks(
    random_bits: Any,
    sizes: Any,
    needs_slope: Any,
    rates: Any,
    memory: Any,
    place: int,
    n_rows: int,
    batch_size: int,
) -> None:
    """Draw those of a step, layer by layer."""
    for layer in range(len(sizes) - 2):
        n_units, room = sizes[layer + 1], _room(batch_size, sizes[layer + 1])
        if rates[layer] > 0.0:
            mask = _place_of_mask(needs_slope, layer, place, room)
            draw_mask(random_bits, rates[layer], matrix_in(memory, mask, n_rows, n_units))
        place = _place_of_next(needs_slope, rates, layer, place, room)


@inner
def _go_forward(
    gemm: int,
    sizes: Any,
    forward: Any,
    constants: Any,
    needs_slope: Any,
    rates: Any,
    has_bias: bool,
    theta: Any,
    n_weights: int,
    memory: Any,
    x: Any,
    place: int,
    batch_size: int,
) -> int:
    """Compute the outputs of all layers from `place` on; returns where the last one begins."""
    no_bias, no_slope = theta[:0], matrix_in(memory, 0, 0, 0)
    n_rows, n_layers = len(x), len(sizes) - 1
    of_weights, of_bias = 0, n_weights
    for layer in range(n_layers):
        n_inputs, n_units = sizes[layer], sizes[layer + 1]
        z = matrix_in(memory, place, n_rows, n_units)
        product(gemm, x, matrix_in(theta, of_weights, n_inputs, n_units), z)
        of_weights += n_inputs * n_units
        bias = theta[of_bias : of_bias + n_units] if has_bias else no_bias
        of_bias += len(bias)
        if layer == n_layers - 1:
            if has_bias:
                add_bias(z, bias)
        else:
            room, slope = _room(batch_size, n_units), no_slope
            if needs_slope[layer]:
                slope = matrix_in(memory, place + room, n_rows, n_units)
            _forward(forward[layer], theta, (constants[layer], z, bias, slope))
            if rates[layer] > 0.0:
                mask = _place_of_mask(needs_slope, layer, place, room)
                kept = matrix_in(memory, mask + room, n_rows, n_units)
                multiply(z, matrix_in(memory, mask, n_rows, n_units), kept)
                z = kept
            place = _place_of_next(needs_slope, rates, layer, place, room)
        x = z
    return place


# Through the same places, from the last layer to the first.
@inner
def _go_back(
    gemm: int,
    sizes: Any,
    backward: Any,
    constants: Any,
    needs_slope: Any,
    rates: Any,
    has_bias: bool,
    theta: Any,
    gradient: Any,
    n_weights: int,
    memory: Any,
    inputs: int,
    output: int,
    n_rows: int,
    batch_size: int,
) -> None:
    """Write the gradient; the derivative of the loss lies behind the output."""
    no_bias, no_slope = theta[:0], matrix_in(memory, 0, 0, 0)
    n_layers = len(sizes) - 1
    of_weights, of_bias = n_weights, len(theta)
    place = output + _room(batch_size, sizes[n_layers])
    delta = matrix_in(memory, place, n_rows, sizes[n_layers])
    place += _room(batch_size, sizes[n_layers])
    for layer in range(n_layers - 1, -1, -1):
        n_inputs, n_units = sizes[layer], sizes[layer + 1]
        bias_gradient = no_bias
        if has_bias:
            of_bias -= n_units
            bias_gradient = gradient[of_bias : of_bias + n_units]
        if layer == n_layers - 1:
            if has_bias:
                add_columns(delta, bias_gradient)
        else:
            a, slope, room = matrix_in(memory, output, n_rows, n_units), no_slope, _room(batch_size, n_units)
            if rates[layer] > 0.0:
                mask = _place_of_mask(needs_slope, layer, output, room)
                multiply(delta, matrix_in(memory, mask, n_rows, n_units), delta)
            if needs_slope[layer]:
                slope = matrix_in(memory, output + room, n_rows, n_units)
            _backward(backward[layer], theta, (constants[layer], a, slope, delta, bias_gradient))
        output = kept = inputs
        if layer > 0:
            output = kept = _place_of_output(sizes, needs_slope, rates, layer - 1, inputs, batch_size)
            if rates[layer - 1] > 0.0:
                room = _room(batch_size, n_inputs)
                kept = _place_of_mask(needs_slope, layer - 1, output, room) + room
        x = matrix_in(memory, kept, n_rows, n_inputs)
        of_weights -= n_inputs * n_units
        product_of_columns(gemm, x, delta, matrix_in(gradient, of_weights, n_inputs, n_units))
        if layer > 0:
            delta_x = matrix_in(memory, place, n_rows, n_inputs)
            place += _room(batch_size, n_inputs)
            product_of_rows(gemm, delta, matrix_in(theta, of_weights, n_inputs, n_units), delta_x)
            delta = delta_x


@inner
def _place_of_output(
    sizes: Any, needs_slope: Any, rates: Any, layer: int, inputs: int, batch_size: int
) -> int:
    """Where the output of a hidden layer begins."""
    place = inputs + _room(batch_size, sizes[0])
    for before in range(layer):
        place = _place_of_next(needs_slope, rates, before, place, _room(batch_size, sizes[before + 1]))
    return place


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
        row(float64),  # rates
        of_random_bits,
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
    rates: Any,
    random_bits: Any,
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
    n_weights = 0
    for layer in range(len(sizes) - 1):
        n_weights += sizes[layer] * sizes[layer + 1]
    of_weight = _room(batch_size, y.shape[1])
    inputs = of_weight + _room(batch_size, 1)
    outputs = inputs + _room(batch_size, sizes[0])
    none, n_made = theta[:0], 0
    for begin in range(start, stop, batch_size):
        n_rows = min(batch_size, stop - begin)
        targets, x = matrix_in(memory, 0, n_rows, y.shape[1]), matrix_in(memory, inputs, n_rows, sizes[0])
        weights = memory[of_weight : of_weight + (n_rows if len(weight) else 0)]
        batch_weight = _take(X, y, weight, order, begin, x, targets, weights)
        if batch_weight == 0.0:  # nothing to learn from, and no mean to take
            continue
        _draw_masks(random_bits, sizes, needs_slope, rates, memory, outputs, n_rows, batch_size)
        output = _go_forward(
            gemm,
            sizes,
            forward,
            constants,
            needs_slope,
            rates,
            has_bias,
            theta,
            n_weights,
            memory,
            x,
            outputs,
            batch_size,
        )
        scores = matrix_in(memory, output, n_rows, sizes[-1])
        delta = matrix_in(memory, output + _room(batch_size, sizes[-1]), n_rows, sizes[-1])
        value = _value_and_gradient(loss, theta, (loss_constants, scores, targets, weights, delta))
        _go_back(
            gemm,
            sizes,
            backward,
            constants,
            needs_slope,
            rates,
            has_bias,
            theta,
            gradient,
            n_weights,
            memory,
            inputs,
            output,
            n_rows,
            batch_size,
        )
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
                none,  # a rule with factors for groups of parameters is not for this loop
                none,
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
