"""What both estimators for tables do: check, split, encode, train together, store; and predict."""

import copy
import warnings
from abc import abstractmethod
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import joblib
import numpy as np
from sklearn.base import _fit_context
from sklearn.callback import CallbackSupportMixin
from sklearn.metrics import check_scoring
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _check_sample_weight, _check_y, check_consistent_length, check_is_fitted

from sknn_scratch.core import (
    Batches,
    GroupedAdam,
    Outcome,
    Patience,
    Progress,
    Training,
    fit_first_weights,
)
from sknn_scratch.core.threads import BLAS_LIMIT
from sknn_scratch.estimators._base import all_or_nothing
from sknn_scratch.estimators._callbacks import FitObserver
from sknn_scratch.tabular._columns import categorical_mask, checked_table
from sknn_scratch.tabular._ensemble import Lockstep, Member
from sknn_scratch.tabular._fold import Fold, combined
from sknn_scratch.tabular._network import factors, make_network
from sknn_scratch.tabular._preprocessing import TabularPreprocessor
from sknn_scratch.tabular._presets import chosen
from sknn_scratch.tabular._settings import TabularSettings, schedule_of
from sknn_scratch.tabular._splits import deal

N_ROWS_OF_FIRST_WEIGHTS = 10_000
"""Rows that the first weights look at, at most: their standard deviations are then right to one percent."""


class BaseRealMLP(CallbackSupportMixin, TabularSettings):
    """The walk from a table to fitted folds; what differs between the two estimators is abstract."""

    trains_by_epochs = True
    n_outputs_: int

    @property
    @abstractmethod
    def _presets(self):
        """The presets by name."""

    @abstractmethod
    def _encode_targets(self, y, weight, dtype, goes_on, incremental):
        """Check y; targets as the loss wants them but for their scale, weights of rows, the loss."""

    @abstractmethod
    def _target_scale(self, y, weight, settings):
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

    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
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
            If a parameter or the data are not as they must be, or if training diverges. The estimator is left
            as it was.
        """
        settings = chosen(self, self._presets[self.preset])
        settings = replace(settings, hidden_layer_sizes=self._hidden_layer_sizes(settings.hidden_layer_sizes))
        context = self._init_callback_context(max_subtasks=settings.max_iter)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        observer = FitObserver(self, context, {"X": X, "y": y, "metadata": metadata})

        X, y, weight, loss = self._check_data(X, y, sample_weight)
        validation = self._check_validation_data(X_val, y_val, sample_weight_val)
        rng = check_random_state(self.random_state)
        mask = categorical_mask(X, self.categorical_features)
        run = _Run(self, settings, copy.deepcopy(loss), observer)
        if validation is None:
            splits = deal(len(y), settings.validation_fraction, self.n_cv, self._classes_of_rows(y), rng)
            for rows, held_out in splits:
                run.add_fold([_take(data, rows, held_out) for data in (X, y, weight)], mask, rng)
        else:
            run.add_fold(list(zip((X, y, weight), validation, strict=True)), mask, rng)
        observer.snapshot, observer.history_rows = run.fitted_attributes, run.history_rows
        try:
            outcome = run.train()
        finally:
            # the run holds the observer: the data would outlive fit in a cycle
            observer.snapshot = observer.history_rows = None
        if outcome is Outcome.DIVERGED:
            raise ValueError(
                f"Training diverged after epoch {len(run.lockstep.epochs)}: a loss or score is not finite. "
                f"Use a smaller learning_rate_init than {settings.learning_rate_init}."
            )
        if outcome is Outcome.INTERRUPTED:
            warnings.warn("Training interrupted by user.", UserWarning, stacklevel=4)
        self.__dict__.update(run.fitted_attributes())
        observer.fit_ends()
        return self

    def _check_data(self, X, y, sample_weight, is_validation=False):
        """The table as it is read, encoded targets, weights, and the loss."""
        X = checked_table(self, X, reset=not is_validation)
        y = _check_y(y, multi_output=True, estimator=self) if y is not None else self._no_targets()
        check_consistent_length(X, y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, np.empty((len(y), 1), np.float32), ensure_non_negative=True, dtype=np.float32
            )
        y, weight, loss = self._encode_targets(y, sample_weight, np.float32, is_validation, is_validation)
        return X, y, weight, loss

    def _no_targets(self):
        raise ValueError(
            f"This {type(self).__name__} estimator requires y to be passed, but the target y is None."
        )

    def _check_validation_data(self, X_val, y_val, sample_weight_val):
        """The user's own validation data, as those to train on; None if there are none."""
        if X_val is None and y_val is None and sample_weight_val is None:
            return None
        if X_val is None or y_val is None:
            missing = "X_val" if X_val is None else "y_val"
            raise ValueError(f"X_val and y_val belong together, but {missing} is None.")
        if self.n_cv > 1:
            raise ValueError(f"n_cv={self.n_cv} makes validation data of X: it does not go with X_val.")
        twin = copy.copy(self)  # it knows the features and the classes, and checking leaves traces
        try:
            return twin._check_data(X_val, y_val, sample_weight_val, is_validation=True)[:3]
        except ValueError as error:
            raise ValueError(f"X_val, y_val or sample_weight_val do not fit X and y: {error}") from error

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


class _Run:
    """One call of fit."""

    def __init__(self, estimator, settings, loss, observer):
        self.estimator, self.settings, self.loss, self.observer = estimator, settings, loss, observer
        self.validation_loss = copy.deepcopy(loss)
        if hasattr(loss, "label_smoothing"):  # in training only
            self.validation_loss.set_params(label_smoothing=0.0)
        self.folds, self.held_out, self.members, self.rows = [], [], [], []
        self.scorer: Any = None
        if estimator.scoring is not None and not estimator._scores_by_loss(loss):
            self.scorer = check_scoring(estimator, scoring=estimator.scoring)

    def add_fold(self, data, mask, rng):
        """Prepare members for one split; the data are X, y and weights, each to train on and held out."""
        X, y, weight = data
        settings, estimator = self.settings, self.estimator
        for part in weight:
            if part is not None and not part.any():
                raise ValueError(
                    "sample_weight must not be zero on all of the training or all of the validation part."
                )
        limit = None if settings.max_one_hot == float("inf") else settings.max_one_hot
        preprocessor = TabularPreprocessor(mask, max_one_hot=limit).fit(X[0])
        X_train, X_val = (preprocessor.transform(part) for part in X)
        network = make_network(settings, preprocessor, estimator.n_outputs_, self.loss)
        target = estimator._target_scale(y[0], weight[0], settings)
        y_train, y_val = y if target is None else ((part - target.mean) / target.scale for part in y)
        fold = Fold(preprocessor, network, target)
        for _ in range(estimator.n_ens):
            # SFC64 draws masks in two thirds of the time of the default generator
            member_rng = np.random.RandomState(np.random.SFC64(rng.randint(2**31 - 1)))
            self.members.append(
                self._member(network, X_train, y_train.astype(np.float32), weight[0], member_rng)
            )
        self.folds.append(fold)
        to_score = X[1] if self.scorer is not None else None
        self.held_out.append((to_score, X_val, y_val.astype(np.float32), y[1], weight[1]))

    def _member(self, network, data, y, weight, rng):
        settings, estimator = self.settings, self.estimator
        parameters = network.initialize(rng, np.float32)
        fits = settings.weight_init == "std", settings.bias_init == "he+5"
        if any(fits):
            rows = rng.permutation(len(data))[:N_ROWS_OF_FIRST_WEIGHTS]
            fit_first_weights(network, parameters, data[rows], rng, *fits)
        batches = Batches(data, y, weight, settings.batch_size, rng=rng, drop_last=True)
        optimizer = GroupedAdam(
            float(settings.weight_decay),
            float(settings.beta_1),
            float(settings.beta_2),
            float(settings.epsilon),
        )
        state = optimizer.init(parameters.flat)
        optimizer.set_factors(state, network.shapes, *factors(settings))
        patience = Patience(0.0, np.inf, keeps_best_weights=True, keeps_last_of_equals=True)
        if estimator.early_stopping:
            patience = replace(
                patience,
                n_iter_no_change=estimator.n_iter_no_change,
                multiple=float(estimator.patience_factor),
            )
        training = Training(
            optimizer,
            schedule_of(settings.learning_rate),
            state,
            Progress(float(settings.learning_rate_init), n_steps=settings.max_iter * batches.n_batches),
            patience,
            regularization=schedule_of(settings.regularization),
        )
        return Member(network, parameters, batches, training, rng if settings.dropout else None)

    def train(self):
        """Train all members; return why it ended."""
        n_at_work = min(joblib.effective_n_jobs(self.estimator.n_jobs), len(self.members))
        self.lockstep = Lockstep(self.members, self._judge, self.observer, n_at_work)
        with BLAS_LIMIT if n_at_work > 1 else nullcontext():  # a thread for each member, or BLAS's own
            return self.lockstep.train(self.settings.max_iter)

    @np.errstate(over="ignore", invalid="ignore")  # divergence shows in loss and score
    def _judge(self):
        """Validation loss and score: the means over folds, each that of the fold's members together."""
        judgements = [self._judge_fold(i) for i in range(len(self.folds))]
        return tuple(np.mean(judgements, axis=0).tolist())

    def _judge_fold(self, i):
        fold, (X_val, data, y_scaled, y, weight) = self.folds[i], self.held_out[i]
        flats = [member.parameters for member in self._members_of(i)]
        raws = [fold.network.raw_scores(data, parameters.layers) for parameters in flats]
        if not all(np.isfinite(raw).all() for raw in raws):
            return np.nan, np.nan
        raw = combined(self.loss, raws)
        memory = np.empty_like(raw), np.empty(len(raw))
        loss = self.validation_loss.value_and_gradient(raw.copy(), y_scaled, weight, *memory)
        if self.scorer is not None:
            return loss, self._ask_scorer(fold.with_members([p.flat for p in flats]), X_val, y, weight)
        if self.estimator._scores_by_loss(self.loss):
            return loss, -loss
        return loss, self.estimator._score_of_raw(fold.in_units(raw), y, weight, self.loss)

    def _ask_scorer(self, fold, X, y, weight):
        model = copy.copy(self.estimator)
        model._folds = [fold]
        weights = {} if weight is None else {"sample_weight": weight}
        return float(self.scorer(model, X, self.estimator._decoded(y), **weights))

    def _members_of(self, i):
        n_ens = self.estimator.n_ens
        return self.members[i * n_ens : (i + 1) * n_ens]

    def history_rows(self):
        """The epochs as rows of a table; those made before are not made again."""
        for epoch in self.lockstep.epochs[len(self.rows) :]:
            self.rows.append({"epoch": len(self.rows) + 1, **epoch.measured()})
        return self.rows

    def fitted_attributes(self):
        """What a fit that ends now leaves on the estimator; weights are copies."""
        rows, patience = self.history_rows(), self.members[0].training.patience
        folds = []
        for i, fold in enumerate(self.folds):
            flats = [_best(member) for member in self._members_of(i)]
            folds.append(fold.with_members(flats))
        return {
            "_folds": folds,
            "n_iter_": len(rows),
            "history_": list(rows),
            "loss_": rows[-1]["loss"] if rows else np.nan,
            "loss_curve_": [row["loss"] for row in rows],
            "validation_loss_curve_": [row["validation_loss"] for row in rows],
            "validation_scores_": [row["validation_score"] for row in rows],
            "best_validation_score_": patience.best if rows else None,
            "best_iter_": patience.best_epoch if rows else None,
        }


def _best(member):
    best = member.training.patience.best_weights
    return member.parameters.flat if best is None else best


def _take(data, rows, held_out):
    """The two parts of some data, which may be None."""
    if data is None:
        return None, None
    take = partial(_safe_indexing, data)
    return take(rows), take(held_out)
