"""Configured objects: the settings of an activation, a loss, an optimizer or a schedule.

Each is a dataclass, so repr, equality, pickling and copying come for free. ``get_params`` and ``set_params``
follow scikit-learn's protocol: an estimator that holds ``solver=Adam(beta_1=0.8)`` can be cloned, and a
search can vary ``solver__beta_1``.
"""

from __future__ import annotations

import math
from abc import ABC
from dataclasses import dataclass, field, fields
from typing import Any, Self


@dataclass(frozen=True)
class Interval:
    """The real numbers between `low` and `high`, with or without the two ends, and None if `or_none`."""

    low: float
    high: float
    includes_low: bool = True
    includes_high: bool = False
    or_none: bool = False

    def __contains__(self, value: object) -> bool:
        if value is None:
            return self.or_none
        if isinstance(value, bool | str) or not hasattr(value, "__float__"):
            return False
        try:
            number = float(value)
        except (TypeError, ValueError):  # of an array
            return False
        return (
            self.low < number < self.high
            or (self.includes_low and number == self.low)
            or (self.includes_high and number == self.high)
        )

    def __str__(self) -> str:
        left, right = "(["[self.includes_low], ")]"[self.includes_high]
        return f"a number in {left}{self.low:g}, {self.high:g}{right}{' or None' * self.or_none}"


FINITE = Interval(-math.inf, math.inf, includes_low=False)
POSITIVE = Interval(0, math.inf, includes_low=False)
POSITIVE_OR_NONE = Interval(0, math.inf, includes_low=False, or_none=True)
NOT_NEGATIVE = Interval(0, math.inf)
FRACTION = Interval(0, 1)
CLOSED_FRACTION = Interval(0, 1, includes_high=True)
OPEN_FRACTION = Interval(0, 1, includes_low=False)


def number(default: float | None, allowed: Interval, kw_only: bool = False) -> Any:
    """A dataclass field with a default that must lie in an interval."""
    return field(default=default, kw_only=kw_only, metadata={"allowed": allowed})


def exact(value: float) -> str:
    """A number in a formula: six digits if they are exact, else all digits."""
    text = f"{value:g}"
    return text if float(text) == value else repr(float(value))


@dataclass
class Configured(ABC):  # noqa: B024
    """Base of all configured objects: it checks its fields and has get_params and set_params.

    Examples
    --------
    >>> from sknn_scratch.core import Adam
    >>> Adam(beta_1=0.8).set_params(beta_2=0.99)
    Adam(max_grad_norm=None, beta_1=0.8, beta_2=0.99, epsilon=1e-08)
    >>> Adam(beta_1=1.5)
    Traceback (most recent call last):
        ...
    ValueError: 'beta_1' of Adam must be a number in [0, 1), got 1.5.
    """

    def __post_init__(self) -> None:
        for setting in fields(self):
            allowed, value = setting.metadata.get("allowed"), getattr(self, setting.name)
            if allowed is not None and value not in allowed:
                raise ValueError(
                    f"{setting.name!r} of {type(self).__name__} must be {allowed}, got {value!r}."
                )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings by name.

        Parameters
        ----------
        deep : bool, default=True
            Accepted for scikit-learn's protocol; settings are plain values.

        Returns
        -------
        dict
            One entry per setting.
        """
        return {setting.name: getattr(self, setting.name) for setting in fields(self)}

    def set_params(self, **params: Any) -> Self:
        """Change settings by name, all or none.

        Parameters
        ----------
        **params : dict
            New values of settings.

        Returns
        -------
        self : object
            The object itself.

        Raises
        ------
        ValueError
            If a name is unknown or a value is not allowed; nothing is then changed.
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise ValueError(f"{type(self).__name__} has no setting {name!r}; it has {sorted(known)}.")
        type(self)(**{**known, **params})  # checks the new values before any is set
        for name, value in params.items():
            setattr(self, name, value)
        return self
