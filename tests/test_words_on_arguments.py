"""What a wrong argument is answered with: the same words in both families."""

import inspect
import pickle
import re

import numpy as np
import pytest
from helpers.families import LABELS, X, each_kind, fitted, targets, unfitted
from sklearn.base import clone

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor, ScratchRealMLPRegressor
from sknn_scratch.fitting._arguments import _SYNONYMS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def calls_with(kind, name):
    """Each way to hand over an argument that does not exist, and the error that it gives."""
    yield lambda: kind(**{name: 1}), TypeError
    yield lambda: unfitted(kind).fit(X, targets(kind), **{name: 1}), TypeError
    yield lambda: unfitted(kind).set_params(**{name: 1}), ValueError
    if hasattr(kind, "partial_fit"):
        yield lambda: unfitted(kind).partial_fit(X, targets(kind), **{name: 1}), TypeError


MEANINGS = {
    "eval_set": "X_val= and y_val= of fit",
    "validation_data": "X_val= and y_val= of fit",
    "X_test": "X_val= and y_val= of fit",
    "sample_weights": "sample_weight= of fit",
    "callbacks": "the method set_callbacks(...)",
    "epochs": "max_iter= of {kind}",
    "n_epochs": "max_iter= of {kind}",
    "n_estimators": "max_iter= of {kind}",
    "lr": "learning_rate_init= of {kind}",
    "units": "hidden_layer_sizes= of {kind}",
    "hidden_dims": "hidden_layer_sizes= of {kind}",
    "patience": "n_iter_no_change= and early_stopping=True of {kind}",
    "activatoin": "activation= of {kind}",
}


@each_kind
@pytest.mark.parametrize("name", MEANINGS)
def test_an_unknown_argument_is_answered_with_what_it_means(kind, name):
    meaning = MEANINGS[name].format(kind=kind.__name__)
    for call, error in calls_with(kind, name):
        with pytest.raises(error, match=re.escape(f"'{name}' (use {meaning})")) as raised:
            call()
        assert kind.__name__ in str(raised.value)
        assert not re.search(r"MLPSettings|BaseScratchMLP|BaseRealMLP|TabularSettings", str(raised.value))


def test_the_penalty_has_another_name_in_each_family():
    with pytest.raises(TypeError, match=r"alpha= or solver=AdamW\(weight_decay=...\) of ScratchMLPRegressor"):
        ScratchMLPRegressor(weight_decay=0.1)
    with pytest.raises(TypeError, match="weight_decay= of ScratchRealMLPRegressor"):
        ScratchRealMLPRegressor(alpha=0.1)


@each_kind
def test_every_suggestion_is_something_that_the_class_has(kind):
    allowed = {*kind().get_params(), *inspect.signature(kind.fit).parameters}
    for name in {synonym for synonyms in _SYNONYMS.values() for synonym in synonyms} - allowed:
        with pytest.raises(TypeError) as raised:
            kind(**{name: 1})
        hint = str(raised.value).partition("(use ")[2].replace("AdamW(weight_decay=...)", "")
        assert set(re.findall(r"(\w+)=", hint)) <= allowed
    assert hasattr(kind(), "set_callbacks")


@each_kind
def test_an_argument_without_a_meaning_is_refused_without_a_suggestion(kind):
    with pytest.raises(TypeError, match=f"{kind.__name__}.* unexpected keyword argument 'qwertyuiop'.$"):
        kind(qwertyuiop=1)


@each_kind
def test_all_unknown_arguments_are_named_at_once(kind):
    with pytest.raises(TypeError, match=r"'epochs' \(use max_iter=.*'lr' \(use learning_rate_init="):
        kind(epochs=3, lr=0.1)
    model = unfitted(kind)
    with pytest.raises(ValueError, match=r"'epochs' \(use max_iter=.*'lr' \(use learning_rate_init=.*Valid"):
        model.set_params(epochs=3, lr=0.1, max_iter=7)
    assert model.max_iter == 2


@each_kind
def test_a_parameter_in_fit_and_validation_data_in_the_constructor_are_sent_where_they_belong(kind):
    with pytest.raises(TypeError, match=rf"'max_iter' \(use max_iter= of {kind.__name__}\)"):
        unfitted(kind).fit(X, targets(kind), max_iter=3)
    with pytest.raises(TypeError, match=r"'X_val' \(use X_val= and y_val= of fit\)"):
        kind(X_val=X)


@each_kind
def test_too_many_and_missing_arguments_name_the_public_class(kind):
    with pytest.raises(TypeError, match=rf"^{kind.__name__}\(\): too many .* Give by name: .*max_iter"):
        kind(1, 2, 3, 4)
    with pytest.raises(TypeError, match=rf"^{kind.__name__}.fit\(\): too many .* Give by name: X_val"):
        unfitted(kind).fit(X, targets(kind), None, X)
    with pytest.raises(TypeError, match=rf"^{kind.__name__}.fit\(\): missing a required argument: 'y'.$"):
        unfitted(kind).fit(X)


@each_kind
def test_a_type_error_of_another_cause_stays_what_it_is(kind):
    def broken(progress):
        raise TypeError("out of paper")

    with pytest.raises(TypeError, match="^out of paper$"):
        fitted(kind, learning_rate=broken)


@each_kind
def test_signatures_are_true(kind):
    for function in (kind, kind.__init__, kind.fit):
        parameters = inspect.signature(function).parameters.values()
        assert {one.kind for one in parameters} <= {
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
        }
    names = list(inspect.signature(kind).parameters)
    assert sorted(names) == sorted(kind().get_params()) == kind._get_param_names()


class Smaller(ScratchMLPClassifier):
    """A user's own class."""

    def __init__(self, n_units=3, *, max_iter=2, random_state=0):
        super().__init__((n_units,), max_iter=max_iter, random_state=random_state)
        self.n_units = n_units


class Renamed(ScratchRealMLPRegressor):
    """A user's own class with the same parameters."""


def test_users_can_derive_classes_of_their_own():
    model = clone(Smaller(5)).fit(X, LABELS)
    assert model.coefs_[0].shape == (2, 5)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert set(model.get_params()) == {"n_units", "max_iter", "random_state"}
    with pytest.raises(TypeError, match=r"Renamed\(\) .*use max_iter= of Renamed"):
        Renamed(epochs=3)
