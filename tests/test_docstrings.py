"""Docstrings describe all parameters and fitted attributes; classes that share one say the same of it."""

import ast
import inspect
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils._testing import assert_docstring_consistency

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
)
from sknn_scratch.tabular import TabularPreprocessor
from sknn_scratch.tabular._presets import CLASSIFIER_PRESETS, REGRESSOR_PRESETS

both = pytest.mark.parametrize("estimator", [ScratchMLPClassifier, ScratchMLPRegressor])
for_tables = (ScratchRealMLPClassifier, ScratchRealMLPRegressor)


def entries(estimator, section):
    """Of each entry of a section of the docstring: its names, its type, and its description."""
    # from Python 3.13 on, a docstring has lost its indentation
    text = re.search(rf"\n{section}\n-+\n(.*?)\n\n\w[\w ]*\n-", inspect.getdoc(estimator), re.S)[1]
    parts = re.findall(r"^(\w.*?) : (.+)\n((?:    .+\n?|\n)+)", text, re.M)
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


NAMES = [
    *((kind, name) for kind in both.args[1] for name in ("activation", "solver", "learning_rate", "loss")),
    *((kind, "weight_init") for kind in both.args[1]),
    (ScratchRealMLPRegressor, "loss"),
]


@pytest.mark.parametrize(("estimator", "name"), NAMES, ids=lambda part: getattr(part, "__name__", part))
def test_all_strings_that_a_parameter_takes_are_named(estimator, name):
    texts = {names[0]: kind + description for names, kind, description in entries(estimator, "Parameters")}
    strings = estimator._parameter_constraints[name][0].options
    missing = [string for string in strings if f"'{string}'" not in texts[name]]
    assert missing == [], f"add {missing} to `{name}` in the docstring of {estimator.__name__}"


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


DROP_INS = tuple(both.args[1])
OF_THE_TASK = {
    (DROP_INS, "Parameters"): ["loss", "scoring"],
    (DROP_INS, "Attributes"): ["loss_", "n_outputs_", "out_activation_"],
    (for_tables, "Parameters"): ["scoring", "activation", "learning_rate_init"],  # their presets differ
    (for_tables, "Attributes"): ["n_outputs_", "history_", "validation_loss_curve_"],
}
"""What is described in other words for classes than for numbers."""


def assert_same(objects, section, excluded, **settings):
    """That a section says the same of all entries that all objects have, but for those excluded."""
    which = {"Parameters": "params", "Attributes": "attrs"}[section]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Checking was skipped")  # what only one of them has
        assert_docstring_consistency(
            objects, **{f"include_{which}": True, f"exclude_{which}": excluded}, **settings
        )


@pytest.mark.parametrize(("family", "section"), OF_THE_TASK, ids=["drop-in", "drop-in", "table", "table"])
def test_classifier_and_regressor_describe_alike_what_they_share(family, section):
    assert_same(family, section, OF_THE_TASK[family, section])
    # what is described in other words has the same type nevertheless, but for the names of losses
    assert_same(family, section, ["loss"] if section == "Parameters" else [], descr_regex_pattern=r"\w")


WIDER = {
    "hidden_layer_sizes": "one int is one hidden layer",
    "activation": "more names, objects, and one for each layer",
    "solver": "more names, and objects",
    "learning_rate": "more names, objects and functions",
    "loss": "more names, and objects",
    "batch_size": "'auto' is named",
    "n_iter_no_change": "inf, which scikit-learn takes too, is named",
    "best_loss_": "None with `early_stopping`, as in scikit-learn, is named",
    "loss_curve_": "says what the list holds",
    "validation_scores_": "says what the list holds",
    "coefs_": "says what the list holds",
    "intercepts_": "says what the list holds",
}
"""Where the type in our docstring differs from that in scikit-learn's, and why."""


@pytest.mark.parametrize(
    "pair",
    [(ScratchMLPClassifier, MLPClassifier), (ScratchMLPRegressor, MLPRegressor)],
    ids=lambda pair: pair[0].__name__,
)
@pytest.mark.parametrize("section", ["Parameters", "Attributes"])
def test_types_and_defaults_are_those_of_scikit_learn(pair, section):
    docscrape = pytest.importorskip("numpydoc.docscrape")
    ours, theirs = ({entry.name: entry.type for entry in docscrape.ClassDoc(kind)[section]} for kind in pair)
    assert theirs.keys() <= ours.keys()
    assert_same(list(pair), section, [], descr_regex_pattern=r"\w", ignore_types=tuple(WIDER))
    for name in theirs.keys() & WIDER.keys():
        assert ours[name].partition("default=")[2] == theirs[name].partition("default=")[2]


def test_every_type_that_differs_from_scikit_learns_still_does():
    docscrape = pytest.importorskip("numpydoc.docscrape")
    different = set()
    for pair in ((ScratchMLPClassifier, MLPClassifier), (ScratchMLPRegressor, MLPRegressor)):
        for section in ("Parameters", "Attributes"):
            ours, theirs = ({p.name: p.type for p in docscrape.ClassDoc(kind)[section]} for kind in pair)
            different |= {name for name in theirs if ours[name] != theirs[name]}
    assert different == WIDER.keys()


@pytest.mark.parametrize(
    ("estimator", "presets"),
    [(ScratchRealMLPClassifier, CLASSIFIER_PRESETS), (ScratchRealMLPRegressor, REGRESSOR_PRESETS)],
)
def test_what_none_means_is_the_value_of_each_preset(estimator, presets):
    value, preset_names = r"((?:\(.+?\)|[^\s,(])+)", r"('[\w-]+'(?: and '[\w-]+')*)"
    said = {}
    for names, _, description in entries(estimator, "Parameters"):
        text = " ".join(description.split())
        if alike := re.search(rf"None means {value} in all presets", text):
            said[names[0]] = dict.fromkeys(presets, alike[1])
        elif others := re.search(rf"None means {value}((?:,| and) {value} in {preset_names})+", text):
            said[names[0]] = dict.fromkeys(presets, others[1])
            for other, which in re.findall(rf"(?:,| and) {value} in {preset_names}", others[0]):
                said[names[0]] |= dict.fromkeys(re.findall("'(.+?)'", which), other)
    chosen = {name for name in vars(presets["td"]) if name in estimator().get_params()}
    assert said.keys() == chosen
    for name, values in said.items():
        for preset, text in values.items():
            value = float("inf") if text == "inf" else ast.literal_eval(text)
            assert value == getattr(presets[preset], name), f"{name} of {preset}"
