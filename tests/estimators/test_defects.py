"""What is mended of scikit-learn's MLP, by the numbers of ``docs/differences.md``.

Every test runs on scikit-learn's class too, and must fail there, for the reason given in `raises`.
"""

import tracemalloc
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor, ScratchRealMLPClassifier
from sknn_scratch.core import ACTIVATIONS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DID_NOT_RAISE = pytest.fail.Exception
PAIRS = {
    "classifier": (ScratchMLPClassifier, MLPClassifier),
    "regressor": (ScratchMLPRegressor, MLPRegressor),
}


def fails_on_scikit_learn(*kinds, raises=AssertionError, where=True):
    """Run a test with our estimators of these kinds as `cls`, and with scikit-learn's, where it must fail."""
    on_theirs = [
        pytest.mark.xfail(where, reason="a defect of scikit-learn", strict=True, raises=raises),
        pytest.mark.filterwarnings("ignore::RuntimeWarning"),  # NumPy's, on the way to the failure
    ]
    return pytest.mark.parametrize(
        "cls",
        [pytest.param(PAIRS[kind][0], id=f"ours-{kind}") for kind in kinds]
        + [pytest.param(PAIRS[kind][1], id=f"sklearn-{kind}", marks=on_theirs) for kind in kinds],
    )


def make_data(cls, n_samples=40):
    """Two features, and a binary or a continuous y that is easy to learn."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n_samples, 2))
    y = X @ [1.0, -2.0] + 0.1 * rng.normal(size=n_samples)
    return X, (y > 0).astype(int) if cls in PAIRS["classifier"] else y


def messages_of_fit(model, X, y):
    # pytest.warns would hide an error of fit behind the lack of a warning
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    return [str(warning.message) for warning in caught]


@fails_on_scikit_learn("classifier")
def test_defect_01_multiclass_early_stopping_split_is_stratified(cls):
    # One class is predicted for all rows, so the score is the share of a class in the validation part: one
    # of these three if the 20 rows of that part are divided like the 100.
    y = np.repeat(["a", "b", "c"], [50, 30, 20])
    X = np.zeros((100, 1))
    for seed in range(5):
        model = cls(early_stopping=True, validation_fraction=0.2, max_iter=3, random_state=seed).fit(X, y)
        assert set(model.validation_scores_) <= {0.5, 0.3, 0.2}


@fails_on_scikit_learn("classifier", raises=ValueError)
def test_defect_02_class_with_one_member_stays_in_the_training_part(cls):
    X = np.r_[np.random.RandomState(0).normal(size=(40, 2)), [[30.0, 30.0]]]
    y = np.array(["common"] * 40 + ["rare"])
    model = cls(early_stopping=True, n_iter_no_change=100, learning_rate_init=0.05, random_state=0)
    assert any("rare" in message for message in messages_of_fit(model, X, y))
    assert model.predict(X[-1:]) == ["rare"]
    assert_array_equal(model.validation_scores_[-1:], [1.0])  # on common ones only


@fails_on_scikit_learn("regressor", raises=DID_NOT_RAISE)
@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
def test_defect_03_divergence_ends_training_with_early_stopping_too(cls):
    X, y = make_data(cls)
    model = cls(solver="sgd", learning_rate_init=1e3, early_stopping=True, max_iter=30, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"diverged at epoch \d+"):
        model.fit(X, y)
    assert model.n_iter_ < 30


@fails_on_scikit_learn("classifier", "regressor")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_defect_04_warm_start_after_a_patience_stop_trains_on(cls, early_stopping):
    X, y = make_data(cls)
    # with such a tolerance nothing counts as better than the first epoch
    params = {"tol": 1e9, "n_iter_no_change": 4, "random_state": 0}
    model = cls(**params, warm_start=True, early_stopping=early_stopping).fit(X, y)
    assert model.n_iter_ == 1 + 5
    model.fit(X, y)
    assert model.n_iter_ == 5  # the first epoch of the first fit is still the best
    assert len(model.loss_curve_) == 6 + 5


@fails_on_scikit_learn("classifier", "regressor", raises=TypeError)
def test_defect_05_partial_fit_goes_on_after_early_stopping(cls):
    X, y = make_data(cls)
    model = cls(early_stopping=True, max_iter=3, random_state=0).fit(X, y)
    before = [coef.copy() for coef in model.coefs_]
    model.set_params(early_stopping=False).partial_fit(X, y)
    assert model.best_loss_ == model.loss_curve_[-1]
    assert not np.array_equal(model.coefs_[0], before[0])


@fails_on_scikit_learn("regressor")
def test_defect_06_lbfgs_has_no_partial_fit(cls):
    model = cls(solver="lbfgs")
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        _ = model.partial_fit


@fails_on_scikit_learn("classifier", "regressor")
def test_defect_07_lbfgs_on_float32_data_gives_a_float32_model(cls):
    X, y = make_data(cls)
    X = X.astype(np.float32)
    model = cls(solver="lbfgs", max_iter=5, random_state=0).fit(X, y)
    outputs = model.predict_proba(X) if cls in PAIRS["classifier"] else model.predict(X)
    assert {array.dtype for array in [*model.coefs_, *model.intercepts_, outputs]} == {np.dtype(np.float32)}


@fails_on_scikit_learn("classifier", "regressor", raises=ZeroDivisionError)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_defect_08_mini_batch_without_any_weight_is_skipped(cls, solver):
    X, y = make_data(cls)
    weight = np.ones(40)
    weight[10:20] = 0  # the second of four batches
    params = {"solver": solver, "batch_size": 10, "shuffle": False, "max_iter": 5, "random_state": 0}
    model = cls(**params).fit(X, y, sample_weight=weight)
    rest = cls(**params).fit(X[weight > 0], y[weight > 0])
    assert_allclose(model.coefs_[0], rest.coefs_[0], rtol=1e-12)
    assert_allclose(model.loss_curve_, rest.loss_curve_, rtol=1e-12)


@fails_on_scikit_learn("classifier", "regressor")
def test_defect_09_partial_fit_with_an_int_seed_shuffles_anew_in_every_call(cls):
    X, y = make_data(cls)
    classes = {"classes": [0, 1]} if cls in PAIRS["classifier"] else {}

    def trained(seed):
        model = cls(batch_size=10, learning_rate_init=0.1, random_state=seed)
        for _ in range(4):
            model.partial_fit(X, y, **classes)
        return model

    # a generator goes on from call to call in any case
    assert_allclose(trained(0).coefs_[0], trained(np.random.RandomState(0)).coefs_[0], rtol=1e-9)


@fails_on_scikit_learn("classifier", "regressor")
def test_defect_10_reported_loss_averages_batches_by_weight(cls):
    X, y = make_data(cls)
    weight = np.repeat([1.0, 100.0], 20)
    # the weights of the network hardly change, so the loss of the batches is that of all data
    params = {"learning_rate_init": 1e-12, "alpha": 0.0, "shuffle": False, "max_iter": 1, "random_state": 0}
    in_batches = cls(**params, batch_size=10).fit(X, y, sample_weight=weight)
    at_once = cls(**params).fit(X, y, sample_weight=weight)
    assert_allclose(in_batches.loss_, at_once.loss_, rtol=1e-6)
    assert_allclose(in_batches.loss_curve_, at_once.loss_curve_, rtol=1e-6)


@fails_on_scikit_learn("classifier")
def test_defect_11_multilabel_early_stopping_watches_the_log_loss(cls):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 5))
    # twelve labels that can be learnt but are never all right at first
    Y = (X @ rng.normal(size=(5, 12)) + rng.normal(size=(60, 12)) > 0).astype(int)
    model = cls(
        early_stopping=True, validation_fraction=0.3, learning_rate_init=0.01, max_iter=8, random_state=0
    ).fit(X, Y)
    assert (np.diff(model.validation_scores_) > 0).all()
    assert model.best_validation_score_ == model.validation_scores_[-1]


@fails_on_scikit_learn("classifier", "regressor")
def test_defect_12_early_stopping_works_with_lbfgs(cls):
    X, y = make_data(cls)
    model = cls(solver="lbfgs", early_stopping=True, max_iter=500, random_state=0).fit(X, y)
    scores = getattr(model, "validation_scores_", None)
    assert scores
    assert model.best_validation_score_ == max(scores)


@fails_on_scikit_learn("classifier")
@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_defect_13_log_probabilities_are_finite_where_probabilities_saturate(cls, task):
    X, y = make_data(cls, n_samples=60)
    if task != "binary":
        y = np.arange(60) % 3
    if task == "multilabel":
        y = np.eye(3, dtype=int)[y]
    model = cls((), max_iter=3, random_state=0).fit(X, y)
    X = 1e5 * X
    raw = X @ model.coefs_[0] + model.intercepts_[0]
    expected = {
        "binary": -np.logaddexp(0, np.hstack([raw, -raw])),
        "multiclass": raw - np.logaddexp.reduce(raw, axis=1, keepdims=True),
        "multilabel": -np.logaddexp(0, -raw),
    }[task]
    assert expected.min() < -1000
    expected = np.maximum(expected, np.log(np.finfo(float).tiny))
    assert_allclose(model.predict_log_proba(X), expected, rtol=1e-12, atol=1e-15)


@fails_on_scikit_learn("classifier")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_defect_13_loss_is_not_clipped_where_probabilities_saturate(cls, solver):
    X, y = make_data(cls)
    X = 1e4 * X
    # training hardly moves, so that the loss reported is that of the weights kept
    model = cls((), solver=solver, alpha=0.0, learning_rate_init=1e-12, tol=1e9, max_iter=1, random_state=0)
    model.fit(X, y)
    raw = (X @ model.coefs_[0] + model.intercepts_[0]).ravel()
    assert_allclose(model.loss_, np.mean(np.logaddexp(0, raw) - y * raw), rtol=1e-6)


@fails_on_scikit_learn("classifier", "regressor")
def test_defect_14_warm_start_keeps_the_best_weights(cls):
    X, y = make_data(cls, n_samples=100)
    model = cls(
        solver="sgd",
        learning_rate_init=0.02,
        early_stopping=True,
        warm_start=True,
        n_iter_no_change=20,
        max_iter=100,
        random_state=0,
    ).fit(X, y)
    before, best_score = [coef.copy() for coef in model.coefs_], model.best_validation_score_
    # nothing in this refit is better than the model it starts from
    model.set_params(learning_rate_init=1e-4, alpha=1e5, max_iter=10).fit(X, y)
    assert max(model.validation_scores_[-10:]) <= best_score == model.best_validation_score_
    for coef, kept in zip(model.coefs_, before, strict=True):
        assert_array_equal(coef, kept)


# up to NumPy 1.26 a float64 scalar leaves float32 arrays as they are
@fails_on_scikit_learn("regressor", where=int(np.__version__.split(".")[0]) >= 2)
def test_defect_15_adam_on_float32_data_takes_half_the_memory_of_float64(cls):
    def peak(dtype):
        X, y = np.ones((2, 1000), dtype), np.array([0.0, 1.0], dtype)
        model = cls(hidden_layer_sizes=(200,), random_state=0).partial_fit(X, y)
        tracemalloc.start()
        try:
            model.partial_fit(X, y)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(np.float32) < 0.55 * peak(np.float64)


@fails_on_scikit_learn("classifier", "regressor", raises=AttributeError)
def test_defect_16_lbfgs_keeps_a_loss_curve(cls):
    X, y = make_data(cls)
    model = cls(solver="lbfgs", max_iter=5, random_state=0).fit(X, y)
    assert len(model.loss_curve_) == model.n_iter_ == 5
    assert model.loss_curve_[-1] == model.loss_ < model.loss_curve_[0]


def make_targets(n_targets):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(30, 3))
    return X, X @ rng.normal(size=(3, n_targets)) + rng.normal(size=(30, n_targets))


@fails_on_scikit_learn("regressor")
def test_defect_17_lbfgs_minimises_the_sum_of_squared_errors_over_targets(cls):
    X, Y = make_targets(n_targets=20)
    model = cls(hidden_layer_sizes=(), solver="lbfgs", alpha=5.0, tol=1e-9, max_iter=500, random_state=0).fit(
        X, Y
    )
    # half the sum over targets with alpha / 2 ||W||^2, both over n, is ridge regression
    ridge = Ridge(alpha=5.0).fit(X, Y)
    assert_allclose(model.coefs_[0], ridge.coef_.T, atol=1e-4)
    assert_allclose(model.intercepts_[0], ridge.intercept_, atol=1e-4)


@pytest.mark.parametrize("cls", PAIRS["regressor"], ids=["ours-regressor", "sklearn-regressor"])
def test_defect_17_is_kept_in_steps_by_the_sum_and_a_loss_by_the_mean_over_targets(cls):
    X, Y = make_targets(n_targets=4)
    model = cls(
        hidden_layer_sizes=(), solver="sgd", momentum=0.0, alpha=0.0, learning_rate_init=0.01, random_state=0
    )
    W = model.partial_fit(X, Y).coefs_[0].copy()
    residual = X @ W + model.intercepts_[0] - Y
    model.partial_fit(X, Y)
    assert_allclose(model.coefs_[0], W - 0.01 * X.T @ residual / 30, rtol=1e-10)
    assert_allclose(model.loss_, 0.5 * np.mean(residual**2), rtol=1e-10)


@fails_on_scikit_learn("regressor", raises=DID_NOT_RAISE)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_defect_18_poisson_loss_refuses_negative_targets(cls, solver):
    X, y = make_data(cls)
    y = np.abs(y)
    y[7] = -1.0
    with pytest.raises(ValueError, match="y .*negative"):
        cls(loss="poisson", solver=solver, max_iter=3, random_state=0).fit(X, y)


@fails_on_scikit_learn("classifier")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_defect_19_data_of_one_class_give_one_column_of_probabilities(cls, solver):
    X, _ = make_data(cls)
    model = cls(solver=solver, max_iter=3, random_state=0).fit(X, ["only"] * 40)
    assert model.predict_proba(X).shape == (40, len(model.classes_)) == (40, 1)
    assert_array_equal(model.predict_proba(X), 1.0)
    assert set(model.predict(X)) == {"only"}


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize(
    "model",
    [
        ScratchMLPClassifier((4,), max_iter=2, random_state=0),
        ScratchMLPRegressor(hidden_layer_sizes=(4,), max_iter=2, random_state=0, dtype="float32"),
        ScratchRealMLPClassifier(hidden_layer_sizes=(4,), max_iter=2, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_rows_to_predict_may_have_any_dtype_of_numbers(model, activation):
    X = np.random.RandomState(0).randint(0, 2, (40, 3)).astype(float)
    model = clone(model).set_params(activation=activation).fit(X, X[:, 0] > 0)
    expected = model.predict(X)
    for dtype in ("bool", "int8", "uint8", "int32", "int64", "float16", "float32", "longdouble", "object"):
        predicted = model.predict(X.astype(dtype))
        assert predicted.dtype.itemsize <= 8, dtype
        assert_allclose(predicted, expected, rtol=1e-4, atol=1e-6, err_msg=dtype)
        if hasattr(model, "transform"):
            assert model.transform(X.astype(dtype)).dtype.itemsize <= 8, dtype
