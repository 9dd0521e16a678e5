"""Which rows are trained on, and which are held out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from sknn_scratch.core import Batch
from sknn_scratch.core.parameters import FloatArray
from sknn_scratch.playground.data import DATASETS
from sknn_scratch.playground.points import Points
from sknn_scratch.playground.settings import OWN, Settings


class Part(NamedTuple):
    """Rows to train on, or rows held out: as points, and as the network sees them."""

    points: FloatArray
    y: npt.NDArray[Any]
    batch: Batch


def all_rows(settings: Settings, points: Points | None) -> tuple[FloatArray, npt.NDArray[Any], bool]:
    """All rows, and whether they have classes.

    Parameters
    ----------
    settings : Settings
        Which data.
    points : Points or None
        Points of the user's own.

    Returns
    -------
    X : ndarray of shape (n_rows, 1) or (n_rows, 2)
        Points.
    y : ndarray of shape (n_rows,)
        Targets.
    has_classes : bool
        Whether targets are classes.

    Raises
    ------
    ValueError
        If there are no points, or all have one target.
    """
    if settings.dataset == OWN:
        if points is None:
            raise ValueError("There are no points of your own yet: click some, or upload a CSV file.")
        X, y, has_classes = points.X, points.y, points.has_classes
    else:
        dataset = DATASETS[settings.dataset]
        X, y = dataset.make(**settings.dataset_arguments)
        has_classes = dataset.has_classes
    if len(np.unique(y)) < 2:
        raise ValueError("All points have one target: there is nothing to tell apart. Add points of another.")
    return X, y, has_classes


def holds_out(settings: Settings) -> bool:
    """Whether some rows are held out; of data that always have the same few rows, none are."""
    is_drawn = settings.dataset == OWN or bool(DATASETS[settings.dataset].arguments)
    return is_drawn and settings.test_size > 0


def split(settings: Settings, X: FloatArray, y: npt.NDArray[Any], has_classes: bool) -> list[Any]:
    """X and y to train on, and those held out, as ``[X_train, X_test, y_train, y_test]``.

    Parameters
    ----------
    settings : Settings
        The share held out, and the seed.
    X : ndarray of shape (n_rows, 1) or (n_rows, 2)
        Points.
    y : ndarray of shape (n_rows,)
        Targets.
    has_classes : bool
        Whether targets are classes, of which either part gets its share.

    Returns
    -------
    list of ndarray or None
        The parts; None where nothing is held out.

    Raises
    ------
    ValueError
        If there are too few rows.
    """
    if not holds_out(settings):
        return [X, None, y, None]
    options = {"stratify": y} if has_classes else {}
    try:
        parts = train_test_split(
            X, y, test_size=settings.test_size, random_state=settings.random_state, **options
        )
    except ValueError:
        raise ValueError(
            f"{len(y)} rows cannot be split with a share of {settings.test_size:g} held out: each class "
            "needs a row in either part. Take more rows, or hold out none."
        ) from None
    return list(parts)
