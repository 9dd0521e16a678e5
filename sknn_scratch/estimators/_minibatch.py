"""One call of fit or partial_fit by mini-batches."""

from dataclasses import replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn_scratch.core import OPTIMIZERS, Batches, Outcome, Progress, Training, train_minibatch
from sknn_scratch.estimators._run import MLPRun
from sknn_scratch.fitting._data import Purpose
from sknn_scratch.fitting._engine import engine
from sknn_scratch.fitting._user_line import warn_user


class MinibatchRun(MLPRun):
    """Training with SGD, Adam, ... by mini-batches."""

    training: Training
    batches: Batches
    warn = staticmethod(warn_user)

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
            engine=engine(estimator.verbose),
        )
        outcome = self._ended(outcome)
        if outcome is Outcome.DIVERGED:  # partial_fit continues with averages that are finite
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
    def engine(self):
        """The name of the engine that trains."""
        return engine().name

    @property
    def members(self):
        """The networks in training, for saving their state: here, one."""
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
        """Maximum number of epochs."""
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
