"""What the network sees of a point: its coordinates, and functions of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from sknn_scratch.core.parameters import FloatArray


class Feature(NamedTuple):
    """A function of the two coordinates: as it is shown, as code, and as it is computed."""

    title: str
    code: str
    compute: Callable[[FloatArray, FloatArray], FloatArray]


FEATURES: dict[str, Feature] = {
    "x1": Feature("x₁", "x1", lambda x1, x2: x1),
    "x2": Feature("x₂", "x2", lambda x1, x2: x2),
    "x1_squared": Feature("x₁²", "x1**2", lambda x1, x2: x1**2),
    "x2_squared": Feature("x₂²", "x2**2", lambda x1, x2: x2**2),
    "product": Feature("x₁x₂", "x1 * x2", lambda x1, x2: x1 * x2),
    "sin_x1": Feature("sin πx₁", "np.sin(np.pi * x1)", lambda x1, x2: np.sin(np.pi * x1)),
    "sin_x2": Feature("sin πx₂", "np.sin(np.pi * x2)", lambda x1, x2: np.sin(np.pi * x2)),
    "one": Feature("1", "np.ones_like(x1)", lambda x1, x2: np.ones_like(x1)),
}

OF_ONE_COLUMN = ("x1", "x1_squared", "sin_x1", "one")
"""Those that data with one coordinate have."""


def feature_matrix(X: FloatArray, names: Sequence[str]) -> FloatArray:
    """The inputs of the network for some points.

    Parameters
    ----------
    X : ndarray of shape (n_rows, 1) or (n_rows, 2)
        Points.
    names : sequence of str
        Out of `FEATURES`.

    Returns
    -------
    ndarray of shape (n_rows, n_features)
        A column for each name.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.playground.features import feature_matrix
    >>> feature_matrix(np.array([[2.0, 3.0]]), ["x1", "product"])
    array([[2., 6.]])
    """
    x1, x2 = X[:, 0], X[:, -1]
    return np.column_stack([FEATURES[name].compute(x1, x2) for name in names])
