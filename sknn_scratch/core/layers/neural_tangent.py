"""The fully connected layer in the neural-tangent parametrization."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.initializers import Initializer, Normal
from sknn_scratch.core.layers.base import Buffers, Layer
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters


@dataclass(frozen=True)
class NeuralTangent(Layer):
    """z = x W / sqrt(n_inputs) + b (Jacot, Gabriel & Hongler, 2018).

    Weights of variance 1 then give outputs of the size of the inputs at any width: one learning rate suits
    layers of all widths.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Columns of x and of z.
    initializer : Initializer, default=Normal(1.0)
        Draws the initial weights.
    bias_initializer : Initializer, default=Normal(1.0)
        Draws the initial biases, as weights of one input.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import NeuralTangent
    >>> layer = NeuralTangent(4, 1)
    >>> parameters = {"weights": np.ones((4, 1)), "bias": np.zeros(1)}
    >>> layer.forward(parameters, np.ones((1, 4)), layer.forward_buffers(1, float))
    array([[2.]])
    """

    n_inputs: int
    n_outputs: int
    initializer: Initializer = field(default_factory=Normal)
    bias_initializer: Initializer = field(default_factory=Normal)

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {"weights": (self.n_inputs, self.n_outputs), "bias": (self.n_outputs,)}

    @property
    def formulas(self) -> Mapping[str, str]:
        return {
            "pre_activation": f"z = x W / sqrt({self.n_inputs}) + b",
            "weights_gradient": f"dL/dW = x^T dL/dz / sqrt({self.n_inputs})",
            "bias_gradient": "dL/db = 1^T dL/dz",
            "input_gradient": f"dL/dx = dL/dz W^T / sqrt({self.n_inputs})",
        }

    @property
    def factor(self) -> float:
        """1 / sqrt(n_inputs)."""
        return 1.0 / math.sqrt(self.n_inputs)

    def initialize(self, rng: np.random.RandomState, parameters: LayerParameters) -> None:
        parameters["weights"][...] = self.initializer(self.n_inputs, self.n_outputs, rng)
        parameters["bias"][...] = self.bias_initializer(1, self.n_outputs, rng)[0]

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return {"z": aligned((n_rows, self.n_outputs), dtype)}

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return {"ones": aligned(n_rows, dtype, 1.0), "delta_x": aligned((n_rows, self.n_inputs), dtype)}

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        z = x.dot(parameters["weights"], out=buffers["z"])
        z *= self.factor
        z += parameters["bias"]
        return z

    # As in Dense, with delta = dL/dz and c = 1 / sqrt(n_inputs):
    #   dL/dW = x^T c delta          dL/db = 1^T delta          dL/dx = c delta W^T
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        buffers["ones"].dot(delta, out=gradient["bias"])
        delta *= self.factor
        x.T.dot(delta, out=gradient["weights"])
        if "delta_x" in buffers:
            return delta.dot(parameters["weights"].T, out=buffers["delta_x"])
        return delta
