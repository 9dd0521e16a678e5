"""Loss and score on the rows held out, after each epoch."""

import copy
from typing import Any

import numpy as np

from sknn_scratch._sklearn import check_feature_names
from sknn_scratch.fitting._engine import raw_scores
from sknn_scratch.fitting._scores import ValidationScorer
from sknn_scratch.tabular._fold import combined
from sknn_scratch.tabular._temperature import best_temperature


class Judge:
    """Judges members of one split together, and several splits by their mean.

    Parameters
    ----------
    estimator : BaseRealMLP
        Whose `scoring` counts; it knows its targets already.
    loss : Loss
        What is minimised.
    """

    def __init__(self, estimator, loss):
        self._estimator = estimator
        self._loss = copy.deepcopy(loss)
        if hasattr(loss, "label_smoothing"):  # in training only
            self._loss.set_params(label_smoothing=0.0)
        self._scorer: Any = None
        if estimator.scoring is not None and not estimator._scores_by_loss(loss):
            self._scorer = ValidationScorer(estimator)

    @property
    def asks_a_scorer(self):
        """Whether one of scikit-learn's scorers, or the user's, is called."""
        return self._scorer is not None

    @property
    def scoring(self):
        """What the score is, in words."""
        reason = self._scorer.reason if self.asks_a_scorer else ""
        return f"scoring={self._estimator.scoring!r}{reason}"

    @np.errstate(over="ignore", invalid="ignore")  # divergence shows in loss and score
    def __call__(self, splits):
        """Validation loss and score: the means over splits."""
        judgements = [self._of_split(split) for split in splits]
        return tuple(np.mean(judgements, axis=0).tolist())

    def _of_split(self, split):
        fold, held_out = split.fold, split.held_out
        parameters = [member.parameters for member in split.members]
        raws = [raw_scores(fold.network, held_out.data, one.layers) for one in parameters]
        if not all(np.isfinite(raw).all() for raw in raws):
            return np.nan, np.nan
        raw = combined(self._loss, raws)
        memory = np.empty_like(raw), np.empty(len(raw))
        loss = self._loss.value_and_gradient(raw.copy(), held_out.y_scaled, held_out.weight, *memory)
        if not np.isfinite(loss):
            return np.nan, np.nan
        if self.asks_a_scorer:
            return loss, self._ask_scorer(fold.with_members([one.flat for one in parameters]), held_out)
        if self._estimator._scores_by_loss(self._loss):
            return loss, -loss
        in_units = fold.in_units(raw)
        return loss, self._estimator._score_of_raw(in_units, held_out.y, held_out.weight, self._loss)

    def temperature(self, splits):
        """The one that fits the rows held out best, for the weights that are kept."""
        scores = (split.fitted().scores_of_encoded(split.held_out.data) for split in splits)
        held_out = (split.held_out for split in splits)
        judged = [(raw, rows.y_scaled, rows.weight) for raw, rows in zip(scores, held_out, strict=True)]
        return best_temperature(self._loss, judged)

    def _ask_scorer(self, fold, held_out):
        model = copy.copy(self._estimator)
        model._folds = [fold]
        check_feature_names(model, held_out.X, reset=True)  # they were compared before training
        return self._scorer(model, held_out.X, self._estimator._decoded(held_out.y), held_out.weight)
