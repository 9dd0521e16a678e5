"""One call of fit: members of all splits, prepared, trained together, and what they leave."""

import copy
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import joblib
import numpy as np
from sklearn.utils.validation import _check_feature_names

from sknn_scratch.core import (
    Batches,
    GroupedAdam,
    LogLoss,
    Outcome,
    Patience,
    Progress,
    SquaredError,
    Training,
    fit_first_weights,
)
from sknn_scratch.core.machine.threads import BLAS_LIMIT
from sknn_scratch.fitting._scores import ValidationScorer
from sknn_scratch.fitting._target_scale import start_at_constant
from sknn_scratch.tabular._advice import refuse_large_training, warn_of_levels
from sknn_scratch.tabular._columns import read_columns
from sknn_scratch.tabular._ensemble import Lockstep, Member
from sknn_scratch.tabular._fold import Fold, combined
from sknn_scratch.tabular._network import factors, make_network
from sknn_scratch.tabular._preprocessing import TabularPreprocessor

FARTHEST_TARGET = 1e18
"""Standard deviations at which the square of a target is still finite in float32."""

N_ROWS_OF_FIRST_WEIGHTS = 10_000
"""Rows that the first weights look at, at most: their standard deviations are then right to one percent."""


class Run:
    """Trains what an estimator for tables asks for.

    Parameters
    ----------
    estimator : BaseRealMLP
        Whose parameters say what is trained; it knows its targets already.
    settings : Preset
        The hyper-parameters.
    loss : Loss
        What is minimised.
    observer : FitObserver
        Is told of every epoch.
    data : tuple
        X, y and weights of all rows.
    validation : tuple or None
        The same of the user's own validation data.
    mask : ndarray of bool
        Which columns hold categories.
    rng : numpy.random.RandomState
        Source of random numbers.

    Attributes
    ----------
    epochs : list of Epoch
        What the observer was told.
    members : list of Member
        Those of one fold after the other, and those on all rows, once they are prepared.
    """

    held_out_rows = None  # of a fit that is made again from its seed, they need not be saved

    def __init__(self, estimator, settings, loss, observer, data, validation, mask, rng):
        self.estimator, self.settings, self.loss, self.observer = estimator, settings, loss, observer
        self.all_rows, self.own_validation, self.mask, self.rng = data, validation, mask, rng
        self.validation_loss = copy.deepcopy(loss)
        if hasattr(loss, "label_smoothing"):  # in training only
            self.validation_loss.set_params(label_smoothing=0.0)
        self.folds, self.held_out, self.members = [], [], []
        self.epochs, self.rows = [], []
        self.fold_of_all: Fold | None = None
        self.scorer: Any = None
        if estimator.scoring is not None and not estimator._scores_by_loss(loss):
            self.scorer = ValidationScorer(estimator)

    def add_fold(self, data):
        """Prepare members for one split; the data are X, y and weights, each to train on and held out."""
        X, y, weight = data
        for part in weight:
            if part is not None and not part.any():
                raise ValueError(
                    "sample_weight must not be zero on all of the training or all of the validation part."
                )
        fold, members = self._prepared(X[0], y[0], weight[0], self._patience())
        self.folds.append(fold)
        self.members += members
        to_score = X[1] if self.scorer is not None else None
        y_val = _scaled(y[1], fold.target)
        self.held_out.append((to_score, fold.preprocessor.encode(X[1]), y_val, y[1], weight[1]))

    def _prepared(self, X, y, weight, patience):
        """What is fitted on some rows, and the members that are to be trained on them."""
        settings, estimator = self.settings, self.estimator
        limit = None if settings.max_one_hot == float("inf") else settings.max_one_hot
        preprocessor = TabularPreprocessor(self.mask, max_one_hot=limit).fit(X)
        network = make_network(settings, preprocessor, estimator.n_outputs_, self.loss)
        if not self.folds:
            self._look_at_sizes(preprocessor, network, X)
        data = preprocessor.encode(X)
        target = estimator._target_scale(y, weight, self.loss)
        limits = _limits(y, weight) if target is not None and settings.clip_predictions else None
        fold = Fold(preprocessor, network, target, limits)
        members, y_scaled = [], _scaled(y, fold.target)
        for _ in range(estimator.n_ens):
            # SFC64 draws masks in two thirds of the time of the default generator
            member_rng = np.random.RandomState(np.random.SFC64(self.rng.randint(2**31 - 1)))
            members.append(self._member(network, data, y_scaled, weight, member_rng, replace(patience)))
        return fold, members

    def _look_at_sizes(self, preprocessor, network, X):
        """Whether the work can be done at all, and is worth doing."""
        n_rows = sum(len(data[1]) for data in (self.all_rows, self.own_validation) if data is not None)
        n_splits = 1 if self.own_validation else self.estimator._n_splits(*self.all_rows[1:])
        n_splits += self.estimator.refit
        refuse_large_training(preprocessor, network, X, n_rows, n_splits, n_splits * self.estimator.n_ens)
        warn_of_levels(preprocessor, X)

    def _patience(self):
        """The best epoch's weights are kept; training ends early only if that is asked for."""
        patience = Patience(0.0, np.inf, keeps_best_weights=True, keeps_last_of_equals=True)
        if not self.estimator.early_stopping:
            return patience
        return replace(
            patience,
            n_iter_no_change=self.estimator.n_iter_no_change,
            multiple=float(self.estimator.patience_factor),
        )

    def _member(self, network, data, y, weight, rng, patience):
        settings = self.settings
        parameters = network.initialize(rng, np.float32)
        fits = settings.weight_init == "std", settings.bias_init == "he+5"
        if any(fits):
            rows = rng.permutation(len(data))[:N_ROWS_OF_FIRST_WEIGHTS]
            fit_first_weights(network, parameters, data[rows], rng, *fits)
        if not isinstance(self.loss, SquaredError | LogLoss):  # the recipe was published for these
            for values in parameters.layers[-1].values():
                values[...] = 0.0
            start_at_constant(parameters, self.loss, y, weight)
        batches = Batches(data, y, weight, settings.batch_size, rng=rng, drop_last=True)
        optimizer = GroupedAdam(
            float(settings.weight_decay),
            float(settings.beta_1),
            float(settings.beta_2),
            float(settings.epsilon),
        )
        state = optimizer.init(parameters.flat)
        optimizer.set_factors(state, network.shapes, *factors(settings))
        training = Training(
            optimizer,
            settings.learning_rate,
            state,
            Progress(float(settings.learning_rate_init), n_steps=settings.max_iter * batches.n_batches),
            patience,
            regularization=settings.regularization,
        )
        return Member(network, parameters, batches, training, rng)

    def train(self):
        """Train the members of all folds, and then those on all rows if there are to be any.

        Nothing is held out to judge the latter by: they are trained for as many epochs as the best one was,
        and left out if they diverge.
        """
        of_folds = self.members[: self._n_first]
        outcome = self._train(of_folds, self._judge, self.settings.max_iter)
        if not self.estimator.refit or outcome not in (Outcome.MAX_ITER, Outcome.CONVERGED):
            return outcome
        try:
            self._prepare_all_rows()
        except KeyboardInterrupt:
            return Outcome.INTERRUPTED
        on_all = self.members[self._n_first :]
        n_epochs = of_folds[0].training.patience.best_epoch
        outcome = self._train(on_all, lambda: (None, None), n_epochs)
        if outcome is Outcome.MAX_ITER and not all(np.isfinite(m.parameters.flat).all() for m in on_all):
            outcome = Outcome.DIVERGED  # in its last step, which no loss has shown
        if outcome is Outcome.DIVERGED:
            self.fold_of_all = None
        return outcome

    def _prepare_all_rows(self):
        """Members that are trained on all rows, unless they are there already."""
        if self.fold_of_all is None:
            X, y, weight = self.all_rows
            self.fold_of_all, members = self._prepared(X, y, weight, Patience(0.0, np.inf))
            self.members += members

    def _train(self, members, judge, max_epochs):
        patience = members[0].training.patience
        if patience.has_run_out:  # it was restored as it was
            return Outcome.CONVERGED
        n_at_work = min(joblib.effective_n_jobs(self.estimator.n_jobs), len(members))
        lockstep = Lockstep(members, judge, self.observer, n_at_work, self.epochs)
        with BLAS_LIMIT if n_at_work > 1 else nullcontext():  # a thread for each member, or BLAS's own
            return lockstep.train(max_epochs - patience.n_epochs)

    @property
    def _n_first(self):
        """How many of the members are those of folds."""
        return len(self.folds) * self.estimator.n_ens

    @property
    def _folds_are_done(self):
        patience = self.members[0].training.patience
        return patience.n_epochs == self.settings.max_iter or patience.has_run_out

    @property
    def is_complete(self):
        """Whether training has run its course."""
        patience = self.members[0].training.patience
        n_epochs = patience.n_epochs + (patience.best_epoch if self.estimator.refit else 0)
        return self._folds_are_done and len(self.epochs) == n_epochs

    @property
    def max_epochs(self):
        """Epochs at most."""
        return self.settings.max_iter * (2 if self.estimator.refit else 1)

    def prepare_members(self, n_members):
        """Make as many members as a saved state has."""
        if n_members > len(self.members) and self.estimator.refit:
            self._prepare_all_rows()
        if n_members != len(self.members):
            raise ValueError(f"{n_members} networks instead of {len(self.members)}")

    def check_state(self):
        """Whether members agree, as those that are trained in lockstep do, and with the table of epochs."""
        states = [member.training.patience for member in self.members]
        first, of_folds, on_all = states[0], states[: self._n_first], states[self._n_first :]
        judged = {(one.best, one.best_epoch, one.n_epochs, one.n_stagnant) for one in of_folds}
        refitted = {one.n_epochs for one in on_all} or {0}
        if (
            len(judged) > 1
            or len(refitted) > 1
            or first.n_epochs + max(refitted) != len(self.epochs)
            or not 1 <= first.best_epoch <= first.n_epochs
            or (on_all and not (self._folds_are_done and max(refitted) <= first.best_epoch))
        ):
            raise ValueError("networks that do not agree")

    @property
    def data(self):
        """X as it is read, y and weights, for the one who saves the state of the training."""
        return self._as_read(self.all_rows)

    @property
    def validation_data(self):
        """The user's own validation data: what is held out of X is drawn from the seed."""
        return None if self.own_validation is None else self._as_read(self.own_validation)

    def _as_read(self, data):
        X, y, weight = data
        return read_columns(X, self.mask), y, weight

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
        if not np.isfinite(loss):
            return np.nan, np.nan
        if self.scorer is not None:
            return loss, self._ask_scorer(fold.with_members([p.flat for p in flats]), X_val, y, weight)
        if self.estimator._scores_by_loss(self.loss):
            return loss, -loss
        return loss, self.estimator._score_of_raw(fold.in_units(raw), y, weight, self.loss)

    def _ask_scorer(self, fold, X, y, weight):
        model = copy.copy(self.estimator)
        model._folds = [fold]
        _check_feature_names(model, X, reset=True)  # they were compared before training
        return self.scorer(model, X, self.estimator._decoded(y), weight)

    @property
    def scoring(self):
        """What the score is, in words."""
        return f"scoring={self.estimator.scoring!r}{self.scorer.reason if self.scorer is not None else ''}"

    def _members_of(self, i):
        n_ens = self.estimator.n_ens
        return self.members[i * n_ens : (i + 1) * n_ens]

    def history_rows(self):
        """The epochs as rows of a table; those made before are not made again."""
        for epoch in self.epochs[len(self.rows) :]:
            self.rows.append({"epoch": len(self.rows) + 1, **epoch.measured()})
        return self.rows

    def fitted_attributes(self):
        """What a fit that ends now leaves on the estimator."""
        rows, patience = self.history_rows(), self.members[0].training.patience
        folds = self.folds
        if self.fold_of_all is not None and self.is_complete:
            folds = [*folds, self.fold_of_all]
        validation = {
            name: [np.nan if row[name] is None else row[name] for row in rows]
            for name in ("validation_loss", "validation_score")
        }
        return {
            "_folds": [
                fold.with_members([_best(member) for member in self._members_of(i)])
                for i, fold in enumerate(folds)
            ],
            "n_iter_": len(rows),
            "history_": list(rows),
            "loss_": rows[-1]["loss"] if rows else np.nan,
            "loss_curve_": [row["loss"] for row in rows],
            "validation_loss_curve_": validation["validation_loss"],
            "validation_scores_": validation["validation_score"],
            "best_validation_score_": patience.best if rows else None,
            "best_iter_": patience.best_epoch if rows else None,
        }


def _scaled(y, target):
    """Targets in the units of training."""
    if target is not None:
        y = np.clip(target.scaled(y), -FARTHEST_TARGET, FARTHEST_TARGET)
    return y.astype(np.float32)


def _limits(y, weight):
    """The least and the largest targets that count."""
    counts = y if weight is None else y[weight > 0]
    return counts.min(axis=0), counts.max(axis=0)


def _best(member):
    best = member.training.patience.best_weights
    return member.parameters.flat if best is None else best
