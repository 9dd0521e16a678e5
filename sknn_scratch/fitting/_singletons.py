"""Classes with one row each leave none to hold out."""

import numpy as np


def refuse_singletons(labels, classes, advice):
    """Raise if there are several classes, and each has one row.

    Parameters
    ----------
    labels : ndarray of shape (n_classes,)
        The classes.
    classes : ndarray of int of shape (n_samples,)
        Number of each row's class.
    advice : str
        What to do, as the end of the message.

    Raises
    ------
    ValueError
        If so; the message names the classes.
    """
    if len(classes) == 1 or np.bincount(classes).max() > 1:
        return
    shown = ", ".join(map(repr, labels[np.sort(classes)[:5]].tolist())) + (
        ", ..." if len(classes) > 5 else ""
    )
    raise ValueError(
        f"Each class of y has one row: {shown} ({len(classes):,} in all). "
        f"So none can be held out to judge epochs by. Give classes with two rows or more, or {advice}; to "
        "predict numbers, use the regressor."
    )
