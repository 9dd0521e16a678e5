"""Validation data of one's own, what is measured on them, and stopping by it."""

import copy

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.datasets import make_classification, make_regression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    log_loss,
    make_scorer,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, LABELS = make_classification(
    150, 6, n_informative=4, n_redundant=0, n_classes=3, n_clusters_per_class=1, flip_y=0.1, random_state=0
)
NUMBERS = make_regression(150, 6, noise=20.0, random_state=0)[1]
NUMBERS = NUMBERS / NUMBERS.std() + 0.5 * X[:, 0]
NAMES = np.array(["a", "b", "c"])[LABELS]
INDICATOR = np.column_stack([LABELS == 0, LABELS != 2]).astype(int)
CLASSES = np.column_stack([LABELS, LABELS[::-1]])
WEIGHT = np.random.RandomState(0).uniform(0.1, 2.0, 150)
TRAIN, VAL = np.arange(90), np.arange(90, 150)

TARGETS = {
    "classes": (ScratchMLPClassifier, NAMES),
    "two classes": (ScratchMLPClassifier, NAMES == "a"),
    "labels": (ScratchMLPClassifier, INDICATOR),
    "columns of classes": (ScratchMLPClassifier, CLASSES),
    "numbers": (ScratchMLPRegressor, NUMBERS),
    "columns of numbers": (ScratchMLPRegressor, np.column_stack([NUMBERS, X[:, 0]])),
}
each_target = pytest.mark.parametrize("target", TARGETS)
each_solver = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
both = pytest.mark.parametrize("target", ["classes", "numbers"])


def unfitted(target, **params):
    kind = TARGETS[target][0]
    return kind(
        **{"hidden_layer_sizes": (8,), "max_iter": 12, "learning_rate_init": 0.01, "random_state": 0} | params
    )


def fitted(target, rows=VAL, weight=None, **params):
    y = TARGETS[target][1]
    given = {} if weight is None else {"sample_weight_val": weight[rows]}
    return unfitted(target, **params).fit(X[TRAIN], y[TRAIN], X_val=X[rows], y_val=y[rows], **given)


def weights(model):
    return [*model.coefs_, *model.intercepts_]


def assert_same_weights(first, second):
    for a, b in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(a, b)


@each_target
@pytest.mark.parametrize(
    "settings",
    [*({"solver": solver} for solver in ("adam", "sgd", "lbfgs")), {"dropout": 0.3}, {"scoring": "loss"}],
    ids=str,
)
def test_without_early_stopping_they_change_nothing_in_the_model(target, settings):
    y = TARGETS[target][1]
    watched = fitted(target, batch_size=32, **settings)
    alone = unfitted(target, batch_size=32, **settings).fit(X[TRAIN], y[TRAIN])
    assert_same_weights(watched, alone)
    assert watched.loss_curve_ == alone.loss_curve_
    assert watched.n_iter_ == alone.n_iter_
    assert alone.validation_loss_curve_ is alone.validation_scores_ is None
    assert len(watched.validation_loss_curve_) == len(watched.validation_scores_) == watched.n_iter_
    assert watched.best_iter_ is watched.best_validation_score_ is None


@both
def test_without_early_stopping_a_plateau_is_one_of_the_training_loss(target, capsys):
    model = fitted(target, tol=10.0, n_iter_no_change=2, verbose=True)
    assert model.n_iter_ == 4
    assert "Training loss did not improve" in capsys.readouterr().out
    fitted(target, tol=10.0, n_iter_no_change=2, verbose=True, early_stopping=True)
    assert "Validation score did not improve" in capsys.readouterr().out


@each_solver
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
def test_the_curves_end_in_the_loss_and_score_of_the_fitted_classifier(solver, weight):
    model = fitted("classes", weight=weight, solver=solver)
    sample_weight = None if weight is None else weight[VAL]
    expected = log_loss(NAMES[VAL], model.predict_proba(X[VAL]), sample_weight=sample_weight)
    assert model.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-10)
    assert model.validation_scores_[-1] == model.score(X[VAL], NAMES[VAL], sample_weight)


@each_solver
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
@pytest.mark.parametrize("target", ["numbers", "columns of numbers"])
def test_the_curves_end_in_the_loss_and_score_of_the_fitted_regressor(target, solver, weight):
    model, y = fitted(target, weight=weight, solver=solver), TARGETS[target][1]
    sample_weight = None if weight is None else weight[VAL]
    error = mean_squared_error(y[VAL], model.predict(X[VAL]), sample_weight=sample_weight)
    assert model.validation_loss_curve_[-1] == pytest.approx(error / 2, rel=1e-10)
    expected = model.score(X[VAL], y[VAL], sample_weight)
    assert model.validation_scores_[-1] == pytest.approx(expected, rel=1e-10)


def test_on_the_training_data_the_loss_is_the_training_loss_without_penalty():
    model = fitted("numbers", rows=TRAIN, solver="lbfgs", alpha=0)
    assert model.validation_loss_curve_ == pytest.approx(model.loss_curve_, rel=1e-12)


@each_target
@each_solver
def test_early_stopping_gives_back_the_weights_of_the_best_epoch(target, solver):
    settings = {"solver": solver, "early_stopping": True, "scoring": "loss", "tol": 0}
    settings |= {"learning_rate_init": 0.1 if solver != "sgd" else 0.3, "n_iter_no_change": 3}
    model = fitted(target, max_iter=200, **settings)
    assert model.best_iter_ + 4 == model.n_iter_ < 200
    assert model.best_iter_ == 1 + int(np.argmax(model.validation_scores_))
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert_same_weights(model, fitted(target, **settings | {"max_iter": model.best_iter_}))
    without = {"early_stopping": False, "max_iter": model.best_iter_, "tol": 1e-10}
    assert_same_weights(model, fitted(target, **settings | without))


@both
@each_solver
def test_early_stopping_trains_on_all_of_x_and_needs_no_validation_fraction(target, solver):
    y = TARGETS[target][1]
    model = unfitted(target, early_stopping=True, validation_fraction=0, solver=solver, n_iter_no_change=50)
    model.fit(X[TRAIN], y[TRAIN], X_val=X[TRAIN], y_val=y[TRAIN])
    with pytest.raises(ValueError, match="validation set is too small"):
        model.fit(X[TRAIN], y[TRAIN])
    alone = unfitted(target, solver=solver, max_iter=model.best_iter_).fit(X[TRAIN], y[TRAIN])
    assert_same_weights(model, alone)
    assert model.t_ == (0 if solver == "lbfgs" else 90 * model.n_iter_)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_of_rows_held_out_by_the_fit_itself_there_are_the_same_measurements(solver):
    model = unfitted("numbers", solver=solver, early_stopping=True, scoring="loss").fit(X, NUMBERS)
    assert model.validation_scores_ == [-loss for loss in model.validation_loss_curve_]
    assert len(model.validation_scores_) == model.n_iter_
    assert model.validation_scores_[model.best_iter_ - 1] == model.best_validation_score_


SCORINGS = [
    (
        "classes",
        "balanced_accuracy",
        lambda model: balanced_accuracy_score(NAMES[VAL], model.predict(X[VAL])),
    ),
    (
        "classes",
        "neg_log_loss",
        lambda model: -log_loss(NAMES[VAL], model.predict_proba(X[VAL])),
    ),
    ("labels", "accuracy", lambda model: accuracy_score(INDICATOR[VAL], model.predict(X[VAL]))),
    (
        "numbers",
        "neg_mean_absolute_error",
        lambda model: -mean_absolute_error(NUMBERS[VAL], model.predict(X[VAL])),
    ),
    (
        "numbers",
        make_scorer(mean_absolute_error, greater_is_better=False),
        lambda model: -mean_absolute_error(NUMBERS[VAL], model.predict(X[VAL])),
    ),
    (
        "columns of classes",
        lambda model, X, y: (model.predict(X) == y).mean(),
        lambda model: (model.predict(X[VAL]) == CLASSES[VAL]).mean(),
    ),
]


@pytest.mark.parametrize(("target", "scoring", "expected"), SCORINGS, ids=range(len(SCORINGS)))
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_scorers_see_the_model_as_it_is_and_the_labels_as_they_were_given(target, scoring, expected, solver):
    model = fitted(target, scoring=scoring, solver=solver)
    assert model.validation_scores_[-1] == pytest.approx(expected(model), rel=1e-10)
    first = fitted(target, scoring=scoring, solver=solver, max_iter=1)
    assert model.validation_scores_[0] == pytest.approx(expected(first), rel=1e-10)


def test_the_score_by_default_is_accuracy_the_negative_loss_or_r2():
    assert all(type(score) is float for score in fitted("classes").validation_scores_)
    labels = fitted("labels")
    assert labels.validation_scores_ == [-loss for loss in labels.validation_loss_curve_]
    quantile = fitted("numbers", loss="quantile")
    assert quantile.validation_scores_ == [-loss for loss in quantile.validation_loss_curve_]
    numbers = fitted("numbers")
    assert numbers.validation_scores_[-1] == pytest.approx(r2_score(NUMBERS[VAL], numbers.predict(X[VAL])))


def test_scorers_get_the_weights_of_validation_rows():
    model = fitted("classes", weight=WEIGHT, scoring="accuracy")
    assert model.validation_scores_[-1] == model.score(X[VAL], NAMES[VAL], WEIGHT[VAL])
    assert model.validation_scores_ != fitted("classes", scoring="accuracy").validation_scores_


def test_weights_of_two_are_rows_repeated():
    times = np.where(np.arange(60) % 3 == 0, 2, 1)
    weighted = fitted("numbers", weight=np.concatenate([np.ones(90), times]))
    repeated = fitted("numbers", rows=VAL.repeat(times))
    assert weighted.validation_loss_curve_ == pytest.approx(repeated.validation_loss_curve_, rel=1e-10)
    assert weighted.validation_scores_ == pytest.approx(repeated.validation_scores_, rel=1e-10)


def test_they_may_be_sparse_frames_or_float32_and_lack_classes():
    dense = fitted("classes")
    sparse = unfitted("classes").fit(X[TRAIN], NAMES[TRAIN], X_val=csr_matrix(X[VAL]), y_val=NAMES[VAL])
    assert sparse.validation_loss_curve_ == pytest.approx(dense.validation_loss_curve_, rel=1e-12)
    frame, column = pd.DataFrame(X).add_prefix("x"), pd.Series(NAMES)
    framed = unfitted("classes", scoring="accuracy")
    framed.fit(frame.iloc[TRAIN], column.iloc[TRAIN], X_val=frame.iloc[VAL], y_val=column.iloc[VAL])
    assert framed.validation_loss_curve_ == dense.validation_loss_curve_
    narrow = unfitted("classes", dtype="float32").fit(X[TRAIN], NAMES[TRAIN], X_val=X[VAL], y_val=NAMES[VAL])
    assert narrow.validation_loss_curve_ == pytest.approx(dense.validation_loss_curve_, rel=1e-4)
    only_a = VAL[NAMES[VAL] == "a"]
    assert len(fitted("classes", rows=only_a, class_weight="balanced").validation_scores_) == 12
    zeros_and_ones = VAL[(CLASSES[VAL] < 2).all(axis=1)]
    assert len(fitted("columns of classes", rows=zeros_and_ones).validation_scores_) == 12


def test_a_pipeline_transforms_them_if_it_is_told_to():
    with config_context(enable_metadata_routing=True):
        network = unfitted("classes", early_stopping=True, scoring="loss")
        network.set_fit_request(X_val=True, y_val=True, sample_weight_val=True)
        model = Pipeline([("scale", StandardScaler()), ("network", network)], transform_input=["X_val"])
        given = {"X_val": 9 * X[VAL] + 5, "y_val": NAMES[VAL], "sample_weight_val": WEIGHT[VAL]}
        model.fit(9 * X[TRAIN] + 5, NAMES[TRAIN], **given)
    scaler = StandardScaler().fit(9 * X[TRAIN] + 5)
    by_hand = unfitted("classes", early_stopping=True, scoring="loss")
    given["X_val"] = scaler.transform(given["X_val"])
    by_hand.fit(scaler.transform(9 * X[TRAIN] + 5), NAMES[TRAIN], **given)
    assert model[-1].validation_loss_curve_ == by_hand.validation_loss_curve_
    assert_same_weights(model[-1], by_hand)


def test_weights_of_classes_are_those_of_the_training_data():
    rows = VAL[NAMES[VAL] != "c"]
    counts = {label: (NAMES[TRAIN] == label).sum() for label in "abc"}
    of_class = np.array([90 / (3 * counts[label]) for label in NAMES[rows]])
    model = fitted("classes", rows=rows, class_weight="balanced")
    expected = log_loss(
        NAMES[rows], model.predict_proba(X[rows]), sample_weight=of_class, labels=model.classes_
    )
    assert model.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-10)


def test_a_warm_start_appends_and_keeps_the_best_weights_of_before():
    settings = {"early_stopping": True, "scoring": "loss", "warm_start": True}
    model = fitted("numbers", **settings)
    best, kept = model.best_iter_, copy.copy(model)
    model.set_params(learning_rate_init=3.0, max_iter=2)
    model.fit(X[TRAIN], NUMBERS[TRAIN], X_val=X[VAL], y_val=NUMBERS[VAL])
    assert len(model.validation_scores_) == len(model.validation_loss_curve_) == 14
    assert model.best_iter_ == best == 1 + int(np.argmax(model.validation_scores_))
    assert_same_weights(model, kept)


BAD = {
    "y_val is missing": ({"X_val": X[VAL]}, "y_val is None"),
    "X_val is missing": ({"y_val": NAMES[VAL]}, "X_val is None"),
    "only weights": ({"sample_weight_val": WEIGHT[VAL]}, "X_val is None"),
    "unseen label": ({"X_val": X[VAL], "y_val": np.where(VAL == 99, "d", NAMES[VAL])}, "classes not in"),
    "labels of another kind": ({"X_val": X[VAL], "y_val": LABELS[VAL]}, "do not match X and y"),
    "numbers": ({"X_val": X[VAL], "y_val": NUMBERS[VAL]}, "do not match X and y"),
    "several columns": ({"X_val": X[VAL], "y_val": INDICATOR[VAL]}, "single-label to multilabel"),
    "features": ({"X_val": X[VAL, :5], "y_val": NAMES[VAL]}, "5 features"),
    "rows": ({"X_val": X[VAL], "y_val": NAMES[TRAIN]}, "inconsistent numbers of samples"),
    "no rows": ({"X_val": X[:0], "y_val": NAMES[:0]}, "0 sample"),
    "missing value": ({"X_val": np.where(X > 2, np.nan, X), "y_val": NAMES}, "NaN"),
    "words": ({"X_val": NAMES[VAL, np.newaxis], "y_val": NAMES[VAL]}, "X does not hold numbers"),
    "negative weights": (
        {"X_val": X[VAL], "y_val": NAMES[VAL], "sample_weight_val": -WEIGHT[VAL]},
        "Negative values",
    ),
    "no weights": (
        {"X_val": X[VAL], "y_val": NAMES[VAL], "sample_weight_val": 0 * WEIGHT[VAL]},
        "at least one non-zero number",
    ),
}


@pytest.mark.parametrize("before", ["unfitted", "fitted", "warm"])
@pytest.mark.parametrize(("given", "message"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused_before_training(given, message, before, capsys):
    model = unfitted("classes", early_stopping=True, warm_start=before == "warm", max_iter=2)
    if before != "unfitted":
        model.fit(X, NAMES)
    model.set_params(verbose=True)
    state = copy.deepcopy(vars(model))
    with pytest.raises(ValueError, match=message):
        model.fit(X[TRAIN], NAMES[TRAIN], **given)
    assert capsys.readouterr().out == ""
    assert vars(model).keys() == state.keys()
    assert getattr(model, "loss_curve_", None) == state.get("loss_curve_")
    if before != "unfitted":
        for array, kept in zip(model.coefs_, state["coefs_"], strict=True):
            np.testing.assert_array_equal(array, kept)


def test_names_of_columns_must_be_those_of_the_training_data():
    frame = pd.DataFrame(X).add_prefix("x")
    model = unfitted("classes")
    with pytest.raises(ValueError, match="feature names should match"):
        model.fit(frame, NAMES, X_val=frame.add_prefix("other_"), y_val=NAMES)
    assert not hasattr(model, "feature_names_in_")
    with pytest.raises(ValueError, match="feature names should match"):
        model.fit(frame, NAMES, X_val=frame[frame.columns[::-1]], y_val=NAMES)


def test_the_number_of_targets_and_their_range_must_be_those_of_the_training_data():
    given = {"X_val": X, "y_val": np.column_stack([NUMBERS, NUMBERS])}
    with pytest.raises(ValueError, match="2 outputs, but the fitted network has 1"):
        unfitted("numbers").fit(X, NUMBERS, **given)
    with pytest.raises(ValueError, match="must not be negative"):
        unfitted("numbers", loss="poisson").fit(X, np.abs(NUMBERS), X_val=X, y_val=NUMBERS)
    with pytest.raises(ValueError, match="multioutput to single-label"):
        unfitted("columns of classes").fit(X, CLASSES, X_val=X, y_val=LABELS)


@pytest.mark.parametrize("scoring", ["nonsense", 3])
def test_a_scoring_that_is_none_is_refused(scoring):
    with pytest.raises(ValueError, match="'scoring' parameter"):
        fitted("classes", scoring=scoring)


def test_what_a_scorer_raises_leaves_the_estimator_as_it_was():
    def broken(model, X, y):
        raise RuntimeError("no score")

    model = unfitted("classes", scoring=broken)
    with pytest.raises(RuntimeError, match="no score"):
        model.fit(X, NAMES, X_val=X, y_val=NAMES)
    assert not hasattr(model, "coefs_")
