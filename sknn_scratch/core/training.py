"""The two training loops: mini-batch descent and L-BFGS.

Both change the parameters in place, record the losses, and say in an :class:`Outcome` why they
ended. They never raise for what happens in training: what to make of an outcome is the caller's matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from sknn_scratch.core.batches import Batch, Batches
from sknn_scratch.core.network import Network, Objective, Workspace
from sknn_scratch.core.optimizers import Optimizer, OptimizerState
from sknn_scratch.core.parameters import Parameters
from sknn_scratch.core.schedules import Progress, Schedule
from sknn_scratch.core.stopping import Patience

_Vector = npt.NDArray[np.float64]


class Outcome(Enum):
    """Why a training loop ended."""

    CONVERGED = "converged"
    MAX_ITER = "the number of iterations allowed was reached"
    STOPPED = "the observer asked to stop"
    INTERRUPTED = "interrupted from the keyboard"
    DIVERGED = "a loss, score or weight is not finite"
    FAILED = "the optimizer could make no progress"


@dataclass
class Epoch:
    """What is known at the end of an epoch, or of an iteration of L-BFGS.

    Attributes
    ----------
    loss : float
        Training loss.
    score : float or None
        Validation score, if there is one; greater is better.
    learning_rate : float or None
        That of the next epoch, if there is one.
    on_plateau : bool
        Whether patience has just run out.
    is_last : bool
        Whether training ends for that reason.
    """

    loss: float
    score: float | None = None
    learning_rate: float | None = None
    on_plateau: bool = False
    is_last: bool = False


class Observer:
    """Is told of every epoch; this one does nothing."""

    def epoch_begins(self) -> None:
        """Called before an epoch."""

    def epoch_ends(self, epoch: Epoch) -> bool:
        """Called after an epoch; True ends the training."""
        return False


@dataclass
class Training:
    """All that changes in mini-batch training besides the weights, so that training can go on from it.

    Attributes
    ----------
    optimizer, schedule : Optimizer, Schedule
        The rules.
    optimizer_state, progress, patience : OptimizerState, Progress, Patience
        What they act on.
    samples_seen : int
        Rows trained on so far, in earlier calls too.
    """

    optimizer: Optimizer
    schedule: Schedule
    optimizer_state: OptimizerState
    progress: Progress
    patience: Patience
    samples_seen: int = 0

    def copy(self) -> Training:
        """The same rules with a state of their own."""
        return replace(
            self,
            optimizer_state=self.optimizer_state.copy(),
            progress=replace(self.progress),
            patience=replace(self.patience),
        )


@dataclass
class History:
    """The course of one call of training.

    Attributes
    ----------
    losses : list of float
        Training loss at each epoch, or at each iteration of L-BFGS.
    scores : list of float
        Validation score at each epoch, if there is one; greater is better.
    loss_scale : float
        Factor of the data's part of the losses recorded here. What is minimised does not know it.
    """

    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    loss_scale: float = 1.0


def train_minibatch(
    network: Network,
    parameters: Parameters,
    batches: Batches,
    training: Training,
    history: History,
    max_epochs: int,
    validate: Callable[[Parameters], float] | None = None,
    observer: Observer | None = None,
) -> Outcome:
    """Mini-batch gradient descent.

    Parameters
    ----------
    network : Network
        What is trained.
    parameters : Parameters
        Where it starts, and where it is left.
    batches : Batches
        The data.
    training : Training
        The rules and their state.
    history : History
        Where losses and scores are recorded.
    max_epochs : int
        Passes over the data at most.
    validate : callable or None, default=None
        Score of the parameters on held-out data, greater is better; it is watched instead of the loss.
    observer : Observer or None, default=None
        Is told of every epoch.

    Returns
    -------
    Outcome
        Why training ended.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import *
    >>> rng = np.random.RandomState(0)
    >>> X = rng.uniform(-1, 1, (200, 1))
    >>> network = Network.mlp([1, 20, 1], Tanh(), SquaredError())
    >>> parameters = network.initialize(rng, X.dtype)
    >>> adam = Adam()
    >>> state = adam.init(parameters.flat)
    >>> training = Training(adam, Constant(), state, Progress(0.01), Patience(1e-6, 10))
    >>> batches, history = Batches(X, X**2, None, 20, rng=rng), History()
    >>> train_minibatch(network, parameters, batches, training, history, max_epochs=50)
    <Outcome.MAX_ITER: 'the number of iterations allowed was reached'>
    >>> history.losses[-1] < 0.1 * history.losses[0]
    True
    """
    observer = observer or Observer()
    schedule, progress, patience = training.schedule, training.progress, training.patience
    workspace = Workspace(network, parameters, batches.batch_size)
    try:
        for _ in range(max_epochs):
            observer.epoch_begins()
            loss = _run_epoch(network, batches, training, workspace, history.loss_scale)
            history.losses.append(loss)
            if not math.isfinite(loss):
                return Outcome.DIVERGED
            score = None if validate is None else validate(parameters)
            if score is not None:
                history.scores.append(score)
                if not math.isfinite(score):
                    return Outcome.DIVERGED

            training.samples_seen += batches.n_rows
            progress.samples_seen = training.samples_seen
            progress.epoch += 1
            patience.update(-loss if score is None else score, parameters.flat)
            on_plateau = patience.has_run_out
            is_last = on_plateau and not schedule.goes_on_after_plateau(progress)
            if on_plateau and not is_last:
                progress.plateaus += 1
                patience.n_stagnant = 0
            if observer.epoch_ends(Epoch(loss, score, schedule(progress), on_plateau, is_last)):
                return Outcome.STOPPED
            if is_last:
                return Outcome.CONVERGED
    except KeyboardInterrupt:
        return Outcome.INTERRUPTED
    return Outcome.MAX_ITER


def _run_epoch(
    network: Network,
    batches: Batches,
    training: Training,
    workspace: Workspace,
    loss_scale: float,
) -> float:
    """One pass over the data; returns the mean of the batches' losses, by weight."""
    theta, gradient = workspace.parameters.flat, workspace.gradient.flat
    learning_rate = training.schedule(training.progress)
    total = total_weight = 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # divergence shows in the loss
        for X, y, weight in batches:
            batch_weight = len(y) if weight is None else float(weight.sum())
            if batch_weight == 0:  # nothing to learn from, and no mean to take
                continue
            loss, penalty = network.loss_and_gradient(X, y, weight, workspace)
            training.optimizer.step(theta, gradient, training.optimizer_state, learning_rate)
            total += batch_weight * (loss_scale * loss + penalty)
            total_weight += batch_weight
    return total / total_weight


def train_lbfgs(
    network: Network,
    parameters: Parameters,
    data: Batch,
    history: History,
    max_iterations: int,
    max_evaluations: int,
    tol: float,
    observer: Observer | None = None,
) -> tuple[Outcome, str, float]:
    """Limited-memory BFGS on all data at once, SciPy's implementation (Byrd, Lu, Nocedal & Zhu, 1995).

    Parameters
    ----------
    network : Network
        What is trained.
    parameters : Parameters
        Where it starts, and where it is left.
    data : Batch
        All data.
    history : History
        Where losses are recorded.
    max_iterations, max_evaluations : int
        Limits.
    tol : float
        Ends when no entry of the gradient is larger.
    observer : Observer or None, default=None
        Is told of every iteration.

    Returns
    -------
    outcome : Outcome
        Why training ended.
    message : str
        The same in SciPy's words.
    loss : float
        The loss where it ended.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import *
    >>> rng = np.random.RandomState(0)
    >>> X = rng.uniform(-1, 1, (200, 1))
    >>> network = Network.mlp([1, 1], Identity(), SquaredError())
    >>> parameters = network.initialize(rng, X.dtype)
    >>> train_lbfgs(network, parameters, Batch(X, 3 * X + 1, None), History(), 50, 99, tol=1e-9)[0]
    <Outcome.CONVERGED: 'converged'>
    >>> parameters.flat.round(6)
    array([3., 1.])
    """
    search = _LbfgsSearch(network, parameters, data, history, observer or Observer())
    start = parameters.flat.astype(np.float64)
    best, message = start, ""
    try:
        result = minimize(
            search.value_and_gradient,
            start,
            method="L-BFGS-B",
            jac=True,
            callback=search.iteration_ends,
            options={
                "maxiter": max_iterations,
                "maxfun": max_evaluations,
                "gtol": tol,
                # SciPy's default, unless losses are computed in float32, which cannot show so small a change
                "ftol": max(2.220446049250313e-09, float(np.finfo(parameters.flat.dtype).eps)),
            },
        )
        best, message = result.x, str(result.message)
        outcome = {0: Outcome.CONVERGED, 1: Outcome.MAX_ITER}.get(result.status, Outcome.FAILED)
    except KeyboardInterrupt:
        outcome, best = Outcome.INTERRUPTED, search.accepted
    except StopIteration:  # SciPy before 1.11 lets it through
        outcome = Outcome.STOPPED
    if search.stopped:
        outcome, best = Outcome.STOPPED, search.accepted
    loss = search.reported_at(best)
    gradient = search.workspace.gradient.flat.astype(np.float64)
    # L-BFGS is made of inner products: where they overflow, it cannot take a step
    with np.errstate(over="ignore", invalid="ignore"):
        if not (math.isfinite(loss) and math.isfinite(np.dot(gradient, gradient))):
            outcome = Outcome.DIVERGED
        parameters.flat[...] = best
    return outcome, message, loss


class _LbfgsSearch:
    """The objective as SciPy wants it: a function of one float64 vector, and a callback per iteration."""

    def __init__(
        self,
        network: Network,
        parameters: Parameters,
        data: Batch,
        history: History,
        observer: Observer,
    ) -> None:
        self.network, self.data, self.history, self.observer = network, data, history, observer
        self.workspace = Workspace(network, parameters, data.X.shape[0])
        self.accepted = self._evaluated = parameters.flat.astype(np.float64)
        self._objective: Objective | None = None
        self._inside_iteration = self.stopped = False

    def value_and_gradient(self, theta: _Vector) -> tuple[float, _Vector]:
        if not self._inside_iteration:
            self.observer.epoch_begins()
            self._inside_iteration = True
        self._objective = self._evaluate(theta)
        # a copy: SciPy keeps the gradient, and the next evaluation overwrites this one
        return self._objective.total, self.workspace.gradient.flat.astype(np.float64)

    def iteration_ends(self, theta: _Vector) -> None:
        self.accepted = theta.copy()
        loss = self.reported_at(theta)
        self.history.losses.append(loss)
        self._inside_iteration = False
        if self.observer.epoch_ends(Epoch(loss)):
            self.stopped = True
            raise StopIteration

    def reported_at(self, theta: _Vector) -> float:
        """The loss as recorded; what was accepted is nearly always what was evaluated last."""
        if self._objective is None or not np.array_equal(theta, self._evaluated):
            self._objective = self._evaluate(theta)
        return self.history.loss_scale * self._objective.loss + self._objective.penalty

    def _evaluate(self, theta: _Vector) -> Objective:
        self._evaluated = theta.copy()
        with np.errstate(over="ignore", invalid="ignore"):  # a trial step may go too far
            self.workspace.parameters.flat[...] = theta
            return self.network.loss_and_gradient(*self.data, self.workspace)
