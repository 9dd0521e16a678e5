"""One call of fit or partial_fit of the drop-in, and what it leaves on the estimator."""

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator

from sknn_scratch.core import (
    Batch,
    History,
    Network,
    Observer,
    Outcome,
    Parameters,
    Patience,
)
from sknn_scratch.estimators._validation import Validation, check_parts_weigh_something
from sknn_scratch.fitting._data import Purpose


@dataclass
class MLPRun(ABC):
    """One call of fit or partial_fit, ready to train once created.

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
    _history_rows: list[dict] = field(init=False, default_factory=list)

    def __post_init__(self):
        self.history = History(loss_scale=self.estimator._loss_scale(self.network.loss))
        self._prepare(self._hold_out())

    @abstractmethod
    def _prepare(self, rows) -> None:
        """Prepare to train on these rows; None means all."""

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
        """The same for a model to be kept, which may continue training separately."""
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
        for epoch in self.history.epochs[len(self._history_rows) :]:
            row = {"epoch": n_before + len(self._history_rows) + 1, **epoch.measured()}
            row["loss"] = self._loss_in_units_of_y(epoch.loss)
            if epoch.validation_loss is not None:
                row["validation_loss"] = self._loss_in_units_of_y(epoch.validation_loss)
                row["validation_score"] = self._score_in_units_of_y(epoch.validation_score)
            self._history_rows.append(row)
        return self._history_rows

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
