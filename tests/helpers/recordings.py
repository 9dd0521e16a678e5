"""Recordings of trainings, and what is on their pictures."""

from unittest import mock

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_moons

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.plotting import TrainingAnimation

colors = pytest.importorskip("matplotlib.colors")
Figure = pytest.importorskip("matplotlib.figure").Figure
MAX_ITER = 6
X, y = make_moons(60, noise=0.2, random_state=0)
THREE = np.array(["cat", "dog", "emu"])[y + (X[:, 0] > 1)]
x = np.random.RandomState(0).uniform(-1, 1, (40, 1))  # in no order
TARGET = np.sin(3 * x.ravel())


def classifier(solver="adam", **params):
    params = {"hidden_layer_sizes": (5,), "max_iter": MAX_ITER, "learning_rate_init": 0.05, **params}
    return ScratchMLPClassifier(solver=solver, batch_size=20, random_state=0, **params)


def regressor(**params):
    params = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0, **params}
    return ScratchMLPRegressor(**params)


def recorded(every=1, model=None, X=X, y=y, **params):
    """A recording, and the model it was made of."""
    recording = TrainingAnimation(every)
    model = (model or classifier(**params)).set_callbacks(recording).fit(X, y)
    return recording, model


def assert_same_weights(model, expected):
    for name in ("coefs_", "intercepts_"):
        for array, other in zip(getattr(model, name), getattr(expected, name), strict=True):
            np.testing.assert_array_equal(array, other)


def assert_is_a_recording_of(recording, model, X=X, y=y):
    """Whether each model predicts as a fit that is stopped at that epoch."""
    assert len(recording.epochs_) == len(recording.models_) > 0
    assert recording.epochs_ == sorted(set(recording.epochs_))
    assert recording.epochs_[-1] == model.n_iter_
    for epoch, snapshot in zip(recording.epochs_, recording.models_, strict=True):
        stopped = clone(model).set_params(max_iter=epoch).set_callbacks().fit(X, y)
        assert_same_weights(snapshot, stopped)
        predict = "predict_proba" if hasattr(model, "classes_") else "predict"
        np.testing.assert_array_equal(getattr(snapshot, predict)(X), getattr(stopped, predict)(X))


def assert_can_be_shown(recording, folder):
    recording.to_png(folder, dpi=20)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"epoch_{epoch:05d}.png" for epoch in recording.epochs_]


def points_of(recording):
    """The points of the data in a plane: what was drawn last."""
    return recording.ax_.collections[-1]


def frames_of(recording, folder):
    """What is on the frames that are written."""
    frames = []

    def look(figure, *args, **kwargs):
        data, losses, network = figure.axes
        everything, so_far, here = losses.lines
        frames.append(
            {
                "title": data.get_title(),
                "losses": everything.get_ydata(),
                "so far": so_far.get_ydata(),
                "here": here.get_xydata().tolist(),
                "edges": [edges.get_edgecolor() for edges in network.collections[:2]],
            }
        )

    with mock.patch.object(Figure, "savefig", look):
        recording.to_png(folder)
    return frames
