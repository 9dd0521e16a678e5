"""The bridge from the training loops to ``verbose`` and to scikit-learn's callbacks."""

from typing import Any

from sknn_scratch.callbacks._checkpoint import Checkpoint
from sknn_scratch.callbacks._logger import epoch_line
from sknn_scratch.core import Observer
from sknn_scratch.core.interruption import interruptible


class FitObserver(Observer):
    """Prints a line per epoch if asked to, and runs one callback subtask per epoch.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    context : sklearn.callback.CallbackContext or None
        The task of the whole fit; None in partial_fit, which has no callbacks.
    user_data : dict
        X, y and metadata as the user gave them, for the callbacks.

    Attributes
    ----------
    snapshot : callable
        Returns the fitted attributes as if fit had ended now; set before training begins. It is called only
        if a callback wants a fitted estimator.
    history_rows : callable
        Returns the epochs of this fit as rows of `history_`; set before training begins.
    """

    def __init__(self, estimator, context, user_data):
        self.estimator = estimator
        self.hook_arguments = {"estimator": estimator, **user_data}
        self.context = context
        self.epoch_context = None
        self.snapshot = None
        self.history_rows: Any = None  # a callable by the time it is called
        if context is not None:
            context.call_on_fit_task_begin(**self.hook_arguments)

    def training_begins(self, run):
        """Show the run to those who save its state, and may set it to one they saved."""
        for checkpoint in self._checkpoints():
            checkpoint.attach(run)

    def training_ends(self, run):
        """From now on there is nothing to save."""
        for checkpoint in self._checkpoints():
            checkpoint.detach(run)

    def _checkpoints(self):
        callbacks = [] if self.context is None else getattr(self.estimator, "_skl_callbacks", [])
        return [callback for callback in callbacks if isinstance(callback, Checkpoint)]

    @interruptible
    def epoch_begins(self):
        if hasattr(self.estimator, "_skl_callbacks") and self.context is not None:
            self.epoch_context = self.context.subcontext(task_name="epoch")
            self.epoch_context.call_on_fit_task_begin(**self.hook_arguments)

    @interruptible
    def epoch_ends(self, epoch):
        if self.estimator.verbose:
            self._print(epoch)
        return self._end_epoch(reconstruction_attributes=self.snapshot)

    def fit_ends(self):
        """End the tasks; the estimator is fitted now."""
        if self.context is not None:
            self._end_epoch()  # one that was broken off
            self.context.call_on_fit_task_end(**self.hook_arguments, reconstruction_attributes={})

    def _end_epoch(self, **kwargs):
        if self.epoch_context is None:
            return False
        context, self.epoch_context = self.epoch_context, None
        return context.call_on_fit_task_end(**self.hook_arguments, **kwargs)

    def _print(self, epoch):
        print(epoch_line(self.history_rows()[-1]))
        if epoch.on_plateau:
            watched = "Validation score" if self.estimator.early_stopping else "Training loss"
            print(
                f"{watched} did not improve more than tol={self.estimator.tol:f} for "
                f"{self.estimator.n_iter_no_change} consecutive epochs. "
                + ("Stopping." if epoch.is_last else "Reducing the learning rate.")
            )
