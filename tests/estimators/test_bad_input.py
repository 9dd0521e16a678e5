"""A clear error before any work, and a fitted estimator left exactly as it was."""

import contextlib
import datetime
import itertools

import numpy as np
import pandas as pd
import pytest
from helpers.untouched import LABELS, NUMBERS, TARGETS, X, both, fingerprint, fitted
from scipy.sparse import csr_matrix

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import Adam
from sknn_scratch.estimators import _lbfgs, _minibatch

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def with_entry(array, value, index=(7, 2), dtype=None):
    array = np.array(array, dtype=dtype or array.dtype)
    array[index] = value
    return array


@contextlib.contextmanager
def no_training():
    """Fail the test if a training loop is reached."""

    def reached(*args, **kwargs):
        raise AssertionError("training was started")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_minibatch, "train_minibatch", reached)
        patch.setattr(_lbfgs, "train_lbfgs", reached)
        yield


def assert_refused(estimator, call, error, match):
    """`call(estimator)` raises, and changes nothing; it raises again the second time."""
    before = fingerprint(estimator)
    with no_training():
        for _ in range(2):
            with pytest.raises(error, match=match):
                call(estimator)
            assert fingerprint(estimator) == before


def assert_fit_refuses(kind, X_bad, y, match, sample_weight=None, **params):
    """A new and a fitted estimator refuse alike, by fit and, where there is one, by partial_fit."""

    def fit(estimator):
        estimator.fit(X_bad, y, sample_weight)

    def partial_fit(estimator):
        estimator.partial_fit(X_bad, y, sample_weight)

    assert_refused(kind(**params), fit, ValueError, match)
    model = fitted(kind)
    predictions, settings = model.predict(X), model.get_params(deep=False)
    model.set_params(**params)
    assert_refused(model, fit, ValueError, match)
    if params.get("solver") != "lbfgs" and not params.get("early_stopping"):
        assert_refused(model, partial_fit, ValueError, match)
    np.testing.assert_array_equal(model.set_params(**settings).predict(X), predictions)


BAD_X = {
    "NaN": (with_entry(X, np.nan), "X contains NaN"),
    "inf": (with_entry(X, -np.inf), "X contains infinity"),
    "sparse NaN": (csr_matrix(with_entry(X, np.nan)), "X contains NaN"),
    "sparse inf": (csr_matrix(with_entry(X, np.inf)), "X contains infinity"),
    "NaN in a data frame": (pd.DataFrame(with_entry(X, np.nan)).add_prefix("x"), "X contains NaN"),
    "None": (with_entry(X, None, dtype=object), "X contains NaN"),
    "1-D": (X[:, 0], "Expected 2D array, got 1D array.*Reshape your data"),
    "3-D": (X[:, :, np.newaxis], "Found array with dim 3"),
    "no rows": (X[:0], r"0 sample\(s\)"),
    "no columns": (X[:, :0], r"0 feature\(s\)|has 0 features"),
    "complex": (X * 1j, "Complex data not supported"),
    "string": (with_entry(X, "Paris", dtype=object), r"X.*Paris|Paris.*X"),
    "column of strings": (
        pd.DataFrame(X, columns=list("abcd")).assign(city="Paris"),
        r"city.*Paris|Paris.*city",
    ),
}


@both
@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("name", sorted(BAD_X))
def test_fit_refuses_bad_data(kind, name):
    bad, match = BAD_X[name]
    y = TARGETS[kind][: bad.shape[0]]
    assert_fit_refuses(kind, bad, y, f"(?s){match}")


@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("name", sorted(set(BAD_X) - {"column of strings"}))
@pytest.mark.parametrize(
    ("kind", "method"),
    [
        (ScratchMLPRegressor, "predict"),
        (ScratchMLPClassifier, "predict"),
        (ScratchMLPClassifier, "predict_proba"),
        (ScratchMLPClassifier, "predict_log_proba"),
        (ScratchMLPClassifier, "decision_function"),
    ],
)
def test_predicting_refuses_bad_data(kind, method, name):
    bad, match = BAD_X[name]
    model = fitted(kind)
    assert_refused(model, lambda estimator: getattr(estimator, method)(bad), ValueError, f"(?s){match}")


@both
@pytest.mark.parametrize("n_features", [3, 5])
def test_another_number_of_features_is_refused(kind, n_features):
    model, warm = fitted(kind), fitted(kind, warm_start=True)
    other = np.ones((60, n_features))
    match = f"X has {n_features} features, but {kind.__name__} is expecting 4 features"
    assert_refused(model, lambda estimator: estimator.predict(other), ValueError, match)
    assert_refused(model, lambda estimator: estimator.partial_fit(other, TARGETS[kind]), ValueError, match)
    assert_refused(warm, lambda estimator: estimator.fit(other, TARGETS[kind]), ValueError, match)


@both
def test_other_feature_names_are_refused(kind):
    frame = pd.DataFrame(X, columns=["north", "east", "south", "west"])
    model = kind(hidden_layer_sizes=(3,), max_iter=2).fit(frame, TARGETS[kind])
    renamed = frame.rename(columns={"east": "left"})
    for call in (
        lambda estimator: estimator.predict(renamed),
        lambda estimator: estimator.partial_fit(renamed, TARGETS[kind]),
    ):
        before = fingerprint(model)
        with pytest.raises(ValueError, match=r"(?s)left.*east"):
            call(model)
        assert fingerprint(model) == before


BAD_Y = {
    ScratchMLPClassifier: {
        "NaN": (with_entry(LABELS, np.nan, 3, float), "y contains NaN"),
        "NaN among strings": (with_entry(np.array(list("abc") * 20), np.nan, 3, object), "y contains NaN"),
        "None among strings": (with_entry(np.array(list("abc") * 20), None, 3, object), "y .*None|None.* y"),
        "inf": (with_entry(LABELS, np.inf, 3, float), "y contains infinity"),
        "continuous": (NUMBERS, "Unknown label type: continuous"),
        "3-D": (LABELS.reshape(60, 1, 1), "Found array with dim 3"),
        "too short": (LABELS[:-1], "inconsistent numbers of samples"),
        "none": (None, "requires y to be passed"),
    },
    ScratchMLPRegressor: {
        "NaN": (with_entry(NUMBERS, np.nan, 3), "y contains NaN"),
        "inf": (with_entry(NUMBERS, -np.inf, 3), "y contains infinity"),
        "strings": (np.array(list("abc") * 20), r"y.*'a'|'a'.* y"),
        "strings as objects": (np.array(list("abc") * 20, dtype=object), r"y.*'a'|'a'.* y"),
        "3-D": (NUMBERS.reshape(60, 1, 1), "Found array with dim 3"),
        "too long": (np.append(NUMBERS, 1.0), "inconsistent numbers of samples"),
        "none": (None, "requires y to be passed"),
    },
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in BAD_Y.items() for name in table])
def test_fit_refuses_bad_targets(kind, name):
    y, match = BAD_Y[kind][name]
    assert_fit_refuses(kind, X, y, match)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_poisson_refuses_negative_targets(solver):
    y = with_entry(NUMBERS, -0.5, 3)
    assert_fit_refuses(
        ScratchMLPRegressor, X, y, "y must not be negative .*poisson.*-0.5", loss="poisson", solver=solver
    )


BAD_WEIGHTS = {
    "negative": (with_entry(np.ones(60), -1, 3), "[Nn]egative .*sample_weight"),
    "all zero": (np.zeros(60), "[Ss]ample.weights? must contain at least one non-zero"),
    "too short": (np.ones(59), "sample_weight.shape"),
    "2-D": (np.ones((60, 2)), "[Ss]ample.weights? must be 1D"),
    "NaN": (with_entry(np.ones(60), np.nan, 3), "sample_weight contains NaN"),
    "inf": (with_entry(np.ones(60), np.inf, 3), "sample_weight contains infinity"),
}


@both
@pytest.mark.parametrize("name", sorted(BAD_WEIGHTS))
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_fit_refuses_bad_weights(kind, name, solver):
    weight, match = BAD_WEIGHTS[name]
    assert_fit_refuses(kind, X, TARGETS[kind], match, sample_weight=weight, solver=solver)


@both
@pytest.mark.parametrize("value", [1e-300, 1e300], ids=["too small", "too large"])
def test_fit_refuses_weights_that_float32_cannot_hold(kind, value):
    assert_fit_refuses(
        kind, X, TARGETS[kind], "sample_weight", sample_weight=np.full(60, value), dtype="float32"
    )


BAD_PARAMETERS = {
    "hidden_layer_sizes": [(10, 0), (10.5,), -1, 0, "10", 10.0, (10, -3), [[3, 4]], (np.nan,), ("a",), None],
    "activation": ["nonsense", None, Adam(), 3, ["nonsense"], ["relu"] * 7, [3], [["relu"]], []],
    "solver": ["nonsense", None, Adam, 3],
    "alpha": [-1.0, np.nan, np.inf, "0.1", None],
    "batch_size": [0, -5, 10.5, "all", None],
    "learning_rate": ["nonsense", None, 0.1],
    "learning_rate_init": [0, -0.1, np.nan, np.inf, "0.1"],
    "power_t": [-0.5, np.nan, "0.5"],
    "max_iter": [0, -1, 10.5, "10", None],
    "shuffle": ["yes", None],
    "random_state": ["seed", -1, 0.5],
    "tol": [-1e-4, np.nan, "0"],
    "verbose": ["yes", -1],
    "warm_start": ["yes", None],
    "momentum": [-0.1, 1.1, np.nan, "0.9"],
    "nesterovs_momentum": ["yes", None],
    "early_stopping": ["yes", None],
    "validation_fraction": [-0.1, 1.0, 1.5, np.nan, "0.1"],
    "beta_1": [-0.1, 1.0, 1.5, "0.9"],
    "beta_2": [-0.1, 1.0, 1.5, "0.9"],
    "epsilon": [0, -1e-8, np.nan, "1e-8"],
    "n_iter_no_change": [0, -1, 2.5, np.nan, "5"],
    "max_fun": [0, -1, 10.5, "10"],
    "dtype": ["float16", "int", 64],
    "loss": ["nonsense", None],
    "weight_init": ["nonsense", None, 3],
    "scoring": ["nonsense", 3],
    "class_weight": ["nonsense", 3, {7: 2.0}],
    "scale_target": ["yes", None],
    "dropout": [-0.1, 1.0, "0.5", [0.5, 0.5, 0.5]],
    "fit_intercept": ["yes", None],
}


@both
def test_the_table_has_a_bad_value_for_each_parameter(kind):
    assert set(kind().get_params()) <= set(BAD_PARAMETERS)


@pytest.mark.parametrize(
    ("kind", "parameter", "value"),
    [
        (kind, name, value)
        for kind in TARGETS
        for name in kind().get_params()
        for value in BAD_PARAMETERS[name]
    ],
)
def test_an_impossible_parameter_is_refused_by_name(kind, parameter, value):
    def fit(estimator):
        estimator.fit(X, TARGETS[kind])

    assert_refused(kind(**{parameter: value}), fit, ValueError, parameter)
    model = fitted(kind)
    predictions, settings = model.predict(X), model.get_params(deep=False)
    assert_refused(model.set_params(**{parameter: value}), fit, ValueError, parameter)
    np.testing.assert_array_equal(model.set_params(**settings).predict(X), predictions)


@both
def test_partial_fit_of_a_fitted_model_refuses_impossible_parameters_too(kind):
    unclear = {}
    for parameter, values in BAD_PARAMETERS.items():
        for value in values if parameter in kind().get_params() else ():
            model = fitted(kind).set_params(**{parameter: value})
            try:
                with no_training():
                    model.partial_fit(X, TARGETS[kind])
            except Exception as error:
                if not (isinstance(error, ValueError) and parameter in str(error)):
                    unclear[parameter, repr(value)] = repr(error)
    assert not unclear


def test_an_impossible_setting_of_an_object_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'beta_1' of Adam must be a number in \[0, 1\), got 1.5"):
        Adam(beta_1=1.5)
    model = ScratchMLPClassifier(solver=Adam())
    with pytest.raises(ValueError, match="'beta_1' of Adam"):
        model.set_params(solver__beta_1=1.5)
    assert model.solver == Adam()


@both
@pytest.mark.parametrize("sizes", [(10**9, 10**9), 10**12, (10**6, 10**6, 10**6)])
def test_a_network_that_memory_cannot_hold_is_refused(kind, sizes):
    match = "hidden_layer_sizes=.*GiB.*smaller layers"
    assert_refused(kind(hidden_layer_sizes=sizes), lambda m: m.fit(X, TARGETS[kind]), MemoryError, match)


@both
@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.99, 0.999])
def test_a_validation_part_too_small_or_too_large_is_refused(kind, fraction):
    assert_fit_refuses(
        kind, X, TARGETS[kind], "validation_fraction", early_stopping=True, validation_fraction=fraction
    )


@both
def test_other_layers_are_refused_when_training_goes_on(kind):
    models = [fitted(kind, warm_start=True), fitted(kind, warm_start=True, solver="lbfgs")]
    for model, sizes in itertools.product(models, [(4,), (3, 3), ()]):
        model.set_params(hidden_layer_sizes=sizes)
        match = r"hidden_layer_sizes=.*set hidden_layer_sizes=\(3,\).*warm_start=False"
        assert_refused(model, lambda m: m.fit(X, TARGETS[kind]), ValueError, match)
    assert_refused(models[0], lambda m: m.partial_fit(X, TARGETS[kind]), ValueError, match)


@both
@pytest.mark.parametrize("parameters", [{"solver": "lbfgs"}, {"early_stopping": True}], ids=str)
def test_lbfgs_and_early_stopping_have_no_partial_fit(kind, parameters):
    for model in (kind(**parameters), fitted(kind, **parameters)):
        assert not hasattr(model, "partial_fit")
        assert_refused(model, lambda m: m.partial_fit(X, TARGETS[kind]), AttributeError, "partial_fit")
    assert hasattr(kind(), "partial_fit")


def test_partial_fit_wants_the_classes_first_and_no_others_later():
    new, old = ScratchMLPClassifier(), fitted(ScratchMLPClassifier)
    assert_refused(new, lambda m: m.partial_fit(X, LABELS), ValueError, "classes must be passed")
    assert_refused(new, lambda m: m.partial_fit(X, LABELS, classes=[0, 1]), ValueError, "classes not in")
    assert not hasattr(new, "classes_")
    assert_refused(old, lambda m: m.partial_fit(X, LABELS + 1), ValueError, "classes not in")
    assert_refused(old, lambda m: m.partial_fit(X, LABELS, classes=[0, 1]), ValueError, "not the same")


def test_a_warm_start_wants_the_same_classes():
    model = fitted(ScratchMLPClassifier, warm_start=True)
    for labels in (LABELS + 1, LABELS % 2, np.array(list("abc"))[LABELS]):
        assert_refused(model, lambda m, labels=labels: m.fit(X, labels), ValueError, "the same classes")


INDICATORS = np.eye(3, dtype=int)[LABELS]


@pytest.mark.parametrize(
    ("first", "second"),
    [(LABELS, INDICATORS), (INDICATORS, LABELS)],
    ids=["multiclass first", "multilabel first"],
)
def test_training_does_not_go_on_from_multiclass_to_multilabel_targets_or_back(first, second):
    models = [
        ScratchMLPClassifier((3,), max_iter=2, random_state=0, warm_start=warm).fit(X, first)
        for warm in (False, True)
    ]
    assert_refused(models[0], lambda m: m.partial_fit(X, second), ValueError, "multilabel")
    assert_refused(models[1], lambda m: m.fit(X, second), ValueError, "multilabel")


def test_partial_fit_wants_one_class_for_each_label():
    assert_refused(
        ScratchMLPClassifier(),
        lambda m: m.partial_fit(X, INDICATORS, classes=np.arange(5)),
        ValueError,
        "classes",
    )


def test_another_number_of_outputs_is_refused():
    model = fitted(ScratchMLPRegressor, warm_start=True)
    two = np.column_stack([NUMBERS, NUMBERS])
    for method in ("fit", "partial_fit"):
        assert_refused(
            model, lambda m, method=method: getattr(m, method)(X, two), ValueError, "y has 2 outputs.* has 1"
        )


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_that_hold_no_numbers_are_named(library):
    frames = pytest.importorskip(library)
    numbers = [1.0, 2.0, 3.0, 4.0]
    frame = frames.DataFrame({"size": numbers, "city": ["Paris"] * 4, "weight": numbers})
    with pytest.raises(ValueError, match=r"Columns \['city'\] of X do not hold numbers"):
        ScratchMLPClassifier().fit(frame, [0, 1, 0, 1])


def test_columns_of_dates_are_named():
    frame = pd.DataFrame({"size": [1.0, 2.0], "day": [datetime.datetime(2020, 1, 1)] * 2})
    with pytest.raises(ValueError, match=r"Column 'day' of X holds dates or times"):
        ScratchMLPClassifier().fit(frame, [0, 1])


def test_a_sparse_column_of_labels_is_refused():
    with pytest.raises(ValueError, match="A sparse y must be a 0/1 indicator"):
        ScratchMLPClassifier().fit(X, csr_matrix(TARGETS[ScratchMLPClassifier][:, np.newaxis]))


def test_settings_changed_behind_their_back_are_checked_at_fit():
    adam = Adam()
    adam.beta_1 = 7
    with pytest.raises(ValueError, match="'beta_1' of Adam"):
        ScratchMLPClassifier(solver=adam).fit(X, TARGETS[ScratchMLPClassifier])
    with pytest.raises(ValueError, match="'beta_1' of Adam"):
        Adam(beta_1=np.array([0.1, 0.2]))


def test_weights_too_small_to_divide_by_are_refused():
    with pytest.raises(ValueError, match="sample_weight is too small"):
        ScratchMLPClassifier().fit(X, TARGETS[ScratchMLPClassifier], np.full(60, 1e-310))
