"""Warnings that show the user's own line."""

import os
import sys
import warnings
from pathlib import Path

import joblib
import sklearn

import sknn_scratch

_LIBRARIES = tuple(
    f"{Path(str(library.__file__)).parent}{os.sep}" for library in (sknn_scratch, sklearn, joblib)
)


def warn(message, category=UserWarning):
    """Warn at the line outside of this library, scikit-learn and joblib that led here.

    Parameters
    ----------
    message : str
        What is wrong, and what to do.
    category : type, default=UserWarning
        The class of the warning.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
