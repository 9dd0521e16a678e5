"""RealMLP's hidden layers fused with their activations, around NumPy's products.

A fused layer takes the place of a `NeuralTangent` and the activation after it. What it does elementwise is
one kernel a pass, which works on blocks of rows that stay in the nearest cache. The flat vector of parameters
has the same layout, because all weights come first and the rest follows in the order of the layers.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy.typing as npt
from numba import types

from sknn_scratch.compiled import activations
from sknn_scratch.compiled.activations import ActivationKernel
from sknn_scratch.compiled.jit import inner, kernel, matrix, native, row
from sknn_scratch.compiled.layers import CompiledLayer
from sknn_scratch.core import (
    Activate,
    Layer,
    NeuralTangent,
    ParametricActivate,
)
from sknn_scratch.core.layers.base import Buffers
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters

BLOCK = 2048
"""Numbers of a block: two arrays of them lie in the cache nearest to the processor."""


@inner
def rows_of_block(units: int) -> int:
    """Rows that have about as many numbers as a block."""
    return max(BLOCK // max(units, 1), 1)


_forward = native(activations.forward_types, types.none)
_backward = native(activations.backward_types, types.none)


@kernel(lambda number: (matrix(number), types.float64, row(number)))
def affine(z: Any, factor: float, bias: Any) -> None:
    """Z <- c z + b."""
    c = z.dtype.type(factor)
    for i in range(z.shape[0]):
        z_i = z[i]
        for j in range(bias.size):
            z_i[j] = z_i[j] * c + bias[j]


_affine = affine.inner


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


def _of_activate(number: types.Type) -> tuple[types.Type, ...]:
    return types.int64, row(number), matrix(number), types.float64, row(number), matrix(number)


@kernel(_of_activate)
def activate(forward: int, constants: Any, z: Any, factor: float, bias: Any, slope: Any) -> None:
    """Z <- f(c z + b), and slope <- f' unless it is empty."""
    rows = rows_of_block(z.shape[1])
    for start in range(0, z.shape[0], rows):
        some = z[start : start + rows]
        _affine(some, factor, bias)
        _forward(forward, z, (constants, some, bias[:0], slope[start : start + rows]))


def _of_activate_backward(number: types.Type) -> tuple[types.Type, ...]:
    arrays = (matrix(number),) * 3
    return types.int64, row(number), *arrays, types.float64, row(number)


@kernel(_of_activate_backward)
def activate_backward(
    backward: int, constants: Any, a: Any, slope: Any, delta: Any, factor: float, bias_gradient: Any
) -> None:
    """The gradient of b, and delta <- c delta f'."""
    _backward(backward, a, (constants, a, slope, delta, bias_gradient))
    delta *= delta.dtype.type(factor)


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


def _of_parametric(number: types.Type) -> tuple[types.Type, ...]:
    rows = row(number)
    return (types.int64, *_of_activate(number)[:4], rows, rows, matrix(number), matrix(number), types.boolean)


# The derivative of a with respect to z is (1 - alpha) + alpha f'. Activations whose f' is a function of f
# write f' by their chain rule, which is given ones.
@kernel(_of_parametric)
def parametric_activate(
    forward: int,
    backward: int,
    constants: Any,
    z: Any,
    factor: float,
    bias: Any,
    alpha: Any,
    difference: Any,
    slope: Any,
    needs_slope: bool,
) -> None:
    """Z <- u + alpha d with u = c z + b and d = f(u) - u; slope <- da/du unless it is empty."""
    one, c = z.dtype.type(1), z.dtype.type(factor)
    rows = rows_of_block(z.shape[1])
    for start in range(0, z.shape[0], rows):
        some, d, s = z[start : start + rows], difference[start : start + rows], slope[start : start + rows]
        for i in range(some.shape[0]):
            z_i, d_i = some[i], d[i]
            for j in range(bias.size):
                u = z_i[j] * c + bias[j]
                z_i[j] = u
                d_i[j] = u
        _forward(forward, z, (constants, d, bias[:0], s if needs_slope else s[:0]))
        if s.size and not needs_slope:
            for i in range(s.shape[0]):
                s[i][:] = one
            _backward(backward, z, (constants, d, s[:0], s, bias[:0]))
        for i in range(some.shape[0]):
            z_i, d_i = some[i], d[i]
            for j in range(alpha.size):
                u = z_i[j]
                difference_ij = d_i[j] - u
                d_i[j] = difference_ij
                z_i[j] = u + alpha[j] * difference_ij
        for i in range(s.shape[0]):
            s_i = s[i]
            for j in range(alpha.size):
                s_i[j] = (one - alpha[j]) + alpha[j] * s_i[j]


class NeuralTangentLayer(CompiledLayer):
    """A `NeuralTangent`, and what follows c x W in one kernel a pass."""

    def __init__(self, *parts: Layer) -> None:
        self.parts = parts
        self.product: NeuralTangent = parts[0]  # type: ignore[assignment]
        self.n_outputs = self.product.n_outputs

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return self.product.forward_buffers(n_rows, dtype)

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        buffers = self.product.backward_buffers(n_rows, dtype)
        return {"delta_x": buffers["delta_x"]}

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        z = x.dot(parameters["weights"], out=buffers["z"])
        self._follow(parameters, z, buffers)
        return z

    # With delta = c dL/dz:   dL/dW = x^T delta          dL/dx = delta W^T
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        self._go_back(gradient, delta, buffers)
        x.T.dot(delta, out=gradient["weights"])
        if "delta_x" in buffers:
            return delta.dot(parameters["weights"].T, out=buffers["delta_x"])
        return delta

    @abstractmethod
    def _follow(self, parameters: LayerParameters, z: FloatArray, buffers: Buffers) -> None:
        """Turn z = x W into the output, in place."""

    @abstractmethod
    def _go_back(self, gradient: LayerParameters, delta: FloatArray, buffers: Buffers) -> None:
        """Turn dL / d output into c dL/dz, in place, and write the gradients of all but the weights."""


class Affine(NeuralTangentLayer):
    """z = c x W + b."""

    def _follow(self, parameters: LayerParameters, z: FloatArray, buffers: Buffers) -> None:
        affine[z.dtype](z, self.product.factor, parameters["bias"])

    def _go_back(self, gradient: LayerParameters, delta: FloatArray, buffers: Buffers) -> None:
        affine_backward[delta.dtype](delta, self.product.factor, gradient["bias"])


class NeuralTangentActivate(NeuralTangentLayer):
    """a = f(c x W + b).

    Parameters
    ----------
    product, activate : NeuralTangent, Activate
        The core's layers.
    kernel : ActivationKernel
        The function f.
    """

    def __init__(self, product: NeuralTangent, activate: Activate, kernel: ActivationKernel) -> None:
        super().__init__(product, activate)
        self.kernel, dtype = kernel, kernel.constants.dtype
        self._forward, self._backward = kernel.forward.address(dtype), kernel.backward.address(dtype)

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        slope = {"slope": aligned((n_rows, self.n_outputs), dtype)} if self.kernel.needs_slope else {}
        return {**super().backward_buffers(n_rows, dtype), **slope}

    def _follow(self, parameters: LayerParameters, z: FloatArray, buffers: Buffers) -> None:
        f, slope = self.kernel, buffers.get("slope", z[:0])
        activate[z.dtype](self._forward, f.constants, z, self.product.factor, parameters["bias"], slope)

    def _go_back(self, gradient: LayerParameters, delta: FloatArray, buffers: Buffers) -> None:
        f, a, factor = self.kernel, buffers["z"], self.product.factor
        slope = buffers.get("slope", a[:0])
        activate_backward[delta.dtype](self._backward, f.constants, a, slope, delta, factor, gradient["bias"])


class NeuralTangentParametric(NeuralTangentLayer):
    """a = u + alpha (f(u) - u) with u = c x W + b.

    Parameters
    ----------
    product, activate : NeuralTangent, ParametricActivate
        The core's layers.
    kernel : ActivationKernel
        The function f.
    """

    def __init__(
        self, product: NeuralTangent, activate: ParametricActivate, kernel: ActivationKernel
    ) -> None:
        super().__init__(product, activate)
        self.kernel, dtype = kernel, kernel.constants.dtype
        self._addresses = kernel.forward.address(dtype), kernel.backward.address(dtype)

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        difference = aligned((n_rows, self.n_outputs), dtype)
        return {**super().forward_buffers(n_rows, dtype), "difference": difference}

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        slope = aligned((n_rows, self.n_outputs), dtype)
        return {**super().backward_buffers(n_rows, dtype), "slope": slope}

    def _follow(self, parameters: LayerParameters, z: FloatArray, buffers: Buffers) -> None:
        f, difference, slope = self.kernel, buffers["difference"], buffers.get("slope", z[:0])
        own = self.product.factor, parameters["bias"], parameters["alpha"]
        parametric_activate[z.dtype](*self._addresses, f.constants, z, *own, difference, slope, f.needs_slope)

    def _go_back(self, gradient: LayerParameters, delta: FloatArray, buffers: Buffers) -> None:
        of_units = gradient["alpha"], gradient["bias"]
        difference, slope = buffers["difference"], buffers["slope"]
        parametric_backward[delta.dtype](delta, difference, slope, self.product.factor, *of_units)
