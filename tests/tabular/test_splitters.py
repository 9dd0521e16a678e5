"""n_cv as one of scikit-learn's splitters, and groups of rows that stay together."""

import numpy as np
import pandas as pd
import pytest
from helpers.families import TABLES
from helpers.stop_after import StopAfter
from sklearn import config_context
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_validate,
)
from sklearn.pipeline import make_pipeline

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor
from sknn_scratch.callbacks import Checkpoint

RNG = np.random.RandomState(0)
GROUPS = RNG.randint(12, size=240)
X = pd.DataFrame({"row": np.arange(240.0), "group": GROUPS, "x": RNG.normal(size=240)})
NUMBERS = X["x"].to_numpy() + 0.1 * GROUPS
LABELS = np.where(NUMBERS > 0.5, "yes", "no")
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2, "batch_size": 64, "random_state": 0}
each_kind = pytest.mark.parametrize("kind", TABLES)


def targets(kind):
    return LABELS if kind is ScratchRealMLPClassifier else NUMBERS


def held_out(kind, n_cv, **fit_params):
    """The rows that each split holds out."""
    seen = []

    def look(model, X, y):
        seen.append(X["row"].astype(int).tolist())
        return 0.0

    model = kind(**SMALL | {"max_iter": 1}, n_cv=n_cv, scoring=look)
    model.fit(X, targets(kind), **fit_params)
    assert len(model._folds) == len(seen)
    return seen


@each_kind
@pytest.mark.parametrize(
    "splitter", [GroupKFold(4), LeaveOneGroupOut(), GroupShuffleSplit(3, random_state=0)]
)
def test_rows_are_held_out_as_the_splitter_says(kind, splitter):
    expected = [list(rows) for _, rows in splitter.split(X, targets(kind), GROUPS)]
    assert held_out(kind, splitter, groups=GROUPS) == expected
    assert held_out(kind, splitter, groups=GROUPS.tolist()) == expected
    for rows in expected:
        assert not set(GROUPS[rows]) & set(GROUPS[np.setdiff1d(np.arange(240), rows)])


@each_kind
def test_one_split_of_groups_goes_with_refit_and_members(kind):
    model = kind(**SMALL, n_cv=GroupShuffleSplit(1, test_size=0.25, random_state=0), n_ens=2, refit=True)
    model.fit(X, targets(kind), groups=GROUPS)
    assert [len(fold.members) for fold in model._folds] == [2, 2]


@each_kind
def test_splitters_that_ask_for_no_groups(kind):
    assert held_out(kind, KFold(3)) == [list(range(i, i + 80)) for i in (0, 80, 160)]
    assert held_out(kind, PredefinedSplit(np.where(np.arange(240) < 200, -1, 0))) == [list(range(200, 240))]


def test_labels_are_what_stratified_splits_go_by():
    for rows in held_out(ScratchRealMLPClassifier, StratifiedKFold(3)):
        assert abs(np.mean(LABELS[rows] == "yes") - np.mean(LABELS == "yes")) < 0.02


@each_kind
def test_each_row_is_trained_on_with_its_weight_and_target(kind):
    """The same splits by number of rows give the same model as a splitter that lists them."""
    folds = np.arange(240) % 3
    model = kind(**SMALL, n_cv=PredefinedSplit(folds)).fit(X, targets(kind), sample_weight=1 + folds)
    for i, fold in enumerate(model._folds):
        assert fold.preprocessor._center[0] == np.median(X["row"][folds != i])


@each_kind
def test_splits_by_time_are_made_and_their_sizes_are_warned_of(kind):
    with pytest.warns(UserWarning, match=r"TimeSeriesSplit.*on 60 rows in one split and on 180.*X_val"):
        assert held_out(kind, TimeSeriesSplit(3)) == [list(range(i, i + 60)) for i in (60, 120, 180)]


@each_kind
def test_groups_are_routed_as_those_of_scikit_learn(kind):
    with config_context(enable_metadata_routing=True):
        model = kind(**SMALL, n_cv=GroupKFold(2)).set_fit_request(groups=True)
        for estimator in (model, make_pipeline(model)):
            results = cross_validate(
                estimator,
                X,
                targets(kind),
                cv=GroupKFold(2),
                params={"groups": GROUPS},
                return_estimator=True,
                error_score="raise",
            )
            assert len(results["estimator"]) == 2


@each_kind
@pytest.mark.parametrize("n_cv", ["auto", 5])
def test_groups_without_a_splitter_are_refused(kind, n_cv):
    with pytest.raises(ValueError, match=rf"groups=.*n_cv='?{n_cv}.*use n_cv=GroupKFold\(5\)"):
        kind(**SMALL, n_cv=n_cv).fit(X, targets(kind), groups=GROUPS)


@each_kind
def test_what_cannot_be_split_is_refused(kind):
    y = targets(kind)
    with pytest.raises(ValueError, match="groups has 10 entries, but X has 240 rows"):
        kind(**SMALL, n_cv=GroupKFold(2)).fit(X, y, groups=GROUPS[:10])
    with pytest.raises(ValueError, match="groups"):
        kind(**SMALL, n_cv=GroupKFold(2)).fit(X, y)
    with pytest.raises(ValueError, match=r"n_cv=PredefinedSplit.*a part that is empty"):
        kind(**SMALL, n_cv=PredefinedSplit(np.zeros(240))).fit(X, y)
    with pytest.raises(ValueError, match=r"n_cv=GroupKFold.*excludes X_val"):
        kind(**SMALL, n_cv=GroupKFold(2)).fit(X, y, X_val=X, y_val=y)
    with pytest.raises(ValueError, match="'n_cv' parameter"):
        kind(**SMALL, n_cv="GroupKFold").fit(X, y)


@each_kind
def test_a_checkpoint_goes_on_with_the_same_groups_only(kind, tmp_path):
    y = targets(kind)
    model = kind(**SMALL | {"max_iter": 4}, n_cv=GroupKFold(2))
    expected = model.fit(X, y, groups=GROUPS).predict(X)
    path = tmp_path / "groups.npz"
    model.set_callbacks(Checkpoint(path), StopAfter(2)).fit(X, y, groups=GROUPS)
    model.set_callbacks(Checkpoint(path, resume=True))
    with pytest.raises(ValueError, match="different validation data"):
        model.fit(X, y, groups=(GROUPS + np.arange(240) % 2) % 12)
    np.testing.assert_array_equal(model.fit(X, y, groups=GROUPS).predict(X), expected)


@pytest.mark.parametrize("splitter", [ShuffleSplit(1), KFold(2, shuffle=True)])
def test_a_checkpoint_needs_splits_that_can_be_made_again(splitter, tmp_path):
    model = ScratchRealMLPRegressor(**SMALL, n_cv=splitter).set_callbacks(Checkpoint(tmp_path / "c.npz"))
    with pytest.raises(ValueError, match="cannot save n_cv=.*an int as random_state"):
        model.fit(X, NUMBERS)
    splitter.random_state = 0
    model.fit(X, NUMBERS)
