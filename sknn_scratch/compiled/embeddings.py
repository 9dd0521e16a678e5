"""The embeddings of RealMLP, of numbers and of categories, compiled.

The kernels of `PBLD` use their buffers as vectors with one number for each row of the batch, so their loops
are long. For each wave of an input they compute all cosines, and then add them to each output. The backward
pass reads the same vectors.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from sknn_scratch.compiled.jit import inner, kernel, matrix, read_matrix, reduction, row
from sknn_scratch.compiled.layers import SingleLayer
from sknn_scratch.compiled.periodic import LARGEST, sine_and_cosine
from sknn_scratch.core import PBLD, CategoryEmbedding
from sknn_scratch.core.layers.base import Buffers
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters


@reduction
def dot(a: Any, b: Any) -> Any:
    """sum_i a_i b_i."""
    total = a.dtype.type(0)
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@reduction
def total(a: Any) -> Any:
    """sum_i a_i."""
    value = a.dtype.type(0)
    for i in range(a.size):
        value += a[i]
    return value


@inner
def copy(x: Any, out: Any) -> None:
    """Write out <- x; an assignment of slices would check for overlap."""
    for i in range(out.size):
        out[i] = x[i]


@inner
def add_multiple(y: Any, factor: Any, x: Any) -> None:
    """Y <- y + factor x."""
    for i in range(x.size):
        y[i] += factor * x[i]


@inner
def waves(x: Any, slope: Any, phase: Any, cosine: Any, sine: Any) -> None:
    """Cosines of slope x + phase, and sines unless their memory is empty."""
    n_beyond = 0
    for i in range(x.size):
        h = slope * x[i] + phase
        cosine[i] = h
        n_beyond += 0 if abs(h) <= LARGEST else 1
    if n_beyond:
        for i in range(x.size):
            h = cosine[i]
            cosine[i] = np.cos(h)
            if sine.size:
                sine[i] = np.sin(h)
    elif sine.size:
        for i in range(x.size):
            sine[i], cosine[i] = sine_and_cosine(cosine[i])
    else:
        for i in range(x.size):
            cosine[i] = sine_and_cosine(cosine[i])[1]


def _of_forward(number: types.Type) -> tuple[types.Type, ...]:
    mixture = types.Array(number, 3, "C")
    return (
        read_matrix(number),
        *(matrix(number),) * 2,
        mixture,
        *(matrix(number),) * 2,
        *(row(number),) * 2,
        matrix(number),
    )


@kernel(_of_forward)
def embed_numbers(
    x: Any,
    frequencies: Any,
    phases: Any,
    mixture: Any,
    offset: Any,
    columns: Any,
    cosines: Any,
    sines: Any,
    e: Any,
) -> None:
    """[cos(2 pi frequencies x + phases) V + c, x], written to e."""
    two_pi = e.dtype.type(2 * math.pi)
    n_rows, n_inputs = x.shape
    n_waves, n_mixed = mixture.shape[1], mixture.shape[2]
    outputs = columns.reshape(columns.size)
    for k in range(n_inputs):
        x_k = outputs[k * (n_mixed + 1) * n_rows :][:n_rows]
        copy(x[:, k], x_k)
        copy(x_k, e[:, k * (n_mixed + 1) + n_mixed])
        for m in range(n_mixed):
            outputs[(k * (n_mixed + 1) + 1 + m) * n_rows :][:n_rows] = offset[k, m]
        for w in range(n_waves):
            cosine = cosines[(k * n_waves + w) * n_rows :][:n_rows]
            sine = sines[(k * n_waves + w) * n_rows :][:n_rows]
            waves(x_k, two_pi * frequencies[k, w], phases[k, w], cosine, sine)
            for m in range(n_mixed):
                e_m = outputs[(k * (n_mixed + 1) + 1 + m) * n_rows :][:n_rows]
                add_multiple(e_m, mixture[k, w, m], cosine)
        for m in range(n_mixed):
            copy(outputs[(k * (n_mixed + 1) + 1 + m) * n_rows :][:n_rows], e[:, k * (n_mixed + 1) + m])


def _of_backward(number: types.Type) -> tuple[types.Type, ...]:
    mixture = types.Array(number, 3, "C")
    return (
        read_matrix(number),
        matrix(number),
        mixture,
        matrix(number),
        *(row(number),) * 2,
        *(matrix(number),) * 2,
        mixture,
        *(matrix(number),) * 2,
    )


# With delta = dL/de of the mixed outputs, for each input
#   dL/dV = cos(h)^T delta          dL/dc = 1^T delta          dL/dh = -(delta V^T) sin(h)
#   dL/dw = 2 pi x^T dL/dh          dL/db = 1^T dL/dh
#   dL/dx = 2 pi w dL/dh + delta of the last output
# Nothing reads the cosines after dL/dV, so dL/dh takes their memory.
@kernel(_of_backward)
def embed_numbers_backward(
    delta: Any,
    frequencies: Any,
    mixture: Any,
    columns: Any,
    cosines: Any,
    sines: Any,
    frequencies_gradient: Any,
    phases_gradient: Any,
    mixture_gradient: Any,
    offset_gradient: Any,
    delta_x: Any,
) -> None:
    """The gradients of the parameters, and delta_x unless it is empty."""
    n_rows, n_inputs, two_pi = delta.shape[0], frequencies.shape[0], delta.dtype.type(2 * math.pi)
    n_waves, n_mixed = mixture.shape[1], mixture.shape[2]
    outputs = columns.reshape(columns.size)
    for k in range(n_inputs):
        x_k = outputs[k * (n_mixed + 1) * n_rows :][:n_rows]
        for m in range(n_mixed):
            delta_m = outputs[(k * (n_mixed + 1) + 1 + m) * n_rows :][:n_rows]
            copy(delta[:, k * (n_mixed + 1) + m], delta_m)
            offset_gradient[k, m] = total(delta_m)
        if delta_x.size:
            copy(delta[:, k * (n_mixed + 1) + n_mixed], delta_x[:, k])
        for w in range(n_waves):
            cosine = cosines[(k * n_waves + w) * n_rows :][:n_rows]
            sine = sines[(k * n_waves + w) * n_rows :][:n_rows]
            for m in range(n_mixed):
                delta_m = outputs[(k * (n_mixed + 1) + 1 + m) * n_rows :][:n_rows]
                mixture_gradient[k, w, m] = dot(cosine, delta_m)
            delta_h = cosine
            delta_h[:] = 0
            for m in range(n_mixed):
                delta_m = outputs[(k * (n_mixed + 1) + 1 + m) * n_rows :][:n_rows]
                add_multiple(delta_h, -mixture[k, w, m], delta_m)
            for i in range(n_rows):
                delta_h[i] *= sine[i]
            frequencies_gradient[k, w] = two_pi * dot(x_k, delta_h)
            phases_gradient[k, w] = total(delta_h)
            if delta_x.size:
                for i in range(n_rows):
                    delta_x[i, k] += two_pi * frequencies[k, w] * delta_h[i]


class PeriodicEmbedding(SingleLayer[PBLD]):
    """`PBLD` in one kernel a pass."""

    kernels = embed_numbers, embed_numbers_backward

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        waves = (n_rows, self.layer.n_inputs * self.layer.n_frequencies)
        outputs = (n_rows, self.n_outputs)
        return {
            "cosines": aligned(waves, dtype),
            **{name: aligned(outputs, dtype) for name in ("columns", "e")},
        }

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        n_inputs = self.layer.n_inputs
        return {
            "sines": aligned((n_rows, n_inputs * self.layer.n_frequencies), dtype),
            "delta_x": aligned((n_rows, n_inputs), dtype),
        }

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        cosines, columns, e = (buffers[name] for name in ("cosines", "columns", "e"))
        phases, mixture, offset = (parameters[name] for name in ("phases", "mixture", "offset"))
        sines = buffers["sines"].reshape(-1) if "sines" in buffers else e.reshape(-1)[:0]
        memory = columns, cosines.reshape(-1), sines, e
        embed_numbers[e.dtype](x, parameters["frequencies"], phases, mixture, offset, *memory)
        return e

    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        columns = buffers["columns"]
        memory = columns, buffers["cosines"].reshape(-1), buffers["sines"].reshape(-1)
        gradients = [gradient[name] for name in ("frequencies", "phases", "mixture", "offset")]
        delta_x = buffers.get("delta_x", columns[:0])
        of_waves = parameters["frequencies"], parameters["mixture"]
        embed_numbers_backward[columns.dtype](delta, *of_waves, *memory, *gradients, delta_x)
        return delta_x if delta_x.size else delta


@kernel(lambda number: (read_matrix(number), read_matrix(number), matrix(number)))
def add_by_level(x: Any, delta: Any, gradient: Any) -> None:
    """dL/dE_kj = sum of delta_ij over the rows i of level k."""
    gradient[:] = 0
    for i in range(x.shape[0]):
        of_level = gradient[min(max(np.int64(x[i, 0]), 0), gradient.shape[0] - 1)]
        for j in range(of_level.size):
            of_level[j] += delta[i, j]


class LevelEmbedding(SingleLayer[CategoryEmbedding]):
    """`CategoryEmbedding` with a backward pass in one kernel: NumPy counts column by column."""

    kernels = (add_by_level,)

    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        add_by_level[delta.dtype](x, delta, gradient["vectors"])
        return buffers.get("delta_x", delta)
