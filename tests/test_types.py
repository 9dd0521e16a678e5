"""The annotations of what is public: they are there, and they are true."""

import inspect
import types
import typing

import numpy as np
import pandas as pd
import pytest

import sknn_scratch
from sknn_scratch import _typing, callbacks, core, plotting, tabular
from sknn_scratch._typing import InitializerName, ScheduleName, SolverName

PUBLIC = {
    name: getattr(module, name)
    for module in (sknn_scratch, callbacks, plotting, tabular)
    for name in module.__all__
    if not name.startswith("__")
}
ESTIMATORS = {name: thing for name, thing in PUBLIC.items() if hasattr(thing, "_parameter_constraints")}

# what the modules import for type checkers alone; `Data` has classes that old releases of SciPy have not
NAMES = vars(core) | vars(_typing) | {"Data": typing.Any}


def members(thing):
    """The public functions of a class that this library wrote, its constructor too; or the function."""
    if not inspect.isclass(thing):
        return {thing.__name__: thing}
    found = {name: getattr(thing, name) for name in dir(thing) if name == "__init__" or name[0] != "_"}
    return {
        name: member
        for name, member in found.items()
        if callable(member) and getattr(member, "__module__", "").startswith("sknn_scratch")
    }


def strings(hint):
    """The strings that a type allows by name."""
    if typing.get_origin(hint) is typing.Literal:
        return {value for value in typing.get_args(hint) if isinstance(value, str)}
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return set().union(*map(strings, typing.get_args(hint))) if is_union else set()


def is_of(value, hint):
    """Whether a value is of a type, what it holds included."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hasattr(origin, "__value__"):  # from Python 3.12 on, NumPy's NDArray is an alias of this kind
        origin = typing.get_origin(origin.__value__)
    if hint is typing.Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(is_of(value, one) for one in inner)
    if typing.is_typeddict(hint):
        fields = typing.get_type_hints(hint, localns=NAMES)
        return value.keys() == fields.keys() and all(is_of(value[name], fields[name]) for name in fields)
    holds = isinstance(value, origin or hint)
    return holds and all(is_of(item, inner[0]) for item in value) if origin is list else holds


@pytest.mark.parametrize("name", PUBLIC)
def test_all_parameters_and_results_are_annotated(name):
    assert members(PUBLIC[name])
    for member in members(PUBLIC[name]).values():
        signature = inspect.signature(member)
        assert signature.return_annotation is not signature.empty, member
        for parameter in signature.parameters.values():
            assert parameter.name in ("self", "cls") or parameter.annotation is not parameter.empty, member


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_names_that_a_parameter_takes_are_those_of_its_type(name):
    estimator = ESTIMATORS[name]
    init = inspect.unwrap(estimator.__init__)
    names = vars(inspect.getmodule(init)) | NAMES
    for parameter, value in inspect.signature(init).parameters.items():
        if parameter in ("self", "scoring", "categorical_features"):  # whose types hold any string
            continue
        hint = eval(value.annotation, names)
        options = [getattr(allowed, "options", ()) for allowed in estimator._parameter_constraints[parameter]]
        allowed = {option for of_one in options for option in of_one if isinstance(option, str)}
        assert strings(hint) == allowed, f"{parameter}: change its type in _typing.py"


def test_the_names_of_the_types_are_those_of_the_registries():
    assert strings(_typing.ActivationName) == core.ACTIVATIONS.keys()
    assert strings(SolverName) == {"lbfgs", *core.OPTIMIZERS}
    assert strings(ScheduleName) == core.SCHEDULES.keys()
    assert strings(InitializerName) == {"auto", *core.INITIALIZERS}


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_fit_leaves_is_of_the_type_that_is_annotated(name, early_stopping):
    settings = {"early_stopping": early_stopping, "max_iter": 2, "random_state": 0}
    estimator = ESTIMATORS[name](**settings if "max_iter" in ESTIMATORS[name]().get_params() else {})
    X = pd.DataFrame(np.random.RandomState(0).standard_normal((40, 2)).astype("f"), columns=["a", "b"])
    estimator.fit(X, (X["a"] > 0).astype(int))
    annotated = {
        attribute: eval(hint, vars(inspect.getmodule(kind)) | NAMES)
        for kind in reversed(type(estimator).__mro__)
        if kind.__module__.startswith("sknn_scratch")
        for attribute, hint in inspect.get_annotations(kind).items()
        if isinstance(hint, str)
    }
    fitted = {attribute: value for attribute, value in vars(estimator).items() if attribute.endswith("_")}
    assert fitted
    for attribute, value in fitted.items():
        assert is_of(value, annotated[attribute]), f"{attribute} = {value!r}"
