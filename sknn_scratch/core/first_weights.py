"""First weights and biases that look at the data: no unit starts asleep, and none starts too loud."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.layers import NeuralTangent
from sknn_scratch.core.network import Network
from sknn_scratch.core.parameters import FloatArray, Parameters

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
    """Adapt the drawn weights and biases of the neural-tangent layers to data, in one forward pass.

    Layer by layer, for the rows x that arrive there:

    - each column of W is divided by the population standard deviation of its (x W)_j / sqrt(n_inputs), unless
      that is 0, so that each pre-activation has the variance 1;
    - b_j = -sum_k e_k (x_k W)_j / sqrt(n_inputs) over 5 rows drawn for each unit, with weights e_k ~ Exp(1)
      that are scaled to the sum 1 ("he+5"): the unit has its kink somewhere among the data (after Steinwart,
      2019).

    Parameters
    ----------
    network : Network
        The network.
    parameters : Parameters
        Its weights as drawn; changed in place.
    X : ndarray of shape (n_rows, n_inputs)
        Rows of the training data, which pass through all at once.
    rng : numpy.random.RandomState
        Source of the rows and of their weights.
    scale_weights, place_biases : bool, default=True
        Which of the two to do.

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
    x = X
    for layer, of_layer in zip(network.layers, parameters.layers, strict=True):
        buffers = layer.forward_buffers(len(x), parameters.flat.dtype)
        if isinstance(layer, NeuralTangent):
            weights, bias = of_layer["weights"], of_layer["bias"]
            if scale_weights:
                z = x.dot(weights) * layer.factor
                std = z.std(axis=0)
                is_constant = std <= 100 * np.finfo(std.dtype).eps * np.abs(z).max(axis=0)  # but for rounding
                weights /= np.where(is_constant, 1.0, std).astype(weights.dtype)
            if place_biases:
                bias[...] = -_weighted_rows(x.dot(weights) * layer.factor, rng)
        x = layer.forward(of_layer, x, buffers)


def _weighted_rows(z: FloatArray, rng: np.random.RandomState) -> npt.NDArray[np.floating[Any]]:
    """For each column the mean of a few of its rows, by weights that are random too."""
    shape = N_ROWS_PER_UNIT, z.shape[1]
    rows = rng.randint(len(z), size=shape)
    shares = rng.standard_exponential(shape)
    shares /= shares.sum(axis=0)
    mean: FloatArray = np.sum(shares * np.take_along_axis(z, rows, axis=0), axis=0)
    return mean
