"""The layer that learns a factor for each of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.layers.base import Buffers, Layer
from sknn_scratch.core.machine.blocks import blocks
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters


@dataclass(frozen=True)
class Scale(Layer):
    """z_ij = x_ij s_j, with factors s that are initially 1: a soft selection of features.

    Parameters
    ----------
    n_outputs : int
        Columns of x and of z.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart (2024), "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data".

    Examples
    --------
    >>> from sknn_scratch.core import Scale
    >>> Scale(3).shapes
    {'scale': (3,)}
    """

    n_outputs: int

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {"scale": (self.n_outputs,)}

    @property
    def formulas(self) -> Mapping[str, str]:
        return {
            "pre_activation": "z = x * s",
            "scale_gradient": "dL/ds = 1^T (x * dL/dz)",
            "input_gradient": "dL/dx = dL/dz * s",
        }

    def initialize(self, rng: np.random.RandomState, parameters: LayerParameters) -> None:
        parameters["scale"][...] = 1.0

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return {"z": aligned((n_rows, self.n_outputs), dtype)}

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return {}

    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        return np.multiply(x, parameters["scale"], out=buffers["z"])

    # dL/ds_j = sum_i delta_ij x_ij and dL/dx_ij = delta_ij s_j
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        gradient["scale"][...] = 0.0
        for some_x, some_delta in blocks(x, delta):
            gradient["scale"] += np.einsum("ij,ij->j", some_delta, some_x)
            some_delta *= parameters["scale"]
        return delta
