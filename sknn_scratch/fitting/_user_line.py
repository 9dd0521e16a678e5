"""Warnings at the user's line that caused them."""

from __future__ import annotations

import sys
import warnings

_INSIDE = {"sknn_scratch", "sklearn", "joblib"}


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line outside this library and scikit-learn.

    Parameters
    ----------
    message : str
        What to say.
    category : type of Warning, default=UserWarning
        Its class.
    """
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
