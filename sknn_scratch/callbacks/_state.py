"""The state of a training between two epochs, as arrays and numbers, and back."""

from dataclasses import replace

import numpy as np

from sknn_scratch.core import Epoch


def state_of(run):
    """All that the rest of a fit from scratch depends on, besides its parameters and data.

    Parameters
    ----------
    run : MinibatchRun
        The run.

    Returns
    -------
    arrays : dict of str -> ndarray
        Not copied.
    numbers : dict of str -> number
        What is no array.
    """
    patience, optimizer_state = run.training.patience, run.training.optimizer_state
    epochs = run.history.epochs
    _, words, position, has_gauss, gauss = run.rng.get_state()
    arrays = {
        "parameters": run.parameters.flat,
        **{f"average_{name}": average for name, average in optimizer_state.averages.items()},
        "random_words": words,
        # a row of numbers each; what was not measured is NaN
        "epochs": np.array([list(epoch.measured().values()) for epoch in epochs], dtype=float),
    }
    if patience.keeps_best_weights:
        best = patience.best_weights
        arrays["best_weights"] = run.parameters.flat if best is None else best
    if run.batches.order is not None:
        arrays["order"] = run.batches.order
    if run.validation is not None and run.validation.rows is not None:
        arrays["held_out"] = run.validation.rows
    numbers = {
        "n_steps": optimizer_state.n_steps,
        "plateaus": run.training.progress.plateaus,
        "best": float(patience.best),
        "best_epoch": patience.best_epoch,
        "n_stagnant": patience.n_stagnant,
        "has_converged": run.has_converged,
        "random_position": position,
        "has_gauss": has_gauss,
        "gauss": gauss,
    }
    return arrays, numbers


def restore(run, arrays, numbers):
    """Go on from the state of a run that began like this one.

    Parameters
    ----------
    run : MinibatchRun
        The run.
    arrays, numbers : dict
        What :func:`state_of` returned, or anything that claims to be that.

    Raises
    ------
    Exception
        Of any kind, if it is not. The random numbers are as they were then, the run is spoilt.
    """
    table = arrays["epochs"]
    expected = {**state_of(run)[0], "epochs": np.empty((len(table), len(Epoch().measured())))}
    if {name: (array.dtype, array.shape) for name, array in arrays.items()} != {
        name: (array.dtype, array.shape) for name, array in expected.items()
    }:
        raise ValueError("other arrays than this fit has")
    n_epochs, n_batches, n_rows = len(table), run.batches.n_batches, run.batches.n_rows
    if not 1 <= n_epochs <= run.estimator.max_iter:
        raise ValueError(f"{n_epochs} epochs of {run.estimator.max_iter}")

    run.parameters.flat[...] = arrays["parameters"]
    optimizer_state, progress = run.training.optimizer_state, run.training.progress
    for name, average in optimizer_state.averages.items():
        average[...] = arrays[f"average_{name}"]
    progress.step = optimizer_state.n_steps = _count(numbers["n_steps"], n_epochs * n_batches)
    progress.plateaus = _count(numbers["plateaus"], n_epochs)
    progress.epoch = n_epochs
    progress.samples_seen = run.training.samples_seen = n_epochs * n_rows

    patience = run.training.patience
    patience.best, patience.best_weights = float(numbers["best"]), arrays.get("best_weights")
    patience.best_epoch = _count(numbers["best_epoch"], n_epochs)
    patience.n_stagnant = _count(numbers["n_stagnant"], n_epochs)
    patience.n_epochs = n_epochs

    validated = run.validation is not None
    for loss, validation_loss, validation_score, *others in table.tolist():
        validation = (validation_loss, validation_score) if validated else (None, None)
        run.history.epochs.append(Epoch(loss, *validation, *others))
    run.history.epochs[-1].is_last = bool(numbers["has_converged"])

    if "order" in arrays:
        run.batches.order = arrays["order"]
        held_out = arrays.get("held_out", run.batches.order[:0])
        rows = np.sort(np.concatenate([run.batches.order, held_out]))
        if not np.array_equal(rows, np.arange(run.data.X.shape[0])):
            raise ValueError("rows that are not those of the data")
    if run.validation is not None and "held_out" in arrays:
        run.validation = replace(run.validation, rows=arrays["held_out"])

    words, gauss = arrays["random_words"], float(numbers["gauss"])
    position, has_gauss = _count(numbers["random_position"], len(words)), _count(numbers["has_gauss"], 1)
    run.rng.set_state(("MT19937", words, position, has_gauss, gauss))


def _count(number, at_most):
    """A number from outside that must be a whole one in a range."""
    if not (isinstance(number, int) and 0 <= number <= at_most):
        raise ValueError(f"{number!r} is no whole number from 0 to {at_most}")
    return number
