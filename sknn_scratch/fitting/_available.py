"""Methods that an estimator has only at some settings, with an error that says at which."""

from sklearn.utils._available_if import _AvailableIfDescriptor


class _Available(_AvailableIfDescriptor):
    def _check(self, obj, owner):
        try:
            super()._check(obj, owner)
        except AttributeError as error:
            raise AttributeError(f"{error}. {error.__cause__}") from error.__cause__


def available_if(check):
    """scikit-learn's decorator of this name, but that its error shows the reason, which it puts behind.

    Parameters
    ----------
    check : callable
        Returns True, or raises an AttributeError that says what to do.

    Returns
    -------
    callable
        The decorator.
    """
    return lambda method: _Available(method, check, method.__name__)


def refuse_to_predict_quantiles(loss):
    """Raise the reason why there is no predict_quantiles.

    Parameters
    ----------
    loss : str or Loss
        What the network was fitted with, or will be.
    """
    raise AttributeError(
        f"predict_quantiles needs loss=Quantile([0.05, 0.5, 0.95]) or other levels, got loss={loss!r}: set "
        "it and fit again."
    )
