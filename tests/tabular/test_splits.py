import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor
from sknn_scratch.tabular._deal import deal


@given(
    n_samples=st.integers(10, 200),
    n_folds=st.integers(1, 5),
    n_classes=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_parts_are_disjoint_complete_and_stratified(n_samples, n_folds, n_classes, seed):
    rng = np.random.RandomState(seed)
    classes = rng.randint(n_classes, size=n_samples)
    splits = deal(n_samples, 0.2, n_folds, classes, rng)
    assert len(splits) == n_folds
    share = 1 / n_folds if n_folds > 1 else 0.2
    for train, held_out in splits:
        np.testing.assert_array_equal(np.sort(np.concatenate([train, held_out])), np.arange(n_samples))
        for count, held in zip(
            np.bincount(classes), np.bincount(classes[held_out], minlength=4), strict=False
        ):
            assert abs(held - share * count) < 2 if count > 1 else held == 0
    if n_folds > 1:
        rows = np.concatenate([held_out for _, held_out in splits])
        assert len(np.unique(rows)) == len(rows)


@pytest.mark.parametrize("n_folds", [1, 5])
def test_a_class_with_one_row_is_not_held_out(n_folds):
    classes = np.array([0, 1] * 5 + [2, 3])
    for seed in range(20):
        for train, _ in deal(12, 0.4, n_folds, classes, np.random.RandomState(seed)):
            assert {10, 11} <= set(train)


def test_numbers_are_split_at_random_in_the_share_asked_for():
    train, held_out = deal(1000, 0.2, 1, None, np.random.RandomState(0))[0]
    assert (len(train), len(held_out)) == (800, 200)
    assert abs(held_out.mean() - 499.5) < 60


@pytest.mark.parametrize(("n_samples", "fraction", "n_folds"), [(1, 0.2, 1), (2, 0.01, 1), (3, 0.2, 5)])
def test_too_few_rows_are_told(n_samples, fraction, n_folds):
    with pytest.raises(ValueError, match=f"n_samples={n_samples} is too few"):
        deal(n_samples, fraction, n_folds, None, np.random.RandomState(0))


def n_splits(kind, y, weight=None, validation=(None, None), **params):
    """How often a part of the rows is held out by default."""
    X = np.random.RandomState(0).normal(size=(len(y), 2))
    model = kind(hidden_layer_sizes=(2,), max_iter=1, random_state=0, **params)
    return len(model.fit(X, y, weight, X_val=validation[0], y_val=validation[1])._folds)


@pytest.mark.parametrize("kind", [ScratchRealMLPClassifier, ScratchRealMLPRegressor])
def test_few_rows_are_split_five_times_by_default(kind):
    y = np.arange(1000) % 2
    assert n_splits(kind, y[:999]) == n_splits(kind, y[:10]) == 5
    assert n_splits(kind, y) == n_splits(kind, y[:9]) == 1
    assert n_splits(kind, y[:100], n_cv=1) == n_splits(kind, y[:100], validation_fraction=0.2) == 1
    assert n_splits(kind, y[:100], validation=(np.zeros((2, 2)), y[:2])) == 1


@pytest.mark.parametrize("kind", [ScratchRealMLPClassifier, ScratchRealMLPRegressor])
def test_rows_without_weight_may_be_all_of_a_fifth(kind):
    weight, y = np.zeros(100), np.arange(100) % 2
    weight[::2] = 1.0
    assert n_splits(kind, y[:100], weight) == 1
    assert n_splits(kind, y[:100], weight + 1) == 5


def test_rows_that_are_never_held_out_do_not_count():
    """A class with one row stays in the training part."""
    y = [0, 1] * 5 + ["alone", "too"]
    assert n_splits(ScratchRealMLPClassifier, np.array(y, dtype=str)) == 5
    assert n_splits(ScratchRealMLPClassifier, np.array(y[1:], dtype=str)) == 1
