"""The periodic embedding of numbers: PBLD, "periodic bias linear DenseNet"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.layers.base import Buffers, Layer
from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray, LayerParameters


@dataclass(frozen=True)
class PBLD(Layer):
    """Each input x_i becomes a few numbers: mixtures of learnt waves of it, and x_i itself.

    e_i = [cos(2 pi x_i w_i + b_i) V_i + c_i, x_i] with the frequencies w_i and the phases b_i of
    `n_frequencies` waves, and a mixture V_i, c_i of them in all outputs of the input but the last.

    Initially w ~ N(0, sigma^2), b ~ U[-pi, pi], and V and c ~ U[-r, r] with r = 1 / sqrt(n_frequencies).

    Parameters
    ----------
    n_inputs : int
        Columns of x.
    n_frequencies : int, default=16
        Number of waves per input.
    size : int, default=4
        Number of outputs per input, at least 2.
    sigma : float, default=0.1
        Standard deviation of the initial frequencies.

    References
    ----------
    Gorishniy, Rubachev & Babenko (2022), "On embeddings for numerical features in tabular deep learning", and
    Holzmüller, Grinsztajn & Steinwart (2024), "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data".

    Examples
    --------
    >>> from sknn_scratch.core import PBLD
    >>> layer = PBLD(10)
    >>> layer.n_outputs
    40
    >>> layer.shapes["mixture"]
    (10, 16, 3)
    """

    n_inputs: int
    n_frequencies: int = 16
    size: int = 4
    sigma: float = 0.1

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        return self.n_inputs * self.size

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        n, waves, mixed = self.n_inputs, self.n_frequencies, self.size - 1
        return {
            "frequencies": (n, waves),
            "phases": (n, waves),
            "mixture": (n, waves, mixed),
            "offset": (n, mixed),
        }

    @property
    def formulas(self) -> Mapping[str, str]:
        return {
            "pre_activation": "h = 2 pi x w + b",
            "activation": "e = [cos(h) V + c, x]",
            "delta": "dL/dh = -(dL/de V^T) * sin(h)",
        }

    def initialize(self, rng: np.random.RandomState, parameters: LayerParameters) -> None:
        shapes, bound = self.shapes, 1 / math.sqrt(self.n_frequencies)
        parameters["frequencies"][...] = rng.normal(0.0, self.sigma, shapes["frequencies"])
        parameters["phases"][...] = rng.uniform(-math.pi, math.pi, shapes["phases"])
        for name in ("mixture", "offset"):
            parameters[name][...] = rng.uniform(-bound, bound, shapes[name])

    def forward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        waves = (n_rows, self.n_inputs, self.n_frequencies)
        return {
            "x_and_1": aligned((n_rows, self.n_inputs, 2), dtype, 1.0),
            "h": aligned(waves, dtype),
            "wave": aligned(waves, dtype),
            "e": aligned((n_rows, self.n_outputs), dtype),
        }

    def backward_buffers(self, n_rows: int, dtype: npt.DTypeLike) -> dict[str, FloatArray]:
        return {
            "delta_wave": aligned((n_rows, self.n_inputs, self.n_frequencies), dtype),
            "ones": aligned(n_rows, dtype, 1.0),
            "delta_x": aligned((n_rows, self.n_inputs), dtype),
        }

    # What is done for each input is one small product of matrices a time, with inputs as the first axis.
    def forward(self, parameters: LayerParameters, x: FloatArray, buffers: Buffers) -> FloatArray:
        h, wave, e, x_and_1 = buffers["h"], buffers["wave"], buffers["e"], buffers["x_and_1"]
        x_and_1[:, :, 0] = x
        slopes = 2 * math.pi * parameters["frequencies"]
        np.matmul(_by_input(x_and_1), np.stack([slopes, parameters["phases"]], axis=1), out=_by_input(h))
        np.cos(h, out=wave)
        by_output = e.reshape(len(x), self.n_inputs, self.size)
        np.matmul(_by_input(wave), parameters["mixture"], out=_by_input(by_output[:, :, :-1]))
        by_output[:, :, -1] = x
        offset = np.zeros((self.n_inputs, self.size), x.dtype)
        offset[:, :-1] = parameters["offset"]
        e += offset.ravel()  # in one pass over whole rows
        return e

    # With delta = dL/de of the mixed outputs, for each input
    #   dL/dV = cos(h)^T delta          dL/dc = 1^T delta          dL/dh = -(delta V^T) sin(h)
    #   dL/dw = 2 pi x^T dL/dh          dL/db = 1^T dL/dh
    #   dL/dx = 2 pi dL/dh w^T + delta of the last output
    def backward(
        self,
        parameters: LayerParameters,
        gradient: LayerParameters,
        x: FloatArray,
        delta: FloatArray,
        buffers: Buffers,
    ) -> FloatArray:
        wave, delta_h = buffers["wave"], buffers["delta_wave"]
        by_output = delta.reshape(len(x), self.n_inputs, self.size)
        mixed = _by_input(by_output[:, :, :-1])
        np.matmul(_by_input(wave).transpose(0, 2, 1), mixed, out=gradient["mixture"])
        gradient["offset"][...] = buffers["ones"].dot(delta).reshape(self.n_inputs, self.size)[:, :-1]
        np.matmul(mixed, -parameters["mixture"].transpose(0, 2, 1), out=_by_input(delta_h))
        delta_h *= np.sin(buffers["h"], out=wave)
        slopes_and_phases = np.matmul(_by_input(buffers["x_and_1"]).transpose(0, 2, 1), _by_input(delta_h))
        np.multiply(slopes_and_phases[:, 0], 2 * math.pi, out=gradient["frequencies"])
        gradient["phases"][...] = slopes_and_phases[:, 1]
        if "delta_x" not in buffers:
            return delta
        delta_h *= 2 * math.pi * parameters["frequencies"]
        delta_x = np.sum(delta_h, axis=2, out=buffers["delta_x"])
        delta_x += by_output[:, :, -1]
        return delta_x


def _by_input(array: FloatArray) -> FloatArray:
    return array.transpose(1, 0, 2)
