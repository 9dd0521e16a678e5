"""One call of fit or partial_fit: the solver at work, and what it leaves on the estimator."""

import copy
import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from sknn_scratch.core import (
    OPTIMIZERS,
    SCHEDULES,
    SGD,
    Batch,
    Batches,
    Constant,
    History,
    Network,
    Outcome,
    Parameters,
    Patience,
    Progress,
    Training,
    train_lbfgs,
    train_minibatch,
)
from sknn_scratch.estimators._callbacks import FitObserver


@dataclass
class Run(ABC):
    """One call of fit or partial_fit.

    Attributes
    ----------
    estimator : BaseScratchMLP
        Whose parameters count. It is read, not changed.
    network, parameters, data : Network, Parameters, Batch
        What is trained, from where, on what.
    rng : numpy.random.RandomState
        Source of random numbers.
    observer : FitObserver
        Is told of every epoch.
    goes_on : bool
        Whether an earlier fit is continued.
    incremental : bool
        Whether this is partial_fit: one epoch.
    """

    estimator: BaseEstimator
    network: Network
    parameters: Parameters
    data: Batch
    rng: np.random.RandomState
    observer: FitObserver
    goes_on: bool
    incremental: bool
    history: History = field(default_factory=History)

    @abstractmethod
    def train(self) -> Outcome:
        """Change the parameters in place, and warn of what the user should know."""

    @abstractmethod
    def fitted_attributes(self) -> dict:
        """What a fit that ends now leaves on the estimator; the weights are a copy."""

    def snapshot(self):
        """The same for a model to be kept, which may go on training by itself."""
        attributes = self.fitted_attributes()
        if "_random_state" in attributes:
            attributes["_random_state"] = copy.deepcopy(self.rng)
        if attributes["_training"] is not None:
            attributes["_training"] = attributes["_training"].copy()
        return attributes

    def is_finite(self):
        """Whether training could go on from where it is."""
        return bool(np.isfinite(self.parameters.flat).all())

    def _common_attributes(self, weights):
        dense = [layer for layer in Parameters(self.network.shapes, weights.copy()).layers if layer]
        seeded = isinstance(self.estimator.random_state, Integral)
        return {
            "coefs_": [layer["weights"] for layer in dense],
            "intercepts_": [layer.get("bias", np.zeros_like(layer["weights"][0])) for layer in dense],
            "n_layers_": len(dense) + 1,
            "out_activation_": self.network.loss.link_inverse,
            "n_iter_": len(self.history.losses),
            "loss_": self.history.losses[-1] if self.history.losses else np.nan,
            "loss_curve_": self._appended("loss_curve_", self.history.losses),
            **({"_random_state": self.rng} if seeded else {}),
        }

    def _appended(self, attribute, values):
        """A fitted list with more values at its end, if an earlier fit is continued."""
        before = getattr(self.estimator, attribute, None) if self.goes_on else None
        return [*(before or []), *values]

    def _samples_seen_before(self):
        return self.estimator.t_ if self.goes_on else 0


class MinibatchRun(Run):
    """Training with SGD, Adam, ... by mini-batches."""

    training: Training

    def train(self):
        estimator, data, rows, validate = self.estimator, self.data, None, None
        n_samples = data.X.shape[0]
        if estimator.early_stopping:
            rows, held_out = estimator._split(data.y, self.rng)
            n_samples = len(rows)
            validate = self._validation(rows, held_out)
        self.training = self._training()
        outcome = train_minibatch(
            self.network,
            self.parameters,
            Batches(*data, self._batch_size(n_samples), rows, self.rng if estimator.shuffle else None),
            self.training,
            self.history,
            max_epochs=1 if self.incremental else estimator.max_iter,
            validate=validate,
            observer=self.observer,
        )
        if outcome is Outcome.MAX_ITER and not self.incremental:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the "
                "optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=6,
            )
        return outcome

    def fitted_attributes(self):
        patience, early_stopping = self.training.patience, self.estimator.early_stopping
        best = patience.best_weights if early_stopping else None
        return {
            **self._common_attributes(self.parameters.flat if best is None else best),
            "t_": self.training.samples_seen,
            "best_loss_": None if early_stopping else -patience.best,
            "validation_scores_": (
                self._appended("validation_scores_", self.history.scores) if early_stopping else None
            ),
            "best_validation_score_": patience.best if early_stopping else None,
            "_training": self.training,
        }

    def is_finite(self):
        # Adam hides an infinite average by dividing by it: no weight would ever change again
        averages = self.training.optimizer_state.averages.values()
        return super().is_finite() and all(bool(np.isfinite(average).all()) for average in averages)

    def _batch_size(self, n_samples):
        batch_size = self.estimator.batch_size
        if batch_size == "auto":
            return min(200, n_samples)
        if batch_size > n_samples and not (self.incremental and self.goes_on):
            warnings.warn(
                f"Got batch_size={batch_size}, larger than the sample size {n_samples}. It is going to be "
                "clipped.",
                UserWarning,
                stacklevel=7,
            )
        return min(batch_size, n_samples)

    def _training(self):
        """Rules and their state: in partial_fit those of the call before, else new ones."""
        estimator = self.estimator
        before = getattr(estimator, "_training", None) if self.goes_on else None
        early_stopping = estimator.early_stopping
        patience = Patience(estimator.tol, estimator.n_iter_no_change, keeps_best_weights=early_stopping)
        if before is not None and before.patience.keeps_best_weights == early_stopping:
            patience.best, best = before.patience.best, before.patience.best_weights
            if best is not None:
                patience.best_weights = best.astype(self.parameters.flat.dtype, copy=False)
            if self.incremental:
                patience.n_stagnant = before.patience.n_stagnant
        if before is not None and self.incremental:
            training = before.copy()
            training.patience = patience
            averages = training.optimizer_state.averages
            for name, average in averages.items():
                averages[name] = average.astype(self.parameters.flat.dtype, copy=False)
            return training
        optimizer = estimator._configured("solver", OPTIMIZERS)
        optimizer = type(optimizer)(**optimizer.get_params())  # a copy, checked once more
        # the policies of `learning_rate` are for sgd only, as in scikit-learn
        policy = (
            estimator._configured("learning_rate", SCHEDULES) if isinstance(optimizer, SGD) else Constant()
        )
        return Training(
            optimizer,
            policy,
            optimizer.init(self.parameters.flat),
            Progress(float(estimator.learning_rate_init)),
            patience,
            self._samples_seen_before(),
        )

    def _validation(self, rows, held_out):
        """The score of parameters on the rows held out, as a function of the parameters."""
        X, y, weight = self.data
        if weight is not None and not (weight[rows].any() and weight[held_out].any()):
            raise ValueError(
                "With early_stopping=True, sample_weight must not be zero on all of the training or all of "
                "the validation part."
            )
        X, y, weight = X[held_out], y[held_out], None if weight is None else weight[held_out]

        @np.errstate(over="ignore", invalid="ignore")  # divergence shows in the score
        def validate(parameters):
            raw = self.network.raw_scores(X, parameters.layers)
            if not np.isfinite(raw).all():
                return np.nan
            return self.estimator._validation_score(self.network.loss, raw, y, weight)

        return validate


class LbfgsRun(Run):
    """Training with L-BFGS on all data at once."""

    final_loss: float

    def train(self):
        estimator = self.estimator
        if estimator.early_stopping:
            warnings.warn("early_stopping=True has no effect with solver='lbfgs'.", UserWarning, stacklevel=6)
        outcome, message, self.final_loss = train_lbfgs(
            self.network,
            self.parameters,
            self.data,
            self.history,
            max_iterations=estimator.max_iter,
            max_evaluations=estimator.max_fun,
            tol=estimator.tol,
            observer=self.observer,
        )
        if outcome in (Outcome.MAX_ITER, Outcome.FAILED):
            warnings.warn(
                f"lbfgs failed to converge after {len(self.history.losses)} iteration(s): {message}\n"
                f"Increase max_iter={estimator.max_iter} or max_fun={estimator.max_fun}, or scale the data "
                "(StandardScaler).",
                ConvergenceWarning,
                stacklevel=6,
            )
        return outcome

    def fitted_attributes(self):
        attributes = self._common_attributes(self.parameters.flat)
        if not self.history.losses:
            attributes["loss_"] = self.final_loss
        return {
            **attributes,
            "t_": self._samples_seen_before(),
            "best_loss_": min(attributes["loss_curve_"], default=attributes["loss_"]),
            "validation_scores_": None,
            "best_validation_score_": None,
            "_training": None,
        }
