"""Whole epochs of a multi-layer perceptron in one compiled loop, in one thread or in several.

A step of a small network is calls, not arithmetic: fifty calls of NumPy, a microsecond each. Here Python
calls once for many steps. The steps are those of the core, in the same order: take the rows, go forward,
compute the loss, go backward, update.

In large networks several threads run the same loop at once, each with one BLAS thread. Each step has three
parts, and the threads wait for each other after each part. A thread takes some of the rows in the forward and
backward passes, some of the inputs of each layer for the gradient of the weights, and some of the parameters
in the update.

Networks differ only in data: sizes, constants, and the addresses of the kernels of their activations and
their loss. So the loop is compiled once for each precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float64, int64, types

from sknn_scratch.compiled import updates
from sknn_scratch.compiled.dropout import draw_mask
from sknn_scratch.compiled.jit import inner, kernel, matrix, native, read_matrix, read_row, row, rows_in
from sknn_scratch.compiled.loss_means import argument_types, sum_of
from sknn_scratch.compiled.meeting import meet
from sknn_scratch.compiled.passes import go_back, go_forward, share, write_gradient
from sknn_scratch.compiled.plan import LINE, Data, integers, places_type, plan_type, vectors_type
from sknn_scratch.compiled.random_bits import of_random_bits

_value_and_gradient = native(argument_types, float64)
_gradient_norm = native(updates.gradient_norm.arguments, float64)
_update = native(updates.update.arguments, float64)

LOSS, PENALTY, WEIGHT, FIRST_NORM, NORM = range(5)
"""The columns of the totals that :func:`run_steps` keeps."""

N_TOTALS = 8
"""Numbers in a row of totals: a cache line."""


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
    """Copy rows, from position `begin` of the order on."""
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
def _learn_rows(
    plan: Any,
    data: Any,
    places: Any,
    vectors: Any,
    memory: Any,
    begin: int,
    n_rows: int,
    batch_weight: float,
    thread: int,
    totals: Any,
) -> None:
    """Go forward and back for a thread's share of the rows of a batch, and add their loss to its total."""
    theta, n_outputs = vectors.theta, plan.sizes[-1]
    start, stop = share(n_rows, 1, thread, len(totals))
    targets = rows_in(memory, places.targets, data.y.shape[1], start, stop)
    weights = memory[places.row_weights :][start : stop if len(data.weight) else start]
    inputs = rows_in(memory, places.inputs[0], plan.sizes[0], start, stop)
    scores = rows_in(memory, places.inputs[-1], n_outputs, start, stop)
    delta = rows_in(memory, places.deltas[-1], n_outputs, start, stop)
    _take(data, begin + start, inputs, targets, weights)
    weight = sum_of(weights) if len(weights) else float(stop - start)
    if stop > start:
        go_forward(plan, places, theta, memory, start, stop)
    if weight > 0.0:
        arguments = plan.loss_constants, scores, targets, weights, delta
        totals[thread, LOSS] += weight * _value_and_gradient(plan.loss, theta, arguments)
    if stop - start < n_rows:  # from the mean over these rows to the mean over the batch
        part = theta.dtype.type(weight / batch_weight)
        for i in range(stop - start):
            for j in range(n_outputs):
                delta[i, j] = part * delta[i, j] if weight > 0.0 else part
    bias_gradients = vectors.gradient[plan.biases[0] :]
    if thread > 0:
        bias_gradients = vectors.bias_gradients[thread - 1]
    go_back(plan, places, theta, memory, bias_gradients, start, stop)


@inner
def _clipping(plan: Any, totals: Any, mine: Any) -> float:
    """The factor that clips the gradient, from the norms of all shares; also keeps the first norm."""
    norm = 0.0
    for other in range(len(totals)):
        norm = np.hypot(norm, totals[other, NORM])
    if mine[WEIGHT] == 0.0:
        mine[FIRST_NORM] = norm
    return plan.max_grad_norm / norm if norm > plan.max_grad_norm else 1.0


@inner
def _update_share(
    plan: Any,
    vectors: Any,
    start: int,
    stop: int,
    strength: float,
    clipping: float,
    learning_rate: float,
    n_steps: int,
) -> float:
    """Update the parameters from `start` to `stop`; returns the squares of those that are penalised."""
    n_own, none = stop - start, vectors.theta[:0]
    return _update(
        plan.update,
        vectors.theta,
        (
            plan.rule,
            plan.rule_constants,
            vectors.theta[start:stop],
            vectors.gradient[start:stop],
            vectors.first[start:stop],
            vectors.second[start:stop],
            none,  # this loop does not train networks with groups of parameters
            none,
            n_own,
            plan.biases[0] - start,
            strength,
            clipping,
            learning_rate,
            n_steps,
            1.0,
        ),
    )


def _arguments(number: types.Type) -> tuple[types.Type, ...]:
    return (
        plan_type(number),
        read_matrix(number),  # X
        read_matrix(number),  # y
        read_row(number),  # weight
        integers,  # order
        places_type,
        row(number),  # memory
        of_random_bits,
        vectors_type(number),
        int64,  # start
        int64,  # stop
        row(float64),  # learning_rates
        int64,  # n_steps
        int64,  # thread
        integers,  # meeting
        matrix(float64),  # totals
    )


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
        The network, the data, the generator for dropout, and the memory that is written. All threads get the
        same. An empty `weight` or `order` stands for none.
    start, stop : int
        The first row, and the one after the last.
    learning_rates : ndarray of shape (n_batches,)
        The learning rate of each step.
    n_steps : int
        Steps taken before.
    thread : int
        The number of this thread, counted from 0: its row in `totals`.
    meeting : ndarray
        What :func:`~sknn_scratch.compiled.meeting.meeting_place` returned.
    totals : ndarray of shape (n_threads, N_TOTALS)
        Each thread writes its own row. It adds up the loss of its rows and the penalty of its
        parameters, both times the weight of the batch, and that weight. In an epoch's first step it also sets
        the norm of the gradient.

    Returns
    -------
    int
        The number of steps taken: batches of weight 0 are skipped.
    """
    data = Data(X, y, weight, order)
    n_threads, mine = len(totals), totals[thread]
    theta, gradient = vectors.theta, vectors.gradient
    first, last = share(len(theta), LINE, thread, n_threads)
    penalised, has_dropout = min(max(plan.biases[0] - first, 0), last - first), plan.rates.any()
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
        _learn_rows(plan, data, places, vectors, memory, begin, n_rows, batch_weight, thread, totals)
        n_meetings = meet(meeting, plan.give_way, n_threads, n_meetings)

        write_gradient(plan, places, vectors, memory, n_rows, thread, n_threads)
        n_meetings = meet(meeting, plan.give_way, n_threads, n_meetings)

        # the penalty alpha / (2 n) ||W||^2, and the update
        strength, clipping = plan.l2 / batch_weight, 1.0
        if mine[WEIGHT] == 0.0 or plan.max_grad_norm < np.inf:
            own = theta[first:last], gradient[first:last], penalised, strength
            mine[NORM] = _gradient_norm(plan.gradient_norm, theta, own)
            n_meetings = meet(meeting, plan.give_way, n_threads, n_meetings)
            clipping = _clipping(plan, totals, mine)
        rate, n_taken = learning_rates[n_made], n_steps + n_made + 1
        squares = _update_share(plan, vectors, first, last, strength, clipping, rate, n_taken)
        mine[PENALTY] += batch_weight * 0.5 * strength * squares
        mine[WEIGHT] += batch_weight
        n_made += 1
        n_meetings = meet(meeting, plan.give_way, n_threads, n_meetings)
    return n_made
