import inspect
import pkgutil
import re
import subprocess
import sys

import pytest

import sknn_scratch
from sknn_scratch import core

PUBLIC = {name: getattr(core, name) for name in core.__all__} | {
    name: getattr(sknn_scratch, name) for name in sknn_scratch.__all__ if not name.startswith("__")
}


def is_interface(thing):
    """Whether methods are left to subclasses: nothing can be shown of it alone."""
    return inspect.isclass(thing) and any(
        getattr(member, "__isabstractmethod__", False) for _, member in inspect.getmembers(thing)
    )


@pytest.mark.parametrize("module", ["sknn_scratch", "sknn_scratch.core"])
def test_the_core_comes_without_scikit_learn(module):
    code = (
        f"import {module}, sys; heavy = {{'sklearn', 'joblib', 'matplotlib', 'pandas'}} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_exists_and_is_listed():
    for module in (sknn_scratch, core):
        for name in module.__all__:
            assert getattr(module, name) is not None
            assert name in dir(module)
        assert len(set(module.__all__)) == len(module.__all__)


def test_core_exports_all_public_classes_of_its_registries():
    for registry in (core.ACTIVATIONS, core.INITIALIZERS, core.LOSSES, core.OPTIMIZERS, core.SCHEDULES):
        assert {kind.__name__ for kind in registry.values()} <= set(core.__all__)


@pytest.mark.parametrize("module", [sknn_scratch, core])
def test_an_unknown_name_is_an_attribute_error(module):
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        module.Nonsense  # noqa: B018
    with pytest.raises(ImportError, match="Nonsense"):
        exec(f"from {module.__name__} import Nonsense")


# plain records that the loops hand out or keep: their fields are documented, and others' examples show them
RECORDS = {
    *("Batch", "Epoch", "History", "Objective", "Observer", "OptimizerState", "Outcome", "Progress"),
    *("Training", "StepExplanation", "LayerExplanation"),
}


@pytest.mark.parametrize("name", [name for name, thing in PUBLIC.items() if callable(thing)])
def test_public_classes_and_functions_are_documented(name):
    text = PUBLIC[name].__doc__
    assert text
    assert not text.startswith(f"{name}(")  # what dataclass and NamedTuple write when there is nothing
    if not is_interface(PUBLIC[name]) and name not in RECORDS:
        assert "Examples\n" in text
        assert ">>> " in text


def test_subpackages_are_attributes():
    program = "import sknn_scratch as s; s.core.Adam, s.estimators.ScratchMLPClassifier"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_drop_in_estimators_come_without_those_for_tables():
    program = (
        "import sknn_scratch as s, sys; s.ScratchMLPClassifier; "
        "assert not [name for name in sys.modules if name.startswith('sknn_scratch.tabular')]; "
        "s.ScratchRealMLPClassifier, s.tabular.TabularPreprocessor"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_reading_order_of_the_core_has_each_of_its_files_once():
    listed = []
    for entry in core.__doc__.split("\n- ")[1:]:
        name, *inside = re.findall("``(.*?)``", entry)
        listed += [name, *(f"{name}.{module}" for module in inside)]
    prefix = f"{core.__name__}."
    modules = [info.name.removeprefix(prefix) for info in pkgutil.walk_packages(core.__path__, prefix)]
    assert sorted(listed) == sorted(modules)
