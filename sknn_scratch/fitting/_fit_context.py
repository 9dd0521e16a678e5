"""scikit-learn's decorator of fit and partial_fit, with types."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sknn_scratch._typing import Method

    # scikit-learn's has none, so that the signature of the method would be lost
    def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Method], Method]: ...

else:
    from sklearn.base import _fit_context as fit_context

__all__ = ["fit_context"]
