"""Values for the parameters of an estimator, drawn from its own constraints and the core's registries.

A parameter that is new is drawn without a line here, unless it holds a list, a dict or a function.
"""

import inspect
from dataclasses import fields, is_dataclass
from numbers import Integral

import numpy as np
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, StratifiedKFold
from sklearn.utils._param_validation import HasMethods, Options, make_constraint

from fuzzing.chance import mostly
from sknn_scratch.core import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    Activation,
    Initializer,
    Loss,
    Optimizer,
    Schedule,
)

TINY = {
    "hidden_layer_sizes": (4, 3),
    "max_iter": 3,
    "n_frequencies": 2,
    "numerical_embedding_size": 2,
    "category_embedding_size": 2,
    "batch_size": 8,
    "random_state": 0,
}
"""Settings with which a fit takes milliseconds: an estimator starts with them, as far as it has them."""

TAKES_LARGE_NUMBERS = {"batch_size", "n_iter_no_change", "max_fun", "max_one_hot"}
"""Integers that may be large without a large network or a long training."""

USUAL = [
    0,
    1,
    2,
    3,
    0.0,
    1e-8,
    1e-4,
    0.01,
    0.1,
    0.3,
    np.float32(0.5),
    0.9,
    0.999,
    1.0,
    np.int64(2),
    1.5,
    10.0,
]
EXTREME = [5e-324, 1e-300, 1e-30, 1 - 1e-16, 1e6, 1e30, 1e300, float("inf"), np.float32(3e38)]
LARGE = [1000, 10**9, 2**63]
WRONG = [
    -1,
    -0.5,
    float("nan"),
    "nonsense",
    "",
    (),
    [0],
    ["relu", 3],
    {},
    {"a": "b"},
    ...,
    np.zeros(2),
    b"adam",
]

CONFIGURED = {
    Activation: ACTIVATIONS,
    Optimizer: OPTIMIZERS,
    Schedule: SCHEDULES,
    Initializer: INITIALIZERS,
    Loss: LOSSES,
}


def halving(progress):
    """A learning rate of the user's own."""
    return 0.02 * 0.5**progress.epoch


def small_weights(fan_in, fan_out, rng):
    """First weights of the user's own."""
    return 0.1 * rng.standard_normal((fan_in, fan_out))


def share_of_equals(estimator, X, y, sample_weight=None):
    """A score of the user's own."""
    return float(np.mean(np.asarray(estimator.predict(X)) == np.asarray(y)))


_SIZES = st.lists(st.integers(1, 6), max_size=3)
_LABEL = st.sampled_from([0, 1, 2, True, "a", "b", -1.5])
_WEIGHTS = st.dictionaries(_LABEL, st.sampled_from([0, 0.5, 1, 3.0, 1e300]), max_size=3)
_COLUMNS = st.one_of(
    st.lists(st.integers(0, 4), max_size=2),
    st.lists(st.booleans(), min_size=1, max_size=4),
    st.lists(st.sampled_from(["c0", "c1", "c2"]), max_size=2),
)
STRUCTURED = {
    "hidden_layer_sizes": st.one_of(_SIZES.map(tuple), _SIZES, _SIZES.map(np.array)),
    "activation": st.lists(st.sampled_from(sorted(ACTIVATIONS)), min_size=1, max_size=3),
    "dropout": st.lists(st.sampled_from([0, 0.1, 0.5, 0.9]), min_size=1, max_size=3),
    "class_weight": st.one_of(_WEIGHTS, _WEIGHTS, st.lists(_WEIGHTS, min_size=1, max_size=3)),
    "categorical_features": _COLUMNS,
    "n_cv": st.sampled_from([KFold(2), StratifiedKFold(2), ShuffleSplit(1), GroupKFold(2)]),
    "learning_rate": st.just(halving),
    "regularization": st.just(halving),
    "weight_init": st.just(small_weights),
    "scoring": st.just(share_of_equals),
}
"""Lists, dicts and functions, which mean something else for each parameter."""


def numbers(allowed):
    """Numbers for which a function is true, mostly usual ones."""
    usual = [number for number in USUAL if allowed(number)]
    extreme = [number for number in EXTREME if allowed(number)]
    return mostly(st.sampled_from(usual or extreme), st.sampled_from(extreme or usual), 8)


@st.composite
def configured(draw, registry):
    """An object of a registry, with some settings of its own."""
    kind = draw(st.sampled_from([kind for kind in registry.values() if is_dataclass(kind)]))
    settings = {}
    for field in fields(kind):
        allowed = field.metadata.get("allowed")
        if not field.init or draw(st.booleans()):
            continue
        if allowed is not None:
            settings[field.name] = draw(numbers(lambda number, allowed=allowed: number in allowed))
        elif isinstance(field.default, bool):
            settings[field.name] = draw(st.booleans())
        elif field.name == "level":
            settings["level"] = draw(st.sampled_from([0.05, 0.5, [0.1, 0.9], [0.25, 0.5, 0.75]]))
    return kind(**settings)


def _of_constraint(name, constraint):
    """Values that a constraint of scikit-learn's allows; None if it names no values."""
    if isinstance(constraint, type) and constraint in CONFIGURED:
        return configured(CONFIGURED[constraint])
    if constraint is Integral:
        return st.sampled_from([-1, 1, 2])
    if isinstance(constraint, HasMethods) or constraint in ("array-like", callable, list, tuple, dict):
        return STRUCTURED[name]
    if constraint == "boolean":
        return st.sampled_from([False, True, np.True_])
    if constraint == "random_state":
        return st.one_of(st.integers(0, 5), st.integers(0, 5).map(np.random.RandomState), st.none())
    if constraint == "verbose":
        return st.sampled_from([False, True, 2])
    if constraint is None:
        return None if name in TINY else st.none()
    checked = make_constraint(constraint)
    if isinstance(checked, Options):
        return st.sampled_from(sorted(checked.options))
    if checked.type is Integral and name in TAKES_LARGE_NUMBERS:
        return st.sampled_from([n for n in [1, 2, 3, 5, 10, 20, *LARGE] if checked.is_satisfied_by(n)])
    return numbers(checked.is_satisfied_by)


def values(kind, name):
    """Values for one parameter of a class: mostly legal ones."""
    legal = [_of_constraint(name, constraint) for constraint in kind._parameter_constraints[name]]
    return mostly(
        st.one_of([strategy for strategy in legal if strategy is not None]), st.sampled_from(WRONG), 25
    )


def parameters(kind, max_size):
    """Some parameters of a class, by name."""
    names = sorted(inspect.signature(kind).parameters)
    chosen = st.lists(st.sampled_from(names), max_size=max_size, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: values(kind, name) for name in names}))


@st.composite
def estimators(draw, kinds):
    """An estimator that is quick to fit."""
    kind = draw(st.sampled_from(kinds))
    names = inspect.signature(kind).parameters
    tiny = {name: value for name, value in TINY.items() if name in names}
    return kind(**tiny | draw(parameters(kind, 10)))
