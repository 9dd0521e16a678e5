"""Methods that an estimator has only at some settings, with an error that says at which."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from sknn_scratch._sklearn import AvailableIfDescriptor

if TYPE_CHECKING:
    from sknn_scratch._typing import Method


class _Available(AvailableIfDescriptor):
    def _check(self, obj: Any, owner: Any) -> None:
        try:
            super()._check(obj, owner)
        except AttributeError as error:
            raise AttributeError(f"{error}. {error.__cause__}") from error.__cause__


def available_if(check: Callable[[Any], bool]) -> Callable[[Method], Method]:
    """scikit-learn's decorator of this name; the error also shows the reason, which scikit-learn's hides.

    Parameters
    ----------
    check : callable
        Returns True, or raises an AttributeError that says what to do.

    Returns
    -------
    callable
        The decorator.
    """

    def decorated(method: Method) -> Method:
        return cast("Method", _Available(method, check, method.__name__))

    return decorated
