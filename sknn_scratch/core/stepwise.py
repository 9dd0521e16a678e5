"""Training that can pause after any step, so that you can look at the network in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, NamedTuple

import numpy as np

from sknn_scratch.core.batches import Batches
from sknn_scratch.core.epochs import BatchByBatch, NumpyEngine, NumpyStep, RunEpoch, Training
from sknn_scratch.core.history import Epoch, History
from sknn_scratch.core.interruption import interruptible
from sknn_scratch.core.machine.threads import Team
from sknn_scratch.core.network import Network
from sknn_scratch.core.parameters import Parameters
from sknn_scratch.core.workspace import Workspace


class _PausedEpoch(NamedTuple):
    """An unfinished epoch: its runner, its record so far, and the remaining steps."""

    run: BatchByBatch
    record: Epoch
    steps: Iterator[None]


class Stepwise(NumpyEngine):
    """The core itself, step by step: after a pause, the next call of the loop continues with the next step.

    The model is that of :data:`~sknn_scratch.core.NUMPY`, bit by bit. Between two calls, everything about the
    network may change except the sizes of its layers. Each training needs its own `Stepwise`, and the same
    batches and rules in all calls.

    Parameters
    ----------
    pause : callable
        Called between steps of an epoch; True pauses.

    Attributes
    ----------
    is_within_epoch : bool
        Whether an epoch has begun and not ended.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import *
    >>> X = np.linspace(-1, 1, 60)[:, np.newaxis]
    >>> network = Network.mlp([1, 8, 1], Tanh(), SquaredError())
    >>> parameters = network.initialize(np.random.RandomState(0), X.dtype)
    >>> adam = Adam()
    >>> training = Training(adam, Constant(), adam.init(parameters.flat), Progress(0.01), Patience(0, 10))
    >>> loop = network, parameters, Batches(X, X**2, None, 20), training, History()
    >>> one_step = Stepwise(pause=lambda: True)
    >>> for _ in range(3):
    ...     outcome = train_minibatch(*loop, max_epochs=1, engine=one_step)
    ...     print(training.progress.step, outcome.name)
    1 PAUSED
    2 PAUSED
    3 MAX_ITER
    """

    name: ClassVar[str] = "stepwise"

    def __init__(self, pause: Callable[[], bool]) -> None:
        self.pause = pause
        self._paused: _PausedEpoch | None = None

    @property
    def is_within_epoch(self) -> bool:
        return self._paused is not None

    def run_epoch(
        self,
        network: Network,
        parameters: Parameters,
        batches: Batches,
        training: Training,
        rng: np.random.RandomState | None,
        team: Team,
    ) -> RunEpoch:
        """Step by step."""
        workspace = Workspace(network, parameters, batches.batch_size, rng, team)
        step = NumpyStep(network, training, workspace)
        run = self._paused.run if self._paused else BatchByBatch(batches, training, workspace, step)
        run.workspace, run.step = workspace, step

        @interruptible
        def run_epoch(history: History) -> Epoch | None:
            record = Epoch()
            # nothing is left of an epoch that an exception ends
            epoch = self._paused or _PausedEpoch(run, record, run.steps(record, history))
            self._paused = None
            with np.errstate(over="ignore", invalid="ignore"):  # divergence shows in the loss
                for _ in epoch.steps:
                    if self.pause():
                        self._paused = epoch
                        return None
            return epoch.record

        return run_epoch
