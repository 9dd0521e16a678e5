"""EpochLogger: a line per epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator
    from sklearn.callback import CallbackContext

    from sknn_scratch._typing import HistoryRow

COLUMNS = 80
"""Of a terminal: longer lines would wrap."""


class EpochLogger:
    """Print a line per epoch, as ``verbose=True`` does.

    The line begins like scikit-learn's. Then come the validation loss and score (``val``), the learning rate
    (``lr``), the norm of the gradient (``|g|``) and the seconds, as far as they were measured and fit in 80
    columns. `history_` has all digits.

    Parameters
    ----------
    every : int, default=1
        Number of epochs between lines. The last epoch is always printed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn_scratch import ScratchMLPClassifier
    >>> from sknn_scratch.callbacks import EpochLogger
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ScratchMLPClassifier(early_stopping=True, random_state=0).set_callbacks(EpochLogger(5))
    >>> model.fit(X, y).n_iter_  # doctest: +ELLIPSIS
    Iteration 5, loss = ..., val .../..., lr 0.001, |g| ..., ... s
    ...
    """

    def __init__(self, every: int = 1) -> None:
        self.every = every

    def setup(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Check the parameter. This and the next three are the hooks of scikit-learn's protocol."""
        if not getattr(estimator, "trains_by_epochs", False):
            raise TypeError(
                f"EpochLogger prints the epochs of a network, not of {type(estimator).__name__}: call "
                "set_callbacks on the network inside it, such as a ScratchMLPClassifier."
            )
        if not (isinstance(self.every, int) and self.every > 0):
            raise ValueError(f"every={self.every!r} must be a number of epochs >= 1.")

    def teardown(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Do nothing."""

    def on_fit_task_begin(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Do nothing: nothing is measured yet."""

    def on_fit_task_end(
        self, estimator: BaseEstimator, context: CallbackContext, *, fitted_estimator: Any = None
    ) -> None:
        """Print the line."""
        if fitted_estimator is None:  # an epoch that was broken off
            return
        n_epochs, is_epoch = fitted_estimator.n_iter_, context.task_name == "epoch"
        if n_epochs and (n_epochs % self.every == 0) is is_epoch:
            print(epoch_line(fitted_estimator.history_[-1]))


def epoch_line(row: HistoryRow) -> str:
    """A row of `history_` as a line of text."""
    digits = ".8f" if abs(row["loss"]) < 1e9 else ".8g"
    line = f"Iteration {row['epoch']}, loss = {row['loss']:{digits}}"
    parts = []
    if row["validation_loss"] is not None:
        parts.append(f", val {row['validation_loss']:.4g}/{row['validation_score']:.4g}")
    if row["learning_rate"] is not None:
        parts.append(f", lr {row['learning_rate']:.4g}")
    for part in [*parts, f", |g| {row['gradient_norm']:.3g}", f", {row['seconds']:.2f} s"]:
        if len(line + part) <= COLUMNS:
            line += part
    return line
