"""Data and settings that nobody plans for: they work, or an error says what to do."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics import accuracy_score

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
rng = np.random.RandomState(0)
X, Y = rng.standard_normal((40, 2)), rng.standard_normal(40)
WEIGHT = rng.uniform(0.1, 1.0, 40)
each_regressor = pytest.mark.parametrize("kind", [ScratchMLPRegressor, ScratchRealMLPRegressor])
each_classifier = pytest.mark.parametrize("kind", [ScratchMLPClassifier, ScratchRealMLPClassifier])


@each_regressor
def test_a_score_that_knows_no_weights_is_asked_without_them(kind):
    settings = {**SMALL, "scoring": "neg_max_error"}
    weighted = kind(**settings).fit(X, Y, WEIGHT, X_val=X, y_val=Y, sample_weight_val=WEIGHT)
    expected = -np.abs(weighted.predict(X) - Y).max()
    assert any(score == pytest.approx(expected, rel=1e-5) for score in weighted.validation_scores_)


@each_classifier
def test_a_function_that_takes_no_weights_is_called_without_them(kind):
    def score(model, X, y):
        return accuracy_score(y, model.predict(X))

    model = kind(**SMALL, scoring=score, class_weight="balanced").fit(X, Y > 0.5, X_val=X, y_val=Y > 0.5)
    assert len(model.validation_scores_) == 3


@each_regressor
@pytest.mark.parametrize("size", [1e-300, 1e150])
def test_targets_of_any_size_are_scaled(kind, size):
    settings = {"scale_target": True} if kind is ScratchMLPRegressor else {}
    y = size * Y
    predicted = kind(**SMALL, **settings).fit(X, y).predict(X)
    np.testing.assert_allclose(predicted / size, kind(**SMALL, **settings).fit(X, Y).predict(X), rtol=1e-5)


@each_regressor
def test_the_smallest_targets_there_are_can_be_scaled(kind):
    settings = {"scale_target": True} if kind is ScratchMLPRegressor else {}
    predicted = kind(**SMALL, **settings).fit(X, np.where(Y > 0, 5e-324, 0.0)).predict(X)
    np.testing.assert_allclose(predicted, 0, atol=1e-300)


@each_regressor
@pytest.mark.parametrize("size", [1e-30, 1e-3])
def test_predictions_are_not_far_from_a_small_constant(kind, size):
    settings = {"scale_target": True} if kind is ScratchMLPRegressor else {"clip_predictions": False}
    predicted = kind(**SMALL, **settings).fit(X, np.full(40, size)).predict(X)
    np.testing.assert_allclose(predicted, size, atol=10 * size)


def test_what_rounding_leaves_of_a_constant_is_no_spread():
    constant = np.tile([0.3, 0.1 + 0.2], 20)
    model = ScratchMLPRegressor(**SMALL, scale_target=True).partial_fit(X, constant)
    before = model.predict(X)
    assert np.abs(model.partial_fit(X, Y).predict(X) - before).max() > 1e-5


@each_regressor
@pytest.mark.parametrize("loss", ["gaussian_nll", "poisson"])
@pytest.mark.parametrize("constant", [0.0, 3.0])
def test_training_on_a_constant_target_does_not_start_far_off(kind, loss, constant):
    settings = {"scale_target": True} if kind is ScratchMLPRegressor else {"clip_predictions": False}
    model = kind(**SMALL | {"max_iter": 30}, loss=loss, **settings).fit(X, np.full(40, constant))
    np.testing.assert_allclose(model.predict(X), constant, atol=3)
    assert max(model.loss_curve_) < 10


def test_a_float32_model_predicts_no_infinity():
    model = ScratchMLPRegressor(**SMALL, loss="gaussian_nll").fit(X.astype(np.float32), 1e36 * np.sign(Y))
    for predicted in model.predict(1e6 * X.astype(np.float32), return_std=True):
        assert predicted.dtype == np.float32
        assert np.isfinite(predicted).all()


def test_standard_deviations_below_float32_are_positive():
    model = ScratchMLPRegressor(**SMALL, loss="gaussian_nll", dtype="float32").fit(X, 1e-300 * Y)
    assert (model.predict(X, return_std=True)[1] > 0).all()


def test_weights_whose_products_are_infinite_are_divergence():
    tiny = np.full(40, 1e-300)  # by which the penalty is divided
    model = ScratchMLPClassifier(**{**SMALL, "max_iter": 1}, solver="sgd")
    with pytest.raises(ValueError, match="diverged"):
        model.fit(X, Y > 0, tiny)


def test_targets_beyond_float32_are_refused_without_a_warning():
    y = np.column_stack([Y, 1e150 * Y])
    with pytest.raises(ValueError, match=r"y contains infinity or a value too large for dtype\('float32'\)"):
        ScratchMLPRegressor(**SMALL).fit(X.astype(np.float32), y)


@each_regressor
@pytest.mark.parametrize(
    "y",
    [
        np.arange(40).astype("datetime64[D]"),
        np.append(np.arange(39), np.iinfo(np.int64).min).astype("datetime64[D]"),
        pd.Series(pd.to_timedelta(Y, unit="D")),
        pd.Series(pd.period_range("2020", periods=40, freq="D")),
        pl.Series(pd.date_range("2020", periods=40)),
    ],
    ids=["days", "with NaT", "durations", "periods", "polars"],
)
def test_dates_are_no_targets(kind, y):
    with pytest.raises(ValueError, match="y holds dates or times.*Turn it into numbers"):
        kind(**SMALL).fit(X, y)


def test_validation_targets_of_another_size_are_finite():
    model = ScratchRealMLPRegressor(**SMALL).fit(X, 1e-30 * Y, X_val=X, y_val=1e30 * Y)
    assert np.isfinite(model.validation_loss_curve_).all()


def test_a_column_of_the_smallest_numbers_is_a_constant():
    tiny = np.column_stack([X[:, 0], 1e-310 * X[:, 1]])
    constant = np.column_stack([X[:, 0], np.zeros(40)])
    model, expected = (ScratchRealMLPRegressor(**SMALL).fit(data, Y) for data in (tiny, constant))
    np.testing.assert_array_equal(model.predict(tiny), expected.predict(constant))


@pytest.mark.parametrize("kind", [ScratchMLPClassifier, ScratchRealMLPClassifier])
def test_a_whole_number_without_end_names_its_column(kind):
    with pytest.raises(ValueError, match="'a'.*too large"):
        kind(**SMALL).fit(pd.DataFrame({"a": [10**400] * 40, "b": Y}), Y > 0)


def test_classes_of_several_kinds_are_said_at_the_first_chunk():
    columns = np.array([[1, "a"], [2, "b"]] * 20, dtype=object)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        ScratchMLPClassifier().partial_fit(X, columns)
    with pytest.raises(ValueError, match="Input classes contains None"):
        ScratchMLPClassifier().partial_fit(X, ["a"] * 40, classes=np.array(["a", None], dtype=object))
