"""Training and validation parts."""

import numpy as np

from sknn_scratch.fitting._user_line import warn_user


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
            f"n_samples={n_samples} is too few for {how}: the training part and the validation part both "
            "need rows. Give more rows, or your own X_val and y_val."
        )
    return splits


def deal_by(splitter, X, y, groups):
    """Row numbers of the training and of the validation part of each split, as a splitter says.

    Parameters
    ----------
    splitter : splitter
        One of scikit-learn's, or an object with the same methods: the parameter `n_cv`.
    X, y, groups : object
        What it splits; groups may be None.

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Training and validation rows.

    Raises
    ------
    ValueError
        If the splitter raises one, or a part is empty.
    """
    splits = [(np.asarray(train), np.asarray(rows)) for train, rows in splitter.split(X, y, groups)]
    sizes = [len(train) for train, _ in splits]
    if not splits or not all(sizes) or not all(len(rows) for _, rows in splits):
        raise ValueError(
            f"n_cv={splitter} makes {len(splits)} splits of {len(y)} rows with a part that is empty: each "
            "needs training rows and validation rows."
        )
    if 2 * min(sizes) <= max(sizes):
        warn_user(
            f"n_cv={splitter} trains on {min(sizes)} rows in one split and on {max(sizes)} in another, and "
            "both have equal weight in predictions. Use splits of about the same size. For rows in order of "
            "time, give the last ones as X_val and y_val instead."
        )
    return splits
