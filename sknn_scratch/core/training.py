"""Mini-batch gradient descent: the training loop.

It changes the parameters in place, records each epoch, and says in an :class:`Outcome` why it ended. It never
raises for what happens in training: the caller decides what to do about an outcome.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from sknn_scratch.core.batches import Batches
from sknn_scratch.core.epochs import NUMPY, Engine, Training
from sknn_scratch.core.history import Epoch, History, Observer, Outcome
from sknn_scratch.core.interruption import POSTPONEMENT, interruptibly, uninterrupted
from sknn_scratch.core.machine.threads import blas_for, team_for
from sknn_scratch.core.network import Network
from sknn_scratch.core.parameters import Parameters, largest_weights

WORK_OF_A_PART = 2**30
"""Multiplications of a training step from which a thread for them is faster than BLAS's own."""

Validate = Callable[[Parameters], tuple[float | None, float | None]]


@uninterrupted
def train_minibatch(
    network: Network,
    parameters: Parameters,
    batches: Batches,
    training: Training,
    history: History,
    max_epochs: int,
    validate: Validate | None = None,
    observer: Observer | None = None,
    rng: np.random.RandomState | None = None,
    engine: Engine = NUMPY,
) -> Outcome:
    """Mini-batch gradient descent.

    Parameters
    ----------
    network : Network
        The network to train.
    parameters : Parameters
        The starting point; changed in place.
    batches : Batches
        The data.
    training : Training
        The rules and their state.
    history : History
        Where losses and scores are recorded.
    max_epochs : int
        Maximum number of passes over the data.
    validate : callable or None, default=None
        Returns loss and score of the parameters on held-out data; a greater score is better. None if nothing
        is held out.
    observer : Observer or None, default=None
        Called at every epoch.
    rng : numpy.random.RandomState or None, default=None
        Source of randomness in a step; without it, there is no dropout.
    engine : Engine, default=NUMPY
        Runs the epochs.

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
    try:
        # three products for each weight and row: one forward, two backward
        with POSTPONEMENT, team_for(3 * parameters.n_weights * batches.batch_size // WORK_OF_A_PART) as team:
            run_epoch = engine.run_epoch(network, parameters, batches, training, rng, team)
            blas = blas_for(batches.batch_size * largest_weights(parameters.layers))
            for _ in range(max_epochs):
                observer.epoch_begins()
                start = time.perf_counter()
                with blas:  # not while others are waited for, validate or are called back
                    epoch = run_epoch(history)
                if epoch is None:
                    return Outcome.PAUSED
                measure(epoch, parameters, validate)
                epoch.seconds = time.perf_counter() - start
                history.epochs.append(epoch)
                if not epoch.is_finite(patience.keeps_best_weights):
                    epoch.loss = math.nan  # whichever of its values it was
                    return Outcome.DIVERGED

                training.samples_seen += batches.n_rows
                progress.samples_seen = training.samples_seen
                progress.epoch += 1
                patience.update(epoch.watched(patience.keeps_best_weights), parameters.flat)
                epoch.on_plateau = patience.has_run_out
                epoch.is_last = epoch.on_plateau and not schedule.goes_on_after_plateau(progress)
                if epoch.on_plateau and not epoch.is_last:
                    progress.plateaus += 1
                    patience.n_stagnant = 0
                if observer.epoch_ends(epoch):
                    return Outcome.STOPPED
                if epoch.is_last:
                    return Outcome.CONVERGED
    except KeyboardInterrupt:
        return Outcome.INTERRUPTED
    return Outcome.MAX_ITER


def measure(epoch: Epoch, parameters: Parameters, validate: Validate | None) -> None:
    """Record loss and score on held-out data; both are nan if training has diverged."""
    if validate is not None:
        has_diverged = not math.isfinite(epoch.loss)
        epoch.validation_loss, epoch.validation_score = (
            (math.nan, math.nan) if has_diverged else interruptibly(validate, parameters)
        )
