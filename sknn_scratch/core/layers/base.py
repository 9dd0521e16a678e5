"""The base of all layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.parameters import FloatArray, LayerParameters

Buffers = Mapping[str, FloatArray]


class Layer(ABC):
    """One step of the network. It owns shapes, not memory: parameters and buffers are passed to it.

    All buffers have one row per row of the batch, so a short batch uses their first rows.

    Attributes
    ----------
    n_outputs : int
        Columns of the output.
    """

    n_outputs: int

    works_in_place: ClassVar[bool] = False
    """Whether it may write its output over its input, which the layer before must not need then."""

    @property
    @abstractmethod
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of each parameter by name; empty if there is nothing to learn."""

    @property
    @abstractmethod
    def formulas(self) -> Mapping[str, str]:
        """The formulas of what it computes, by the names of :class:`~sknn_scratch.core.LayerExplanation`."""

    @abstractmethod
    def initialize(self, rng: np.random.RandomState, parameters: LayerParameters) -> None:
        """Write initial values into `parameters`."""

    @abstractmethod
    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        """Memory for one forward pass of `n_rows` rows."""

    @abstractmethod
    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        """More memory for one backward pass.

        ``"delta_x"`` is where dL / dx goes. A network's first layer does not get it: nothing reads the
        gradient with respect to the data.
        """

    def draw(  # noqa: B027 - most layers are certain
        self, rng: np.random.RandomState, buffers: Buffers, strength: float = 1.0
    ) -> None:
        """Draw the random numbers of a training step, if there are any, at a share of full strength."""

    @abstractmethod
    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        """Return the output for the input `x`; its memory is one of the buffers, or that of `x`."""

    @abstractmethod
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        """Write dL / d parameters into `gradient` and return dL / dx, given ``delta = dL / d output``.

        `x` is the input of forward. `delta` may be overwritten. Without the buffer ``"delta_x"``, the return
        value means nothing.
        """
