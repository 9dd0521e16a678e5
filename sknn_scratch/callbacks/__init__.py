"""Callbacks in scikit-learn's protocol: ``estimator.set_callbacks(EpochLogger())`` before ``fit``."""

from sknn_scratch.callbacks._checkpoint import Checkpoint
from sknn_scratch.callbacks._logger import EpochLogger

__all__ = ["Checkpoint", "EpochLogger"]
