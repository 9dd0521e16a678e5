"""TabularPreprocessor: a table prepared for the network."""

from __future__ import annotations

from numbers import Integral, Number, Real
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sknn_scratch._sklearn import (
    Interval,
    StrOptions,
    check_feature_names,
    check_feature_names_in,
    fit_context,
)
from sknn_scratch.fitting._memory import refuse_beyond_memory
from sknn_scratch.tabular._columns import categorical_mask, checked_table, is_missing, read_table
from sknn_scratch.tabular._table import Table, span

if TYPE_CHECKING:
    from sknn_scratch._typing import Data


class TabularPreprocessor(TransformerMixin, BaseEstimator):
    """Scale numbers robustly, and encode categories as 0/1 columns or as level numbers.

    The columns of the result are, in this order: numbers, 0/1 columns, level numbers. All but the level
    numbers are centred at their median, multiplied by

    - 1 / (q75 - q25), or if these quartiles are equal
    - 2 / (max - min), or if these are equal 0,

    and clipped smoothly: x / sqrt(1 + (x / clip)^2).

    Parameters
    ----------
    categorical_features : array-like of {bool, int, str}, 'from_dtype' or None, default='from_dtype'
        Which columns hold categories, as in :class:`~sklearn.ensemble.HistGradientBoostingClassifier`: a
        mask, indices, or names, to which columns that do not hold numbers are added. 'from_dtype' means these
        and the columns of a frame with a categorical or boolean dtype. None means no columns: all must hold
        numbers.
    max_one_hot : int or None, default=8
        Largest number of levels for which a category becomes 0/1 columns, one for each level. With more
        levels, it becomes one column of level numbers, for an embedding. None means always 0/1 columns.
    clip : float > 0, default=3.0
        Limit of the absolute value of the scaled columns.

    Attributes
    ----------
    n_numbers_ : int
        Number of columns of numbers, which come first in the result.
    n_one_hot_ : int
        Number of 0/1 columns, which come next.
    n_levels_ : list of int
        Number of levels in each column of level numbers, which come last. It includes level 0, for values
        that are missing or were not seen in fit.
    categorical_mask_ : ndarray of bool of shape (n_features_in_,)
        Which columns hold categories.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if all are strings.

    Notes
    -----
    A missing number becomes the median; if any were missing in fit, a 0/1 column marks them. A category with
    two levels becomes one column of -1 and 1, with 0 for missing values; the 0/1 columns of other categories
    are then all 0. A level not seen in fit counts as missing.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart (2024), "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data".

    Examples
    --------
    >>> import pandas as pd
    >>> from sknn_scratch.tabular import TabularPreprocessor
    >>> X = pd.DataFrame({"age": [20.0, 30.0, None, 40.0], "colour": ["red", "blue", "red", None]})
    >>> preprocessor = TabularPreprocessor().set_output(transform="pandas")
    >>> preprocessor.fit_transform(X).round(2)
        age  age_missing  colour_red
    0 -0.95          0.0        0.40
    1  0.00          0.0       -1.11
    2  0.00          2.4        0.40
    3  0.95          0.0       -0.40
    """

    n_numbers_: int
    n_one_hot_: int
    n_levels_: list[int]
    categorical_mask_: npt.NDArray[np.bool_]
    n_features_in_: int
    feature_names_in_: npt.NDArray[np.object_]

    _parameter_constraints: dict = {
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "max_one_hot": [Interval(Integral, 0, None, closed="left"), None],
        "clip": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        categorical_features: npt.ArrayLike | None = "from_dtype",
        *,
        max_one_hot: int | None = 8,
        clip: float = 3.0,
    ) -> None:
        self.categorical_features = categorical_features
        self.max_one_hot = max_one_hot
        self.clip = clip

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Data, y: object = None) -> Self:
        """Learn levels, medians and scales.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Data.
        y : object, default=None
            Not used.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        table = checked_table(self, X, reset=True)
        return self.learn(read_table(table, categorical_mask(table, self.categorical_features)))

    def learn(self, table: Table) -> Self:
        """Learn from a table that has been read.

        Parameters
        ----------
        table : Table
            Data.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        check_feature_names(self, table.X, reset=True)
        self.n_features_in_ = len(table.names)
        self.categorical_mask_ = table.categorical_mask
        self.n_numbers_ = int(np.sum(~self.categorical_mask_))
        self._levels, self.n_levels_ = [], []
        numbers: list[tuple[float, float]] = []
        one_hot: list[tuple[float, float]] = []
        self._has_gaps, self._is_embedded = np.zeros((2, self.n_features_in_), dtype=bool)
        # the first of its 0/1 columns, and the column of its numbers or numbers of levels, for each feature
        self._first_one_hot, self._column = np.zeros((2, self.n_features_in_), dtype=np.intp)
        limit = np.inf if self.max_one_hot is None else self.max_one_hot
        for i, column in enumerate(table):
            levels = _levels_in(column.values) if column.is_categorical else None
            self._levels.append(levels)
            self._first_one_hot[i] = self.n_numbers_ + len(one_hot)
            if levels is None:
                self._has_gaps[i] = np.isnan(column.values).any()
                self._column[i] = len(numbers)
                numbers.append(_center_and_factor(column.values))
                if self._has_gaps[i]:
                    one_hot.append(_center_and_factor(np.isnan(column.values).astype(float)))
            elif len(levels) > limit:
                self._is_embedded[i] = True
                self._column[i] = len(self.n_levels_)
                self.n_levels_.append(len(levels) + 1)
            else:
                one_hot += _centers_and_factors(_codes(column.values, levels), len(levels))
        self._column[self._is_embedded] += self.n_numbers_ + len(one_hot)
        if not numbers + one_hot + self.n_levels_:
            raise ValueError(
                "All columns of X are categories without levels: there is nothing to learn from."
            )
        self.n_one_hot_ = len(one_hot)
        self._center, self._factor = np.array(numbers + one_hot).reshape(-1, 2).T
        return self

    def transform(self, X: Data) -> npt.NDArray[np.float32]:
        """Encode and scale.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out), float32
            Numbers, 0/1 columns, level numbers.
        """
        check_is_fitted(self)
        return self.encode(read_table(checked_table(self, X, reset=False), self.categorical_mask_))

    def encode(self, table: Table) -> npt.NDArray[np.float32]:
        """Encode and scale a table that has been read, ignoring scikit-learn's ``transform_output``.

        Parameters
        ----------
        table : Table
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out), float32
            Numbers, 0/1 columns, level numbers.
        """
        out = self._empty(len(table))
        for numbers in table.numbers:
            for block, rows in table.row_blocks(len(numbers.features)):
                self._encode_numbers(numbers.features, numbers.of_rows(rows), out[block])
        for i in table.levels:
            self._encode_levels(i, table.column(i).values, out)
        return out

    def _encode_numbers(self, features, values, out):
        where, is_missing = span(self._column[features]), np.isnan(values)
        out[:, where] = self._scaled(np.where(is_missing, self._center[where], values), where)
        gaps = np.flatnonzero(self._has_gaps[features])
        if len(gaps):
            where = self._first_one_hot[features[gaps]]
            out[:, where] = self._scaled(is_missing[:, gaps].astype(float), where)

    def _encode_levels(self, i, values, out):
        levels, first = self._levels[i], self._first_one_hot[i]
        codes = _codes(values, levels)
        if self._is_embedded[i]:
            out[:, self._column[i]] = codes
        elif len(levels) == 2:
            out[:, first] = self._scaled(_signs(codes), first)
        else:  # row by row where the 1 is: no column of float64 for each level
            where = slice(first, first + len(levels))
            rows = np.flatnonzero(codes)
            out[:, where] = self._scaled(0.0, where).astype(np.float32)
            out[rows, first + codes[rows] - 1] = self._scaled(1.0, where)[codes[rows] - 1]

    def get_feature_names_out(self, input_features: npt.ArrayLike | None = None) -> npt.NDArray[np.object_]:
        """Return the names of the columns of the result.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the features, if they had none in fit.

        Returns
        -------
        ndarray of str
            The name of the feature; 0/1 columns append ``"_missing"`` or the level.
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        numbers, one_hot, embedded = [], [], []
        for i, name in enumerate(names):
            levels = self._levels[i]
            if levels is None:
                numbers.append(name)
                one_hot += [f"{name}_missing"] if self._has_gaps[i] else []
            elif self._is_embedded[i]:
                embedded.append(name)
            else:
                one_hot += [f"{name}_{level}" for level in (levels[1:] if len(levels) == 2 else levels)]
        return np.array([*numbers, *one_hot, *embedded], dtype=object)

    def _empty(self, n_rows):
        width = self.n_numbers_ + self.n_one_hot_ + len(self.n_levels_)
        refuse_beyond_memory(
            4 * n_rows * width,
            f"A table of {n_rows:,} rows, {width:,} columns, {self.n_one_hot_:,} of them 0/1,",
            "Use max_one_hot=8, which numbers the levels of categories that have more, or fewer rows.",
        )
        return np.empty((n_rows, width), np.float32)

    def _scaled(self, x, where):
        """Values of the columns of the result there, scaled and clipped."""
        x = (x - self._center[where]) * self._factor[where]
        return x / np.sqrt(1 + (x / self.clip) ** 2)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _levels_in(values):
    """The levels: numbers before strings before all else, and in their own order where they have one."""
    kinds: dict = {}
    for value in dict.fromkeys(values):  # as they appear: a set of strings has another order in each process
        if not is_missing(value):
            rank = (0, "") if isinstance(value, Number) else (1, "") if isinstance(value, str) else None
            kind = rank or (2, f"{type(value).__module__}.{type(value).__qualname__}")
            kinds.setdefault(kind, []).append(value)
    return [value for kind in sorted(kinds) for value in _sorted_if_possible(kinds[kind])]


def _sorted_if_possible(values):
    try:
        return sorted(values)
    except TypeError:
        return values


def _codes(values, levels):
    """Numbers of the levels, from 1; 0 for what is missing or no level."""
    numbers = {level: number for number, level in enumerate(levels, start=1)}
    return np.fromiter((numbers.get(value, 0) for value in values), np.intp, len(values))


def _signs(codes):
    return np.select([codes == 1, codes == 2], [-1.0, 1.0], 0.0)


def _centers_and_factors(codes, n_levels):
    """Those of the 0/1 columns of a category."""
    if n_levels == 2:
        return [_center_and_factor(_signs(codes))]
    counts = np.bincount(codes, minlength=n_levels + 1)[1:]
    # columns with equally many ones have the same quantiles
    of_count = {
        n: _center_and_factor(np.repeat([0.0, 1.0], [len(codes) - n, n])) for n in set(counts.tolist())
    }
    return [of_count[n] for n in counts.tolist()]


def _center_and_factor(column):
    known = column[~np.isnan(column)]
    if len(known) == 0:
        return 0.0, 0.0
    low, q25, median, q75, high = np.quantile(known, [0.0, 0.25, 0.5, 0.75, 1.0])
    smallest = np.finfo(np.float64).tiny  # the reciprocal of less would be infinite
    if q75 - q25 >= smallest:
        return median, 1 / (q75 - q25)
    return median, 2 / (high - low) if high - low >= smallest else 0.0
