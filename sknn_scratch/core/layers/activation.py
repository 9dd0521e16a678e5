"""The layer that applies an activation function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.activations import Activation, ActivationWithSlope
from sknn_scratch.core.layers.base import Buffers, Layer
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters


@dataclass(frozen=True)
class Activate(Layer):
    """a = f(z), element by element, in the memory of z unless backward needs z.

    Parameters
    ----------
    activation : Activation
        The function f.
    n_outputs : int
        Columns of z and of a.

    Examples
    --------
    >>> from sknn_scratch.core import Activate, Tanh
    >>> Activate(Tanh(), n_outputs=3).shapes
    {}
    """

    works_in_place: ClassVar[bool] = True

    activation: Activation
    n_outputs: int

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {}

    @property
    def formulas(self) -> Mapping[str, str]:
        return {
            "activation": f"a = {self.activation.formula}",
            "delta": f"dL/dz = dL/da * ({self.activation.derivative})",
        }

    def initialize(self, rng: np.random.RandomState, parameters: LayerParameters) -> None:
        pass

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        keeps_z = self.activation.keeps_z and not isinstance(self.activation, ActivationWithSlope)
        return {"a": aligned((n_rows, self.n_outputs), dtype)} if keeps_z else {}

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        has_slope = isinstance(self.activation, ActivationWithSlope)
        return {"slope": aligned((n_rows, self.n_outputs), dtype)} if has_slope else {}

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        a = buffers.get("a", x)
        if "slope" in buffers and isinstance(self.activation, ActivationWithSlope):
            self.activation.forward_with_slope(x, out=a, slope=buffers["slope"])
        else:
            self.activation.forward(x, out=a)
        return a

    # dL/dz_ij = dL/da_ij f'(z_ij)
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        if "slope" in buffers:
            delta *= buffers["slope"]
        else:
            self.activation.backward(x, buffers.get("a", x), delta)
        return delta
