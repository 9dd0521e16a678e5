"""One call of fit or partial_fit of the drop-in: the solver at work, and what it leaves on the estimator."""

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from sknn_scratch.core import (
    OPTIMIZERS,
    Batch,
    Batches,
    History,
    Network,
    Observer,
    Outcome,
    Parameters,
    Patience,
    Progress,
    Training,
    train_lbfgs,
    train_minibatch,
)
from sknn_scratch.estimators._validation import Validation, check_parts_weigh_something
from sknn_scratch.fitting._data import Purpose
from sknn_scratch.fitting._user_line import warn_user


@dataclass
class MLPRun(ABC):
    """One call of fit or partial_fit, ready to train once it is made.

    Attributes
    ----------
    estimator : BaseScratchMLP
        Whose parameters count. It is read, not changed.
    network, parameters, data : Network, Parameters, Batch
        What is trained, from where, on what.
    validation_data : Batch or None
        The user's own validation part.
    rng : numpy.random.RandomState
        Source of random numbers.
    purpose : Purpose
        Whether an earlier fit is continued, and whether this is partial_fit.
    history : History
        Where epochs are recorded.
    validation : Validation or None
        Loss and score on data that training does not see.
    """

    estimator: BaseEstimator
    network: Network
    parameters: Parameters
    data: Batch
    validation_data: Batch | None
    rng: np.random.RandomState
    purpose: Purpose
    history: History = field(init=False)
    validation: Validation | None = field(init=False, default=None)
    _rows: list[dict] = field(init=False, default_factory=list)

    def __post_init__(self):
        self.history = History(loss_scale=self.estimator._loss_scale(self.network.loss))
        self._prepare(self._hold_out())

    @abstractmethod
    def _prepare(self, rows) -> None:
        """Make ready to train on these rows, None for all."""

    @abstractmethod
    def train(self, observer: Observer) -> Outcome:
        """Change the parameters in place, and warn of what the user should know."""

    @abstractmethod
    def fitted_attributes(self) -> dict:
        """What a fit that ends now leaves on the estimator; the weights are a copy."""

    @property
    def epochs(self):
        """What is recorded so far."""
        return self.history.epochs

    def snapshot(self):
        """The same for a model to be kept, which may go on training by itself."""
        attributes = self.fitted_attributes()
        if "_random_state" in attributes:
            attributes["_random_state"] = copy.deepcopy(self.rng)
        if attributes["_training"] is not None:
            attributes["_training"] = attributes["_training"].copy()
        return attributes

    def is_finite(self):
        """Whether training could go on from where it is: not where two weights have an infinite product."""
        with np.errstate(over="ignore", invalid="ignore"):
            return bool(np.isfinite(np.dot(self.parameters.flat, self.parameters.flat)))

    def _ended(self, outcome):
        """The outcome; a last step may have diverged without a loss that shows it."""
        return outcome if self.is_finite() else Outcome.DIVERGED

    def _common_attributes(self, patience, weights):
        dense = [layer for layer in Parameters(self.network.shapes, weights.copy()).layers if layer]
        seeded = isinstance(self.estimator.random_state, Integral)
        rows, early_stopping = self.history_rows(), self.estimator.early_stopping
        validated = bool(rows) and rows[0]["validation_loss"] is not None
        return {
            "coefs_": [layer["weights"] for layer in dense],
            "intercepts_": [layer.get("bias", np.zeros_like(layer["weights"][0])) for layer in dense],
            "n_layers_": len(dense) + 1,
            "_has_intercepts": bool(self.estimator.fit_intercept),
            "out_activation_": self.network.loss.link_inverse,
            "n_iter_": len(rows),
            "loss_": rows[-1]["loss"] if rows else np.nan,
            "loss_curve_": self._appended("loss_curve_", [row["loss"] for row in rows]),
            "validation_loss_curve_": (
                self._appended("validation_loss_curve_", [row["validation_loss"] for row in rows])
                if validated
                else None
            ),
            "validation_scores_": (
                self._appended("validation_scores_", [row["validation_score"] for row in rows])
                if validated
                else None
            ),
            "best_validation_score_": self._score_in_units_of_y(patience.best) if early_stopping else None,
            "best_iter_": patience.best_epoch if early_stopping else None,
            "history_": self._appended("history_", rows),
            **({"_random_state": self.rng} if seeded else {}),
        }

    def history_rows(self):
        """The epochs as rows of a table, in the units of y; those made before are not made again."""
        n_before = self._n_epochs_before()
        for epoch in self.history.epochs[len(self._rows) :]:
            row = {"epoch": n_before + len(self._rows) + 1, **epoch.measured()}
            row["loss"] = self._loss_in_units_of_y(epoch.loss)
            if epoch.validation_loss is not None:
                row["validation_loss"] = self._loss_in_units_of_y(epoch.validation_loss)
                row["validation_score"] = self._score_in_units_of_y(epoch.validation_score)
            self._rows.append(row)
        return self._rows

    def _loss_in_units_of_y(self, loss):
        factor, offset = self.estimator._units_of_loss(self.network.loss)
        return factor * loss + offset

    def _score_in_units_of_y(self, score):
        is_loss = self.estimator._scores_by_loss(self.network.loss)
        return -self._loss_in_units_of_y(-score) if is_loss else score

    def _n_epochs_before(self):
        return len(getattr(self.estimator, "loss_curve_", ())) if self.purpose.continues else 0

    def _appended(self, attribute, values):
        """A fitted list with more values at its end, if an earlier fit is continued."""
        before = getattr(self.estimator, attribute, None) if self.purpose.continues else None
        return [*(before or []), *values]

    def _samples_seen_before(self):
        return self.estimator.t_ if self.purpose.continues else 0

    def _patience(self):
        early_stopping = self.estimator.early_stopping
        patience = Patience(
            self.estimator.tol, self.estimator.n_iter_no_change, keeps_best_weights=early_stopping
        )
        patience.n_epochs = self._n_epochs_before()
        return patience

    def _hold_out(self):
        """Prepare validation, if there is to be any; the numbers of the rows to train on, None for all."""
        estimator, rows = self.estimator, None
        if self.validation_data is not None:
            self.validation = Validation(estimator, self.network, self.history, self.validation_data)
        elif estimator.early_stopping:
            rows, held_out = estimator._split(self.data.y, self.rng)
            check_parts_weigh_something(self.data.weight, rows, held_out)
            self.validation = Validation(estimator, self.network, self.history, self.data, held_out)
        return rows


class MinibatchRun(MLPRun):
    """Training with SGD, Adam, ... by mini-batches."""

    training: Training
    batches: Batches

    def _prepare(self, rows):
        batch_size = self._batch_size(self.data.X.shape[0] if rows is None else len(rows))
        rng = self.rng if self.estimator.shuffle else None
        self.batches = Batches(*self.data, batch_size, rows, rng)
        self.training = self._training()
        self.training.progress.n_steps = self.estimator.max_iter * self.batches.n_batches

    def train(self, observer):
        estimator = self.estimator
        if self.has_converged:  # restored as it was
            return Outcome.CONVERGED
        outcome = train_minibatch(
            self.network,
            self.parameters,
            self.batches,
            self.training,
            self.history,
            max_epochs=1 if self.purpose.is_chunk else self.max_epochs - len(self.epochs),
            validate=self.validation,
            observer=observer,
            rng=self.rng if np.any(estimator.dropout) else None,
        )
        outcome = self._ended(outcome)
        if outcome is Outcome.DIVERGED:  # partial_fit goes on with averages that are finite
            self.training.optimizer_state = self.training.optimizer.init(self.parameters.flat)
        if outcome is Outcome.MAX_ITER and not self.purpose.is_chunk:
            warn_user(
                f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the "
                "optimization hasn't converged yet.",
                ConvergenceWarning,
            )
        return outcome

    def fitted_attributes(self):
        patience, early_stopping = self.training.patience, self.estimator.early_stopping
        best = patience.best_weights if early_stopping else None
        return {
            **self._common_attributes(patience, self.parameters.flat if best is None else best),
            "t_": self.training.samples_seen,
            "best_loss_": None if early_stopping else self._loss_in_units_of_y(-patience.best),
            "_training": self.training,
            "_watched": self._watched(),
        }

    def _watched(self):
        """What scores of two fits must have in common to be compared."""
        estimator = self.estimator
        watched = (
            estimator.early_stopping,
            self.validation_data is not None,
            estimator.scoring,
            estimator.loss,
        )
        return watched if estimator.early_stopping else (False, estimator.loss)

    @property
    def members(self):
        """The networks in training, for the one who saves their state: this is one."""
        return [self]

    def prepare_members(self, n_members):
        """Make as many members as a saved state has."""
        if n_members != 1:
            raise ValueError(f"{n_members} networks instead of 1")

    def check_state(self):
        """Whether the network agrees with the table of epochs."""
        if self.training.patience.n_epochs != len(self.epochs):
            raise ValueError(f"{self.training.patience.n_epochs} epochs of {len(self.epochs)}")

    @property
    def max_epochs(self):
        """Epochs at most."""
        return self.estimator.max_iter

    @property
    def held_out_rows(self):
        """Numbers of the rows held out, if there are any."""
        return None if self.validation is None else self.validation.rows

    @held_out_rows.setter
    def held_out_rows(self, rows):
        if self.validation is not None:
            self.validation = replace(self.validation, rows=rows)

    @property
    def has_converged(self):
        """Whether patience has ended the training."""
        return bool(self.history.epochs) and self.history.epochs[-1].is_last

    @property
    def is_complete(self):
        """Whether training has run its course."""
        return self.has_converged or len(self.epochs) == self.max_epochs

    def is_finite(self):
        # Adam hides an infinite average by dividing by it: no weight would ever change again
        averages = self.training.optimizer_state.averages.values()
        return super().is_finite() and all(bool(np.isfinite(average).all()) for average in averages)

    def _batch_size(self, n_samples):
        batch_size = self.estimator.batch_size
        if batch_size == "auto":
            return min(200, n_samples)
        if batch_size > n_samples and self.purpose is not Purpose.NEXT_CHUNK:
            warn_user(
                f"Got batch_size={batch_size}, larger than the sample size {n_samples}. It is going to be "
                "clipped.",
            )
        return min(batch_size, n_samples)

    def _training(self):
        """Rules and their state: in partial_fit those of the call before, else new ones."""
        estimator = self.estimator
        before = getattr(estimator, "_training", None) if self.purpose.continues else None
        if before is not None and estimator._has_intercepts != estimator.fit_intercept:
            before = None  # its averages and its best weights are those of other parameters
        patience = self._patience()
        if before is not None and self._watched() == getattr(estimator, "_watched", None):
            patience.best, best = before.patience.best, before.patience.best_weights
            patience.best_epoch = before.patience.best_epoch
            if best is not None:
                patience.best_weights = best.astype(self.parameters.flat.dtype, copy=False)
            if self.purpose.is_chunk:
                patience.n_stagnant = before.patience.n_stagnant
        if before is not None and self.purpose.is_chunk:
            training = before.copy()
            training.patience = patience
            training.optimizer_state = training.optimizer_state.astype(self.parameters.flat.dtype)
            return training
        optimizer = estimator._configured("solver", OPTIMIZERS)
        return Training(
            optimizer,
            estimator._schedule(optimizer),
            optimizer.init(self.parameters.flat),
            Progress(float(estimator.learning_rate_init)),
            patience,
            self._samples_seen_before(),
        )


class LbfgsRun(MLPRun):
    """Training with L-BFGS on all data at once."""

    final_loss: float
    patience: Patience

    def _prepare(self, rows):
        self._trained_rows = rows
        self.patience = self._patience()

    def train(self, observer):
        estimator = self.estimator
        outcome, message, self.final_loss = train_lbfgs(
            self.network,
            self.parameters,
            self.data,
            self.history,
            max_iterations=estimator.max_iter,
            max_evaluations=estimator.max_fun,
            tol=estimator.tol,
            patience=self.patience if estimator.early_stopping else None,
            validate=self.validation,
            observer=observer,
            rows=self._trained_rows,
        )
        outcome = self._ended(outcome)
        if outcome in (Outcome.MAX_ITER, Outcome.FAILED):
            warn_user(
                f"lbfgs failed to converge after {len(self.history.epochs)} iteration(s): {message}\n"
                f"Increase max_iter={estimator.max_iter} or max_fun={estimator.max_fun}, or scale the data "
                "(StandardScaler).",
                ConvergenceWarning,
            )
        return outcome

    def fitted_attributes(self):
        best = self.patience.best_weights
        attributes = self._common_attributes(self.patience, self.parameters.flat if best is None else best)
        if not self.history.epochs:
            attributes["loss_"] = self._loss_in_units_of_y(self.final_loss)
        best_loss = min(attributes["loss_curve_"], default=attributes["loss_"])
        return {
            **attributes,
            "t_": self._samples_seen_before(),
            "best_loss_": None if self.estimator.early_stopping else best_loss,
            "_training": None,
        }
