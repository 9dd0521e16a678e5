"""Labels as the user gave them: all of one kind, none missing, and not all different."""

from collections import Counter
from numbers import Number
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

from sknn_scratch._sklearn import is_pandas_na


def refuse_mixed_labels(y: Any, what: str = "y") -> None:
    """Raise if labels cannot be distinguished and sorted.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_columns)
        Labels as the user gave them; anything that is not labels is checked elsewhere.
    what : str, default="y"
        How the message calls them.

    Raises
    ------
    ValueError
        If some are missing, or they are of several kinds; the message counts them.
    """
    # in an array, the numbers of a list would become strings beside strings
    is_list = isinstance(y, list | tuple)
    labels = np.asarray(y, dtype=object) if is_list else np.asarray(None if issparse(y) else y)
    if labels.dtype != object or labels.ndim not in (1, 2):
        return
    for i, column in enumerate(labels.reshape(len(labels), -1).T):
        kinds = set(map(_kind_of_type, set(map(type, column))))
        if kinds == {"str"}:
            continue
        counts = Counter(map(_name_of_kind, column))
        missing = [name for name in counts if name in _MISSING]
        if not missing and len(kinds) == 1 and kinds <= _LEFT_TO_SCIKIT_LEARN:
            if kinds == {"number"} and not is_list and labels.ndim == 1 and y.dtype.kind == "O":
                raise ValueError(
                    f"Unknown label type: y holds {' and '.join(counts)} as objects. Convert them, for "
                    "example with y.astype(int)."
                )
            continue
        counted = ", ".join(f"{count} {name}" for name, count in counts.most_common())
        where = f"column {i} of {what}" if labels.ndim == 2 else what
        raise ValueError(
            f"Input {where} contains {' and '.join(missing or counts)}: of {len(column)} labels there are "
            f"{counted}. The labels in {what} must all be of one kind, strings or numbers, and none missing: "
            "leave out the rows without a label, and convert the other labels to strings."
        )


def refuse_singletons(labels: npt.NDArray[Any], classes: npt.NDArray[np.integer[Any]], advice: str) -> None:
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
        f"Each class of y has only one row: {shown} ({len(classes):,} in all). "
        f"So no row can be held out to choose an epoch by. Give classes of at least two rows, or {advice}; "
        "to predict numbers, use the regressor."
    )


def _kind_of_type(kind: type) -> str:
    """Labels of one kind can be put in order."""
    if issubclass(kind, Number | np.bool_):
        return "number"
    return "str" if issubclass(kind, str) else kind.__name__


def _name_of_kind(label: Any) -> str:
    if label is None or is_pandas_na(label):
        return "None" if label is None else "NA"
    return "NaN" if isinstance(label, Number) and label != label else type(label).__name__


_MISSING = ("None", "NaN", "NA", "NaTType")
_LEFT_TO_SCIKIT_LEARN = {"number", "bytes", "list", "tuple", "set", "ndarray"}
