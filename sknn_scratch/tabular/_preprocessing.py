"""TabularPreprocessor: a table as the network wants it."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from sknn_scratch.tabular._columns import categorical_mask, checked_table, is_missing, read_columns


class TabularPreprocessor(TransformerMixin, BaseEstimator):
    """Numbers scaled robustly and clipped smoothly, categories as 0/1 columns or as numbers of levels.

    The columns of the result are, in this order: numbers, 0/1 columns, numbers of levels. All but the last
    are centred at their median and multiplied by

    - 1 / (q75 - q25) with the quartiles, or if these are equal
    - 2 / (max - min), or if these are equal 0,

    and clipped smoothly, x / sqrt(1 + (x / clip)^2).

    Parameters
    ----------
    categorical_features : array-like of {bool, int, str}, 'from_dtype' or None, default='from_dtype'
        Which columns hold categories, as in :class:`~sklearn.ensemble.HistGradientBoostingClassifier`: a
        mask, indices, or names; columns that do not hold numbers are always among them. With 'from_dtype'
        these, and the columns of a frame with a categorical or boolean dtype. With None there are none.
    max_one_hot : int or None, default=8
        Levels up to which a category becomes 0/1 columns, one for each level; above it becomes one column
        with the number of its level, for an embedding. None means 0/1 columns always.
    clip : float > 0, default=3.0
        Limit of the absolute value of the result.

    Attributes
    ----------
    n_numbers_ : int
        Columns of numbers at the front of the result.
    n_one_hot_ : int
        The 0/1 columns after them.
    n_levels_ : list of int
        For each column of numbers of levels at its end, how many there are, the level 0 of what is missing or
        was not seen in fit included.
    categorical_mask_ : ndarray of bool of shape (n_features_in_,)
        Which columns hold categories.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if all are strings.

    Notes
    -----
    A missing number becomes the median, and if there were any in fit, a 0/1 column says where. A category
    with two levels becomes one column of -1 and 1, 0 where it is missing; other 0/1 columns are all 0 there.
    A level that was not seen in fit counts as missing.

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

    _parameter_constraints: dict = {
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "max_one_hot": [Interval(Integral, 0, None, closed="left"), None],
        "clip": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, categorical_features="from_dtype", *, max_one_hot=8, clip=3.0):
        self.categorical_features = categorical_features
        self.max_one_hot = max_one_hot
        self.clip = clip

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
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
        X = checked_table(self, X, reset=True)
        self.categorical_mask_ = categorical_mask(X, self.categorical_features)
        columns = read_columns(X, self.categorical_mask_)
        self._levels = [_levels(column.values) if column.is_categorical else None for column in columns]
        self._has_gaps = [not column.is_categorical and np.isnan(column.values).any() for column in columns]
        limit = np.inf if self.max_one_hot is None else self.max_one_hot
        self._is_embedded = [levels is not None and len(levels) > limit for levels in self._levels]
        self.n_numbers_ = int(np.sum(~self.categorical_mask_))
        pairs = zip(self._levels, self._is_embedded, strict=True)
        self.n_levels_ = [len(levels) + 1 for levels, embedded in pairs if levels and embedded]
        scaled, embedded = self._encoded(columns)
        if not scaled + embedded:
            raise ValueError(
                "All columns of X are categories without a level: there is nothing to learn from."
            )
        self.n_one_hot_ = len(scaled) - self.n_numbers_
        factors = np.array([_center_and_factor(column) for column in scaled]).reshape(-1, 2)
        self._center, self._factor = factors.T
        return self

    def transform(self, X):
        """Encode and scale.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out), float32
            Numbers, 0/1 columns, numbers of levels.
        """
        check_is_fitted(self)
        columns = read_columns(checked_table(self, X, reset=False), self.categorical_mask_)
        scaled, embedded = self._encoded(columns)
        out = np.empty((len(columns[0].values), len(scaled) + len(embedded)), np.float32)
        for i, column in enumerate(scaled):
            x = (np.where(np.isnan(column), self._center[i], column) - self._center[i]) * self._factor[i]
            out[:, i] = x / np.sqrt(1 + (x / self.clip) ** 2)
        for i, codes in enumerate(embedded, start=len(scaled)):
            out[:, i] = codes
        return out

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of the result.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the features, if they had none in fit.

        Returns
        -------
        ndarray of str
            The name of the feature, with ``"_missing"`` or the level behind it in 0/1 columns.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        numbers, one_hot, embedded = [], [], []
        for i, name in enumerate(names):
            levels = self._levels[i]
            if levels is None:
                numbers.append(name)
                one_hot += [f"{name}_missing"] if self._has_gaps[i] else []
            elif self._is_embedded[i]:
                embedded.append(name)
            else:
                one_hot += [f"{name}_{level}" for level in (list(levels)[1:] if len(levels) == 2 else levels)]
        return np.array([*numbers, *one_hot, *embedded], dtype=object)

    def _encoded(self, columns):
        """Numbers and 0/1 columns, not scaled yet; numbers of levels."""
        numbers, one_hot, embedded = [], [], []
        for i, column in enumerate(columns):
            levels = self._levels[i]
            if levels is None:
                numbers.append(column.values)
                one_hot += [np.isnan(column.values).astype(float)] if self._has_gaps[i] else []
                continue
            codes = np.fromiter((levels.get(value, 0) for value in column.values), float, len(column.values))
            if self._is_embedded[i]:
                embedded.append(codes)
            elif len(levels) == 2:
                one_hot.append(np.select([codes == 1, codes == 2], [-1.0, 1.0], 0.0))
            else:
                one_hot += [(codes == code).astype(float) for code in levels.values()]
        return numbers + one_hot, embedded

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _levels(values):
    """Numbers of the levels, from 1, in the order of the levels."""
    known = {value for value in set(values.tolist()) if not is_missing(value)}
    ordered = sorted(
        known, key=lambda value: (isinstance(value, str), value if isinstance(value, str) else 0.0 + value)
    )
    return {value: number for number, value in enumerate(ordered, start=1)}


def _center_and_factor(column):
    known = column[~np.isnan(column)]
    if len(known) == 0:
        return 0.0, 0.0
    low, q25, median, q75, high = np.quantile(known, [0.0, 0.25, 0.5, 0.75, 1.0])
    if q75 > q25:
        return median, 1 / (q75 - q25)
    return median, 2 / (high - low) if high > low else 0.0
