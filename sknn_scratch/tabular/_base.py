"""What both estimators for tables do: check, split, encode, train together, store; and predict."""

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from scipy.stats import loguniform
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sknn_scratch._sklearn import check_y, fit_context
from sknn_scratch.fitting._all_or_nothing import all_or_nothing
from sknn_scratch.fitting._data import OwnValidation, Purpose, checked_weights
from sknn_scratch.fitting._endings import check_ending
from sknn_scratch.fitting._observer import FitObserver
from sknn_scratch.fitting._off_scale import are_far_outside, warn_of_far_outside
from sknn_scratch.fitting._parameters import hidden_sizes
from sknn_scratch.tabular._columns import categorical_mask, checked_table, read_table
from sknn_scratch.tabular._deal import deal, deal_by
from sknn_scratch.tabular._fold import combined
from sknn_scratch.tabular._ordered import Orders, orders_in, with_positions
from sknn_scratch.tabular._presets import chosen, with_objects
from sknn_scratch.tabular._run import TableRun
from sknn_scratch.tabular._settings import TabularSettings
from sknn_scratch.tabular._split import Rows
from sknn_scratch.tabular._time_limit import TimeLimit

if TYPE_CHECKING:
    from sknn_scratch._typing import Data, HistoryRow

N_SPLITS_OF_FEW_ROWS = 5
"""Splits by default where one would choose the best epoch by a few dozen rows."""

MANY_ROWS_FOR_ONE_SPLIT = 1000


class BaseRealMLP(CallbackSupportMixin, TabularSettings):
    """The path from a table to fitted folds; what differs between the two estimators is abstract."""

    trains_by_epochs = True
    _also_searched: dict[str, Any] = {}
    """What only one of the two estimators searches."""

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
    _orders: Orders

    @property
    @abstractmethod
    def _presets(self):
        """The presets by name."""

    @abstractmethod
    def _encode_targets(self, y, weight, dtype, purpose):
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
        groups: npt.ArrayLike | None = None,
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
            Validation data of your own, to choose the best epoch by. No rows of X are then held out.
        y_val : array-like of shape (n_validation_samples,)
            Their targets; needed with X_val.
        sample_weight_val : array-like of shape (n_validation_samples,), default=None
            Their weights; None means 1 for all.
        groups : array-like of shape (n_samples,), default=None
            The group of each row, for a splitter that needs it, such as ``n_cv=GroupKFold(5)``.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are invalid, or if training diverges before the first epoch that could
            be kept. The estimator stays unchanged.
        """
        time_limit = TimeLimit(np.inf if self.time_limit is None else self.time_limit)
        own_validation = OwnValidation(X_val, y_val, sample_weight_val)
        settings = self._settings(own_validation)
        context = self._init_callback_context(max_subtasks=settings.max_iter * (2 if settings.refit else 1))
        observer = FitObserver(self, context, X, y, sample_weight)
        rows, loss = self._check_data(X, y, sample_weight, Purpose.NEW_FIT)
        validation_rows = self._check_validation_data(rows.table, own_validation)
        self._check_groups(groups, len(rows.y))
        rng = check_random_state(self.random_state)
        run = TableRun(
            estimator=self,
            settings=settings,
            loss=copy.deepcopy(loss),
            all_rows=rows,
            own_validation=validation_rows,
            rng=rng,
            time_limit=time_limit,
        )
        own_split = [(rows, validation_rows)]
        run.prepare(own_split if validation_rows is not None else self._split(rows, groups, settings, rng))
        outcome = observer.watch(run)
        attributes = run.fitted_attributes()
        remedy = f"Use a smaller learning_rate_init than {settings.learning_rate_init}."
        if settings.refit and attributes["best_iter_"]:
            remedy += " There are no members of refit=True."
        check_ending(outcome, run.history_rows(), attributes["best_iter_"], run.judge.scoring, remedy)
        run.look_at_time()
        self.__dict__.update(attributes)
        observer.fit_ends()
        return self

    @classmethod
    def search_space(cls) -> dict[str, Any]:
        """The hyper-parameters that the paper searches at random, with their distributions.

        Returns
        -------
        dict of str -> list or distribution
            For ``RandomizedSearchCV``, ``HalvingRandomSearchCV`` and similar searches, by parameter. A value
            that is listed twice is drawn twice as often. The dict is yours to change.

        References
        ----------
        Holzmüller, Grinsztajn & Steinwart (2024), "Better by default: strong pre-tuned MLPs and boosted trees
        on tabular data", NeurIPS 37. Of its kinds of embeddings for numbers, PBLD and none are here.

        Examples
        --------
        >>> from sklearn.model_selection import RandomizedSearchCV
        >>> from sknn_scratch import ScratchRealMLPClassifier
        >>> space = ScratchRealMLPClassifier.search_space()
        >>> search = RandomizedSearchCV(ScratchRealMLPClassifier(), space, n_iter=50)
        >>> space["weight_decay"]
        [0.0, 0.02]
        """
        return {
            "numerical_embedding": [True, True, True, False],  # of its four kinds, three embed
            "numerical_embedding_sigma": loguniform(0.05, 0.5),
            "scale_layer": [True, True, True, False, False],
            "hidden_layer_sizes": [(256,) * 3, (256,) * 3, (256,) * 3, (64,) * 5, (512,)],
            "activation": ["relu", "selu", "mish"],
            "learning_rate_init": loguniform(0.02, 0.3),
            "dropout": [0.0] * 3 + [0.15] * 5 + [0.3] * 2,
            "weight_decay": [0.0, 0.02],
            **cls._also_searched,
        }

    def _settings(self, own_validation):
        """The hyper-parameters: those of the preset, and what is given instead."""
        settings = with_objects(chosen(self, self._presets[self.preset]))
        if self.refit is None and own_validation.is_given:  # all rows of X are trained on already
            settings = replace(settings, refit=False)
        return replace(settings, hidden_layer_sizes=tuple(hidden_sizes(settings.hidden_layer_sizes)))

    def _split(self, rows, groups, settings, rng):
        """The training and the held-out rows of each split."""
        classes = self._classes_of_rows(rows.y)
        if self._has_splitter:
            splits = deal_by(self.n_cv, rows.table.X, self._decoded(rows.y), groups)
        else:
            n_splits = self._n_splits(classes, rows)
            splits = deal(len(rows.y), settings.validation_fraction, n_splits, classes, rng)
        return [(rows.take(training), rows.take(held_out)) for training, held_out in splits]

    @property
    def _has_splitter(self):
        return hasattr(self.n_cv, "split") and not isinstance(self.n_cv, str)

    def _check_groups(self, groups, n_rows):
        if groups is None:
            return
        if not self._has_splitter:
            raise ValueError(
                f"groups= needs a splitter that keeps groups together, got n_cv={self.n_cv!r}: use "
                "n_cv=GroupKFold(5), or GroupShuffleSplit(1, test_size=0.2) for one split."
            )
        if len(groups) != n_rows:
            raise ValueError(
                f"groups has {len(groups)} entries, but X has {n_rows} rows: give one group for each row."
            )

    def _n_splits(self, classes, rows):
        """How many times a part of the rows is held out."""
        if self.n_cv != "auto":
            return self.n_cv
        n_rows = len(rows.y)
        if classes is not None:  # a class with one row is never held out
            n_rows = int(np.count_nonzero(np.bincount(classes)[classes] > 1))
        each_part_counts = n_rows >= 2 * N_SPLITS_OF_FEW_ROWS and (rows.weight is None or rows.weight.all())
        is_open = each_part_counts and self.validation_fraction is None
        return N_SPLITS_OF_FEW_ROWS if is_open and len(rows.y) < MANY_ROWS_FOR_ONE_SPLIT else 1

    def _why_no_checkpoint(self):
        """Why the state of a fit cannot be saved, and what to do; None if it can."""
        if self.time_limit is not None:
            return f"time_limit={self.time_limit}: a resumed fit would plan its epochs anew. Use None."
        draws = getattr(self.n_cv, "shuffle", hasattr(self.n_cv, "random_state"))
        if draws and not isinstance(self.n_cv.random_state, Integral):
            return f"n_cv={self.n_cv}: a resumed fit makes the splits again. Give it an int as random_state."
        if isinstance(self.random_state, Integral):
            return None
        return f"random_state={self.random_state}: a resumed fit draws the splits again. Use an int."

    def _check_data(self, X, y, sample_weight, purpose, mask=None):
        """The rows as they are read, and the loss; `mask` says which columns hold categories."""
        table = checked_table(self, X, reset=not purpose.continues)
        if not purpose.continues:
            keeps_order = chosen(self, self._presets[self.preset]).ordered_as_numbers
            from_dtype = isinstance(self.categorical_features, str)
            self._orders = orders_in(table) if keeps_order and from_dtype else {}
        table = with_positions(table, self._orders)
        y = check_y(y, multi_output=True, estimator=self) if y is not None else self._no_targets()
        check_consistent_length(table.X, y)
        sample_weight = checked_weights(sample_weight, y.shape[0], np.float32)
        y, weight, loss = self._encode_targets(y, sample_weight, np.float32, purpose)
        mask = categorical_mask(table, self.categorical_features) if mask is None else mask
        return Rows(read_table(table, mask), y, weight), loss

    def _no_targets(self):
        raise ValueError(
            f"This {type(self).__name__} estimator requires y to be passed, but the target y is None."
        )

    def _check_validation_data(self, table, own_validation):
        """The user's own validation data, as those to train on; None if there are none."""
        if not own_validation.is_given:
            return None
        if self.n_cv not in ("auto", 1):
            raise ValueError(
                f"n_cv={self.n_cv} holds out rows of X, which excludes X_val: give one or the other."
            )
        if self.refit:
            raise ValueError(
                "refit=True trains again with the rows held out of X, but X_val leaves none held out: use "
                "refit=False."
            )
        mask = table.categorical_mask
        check = partial(self._check_data, purpose=Purpose.VALIDATION, mask=mask)
        rows, _ = own_validation.checked(check)
        outside = np.zeros(len(mask), dtype=bool)
        for i in np.flatnonzero(~mask):
            outside[i] = are_far_outside(
                *(one.column(i).values[:, np.newaxis] for one in (table, rows.table))
            )[0]
        warn_of_far_outside(table.names, outside)
        return rows

    def _raw_scores(self, X):
        """The loss, and raw scores of all folds together, in the units of y."""
        check_is_fitted(self)
        first = self._folds[0]
        table = with_positions(checked_table(self, X, reset=False), self._orders)
        table = read_table(table, first.preprocessor.categorical_mask_)
        loss = first.network.loss
        return loss, combined(loss, [fold.raw_scores(table) for fold in self._folds])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags
