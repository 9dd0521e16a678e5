"""Methods that an estimator has only at some settings, with an error that says at which."""

from sknn_scratch._sklearn import AvailableIfDescriptor


class _Available(AvailableIfDescriptor):
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
