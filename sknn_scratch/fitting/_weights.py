"""Weights of samples, in the precision of training."""

import numpy as np
from sklearn.utils.validation import _check_sample_weight


def checked_weights(sample_weight, n_samples, dtype):
    """Weights of samples.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
        Weights as the user gave them.
    n_samples : int
        How many there must be.
    dtype : dtype
        The precision of training.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        The weights; None stays None.

    Raises
    ------
    ValueError
        If they are negative, all zero, not finite, or too large or small for the precision.
    """
    if sample_weight is None:
        return None
    rows = np.empty((n_samples, 1))
    weights = _check_sample_weight(sample_weight, rows, ensure_non_negative=True)
    with np.errstate(over="ignore"):
        weights = weights.astype(dtype, copy=False)
        total = weights.sum()
    if not np.finfo(dtype).tiny < total < np.inf:
        raise ValueError(
            f"sample_weight is too small or large for {np.dtype(dtype)}: the sum is {total}. "
            "Multiply all weights by one factor, such as 1 / sample_weight.mean()."
        )
    return weights
