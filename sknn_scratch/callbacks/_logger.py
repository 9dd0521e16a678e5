"""EpochLogger: a line per epoch."""


class EpochLogger:
    """Print a line per epoch, as ``verbose=True`` does.

    Parameters
    ----------
    every : int, default=1
        Epochs from one line to the next; the last one is always printed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn_scratch import ScratchMLPClassifier
    >>> from sknn_scratch.callbacks import EpochLogger
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ScratchMLPClassifier(early_stopping=True, random_state=0).set_callbacks(EpochLogger(5))
    >>> model.fit(X, y).n_iter_  # doctest: +ELLIPSIS
    epoch    5  loss ...  validation loss ...  validation score ...  learning rate 0.001 ...
    ...
    """

    def __init__(self, every=1):
        self.every = every

    def setup(self, estimator, context):
        """Check the parameter. This and the next three are the hooks of scikit-learn's protocol."""
        if not getattr(estimator, "trains_by_epochs", False):
            raise TypeError(
                f"EpochLogger prints the epochs of a network, not of {type(estimator).__name__}: call "
                "set_callbacks of the estimator of this package in it, such as ScratchMLPClassifier."
            )
        if not (isinstance(self.every, int) and self.every > 0):
            raise ValueError(f"every={self.every!r} must be a number of epochs >= 1.")

    def teardown(self, estimator, context):
        """Nothing is left to be done."""

    def on_fit_task_begin(self, estimator, context):
        """Nothing is known yet."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Print the line."""
        n_epochs, is_epoch = fitted_estimator.n_iter_, context.task_name == "epoch"
        if n_epochs and (n_epochs % self.every == 0) is is_epoch:
            print(epoch_line(fitted_estimator.history_[-1]))


def epoch_line(row):
    """A row of `history_` as a line of text."""
    names = {
        "loss": ("loss", "<11.6g"),
        "validation_loss": ("validation loss", "<11.6g"),
        "validation_score": ("validation score", "<10.4g"),
        "learning_rate": ("learning rate", "<9.4g"),
        "gradient_norm": ("gradient", "<8.3g"),
    }
    parts = [f"epoch {row['epoch']:4d}"]
    parts += [f"{label} {row[name]:{form}}" for name, (label, form) in names.items() if row[name] is not None]
    return "  ".join([*parts, f"{row['seconds']:.2f} s"])
