"""The rows that early stopping holds out."""

import math

import numpy as np
from sklearn.model_selection import train_test_split

from sknn_scratch.fitting._labels import refuse_singletons
from sknn_scratch.fitting._user_line import warn_user


def split_rows(n_samples, fraction, classes, rng):
    """Split row numbers into a training and a validation part.

    Parameters
    ----------
    n_samples : int
        Number of rows.
    fraction : float
        Share of the validation part, the parameter `validation_fraction`.
    classes : tuple of (ndarray of shape (n_classes,), ndarray of shape (n_samples,)) or None
        The classes, and the number of each row's class, to stratify by; None for no stratification.
    rng : numpy.random.RandomState
        Source of the split.

    Returns
    -------
    train, validation : ndarray of int
        Row numbers.

    Raises
    ------
    ValueError
        If a part would be too small, or each class has one row.
    """
    rows, alone, stratify = np.arange(n_samples), np.empty(0, dtype=np.intp), None
    if classes is not None:
        labels, codes = classes
        refuse_singletons(labels, codes, "X_val and y_val, or set early_stopping=False")
        counts = np.bincount(codes, minlength=len(labels))
        if (counts == 1).any():
            warn_user(
                f"Classes {labels[counts == 1].tolist()} have one sample each, which stays in the "
                "training part: early stopping cannot evaluate these classes.",
                UserWarning,
            )
        rows, alone = np.flatnonzero(counts[codes] > 1), np.flatnonzero(counts[codes] == 1)
        stratify = codes[rows]
    n_validation = math.ceil(fraction * len(rows))
    if n_validation < 2 or n_validation == len(rows):
        raise ValueError(
            "The validation set is too small, or leaves nothing to train on: early_stopping=True with "
            f"validation_fraction={fraction} holds out {n_validation} of {n_samples} samples. "
            "Change 'validation_fraction', or the size of your dataset, or set early_stopping=False."
        )
    if stratify is not None and min(n_validation, len(rows) - n_validation) < len(np.unique(stratify)):
        warn_user(
            f"The split for early stopping is not stratified: with validation_fraction={fraction}, "
            f"{n_validation} of {len(rows)} samples are held out, and one part is smaller than the number "
            "of classes.",
            UserWarning,
        )
        stratify = None
    train, validation = train_test_split(rows, test_size=fraction, random_state=rng, stratify=stratify)
    return np.concatenate([train, alone]), validation
