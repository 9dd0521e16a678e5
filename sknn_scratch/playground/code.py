"""The lines that give the very model that the page shows, and its weights where no lines do."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from sknn_scratch.core import Outcome
from sknn_scratch.playground.data import DATASETS
from sknn_scratch.playground.features import FEATURES
from sknn_scratch.playground.rows import holds_out
from sknn_scratch.playground.session import Session
from sknn_scratch.playground.settings import OWN

PLAIN_FEATURES = ("x1", "x2")


def why_no_code(session: Session) -> str:
    """Why a fit from scratch would not end in the model of the page.

    Parameters
    ----------
    session : Session
        The network in training.

    Returns
    -------
    str
        A sentence; empty if there is code.
    """
    if session.changed_on_the_way:
        return (
            "Settings have changed since the first step, and one call of fit has one value for each. Reset, "
            "which trains with the new ones from the start, or take the weights."
        )
    if session.outcome is Outcome.DIVERGED:
        return "Training has diverged, and fit raises an error then."
    if session.is_within_epoch:
        return "An epoch is not whole yet, and fit trains whole epochs. Finish it, or take the weights."
    if session.n_epochs == 0:
        return "Nothing is trained yet."
    return ""


def code(session: Session) -> str:
    """A program whose `model` is that of the page.

    Parameters
    ----------
    session : Session
        The network in training.

    Returns
    -------
    str
        Python code.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> from sknn_scratch.playground.code import code
    >>> from sknn_scratch.playground.session import Session
    >>> session = Session()
    >>> session.train_epochs(3)
    >>> print(code(session).splitlines()[-1])
    print(model.score(X_test, y_test))
    """
    if reason := why_no_code(session):
        raise ValueError(reason)
    settings = session.settings
    kind = type(session.estimator).__name__
    imports, lines = [f"from sknn_scratch import {kind}"], []

    if settings.dataset == OWN:
        lines.append("# the file that the page saves as points.csv")
        lines.append('table = np.loadtxt("points.csv", delimiter=",", skiprows=1)')
        target = "table[:, -1].astype(int)" if session.has_classes else "table[:, -1]"
        lines.append(f"X, y = table[:, :-1], {target}")
    else:
        name = DATASETS[settings.dataset].make.__name__
        imports.append(f"from sknn_scratch.playground.data import {name}")
        lines.append(f"X, y = {name}({_arguments(settings.dataset_arguments)})")
    train = "X, y"
    if holds_out(settings):
        imports.append("from sklearn.model_selection import train_test_split")
        options = {"test_size": settings.test_size, "random_state": settings.random_state}
        stratify = ", stratify=y" if session.has_classes else ""
        train = "X_train, y_train"
        lines.append(
            "X_train, X_test, y_train, y_test = train_test_split(\n"
            f"    X, y, {_arguments(options)}{stratify}\n)"
        )

    params = settings.estimator_params(session.has_classes, len(session.train.y), session.n_epochs)
    defaults = type(session.estimator)().get_params()
    values = {
        name: repr(value).replace("'", '"') for name, value in params.items() if value != defaults[name]
    }
    if "n_iter_no_change" in values:
        values["n_iter_no_change"] = "np.inf"
    if session.n_epochs < settings.max_iter and settings.schedule.changes_within_epoch:
        # such a schedule spans all epochs, of which there were fewer
        schedule, n_steps = settings.schedule.__name__, session.run.training.progress.n_steps
        imports += ["from dataclasses import replace", f"from sknn_scratch.core import {schedule}"]
        values["learning_rate"] = f"lambda progress: {schedule}()(replace(progress, n_steps={n_steps}))"
    body = "".join(f"    {name}={value},\n" for name, value in values.items())
    model = f"{kind}(\n{body})"
    if settings.features != PLAIN_FEATURES[: session.train.points.shape[1]]:
        imports += [
            "from sklearn.pipeline import make_pipeline",
            "from sklearn.preprocessing import FunctionTransformer",
        ]
        lines.append(_features_function(settings.features))
        body = "".join(f"        {name}={value},\n" for name, value in values.items())
        model = f"make_pipeline(\n    FunctionTransformer(features),\n    {kind}(\n{body}    ),\n)"
    lines.append(f"model = {model}")
    lines.append(f"model.fit({train})  # it warns that max_iter ends it: so does the page")
    if holds_out(settings):
        lines.append("print(model.score(X_test, y_test))")
    if any("np." in line for line in lines):
        imports.append("import numpy as np")
    return "\n".join([*sorted(set(imports), key=_import_order), "", *lines, ""])


def weights(session: Session) -> bytes:
    """Weights and biases as a file.

    Parameters
    ----------
    session : Session
        The network in training.

    Returns
    -------
    bytes
        An npz file with `coefs_0`, `intercepts_0` and so on, and the features by name.
    """
    model, file = session.fitted(), io.BytesIO()
    arrays = {f"coefs_{i}": array for i, array in enumerate(model.coefs_)}
    arrays |= {f"intercepts_{i}": array for i, array in enumerate(model.intercepts_)}
    np.savez(file, **arrays, features=np.array(session.settings.features))
    return file.getvalue()


def _arguments(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def _import_order(line: str) -> tuple[int, str]:
    """Whole modules first, then other libraries, then ours."""
    return 2 * ("sknn_scratch" in line) + line.startswith("from"), line


def _features_function(names: tuple[str, ...]) -> str:
    columns = ", ".join(FEATURES[name].code for name in names)
    return (
        f"\n\ndef features(X):\n    x1, x2 = X[:, 0], X[:, -1]\n    return np.column_stack([{columns}])\n\n"
    )
