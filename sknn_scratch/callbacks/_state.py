"""The state of a training between two epochs, as arrays and numbers, and back."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from sknn_scratch.core import Epoch

_LARGEST = {"pos": 624, "has_gauss": 1, "has_uint32": 1, "uinteger": 2**32 - 1}
"""What numbers in the state of a random generator may be at most."""

Arrays = dict[str, npt.NDArray[Any]]
Numbers = dict[str, Any]


class SavedRun(Protocol):
    """What a run needs so that its state can be saved and restored.

    Attributes
    ----------
    estimator : estimator
        Whose parameters count.
    data, validation_data : object
        The training data (X, y and weights), and the user's own validation data or None.
    members : list
        The networks in training, each with `parameters`, `training`, `batches` and `rng`.
    epochs : list of Epoch
        What is recorded so far.
    max_epochs : int
        Maximum number of epochs.
    is_complete : bool
        Whether training has run its course.
    held_out_rows : ndarray of int or None
        The held-out rows, unless they are drawn again from the seed.
    engine : str
        The name of the engine that trains.
    """

    estimator: BaseEstimator
    data: Any
    validation_data: Any
    members: list[Any]
    epochs: list[Epoch]
    max_epochs: int
    is_complete: bool
    held_out_rows: npt.NDArray[np.intp] | None
    engine: str

    def warn(self, message: str) -> None:
        """Warn at the user's line."""

    def prepare_members(self, n_members: int) -> None:
        """Make as many members as a saved state has, or raise."""

    def check_state(self) -> None:
        """Raise if what was restored does not hang together."""


def state_of(run: SavedRun) -> tuple[Arrays, Numbers]:
    """All that the rest of a fit from scratch depends on, apart from its parameters and data.

    Parameters
    ----------
    run : SavedRun
        The run.

    Returns
    -------
    arrays : dict of str -> ndarray
        Not copied.
    numbers : dict
        Everything that is not an array.
    """
    # a row of numbers each; what was not measured is NaN
    arrays = {"epochs": np.array([list(epoch.measured().values()) for epoch in run.epochs], dtype=float)}
    if run.held_out_rows is not None:
        arrays["held_out"] = run.held_out_rows
    numbers = []
    for i, member in enumerate(run.members):
        arrays |= {f"{name} of {i}": array for name, array in _arrays_of(member).items()}
        numbers.append(_numbers_of(member))
    has_converged = bool(run.epochs) and run.epochs[-1].is_last
    undefined = [
        [i, name]
        for i, epoch in enumerate(run.epochs)
        for name, value in epoch.measured().items()
        if value is not None and math.isnan(value)
    ]
    return arrays, {"has_converged": has_converged, "members": numbers, "undefined": undefined}


def _arrays_of(member: Any) -> Arrays:
    training = member.training
    arrays = {
        "parameters": member.parameters.flat,
        **{f"average {name}": average for name, average in training.optimizer_state.averages.items()},
    }
    if training.patience.keeps_best_weights:
        best = training.patience.best_weights
        arrays["best weights"] = member.parameters.flat if best is None else best
    if member.batches.order is not None:
        arrays["order"] = member.batches.order
    words = member.rng.get_state(legacy=False)["state"]
    return arrays | {f"random {name}": word for name, word in words.items() if isinstance(word, np.ndarray)}


def _numbers_of(member: Any) -> Numbers:
    training = member.training
    random = member.rng.get_state(legacy=False)
    words = random.pop("state")
    return {
        "n_steps": training.optimizer_state.n_steps,
        "plateaus": training.progress.plateaus,
        "best": float(training.patience.best),
        "best_epoch": training.patience.best_epoch,
        "n_epochs": training.patience.n_epochs,
        "n_stagnant": training.patience.n_stagnant,
        "random": random | {name: word for name, word in words.items() if not isinstance(word, np.ndarray)},
    }


def restore(run: SavedRun, arrays: Arrays, numbers: Numbers) -> None:
    """Resume from the state of a run that began like this one.

    Parameters
    ----------
    run : SavedRun
        The run.
    arrays, numbers : dict
        What :func:`state_of` returned, or anything that claims to be that.

    Raises
    ------
    Exception
        Of any kind, if they are not such a state. The random numbers are then unchanged, but the run is
        unusable.
    """
    table, members = arrays["epochs"], numbers["members"]
    run.prepare_members(len(members))
    expected = {**state_of(run)[0], "epochs": np.empty((len(table), len(Epoch().measured())))}
    if {name: (array.dtype, array.shape) for name, array in arrays.items()} != {
        name: (array.dtype, array.shape) for name, array in expected.items()
    }:
        raise ValueError("arrays that this fit does not have")
    if not 1 <= len(table) <= run.max_epochs:
        raise ValueError(f"{len(table)} epochs of {run.max_epochs}")

    names = Epoch().measured()
    for row in table.tolist():
        measured = dict(zip(names, row, strict=True))
        run.epochs.append(Epoch(**{name: value for name, value in measured.items() if not math.isnan(value)}))
    for i, name in numbers["undefined"]:
        if name not in names:
            raise ValueError(f"{name!r} is not a measurement")
        setattr(run.epochs[i], name, math.nan)
    run.epochs[-1].is_last = bool(numbers["has_converged"])
    held_out = arrays.get("held_out")
    if held_out is not None:
        run.held_out_rows = held_out
    for i, (member, of_member) in enumerate(zip(run.members, members, strict=True)):
        suffix = f" of {i}"
        own = {name.removesuffix(suffix): array for name, array in arrays.items() if name.endswith(suffix)}
        _restore_member(member, own, of_member, held_out, len(table))
    run.check_state()


def _restore_member(
    member: Any, arrays: Arrays, numbers: Numbers, held_out: npt.NDArray[Any] | None, n_all_epochs: int
) -> None:
    training, batches = member.training, member.batches
    n_epochs = _count(numbers["n_epochs"], n_all_epochs)
    member.parameters.flat[...] = arrays["parameters"]
    optimizer_state, progress, patience = training.optimizer_state, training.progress, training.patience
    for name, average in optimizer_state.averages.items():
        average[...] = arrays[f"average {name}"]
    progress.step = optimizer_state.n_steps = _count(numbers["n_steps"], n_epochs * batches.n_batches)
    progress.plateaus = _count(numbers["plateaus"], n_epochs)
    progress.epoch = n_epochs
    progress.samples_seen = training.samples_seen = n_epochs * batches.n_rows

    patience.best, patience.best_weights = float(numbers["best"]), arrays.get("best weights")
    patience.best_epoch = _count(numbers["best_epoch"], n_epochs)
    patience.n_stagnant = _count(numbers["n_stagnant"], n_epochs)
    patience.n_epochs = n_epochs

    if "order" in arrays:
        batches.order = arrays["order"]
        rows = batches.order if held_out is None else np.concatenate([batches.order, held_out])
        if not np.array_equal(np.sort(rows), np.arange(batches.X.shape[0])):
            raise ValueError("rows that are not in the data")

    random = member.rng.get_state(legacy=False)
    for part in (random, random["state"]):
        for name, value in part.items():
            if isinstance(value, np.ndarray):
                part[name] = arrays[f"random {name}"]
            elif name in _LARGEST:
                part[name] = _count(numbers["random"][name], _LARGEST[name])
    random["gauss"] = float(numbers["random"]["gauss"])
    member.rng.set_state(random)


def _count(number: object, at_most: int) -> int:
    """A number from outside that must be a whole one in a range."""
    if not (isinstance(number, int) and 0 <= number <= at_most):
        raise ValueError(f"{number!r} is not a whole number from 0 to {at_most}")
    return number
