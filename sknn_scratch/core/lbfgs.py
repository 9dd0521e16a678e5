"""L-BFGS, the other way to train: the loss on all data, minimised by SciPy's search."""

from __future__ import annotations

import math
import time
import weakref
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from sknn_scratch.core.batches import Batch, Batches
from sknn_scratch.core.epochs import NUMPY, Engine
from sknn_scratch.core.history import Epoch, History, Observer, Outcome
from sknn_scratch.core.interruption import interruptibly, uninterrupted
from sknn_scratch.core.machine.threads import BLAS_LIMIT, threads_pay
from sknn_scratch.core.network import Network, Objective
from sknn_scratch.core.parameters import Parameters, largest_weights
from sknn_scratch.core.stopping import Patience
from sknn_scratch.core.training import Validate, measure
from sknn_scratch.core.workspace import Workspace

BLOCK = 2**18
"""Numbers in the widest layer for the rows worked on at a time: memory does not grow with the data."""

_Vector = npt.NDArray[np.float64]


@uninterrupted
def train_lbfgs(
    network: Network,
    parameters: Parameters,
    data: Batch,
    history: History,
    max_iterations: int,
    max_evaluations: int,
    tol: float,
    patience: Patience | None = None,
    validate: Validate | None = None,
    observer: Observer | None = None,
    rows: npt.ArrayLike | None = None,
    engine: Engine = NUMPY,
) -> tuple[Outcome, str, float]:
    """Limited-memory BFGS on all data at once, SciPy's implementation (Byrd, Lu, Nocedal & Zhu, 1995).

    Parameters
    ----------
    network : Network
        The network to train.
    parameters : Parameters
        The starting point; changed in place.
    data : Batch
        All data.
    history : History
        Where losses are recorded.
    max_iterations, max_evaluations : int
        Limits.
    tol : float
        Training ends when no entry of the gradient is larger.
    patience : Patience or None, default=None
        If given, it can end training too.
    validate : callable or None, default=None
        Returns loss and score of the parameters on held-out data; a greater score is better.
    observer : Observer or None, default=None
        Called at every iteration.
    rows : array-like of int or bool, or None, default=None
        The rows to train on; None means all. They are never all copied at once.
    engine : Engine, default=NUMPY
        Evaluates the loss and its gradient.

    Returns
    -------
    outcome : Outcome
        Why training ended.
    message : str
        The same in SciPy's words.
    loss : float
        The final loss.

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
    size = max(1, BLOCK // max(layer.n_outputs for layer in network.layers))
    batches = Batches(*data, size, rows)
    search = _LbfgsSearch(
        network, parameters, batches, history, patience, validate, observer or Observer(), engine
    )
    # SciPy 1.10 keeps the functions in a cycle: they must not keep the data
    seen_by_scipy = weakref.proxy(search)
    start = parameters.flat.astype(np.float64)
    best, message = start, ""
    options = {
        "maxiter": max_iterations,
        "maxfun": max_evaluations,
        "gtol": tol,
        # SciPy's default, unless losses are computed in float32, which cannot show so small a change
        "ftol": max(2.220446049250313e-09, float(np.finfo(parameters.flat.dtype).eps)),
    }
    try:
        # SciPy brings a BLAS of its own, whose threads go on spinning for a while when they have nothing to
        # do: NumPy's would wait for the cores, five times as long as a product takes
        with BLAS_LIMIT:
            result = interruptibly(
                minimize,
                lambda theta: seen_by_scipy.value_and_gradient(theta),
                start,
                method="L-BFGS-B",
                jac=True,
                callback=lambda theta: seen_by_scipy.iteration_ends(theta),
                options=options,
            )
        best, message = result.x, str(result.message)
        outcome = {0: Outcome.CONVERGED, 1: Outcome.MAX_ITER}.get(result.status, Outcome.FAILED)
    except KeyboardInterrupt:
        outcome, best = Outcome.INTERRUPTED, search.accepted
    except StopIteration:  # SciPy before 1.11 lets it through
        outcome = Outcome.STOPPED  # or what the search says
    if search.ended_by is not None:
        outcome, best = search.ended_by, search.accepted
    loss, gradient = search.reported_at(best), search.gradient
    # L-BFGS is made of inner products: where they overflow, it cannot take a step
    with np.errstate(over="ignore", invalid="ignore"):
        if not (math.isfinite(loss) and math.isfinite(np.dot(gradient, gradient))):
            outcome = Outcome.DIVERGED
            if search.ended_by is not Outcome.DIVERGED:  # within an iteration, which has no record yet
                history.epochs.append(Epoch())
                measure(history.epochs[-1], parameters, validate)
        parameters.flat[...] = best
    return outcome, message, loss


class _LbfgsSearch:
    """The objective as SciPy wants it: a function of one float64 vector, and a callback per iteration."""

    def __init__(
        self,
        network: Network,
        parameters: Parameters,
        batches: Batches,
        history: History,
        patience: Patience | None,
        validate: Validate | None,
        observer: Observer,
        engine: Engine = NUMPY,
    ) -> None:
        self.parameters, self.batches, self.history, self.observer = parameters, batches, history, observer
        self.patience, self.validate = patience, validate
        weights = [len(y) if weight is None else float(weight.sum()) for _, y, weight in batches]
        self._shares = [weight / sum(weights) for weight in weights]
        network, evaluated = engine.evaluated(network, parameters)
        # the penalty of n rows is that of their batches' means if each has its part of alpha
        self.network = replace(network, l2=float(network.l2) / sum(weight > 0 for weight in weights))
        self.workspace = Workspace(network, evaluated, batches.batch_size)
        self._threads_pay = threads_pay(batches.batch_size * largest_weights(evaluated.layers))
        self.gradient = np.empty(parameters.flat.size)
        self.accepted = self._evaluated = parameters.flat.astype(np.float64)
        self._objective: Objective | None = None
        self._inside_iteration = False
        self._start = 0.0
        self.ended_by: Outcome | None = None

    def value_and_gradient(self, theta: _Vector) -> tuple[float, _Vector]:
        if not self._inside_iteration:
            self.observer.epoch_begins()
            self._inside_iteration, self._start = True, time.perf_counter()
        with BLAS_LIMIT.lifted() if self._threads_pay else nullcontext():
            self._objective = self._evaluate(theta)
        # a copy: SciPy keeps the gradient, and the next evaluation overwrites this one
        return self._objective.total, self.gradient.copy()

    @uninterrupted
    def iteration_ends(self, theta: _Vector) -> None:
        epoch = Epoch(interruptibly(self.reported_at, theta))
        with np.errstate(over="ignore"):
            epoch.gradient_norm = math.sqrt(self.gradient.dot(self.gradient))
        measure(epoch, self.parameters, self.validate)
        epoch.seconds = time.perf_counter() - self._start
        self.accepted = theta.copy()
        self._inside_iteration = False
        self.history.epochs.append(epoch)
        if not epoch.is_finite(self.patience is not None and self.patience.keeps_best_weights):
            epoch.loss = math.nan
            self.ended_by = Outcome.DIVERGED
            raise StopIteration
        if self.patience is not None:
            self.patience.update(epoch.watched(self.patience.keeps_best_weights), self.parameters.flat)
            epoch.on_plateau = epoch.is_last = self.patience.has_run_out
        if self.observer.epoch_ends(epoch):
            self.ended_by = Outcome.STOPPED
        elif epoch.is_last:
            self.ended_by = Outcome.CONVERGED
        if self.ended_by is not None:
            raise StopIteration

    def reported_at(self, theta: _Vector) -> float:
        """The loss as recorded; what was accepted is nearly always what was evaluated last."""
        if self._objective is None or not np.array_equal(theta, self._evaluated):
            self._objective = self._evaluate(theta)
        return self.history.reported(self._objective.loss) + self._objective.penalty

    # the mean over all rows is that of the batches' means, by weight
    def _evaluate(self, theta: _Vector) -> Objective:
        self._objective, self._evaluated = None, theta.copy()  # no objective, if this is broken off
        loss = penalty = 0.0
        self.gradient.fill(0.0)
        with np.errstate(over="ignore", invalid="ignore"):  # a trial step may go too far
            self.workspace.parameters.flat[...] = theta
            for batch, share in zip(self.batches, self._shares, strict=True):
                if share > 0:
                    of_batch = self.network.loss_and_gradient(*batch, self.workspace)
                    loss += share * of_batch.loss
                    penalty += share * of_batch.penalty
                    self.gradient += np.multiply(self.workspace.gradient.flat, share, dtype=np.float64)
        return Objective(loss, penalty)
