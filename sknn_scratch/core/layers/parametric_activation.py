"""The layer that learns how much of an activation function each unit uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.activations import Activation, ActivationWithSlope
from sknn_scratch.core.layers.base import Buffers, Layer
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters


@dataclass(frozen=True)
class ParametricActivate(Layer):
    """a_ij = z_ij + alpha_j (f(z_ij) - z_ij), with one alpha for each unit, initially 1.

    Parameters
    ----------
    activation : Activation
        The function f.
    n_outputs : int
        Columns of z and of a.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart (2024), "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data".

    Examples
    --------
    >>> from sknn_scratch.core import ParametricActivate, Tanh
    >>> ParametricActivate(Tanh(), n_outputs=3).shapes
    {'alpha': (3,)}
    """

    activation: Activation
    n_outputs: int

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {"alpha": (self.n_outputs,)}

    @property
    def formulas(self) -> Mapping[str, str]:
        return {
            "activation": f"a = z + alpha * ({self.activation.formula} - z)",
            "delta": f"dL/dz = dL/da * (1 + alpha * ({self.activation.derivative} - 1))",
        }

    def initialize(self, rng: np.random.RandomState, parameters: LayerParameters) -> None:
        parameters["alpha"][...] = 1.0

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return {name: aligned((n_rows, self.n_outputs), dtype) for name in ("f", "a")}

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        buffers = {"ones": aligned(n_rows, dtype, 1.0)}
        if isinstance(self.activation, ActivationWithSlope):
            buffers["slope"] = aligned((n_rows, self.n_outputs), dtype)
        return buffers

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        f, a = buffers["f"], buffers["a"]
        if "slope" in buffers and isinstance(self.activation, ActivationWithSlope):
            self.activation.forward_with_slope(x, out=f, slope=buffers["slope"])
        else:
            self.activation.forward(x, out=f)
        np.subtract(f, x, out=a)
        a *= parameters["alpha"]
        a += x
        return a

    # With delta = dL/da,
    #   dL/dalpha_j = sum_i delta_ij (f(z_ij) - z_ij)
    #   dL/dz_ij    = delta_ij (1 - alpha_j) + alpha_j delta_ij f'(z_ij)
    # The output a has had its last reader, and lends its memory.
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        f, memory, alpha = buffers["f"], buffers["a"], parameters["alpha"]
        np.subtract(f, x, out=memory)
        memory *= delta
        buffers["ones"].dot(memory, out=gradient["alpha"])
        np.multiply(delta, alpha, out=memory)
        delta -= memory
        if "slope" in buffers:
            memory *= buffers["slope"]
        else:
            self.activation.backward(x, f, memory)
        delta += memory
        return delta
