"""Is the gradient right? Backpropagation against central differences."""

from __future__ import annotations

import numpy as np

from sknn_scratch.core.network import Network
from sknn_scratch.core.parameters import FloatArray, Parameters
from sknn_scratch.core.workspace import Workspace


def gradient_errors(
    network: Network,
    parameters: Parameters,
    X: FloatArray,
    y: FloatArray,
    weight: FloatArray | None = None,
) -> list[dict[str, float]]:
    """The largest relative difference between the gradient and central differences, for each array.

    With h about 6e-6, the slope of L = loss + penalty along each parameter is

        (L(theta + h) - L(theta - h)) / (2 h),

    right to about 1e-10. The largest difference in an array is divided by the largest entry of its gradient.
    A right gradient gives about 1e-8; a gradient lost in the rounding of L counts as right. A right gradient
    may give more if a kink, such as relu's, lies within h, or if L bends sharply: at a minimum that training
    has reached, or with unscaled data.

    Parameters
    ----------
    network : Network
        The network.
    parameters : Parameters
        Its weights, in float64; they are not changed.
    X : ndarray or CSR of shape (n_rows, n_inputs)
        A small batch: each single parameter takes two passes over it.
    y : ndarray of shape (n_rows, n_targets)
        Its targets, as the loss expects them.
    weight : ndarray of shape (n_rows,) or None, default=None
        Weights of its rows, not all zero.

    Returns
    -------
    list of dict
        For each layer, the difference for each array, by name.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Network, SquaredError, Tanh, gradient_errors
    >>> rng = np.random.RandomState(0)
    >>> network = Network.mlp([3, 4, 2], Tanh(), SquaredError(), l2=0.1)
    >>> parameters = network.initialize(rng, np.float64)
    >>> X, y = rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    >>> errors = gradient_errors(network, parameters, X, y)
    >>> max(error for layer in errors for error in layer.values()) < 1e-7
    True
    """
    parameters = parameters.copy()  # to be moved to and fro
    workspace = Workspace(network, parameters, X.shape[0])
    total = network.loss_and_gradient(X, y, weight, workspace).total
    gradient = workspace.gradient.copy()

    slopes = Parameters.empty(parameters.shapes, np.float64)
    step = np.cbrt(np.finfo(np.float64).eps)  # balances rounding against the curvature of L
    theta = parameters.flat
    for i, value in enumerate(theta.copy()):
        above, below = value + step, value - step
        losses = []
        for theta[i] in (above, below):
            losses.append(network.loss_and_gradient(X, y, weight, workspace).total)
        theta[i] = value
        slopes.flat[i] = (losses[0] - losses[1]) / (above - below)
    # rounding leaves slopes uncertain by about eps max(1, L) / h; one below a million times that has no six
    # digits left to compare
    least = 1e6 * np.finfo(np.float64).eps * max(1.0, abs(total)) / step
    return [
        {name: _relative_difference(array, numerical[name], least) for name, array in analytical.items()}
        for analytical, numerical in zip(gradient.layers, slopes.layers, strict=True)
    ]


def _relative_difference(a: FloatArray, b: FloatArray, least: float) -> float:
    return float(np.abs(a - b).max() / max(np.abs(a).max(), np.abs(b).max(), least))
