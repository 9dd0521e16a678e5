"""Training and validation parts."""

import numpy as np


def deal(n_samples, fraction, n_folds, classes, rng):
    """Row numbers of the training and of the validation part of each split.

    Rows are ordered by class and at random within a class, and then dealt out like cards: each part gets its
    share of every class up to one row. A class with one row stays in the training part.

    Parameters
    ----------
    n_samples : int
        Number of rows.
    fraction : float
        Share of the validation part, the parameter `validation_fraction`; not used for several folds.
    n_folds : int
        1 for one split, else as many, whose validation parts are disjoint.
    classes : ndarray of int of shape (n_samples,) or None
        Number of each row's class; None for numbers.
    rng : numpy.random.RandomState
        Source of the split.

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Training and validation rows.

    Raises
    ------
    ValueError
        If a part would be empty.
    """
    order = rng.permutation(n_samples)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
        order = order[np.bincount(classes)[classes[order]] > 1]
    if n_folds > 1:
        card = np.arange(len(order)) % n_folds
        held_out = [np.sort(order[card == fold]) for fold in range(n_folds)]
    else:  # row i is held out where the number of rows due, (i + start) * fraction, steps over a whole number
        due = np.floor((np.arange(len(order) + 1) + rng.uniform()) * fraction)
        held_out = [np.sort(order[np.diff(due) > 0])]
    everything = np.arange(n_samples)
    splits = [(np.setdiff1d(everything, rows, assume_unique=True), rows) for rows in held_out]
    if any(len(rows) == 0 or len(train) == 0 for train, rows in splits):
        how = f"n_cv={n_folds}" if n_folds > 1 else f"validation_fraction={fraction}"
        raise ValueError(
            f"n_samples={n_samples} is too few for {how}: each part, that to train on and that to choose the "
            "best epoch by, needs rows. Give more, or data of your own as X_val and y_val."
        )
    return splits
