"""Checkpoint: the state of a fit in a file, from which it can resume."""

from __future__ import annotations

import json
import os
import pathlib
import stat
import uuid
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from sknn_scratch.callbacks._fingerprint import fingerprint
from sknn_scratch.callbacks._state import SavedRun, restore, state_of

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator
    from sklearn.callback import CallbackContext

_FORMAT = "sknn_scratch checkpoint"
_VERSION = 3


class Checkpoint:
    """Save the state of a fit after epochs, and resume from what was saved.

    The file is written under another name and then renamed, so `path` always holds the last complete
    checkpoint. It keeps the permissions of the file it replaces. A symbolic link stays; the file that it
    points to is replaced. A process killed while writing leaves ``<path>.<digits>.tmp``, which you can
    delete.

    With ``resume=True``, `fit` gives bit for bit what an uninterrupted fit would have given: weights,
    optimizer state, random numbers and history (except its seconds). Parameters and data must be the same,
    except for `verbose` and `n_jobs`. If `random_state` is a `RandomState`, the file restores its position. A
    complete fit is restored unchanged.

    In a search or cross-validation, all clones write to the same path. A clone cannot resume from the file of
    another: their data or parameters differ, so `fit` raises an error.

    L-BFGS cannot be resumed; neither can a fit of a fitted estimator with ``warm_start=True``. The estimators
    for tables need an int as `random_state`, from which they make their splits again.

    Parameters
    ----------
    path : str or path
        The file, in the format of :func:`numpy.savez`: arrays, and JSON in the array ``metadata``.
    every : int, default=1
        Number of epochs between checkpoints. A training that runs to its end always saves its last epoch.
    resume : bool, default=False
        Whether to resume from the file. If there is no file yet, training starts from scratch.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sknn_scratch import ScratchMLPClassifier
    >>> from sknn_scratch.callbacks import Checkpoint
    >>> X, y = load_iris(return_X_y=True)
    >>> model = ScratchMLPClassifier(tol=0.01, n_iter_no_change=3, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     n_epochs = model.set_callbacks(Checkpoint(f"{folder}/iris.npz", every=10)).fit(X, y).n_iter_
    ...     again = model.set_callbacks(Checkpoint(f"{folder}/iris.npz", resume=True)).fit(X, y)
    >>> again.n_iter_ == n_epochs
    True
    """

    def __init__(self, path: str | os.PathLike[str], every: int = 1, resume: bool = False) -> None:
        self.path = path
        self.every = every
        self.resume = resume
        # clones of an estimator share their callbacks, and may be fitted at the same time
        self._runs: dict[Any, tuple[SavedRun, dict[str, Any]]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_runs": {}}

    def setup(self, estimator: Any, context: CallbackContext) -> None:
        """Check what can be known before training. These are the hooks of scikit-learn's protocol."""
        if not (isinstance(self.every, int | np.integer) and self.every > 0):
            raise ValueError(f"every={self.every!r} must be a number of epochs >= 1.")
        if not getattr(estimator, "trains_by_epochs", False):
            raise TypeError(
                f"Checkpoint saves the training of a network, not of {type(estimator).__name__}: call "
                "set_callbacks on the network inside it, such as a ScratchMLPClassifier."
            )
        reason = estimator._why_no_checkpoint()
        if reason:
            raise ValueError(f"Checkpoint cannot save {reason}")
        if os.path.isdir(self.path):
            raise ValueError(f"path={self.path!r} is a directory; Checkpoint needs the name of a file.")
        try:
            self._replace_file(lambda file: None, rehearsal=True)
        except OSError as error:
            raise ValueError(f"path={self.path!r} cannot be written: {error}.") from error

    def attach(self, run: SavedRun) -> None:
        """Register a training that is about to begin; with `resume`, restore the state in the file.

        Parameters
        ----------
        run : SavedRun
            The training.
        """
        for member in run.members:
            if not isinstance(member.rng._bit_generator, np.random.MT19937 | np.random.SFC64):
                raise ValueError(
                    f"Checkpoint cannot save the state of {member.rng}. Use an int as random_state."
                )
        metadata = {
            "format": _FORMAT,
            "version": _VERSION,
            "made_with": _ingredients(run),
            "engine": run.engine,
        }
        if self.resume and os.path.exists(self.path):
            self._go_on(run, metadata)
        self._runs[run.estimator] = run, metadata

    def detach(self, run: SavedRun) -> None:
        """Forget a training that has ended: an epoch that was cut short must not be saved."""
        self._runs.pop(run.estimator, None)

    def on_fit_task_begin(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Do nothing: there is nothing to save yet."""

    def on_fit_task_end(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Save the state after an epoch."""
        found = self._runs.get(estimator)
        if found is None:
            return
        run, metadata = found
        if len(run.epochs) % self.every == 0 or run.is_complete:
            arrays, numbers = state_of(run)
            text = json.dumps({**metadata, "state": numbers})
            arrays["metadata"] = np.frombuffer(text.encode(), np.uint8)
            self._replace_file(lambda file: np.savez(file, **cast("Any", arrays)))

    def teardown(self, estimator: BaseEstimator, context: CallbackContext) -> None:
        """Do nothing."""

    def _replace_file(self, write: Callable[[IO[bytes]], object], rehearsal: bool = False) -> None:
        """Replace the file in one step; in a rehearsal, change nothing."""
        path = pathlib.Path(os.path.realpath(self.path))  # what a symbolic link points to is replaced
        temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
        try:
            with temporary.open("xb") as file:
                if path.exists():  # its mode may keep others from reading
                    temporary.chmod(stat.S_IMODE(path.stat().st_mode))
                write(file)
                file.flush()
                os.fsync(file.fileno())
            if not rehearsal:
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def _go_on(self, run: SavedRun, metadata: dict[str, Any]) -> None:
        """Restore what was saved of a run that began like this one."""
        try:
            arrays = _read(self.path)
            saved = json.loads(arrays.pop("metadata").tobytes())
            if saved["format"] != _FORMAT:
                raise ValueError(f"its format is {saved['format']!r}")
            is_same_version = saved["version"] == _VERSION
            saved_with = dict(saved["made_with"]) if is_same_version else {}
            saved_by = saved["engine"] if is_same_version else ""
        except Exception as error:
            raise self._refusal(f"is not a complete Checkpoint file ({_named(error)})") from error
        if not is_same_version:
            raise self._refusal(
                f"has version {saved['version']!r} of the format, but this release of sknn_scratch reads "
                f"version {_VERSION}"
            )
        made_with = metadata["made_with"]
        differing = [name for name in made_with if saved_with.get(name) != made_with[name]]
        if differing:
            raise self._refusal(f"was saved by a fit with different {', '.join(differing)}")
        try:
            restore(run, arrays, saved["state"])
        except Exception as error:
            raise self._refusal(f"does not hold the state of a fit ({_named(error)})") from error
        if saved_by != run.engine:
            run.warn(
                f"The file of path={self.path!r} was saved by the engine {saved_by!r}, but "
                f"training continues with {run.engine!r}: the model may differ from that of an uninterrupted "
                "fit in its last digits."
            )

    def _refusal(self, reason: str) -> ValueError:
        return ValueError(
            f"Training cannot continue from path={self.path!r}: the file {reason}. Repeat the fit that saved "
            "it, or start over with resume=False or another path."
        )


def _ingredients(run: SavedRun) -> dict[str, str]:
    """Fingerprints of all that training depends on apart from its state, by the names that users know."""
    estimator = run.estimator
    parameters = estimator.get_params(deep=False)
    for name in ("verbose", "n_jobs"):
        parameters.pop(name, None)
    ingredients = {
        "estimator": type(estimator),
        **parameters,
        **dict(zip(("X", "y", "sample_weight"), run.data, strict=True)),
        "labels in y": getattr(estimator, "classes_", None),
        "names of features": getattr(estimator, "feature_names_in_", None),
        "validation data": run.validation_data,
    }
    return {name: fingerprint(value) for name, value in ingredients.items()}


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _read(path: str | os.PathLike[str]) -> dict[str, npt.NDArray[Any]]:
    """The arrays in a file that may hold anything."""
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
        # what is compressed may be any size
        if sum(entry.file_size for entry in archive.zip.infolist()) > os.path.getsize(path):
            raise ValueError("it is compressed")
        return {name: archive[name] for name in archive.files}
