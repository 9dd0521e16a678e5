"""The passes of a step: forward and back for some rows, and the gradient for some weights.

The formulas are those of the layers in :mod:`sknn_scratch.core.layers`.
"""

from __future__ import annotations

from typing import Any

from numba import types

from sknn_scratch.compiled import activations
from sknn_scratch.compiled.activations import add_bias, add_columns
from sknn_scratch.compiled.dropout import multiply
from sknn_scratch.compiled.jit import inner, native, rows_in
from sknn_scratch.compiled.products import product, product_of_columns, product_of_rows

_forward = native(activations.forward_types, types.none)
_backward = native(activations.backward_types, types.none)

COLUMNS_OF_A_PRODUCT = 4
"""The threads' shares of a layer's inputs begin at multiples of this: BLAS computes so many at a time."""


@inner
def share(n: int, unit: int, thread: int, n_threads: int) -> tuple[int, int]:
    """The begin and end of a thread's share of n things; all but the last share consist of whole units."""
    n_units = -(-n // unit)
    return min(n, n_units * thread // n_threads * unit), min(n, n_units * (thread + 1) // n_threads * unit)


@inner
def go_forward(plan: Any, places: Any, theta: Any, memory: Any, start: int, stop: int) -> None:
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
def go_back(
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
def write_gradient(
    plan: Any, places: Any, vectors: Any, memory: Any, n_rows: int, thread: int, n_threads: int
) -> None:
    """Compute a thread's share of the gradient: x^T delta for some inputs of each layer, or all biases."""
    for layer in range(len(plan.sizes) - 1):
        n_inputs, n_units = plan.sizes[layer], plan.sizes[layer + 1]
        start, stop = share(n_inputs, COLUMNS_OF_A_PRODUCT, thread, n_threads)
        if start < stop:
            x = rows_in(memory, places.inputs[layer], n_inputs, 0, n_rows)
            delta = rows_in(memory, places.deltas[layer], n_units, 0, n_rows)
            out = rows_in(vectors.gradient, plan.weights[layer], n_units, 0, n_inputs)
            product_of_columns(plan.gemm, x[:, start:stop], delta, out[start:stop])
    if thread == 0:
        of_biases = vectors.gradient[plan.biases[0] :]
        for others in vectors.bias_gradients:
            for i in range(len(others)):
                of_biases[i] += others[i]
