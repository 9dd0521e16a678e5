"""What a report of a problem should say."""

import sklearn

import sknn_scratch
from sknn_scratch.fitting._engine import engine, reason_for_numpy


def show_versions() -> None:
    """Print the version of this package, which engine computes and why, and scikit-learn's own report.

    Examples
    --------
    >>> import sknn_scratch
    >>> sknn_scratch.show_versions()  # doctest: +ELLIPSIS
    sknn_scratch: ...
    engine: ...
    """
    reason = reason_for_numpy()
    print(f"sknn_scratch: {sknn_scratch.__version__}")
    print(f"engine: {engine().name}{f', since {reason}' if reason else ''}")
    sklearn.show_versions()
