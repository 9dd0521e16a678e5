"""The fully connected layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.initializers import Initializer, ScikitLearn
from sknn_scratch.core.layers.base import Buffers, Layer
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters


@dataclass(frozen=True)
class Dense(Layer):
    """z = x W + b, for a batch of rows x, dense or sparse.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Columns of x and of z.
    initializer : Initializer, default=ScikitLearn()
        Draws the initial weights and biases.
    has_bias : bool, default=True
        Whether there is a b.

    Examples
    --------
    >>> from sknn_scratch.core import Dense
    >>> Dense(3, 2).shapes
    {'weights': (3, 2), 'bias': (2,)}
    """

    n_inputs: int
    n_outputs: int
    initializer: Initializer = field(default_factory=ScikitLearn)
    has_bias: bool = True

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        weights = {"weights": (self.n_inputs, self.n_outputs)}
        return weights | {"bias": (self.n_outputs,)} if self.has_bias else weights

    @property
    def formulas(self) -> Mapping[str, str]:
        return {
            "pre_activation": "z = x W + b" if self.has_bias else "z = x W",
            "weights_gradient": "dL/dW = x^T dL/dz",
            "bias_gradient": "dL/db = 1^T dL/dz",
            "input_gradient": "dL/dx = dL/dz W^T",
        }

    def initialize(self, rng: np.random.RandomState, parameters: LayerParameters) -> None:
        parameters["weights"][...] = self.initializer(self.n_inputs, self.n_outputs, rng)
        if self.has_bias:
            parameters["bias"][...] = self.initializer.bias(self.n_inputs, self.n_outputs, rng)

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return {"z": aligned((n_rows, self.n_outputs), dtype)}

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return {"ones": aligned(n_rows, dtype, 1.0), "delta_x": aligned((n_rows, self.n_inputs), dtype)}

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        z = buffers["z"]
        if isinstance(x, np.ndarray):
            x.dot(parameters["weights"], out=z)  # half the overhead of np.dot
        else:
            z[...] = x @ parameters["weights"]
        if self.has_bias:
            z += parameters["bias"]
        return z

    # With delta = dL/dz and z_ik = sum_j x_ij W_jk + b_k, the chain rule gives
    #   dL/dW_jk = sum_i x_ij delta_ik          dL/dW = x^T delta
    #   dL/db_k  = sum_i delta_ik               dL/db = 1^T delta
    #   dL/dx_ij = sum_k delta_ik W_jk          dL/dx = delta W^T
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        if isinstance(x, np.ndarray):
            x.T.dot(delta, out=gradient["weights"])
        else:
            gradient["weights"][...] = x.T @ delta
        if self.has_bias:
            buffers["ones"].dot(delta, out=gradient["bias"])
        if "delta_x" in buffers:
            return delta.dot(parameters["weights"].T, out=buffers["delta_x"])
        return delta
