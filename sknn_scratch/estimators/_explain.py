"""What a fitted network would do with a batch: the step explained, its gradients checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sknn_scratch.core import Parameters, explain, gradient_errors
from sknn_scratch.fitting._unwrap import transform, unwrap

if TYPE_CHECKING:
    import numpy.typing as npt
    from sklearn.base import BaseEstimator

    from sknn_scratch._typing import Data
    from sknn_scratch.core import StepExplanation


def explain_step(
    estimator: BaseEstimator, X: Data, y: Data, sample_weight: npt.ArrayLike | None = None
) -> StepExplanation:
    """Compute every number of the step that training would take next on a small batch.

    One forward and one backward pass run through the layers used in training. The estimator is not changed.

    Parameters
    ----------
    estimator : ScratchMLPClassifier, ScratchMLPRegressor or Pipeline
        A fitted network, or a pipeline that ends in one; the steps before it transform `X` first.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        A few rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row; None means 1 for all.

    Returns
    -------
    StepExplanation
        Its ``layers`` hold every layer's input, pre-activation, activation, delta and gradients. Printing it
        shows the whole calculation with its formulas.

    Raises
    ------
    NotFittedError
        If the network is not fitted.
    TypeError
        If the estimator is not a network of this library.
    ValueError
        If the data do not fit the network.

    See Also
    --------
    check_gradients : Compares these gradients with central differences.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch import ScratchMLPRegressor, explain_step
    >>> X = np.array([[0.0], [1.0]])
    >>> line = ScratchMLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0).fit(X, [1, 3])
    >>> line.coefs_[0][:], line.intercepts_[0][:] = 1, 0
    >>> print(explain_step(line, X, [1, 3]))
    FORWARD
    <BLANKLINE>
    Layer 1
      input             x   (2 x 1)
        [[         0]
         [         1]]
      weights           W   (1 x 1)
        [[         1]]
      bias              b   (1)
        [         0]
      pre-activation    z = x W + b   (2 x 1)
        [[         0]
         [         1]]
      activation        p = z   (2 x 1)
        [[         0]
         [         1]]
    <BLANKLINE>
    LOSS
    <BLANKLINE>
      target            y   (2 x 1)
        [[         1]
         [         3]]
      loss              sum of ((p - y)^2 / 2) / n = 1.25
      penalty           0 ||W||^2 / (2 n) = 0
    <BLANKLINE>
    BACKWARD, of L = loss + penalty
    <BLANKLINE>
    Layer 1
      delta             dL/dz = (p - y) / n   (2 x 1)
        [[      -0.5]
         [        -1]]
      weights gradient  dL/dW = x^T dL/dz   (1 x 1)
        [[        -1]]
      bias gradient     dL/db = 1^T dL/dz   (1)
        [      -1.5]
    """
    front, network = unwrap(estimator)
    network, parameters, batch = network._next_step(transform(front, X), y, sample_weight)
    return explain(network, parameters, *batch)


def check_gradients(
    estimator: BaseEstimator, X: Data, y: Data, sample_weight: npt.ArrayLike | None = None
) -> dict[str, float]:
    """Compare the gradients of a step with central differences.

    Use it to check the backward pass of your own activation, layer or loss. Each single weight takes two
    passes over the rows, so keep the network small and the rows few.

    Parameters
    ----------
    estimator : ScratchMLPClassifier, ScratchMLPRegressor or Pipeline
        A fitted network, or a pipeline that ends in one; the steps before it transform `X` first.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        A few rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row; None means 1 for all.

    Returns
    -------
    dict
        For each array, such as ``"coefs_[0]"`` or ``"intercepts_[0]"``, the largest difference divided by the
        largest entry of its gradient; about 1e-8 if the gradient is right. Computed in float64.

    Raises
    ------
    NotFittedError
        If the network is not fitted.
    TypeError
        If the estimator is not a network of this library.
    ValueError
        If the data do not fit the network.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn_scratch import ScratchMLPClassifier, check_gradients
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ScratchMLPClassifier((5,), "tanh", solver="lbfgs", max_iter=1000, random_state=0).fit(X, y)
    >>> errors = check_gradients(model, X[::10], y[::10])
    >>> list(errors)
    ['coefs_[0]', 'intercepts_[0]', 'coefs_[1]', 'intercepts_[1]']
    >>> max(errors.values()) < 1e-6
    True
    """
    front, network = unwrap(estimator)
    network, parameters, batch = network._next_step(transform(front, X), y, sample_weight)
    parameters = Parameters(parameters.shapes, parameters.flat.astype(np.float64))
    arrays: list[Any] = [None if array is None else array.astype(np.float64) for array in batch]
    errors = [layer for layer in gradient_errors(network, parameters, *arrays) if layer]
    names = {"weights": "coefs_", "bias": "intercepts_"}
    return {f"{names[name]}[{i}]": error for i, layer in enumerate(errors) for name, error in layer.items()}
