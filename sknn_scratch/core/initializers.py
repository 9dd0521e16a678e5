"""Initial values of weights and biases."""

from __future__ import annotations

import math

import numpy as np

from sknn_scratch.core.parameters import FloatArray


def glorot_uniform(
    rng: np.random.RandomState,
    fan_in: int,
    fan_out: int,
    shape: tuple[int, ...],
    factor: float = 6.0,
) -> FloatArray:
    """Draw uniformly from [-b, b] with b = sqrt(factor / (fan_in + fan_out)).

    With factor 6 a layer leaves the variance of what passes through it as it is, averaged over the forward
    and the backward pass (Glorot & Bengio, 2010). The logistic function is given the factor 2.

    Parameters
    ----------
    rng : numpy.random.RandomState
        Where the numbers come from.
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.
    shape : tuple of int
        Shape of the array to draw.
    factor : float, default=6.0
        Scale of the variance.

    Returns
    -------
    ndarray of float64
        The initial values.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import glorot_uniform
    >>> weights = glorot_uniform(np.random.RandomState(0), 3, 3, shape=(3, 3))
    >>> bool(abs(weights).max() <= 1.0)
    True
    """
    bound = math.sqrt(factor / (fan_in + fan_out))
    return rng.uniform(-bound, bound, shape)
