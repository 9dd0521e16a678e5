"""All that this library takes from scikit-learn beyond its public interface, each with the reason.

A new release of scikit-learn may move these names. Then this file changes, and no other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

# The base of its searches, which tells one from other meta-estimators.
from sklearn.model_selection._search import BaseSearchCV

# Takes rows of arrays, sparse matrices and frames of every kind.
from sklearn.utils import _safe_indexing as safe_indexing

# Behind `available_if`; the public decorator hides the reason that ours shows.
from sklearn.utils._available_if import _AvailableIfDescriptor as AvailableIfDescriptor

# pandas' NA, without an import of pandas.
from sklearn.utils._missing import is_pandas_na

# The error where matplotlib is missing, in scikit-learn's words.
from sklearn.utils._optional_dependencies import check_matplotlib_support

# What `_parameter_constraints` are made of, and the error for a value outside of them.
from sklearn.utils._param_validation import HasMethods, Interval, InvalidParameterError, Options, StrOptions

# The rules for `classes` in the first call of partial_fit.
from sklearn.utils.multiclass import _check_partial_fit_first_call as check_partial_fit_first_call

# Categories by mask, index or name, as HistGradientBoosting takes them.
from sklearn.utils.validation import _check_categorical_features as check_categorical_features

# Names of columns: kept by a model that is asked for a score before its fit has ended.
from sklearn.utils.validation import _check_feature_names as check_feature_names
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in

# Weights of samples and targets apart from X, which `validate_data` would turn into an array.
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _check_y as check_y
from sklearn.utils.validation import _num_features as num_features

if TYPE_CHECKING:
    Method = TypeVar("Method", bound=Callable[..., Any])

    # scikit-learn's has no types, so that the signature of the method would be lost
    def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Method], Method]: ...

else:
    # Decorates fit and partial_fit of all its own estimators: checks parameters, runs the callbacks' hooks.
    from sklearn.base import _fit_context as fit_context

__all__ = [
    "NEWEST_TESTED",
    "AvailableIfDescriptor",
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "callbacks_of",
    "check_categorical_features",
    "check_feature_names",
    "check_feature_names_in",
    "check_matplotlib_support",
    "check_partial_fit_first_call",
    "check_sample_weight",
    "check_y",
    "fit_context",
    "is_pandas_na",
    "num_features",
    "safe_indexing",
    "score_function_of",
]

NEWEST_TESTED = "1.9"
"""The newest release of scikit-learn that the tests were run with."""


def callbacks_of(estimator: Any) -> list[Any]:
    """The callbacks that an estimator was given by `set_callbacks`; there is no public way to read them."""
    return list(getattr(estimator, "_skl_callbacks", []))


def score_function_of(scorer: Callable[..., Any]) -> Callable[..., Any]:
    """The metric in one of scikit-learn's scorers, which says whether it takes weights; else the callable."""
    function: Callable[..., Any] = getattr(scorer, "_score_func", scorer)
    return function
