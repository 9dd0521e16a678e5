"""The training as a picture, and as a recording."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sknn_scratch.playground.features import feature_matrix
from sknn_scratch.playground.session import Session
from sknn_scratch.plotting import TrainingAnimation

_MATPLOTLIB = threading.Lock()
"""Tabs draw one after the other: matplotlib's caches are shared by all threads."""


def recorded(session: Session) -> TrainingAnimation:
    """What has been recorded so far; training may go on while it is drawn.

    Parameters
    ----------
    session : Session
        The network in training.

    Returns
    -------
    TrainingAnimation
        The models at the end of some epochs.

    Raises
    ------
    ValueError
        If no epoch has ended.
    """
    if not session.snapshots:
        raise ValueError("Nothing is recorded yet: train for an epoch first.")
    features = FunctionTransformer(feature_matrix, kw_args={"names": session.settings.features})
    recording = TrainingAnimation()
    recording.X_, recording.y_ = session.train.points, session.train.y
    recording.epochs_ = list(session.snapshots)
    recording.models_ = [make_pipeline(features.fit(recording.X_), m) for m in session.snapshots.values()]
    return recording


def picture(recording: TrainingAnimation) -> bytes:
    """The data, the loss and the network as they were at the end of the last epoch recorded, a PNG."""
    recording.epochs_, recording.models_ = recording.epochs_[-1:], recording.models_[-1:]
    with _MATPLOTLIB, tempfile.TemporaryDirectory() as folder:
        recording.to_png(folder)
        return next(Path(folder).iterdir()).read_bytes()


def gif(recording: TrainingAnimation) -> bytes:
    """The course of training as an animated GIF."""
    with _MATPLOTLIB, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.gif"
        recording.to_gif(path)
        return path.read_bytes()
