"""Weights of classes: factors of the weights of samples."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss, recall_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.utils import compute_class_weight, compute_sample_weight
from sklearn.utils.estimator_checks import check_class_weight_classifiers

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor, explain_step

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, CODES = make_classification(
    120, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, weights=[0.6, 0.3], random_state=0
)
NAMES = np.array(["a", "b", "c"])[CODES]
LABELS = np.column_stack([CODES == 0, CODES != 1, X[:, 0] > 1]).astype(int)
COLUMNS = np.column_stack([CODES, CODES[::-1]])
WEIGHT = np.random.RandomState(0).uniform(0.1, 2.0, 120)
each_solver = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])

# targets, given weights, and the weight of each row that they amount to
BY_NAME = {"a": 0.5, "b": 1.0, "c": 4.0}
OF_LABELS = [{0: 1.0, 1: 2.0}, {0: 0.5, 1: 3.0}, {0: 1.0, 1: 7.0}]
OF_COLUMNS = [{0: 1.0, 1: 2.0, 2: 3.0}, {0: 0.5, 1: 1.0, 2: 5.0}]


def looked_up(tables, y):
    return np.prod([[table[value] for value in column] for table, column in zip(tables, y.T)], axis=0)  # noqa: B905


CASES = {
    "dict": (NAMES, BY_NAME, looked_up([BY_NAME], NAMES[:, np.newaxis])),
    "balanced": (NAMES, "balanced", compute_sample_weight("balanced", NAMES)),
    "two classes": (NAMES == "a", {True: 3.0, False: 1.0}, np.where(NAMES == "a", 3.0, 1.0)),
    "only one named": (NAMES, {"c": 4.0}, np.where(NAMES == "c", 4.0, 1.0)),
    "labels": (LABELS, OF_LABELS, looked_up(OF_LABELS, LABELS)),
    "labels balanced": (LABELS, "balanced", compute_sample_weight("balanced", LABELS)),
    "labels of which one is named": (
        LABELS,
        [{1: 2.0}, {}, {1: 7.0}],
        2.0 ** LABELS[:, 0] * 7.0 ** LABELS[:, 2],
    ),
    "columns": (COLUMNS, OF_COLUMNS, looked_up(OF_COLUMNS, COLUMNS)),
    "columns balanced": (COLUMNS, "balanced", compute_sample_weight("balanced", COLUMNS)),
}
each_case = pytest.mark.parametrize(("y", "class_weight", "of_rows"), CASES.values(), ids=CASES)


def unfitted(**params):
    settings = {"hidden_layer_sizes": (5,), "max_iter": 6, "random_state": 0}
    return ScratchMLPClassifier(**settings | params)


def assert_same_model(first, second):
    for a, b in zip(first.coefs_ + first.intercepts_, second.coefs_ + second.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert first.loss_curve_ == second.loss_curve_


@each_case
@each_solver
def test_they_are_weights_of_rows(y, class_weight, of_rows, solver):
    of_classes = unfitted(class_weight=class_weight, solver=solver, batch_size=50).fit(X, y)
    of_samples = unfitted(solver=solver, batch_size=50).fit(X, y, sample_weight=of_rows)
    assert_same_model(of_classes, of_samples)
    assert of_classes.loss_curve_ != unfitted(solver=solver, batch_size=50).fit(X, y).loss_curve_


@each_case
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True, "scoring": "loss"}], ids=["", "stopped"])
def test_with_weights_of_samples_the_product_counts(y, class_weight, of_rows, settings):
    if isinstance(class_weight, str):  # a sample of weight 2 counts twice
        columns = y[:, np.newaxis] if y.ndim == 1 else y
        of_rows = np.ones(len(y))
        for column in columns.T:
            classes = np.unique(column)
            weights = compute_class_weight("balanced", classes=classes, y=column, sample_weight=WEIGHT)
            of_rows *= weights[np.searchsorted(classes, column)]
    of_classes = unfitted(class_weight=class_weight, **settings).fit(X, y, sample_weight=WEIGHT)
    assert_same_model(of_classes, unfitted(**settings).fit(X, y, sample_weight=WEIGHT * of_rows))


def test_sparse_labels_are_weighted_as_dense_ones():
    for class_weight in (OF_LABELS, "balanced"):
        dense, sparse = (unfitted(class_weight=class_weight).fit(X, y) for y in (LABELS, csr_matrix(LABELS)))
        assert_same_model(dense, sparse)


@each_solver
def test_whole_weights_equal_repeated_rows(solver):
    times = np.array([1, 2, 5])[CODES]
    settings = {"solver": solver, "activation": "tanh"}
    rows = np.arange(0, 120, 2)  # repeated, they are still one batch
    assert times[rows].sum() < 200
    weighted = unfitted(class_weight={"a": 1, "b": 2, "c": 5}, **settings).fit(X[rows], NAMES[rows])
    repeated = unfitted(**settings).fit(X[rows].repeat(times[rows], 0), NAMES[rows].repeat(times[rows]))
    for a, b in zip(weighted.coefs_, repeated.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)
    assert weighted.loss_curve_ == pytest.approx(repeated.loss_curve_, rel=1e-10)


@each_solver
def test_balanced_classes_are_balanced_with_weights_of_samples_too(solver):
    times = np.random.RandomState(0).randint(0, 3, 120)
    settings = {"solver": solver, "class_weight": "balanced", "activation": "tanh"}
    weighted = unfitted(**settings).fit(X, NAMES, sample_weight=times)
    repeated = unfitted(**settings).fit(X.repeat(times, axis=0), NAMES.repeat(times))
    for a, b in zip(weighted.coefs_, repeated.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


def test_balanced_data_need_no_balance():
    y = np.arange(120) % 3
    balanced, plain = (unfitted(class_weight=given).fit(X, y) for given in ("balanced", None))
    for a, b in zip(balanced.coefs_, plain.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_float32_models_stay_float32():
    for class_weight in (BY_NAME, "balanced"):
        model = unfitted(class_weight=class_weight, dtype="float32").fit(X, NAMES, sample_weight=WEIGHT)
        assert {array.dtype for array in model.coefs_} == {np.dtype("float32")}


class TestPartialFit:
    def test_chunks_may_lack_classes(self):
        of_classes, of_rows = unfitted(class_weight=BY_NAME), unfitted()
        for name in "cab":
            rows = name == NAMES
            of_classes.partial_fit(X[rows], NAMES[rows], classes=["a", "b", "c"])
            weight = np.full(rows.sum(), BY_NAME[name])
            of_rows.partial_fit(X[rows], NAMES[rows], sample_weight=weight, classes=["a", "b", "c"])
        assert_same_model(of_classes, of_rows)

    def test_chunks_of_one_weight_learn_as_without(self):
        # a mean does not know a factor that all have, but for the penalty
        rows = NAMES == "c"
        heavy, plain = (
            unfitted(class_weight=given, alpha=0).partial_fit(X[rows], NAMES[rows], classes=["a", "c"])
            for given in ({"c": 4.0}, None)
        )
        for a, b in zip(heavy.coefs_, plain.coefs_, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10)

    @pytest.mark.parametrize("given", [[{1: 5.0}, {1: 2.0}, {}], [{0: 5.0}, {0: 2.0}, {1: 1.0}]])
    def test_chunks_may_lack_labels(self, given):
        model = unfitted(class_weight=given)
        for rows in (LABELS[:, 0] == 1, LABELS[:, 0] == 0):
            model.partial_fit(X[rows], LABELS[rows])
        assert model.predict(X).shape == LABELS.shape

    def test_chunks_may_lack_classes_of_columns(self):
        of_classes, of_rows = unfitted(class_weight=[{2: 5.0}, {0: 2.0}]), unfitted()
        classes = [[0, 1, 2], [0, 1, 2]]
        for k in (0, 2, 1):
            rows = k == CODES
            of_classes.partial_fit(X[rows], COLUMNS[rows], classes=classes)
            weight = np.where(COLUMNS[:, 0] == 2, 5.0, 1.0) * np.where(COLUMNS[:, 1] == 0, 2.0, 1.0)
            of_rows.partial_fit(X[rows], COLUMNS[rows], sample_weight=weight[rows], classes=classes)
        assert_same_model(of_classes, of_rows)

    def test_balancing_is_refused(self):
        model = unfitted(class_weight="balanced")
        with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as error:
            model.partial_fit(X, NAMES, classes=["a", "b", "c"])
        assert "'balanced' needs all data at once" in str(error.value.__cause__)
        assert not hasattr(model, "classes_")
        assert not hasattr(model.fit(X, NAMES), "partial_fit")
        weights = compute_class_weight("balanced", classes=np.unique(NAMES), y=NAMES)
        model.set_params(class_weight=dict(zip("abc", weights, strict=True))).partial_fit(X, NAMES)


def test_a_step_is_explained_with_the_weights_of_the_fit():
    rows = CODES < 2
    model = unfitted(class_weight="balanced").fit(X, NAMES)
    balance = dict(
        zip("abc", compute_class_weight("balanced", classes=np.unique(NAMES), y=NAMES), strict=True)
    )
    by_hand = unfitted(class_weight=balance).fit(X, NAMES)
    assert explain_step(model, X[rows], NAMES[rows]).loss == explain_step(by_hand, X[rows], NAMES[rows]).loss


@pytest.mark.parametrize(
    ("y", "given", "message"),
    [
        (NAMES, {"nonsense": 2.0}, "not in class_weight"),
        (NAMES, [BY_NAME], "for single-label targets, a dict"),
        (NAMES, {"a": -1.0}, "must hold numbers >= 0"),
        (NAMES, {"a": np.nan}, "must hold numbers >= 0"),
        (NAMES, {"a": np.inf}, "must hold numbers >= 0"),
        (NAMES, {"a": 0.0, "b": 0, "c": 0}, "the sum of all weights 0.0"),
        (LABELS, {1: 2.0}, "for multilabel targets, a list of dicts"),
        (LABELS, [{1: 2.0}], "1 entries, but y has 3 columns"),
        (COLUMNS, {1: 2.0}, "for multioutput targets, a list of dicts"),
        (COLUMNS, OF_LABELS, "3 entries, but y has 2 columns"),
        (COLUMNS, [{9: 1.0}, {}], "not in class_weight"),
    ],
)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_what_makes_no_weights_is_refused(y, given, message, solver):
    model = unfitted(class_weight=given, solver=solver)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "classes_")


def test_a_class_that_has_no_weight_in_training_weighs_1_in_validation():
    """The others are balanced among themselves, so that they weigh as if it were not there."""
    is_known = NAMES != "c"
    model = unfitted(class_weight="balanced", max_iter=1)
    model.fit(X, NAMES, is_known.astype(float), X_val=X, y_val=NAMES)
    known = compute_class_weight("balanced", classes=np.array(["a", "b"]), y=NAMES[is_known])
    weights = looked_up([dict(zip("abc", [*known, 1.0], strict=True))], NAMES[:, np.newaxis])
    expected = log_loss(NAMES, model.predict_proba(X), sample_weight=weights)
    np.testing.assert_allclose(model.validation_loss_curve_, [expected], rtol=1e-12)


def test_a_class_without_weight_is_not_learnt():
    model = unfitted(class_weight={"c": 0.0}, max_iter=100, learning_rate_init=0.05).fit(X, NAMES)
    assert "c" not in model.predict(X)
    assert set(unfitted(max_iter=100, learning_rate_init=0.05).fit(X, NAMES).predict(X)) == {"a", "b", "c"}


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_scikit_learns_checks_of_weights_of_classes(solver):
    check_class_weight_classifiers("ScratchMLPClassifier", ScratchMLPClassifier((20,), solver=solver))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_more_of_a_rare_class_are_found(solver):
    X_rare, y_rare = make_classification(
        600, 6, n_informative=4, weights=[0.95], class_sep=0.7, flip_y=0, random_state=0
    )
    X_train, X_test, y_train, y_test = train_test_split(
        X_rare, y_rare, stratify=y_rare, test_size=0.5, random_state=0
    )

    def recall(**params):
        model = ScratchMLPClassifier((10,), solver=solver, max_iter=40, alpha=1.0, random_state=0, **params)
        model.set_params(learning_rate_init=0.01).fit(X_train, y_train)
        return recall_score(y_test, model.predict(X_test))

    assert recall(class_weight="balanced") > recall() + 0.3


def test_they_are_searched():
    search = GridSearchCV(unfitted(), {"class_weight": [None, "balanced", BY_NAME]}, cv=2).fit(X, NAMES)
    assert search.best_estimator_.predict(X).shape == (120,)


def test_the_regressor_has_none():
    assert "class_weight" not in ScratchMLPRegressor().get_params()
    with pytest.raises(TypeError, match="class_weight"):
        ScratchMLPRegressor(class_weight="balanced")
