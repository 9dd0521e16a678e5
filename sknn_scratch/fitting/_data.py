"""What fit receives in addition to X and y, and what it is for."""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from sknn_scratch._sklearn import check_sample_weight

Checked = TypeVar("Checked")


class Purpose(Enum):
    """The purpose of X and y; it decides what must be known already and what may be missing."""

    NEW_FIT = "fit from scratch"
    WARM_START = "fit that continues an earlier one"
    FIRST_CHUNK = "first call of partial_fit"
    NEXT_CHUNK = "call of partial_fit on a fitted estimator"
    VALIDATION = "data that training does not see"

    @property
    def continues(self) -> bool:
        """Whether features, outputs and their scale are known already."""
        return self not in (Purpose.NEW_FIT, Purpose.FIRST_CHUNK)

    @property
    def is_chunk(self) -> bool:
        """Whether this is partial_fit, which trains for one epoch."""
        return self in (Purpose.FIRST_CHUNK, Purpose.NEXT_CHUNK)

    @property
    def is_part(self) -> bool:
        """Whether some of the classes known may be missing."""
        return self.is_chunk or self is Purpose.VALIDATION


class OwnValidation(NamedTuple):
    """What the user gave as `X_val`, `y_val` and `sample_weight_val` of fit."""

    X: Any = None
    y: Any = None
    sample_weight: Any = None

    @property
    def is_given(self) -> bool:
        """Whether there are any; half of them is an error."""
        if all(part is None for part in self):
            return False
        if self.X is None or self.y is None:
            missing = "X_val" if self.X is None else "y_val"
            raise ValueError(f"X_val and y_val belong together, but {missing} is None.")
        return True

    def checked(self, check: Callable[[Any, Any, Any], Checked]) -> Checked:
        """The result of a check of all three, whose errors say which data they are about.

        Parameters
        ----------
        check : callable
            Takes X, y and weights; raises a ValueError that does not know whose they are.

        Returns
        -------
        object
            What `check` returns.

        Raises
        ------
        ValueError
            If `check` does.
        """
        try:
            return check(self.X, self.y, self.sample_weight)
        except ValueError as error:
            raise ValueError(f"X_val, y_val or sample_weight_val do not match X and y: {error}") from error


def checked_weights(
    sample_weight: npt.ArrayLike | None, n_samples: int, dtype: npt.DTypeLike
) -> npt.NDArray[Any] | None:
    """Weights of samples.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
        Weights as the user gave them.
    n_samples : int
        How many there must be.
    dtype : dtype
        The precision of training.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        The weights; None stays None.

    Raises
    ------
    ValueError
        If they are negative, all zero, not finite, or too large or small for the precision.
    """
    if sample_weight is None:
        return None
    rows = np.empty((n_samples, 1))
    weights: npt.NDArray[Any] = check_sample_weight(sample_weight, rows, ensure_non_negative=True)
    with np.errstate(over="ignore"):
        weights = weights.astype(dtype, copy=False)
        total = weights.sum()
    if not np.finfo(dtype).tiny < total < np.inf:
        raise ValueError(
            f"sample_weight is too small or large for {np.dtype(dtype)}: the sum is {total}. "
            "Multiply all weights by one factor, such as 1 / sample_weight.mean()."
        )
    return weights
