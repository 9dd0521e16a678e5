"""One pass over the data, and the engine that computes its steps.

The textbook method is here: for each batch, the loss and its gradient, then the update. Another
:class:`Engine` may compute this differently, batch by batch or a whole epoch at once. It must leave behind
the same results: parameters, optimizer state, step count, and an :class:`~sknn_scratch.core.Epoch`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.batches import Batches
from sknn_scratch.core.history import Epoch, History
from sknn_scratch.core.interruption import interruptible
from sknn_scratch.core.machine.threads import Team
from sknn_scratch.core.network import Network
from sknn_scratch.core.optimizers import Optimizer, OptimizerState
from sknn_scratch.core.parameters import FloatArray, LayerParameters, Parameters
from sknn_scratch.core.schedules import Progress, Schedule
from sknn_scratch.core.stopping import Patience
from sknn_scratch.core.workspace import Workspace

STEPS_TO_FLUSH = 512
"""Steps between flushes of subnormal numbers; after 800 without a gradient, a float32 average is one."""

RunEpoch = Callable[[History], Epoch | None]
"""One pass over the data, or None if it has paused; the next call continues from there."""


@dataclass
class Training:
    """All that changes in mini-batch training apart from the weights; training can continue from it.

    Attributes
    ----------
    optimizer, schedule : Optimizer, Schedule
        The rules.
    optimizer_state, progress, patience : OptimizerState, Progress, Patience
        What they act on.
    samples_seen : int
        Rows trained on so far, in earlier calls too.
    regularization : Schedule or None
        Schedule of the dropout rates, and of the weight decay of rules that support it, as a share of full
        strength, which is its `learning_rate_init`; None keeps full strength.
    """

    optimizer: Optimizer
    schedule: Schedule
    optimizer_state: OptimizerState
    progress: Progress
    patience: Patience
    samples_seen: int = 0
    regularization: Schedule | None = None

    def copy(self) -> Training:
        """The same rules with a copy of their state."""
        return replace(
            self,
            optimizer_state=self.optimizer_state.copy(),
            progress=replace(self.progress),
            patience=replace(self.patience),
        )


class Engine(ABC):
    """How an epoch is run, and a network to evaluate."""

    name: ClassVar[str]

    @abstractmethod
    def run_epoch(
        self,
        network: Network,
        parameters: Parameters,
        batches: Batches,
        training: Training,
        rng: np.random.RandomState | None,
        team: Team,
    ) -> RunEpoch:
        """Prepare to train; the result runs one epoch after another."""

    @abstractmethod
    def evaluated(self, network: Network, parameters: Parameters) -> tuple[Network, Parameters]:
        """A network that computes the same as `network` does, on the same vector of parameters."""

    @abstractmethod
    def raw_scores(
        self,
        network: Network,
        X: FloatArray,
        parameters: Sequence[LayerParameters],
        rows: npt.NDArray[np.intp] | None = None,
    ) -> FloatArray:
        """The output of the last layer; see :meth:`Network.raw_scores`."""


class Step(Protocol):
    """A training step in two halves."""

    def gradient(self, X: FloatArray, y: FloatArray, weight: FloatArray | None) -> float:
        """Compute the gradient of a batch; returns the data's part of the loss."""

    def gradient_norm(self) -> float:
        """Euclidean norm of the gradient, with the penalty's."""

    def update(self, learning_rate: float) -> float:
        """Change the parameters; returns the penalty's part of the loss, as it was before."""


class NumpyEngine(Engine):
    """The core itself."""

    name: ClassVar[str] = "numpy"

    def run_epoch(
        self,
        network: Network,
        parameters: Parameters,
        batches: Batches,
        training: Training,
        rng: np.random.RandomState | None,
        team: Team,
    ) -> RunEpoch:
        """Batch by batch."""
        workspace = Workspace(network, parameters, batches.batch_size, rng, team)
        return BatchByBatch(batches, training, workspace, NumpyStep(network, training, workspace))

    def evaluated(self, network: Network, parameters: Parameters) -> tuple[Network, Parameters]:
        """The network itself."""
        return network, parameters

    def raw_scores(
        self,
        network: Network,
        X: FloatArray,
        parameters: Sequence[LayerParameters],
        rows: npt.NDArray[np.intp] | None = None,
    ) -> FloatArray:
        """By the network itself."""
        return network.raw_scores(X, parameters, rows)


NUMPY = NumpyEngine()


class NumpyStep:
    """One step of gradient descent: theta <- theta - update(gradient)."""

    def __init__(self, network: Network, training: Training, workspace: Workspace) -> None:
        self.network, self.training, self.workspace = network, training, workspace
        self._penalty = 0.0

    def gradient(self, X: FloatArray, y: FloatArray, weight: FloatArray | None) -> float:
        loss, self._penalty = self.network.loss_and_gradient(X, y, weight, self.workspace)
        return loss

    def gradient_norm(self) -> float:
        gradient = self.workspace.gradient.flat
        return math.sqrt(gradient.dot(gradient))

    def update(self, learning_rate: float) -> float:
        workspace, training = self.workspace, self.training
        theta, gradient = workspace.parameters.flat, workspace.gradient.flat
        training.optimizer.step(theta, gradient, training.optimizer_state, learning_rate, workspace.team)
        return self._penalty


class BatchByBatch:
    """Runs epochs, one step for each batch; the loss of an epoch is the mean of theirs, by weight."""

    def __init__(self, batches: Batches, training: Training, workspace: Workspace, step: Step) -> None:
        self.batches, self.training, self.workspace, self.step = batches, training, workspace, step

    @interruptible
    def __call__(self, history: History) -> Epoch:
        epoch = Epoch()
        with np.errstate(over="ignore", invalid="ignore"):  # divergence shows in the loss
            for _ in self.steps(epoch, history):
                pass
        return epoch

    def steps(self, epoch: Epoch, history: History) -> Iterator[None]:
        """Run an epoch and record it, pausing between steps, where the step may be replaced.

        Parameters
        ----------
        epoch : Epoch
            The record of the epoch; complete at the end.
        history : History
            Scales the recorded loss.

        Yields
        ------
        None
            Before each step but the first.
        """
        training, progress = self.training, self.training.progress
        total = total_weight = 0.0
        for X, y, weight in self.batches:
            batch_weight = len(y) if weight is None else float(weight.sum())
            if batch_weight == 0:  # nothing to learn from, and no mean to take
                continue
            if total_weight:
                yield
            step = self.step
            self._regularize(progress)
            loss = step.gradient(X, y, weight)
            if total_weight == 0:
                epoch.gradient_norm = step.gradient_norm()
            epoch.learning_rate = training.schedule(progress)
            penalty = step.update(epoch.learning_rate)
            progress.step += 1
            total += batch_weight * (history.reported(loss) + penalty)
            total_weight += batch_weight
            if progress.step % STEPS_TO_FLUSH == 0:
                self._flush_subnormals()
        # rows with a weight may all be among those that do not fill a batch
        epoch.loss = total / total_weight if total_weight else 0.0
        self._flush_subnormals()

    def _regularize(self, progress: Progress) -> None:
        regularization = self.training.regularization
        if regularization is not None:
            strength = regularization(replace(progress, learning_rate_init=1.0))
            self.workspace.regularization = self.training.optimizer_state.regularization = strength

    def _flush_subnormals(self) -> None:
        averages = self.training.optimizer_state.averages.values()
        flush_subnormals(self.workspace.parameters.flat, *averages)


def flush_subnormals(*arrays: FloatArray) -> None:
    """Set to 0 the numbers so small that processors are slow with them.

    The averages of a unit that is never active shrink by a factor at every step, and the penalty shrinks its
    weights likewise. Rounding keeps them at the smallest numbers there are.

    Parameters
    ----------
    *arrays : ndarray
        Changed in place.
    """
    for array in arrays:
        array[np.abs(array) < np.finfo(array.dtype).tiny] = 0.0
