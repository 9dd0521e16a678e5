"""What a wrong argument, parameter or column is answered with: the same words in both families."""

import inspect
import pickle
import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone, is_classifier
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import GridSearchCV

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
)
from sknn_scratch.core import (
    Adam,
    BinaryLogLoss,
    Cosine,
    Exponential,
    Huber,
    LeakyReLU,
    LogLoss,
    Loss,
    Quantile,
    Uniform,
)
from sknn_scratch.fitting._arguments import _SYNONYMS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DROP_INS = [ScratchMLPClassifier, ScratchMLPRegressor]
TABLES = [ScratchRealMLPClassifier, ScratchRealMLPRegressor]
CLASSIFIERS = [ScratchMLPClassifier, ScratchRealMLPClassifier]
REGRESSORS = [ScratchMLPRegressor, ScratchRealMLPRegressor]

KINDS = DROP_INS + TABLES
each_kind = pytest.mark.parametrize("kind", KINDS)
each_drop_in = pytest.mark.parametrize("kind", DROP_INS)
each_classifier = pytest.mark.parametrize("kind", CLASSIFIERS)
each_regressor = pytest.mark.parametrize("kind", REGRESSORS)

RNG = np.random.RandomState(0)
X = pd.DataFrame({"a": RNG.normal(size=60), "b": RNG.normal(size=60)})
LABELS = np.where(X["a"] > 0, "yes", "no").astype(object)
NUMBERS = X["a"].to_numpy()


def unfitted(kind, **params):
    return kind(**{"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0} | params)


def targets(kind):
    return LABELS if kind in CLASSIFIERS else NUMBERS


def fitted(kind, **params):
    return unfitted(kind, **params).fit(X, targets(kind))


def predictions(model):
    return model.predict_proba(X) if is_classifier(model) else model.predict(X)


def takes_objects(kind, parameter):
    allowed = kind._parameter_constraints.get(parameter, ())
    return any(isinstance(one, type) or one is callable for one in allowed)


def changed(values, value, row=3):
    values = values.copy()
    values[row] = value
    return values


# Arguments


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


# Parameters


@each_kind
def test_a_learning_rate_that_is_a_number_is_sent_to_learning_rate_init(kind):
    with pytest.raises(ValueError, match=r"learning_rate.* Got 0.01 .*learning_rate_init=0.01"):
        fitted(kind, learning_rate=0.01)


@pytest.mark.parametrize("kind", [ScratchMLPRegressor, *TABLES])
@pytest.mark.parametrize("sizes", [(32,), [32, 16], 32])
def test_sizes_of_layers_by_position_are_sent_to_their_name(kind, sizes):
    with pytest.raises(ValueError, match=re.escape(f"by name: hidden_layer_sizes={sizes!r}")):
        kind(sizes).fit(X, targets(kind))


CLASSES = {
    "activation": LeakyReLU,
    "learning_rate": Cosine,
    "regularization": Cosine,
    "solver": Adam,
    "loss": Huber,
    "weight_init": Uniform,
}


@pytest.mark.parametrize(
    ("kind", "parameter"), [(kind, name) for kind in KINDS for name in CLASSES if takes_objects(kind, name)]
)
def test_a_class_in_place_of_an_object_is_answered_alike_everywhere(kind, parameter):
    cls = CLASSES[parameter]
    with pytest.raises(
        ValueError, match=rf"{parameter} .* the class {cls.__name__}: write {cls.__name__}\(\)"
    ):
        fitted(kind, **{parameter: cls})


@each_kind
def test_settings_changed_behind_their_back_are_checked_at_fit(kind):
    for parameter, good, setting in [
        ("activation", LeakyReLU(), "negative_slope"),
        ("learning_rate", Exponential(), "decay"),
    ]:
        setattr(good, setting, "nonsense")
        with pytest.raises(ValueError, match=f"'{setting}' of {type(good).__name__}"):
            fitted(kind, **{parameter: good})


@each_kind
def test_unknown_scorers_are_answered_with_those_of_the_task(kind):
    other = "r2" if kind in CLASSIFIERS else "accuracy"
    for scoring in ("nonsense", other, "rand_score"):
        with pytest.raises(ValueError, match=f"'scoring' parameter of {kind.__name__}.*'loss'") as raised:
            fitted(kind, scoring=scoring)
        listed = set(re.findall(r"'(\w+)'", str(raised.value).partition("among")[2])) - {scoring}
        of_classes = {"accuracy", "roc_auc", "f1_macro", "neg_log_loss", "positive_likelihood_ratio"}
        of_numbers = {"r2", "neg_mean_squared_error", "neg_mean_gamma_deviance", "explained_variance"}
        mine, others = (of_classes, of_numbers) if kind in CLASSIFIERS else (of_numbers, of_classes)
        assert mine | {"loss"} <= listed
        assert not others & listed


def test_each_scorer_but_those_of_clusters_belongs_to_one_task():
    options = [kind._parameter_constraints["scoring"][0].options - {"loss"} for kind in DROP_INS]
    clusters = {name for name in get_scorer_names() if name.endswith("_score") and "d2" not in name}
    assert not options[0] & options[1]
    assert options[0] | options[1] | clusters == set(get_scorer_names())
    for drop_in, table in zip(DROP_INS, TABLES, strict=True):
        assert drop_in._parameter_constraints["scoring"] == table._parameter_constraints["scoring"]


@each_regressor
def test_predict_quantiles_says_which_loss_it_needs(kind):
    for model in (unfitted(kind), fitted(kind)):
        assert not hasattr(model, "predict_quantiles")
        with pytest.raises(
            AttributeError, match=r"predict_quantiles.* loss=Quantile\(\[.*got loss=.*fit again"
        ):
            model.predict_quantiles(X)


# Objects are the user's: what becomes of them later changes no fitted model

OBJECTS = {
    "activation": (lambda: LeakyReLU(0.1), "negative_slope", 0.9),
    "learning_rate": (lambda: Exponential(0.9), "decay", 0.1),
    "regularization": (lambda: Exponential(0.9), "decay", 0.1),
    "solver": (lambda: Adam(beta_1=0.9), "beta_1", 0.1),
    "weight_init": (lambda: Uniform(-0.5, 0.5), "high", 2.0),
    "loss": (lambda: Quantile([0.2, 0.8]), "level", [0.6, 0.9]),
}


@pytest.mark.parametrize(
    ("kind", "parameter"), [(kind, name) for kind in KINDS for name in OBJECTS if takes_objects(kind, name)]
)
@pytest.mark.parametrize("by_set_params", [True, False])
def test_a_fitted_model_does_not_change_with_the_users_object(kind, parameter, by_set_params):
    make, setting, value = OBJECTS[parameter]
    if parameter == "loss" and kind in CLASSIFIERS:
        make, setting, value = lambda: LogLoss(0.1), "label_smoothing", 0.5
    given = make()
    model = fitted(kind, **{parameter: given})
    assert getattr(model, parameter) is given  # scikit-learn's rule
    before = predictions(model)
    if by_set_params:
        model.set_params(**{f"{parameter}__{setting}": value})
    else:
        setattr(given, setting, value)
    assert getattr(getattr(model, parameter), setting) == value
    np.testing.assert_array_equal(predictions(model), before)
    np.testing.assert_array_equal(predictions(pickle.loads(pickle.dumps(model))), before)


@dataclass
class Tempered(Loss):
    """A user's loss whose predictions depend on a setting."""

    link_inverse: ClassVar[str] = "logistic"
    temperature: float = 1.0

    def value_and_gradient(self, raw, y, weight, out, per_row):
        return BinaryLogLoss().value_and_gradient(raw, y, weight, out, per_row)

    def predict(self, raw, out):
        BinaryLogLoss().predict(raw / self.temperature, out)


def test_a_fitted_classifier_does_not_change_with_a_loss_of_the_users_own():
    model = fitted(ScratchMLPClassifier, loss=Tempered())
    before = predictions(model)
    model.set_params(loss__temperature=9.0)
    np.testing.assert_array_equal(predictions(model), before)


@each_drop_in
@pytest.mark.parametrize("parameter", ["learning_rate", "solver"])
def test_training_goes_on_with_the_rules_it_began_with(kind, parameter):
    make, setting, value = OBJECTS[parameter]
    classes = {"classes": ["no", "yes"]} if kind in CLASSIFIERS else {}
    models = []
    for is_changed in (False, True):
        given = make()
        model = unfitted(kind, **{parameter: given}).partial_fit(X, targets(kind), **classes)
        if is_changed:
            setattr(given, setting, value)
        models.append(model.partial_fit(X, targets(kind)))
    rates = [[row["learning_rate"] for row in model.history_] for model in models]
    assert rates[0] == rates[1]
    np.testing.assert_array_equal(*(model.coefs_[0] for model in models))


@each_kind
def test_a_search_reaches_the_settings_of_an_activation(kind):
    model = unfitted(kind, activation=LeakyReLU(0.1))
    assert model.get_params()["activation__negative_slope"] == 0.1
    search = GridSearchCV(model, {"activation__negative_slope": [0.2, 0.7]}, cv=2).fit(X, targets(kind))
    assert search.best_estimator_.activation.negative_slope in (0.2, 0.7)
    assert model.activation == LeakyReLU(0.1)


@each_kind
def test_a_setting_of_a_name_is_refused_and_says_what_to_do(kind):
    model = unfitted(kind, activation="leaky_relu")
    with pytest.raises(
        ValueError, match="activation__negative_slope .*activation='leaky_relu' .*object first"
    ):
        model.set_params(activation__negative_slope=0.2)
    model.set_params(activation=LeakyReLU(), activation__negative_slope=0.2)
    assert model.activation == LeakyReLU(0.2)


# Columns of X


def every_way_in(kind, bad):
    """Fit, predict, partial_fit and X_val with bad data."""
    y, width = targets(kind), bad.shape[1]
    good = X[["a"]] if width == 1 else X
    good = good if hasattr(bad, "columns") else good.to_numpy()
    if hasattr(bad, "columns"):
        good = good.set_axis(bad.columns, axis=1)
    model = unfitted(kind).fit(good, y)
    yield lambda: unfitted(kind).fit(bad, y)
    yield lambda: model.predict(bad)
    yield lambda: model.partial_fit(bad, y)
    yield lambda: unfitted(kind).fit(good, y, X_val=bad, y_val=y)


NOT_FINITE = {
    "NaN": (np.nan, r"X contains NaN, in columns \['{name}'\].*SimpleImputer.*ScratchRealMLP{task}"),
    "inf": (-np.inf, r"X contains infinity .*, in columns \['{name}'\]. Replace"),
}


@each_drop_in
@pytest.mark.parametrize("what", NOT_FINITE)
@pytest.mark.parametrize("library", ["pandas", "polars", "array", "sparse"])
def test_columns_with_gaps_are_named(kind, what, library):
    value, words = NOT_FINITE[what]
    bad = X.assign(b=changed(X["b"], value))
    if library == "polars":
        bad = pytest.importorskip("polars").DataFrame(bad.to_dict("list"))
    elif library != "pandas":
        bad = bad.to_numpy() if library == "array" else csr_matrix(bad.to_numpy())
    name = "x1" if library in ("array", "sparse") else "b"
    match = words.format(name=name, task="Classifier" if kind in CLASSIFIERS else "Regressor")
    with pytest.raises(ValueError, match=match):
        unfitted(kind).fit(bad, targets(kind))
    if library == "pandas":
        for call in every_way_in(kind, bad):
            with pytest.raises(ValueError, match=match):
                call()


def test_numbers_too_large_for_float32_are_named():
    bad = X.assign(b=changed(X["b"], 1e300))
    with pytest.raises(ValueError, match=r"too large for dtype\('float32'\), in columns \['b'\]"):
        unfitted(ScratchMLPRegressor, dtype="float32").fit(bad, NUMBERS)


def test_a_long_list_of_columns_is_cut():
    bad = np.full((60, 8), np.nan)
    with pytest.raises(ValueError, match=r"in columns \['x0', 'x1', 'x2', 'x3', 'x4'\] and 3 more\."):
        unfitted(ScratchMLPRegressor).fit(bad, NUMBERS)


DAYS = pd.date_range("2020-01-01", periods=60).to_series(index=X.index)
TIMES = {
    "date": DAYS,
    "with a time zone": DAYS.dt.tz_localize("UTC"),
    "duration": DAYS - DAYS[0],
    "date as object": DAYS.dt.date,
}


@each_drop_in
@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("is_alone", [True, False])
@pytest.mark.parametrize("library", ["pandas", "polars", "array"])
def test_dates_are_refused_with_the_words_of_the_tables(kind, name, is_alone, library):
    bad = pd.DataFrame({"day": TIMES[name]} | ({} if is_alone else {"b": X["b"]}))
    if library == "polars":
        bad = pytest.importorskip("polars").DataFrame(bad.to_dict("list"))
    elif library == "array":
        bad = bad.to_numpy()
    table = ScratchRealMLPClassifier if kind in CLASSIFIERS else ScratchRealMLPRegressor
    with pytest.raises(ValueError, match="holds dates") as of_table:
        unfitted(table).fit(bad, targets(kind))
    calls = (
        list(every_way_in(kind, bad))
        if library != "polars"
        else [lambda: unfitted(kind).fit(bad, targets(kind))]
    )
    for call in calls:
        with pytest.raises(ValueError, match=re.escape(str(of_table.value))):
            call()


@each_drop_in
def test_other_data_that_are_no_numbers_are_refused_by_name(kind):
    for bad, match in {
        "periods": (X.assign(b=DAYS.dt.to_period("D")), "b"),
        "complex": (X.assign(b=X["b"] * 1j), r"Complex data not supported, in columns \['b'\]"),
        "complex array": (X.to_numpy() * 1j, r"Complex data not supported, in columns \['x0', 'x1'\]"),
    }.values():
        for call in every_way_in(kind, bad):
            with pytest.raises(ValueError, match=match):
                call()
    for bad in ([[np.datetime64("2020-01-01")]] * 60, [[1.0, "Paris"]] * 60):
        with pytest.raises(
            ValueError, match=r"of X holds dates|X does not hold numbers, in columns \['x1'\]"
        ):
            unfitted(kind).fit(bad, targets(kind))


# Targets


NO_LABELS = {
    "None": (changed(LABELS, None), "y contains None: of 60 labels there are 59 str, 1 None"),
    "NaN": (changed(LABELS, np.nan), "y contains NaN: of 60 labels there are 59 str, 1 NaN"),
    "NA": (changed(LABELS, pd.NA), "y contains NA: of 60 labels there are 59 str, 1 NA"),
    "numbers": (changed(LABELS, 1, slice(20)), "y contains int and str|y contains str and int"),
    "number in a list": (changed(LABELS, 1).tolist(), "y contains str and int: .* 59 str, 1 int"),
    "NaN in a list": (changed(LABELS, np.nan).tolist(), "y contains NaN: .* 59 str, 1 NaN"),
    "infinity": (changed(LABELS, np.inf), "y contains str and float: .* 59 str, 1 float"),
    "None among numbers": (
        changed((LABELS == "yes").astype(object), None),
        "y contains None: of 60 labels there are 59 bool, 1 None",
    ),
    "pandas strings": (pd.Series(changed(LABELS, None)).astype("string"), "y contains NA"),
    "pandas integers": (
        pd.Series(changed((LABELS == "no") * 1.0, np.nan)).astype("Int64"),
        "y contains (NaN|NA)",
    ),
    "pandas categories": (pd.Series(changed(LABELS, None)).astype("category"), "y contains NaN"),
    "numbers as objects": ((LABELS == "no").astype(int).astype(object), r"y holds int .*y\.astype\(int\)"),
    "NaN as a number": (changed((LABELS == "no") * 1.0, np.nan), "y contains NaN"),
    "infinity as a number": (changed((LABELS == "no") * 1.0, np.inf), "y contains infinity"),
}


@each_classifier
@pytest.mark.parametrize("name", NO_LABELS)
def test_labels_of_several_kinds_or_missing_are_counted(kind, name):
    y, match = NO_LABELS[name]
    with pytest.raises(ValueError, match=match):
        unfitted(kind).fit(X, y)
    with pytest.raises(ValueError, match=f"X_val, y_val.*({match})"):
        unfitted(kind).fit(X, LABELS, X_val=X, y_val=y)
    if hasattr(kind, "partial_fit"):
        for classes in (None, ["no", "yes"]):
            with pytest.raises(ValueError, match=match if classes else f"{match}|classes must be passed"):
                unfitted(kind).partial_fit(X, y, classes=classes)


def test_the_column_of_labels_is_named():
    y = np.column_stack([LABELS, changed(LABELS, None)])
    with pytest.raises(
        ValueError, match="column 1 of y contains None: of 60 labels there are 59 str, 1 None"
    ):
        unfitted(ScratchMLPClassifier).fit(X, y)
    with pytest.raises(ValueError, match="column 1 of y contains None"):
        unfitted(ScratchMLPClassifier).fit(X, pd.DataFrame(y, dtype=object))


@each_classifier
def test_labels_of_one_kind_are_left_alone(kind):
    yes = LABELS == "yes"
    for y in (
        *(
            LABELS,
            LABELS.tolist(),
            LABELS.astype(str),
            pd.Series(LABELS),
            pd.Series(LABELS, dtype="category"),
        ),
        *(yes, yes.tolist(), yes.astype(int), (yes * 1.0).tolist(), pd.Series(yes * 1, dtype="Int64")),
    ):
        assert unfitted(kind).fit(X, y).score(X, y) >= 0


@each_regressor
@pytest.mark.parametrize(
    ("y", "match"),
    [
        (LABELS, "y must hold numbers: .*'(yes|no)'.*{classifier}"),
        (LABELS.astype(str), "y must hold numbers: .*'(yes|no)'.*{classifier}"),
        (changed(NUMBERS, np.nan), "y contains NaN"),
        (changed(NUMBERS, -np.inf), "y contains infinity"),
        (changed(NUMBERS.astype(object), None), "y contains NaN"),
    ],
)
def test_numbers_are_asked_for_alike(kind, y, match):
    match = match.format(classifier=kind.__name__.replace("Regressor", "Classifier"))
    with pytest.raises(ValueError, match=match):
        unfitted(kind).fit(X, y)


# What float32 cannot hold


@each_kind
@pytest.mark.parametrize("value", [1e-300, 1e300])
def test_weights_that_float32_cannot_hold_are_refused(kind, value):
    precision = {"dtype": "float32"} if kind in DROP_INS else {}
    with pytest.raises(ValueError, match="sample_weight is too (small or )?large for float32.* one factor"):
        unfitted(kind, **precision).fit(X, targets(kind), np.full(60, value))


@each_classifier
def test_class_weights_that_float32_cannot_hold_are_refused(kind):
    precision = {"dtype": "float32"} if kind in DROP_INS else {}
    with pytest.raises(ValueError, match=r"class_weight={'yes': 1e\+300} makes inf"):
        fitted(kind, class_weight={"yes": 1e300}, **precision)


@each_drop_in
def test_first_weights_that_are_not_finite_are_refused(kind):
    with pytest.raises(ValueError, match=r"weight_init=Uniform\(.*\) draws weights .* not finite in float32"):
        fitted(kind, weight_init=Uniform(-1e300, 1e300), dtype="float32")
    with pytest.raises(ValueError, match=r"weight_init=.* draws weights .* not finite in float64"):
        fitted(kind, weight_init=lambda fan_in, fan_out, rng: np.full((fan_in, fan_out), np.nan))
    model = fitted(kind, warm_start=True)
    model.coefs_[0][0, 0] = 1e300
    with pytest.raises(ValueError, match=r"coefs_ or intercepts_ hold weights .* not finite in float32"):
        model.set_params(dtype="float32").fit(X, targets(kind))
