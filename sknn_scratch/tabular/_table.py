"""A table that has been read: numbers in arrays that may be the user's own, and levels by column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sknn_scratch._sklearn import safe_indexing

CELLS_OF_A_BLOCK = 2**16
"""Cells that are computed with at a time."""


@dataclass(frozen=True)
class Numbers:
    """Columns of numbers in one array.

    Attributes
    ----------
    features : ndarray of int of shape (n_columns,)
        Which columns of X they are, from left to right.
    columns : ndarray of int of shape (n_columns,)
        Which columns of the array.
    array : ndarray of shape (n_rows, n_columns of the array)
        It may be the user's own, and is not changed.
    """

    features: np.ndarray
    columns: np.ndarray
    array: np.ndarray

    def without(self, mask):
        """Those that are not in a mask of the columns of X."""
        kept = ~mask[self.features]
        return Numbers(self.features[kept], self.columns[kept], self.array)

    def of_rows(self, rows):
        """Some rows in float64, with NaN for what is missing."""
        return self.array[rows][:, span(self.columns)].astype(np.float64, copy=False)


@dataclass(frozen=True)
class Column:
    """One column of the data.

    Attributes
    ----------
    name : str
        How messages and features call it.
    values : ndarray of shape (n_rows,)
        Numbers with NaN for what is missing, or objects.
    """

    name: str
    values: np.ndarray

    @property
    def is_categorical(self):
        """Whether it holds levels."""
        return self.values.dtype == object


@dataclass(frozen=True)
class Table:
    """Columns that have been read, and the rows of them that count.

    Going through it yields one `Column` after the other with these rows only, numbers as float64. No more
    than one column is copied at a time.

    Attributes
    ----------
    X : frame or ndarray of shape (n_rows, n_features)
        What the columns were read from.
    names : list of str
        How messages and features call the columns.
    numbers : list of Numbers
        The columns of numbers, with all rows.
    levels : dict of int -> ndarray of object of shape (n_rows,)
        The categories by their position, with all rows.
    rows : ndarray of int or None, default=None
        Numbers of the rows that count; None means all.
    """

    X: Any
    names: list[str]
    numbers: list[Numbers]
    levels: dict[int, np.ndarray]
    rows: np.ndarray | None = None

    def __len__(self):
        return self.X.shape[0] if self.rows is None else len(self.rows)

    def __iter__(self):
        return map(self.column, range(len(self.names)))

    @property
    def categorical_mask(self):
        """Which columns hold levels."""
        mask = np.zeros(len(self.names), dtype=bool)
        mask[list(self.levels)] = True
        return mask

    @cached_property
    def _columns(self):
        """Each column with all rows."""
        columns = dict(self.levels)
        for numbers in self.numbers:
            for feature, j in zip(numbers.features, numbers.columns, strict=True):
                columns[feature] = numbers.array[:, j]
        return columns

    def column(self, i):
        """Column i with the rows that count."""
        values = self._columns[i]
        values = values if self.rows is None else values[self.rows]
        return Column(self.names[i], values if i in self.levels else values.astype(np.float64, copy=False))

    def row_blocks(self, width):
        """Slices of the rows that count and their numbers in X, for `CELLS_OF_A_BLOCK` of so many columns."""
        step = max(1, CELLS_OF_A_BLOCK // width)
        for start in range(0, len(self), step):
            block = slice(start, start + step)
            yield block, block if self.rows is None else self.rows[block]

    def take(self, rows):
        """The same table with these of its rows only."""
        return replace(self, rows=rows if self.rows is None else self.rows[rows])

    def as_given(self):
        """These rows in the form that the user gave."""
        return self.X if self.rows is None else safe_indexing(self.X, self.rows)


def span(positions):
    """A slice for neighbouring positions, which gives a view, not a copy; else the positions themselves."""
    is_span = len(positions) > 0 and (np.diff(positions) == 1).all()
    return slice(positions[0], positions[-1] + 1) if is_span else positions
