"""Each parameter and each fitted attribute is told in the docstring of its class."""

import ast
import re

import numpy as np
import pandas as pd
import pytest

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
)
from sknn_scratch.tabular import TabularPreprocessor

both = pytest.mark.parametrize("estimator", [ScratchMLPClassifier, ScratchMLPRegressor])
for_tables = [ScratchRealMLPClassifier, ScratchRealMLPRegressor]


def entries(estimator, section):
    """Of each entry of a section of the docstring: its names, its type, and its description."""
    text = re.search(rf"\n    {section}\n    -+\n(.*?)\n\n    \w", estimator.__doc__, re.S)[1]
    parts = re.findall(r"^    (\w.*?) : (.+)\n((?:        .+\n?|\n)+)", text, re.M)
    return [(names.split(", "), kind, description) for names, kind, description in parts]


def described(estimator, section):
    return {name for names, _, _ in entries(estimator, section) for name in names}


@pytest.mark.parametrize("estimator", [*both.args[1], *for_tables, TabularPreprocessor])
def test_all_parameters_are_described_with_their_defaults(estimator):
    defaults = estimator().get_params()
    assert described(estimator, "Parameters") == defaults.keys()
    for names, kind, _ in entries(estimator, "Parameters"):
        stated = ast.literal_eval(kind.split("default=")[1])
        assert stated == (defaults[names[0]] if len(names) == 1 else tuple(defaults[name] for name in names))


@both
def test_all_strings_that_a_parameter_takes_are_named(estimator):
    texts = {names[0]: kind + description for names, kind, description in entries(estimator, "Parameters")}
    for name in ("activation", "solver", "learning_rate", "loss", "weight_init"):
        strings = estimator._parameter_constraints[name][0].options
        assert [string for string in strings if f"'{string}'" not in texts[name]] == []


@both
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_all_fitted_attributes_are_described(estimator, solver, early_stopping):
    X = pd.DataFrame(np.random.RandomState(0).standard_normal((40, 2)), columns=["a", "b"])
    model = estimator(solver=solver, early_stopping=early_stopping, max_iter=3, random_state=0)
    model.fit(X, (X["a"] > 0).astype(int))
    fitted = {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}
    assert fitted == described(estimator, "Attributes")


@pytest.mark.parametrize("estimator", for_tables)
def test_all_fitted_attributes_of_those_for_tables_are_described(estimator):
    X = pd.DataFrame(np.random.RandomState(0).standard_normal((40, 2)), columns=["a", "b"])
    model = estimator(max_iter=2, random_state=0).fit(X, (X["a"] > 0).astype(int))
    fitted = {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}
    assert fitted == described(estimator, "Attributes")
