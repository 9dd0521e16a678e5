"""Parameters of both families: unknown and misplaced ones explained, names turned into objects."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, NoReturn, Self

from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer, get_scorer_names

from sknn_scratch._sklearn import InvalidParameterError, StrOptions, score_function_of
from sknn_scratch.core.configuration import Configured
from sknn_scratch.fitting._arguments import explanations
from sknn_scratch.fitting._documentation import HasAPage


def _scoring(*modules: str) -> list[Any]:
    """What `scoring` may be, where the metrics of the task are in these modules of scikit-learn."""
    homes = {name: score_function_of(get_scorer(name)).__module__ for name in get_scorer_names()}
    fitting = {name for name, home in homes.items() if home.endswith(modules)}
    return [StrOptions({"loss", *fitting}), callable, None]


SCORING_OF_CLASSES = _scoring("._classification", "._ranking", "._scorer")
SCORING_OF_NUMBERS = _scoring("._regression")


class Settings(HasAPage, BaseEstimator):
    """The parameters of an estimator: what is wrong with one is explained."""

    def set_params(self, **params: Any) -> Self:
        """Set parameters, and settings of the objects among them, such as ``activation__negative_slope``.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If a name is unknown, or a parameter has no settings; nothing is changed then.
        """
        known = self._get_param_names()
        unknown = [name for name in params if name.partition("__")[0] not in known]
        if unknown:
            raise ValueError(
                f"Invalid parameter {explanations(type(self), unknown)} for estimator {self}. "
                f"Valid parameters are: {known}."
            )
        for name in params:
            parameter, nested, _ = name.partition("__")
            value = params.get(parameter, getattr(self, parameter))
            if nested and not hasattr(value, "set_params"):
                raise ValueError(
                    f"{name} is a setting of an object, but {parameter}={value!r} is not one: set "
                    f"{parameter} to an object first."
                )
        super().set_params(**params)
        return self

    def _validate_params(self) -> None:
        for name, constraints in self._parameter_constraints.items():
            value = getattr(self, name, None)
            if isinstance(value, type) and _takes_objects_of(value, constraints):
                refuse_a_class(name, value)
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            hint = self._hint(str(error).split("'")[1])
            raise InvalidParameterError(f"{error}{hint}") from None

    def _hint(self, name: str) -> str:
        """Where the value of a parameter belongs, if that shows."""
        value = getattr(self, name)
        if name == "learning_rate" and isinstance(value, Real):
            return f" A number belongs to learning_rate_init={value!r}."
        if _is_sizes(value) and name in ("loss", "preset"):  # the first that is taken by position
            return f" Sizes of layers go by name: hidden_layer_sizes={value!r}."
        return ""


def resolved(
    parameter: str,
    value: Any,
    registry: Mapping[str, Callable[..., Any]],
    of_function: Any = None,
    **settings: Any,
) -> Any:
    """The object that a parameter names, is, or computes with: always one of the estimator's own.

    Parameters
    ----------
    parameter : str
        Its name.
    value : str, Configured or callable
        Its value.
    registry : dict
        Classes by name.
    of_function : callable, default=None
        Makes an object of a function, where functions are allowed.
    **settings : dict
        Those of the object that a name stands for.

    Returns
    -------
    Configured
        A copy of the user's object, checked: that one may change at any time.

    Raises
    ------
    ValueError
        If the value is a class, or a setting has been changed to what is not allowed.
    """
    if isinstance(value, str):
        return registry[value](**settings)
    if isinstance(value, type):
        refuse_a_class(parameter, value)
    if not isinstance(value, Configured):
        return of_function(value)
    own = copy.deepcopy(value)
    own.__post_init__()
    return own


def hidden_sizes(sizes: Any) -> list[int]:
    """The parameter `hidden_layer_sizes` as a list.

    Parameters
    ----------
    sizes : int or array-like of int
        Units of each hidden layer.

    Returns
    -------
    list of int
        One for each hidden layer.

    Raises
    ------
    ValueError
        If one is not a whole number above 0.
    """
    sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
    if not all(isinstance(size, Integral) and not isinstance(size, bool) and int(size) > 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, whole numbers, one per hidden layer, got {sizes}.")
    return [int(size) for size in sizes]


def refuse_a_class(parameter: str, value: type) -> NoReturn:
    """A class is callable too, but what it makes is not what a function returns."""
    name = value.__name__
    raise ValueError(f"{parameter} must be an object, got the class {name}: write {name}().")


def _takes_objects_of(kind: type, constraints: list[Any]) -> bool:
    """Whether a parameter takes what a class makes, or functions."""
    kinds = tuple(constraint for constraint in constraints if isinstance(constraint, type))
    return callable in constraints or issubclass(kind, kinds)


def _is_sizes(value: object) -> bool:
    sizes = value if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    return all(isinstance(size, Integral) for size in sizes)
