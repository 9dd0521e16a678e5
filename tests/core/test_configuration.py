import copy
import math
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from sknn_scratch import core
from sknn_scratch.core import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    SGD,
    Adam,
    Cosine,
    InverseScaling,
    Plateau,
    Tanh,
    Uniform,
)
from sknn_scratch.core.configuration import (
    CLOSED_FRACTION,
    FRACTION,
    NOT_NEGATIVE,
    OPEN_FRACTION,
    POSITIVE,
    POSITIVE_OR_NONE,
)

KINDS = [
    kind
    for registry in (ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS, SCHEDULES)
    for kind in registry.values()
]

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def with_other_settings(kind):
    """One object with its defaults, one with all settings changed."""
    default = kind()
    changed = {
        name: not value if isinstance(value, bool) else 0.37 for name, value in default.get_params().items()
    }
    return default, kind(**changed)


@each_kind
def test_names_in_the_registry_are_exported_and_unique(kind):
    assert getattr(core, kind.__name__) is kind
    assert KINDS.count(kind) == 1


@each_kind
@pytest.mark.parametrize(
    "duplicate",
    [
        lambda x: pickle.loads(pickle.dumps(x)),
        copy.copy,
        copy.deepcopy,
        clone,
        lambda x: eval(repr(x), vars(core)),
        lambda x: type(x)(**x.get_params()),
        lambda x: type(x)().set_params(**x.get_params()),
    ],
    ids=["pickle", "copy", "deepcopy", "clone", "repr", "get_params", "set_params"],
)
def test_copies_of_every_kind_are_equal_and_apart(kind, duplicate):
    for original in with_other_settings(kind):
        other = duplicate(original)
        assert type(other) is kind
        assert other is not original
        assert other == original
        assert other.get_params() == original.get_params()


@each_kind
def test_equality_is_that_of_kind_and_settings(kind):
    default, other = with_other_settings(kind)
    assert default == kind()
    assert (default == other) == (default.get_params() == other.get_params())
    assert all(default != another() for another in KINDS if another is not kind)


@each_kind
def test_set_params_changes_the_object_itself(kind):
    default, other = with_other_settings(kind)
    assert default.set_params(**other.get_params()) is default
    assert default == other


@each_kind
def test_a_setting_that_is_unknown_is_refused_by_name(kind):
    thing = kind()
    with pytest.raises(ValueError, match=f"{kind.__name__} has no setting 'nonsense'"):
        thing.set_params(nonsense=1)
    assert thing == kind()


@each_kind
def test_a_setting_that_is_not_allowed_is_refused_by_name_and_nothing_changes(kind):
    for name, value in kind().get_params().items():
        if isinstance(value, bool):
            continue
        below, nothing = ([] if kind is Uniform else [-0.5]), ([] if value is None else [None])
        for bad in (*below, *nothing, math.nan, math.inf, "0.5", True, 0.5j):
            message = f"'{name}' of {kind.__name__} must be a number in"
            with pytest.raises(ValueError, match=message):
                kind(**{name: bad})
            thing = kind()
            others = {other: 0.37 for other in thing.get_params() if other != name}
            with pytest.raises(ValueError, match=message):
                thing.set_params(**others, **{name: bad})
            assert thing == kind()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Adam(beta_1=1.5),
        lambda: Adam(beta_1=1.0),
        lambda: Adam(beta_2=1.0),
        lambda: Adam(epsilon=0.0),
        lambda: SGD(momentum=1.1),
        lambda: SGD(max_grad_norm=0.0),
        lambda: Plateau(factor=1.0),
        lambda: Plateau(factor=0.0),
        lambda: Cosine(warmup=1.0),
        lambda: Cosine(final=1.1),
        lambda: InverseScaling(power_t=-1),
    ],
)
def test_settings_beyond_their_bounds_are_refused(make):
    with pytest.raises(ValueError, match=r"must be a number in [\[(]0, .*, got"):
        make()


@pytest.mark.parametrize(
    ("interval", "inside", "outside", "text"),
    [
        (POSITIVE, [1e-300, 5, np.float32(2)], [0, -1, math.inf], "a number in (0, inf)"),
        (NOT_NEGATIVE, [0, 7.5], [-1e-300, math.inf], "a number in [0, inf)"),
        (FRACTION, [0, 0.999], [1, -0.1], "a number in [0, 1)"),
        (CLOSED_FRACTION, [0, 1], [1.0000001], "a number in [0, 1]"),
        (OPEN_FRACTION, [1e-300, 0.999], [0, 1], "a number in (0, 1)"),
    ],
)
def test_intervals_say_what_they_hold(interval, inside, outside, text):
    assert all(value in interval for value in inside)
    assert not any(value in interval for value in [*outside, math.nan, "1", None, True, [0.5]])
    assert str(interval) == text


def test_an_interval_may_hold_none():
    assert None in POSITIVE_OR_NONE
    assert 2.5 in POSITIVE_OR_NONE
    assert not any(value in POSITIVE_OR_NONE for value in [0, -1, math.nan, math.inf, "1", "None", False])
    assert str(POSITIVE_OR_NONE) == "a number in (0, inf) or None"


def test_an_object_without_settings_has_none():
    assert Tanh().get_params() == {}
    assert repr(Tanh()) == "Tanh()"
