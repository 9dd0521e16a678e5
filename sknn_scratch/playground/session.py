"""A network in training: what the page shows and steers, without the page."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sknn_scratch.core import (
    Epoch,
    Observer,
    Outcome,
    Parameters,
    StepExplanation,
    Stepwise,
    Workspace,
    explain,
    train_minibatch,
)
from sknn_scratch.core.parameters import FloatArray
from sknn_scratch.estimators._minibatch import MinibatchRun
from sknn_scratch.estimators._validation import Validation
from sknn_scratch.fitting._data import OwnValidation, Purpose
from sknn_scratch.playground.features import OF_ONE_COLUMN, feature_matrix
from sknn_scratch.playground.points import Points
from sknn_scratch.playground.rows import Part, all_rows, split
from sknn_scratch.playground.settings import GOES_ON, OWN, Settings, losses

MAX_SNAPSHOTS = 60
"""Models that a recording keeps; when there are more, every second one goes."""


class Measurement(NamedTuple):
    """The state of training, in numbers.

    Attributes
    ----------
    epoch : float
        Epochs so far, parts of one included.
    step : int
        Steps so far.
    train_loss, test_loss : float
        Mean loss on either part, without the penalty; nan if there is none, or if training has diverged.
    train_score, test_score : float
        Accuracy, or R2 (of other losses than the squared error, the negative loss).
    gradient_norms : list of float
        Of each layer with weights: Euclidean norm of the gradient on all rows to train on.
    """

    epoch: float
    step: int
    train_loss: float
    test_loss: float
    train_score: float
    test_score: float
    gradient_norms: list[float]


@dataclass
class _Until(Observer):
    """Ends training at the end of an epoch when its time is over."""

    deadline: float

    def is_over(self) -> bool:
        return time.perf_counter() >= self.deadline

    def epoch_ends(self, epoch: Epoch) -> bool:
        return self.is_over()


class Session:
    """A network in training.

    Parameters
    ----------
    settings : Settings or None, default=None
        What is learnt from, by what, and how; None is the defaults.
    points : Points or None, default=None
        Points of one's own; with `dataset="own"` they are learnt from.

    Attributes
    ----------
    settings, points : Settings, Points or None
        As they are now.
    train, test : Part
        Rows to train on, and rows held out; the latter may be None.
    outcome : Outcome or None
        Why training cannot go on; None if it can.
    changed_on_the_way : bool
        Whether settings have changed since the first step.
    snapshots : dict of int to estimator
        Fitted estimators at the end of some epochs.

    Examples
    --------
    >>> from sknn_scratch.playground.session import Session
    >>> session = Session()
    >>> session.train_epochs(100)
    >>> session.measured().test_score > 0.95
    True
    """

    settings: Settings
    points: Points | None
    train: Part
    test: Part | None

    def __init__(self, settings: Settings | None = None, points: Points | None = None) -> None:
        self._start(settings or Settings(), points)

    def reset(self) -> None:
        """Start anew with the settings as they are."""
        self._start(self.settings, self.points)

    def change(self, **settings: Any) -> None:
        """Change settings; what they do not allow to go on starts anew.

        Parameters
        ----------
        **settings : object
            New values by name.

        Raises
        ------
        ValueError
            If a value is not allowed; nothing is changed then.
        """
        new = self.settings.changed(**settings)
        names = {name for name, value in new.get_params().items() if value != getattr(self.settings, name)}
        if not names:
            return
        if names <= GOES_ON and self.n_steps:
            self._go_on(new)
        else:
            self._start(new, self.points)

    def use(self, points: Points) -> None:
        """Learn from points of one's own."""
        self._start(self.settings.changed(dataset=OWN), points)

    def train_step(self) -> None:
        """Take one step."""
        self._train(1, deadline=-math.inf)

    def train_epochs(self, n_epochs: int, seconds: float = math.inf) -> None:
        """Train until so many more epochs are whole, or until the time is over.

        Parameters
        ----------
        n_epochs : int
            Epochs; the first of them may have begun before.
        seconds : float, default=inf
            When to pause at the latest.
        """
        self._train(n_epochs, time.perf_counter() + seconds)

    @property
    def n_steps(self) -> int:
        """Steps so far."""
        return self.run.training.progress.step

    @property
    def n_epochs(self) -> int:
        """Whole epochs so far."""
        return len(self.run.history.epochs)

    @property
    def is_within_epoch(self) -> bool:
        """Whether an epoch has begun and not ended."""
        return self._engine.is_within_epoch

    @property
    def has_classes(self) -> bool:
        """Whether classes are learnt, not numbers."""
        return hasattr(self.estimator, "classes_")

    @property
    def parameters(self) -> Parameters:
        """Weights and biases as they are now."""
        return self.run.parameters

    @property
    def dense(self) -> list[dict[str, FloatArray]]:
        """Weights and bias of each layer that has weights."""
        return [dict(layer) for layer in self.parameters.layers if layer]

    @property
    def ending(self) -> str:
        """Why training cannot go on, in a sentence; empty if it can."""
        if self.outcome is Outcome.DIVERGED:
            return (
                "Training has diverged: a weight or the loss is not finite. Choose a smaller learning rate, "
                "then reset."
            )
        if self.outcome is Outcome.CONVERGED:
            return "Training has converged: the loss no longer falls, and the learning rate cannot."
        if self.outcome is Outcome.MAX_ITER:
            return f"All {self.settings.max_iter} epochs are done. Raise their number to go on."
        return ""

    def measured(self) -> Measurement:
        """The state of training in numbers."""
        losses_and_scores = [self._validated(part) for part in (self.train, self.test)]
        (train_loss, train_score), (test_loss, test_score) = losses_and_scores
        n_batches = self.run.batches.n_batches
        epoch = self.n_epochs + (self.n_steps % n_batches) / n_batches
        return Measurement(
            epoch, self.n_steps, train_loss, test_loss, train_score, test_score, self.gradient_norms()
        )

    @np.errstate(over="ignore", invalid="ignore")
    def gradient_norms(self) -> list[float]:
        """Euclidean norm of each layer's gradient, weights and bias, on all rows to train on."""
        network, (X, y, _) = self.run.network, self.train.batch
        workspace = Workspace(network, self.parameters, len(X))
        network.loss_and_gradient(X, y, None, workspace)
        layers = [layer for layer in workspace.gradient.layers if layer]
        return [math.sqrt(sum(float(np.vdot(g, g)) for g in layer.values())) for layer in layers]

    @np.errstate(over="ignore", invalid="ignore")
    def activations(self, points: FloatArray) -> list[FloatArray]:
        """What each layer computes for some points.

        Parameters
        ----------
        points : ndarray of shape (n_points, 1) or (n_points, 2)
            Points in the plane.

        Returns
        -------
        list of ndarray of shape (n_points, n_units)
            The features, the activations of each hidden layer, the predictions.
        """
        X, network, layers = self.features(points), self.run.network, self.parameters.layers
        return [X, *network.hidden_activations(X, layers), network.predict(X, layers)]

    def features(self, points: FloatArray) -> FloatArray:
        """Points as the network sees them."""
        return feature_matrix(points, self.settings.features)

    def explained(self, row: int) -> StepExplanation:
        """The step that training would take on one of the rows to train on, laid open."""
        X, y, _ = self.train.batch
        return explain(self.run.network, self.parameters, X[[row]], y[[row]])

    def fitted(self) -> Any:
        """An estimator of its own with the weights as they are now."""
        model = copy.copy(self.estimator)
        model.__dict__.update(self.run.snapshot())
        return model

    def _start(self, settings: Settings, points: Points | None) -> None:
        """Make all anew, and only then replace what there was."""
        X, y, has_classes = all_rows(settings, points)
        if settings.loss not in losses(has_classes):
            settings = settings.changed(loss=losses(has_classes)[0])
        if X.shape[1] == 1:
            of_one = tuple(name for name in settings.features if name in OF_ONE_COLUMN)
            settings = settings.changed(features=of_one or ("x1",))
        X_train, X_test, y_train, y_test = split(settings, X, y, has_classes)
        inputs = feature_matrix(X_train, settings.features)
        estimator = settings.estimator(has_classes, len(y_train))
        estimator._validate_params()
        run = estimator._prepared(
            estimator._hidden_layers(), inputs, y_train, None, OwnValidation(), Purpose.NEW_FIT
        )
        assert isinstance(run, MinibatchRun)
        self.settings, self.points = settings, points
        self.estimator, self.run = estimator, run
        self.train = Part(X_train, y_train, run.data)
        self.test = None
        if X_test is not None:
            batch, _ = estimator._check_unseen(
                [np.float64], feature_matrix(X_test, settings.features), y_test, None
            )
            self.test = Part(X_test, y_test, batch)
        self.outcome: Outcome | None = None
        self.changed_on_the_way = False
        self.snapshots: dict[int, Any] = {}
        self._engine = Stepwise(lambda: False)

    def _go_on(self, settings: Settings) -> None:
        """Change what may change on the way."""
        checked = settings.estimator(self.has_classes, len(self.train.y))
        checked._validate_params()
        run, training = self.run, self.run.training
        self.estimator.set_params(**checked.get_params())
        run.network = self.estimator._build(
            self.estimator._hidden_layers(), run.network.loss, self.parameters.flat.dtype, Purpose.NEW_FIT
        )
        run.parameters = Parameters(run.network.shapes, run.parameters.flat)
        training.schedule = self.estimator._schedule(training.optimizer)
        training.progress.learning_rate_init = settings.learning_rate_init
        training.progress.n_steps = settings.max_iter * run.batches.n_batches
        training.patience.n_iter_no_change = self.estimator.n_iter_no_change
        self.settings, self.changed_on_the_way = settings, True
        if self.outcome is not Outcome.DIVERGED:
            self.outcome = None

    def _train(self, n_epochs: int, deadline: float) -> None:
        run, until = self.run, _Until(deadline)
        n_epochs = min(n_epochs, self.settings.max_iter - self.n_epochs)
        if n_epochs <= 0 and self.outcome is None:
            self.outcome = Outcome.MAX_ITER
        if self.outcome is not None:
            return
        self._engine.pause = until.is_over
        outcome = train_minibatch(
            run.network,
            run.parameters,
            run.batches,
            run.training,
            run.history,
            n_epochs,
            observer=until,
            rng=run.rng if self.settings.dropout else None,
            engine=self._engine,
        )
        if outcome is Outcome.DIVERGED or not run.is_finite():
            self.outcome = Outcome.DIVERGED
        elif outcome is Outcome.CONVERGED:
            self.outcome = outcome
        elif self.n_epochs == self.settings.max_iter:
            self.outcome = Outcome.MAX_ITER
        if self.outcome is not Outcome.DIVERGED and not self.is_within_epoch:
            self._record()

    def _record(self) -> None:
        """Keep the model at the end of this epoch, in even distances."""
        kept = list(self.snapshots)
        stride = kept[-1] - kept[-2] if len(kept) > 1 else 1
        if kept and self.n_epochs < kept[-1] + stride:
            return
        self.snapshots[self.n_epochs] = self.fitted()
        if len(self.snapshots) > MAX_SNAPSHOTS:
            self.snapshots = dict(list(self.snapshots.items())[1::2])

    def _validated(self, part: Part | None) -> tuple[float, float]:
        if part is None:
            return math.nan, math.nan
        run = self.run
        loss, score = Validation(self.estimator, run.network, run.history, part.batch)(self.parameters)
        return float(loss), float(score)
