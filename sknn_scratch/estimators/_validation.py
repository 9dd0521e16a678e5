"""Loss and score on data that training does not see."""

import copy
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from sknn_scratch.core import Batch, History, Network
from sknn_scratch.fitting._engine import raw_scores
from sknn_scratch.fitting._scores import ValidationScorer


@dataclass
class Validation:
    """Loss and score of parameters, after each epoch.

    Attributes
    ----------
    estimator : BaseScratchMLP
        Whose `scoring` counts.
    network, history : Network, History
        What is trained, and how its losses are reported.
    data : Batch
        Data with encoded targets.
    rows : ndarray of int or None, default=None
        The rows of them that count; None means all. They are never copied all at once, unless a scorer needs
        them.
    """

    estimator: BaseEstimator
    network: Network
    history: History
    data: Batch
    rows: np.ndarray | None = None

    def __post_init__(self):
        X, y, weight = self.data
        self.y = y if self.rows is None else y[self.rows]
        self.weight = weight if weight is None or self.rows is None else weight[self.rows]
        if self.is_scored:
            self.scorer = ValidationScorer(self.estimator)
            self._X = X if self.rows is None else X[self.rows]
            self._targets = self.estimator._decoded(self.y)

    @property
    def is_scored(self):
        """Whether there is a scorer, which wants an estimator."""
        return self.estimator.scoring not in (None, "loss")

    @np.errstate(over="ignore", invalid="ignore")  # divergence shows in loss and score
    def __call__(self, parameters):
        loss = self.network.loss
        raw = raw_scores(self.network, self.data.X, parameters.layers, self.rows)
        if not np.isfinite(raw).all():
            return np.nan, np.nan
        value = loss.value_and_gradient(
            raw.copy(), self.y, self.weight, np.empty_like(raw), np.empty_like(raw[:, 0])
        )
        if not np.isfinite(value):
            return np.nan, np.nan
        if self.is_scored:
            score = self._score(parameters)
        elif self.estimator._scores_by_loss(loss):
            score = -self.history.reported(value)
        else:
            score = self.estimator._validation_score(loss, raw, self.y, self.weight)
        return self.history.reported(value), score

    @property
    def scoring(self):
        """What the score is, in words."""
        return f"scoring={self.estimator.scoring!r}{self.scorer.reason if self.is_scored else ''}"

    def _score(self, parameters):
        model = copy.copy(self.estimator)
        dense = [layer for layer in parameters.layers if layer]
        model.coefs_ = [layer["weights"] for layer in dense]
        model.intercepts_ = [layer.get("bias", np.zeros_like(layer["weights"][0])) for layer in dense]
        model.out_activation_ = self.network.loss.link_inverse
        vars(model).pop("feature_names_in_", None)  # the validated data have none
        return self.scorer(model, self._X, self._targets, self.weight)


def check_parts_weigh_something(weight, rows, held_out):
    """Whether there is something to learn from, and something to watch."""
    if weight is not None and not (weight[rows].any() and weight[held_out].any()):
        raise ValueError(
            "With early_stopping=True, sample_weight must not be zero for all training rows or for all "
            "validation rows."
        )
