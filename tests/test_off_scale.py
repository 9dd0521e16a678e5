"""Data of a size that a network cannot fit: what is said of them, and that nothing is said in vain."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
)
from sknn_scratch.core import LOSSES

RNG = np.random.RandomState(0)
X = RNG.normal(size=(200, 4))
NUMBERS = X[:, 0] - 0.5 * X[:, 1] + 0.1 * RNG.normal(size=200)
LABELS = NUMBERS > 0
TABULAR = {"hidden_layer_sizes": (8,), "max_iter": 3, "n_cv": 1}
DROP_INS = [ScratchMLPClassifier(random_state=0), ScratchMLPRegressor(random_state=0)]
TABLES = [
    ScratchRealMLPClassifier(**TABULAR, random_state=0),
    ScratchRealMLPRegressor(**TABULAR, random_state=0),
]
LOSSES_OF_NUMBERS = [name for name, loss in LOSSES.items() if loss().link_inverse.startswith("identity")]

each_drop_in = pytest.mark.parametrize("model", DROP_INS, ids=["classifier", "regressor"])
each_table = pytest.mark.parametrize("model", TABLES, ids=["classifier", "regressor"])
each_form = pytest.mark.parametrize("form", [np.asarray, csr_matrix], ids=["dense", "sparse"])
each_size = pytest.mark.parametrize("size", [1e6, 1e-6])


def targets_of(model):
    return LABELS if is_classifier(model) else NUMBERS


def said(words, fit):
    """The messages with these words, which a call leads to; all of them are at a line of this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit()
    found = [warning for warning in caught if words in str(warning.message)]
    assert all(warning.filename == __file__ for warning in found)
    is_far = words.startswith("X_val")
    assert {warning.category for warning in found} <= {UserWarning if is_far else ConvergenceWarning}
    return [str(warning.message) for warning in found]


def of_a_constant(model, X, y, **given):
    return said("no better than a constant", lambda: model.fit(X, y, **given))


def of_far_rows(model, X, y, **given):
    return said("X_val lies far outside", lambda: model.fit(X, y, **given))


class TestNoBetterThanAConstant:
    @each_drop_in
    @each_form
    @each_size
    def test_columns_off_by_orders_of_magnitude_want_a_scaler(self, model, form, size):
        y = targets_of(model)
        (message,) = of_a_constant(model, form(size * X), y)
        assert f"{size:.0e}" in message
        assert "StandardScaler" in message
        assert "scale_target" not in message
        assert not of_a_constant(make_pipeline(StandardScaler(with_mean=False), model), form(size * X), y)

    @each_size
    @pytest.mark.parametrize("loss", LOSSES_OF_NUMBERS)
    def test_targets_off_by_orders_of_magnitude_want_a_scale(self, loss, size):
        model = ScratchMLPRegressor(loss=loss, scale_target=False, random_state=0)
        (message,) = of_a_constant(model, X, size * NUMBERS)
        assert f"{size:.0e}" in message
        assert "scale_target=True" in message
        assert "StandardScaler" not in message
        assert not of_a_constant(model.set_params(scale_target=True), X, size * NUMBERS)

    def test_targets_far_from_zero_want_a_scale_too(self):
        (message,) = of_a_constant(DROP_INS[1], X, NUMBERS + 1e6)
        assert "scale_target=True" in message

    def test_of_several_targets_the_mean_loss_is_compared(self):
        (message,) = of_a_constant(DROP_INS[1], X, 1e6 * np.column_stack([NUMBERS, NUMBERS, -NUMBERS]))
        assert "scale_target=True" in message

    def test_all_rows_tell_the_size_of_a_column(self):
        hardly = ScratchMLPRegressor(hidden_layer_sizes=(1,), max_iter=1, learning_rate_init=1e-12)
        sizes = np.repeat([1.0, 1e6], 10_001)[:, np.newaxis]
        (message,) = of_a_constant(hardly, sizes, sizes.ravel() > 1)
        assert "Columns 0 of X" in message

    def test_both_remedies_are_named_where_both_are_off(self):
        (message,) = of_a_constant(DROP_INS[1], 1e-6 * X, 1e6 * NUMBERS)
        assert "StandardScaler" in message
        assert "scale_target=True" in message

    @each_form
    def test_the_columns_that_are_off_are_named(self, form):
        (message,) = of_a_constant(DROP_INS[1], form(X * [1, 1e6, 1, 1e6]), NUMBERS)
        assert "Columns 1, 3 of X" in message
        frame = pd.DataFrame(X, columns=["a", "b", "c", "d"]) * [1, 1, 1e6, 1]
        (message,) = of_a_constant(DROP_INS[1], frame, NUMBERS)
        assert "Columns c of X" in message
        (message,) = of_a_constant(DROP_INS[1], np.tile(1e6 * X, 2), NUMBERS)
        assert "Columns 0, 1, 2, 3, 4 and 3 more of X" in message

    def test_weights_count_in_the_best_constant(self):
        """The rows that count are met by a constant that is not that of all rows."""
        far, weight = np.where(LABELS, 1e4, 0.0), np.where(LABELS, 0.0, 1.0)
        model = ScratchMLPRegressor(max_iter=300, tol=0.0, n_iter_no_change=300, random_state=0)
        assert of_a_constant(model, 1e-6 * X, far, sample_weight=weight)

    @each_drop_in
    @each_form
    @pytest.mark.parametrize("size", [200.0, 0.01])
    def test_a_model_that_learnt_says_nothing_whatever_the_units_of_x(self, model, form, size):
        model, y = clone(model).set_params(solver="lbfgs", tol=1e-9, max_iter=100), targets_of(model)
        assert not of_a_constant(model, form(size * X), y)
        assert model.score(form(size * X), y) > 0.8

    @pytest.mark.parametrize("size", [200.0, 0.01])
    def test_nor_whatever_the_units_of_y(self, size):
        model = ScratchMLPRegressor(solver="lbfgs", tol=1e-9, random_state=0)
        assert not of_a_constant(model, X, size * NUMBERS)
        assert model.score(X, size * NUMBERS) > 0.8

    @each_drop_in
    def test_noise_of_size_1_is_no_matter_of_units(self, model):
        noise = np.random.RandomState(1).permutation(targets_of(model))
        hardly = clone(model).set_params(max_iter=1, learning_rate_init=1e-9)
        assert not of_a_constant(hardly, X, noise)
        assert not of_a_constant(hardly, X, np.ones_like(noise))  # a constant has no size that is wrong

    def test_the_numbers_of_classes_have_no_size(self):
        hardly = ScratchMLPClassifier(max_iter=1, learning_rate_init=1e-9, random_state=0)
        (message,) = of_a_constant(hardly, 1e-6 * X, np.arange(200))
        assert "scale_target" not in message

    def test_many_small_columns_are_one_large_row(self):
        X = np.random.RandomState(0).normal(size=(100, 5000)) / 150
        hardly = ScratchMLPClassifier(max_iter=1, learning_rate_init=1e-9, random_state=0)
        assert not of_a_constant(hardly, X, np.arange(100) < 50)
        assert of_a_constant(hardly, X[:, :2], np.arange(100) < 50)

    @each_drop_in
    @each_size
    def test_partial_fit_says_nothing(self, model, size):
        model, y = clone(model), targets_of(model)
        classes = {"classes": [False, True]} if is_classifier(model) else {}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.partial_fit(size * X, y, **classes).partial_fit(size * X, y)

    @each_table
    @each_size
    def test_tables_scale_their_columns_and_targets_themselves(self, model, size):
        y = targets_of(model)
        y = y if is_classifier(model) else size * y
        model = clone(model).set_params(max_iter=30)
        assert not of_a_constant(model, size * X, y)
        assert model.score(size * X, y) > 0.8


def parts_of_breast_cancer():
    data, y = load_breast_cancer(return_X_y=True, as_frame=True)
    return train_test_split(data, y, random_state=0)


class TestFarOutside:
    @pytest.mark.parametrize("model", [DROP_INS[0], TABLES[0]], ids=["drop-in", "table"])
    def test_validation_data_that_went_past_the_scaler(self, model):
        rows, rows_val, y, y_val = parts_of_breast_cancer()
        pipeline = Pipeline([("scale", StandardScaler()), ("mlp", clone(model))])
        (message,) = of_far_rows(pipeline, rows, y, mlp__X_val=rows_val.to_numpy(), mlp__y_val=y_val)
        assert "transform_input=['X_val']" in message
        assert "set_fit_request(X_val=True, y_val=True)" in message

        with config_context(enable_metadata_routing=True):
            network = clone(model).set_fit_request(X_val=True, y_val=True)
            routed = make_pipeline(StandardScaler(), network, transform_input=["X_val"])
            assert not of_far_rows(routed, rows, y, X_val=rows_val, y_val=y_val)
        assert routed[-1].validation_scores_[-1] > pipeline[-1].validation_scores_[-1]

    @each_drop_in
    @pytest.mark.parametrize("form_of_x", [np.asarray, csr_matrix], ids=["dense", "sparse"])
    @pytest.mark.parametrize("form_of_val", [np.asarray, csr_matrix], ids=["dense", "sparse"])
    @pytest.mark.parametrize("sign", [1, -1])
    def test_columns_that_lie_outside_are_named(self, model, form_of_x, form_of_val, sign):
        y = targets_of(model)
        shifted = X + sign * np.array([0, 0, 100, 0])
        (message,) = of_far_rows(clone(model), form_of_x(X), y, X_val=form_of_val(shifted), y_val=y)
        assert "in columns 2. In a pipeline" in message

    @each_table
    @pytest.mark.parametrize("sign", [1, -1])
    def test_columns_of_a_table_that_lie_outside_are_named(self, model, sign):
        y = targets_of(model)
        table = pd.DataFrame({"kind": np.where(LABELS, "a", "b"), "gap": X[:, 0], "size": X[:, 1]})
        table.loc[::3, "gap"] = np.nan
        shifted = table.assign(gap=table["gap"] + 100 * sign, size=table["size"] + 100 * sign)
        (message,) = of_far_rows(model, table, y, X_val=shifted, y_val=y)
        assert "in columns gap, size. In a pipeline" in message
        words = table.assign(kind=np.where(LABELS, "c", "d"))
        assert not of_far_rows(model, table, y, X_val=words, y_val=y)

    @each_table
    def test_columns_with_gaps_only_lie_nowhere(self, model):
        y = targets_of(model)
        table = pd.DataFrame({"a": X[:, 0] + 100, "b": X[:, 1], "gone": np.nan})
        gaps = table.assign(a=np.nan)
        assert not of_far_rows(model, table, y, X_val=gaps, y_val=y)

    @pytest.mark.parametrize("model", [*DROP_INS, *TABLES], ids=lambda model: type(model).__name__)
    def test_a_few_rows_outside_or_somewhat_outside_are_no_surprise(self, model):
        y = targets_of(model)
        with_outliers = X.copy()
        with_outliers[:80] = 1e9
        assert not of_far_rows(model, X, y, X_val=with_outliers, y_val=y)
        if model in DROP_INS:
            assert not of_far_rows(model, csr_matrix(X), y, X_val=csr_matrix(with_outliers), y_val=y)
        assert not of_far_rows(model, X, y, X_val=X + np.ptp(X, axis=0), y_val=y)

    @pytest.mark.parametrize("model", [*DROP_INS, *TABLES], ids=lambda model: type(model).__name__)
    def test_a_column_that_is_constant_in_training_has_no_range(self, model):
        y = targets_of(model)
        constant = np.column_stack([X, np.ones(200)])
        other = np.column_stack([X, np.full(200, 2.0)])
        assert not of_far_rows(model, constant, y, X_val=other, y_val=y)
