"""Mini-batches: the order of rows, and taking them from dense or sparse data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

from sknn_scratch.core.machine.memory import aligned
from sknn_scratch.core.parameters import FloatArray


class Batch(NamedTuple):
    """Some rows of the data."""

    X: FloatArray
    y: FloatArray
    weight: FloatArray | None


class Batches:
    """The batches of one epoch after another.

    Rows are identified by number, so neither shuffling nor training on a part of the data copies the data.
    Rows taken from dense data go into one buffer, which the next batch overwrites.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_inputs)
        Data.
    y : ndarray of shape (n_samples, n_targets)
        Targets.
    weight : ndarray of shape (n_samples,) or None
        Weight of each row.
    batch_size : int
        Rows per batch; the last batch of an epoch has the rows that are left.
    rows : array-like of int or bool, or None, default=None
        The rows to train on, in this order; None means all.
    rng : numpy.random.RandomState or None, default=None
        Shuffles the last epoch's order for each new epoch; None keeps the order.
    drop_last : bool, default=False
        Whether an epoch leaves out the rows that do not fill a batch.

    Attributes
    ----------
    order : ndarray of int or None
        The rows in the order of the last epoch; None means all, in their original order.

    Raises
    ------
    ValueError
        If all weights are zero.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Batches
    >>> X = np.arange(5.0)[:, np.newaxis]
    >>> [len(batch.X) for batch in Batches(X, X, None, batch_size=2)]
    [2, 2, 1]
    """

    def __init__(
        self,
        X: FloatArray,
        y: FloatArray,
        weight: FloatArray | None,
        batch_size: int,
        rows: npt.ArrayLike | None = None,
        rng: np.random.RandomState | None = None,
        drop_last: bool = False,
    ) -> None:
        self.X, self.y, self.weight = X, y, weight
        self.rng, self.drop_last = rng, drop_last
        every_row = np.arange(X.shape[0])
        chosen = every_row if rows is None else every_row[np.asarray(rows)]  # numbers, or a mask
        if weight is not None and not weight[chosen].any():
            raise ValueError("weight is zero for all rows: there is nothing to learn from.")
        self.n_rows = len(chosen)
        self.batch_size = min(batch_size, self.n_rows)
        self.order = None if rows is None and rng is None else chosen  # None: slices, nothing is copied
        if self.order is not None:
            self._take_X, self._take_y = _Taker(X, self.batch_size), _Taker(y, self.batch_size)
            self._take_weight = None if weight is None else _Taker(weight, self.batch_size)

    @property
    def n_batches(self) -> int:
        """Number of batches in an epoch."""
        return self.n_rows // self.batch_size if self.drop_last else -(-self.n_rows // self.batch_size)

    def shuffle(self) -> None:
        """Put the rows into the order of the next epoch."""
        if self.rng is not None and self.order is not None:
            self.rng.shuffle(self.order)

    def __iter__(self) -> Iterator[Batch]:
        self.shuffle()
        for start in range(0, self.n_batches * self.batch_size, self.batch_size):
            stop = min(start + self.batch_size, self.n_rows)
            if self.order is None:
                part = slice(start, stop)
                yield Batch(self.X[part], self.y[part], None if self.weight is None else self.weight[part])
            else:
                rows = self.order[start:stop]
                weight = None if self._take_weight is None else self._take_weight(rows)
                yield Batch(self._take_X(rows), self._take_y(rows), weight)


class _Taker:
    """Takes rows from an array, if it is dense into one buffer."""

    def __init__(self, array: FloatArray, n_rows: int) -> None:
        self.array = array
        # `take` copies an array that is not in C order whole, at every call
        self.in_c_order = not issparse(array) and array.flags.c_contiguous
        self.buffer = None if issparse(array) else aligned((n_rows, *array.shape[1:]), array.dtype)

    def __call__(self, rows: npt.NDArray[np.intp]) -> FloatArray:
        if self.buffer is None:
            return self.array[rows]
        out = self.buffer if len(rows) == len(self.buffer) else self.buffer[: len(rows)]
        if self.in_c_order:
            # mode="clip" lets NumPy write straight into `out`; the rows are valid, so nothing is clipped
            return self.array.take(rows, axis=0, out=out, mode="clip")
        out[...] = self.array[rows]
        return out
