"""Sets of hyper-parameters, as data: the two published ones, and two of this library's."""

from collections import ChainMap
from dataclasses import dataclass, fields, replace
from typing import Any

from sknn_scratch.core import ACTIVATIONS, SCHEDULES, CosLog, CustomSchedule, FlatCosine, Schedule
from sknn_scratch.fitting._parameters import resolved

RATE_SCHEDULES: ChainMap[str, type[Schedule]] = ChainMap(
    {"coslog4": CosLog, "flat_cos": FlatCosine}, SCHEDULES
)
"""The schedules that an estimator for tables takes by name: two of its own, and all of the core."""


@dataclass(frozen=True)
class Preset:
    """A value for each hyper-parameter that an estimator may leave at None."""

    n_ens: int = 1
    refit: bool = False
    hidden_layer_sizes: Any = (256, 256, 256)
    activation: Any = "selu"
    parametric_activation: bool = True
    learning_rate_init: float = 0.04
    learning_rate: Any = "coslog4"
    scale_rate: float = 6.0
    bias_rate: float = 0.1
    activation_rate: float = 0.1
    numerical_embedding_rate: float = 0.1
    category_embedding_rate: float = 1.0
    scale_layer: bool = True
    numerical_embedding: bool = True
    numerical_embedding_sigma: float = 0.1
    n_frequencies: int = 16
    numerical_embedding_size: int = 4
    max_one_hot: float = 8
    category_embedding_size: int = 8
    ordered_as_numbers: bool = False
    dropout: float = 0.15
    weight_decay: float = 0.02
    bias_decay: float = 0.0
    regularization: Any = "flat_cos"
    weight_init: str = "std"
    bias_init: str = "he+5"
    zero_output: bool = False
    clip_predictions: bool = True
    calibrate: bool = False
    label_smoothing: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.95
    epsilon: float = 1e-8
    batch_size: int = 256
    max_iter: int = 256
    validation_fraction: float = 0.2


_SIMPLE: dict[str, Any] = {
    "parametric_activation": False,
    "numerical_embedding": False,
    "max_one_hot": float("inf"),
    "ordered_as_numbers": True,
    "dropout": 0.0,
    "weight_decay": 0.0,
    "weight_init": "normal",
    "bias_init": "normal",
    "zero_output": True,
    "clip_predictions": False,
}

# A quarter of the epochs on half of the units, and what that saves is spent on members: on one that sees all
# rows, or on eight pairs. The table of docs/tabular.md has what comes of it.
_FAST: dict[str, Any] = {"refit": True, "hidden_layer_sizes": (128, 128, 128), "max_iter": 64}
_BEST: dict[str, Any] = {"n_ens": 8, **_FAST}

CLASSIFIER_PRESETS = {
    "td": Preset(),
    "td-s": Preset(**_SIMPLE),
    "fast": Preset(**_FAST, calibrate=True),
    "best": Preset(**_BEST, calibrate=True),
}
_NUMBERS: dict[str, Any] = {"activation": "mish", "learning_rate_init": 0.2}
REGRESSOR_PRESETS = {
    "td": Preset(**_NUMBERS),
    "td-s": Preset(**{**_NUMBERS, **_SIMPLE, "learning_rate_init": 0.07}),
    "fast": Preset(**_NUMBERS, **_FAST),
    "best": Preset(**_NUMBERS, **_BEST),
}


def chosen(estimator, preset):
    """The preset, with what the parameters of the estimator say instead."""
    given = {field.name: getattr(estimator, field.name, None) for field in fields(preset)}
    return Preset(
        **{name: getattr(preset, name) if value is None else value for name, value in given.items()}
    )


def with_objects(settings):
    """The same settings with objects in place of names, and with copies of the user's objects."""
    rates = ("learning_rate", "regularization")
    return replace(
        settings,
        activation=resolved("activation", settings.activation, ACTIVATIONS),
        **{rate: resolved(rate, getattr(settings, rate), RATE_SCHEDULES, CustomSchedule) for rate in rates},
    )
