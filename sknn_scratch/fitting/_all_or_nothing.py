"""A fit that fails leaves the estimator as it was."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sknn_scratch.core.interruption import POSTPONEMENT, interruptibly, uninterrupted
from sknn_scratch.fitting._arguments import check_call

if TYPE_CHECKING:
    from sknn_scratch._typing import Method


def all_or_nothing(method: Method) -> Method:
    """Decorate fit and partial_fit: whatever is raised, the estimator stays as it was.

    Ctrl-C breaks off the method, but not what puts the estimator back, nor the return of a fitted one.

    Parameters
    ----------
    method : callable
        ``fit`` or ``partial_fit`` of an estimator.

    Returns
    -------
    callable
        The same, which also puts random generators back.
    """

    @functools.wraps(method)
    @uninterrupted
    def guarded(estimator: Any, *args: Any, **kwargs: Any) -> Any:
        before = _state(estimator)
        generators = [before.get("_random_state"), estimator.random_state]
        positions = [
            (generator, generator.get_state(legacy=False))
            for generator in generators
            if isinstance(generator, np.random.RandomState)
        ]
        with POSTPONEMENT:
            try:
                return interruptibly(method, estimator, *args, **kwargs)
            except BaseException as error:
                for name in _state(estimator):
                    delattr(estimator, name)
                estimator.__dict__.update(before)
                for generator, position in positions:
                    generator.set_state(position)
                if isinstance(error, TypeError):  # of a call that does not suit the method, perhaps
                    check_call(method, estimator, args, kwargs)
                raise

    return cast("Method", guarded)


def _state(estimator: Any) -> dict[str, Any]:
    # what scikit-learn keeps there for callbacks is its own to clear away
    return {name: value for name, value in vars(estimator).items() if "callback" not in name}
