"""Whole epochs of a multi-layer perceptron in one compiled loop, by one thread or by several.

In small networks the time goes into calls, not arithmetic: fifty calls of NumPy a step, each a microsecond.
Here Python calls once for many steps. The steps are those of the core, in the same order: take the rows,
go forward, compute the loss, go backward, update.

In large networks several threads run the same loop at once, each with one BLAS thread. Each step has three
parts, and the threads wait for each other after each part. In the forward and backward pass, each thread has
some of the rows. For the gradient of the weights, it has some of the inputs of each layer. In the update, it
has some of the parameters.

Networks differ only in data: sizes, constants, and the addresses of the kernels of their activations and
their loss. So the loop is compiled once for each precision.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import float64, int64, types

from sknn_scratch.compiled import activations, rules
from sknn_scratch.compiled.activations import add_bias, add_columns
from sknn_scratch.compiled.dropout import draw_mask, multiply
from sknn_scratch.compiled.jit import inner, kernel, matrix, native, read_matrix, read_row, row, rows_in
from sknn_scratch.compiled.loss_means import argument_types, sum_of
from sknn_scratch.compiled.meeting import meet
from sknn_scratch.compiled.products import product, product_of_columns, product_of_rows
from sknn_scratch.compiled.random_bits import of_random_bits
from sknn_scratch.core.parameters import FloatArray

_forward = native(activations.forward_types, types.none)
_backward = native(activations.backward_types, types.none)
_value_and_gradient = native(argument_types, float64)
_gradient_norm = native(rules.gradient_norm.arguments, float64)
_update = native(rules.update.arguments, float64)

LINE = 16
"""Matrices and the threads' shares of the parameters begin at multiples of this: a cache line of float32."""

COLUMNS_OF_A_PRODUCT = 4
"""The threads' shares of a layer's inputs begin at multiples of this: BLAS computes so many at a time."""

Integers = npt.NDArray[np.int64]

_integers = types.Array(int64, 1, "C")


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


def _plan_type(number: types.Type) -> types.Type:
    functions = [int64] * 4
    kinds = [_integers, _integers, _integers, types.boolean, _integers, _integers, matrix(number)]
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
    """The slopes of each hidden layer; not read where the activation needs none."""
    masks: Integers
    """The dropout masks after each hidden layer; not read where the rate is 0."""
    deltas: Integers
    """The derivatives of the loss by each layer's output before its activation."""
    end: int


_places_type = types.NamedTuple((*[int64] * 3, *[_integers] * 5, int64), Places)


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
    dropped = hidden * (plan.rates > 0.0)
    columns = [n_targets, 1, *plan.sizes, *hidden, *plan.sizes[1:], *dropped, *dropped]
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
    """The averages of the update rule."""
    bias_gradients: FloatArray
    """The gradient of all biases for the rows of each thread but the first, one row a thread."""


def _vectors_type(number: types.Type) -> types.Type:
    return types.NamedTuple((*[row(number)] * 4, matrix(number)), Vectors)


@inner
def _share(n: int, unit: int, thread: int, n_threads: int) -> tuple[int, int]:
    """The begin and end of a thread's share of n things; all but the last share consist of whole units."""
    n_units = -(-n // unit)
    return min(n, n_units * thread // n_threads * unit), min(n, n_units * (thread + 1) // n_threads * unit)


@inner
def _batch_weight(data: Any, begin: int, n_rows: int) -> float:
    """The sum of the weights of a batch."""
    if len(data.weight) == 0:
        return float(n_rows)
    total = 0.0
    for i in range(n_rows):
        total += np.float64(data.weight[data.order[begin + i] if len(data.order) else begin + i])
    return total


@inner
def _take(data: Any, begin: int, x: Any, targets: Any, weights: Any) -> None:
    """Copy the rows from position `begin` of the order on."""
    for i in range(len(x)):
        source = data.order[begin + i] if len(data.order) else begin + i
        for j in range(data.X.shape[1]):  # assigning rows would check for overlap first
            x[i, j] = data.X[source, j]
        for j in range(data.y.shape[1]):
            targets[i, j] = data.y[source, j]
        if len(weights):
            weights[i] = data.weight[source]


@inner
def _draw_masks(plan: Any, places: Any, random_bits: Any, memory: Any, n_rows: int) -> None:
    """Draw the dropout masks of a batch, layer by layer."""
    for layer in range(len(plan.rates)):
        if plan.rates[layer] > 0.0:
            mask = rows_in(memory, places.masks[layer], plan.sizes[layer + 1], 0, n_rows)
            draw_mask(random_bits, plan.rates[layer], mask)


@inner
def _go_forward(plan: Any, places: Any, theta: Any, memory: Any, start: int, stop: int) -> None:
    """Compute the outputs of all layers for some rows."""
    for layer in range(len(plan.sizes) - 1):
        n_inputs, n_units = plan.sizes[layer], plan.sizes[layer + 1]
        x = rows_in(memory, places.inputs[layer], n_inputs, start, stop)
        weights = rows_in(theta, plan.weights[layer], n_units, 0, n_inputs)
        bias = theta[plan.biases[layer] :][: n_units if plan.has_bias else 0]
        next_x = rows_in(memory, places.inputs[layer + 1], n_units, start, stop)
        if layer == len(plan.sizes) - 2:
            product(plan.gemm, x, weights, next_x)
            if plan.has_bias:
                add_bias(next_x, bias)
        else:
            z = rows_in(memory, places.outputs[layer], n_units, start, stop)
            product(plan.gemm, x, weights, z)
            n_slopes = n_units if plan.needs_slope[layer] else 0
            slope = rows_in(memory, places.slopes[layer], n_slopes, start, stop)
            _forward(plan.forward[layer], theta, (plan.constants[layer], z, bias, slope))
            if plan.rates[layer] > 0.0:
                mask = rows_in(memory, places.masks[layer], n_units, start, stop)
                multiply(z, mask, next_x)


@inner
def _go_back(
    plan: Any, places: Any, theta: Any, memory: Any, bias_gradients: Any, start: int, stop: int
) -> None:
    """Compute the derivatives of all layers for some rows, and the gradient of the biases for them."""
    for layer in range(len(plan.sizes) - 2, -1, -1):
        n_inputs, n_units = plan.sizes[layer], plan.sizes[layer + 1]
        delta = rows_in(memory, places.deltas[layer], n_units, start, stop)
        of_bias = plan.biases[layer] - plan.biases[0]
        bias_gradient = bias_gradients[of_bias:][: n_units if plan.has_bias else 0]
        if layer == len(plan.sizes) - 2:
            if plan.has_bias:
                add_columns(delta, bias_gradient)
        else:
            if plan.rates[layer] > 0.0:
                multiply(delta, rows_in(memory, places.masks[layer], n_units, start, stop), delta)
            a = rows_in(memory, places.outputs[layer], n_units, start, stop)
            n_slopes = n_units if plan.needs_slope[layer] else 0
            slope = rows_in(memory, places.slopes[layer], n_slopes, start, stop)
            _backward(plan.backward[layer], theta, (plan.constants[layer], a, slope, delta, bias_gradient))
        if layer > 0:
            weights = rows_in(theta, plan.weights[layer], n_units, 0, n_inputs)
            before = rows_in(memory, places.deltas[layer - 1], n_inputs, start, stop)
            product_of_rows(plan.gemm, delta, weights, before)


@inner
def _write_gradient(
    plan: Any, places: Any, gradient: Any, memory: Any, n_rows: int, thread: int, n_threads: int
) -> None:
    """Compute a thread's share of the gradient of each layer's weights: x^T delta for some of its inputs."""
    for layer in range(len(plan.sizes) - 1):
        n_inputs, n_units = plan.sizes[layer], plan.sizes[layer + 1]
        start, stop = _share(n_inputs, COLUMNS_OF_A_PRODUCT, thread, n_threads)
        if start < stop:
            x = rows_in(memory, places.inputs[layer], n_inputs, 0, n_rows)
            delta = rows_in(memory, places.deltas[layer], n_units, 0, n_rows)
            out = rows_in(gradient, plan.weights[layer], n_units, 0, n_inputs)
            product_of_columns(plan.gemm, x[:, start:stop], delta, out[start:stop])


def _arguments(number: types.Type) -> tuple[types.Type, ...]:
    return (
        _plan_type(number),
        read_matrix(number),  # X
        read_matrix(number),  # y
        read_row(number),  # weight
        _integers,  # order
        _places_type,
        row(number),  # memory
        of_random_bits,
        _vectors_type(number),
        int64,  # start
        int64,  # stop
        row(float64),  # learning_rates
        int64,  # n_steps
        int64,  # thread
        _integers,  # meeting
        matrix(float64),  # totals
    )


LOSS, PENALTY, WEIGHT, FIRST_NORM, NORM = range(5)
"""The columns of the totals that :func:`run_steps` keeps."""

N_TOTALS = 8
"""Numbers in a row of totals: a cache line."""


@kernel(_arguments)
def run_steps(
    plan: Any,
    X: Any,
    y: Any,
    weight: Any,
    order: Any,
    places: Any,
    memory: Any,
    random_bits: Any,
    vectors: Any,
    start: int,
    stop: int,
    learning_rates: Any,
    n_steps: int,
    thread: int,
    meeting: Any,
    totals: Any,
) -> int:
    """Train on the batches from row `start` up to row `stop` of an epoch's order, as one of several threads.

    Parameters
    ----------
    plan, X, y, weight, order, places, memory, random_bits, vectors
        The network, the data, the generator for dropout, and the memory that is written, the same for all
        threads. An empty `weight` or `order` stands for none.
    start, stop : int
        The first row, and the one after the last.
    learning_rates : ndarray of shape (n_batches,)
        The learning rate of each step.
    n_steps : int
        Steps taken before.
    thread : int
        The number of this thread, from 0; there is one for each row of `totals`.
    meeting : ndarray
        From :func:`~sknn_scratch.compiled.meeting.meeting_place`.
    totals : ndarray of shape (n_threads, N_TOTALS)
        Each thread writes its own row. It adds the loss of its rows and the penalty of its parameters, both
        times the weight of the batch, and that weight. In an epoch's first step it also sets the norm of the
        gradient.

    Returns
    -------
    int
        The number of steps taken: batches of weight 0 are skipped.
    """
    data = Data(X, y, weight, order)
    n_threads, mine = len(totals), totals[thread]
    theta, gradient, none = vectors.theta, vectors.gradient, vectors.theta[:0]
    n_weights, has_dropout = plan.biases[0], plan.rates.any()
    bias_gradients = gradient[n_weights:] if thread == 0 else vectors.bias_gradients[thread - 1]
    from_number, to_number = _share(len(theta), LINE, thread, n_threads)
    own, own_gradient = theta[from_number:to_number], gradient[from_number:to_number]
    n_made = n_meetings = 0
    for begin in range(start, stop, places.n_rows):
        n_rows = min(places.n_rows, stop - begin)
        batch_weight = _batch_weight(data, begin, n_rows)
        if batch_weight == 0.0:  # nothing to learn from, and no mean to take
            continue

        if has_dropout:
            if thread == 0:
                _draw_masks(plan, places, random_bits, memory, n_rows)
            n_meetings = meet(meeting, plan.give_way, n_threads, n_meetings)
        first, last = _share(n_rows, 1, thread, n_threads)
        targets = rows_in(memory, places.targets, data.y.shape[1], first, last)
        weights = memory[places.row_weights :][first : last if len(data.weight) else first]
        inputs = rows_in(memory, places.inputs[0], plan.sizes[0], first, last)
        scores = rows_in(memory, places.inputs[-1], plan.sizes[-1], first, last)
        delta = rows_in(memory, places.deltas[-1], plan.sizes[-1], first, last)
        _take(data, begin + first, inputs, targets, weights)
        own_weight = sum_of(weights) if len(weights) else float(last - first)
        if last > first:
            _go_forward(plan, places, theta, memory, first, last)
        if own_weight > 0.0:
            value = _value_and_gradient(
                plan.loss, theta, (plan.loss_constants, scores, targets, weights, delta)
            )
            mine[LOSS] += own_weight * value
        if n_threads > 1:  # from the mean over these rows to the mean over the batch
            share = theta.dtype.type(own_weight / batch_weight)
            for i in range(last - first):
                for j in range(plan.sizes[-1]):
                    delta[i, j] = share * delta[i, j] if own_weight > 0.0 else share
        _go_back(plan, places, theta, memory, bias_gradients, first, last)
        n_meetings = meet(meeting, plan.give_way, n_threads, n_meetings)

        _write_gradient(plan, places, gradient, memory, n_rows, thread, n_threads)
        if thread == 0:
            for others in vectors.bias_gradients:
                for i in range(len(others)):
                    bias_gradients[i] += others[i]
        n_meetings = meet(meeting, plan.give_way, n_threads, n_meetings)

        # the penalty alpha / (2 n) ||W||^2, and the update
        strength, clipping = plan.l2 / batch_weight, 1.0
        penalised = min(max(n_weights - from_number, 0), len(own))
        if mine[WEIGHT] == 0.0 or plan.max_grad_norm < np.inf:
            mine[NORM] = _gradient_norm(plan.gradient_norm, theta, (own, own_gradient, penalised, strength))
            n_meetings = meet(meeting, plan.give_way, n_threads, n_meetings)
            norm = 0.0
            for other in range(n_threads):
                norm = np.hypot(norm, totals[other, NORM])
            if mine[WEIGHT] == 0.0:
                mine[FIRST_NORM] = norm
            if norm > plan.max_grad_norm:
                clipping = plan.max_grad_norm / norm
        squares = _update(
            plan.update,
            theta,
            (
                plan.rule,
                plan.rule_constants,
                own,
                own_gradient,
                vectors.first[from_number:to_number],
                vectors.second[from_number:to_number],
                none,  # networks with groups of parameters are not trained by this loop
                none,
                len(own),
                penalised,
                strength,
                clipping,
                learning_rates[n_made],
                n_steps + n_made + 1,
                1.0,
            ),
        )
        mine[PENALTY] += batch_weight * 0.5 * strength * squares
        mine[WEIGHT] += batch_weight
        n_made += 1
        n_meetings = meet(meeting, plan.give_way, n_threads, n_meetings)
    return n_made
