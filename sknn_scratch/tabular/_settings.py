"""The parameters that both estimators share, and what is allowed for each."""

from numbers import Integral, Real

import numpy as np

from sknn_scratch._sklearn import HasMethods, Interval, Options, StrOptions
from sknn_scratch.core import ACTIVATIONS, Activation, Schedule
from sknn_scratch.fitting._names import Names
from sknn_scratch.fitting._parameters import Settings
from sknn_scratch.tabular._presets import CLASSIFIER_PRESETS, RATE_SCHEDULES

_FRACTION = [Interval(Real, 0, 1, closed="left"), None]
_FACTOR = [Interval(Real, 0, None, closed="left"), None]
_POSITIVE = [Interval(Real, 0, None, closed="neither"), None]
_COUNT = [Interval(Integral, 1, None, closed="left"), None]
_SCHEDULE = [StrOptions(Names(lambda: RATE_SCHEDULES)), Schedule, callable, None]


class TabularSettings(Settings):
    """Configuration: the preset, and what is to differ from it."""

    _parameter_constraints: dict = {
        "preset": [StrOptions(set(CLASSIFIER_PRESETS))],
        "n_ens": _COUNT,
        "n_cv": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
            HasMethods(["split", "get_n_splits"]),
        ],
        "refit": ["boolean", None],
        "n_jobs": [Integral, None],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left"), None],
        "activation": [StrOptions(Names(lambda: ACTIVATIONS)), Activation, None],
        "parametric_activation": ["boolean", None],
        "learning_rate_init": _POSITIVE,
        "learning_rate": _SCHEDULE,
        "scale_rate": _FACTOR,
        "bias_rate": _FACTOR,
        "activation_rate": _FACTOR,
        "numerical_embedding_rate": _FACTOR,
        "category_embedding_rate": _FACTOR,
        "scale_layer": ["boolean", None],
        "numerical_embedding": ["boolean", None],
        "numerical_embedding_sigma": [Interval(Real, 0, 1e30, closed="neither"), None],  # finite in float32
        "n_frequencies": _COUNT,
        "numerical_embedding_size": [Interval(Integral, 2, None, closed="left"), None],
        "max_one_hot": [Interval(Integral, 0, None, closed="left"), Options(Real, {np.inf}), None],
        "category_embedding_size": _COUNT,
        "ordered_as_numbers": ["boolean", None],
        "dropout": _FRACTION,
        "weight_decay": _FACTOR,
        "bias_decay": _FACTOR,
        "regularization": _SCHEDULE,
        "weight_init": [StrOptions({"std", "normal"}), None],
        "bias_init": [StrOptions({"he+5", "normal"}), None],
        "zero_output": ["boolean", None],
        "beta_1": _FRACTION,
        "beta_2": _FRACTION,
        "epsilon": _POSITIVE,
        "batch_size": _COUNT,
        "max_iter": _COUNT,
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "time_limit": _POSITIVE,
        "early_stopping": ["boolean"],
        "n_iter_no_change": [Interval(Integral, 0, None, closed="left")],
        "patience_factor": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
