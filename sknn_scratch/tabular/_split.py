"""One split of the rows: what is fitted to its training part, in training, and what it is judged by."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sknn_scratch.tabular._fold import Fold
from sknn_scratch.tabular._member import Member
from sknn_scratch.tabular._table import Table

FARTHEST_TARGET = 1e18
"""Standard deviations at which the square of a target is still finite in float32."""


class Rows(NamedTuple):
    """Some rows of the data: a table, encoded targets in the units of y, and weights or None."""

    table: Table
    y: np.ndarray
    weight: np.ndarray | None

    def take(self, rows):
        """These rows of all three."""
        weight = None if self.weight is None else self.weight[rows]
        return Rows(self.table.take(rows), self.y[rows], weight)

    @property
    def weigh_something(self):
        """Whether there is a row that counts."""
        return self.weight is None or bool(self.weight.any())


class HeldOut(NamedTuple):
    """Rows that members are judged by.

    Attributes
    ----------
    X : frame or ndarray, or None
        The table in the form that the user gave; None without a scorer.
    data, y_scaled : ndarray
        The encoded table, and targets in the units of training.
    y, weight : ndarray
        Targets in their own units, and weights or None.
    """

    X: Any
    data: np.ndarray
    y_scaled: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None


@dataclass
class Split:
    """A fold, and its members in training.

    Attributes
    ----------
    fold : Fold
        What is fitted to the training part.
    members : list of Member
        Networks in training.
    held_out : HeldOut or None
        What members are judged by; None for those on all rows.
    """

    fold: Fold
    members: list[Member]
    held_out: HeldOut | None = None

    def hold_out(self, rows, is_scored):
        """Encode the rows that members are judged by."""
        X = rows.table.as_given() if is_scored else None
        data, y_scaled = self.fold.preprocessor.encode(rows.table), scaled(rows.y, self.fold.target)
        self.held_out = HeldOut(X, data, y_scaled, rows.y, rows.weight)

    def fitted(self):
        """The fold with the best weights of its members."""
        return self.fold.with_members([member.best for member in self.members])


def scaled(y, target):
    """Targets in the units of training."""
    if target is not None:
        y = np.clip(target.scaled(y), -FARTHEST_TARGET, FARTHEST_TARGET)
    return y.astype(np.float32)
