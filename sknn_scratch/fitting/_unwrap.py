"""Find the network in what a user calls the model."""

from collections.abc import Callable
from typing import Any

from sklearn.base import MetaEstimatorMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sknn_scratch._sklearn import BaseSearchCV

MLPS = "ScratchMLPClassifier, a ScratchMLPRegressor"
"""What errors call the networks of dense layers."""


def is_mlp(estimator: Any) -> bool:
    """Whether it is a network of dense layers, which shows its weights."""
    return not isinstance(estimator, type) and bool(getattr(estimator, "has_dense_layers", False))


def unwrap(
    estimator: Any, is_network: Callable[[Any], bool] = is_mlp, names: str = MLPS
) -> tuple[Pipeline | None, Any]:
    """The network at the end of a pipeline or a search, fitted, and what is in front of it.

    Parameters
    ----------
    estimator : estimator
        A network, a pipeline that ends in one, or a search that has found one of these.
    is_network : callable, default=is_mlp
        Tells whether an estimator is one.
    names : str, default=MLPS
        What the error calls these.

    Returns
    -------
    front : Pipeline or None
        The steps before the network.
    network : estimator
        The network.
    """
    front: list[tuple[str, Any]] = []
    inner = estimator
    while not is_network(inner):
        if isinstance(inner, Pipeline):
            *before, (_, inner) = inner.steps
            front += before
        elif hasattr(inner, "best_estimator_"):
            inner = inner.best_estimator_
        else:
            if isinstance(inner, MetaEstimatorMixin):  # a search that has not searched yet
                check_is_fitted(inner)
            raise not_a_network(estimator, names)
    check_is_fitted(inner)
    return (Pipeline(front) if front else None), inner


def innermost(estimator: Any) -> Any:
    """The network that a pipeline or a search will fit."""
    inner = estimator
    while not is_mlp(inner):
        if isinstance(inner, Pipeline):
            inner = inner.steps[-1][1]
        elif isinstance(inner, BaseSearchCV) and inner.refit:
            inner = inner.estimator
        else:
            raise not_a_network(estimator)
    return inner


def not_a_network(estimator: Any, names: str = MLPS) -> TypeError:
    """The error to raise."""
    return TypeError(
        f"The estimator must be a {names}, or a Pipeline or search that ends in one, got {estimator!r}."
    )


def transform(front: Pipeline | None, X: Any) -> Any:
    """The data as the network receives them."""
    return X if front is None else front.transform(X)
