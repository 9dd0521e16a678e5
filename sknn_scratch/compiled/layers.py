"""Compiled layers, and a dense layer with its activation: NumPy's product, then one pass over its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from sknn_scratch.compiled.activations import ActivationKernel
from sknn_scratch.compiled.jit import Kernel
from sknn_scratch.core.layers import Activate, Dense, Layer
from sknn_scratch.core.layers.base import Buffers
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters


class CompiledLayer(Layer):
    """Several layers of the core as one, with the parameters of all of them.

    Attributes
    ----------
    parts : tuple of Layer
        The core's layers.
    kernels : tuple of Kernel
        The kernels that its passes call, apart from those of its activation.
    """

    parts: tuple[Layer, ...]
    kernels: tuple[Kernel, ...] = ()

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {name: shape for part in self.parts for name, shape in part.shapes.items()}

    @property
    def formulas(self) -> Mapping[str, str]:
        return {name: text for part in self.parts for name, text in part.formulas.items()}

    def initialize(self, rng: np.random.RandomState, parameters: LayerParameters) -> None:
        for part in self.parts:
            part.initialize(rng, parameters)


CoreLayer = TypeVar("CoreLayer", bound=Layer)


class SingleLayer(CompiledLayer, Generic[CoreLayer]):
    """One layer of the core. A subclass replaces some of its passes; the others remain the core's.

    Parameters
    ----------
    layer : Layer
        The core's layer.
    """

    def __init__(self, layer: CoreLayer) -> None:
        self.parts, self.layer, self.n_outputs = (layer,), layer, layer.n_outputs

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return self.layer.forward_buffers(n_rows, dtype)

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return self.layer.backward_buffers(n_rows, dtype)

    def draw(self, rng: np.random.RandomState, buffers: Buffers, strength: float = 1.0) -> None:
        self.layer.draw(rng, buffers, strength)

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        return self.layer.forward(parameters, x, buffers)

    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        return self.layer.backward(parameters, gradient, x, delta, buffers)


class DenseActivate(CompiledLayer):
    """a = f(x W + b), with the parameters of the dense layer.

    Parameters
    ----------
    dense : Dense
        x W + b.
    activate : Activate
        f.
    kernel : ActivationKernel
        f, compiled for one dtype.
    """

    def __init__(self, dense: Dense, activate: Activate, kernel: ActivationKernel) -> None:
        self.parts, self.kernel = (dense, activate), kernel
        self.n_inputs, self.n_outputs = dense.n_inputs, dense.n_outputs
        dtype = kernel.constants.dtype
        self._product = replace(dense, has_bias=False)
        self._forward, self._backward = kernel.forward[dtype], kernel.backward[dtype]
        self._no_bias, self._no_slope = np.empty(0, dtype), np.empty((0, 0), dtype)

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return self._product.forward_buffers(n_rows, dtype)

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        buffers = {"delta_x": aligned((n_rows, self.n_inputs), dtype)}
        if self.kernel.needs_slope:
            buffers["slope"] = aligned((n_rows, self.n_outputs), dtype)
        return buffers

    # a = f(z + b) with z = x W, and f'(z + b) beside it where a alone does not give it
    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        a = self._product.forward(parameters, x, buffers)
        kernel, slope = self.kernel, buffers.get("slope", self._no_slope)
        self._forward(kernel.constants, a, parameters.get("bias", self._no_bias), slope)
        return a

    # dL/dz = dL/da f', dL/db = 1^T dL/dz in the same pass; then the products of Dense
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        kernel, slope = self.kernel, buffers.get("slope", self._no_slope)
        bias_gradient = gradient.get("bias", self._no_bias)
        self._backward(kernel.constants, buffers["z"], slope, delta, bias_gradient)
        return self._product.backward(parameters, gradient, x, delta, buffers)
