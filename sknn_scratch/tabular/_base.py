"""What both estimators for tables do: check, split, encode, train together, store; and predict."""

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _check_y, check_consistent_length, check_is_fitted

from sknn_scratch.core import Outcome
from sknn_scratch.estimators._base import all_or_nothing
from sknn_scratch.estimators._callbacks import FitObserver
from sknn_scratch.fitting._endings import check_ending
from sknn_scratch.fitting._fit_context import fit_context
from sknn_scratch.fitting._interruption import outcome_of
from sknn_scratch.fitting._off_scale import warn_if_far_outside
from sknn_scratch.fitting._user_line import warn_user
from sknn_scratch.fitting._weights import checked_weights
from sknn_scratch.tabular._columns import categorical_mask, checked_table, read_columns
from sknn_scratch.tabular._fold import combined
from sknn_scratch.tabular._presets import chosen, with_objects
from sknn_scratch.tabular._run import Run
from sknn_scratch.tabular._settings import TabularSettings
from sknn_scratch.tabular._splits import deal

if TYPE_CHECKING:
    from sknn_scratch._typing import Data, HistoryRow

N_SPLITS_OF_FEW_ROWS = 5
"""Splits by default where one would choose the best epoch by a few dozen rows."""

MANY_ROWS_FOR_ONE_SPLIT = 1000


class BaseRealMLP(CallbackSupportMixin, TabularSettings):
    """The walk from a table to fitted folds; what differs between the two estimators is abstract."""

    trains_by_epochs = True

    n_outputs_: int
    out_activation_: str
    n_features_in_: int
    feature_names_in_: npt.NDArray[np.object_]
    n_iter_: int
    loss_: float
    loss_curve_: list[float]
    validation_loss_curve_: list[float]
    validation_scores_: list[float]
    best_validation_score_: float | None
    best_iter_: int | None
    history_: list[HistoryRow]

    @property
    @abstractmethod
    def _presets(self):
        """The presets by name."""

    @abstractmethod
    def _encode_targets(self, y, weight, dtype, goes_on, incremental):
        """Check y; targets as the loss wants them but for their scale, weights of rows, the loss."""

    @abstractmethod
    def _target_scale(self, y, weight, loss):
        """How targets of a training part are scaled; None if they are not."""

    @abstractmethod
    def _classes_of_rows(self, y):
        """The number of each row's class, by which splits are stratified; None for numbers."""

    @abstractmethod
    def _scores_by_loss(self, loss):
        """Whether the validation score is the negative validation loss."""

    @abstractmethod
    def _score_of_raw(self, raw, y, weight, loss):
        """Score of raw scores in units of y on held-out rows; greater is better."""

    @fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(
        self,
        X: Data,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        X_val: Data | None = None,
        y_val: npt.ArrayLike | None = None,
        sample_weight_val: npt.ArrayLike | None = None,
    ) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample, at least 0; None means 1 for all.
        X_val : frame or array-like of shape (n_validation_samples, n_features), default=None
            Validation data of your own, to choose the best epoch by; nothing is held out of X then.
        y_val : array-like of shape (n_validation_samples,)
            Their targets; needed with X_val.
        sample_weight_val : array-like of shape (n_validation_samples,), default=None
            Their weights; None means 1 for all.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are not as they must be, or if training diverges before the first epoch
            that could be kept. The estimator is left as it was.
        """
        settings = with_objects(chosen(self, self._presets[self.preset]))
        settings = replace(settings, hidden_layer_sizes=self._hidden_layer_sizes(settings.hidden_layer_sizes))
        context = self._init_callback_context(max_subtasks=settings.max_iter * (2 if self.refit else 1))
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        observer = FitObserver(self, context, {"X": X, "y": y, "metadata": metadata})

        X, y, weight, loss = self._check_data(X, y, sample_weight)
        mask = categorical_mask(X, self.categorical_features)
        validation = self._check_validation_data(X, (X_val, y_val, sample_weight_val), mask)
        rng = check_random_state(self.random_state)
        run = Run(self, settings, copy.deepcopy(loss), observer, (X, y, weight), validation, mask, rng)
        if validation is None:
            classes = self._classes_of_rows(y)
            splits = deal(
                np.shape(y)[0], settings.validation_fraction, self._n_splits(y, weight), classes, rng
            )
            for rows, held_out in splits:
                run.add_fold([_take(data, rows, held_out) for data in (X, y, weight)])
        else:
            run.add_fold(list(zip((X, y, weight), validation, strict=True)))
        observer.snapshot, observer.history_rows = run.fitted_attributes, run.history_rows
        try:
            observer.training_begins(run)
            outcome = outcome_of(run.train, run.epochs)
        finally:
            observer.training_ends(run)
            # the run holds the observer: the data would outlive fit in a cycle
            observer.snapshot = observer.history_rows = None
        attributes = run.fitted_attributes()
        remedy = f"Use a smaller learning_rate_init than {settings.learning_rate_init}."
        if self.refit and attributes["best_iter_"]:
            remedy += " There are no members of refit=True."
        check_ending(
            outcome is Outcome.DIVERGED, run.history_rows(), attributes["best_iter_"], run.scoring, remedy
        )
        if outcome is Outcome.INTERRUPTED:
            warn_user("Training interrupted by user.")
        self.__dict__.update(attributes)
        observer.fit_ends()
        return self

    def _n_splits(self, y, weight):
        """How many times a part of the rows is held out."""
        if self.n_cv != "auto":
            return self.n_cv
        classes, n_rows = self._classes_of_rows(y), len(y)
        if classes is not None:  # a class with one row is never held out
            n_rows = int(np.count_nonzero(np.bincount(classes)[classes] > 1))
        each_part_counts = n_rows >= 2 * N_SPLITS_OF_FEW_ROWS and (weight is None or weight.all())
        is_open = each_part_counts and self.validation_fraction is None
        return N_SPLITS_OF_FEW_ROWS if is_open and len(y) < MANY_ROWS_FOR_ONE_SPLIT else 1

    def _why_no_checkpoint(self):
        """What the state of a fit cannot be saved of, and what to do; None if it can."""
        if isinstance(self.random_state, Integral):
            return None
        return f"random_state={self.random_state}: to go on, splits are drawn again. For that, give a number."

    def _check_data(self, X, y, sample_weight, is_validation=False):
        """The table as it is read, encoded targets, weights, and the loss."""
        X = checked_table(self, X, reset=not is_validation)
        y = _check_y(y, multi_output=True, estimator=self) if y is not None else self._no_targets()
        check_consistent_length(X, y)
        sample_weight = checked_weights(sample_weight, y.shape[0], np.float32)
        y, weight, loss = self._encode_targets(y, sample_weight, np.float32, is_validation, is_validation)
        return X, y, weight, loss

    def _no_targets(self):
        raise ValueError(
            f"This {type(self).__name__} estimator requires y to be passed, but the target y is None."
        )

    def _check_validation_data(self, X, validation, mask):
        """The user's own validation data, as those to train on; None if there are none."""
        X_val, y_val, sample_weight_val = validation
        if X_val is None and y_val is None and sample_weight_val is None:
            return None
        if X_val is None or y_val is None:
            missing = "X_val" if X_val is None else "y_val"
            raise ValueError(f"X_val and y_val belong together, but {missing} is None.")
        if self.n_cv not in ("auto", 1):
            raise ValueError(f"n_cv={self.n_cv} makes validation data of X: it does not go with X_val.")
        if self.refit:
            raise ValueError(
                "refit=True trains once more with the rows held out of X, and with X_val none are: use "
                "refit=False."
            )
        try:
            data = self._check_data(X_val, y_val, sample_weight_val, is_validation=True)[:3]
            of_validation = read_columns(data[0], mask)
        except ValueError as error:
            raise ValueError(f"X_val, y_val or sample_weight_val do not fit X and y: {error}") from error
        numbers = [i for i, column in enumerate(of_validation) if not column.is_categorical]
        if numbers:
            of_training = read_columns(X, mask)
            warn_if_far_outside(
                [of_training[i].name for i in numbers],
                *(np.column_stack([of[i].values for i in numbers]) for of in (of_training, of_validation)),
            )
        return data

    def _raw_scores(self, X):
        """The loss, and raw scores of all folds together, in the units of y."""
        check_is_fitted(self)
        X = checked_table(self, X, reset=False)
        loss = self._folds[0].network.loss
        return loss, combined(loss, [fold.raw_scores(X) for fold in self._folds])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags


def _take(data, rows, held_out):
    """The two parts of some data, which may be None."""
    if data is None:
        return None, None
    take = partial(_safe_indexing, data)
    return take(rows), take(held_out)
