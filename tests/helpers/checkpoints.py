"""Fits that are broken off, their files, and all that a fitted estimator holds."""

import dataclasses
import json

import numpy as np
from sklearn.datasets import make_classification

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.callbacks import Checkpoint

MAX_ITER, BROKEN_OFF = 12, 5
X, y = make_classification(90, 6, n_informative=4, flip_y=0.1, random_state=0)
WEIGHT = np.linspace(0.5, 2, len(y))
TARGETS = np.column_stack([X[:, 0] - X[:, 1], X[:, 2] ** 2])


def classifier(**params):
    params = {"hidden_layer_sizes": (5,), "max_iter": MAX_ITER, "batch_size": 20, "random_state": 0, **params}
    return ScratchMLPClassifier(**params)


def regressor(**params):
    return ScratchMLPRegressor(hidden_layer_sizes=(5,), max_iter=MAX_ITER, random_state=0, **params)


class Callback:
    """Does something at the end of an epoch; what it returns is the answer of the hook."""

    def __init__(self, epoch, action):
        self.epoch, self.action = epoch, action

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch" and context.task_id == self.epoch - 1:
            return self.action()
        return None


def contents(value):
    """All that a value is made of, to the bit; but for the clock's part."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tolist() if value.dtype.hasobject else value.tobytes()
    if isinstance(value, np.random.RandomState):
        return contents(value.get_state())
    if isinstance(value, list | tuple):
        return [contents(part) for part in value]
    if isinstance(value, dict):
        return {name: contents(part) for name, part in value.items() if name != "seconds"}
    if dataclasses.is_dataclass(value):
        return type(value), contents(vars(value))
    return repr(value)


def all_of(estimator):
    state = {name: value for name, value in vars(estimator).items() if "callback" not in name}
    return contents(state)


def stop():
    return True


def fit_broken_off(model, path, data, at=BROKEN_OFF, **fit_params):
    model.set_callbacks(Callback(at, stop), Checkpoint(path)).fit(*data, **fit_params)
    assert model.n_iter_ == at


def resume(model, path, data=(X, y), **fit_params):
    return model.set_callbacks(Checkpoint(path, resume=True)).fit(*data, **fit_params)


def gaussians(fan_in, fan_out, rng):
    return rng.normal(scale=0.3, size=(fan_in, fan_out))


def saved(path):
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return arrays, json.loads(arrays.pop("metadata").tobytes())


def save(path, arrays, metadata):
    with open(path, "wb") as file:
        np.savez(file, metadata=np.frombuffer(json.dumps(metadata).encode(), np.uint8), **arrays)


def epochs_printed(capsys):
    lines = capsys.readouterr().out.splitlines()
    return [int(line.split()[1].rstrip(",")) for line in lines if line.startswith("Iteration")]
