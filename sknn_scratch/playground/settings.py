"""All that can be set on the page, as one value that a link can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self
from urllib.parse import urlencode

import numpy as np

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import ACTIVATIONS, INITIALIZERS, OPTIMIZERS, SCHEDULES, Schedule
from sknn_scratch.core.configuration import (
    CLOSED_FRACTION,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    Configured,
    Interval,
    number,
)
from sknn_scratch.fitting._names import losses_of_classes, losses_of_numbers
from sknn_scratch.playground.data import DATASETS
from sknn_scratch.playground.features import FEATURES

OWN = "own"
"""The data set of points of one's own."""

GOES_ON = frozenset({"learning_rate", "learning_rate_init", "alpha", "dropout", "max_iter"})
"""What may change while the network is trained; every other change starts anew."""

MAX_LAYERS, MAX_UNITS = 20, 100


@dataclass
class Settings(Configured):
    """What is learnt from, by what, and how; the names of the estimators wherever they have one.

    Parameters
    ----------
    dataset : str, default="circles"
        A name in `DATASETS`, or "own".
    n_rows : int, default=300
        Rows in all.
    noise : float, default=0.1
        Standard deviation of what is added to points or targets.
    n_classes : int, default=3
        Number of Gaussian blobs.
    test_size : float, default=0.3
        Share of the rows held out.
    features : tuple of str, default=("x1", "x2")
        Names in `FEATURES`.
    hidden_layer_sizes, activation : tuple, default=(4, 4), ("tanh", "tanh")
        Units and activation of each hidden layer.
    loss, solver, learning_rate, learning_rate_init, momentum, batch_size, alpha, dropout, weight_init, \
fit_intercept, shuffle, max_iter : object
        Parameters of the estimators.
    random_state : int, default=0
        Seed of the data, the rows held out and the network.
    """

    dataset: str = "circles"
    n_rows: int = number(300, Interval(10, 2000, includes_high=True))
    noise: float = number(0.1, CLOSED_FRACTION)
    n_classes: int = number(3, Interval(2, 4, includes_high=True))
    test_size: float = number(0.3, Interval(0, 0.9, includes_high=True))
    features: tuple[str, ...] = ("x1", "x2")
    hidden_layer_sizes: tuple[int, ...] = (4, 4)
    activation: tuple[str, ...] = ("tanh", "tanh")
    loss: str = "log_loss"
    solver: str = "adam"
    learning_rate: str = "constant"
    learning_rate_init: float = number(0.01, POSITIVE)
    momentum: float = number(0.9, CLOSED_FRACTION)
    batch_size: int = number(10, Interval(1, 5000, includes_high=True))
    alpha: float = number(0.0, NOT_NEGATIVE)
    dropout: float = number(0.0, FRACTION)
    weight_init: str = "auto"
    fit_intercept: bool = True
    shuffle: bool = True
    max_iter: int = number(2000, Interval(1, 100_000, includes_high=True))
    random_state: int = number(0, Interval(0, 2**32 - 1, includes_high=True))

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            for one in value if isinstance(value, tuple) else (value,):
                if one not in allowed:
                    raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {one!r}.")
        if not self.features:
            raise ValueError("The network needs at least one feature.")
        sizes = self.hidden_layer_sizes
        if len(sizes) > MAX_LAYERS or not all(1 <= size <= MAX_UNITS for size in sizes):
            raise ValueError(
                f"The network may have up to {MAX_LAYERS} hidden layers of 1 to {MAX_UNITS} units, got "
                f"{', '.join(map(str, sizes))}."
            )
        if len(self.activation) != len(sizes):
            raise ValueError(
                f"{len(sizes)} hidden layers need as many activations, got {len(self.activation)}."
            )

    def changed(self, **changes: Any) -> Self:
        """The same with some other values; new layers have the activation of the last one."""
        new = {**self.get_params(), **changes}
        sizes, activation = new["hidden_layer_sizes"], new["activation"]
        if "activation" not in changes:
            last = activation[-1] if activation else "tanh"
            new["activation"] = (*activation, *[last] * len(sizes))[: len(sizes)]
        return replace(self, **new)

    @property
    def dataset_arguments(self) -> dict[str, Any]:
        """What the function that makes the data is called with."""
        values = {**self.get_params(), "seed": self.random_state}
        return {name: values[name] for name in DATASETS[self.dataset].arguments}

    def estimator_params(self, has_classes: bool, n_rows: int, n_epochs: int) -> dict[str, Any]:
        """Parameters of the estimator, in words that are code.

        Parameters
        ----------
        has_classes : bool
            Whether classes are learnt.
        n_rows : int
            Rows to train on.
        n_epochs : int
            How long.

        Returns
        -------
        dict
            Those that matter, by name.
        """
        waits = self.learning_rate == "plateau" or (self.learning_rate == "adaptive" and self.solver == "sgd")
        params: dict[str, Any] = {
            "hidden_layer_sizes": self.hidden_layer_sizes,
            "activation": list(self.activation),
            "loss": self.loss,
            "solver": self.solver,
            "learning_rate": self.learning_rate,
            "learning_rate_init": self.learning_rate_init,
            "batch_size": min(self.batch_size, n_rows),
            "alpha": self.alpha,
            "max_iter": n_epochs,
            # only schedules that wait for a plateau are to notice one
            "n_iter_no_change": 10 if waits else np.inf,
            "random_state": self.random_state,
        }
        if len(set(self.activation)) == 1:
            params["activation"] = self.activation[0]
        elif not self.activation:
            del params["activation"]
        if self.solver == "sgd":
            params["momentum"] = self.momentum
        for name in ("dropout", "weight_init", "fit_intercept", "shuffle"):
            if getattr(self, name) != DEFAULTS[name]:
                params[name] = getattr(self, name)
        if not has_classes:
            params["scale_target"] = False
        return params

    def estimator(self, has_classes: bool, n_rows: int) -> ScratchMLPClassifier | ScratchMLPRegressor:
        """The estimator with these parameters."""
        kind = ScratchMLPClassifier if has_classes else ScratchMLPRegressor
        return kind(**self.estimator_params(has_classes, n_rows, self.max_iter))

    @property
    def schedule(self) -> type[Schedule]:
        """The class of the learning rate's schedule."""
        return SCHEDULES[self.learning_rate]

    def to_query(self) -> str:
        """What differs from the defaults, as the query of a link.

        Returns
        -------
        str
            Text after the question mark.
        """
        new = {name: value for name, value in self.get_params().items() if value != DEFAULTS[name]}
        return urlencode({name: _as_text(value) for name, value in new.items()})

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Settings out of a link.

        Parameters
        ----------
        query : mapping of str to str
            Names and values.

        Returns
        -------
        Settings
            The settings.

        Raises
        ------
        ValueError
            If a name or value is unknown.

        Examples
        --------
        >>> from sknn_scratch.playground.settings import Settings
        >>> Settings.from_query({"dataset": "moons", "hidden_layer_sizes": "3"}).activation
        ('tanh',)
        """
        values = {}
        for name, text in query.items():
            if name not in DEFAULTS:
                raise ValueError(f"The link has the unknown setting {name!r}.")
            try:
                values[name] = _from_text(text, DEFAULTS[name])
            except ValueError:
                raise ValueError(f"The link has {name}={text!r}, which cannot be read.") from None
        return cls().changed(**values)


def _as_text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _from_text(text: str, default: Any) -> Any:
    """A value of the type of the default."""
    if isinstance(default, tuple):
        one = type(default[0])
        return tuple(one(part) for part in text.split(",") if part)
    if isinstance(default, bool):
        return {"True": True, "False": False}.get(text) if text in ("True", "False") else int("no bool")
    return type(default)(text)


def losses(has_classes: bool) -> Sequence[str]:
    """Names of the losses for classes or for numbers."""
    return list(losses_of_classes() if has_classes else losses_of_numbers())


CHOICES: dict[str, Sequence[str]] = {
    "dataset": [*DATASETS, OWN],
    "features": list(FEATURES),
    "activation": list(ACTIVATIONS),
    "loss": list(dict.fromkeys([*losses(True), *losses(False)])),
    "solver": list(OPTIMIZERS),
    "learning_rate": list(SCHEDULES),
    "weight_init": ["auto", *INITIALIZERS],
}
"""What may stand in each setting that is a name, or several names."""

DEFAULTS = {setting.name: setting.default for setting in fields(Settings)}
