"""RealMLP's hidden layers, fused with the layers before and after them, around NumPy's products.

A fused layer replaces a `NeuralTangent`, a `Scale` before it, and the activation and the dropout after it. A
parametric activation has a kernel of its own, made from the formula of its function: one pass over the
numbers. The layout of the flat vector of parameters stays the same: all weights come first, and the rest
follows in the order of the layers.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from sknn_scratch.compiled.activations import ActivationKernel
from sknn_scratch.compiled.dropout import draw, draw_by_kernel
from sknn_scratch.compiled.embeddings import dot
from sknn_scratch.compiled.formulas import Formula, functions
from sknn_scratch.compiled.jit import Kernel, kernel, matrix, row
from sknn_scratch.compiled.layers import CompiledLayer
from sknn_scratch.core import (
    Dropout,
    Layer,
    NeuralTangent,
    ParametricActivate,
)
from sknn_scratch.core.layers.base import Buffers
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters


@kernel(lambda number: (matrix(number), types.float64, row(number)))
def affine(z: Any, factor: float, bias: Any) -> None:
    """Z <- c z + b."""
    c = z.dtype.type(factor)
    for i in range(z.shape[0]):
        z_i = z[i]
        for j in range(bias.size):
            z_i[j] = z_i[j] * c + bias[j]


@kernel(lambda number: (matrix(number), types.float64, row(number)))
def affine_backward(delta: Any, factor: float, bias_gradient: Any) -> None:
    """The gradient of b, and delta <- c delta."""
    c = delta.dtype.type(factor)
    bias_gradient[:] = 0
    for i in range(delta.shape[0]):
        delta_i = delta[i]
        for j in range(bias_gradient.size):
            bias_gradient[j] += delta_i[j]
            delta_i[j] *= c


@kernel(lambda number: (*(matrix(number),) * 3, types.float64, row(number), row(number)))
def parametric_backward(
    delta: Any, difference: Any, slope: Any, factor: float, alpha_gradient: Any, bias_gradient: Any
) -> None:
    """The gradients of alpha and b, and delta <- c dL/dz."""
    c = delta.dtype.type(factor)
    alpha_gradient[:] = 0
    bias_gradient[:] = 0
    for i in range(delta.shape[0]):
        delta_i, difference_i, slope_i = delta[i], difference[i], slope[i]
        for j in range(bias_gradient.size):
            alpha_gradient[j] += delta_i[j] * difference_i[j]
            delta_z = delta_i[j] * slope_i[j]
            bias_gradient[j] += delta_z
            delta_i[j] = delta_z * c


@kernel(lambda number: (matrix(number), row(number), matrix(number), row(number)))
def scale_backward(weights: Any, scale: Any, weights_gradient: Any, scale_gradient: Any) -> None:
    """The gradients of W and s from that of s W, which lies in the memory for the gradient of W."""
    for j in range(scale.size):
        scale_gradient[j] = dot(weights[j], weights_gradient[j])
        of_input = weights_gradient[j]
        for k in range(of_input.size):
            of_input[k] *= scale[j]


_PARAMETRIC = """
def parametric_{digest}(constants, all_z, factor, bias, alpha, difference, slope, has_dropout):
    {constants}
    one, c = all_z.dtype.type(1), all_z.dtype.type(factor)
    if slope.size:
        for i in range(all_z.shape[0]):
            z_i, difference_i, slope_i = all_z[i], difference[i], slope[i]
            for j in range(alpha.size):
                z = z_i[j] * c + bias[j]
                a = {value}
                kept = slope_i[j] if has_dropout else one
                difference_i[j] = kept * (a - z)
                slope_i[j] = kept * ((one - alpha[j]) + alpha[j] * ({derivative}))
                z_i[j] = kept * (z + alpha[j] * (a - z))
    else:
        for i in range(all_z.shape[0]):
            z_i = all_z[i]
            for j in range(alpha.size):
                z = z_i[j] * c + bias[j]
                z_i[j] = z + alpha[j] * ({value} - z)
"""


@functools.cache
def parametric(formula: Formula) -> Kernel:
    """The kernel z <- m (u + alpha d) with u = c z + b, d = f(u) - u and the mask m of dropout.

    It also writes m d, and m ((1 - alpha) + alpha f'(u)), which is the derivative of the result with respect
    to u, unless their memory is empty. With dropout, the mask lies in the memory for that derivative.
    """
    constants = "; ".join(f"c{k} = constants[{k}]" for k in range(len(formula.constants)))
    source = _PARAMETRIC.replace("{constants}", constants)
    source = source.replace("{value}", formula.value).replace("{derivative}", formula.derivative)
    (function,) = functions(source, ("parametric",), {})
    return kernel(_of_parametric)(function)


def _of_parametric(number: types.Type) -> tuple[types.Type, ...]:
    arrays = row(number), row(number), matrix(number), matrix(number)
    return row(number), matrix(number), types.float64, *arrays, types.boolean


class NeuralTangentLayer(CompiledLayer):
    """A `NeuralTangent` and the layers around it: in each pass, one kernel and NumPy's products.

    A `Scale` before it takes no pass over x: (x s) W = x (s W), and W usually has fewer numbers than x.

    Parameters
    ----------
    *parts : Layer
        The core's layers.
    """

    kernels: tuple[Kernel, ...] = (scale_backward,)

    def __init__(self, *parts: Layer) -> None:
        self.parts = parts
        self.product: NeuralTangent = self._part(NeuralTangent)  # type: ignore[assignment]
        self.n_outputs = self.product.n_outputs

    def _part(self, kind: type[Layer]) -> Layer | None:
        """The part of a kind, if there is one."""
        return next((part for part in self.parts if type(part) is kind), None)

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return self.product.forward_buffers(n_rows, dtype)

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        buffers = self.product.backward_buffers(n_rows, dtype)
        return {"delta_x": buffers["delta_x"]}

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        z = x.dot(_scaled_weights(parameters), out=buffers["z"])
        self._follow(parameters, z, buffers)
        return z

    # With delta = c dL/dz:   dL/d(sW) = x^T delta          dL/dx = delta (s W)^T
    #   dL/dW_jk = s_j dL/d(sW)_jk          dL/ds_j = sum_k W_jk dL/d(sW)_jk
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        self._go_back(gradient, delta, buffers)
        weights, of_weights = parameters["weights"], gradient["weights"]
        x.T.dot(delta, out=of_weights)
        if "scale" in parameters:
            scale_backward[delta.dtype](weights, parameters["scale"], of_weights, gradient["scale"])
        if "delta_x" in buffers:
            return delta.dot(_scaled_weights(parameters).T, out=buffers["delta_x"])
        return delta

    @abstractmethod
    def _follow(self, parameters: LayerParameters, z: FloatArray, buffers: Buffers) -> None:
        """Turn z = x W into the output, in place."""

    @abstractmethod
    def _go_back(self, gradient: LayerParameters, delta: FloatArray, buffers: Buffers) -> None:
        """Turn dL / d output into c dL/dz, in place, and write the gradients of all but the weights."""


class Affine(NeuralTangentLayer):
    """z = c x W + b."""

    kernels = scale_backward, affine, affine_backward

    def _follow(self, parameters: LayerParameters, z: FloatArray, buffers: Buffers) -> None:
        affine[z.dtype](z, self.product.factor, parameters["bias"])

    def _go_back(self, gradient: LayerParameters, delta: FloatArray, buffers: Buffers) -> None:
        affine_backward[delta.dtype](delta, self.product.factor, gradient["bias"])


class NeuralTangentActivate(NeuralTangentLayer):
    """a = f(c x W + b).

    Parameters
    ----------
    *parts : Layer
        The core's layers.
    kernel : ActivationKernel
        The function f.
    """

    kernels = scale_backward, affine, affine_backward

    def __init__(self, *parts: Layer, kernel: ActivationKernel) -> None:
        super().__init__(*parts)
        self.kernel, dtype = kernel, kernel.constants.dtype
        self._forward, self._backward = kernel.forward[dtype], kernel.backward[dtype]
        self._no_bias = np.empty(0, dtype)

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        slope = {"slope": aligned((n_rows, self.n_outputs), dtype)} if self.kernel.needs_slope else {}
        return {**super().backward_buffers(n_rows, dtype), **slope}

    def _follow(self, parameters: LayerParameters, z: FloatArray, buffers: Buffers) -> None:
        affine[z.dtype](z, self.product.factor, parameters["bias"])
        self._forward(self.kernel.constants, z, self._no_bias, buffers.get("slope", z[:0]))

    def _go_back(self, gradient: LayerParameters, delta: FloatArray, buffers: Buffers) -> None:
        a = buffers["z"]
        self._backward(self.kernel.constants, a, buffers.get("slope", a[:0]), delta, self._no_bias)
        affine_backward[delta.dtype](delta, self.product.factor, gradient["bias"])


class NeuralTangentParametric(NeuralTangentLayer):
    """a = u + alpha (f(u) - u) with u = c x W + b.

    Parameters
    ----------
    *parts : Layer
        The core's layers.
    kernel : ActivationKernel
        The function f.
    """

    kernels = scale_backward, parametric_backward, draw

    def __init__(self, *parts: Layer, kernel: ActivationKernel) -> None:
        super().__init__(*parts)
        activate: ParametricActivate = self._part(ParametricActivate)  # type: ignore[assignment]
        formula = Formula.read(activate.activation.formula, activate.activation.derivative)
        assert formula is not None  # it has a kernel
        self._constants, self._forward = kernel.constants, parametric(formula)[kernel.constants.dtype]
        self._dropout: Dropout | None = self._part(Dropout)  # type: ignore[assignment]

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        own = {name: aligned((n_rows, self.n_outputs), dtype) for name in ("difference", "slope")}
        mask = {"mask": own["slope"]} if self._dropout else {}  # forward reads it before it writes the slope
        return {**super().backward_buffers(n_rows, dtype), **own, **mask}

    def draw(self, rng: np.random.RandomState, buffers: Buffers, strength: float = 1.0) -> None:
        if self._dropout is not None:
            draw_by_kernel(rng, strength * self._dropout.rate, buffers["mask"])

    def _follow(self, parameters: LayerParameters, z: FloatArray, buffers: Buffers) -> None:
        of_units = parameters["bias"], parameters["alpha"]
        of_backward = (buffers.get(name, z[:0]) for name in ("difference", "slope"))
        self._forward(self._constants, z, self.product.factor, *of_units, *of_backward, "mask" in buffers)

    def _go_back(self, gradient: LayerParameters, delta: FloatArray, buffers: Buffers) -> None:
        of_units = gradient["alpha"], gradient["bias"]
        difference, slope = buffers["difference"], buffers["slope"]
        parametric_backward[delta.dtype](delta, difference, slope, self.product.factor, *of_units)


def _scaled_weights(parameters: LayerParameters) -> FloatArray:
    """The weights for inputs that are not scaled: s W, or W without a scale."""
    weights = parameters["weights"]
    return parameters["scale"][:, np.newaxis] * weights if "scale" in parameters else weights
