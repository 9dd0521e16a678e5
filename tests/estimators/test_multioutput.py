"""Several columns of classes: one network that answers several questions at once."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor, check_gradients

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, CODES = make_classification(
    150, 6, n_informative=4, n_redundant=0, n_classes=3, n_clusters_per_class=1, class_sep=2.0, random_state=0
)
SIDE = (X[:, 0] > 0).astype(int)
CITY = np.array(["oslo", "rome", "lima"])[CODES]
SIZE = np.array(["small", "large"])[SIDE]

FRAME = pd.DataFrame({"city": CITY, "rooms": CODES + 1, "is_old": SIDE == 1})
TARGETS = {
    "ints": np.column_stack([CODES, 5 * SIDE]),
    "three columns": np.column_stack([CODES, SIDE, CODES == 1]),
    "whole floats": np.column_stack([CODES, SIDE]).astype(float),
    "strings": np.column_stack([CITY, SIZE]),
    "strings as objects": np.column_stack([CITY, SIZE]).astype(object),
    "binary strings": np.column_stack([SIZE, SIZE[::-1]]),
    "strings and numbers": np.column_stack([CITY.astype(object), CODES]),
    "frame": FRAME,
    "frame that begins with numbers": FRAME[["rooms", "is_old", "city"]],
    "frame of numbers and booleans": FRAME[["rooms", "is_old"]],
    "one class in a column": np.column_stack([CODES, np.full(150, 7)]),
}
each_target = pytest.mark.parametrize("y", TARGETS.values(), ids=TARGETS)
each_solver = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
Y = TARGETS["ints"]


def unfitted(**params):
    settings = {"hidden_layer_sizes": (8,), "max_iter": 20, "learning_rate_init": 0.01, "random_state": 0}
    return ScratchMLPClassifier(**settings | params)


def assert_same_model(first, second):
    for a, b in zip(first.coefs_ + first.intercepts_, second.coefs_ + second.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)


@each_target
@each_solver
@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
def test_each_column_has_classes_probabilities_and_scores(y, solver, loss):
    model, table = unfitted(solver=solver, loss=loss).fit(X, y), np.asarray(y)
    columns = range(table.shape[1])
    assert [list(classes) for classes in model.classes_] == [sorted(set(table[:, i])) for i in columns]
    assert model.n_outputs_ == model.coefs_[-1].shape[1] == sum(map(len, model.classes_))
    labels, probabilities = model.predict(X), model.predict_proba(X)
    logarithms, scores = model.predict_log_proba(X), model.decision_function(X)
    assert labels.shape == table.shape
    assert [type(part) for part in (probabilities, logarithms, scores)] == [list] * 3
    for i, classes in enumerate(model.classes_):
        assert scores[i].shape == (150, len(classes))
        np.testing.assert_allclose(probabilities[i], softmax(scores[i], axis=1), rtol=1e-12)
        np.testing.assert_allclose(logarithms[i], log_softmax(scores[i], axis=1), rtol=1e-10, atol=1e-14)
        np.testing.assert_array_equal(labels[:, i], classes[probabilities[i].argmax(axis=1)])
        assert {type(label) for label in labels[:, i].tolist()} <= {type(label) for label in classes.tolist()}


@each_target
def test_they_are_learnt(y):
    model = unfitted(solver="lbfgs", max_iter=200).fit(X, y)
    assert model.score(X, y) > 0.95 or y is TARGETS["binary strings"]  # half of it has nothing to do with X


@each_target
def test_the_score_is_the_share_of_rows_with_all_labels_right(y):
    model, table = unfitted().fit(X, y), np.asarray(y)
    right = [
        all(a == b for a, b in zip(*rows, strict=True)) for rows in zip(model.predict(X), table, strict=True)
    ]
    assert 0 < model.score(X, y) == np.mean(right) < 1
    weight = np.random.RandomState(0).uniform(size=150)
    assert model.score(X, y, weight) == pytest.approx(np.average(right, weights=weight))


def test_the_score_is_that_of_multi_output_classifier():
    separate, ours = MultiOutputClassifier(unfitted()).fit(X, Y), unfitted().fit(X, Y)
    ours.predict = separate.predict  # the same predictions
    assert ours.score(X, Y) == separate.score(X, Y)


@pytest.mark.parametrize("y", [Y[:, 0], Y[:100], Y[:, :1], np.column_stack([Y, Y])])
def test_the_score_of_another_shape_is_refused(y):
    with pytest.raises(ValueError, match=r"shape of the predictions, \(150, 2\)"):
        unfitted().fit(X, Y).score(X, y)


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.parametrize("name", ["ints", "three columns", "frame", "one class in a column"])
def test_the_gradient_is_that_of_the_loss(loss, name):
    y = TARGETS[name].iloc[:20] if name == "frame" else TARGETS[name][:20]
    model = unfitted(loss=loss, activation="tanh", max_iter=3).fit(X[:20], y)
    weight = np.random.RandomState(0).uniform(0.5, 2, 20)
    assert max(check_gradients(model, X[:20], y, weight).values()) < 1e-6


def test_the_loss_is_the_sum_over_columns():
    model = unfitted(solver="lbfgs", alpha=0).fit(X, Y)
    pairs = zip(model.predict_log_proba(X), model.classes_, Y.T, strict=True)
    expected = sum(-p[np.arange(150), np.searchsorted(classes, y)].mean() for p, classes, y in pairs)
    assert model.loss_ == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_equal_columns_are_one_column_learnt_twice(solver):
    # without hidden layers, the columns share nothing
    settings = {
        "hidden_layer_sizes": (),
        "solver": solver,
        "weight_init": "zeros",
        "alpha": 10.0,
        "max_iter": 300,
        "n_iter_no_change": np.inf,
    }
    one = unfitted(**settings).fit(X, CODES)
    two = unfitted(**settings).fit(X, np.column_stack([CODES, CODES]))
    for probabilities in two.predict_proba(X):
        tolerance = 1e-9 if solver == "adam" else 1e-3  # the search of lbfgs is for all columns at once
        np.testing.assert_allclose(probabilities, one.predict_proba(X), atol=tolerance)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("name", ["ints", "frame", "strings"])
def test_early_stopping_watches_the_share_of_rows_all_right(solver, name):
    y = TARGETS[name]
    settings = {"early_stopping": True, "solver": solver, "n_iter_no_change": 3, "max_iter": 60}
    model = unfitted(**settings).fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    assert model.best_validation_score_ == max(model.validation_scores_) == model.score(X[100:], y[100:])
    assert 0 < model.best_validation_score_ <= 1
    own_part = unfitted(**settings, validation_fraction=0.3).fit(X, y)
    assert len(own_part.validation_scores_) == own_part.n_iter_


class TestPartialFit:
    @pytest.mark.parametrize("name", ["ints", "three columns", "strings", "frame", "strings and numbers"])
    def test_a_sequence_of_calls_equals_as_many_epochs_of_fit(self, name):
        y = TARGETS[name]
        whole = unfitted(max_iter=3, shuffle=False, batch_size=50).fit(X, y)
        parts = unfitted(shuffle=False, batch_size=50)
        for _ in range(3):
            parts.partial_fit(X, y, classes=whole.classes_)
        assert_same_model(whole, parts)
        assert parts.loss_curve_ == whole.loss_curve_

    @pytest.mark.parametrize(
        "classes", [[[0, 1, 2], [0, 5]], (np.arange(3), np.array([5, 0])), [(2, 1, 0), (0, 5)]]
    )
    def test_classes_may_be_any_sequences(self, classes):
        model = unfitted().partial_fit(X, Y, classes=classes)
        assert [list(each) for each in model.classes_] == [[0, 1, 2], [0, 5]]
        assert [
            len(p[0]) for p in model.partial_fit(X, Y).partial_fit(X, Y, classes=classes).predict_proba(X)
        ] == [3, 2]

    def test_chunks_may_lack_classes(self):
        y, model = np.column_stack([CODES, SIDE]), unfitted(learning_rate_init=0.05)
        for _ in range(10):
            for k in (0, 1, 2):  # the first two look like yes and no
                model.partial_fit(X[k == CODES], y[k == CODES], classes=[[0, 1, 2], [0, 1]])
        assert [p.shape for p in model.predict_proba(X)] == [(150, 3), (150, 2)]
        assert model.predict(X)[:, 0].max() == 2

    def test_a_row_at_a_time(self):
        model = unfitted()
        for row in range(5):
            model.partial_fit(X[[row]], FRAME.iloc[[row]], classes=[np.unique(FRAME[name]) for name in FRAME])
        assert model.t_ == 5

    @pytest.mark.parametrize(
        ("y", "classes", "message"),
        [
            (Y, None, "classes must be passed on the first call"),
            (Y, [0, 1, 2, 5], "give a list of arrays"),
            (Y, [[0, 1, 2]], "y has 2 columns, but classes has 1"),
            (Y, [[0, 1, 2], [0, 1]], r"Column 1 of y has classes \[0 5\], not all of which are in \[0 1\]"),
            (CODES, [[0, 1, 2], [0, 5]], "does not fit single-label targets"),
        ],
    )
    def test_classes_that_do_not_fit_are_refused(self, y, classes, message):
        model = unfitted()
        with pytest.raises(ValueError, match=message):
            model.partial_fit(X, y, classes=classes)
        assert not hasattr(model, "classes_")

    @pytest.mark.parametrize("classes", [[[0, 1, 2], [0, 5, 6]], [[0, 1, 2]], [0, 1, 2], [["a"], ["b"]]])
    def test_classes_do_not_change_later(self, classes):
        model = unfitted().partial_fit(X, Y, classes=[[0, 1, 2], [0, 5]])
        with pytest.raises(ValueError, match="is not the same as on"):
            model.partial_fit(X, Y, classes=classes)
        with pytest.raises(ValueError, match="Column 0 of y has classes"):
            model.partial_fit(X, Y + 1)
        with pytest.raises(ValueError, match="from multioutput to single-label"):
            model.partial_fit(X, CODES)
        flat = unfitted().partial_fit(X, CODES, classes=[0, 1, 2])
        with pytest.raises(ValueError, match="is not the same as on"):
            flat.partial_fit(X, CODES, classes=[[0, 1, 2], [0, 5]])

    @pytest.mark.parametrize("indicator", [np.array, list], ids=["array", "list"])
    def test_labels_of_yes_and_no_need_no_classes(self, indicator):
        labels = np.column_stack([SIDE, CODES == 1, np.zeros(150)]).astype(int)
        model = unfitted()
        for start in (0, 50, 100):
            part = slice(start, start + 50)
            model.partial_fit(
                X[part], indicator(labels[part]) if indicator is np.array else labels[part].tolist()
            )
        assert model.predict_proba(X).shape == (150, 3)
        named = unfitted()
        for start in (0, 50, 100):
            part = slice(start, start + 50)
            named.partial_fit(X[part], labels[part], classes=[0, 1, 2])
        assert_same_model(model, named)


@pytest.mark.parametrize("name", ["ints", "frame"])
def test_clones_and_pickles(name):
    y = TARGETS[name]
    model = unfitted(max_iter=3).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert_same_model(again.partial_fit(X, y), model.partial_fit(X, y))
    fresh = clone(model)
    assert not hasattr(fresh, "classes_")
    assert_same_model(fresh.fit(X, y), unfitted(max_iter=3).fit(X, y))


@pytest.mark.parametrize("y", [Y, FRAME], ids=["ints", "frame"])
def test_a_search_scores_rows_all_right(y):
    pipeline = Pipeline([("scale", StandardScaler()), ("network", unfitted())])
    search = GridSearchCV(pipeline, {"network__alpha": [1e-4, 1.0]}, cv=KFold(2)).fit(X, y)
    best, scores = clone(search.best_estimator_), []
    for train, test in KFold(2).split(X):
        scores.append(
            best.fit(X[train], y[train[0] : train[-1] + 1]).score(X[test], y[test[0] : test[-1] + 1])
        )
    assert search.best_score_ == pytest.approx(np.mean(scores))


@each_solver
def test_a_warm_start_goes_on_with_the_same_classes_only(solver):
    model = unfitted(warm_start=True, max_iter=3, solver=solver).fit(X, Y)
    with pytest.raises(ValueError, match="Column 0 of y has classes"):
        model.fit(X, Y + 1)
    with pytest.raises(ValueError, match="y has 3 columns, but classes has 2"):
        model.fit(X, np.column_stack([Y, CODES]))
    with pytest.raises(ValueError, match="from multioutput to single-label"):
        model.fit(X, CODES)
    loss = model.loss_
    assert model.fit(X, Y).loss_ < loss
    single = unfitted(warm_start=True, max_iter=3).fit(X, CODES)
    with pytest.raises(ValueError, match="from single-label to multioutput"):
        single.fit(X, Y)


def test_scikit_learn_has_no_equal():
    with pytest.raises(ValueError, match="several columns of classes"):
        unfitted(max_iter=2).fit(X, Y).to_sklearn()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.column_stack([CODES, X[:, 0]]), "Unknown label type"),
        (np.column_stack([CITY.astype(object), X[:, 0]]), "Unknown label type"),
        (pd.DataFrame({"city": CITY, "mixed": [1, "b"] * 75}), "all be of one kind"),
        (pd.DataFrame({"city": CITY, "missing": ["a", None] * 75}, dtype=object), "one kind|NaN"),
        (pd.DataFrame({"city": CITY, "missing": [1, np.nan] * 75}), "NaN"),
        (pd.DataFrame({"city": CITY, "date": pd.Timestamp("2020-01-01")}), "one kind"),
    ],
)
def test_columns_that_are_no_classes_are_refused(y, message):
    model = unfitted()
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "classes_")


def test_a_column_of_numbers_is_for_the_regressor():
    assert ScratchMLPRegressor(max_iter=2).fit(X, Y).predict(X).shape == (150, 2)
