"""The bridge from the training loops to ``verbose`` and to scikit-learn's callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from sknn_scratch._sklearn import callbacks_of
from sknn_scratch.callbacks._checkpoint import Checkpoint
from sknn_scratch.callbacks._logger import epoch_line
from sknn_scratch.core import Epoch, Observer, Outcome
from sknn_scratch.core.interruption import POSTPONEMENT, interruptible, interruptibly, uninterrupted

if TYPE_CHECKING:
    from sknn_scratch._typing import HistoryRow


class ObservedRun(Protocol):
    """What a run must have to be observed. It does not know its observer.

    Attributes
    ----------
    epochs : list of Epoch
        What is recorded so far.
    train : callable
        Trains under an observer.
    snapshot : callable
        Returns the fitted attributes as if fit had ended now, for a model that may continue separately.
    history_rows : callable
        Returns the epochs of this fit as rows of `history_`.
    """

    @property
    def epochs(self) -> list[Epoch]: ...

    def train(self, observer: Observer) -> Outcome: ...

    def snapshot(self) -> dict[str, Any]: ...

    def history_rows(self) -> list[HistoryRow]: ...


class FitObserver(Observer):
    """Prints a line per epoch if asked to, and runs one callback subtask per epoch.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    context : sklearn.callback.CallbackContext or None
        The task of the whole fit; None in partial_fit, which has no callbacks.
    X, y, sample_weight : object
        The data as the user gave them, for the callbacks.
    """

    _run: ObservedRun

    def __init__(self, estimator: Any, context: Any, X: Any, y: Any, sample_weight: Any) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._estimator = estimator
        self._hook_arguments = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._context = context
        self._epoch_context: Any = None
        if context is not None:
            context.call_on_fit_task_begin(**self._hook_arguments)

    def watch(self, run: ObservedRun) -> Outcome:
        """Train, and say why it ended.

        Parameters
        ----------
        run : ObservedRun
            What is trained. A checkpoint may set it to a state that it saved.

        Returns
        -------
        Outcome
            Why training ended.

        Raises
        ------
        KeyboardInterrupt
            If it comes before an epoch or an iteration of L-BFGS has ended.
        """
        self._run = run
        checkpoints = [] if self._context is None else callbacks_of(self._estimator)
        checkpoints = [callback for callback in checkpoints if isinstance(callback, Checkpoint)]
        try:
            for checkpoint in checkpoints:
                checkpoint.attach(run)
            return _outcome_of(run, self)
        finally:  # from now on there is nothing to save
            for checkpoint in checkpoints:
                checkpoint.detach(run)

    @interruptible
    def epoch_begins(self) -> None:
        if self._context is not None and callbacks_of(self._estimator):
            self._epoch_context = self._context.subcontext(task_name="epoch")
            self._epoch_context.call_on_fit_task_begin(**self._hook_arguments)

    @interruptible
    def epoch_ends(self, epoch: Epoch) -> bool:
        if self._estimator.verbose:
            self._print(epoch)
        # the fitted attributes are made only if a callback wants a fitted estimator
        return self._end_epoch(reconstruction_attributes=self._run.snapshot)

    def fit_ends(self) -> None:
        """End the tasks; the estimator is fitted now."""
        if self._context is not None:
            self._end_epoch()  # one that was broken off
            self._context.call_on_fit_task_end(**self._hook_arguments, reconstruction_attributes={})

    def _end_epoch(self, **kwargs: Callable[[], dict[str, Any]]) -> bool:
        if self._epoch_context is None:
            return False
        context, self._epoch_context = self._epoch_context, None
        return bool(context.call_on_fit_task_end(**self._hook_arguments, **kwargs))

    def _print(self, epoch: Epoch) -> None:
        print(epoch_line(self._run.history_rows()[-1]))
        if epoch.on_plateau:
            estimator = self._estimator
            watched = "Validation score" if estimator.early_stopping else "Training loss"
            print(
                f"{watched} did not improve more than tol={estimator.tol:f} for "
                f"{estimator.n_iter_no_change} consecutive epochs. "
                + ("Stopping." if epoch.is_last else "Reducing the learning rate.")
            )


@uninterrupted
def _outcome_of(run: ObservedRun, observer: Observer) -> Outcome:
    """Train, and say why it ended: Ctrl-C makes a usable model of a fit that has trained already.

    A training loop notices Ctrl-C itself. In `train` it may also come before or after the loop. After `train`
    it waits until the model is stored and fit has ended.
    """
    try:
        outcome = interruptibly(run.train, observer)
    except KeyboardInterrupt:
        if not run.epochs:
            raise
        outcome = Outcome.INTERRUPTED
    POSTPONEMENT.close()
    return outcome
