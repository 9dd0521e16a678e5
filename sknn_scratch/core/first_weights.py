"""Initial weights and biases adapted to the data: no unit starts inactive, and none starts too large."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.layers import NeuralTangent
from sknn_scratch.core.network import Network
from sknn_scratch.core.parameters import FloatArray, Parameters
from sknn_scratch.core.prediction import forward_by_blocks

N_ROWS_PER_UNIT = 5
"""The 5 of "he+5"."""


def fit_first_weights(
    network: Network,
    parameters: Parameters,
    X: FloatArray,
    rng: np.random.RandomState,
    scale_weights: bool = True,
    place_biases: bool = True,
) -> None:
    """Adapt the drawn weights and biases of the neural-tangent layers to data, layer by layer.

    For the rows x that reach a layer:

    - each column of W is divided by the population standard deviation of its (x W)_j / sqrt(n_inputs), unless
      that is 0, so that each pre-activation has variance 1;
    - b_j = -sum_k e_k (x_k W)_j / sqrt(n_inputs) over 5 rows drawn for each unit, with weights e_k ~ Exp(1)
      scaled to sum to 1 ("he+5"): the unit has its kink somewhere among the data (after Steinwart, 2019).

    Parameters
    ----------
    network : Network
        The network.
    parameters : Parameters
        Its weights as drawn; changed in place.
    X : ndarray of shape (n_rows, n_inputs)
        Rows of the training data.
    rng : numpy.random.RandomState
        Source of the rows and of their weights.
    scale_weights, place_biases : bool, default=True
        Whether to do the first and the second of these.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart (2024), "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data". Steinwart (2019), "A sober look at neural network initializations".

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Network, NeuralTangent, SquaredError, fit_first_weights
    >>> rng = np.random.RandomState(0)
    >>> network, X = Network((NeuralTangent(3, 2),), SquaredError()), 10 * rng.standard_normal((100, 3))
    >>> parameters = network.initialize(rng, float)
    >>> fit_first_weights(network, parameters, X, rng)
    >>> network.raw_scores(X, parameters.layers).std(axis=0).round(6)
    array([1., 1.])
    """
    x, rows, start = X, np.arange(len(X)), 0
    for i, layer in enumerate(network.layers):
        if not isinstance(layer, NeuralTangent):
            continue
        some, of_some = network.layers[start : i + 1], parameters.layers[start : i + 1]
        weights, bias = of_some[-1]["weights"], of_some[-1]["bias"]
        drawn = bias.copy()
        bias[...] = 0.0
        # By blocks: the waves of many columns for all rows would take more memory than training does. And by
        # their numbers, which copies them: an activation works in place.
        z = forward_by_blocks(some, x, of_some, rows)
        if scale_weights:
            std = z.std(axis=0)
            is_constant = std <= 100 * np.finfo(std.dtype).eps * np.abs(z).max(axis=0)  # but for rounding
            weights /= np.where(is_constant, 1.0, std).astype(weights.dtype)
            z = forward_by_blocks(some, x, of_some, rows)
        bias[...] = -_weighted_rows(z, rng) if place_biases else drawn
        z += bias
        x, start = z, i + 1


def _weighted_rows(z: FloatArray, rng: np.random.RandomState) -> npt.NDArray[np.floating[Any]]:
    """For each column the mean of a few of its rows, by weights that are random too."""
    shape = N_ROWS_PER_UNIT, z.shape[1]
    rows = rng.randint(len(z), size=shape)
    shares = rng.standard_exponential(shape)
    shares /= shares.sum(axis=0)
    mean: FloatArray = np.sum(shares * np.take_along_axis(z, rows, axis=0), axis=0)
    return mean
