"""refit=True: once the best number of epochs is known, members are trained on all rows too."""

import io
import pickle
from contextlib import redirect_stdout

import numpy as np
import pandas as pd
import pytest
from helpers.stop_after import StopAfter
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor
from sknn_scratch.core import CosLog, Progress, Quantile
from sknn_scratch.tabular import TabularPreprocessor, _ensemble
from sknn_scratch.tabular._columns import checked_table, read_table
from sknn_scratch.tabular._fold import combined

KINDS = {"classifier": ScratchRealMLPClassifier, "regressor": ScratchRealMLPRegressor}
each_kind = pytest.mark.parametrize("kind", KINDS)


def raw_scores(model, X):
    return model._raw_scores(X)[1]


@each_kind
@pytest.mark.parametrize(("n_cv", "n_ens"), [(1, 1), (1, 2), (3, 1)])
def test_members_on_all_rows_join_those_that_chose_the_epoch(kind, n_cv, n_ens, table, targets, small):
    X, y = table[0], targets[kind]
    small |= {"n_cv": n_cv, "n_ens": n_ens, "random_state": 0}
    first = KINDS[kind](**small).fit(X, y)
    model = KINDS[kind](**small, refit=True).fit(X, y)
    *chose, on_all = model._folds
    read = read_table(checked_table(model, X, reset=False), on_all.preprocessor.categorical_mask_)
    assert [len(fold.members) for fold in model._folds] == [n_ens] * (n_cv + 1)
    for ours, theirs in zip(chose, first._folds, strict=True):
        np.testing.assert_array_equal(ours.raw_scores(read), theirs.raw_scores(read))
    together = combined(on_all.network.loss, [fold.raw_scores(read) for fold in model._folds])
    np.testing.assert_array_equal(raw_scores(model, X), together)
    assert not np.allclose(raw_scores(model, X), raw_scores(first, X))


@each_kind
def test_all_rows_are_trained_on(kind, table, targets, small):
    X, y = table[0].copy(), targets[kind]
    X["size"] = np.arange(300.0)
    model = KINDS[kind](**small, refit=True, random_state=0).fit(X, y)
    assert model._folds[-1].preprocessor._center[0] == np.median(X["size"])
    assert model._folds[0].preprocessor._center[0] != np.median(X["size"])


def test_all_targets_are_trained_on(table, small):
    X, y = table[0], table[1].copy()
    y[np.argmax(y)] = 100.0
    model = ScratchRealMLPRegressor(**small, refit=True, random_state=0).fit(X, y)
    assert model._folds[-1].limits[1][0] == 100.0


@each_kind
def test_it_ends_after_as_many_epochs_as_the_best_one(kind, table, targets, small):
    X, y = table[0], targets[kind]
    small |= {"random_state": 0, "max_iter": 12, "learning_rate_init": 0.1}
    first = KINDS[kind](**small).fit(X, y)
    out = io.StringIO()
    with redirect_stdout(out):
        model = KINDS[kind](**small, refit=True, verbose=True).fit(X, y)
    assert model.best_iter_ == first.best_iter_
    assert model.n_iter_ == 12 + model.best_iter_ == len(model.loss_curve_)
    history = pd.DataFrame(model.history_)
    assert list(history["epoch"]) == list(range(1, model.n_iter_ + 1))
    assert list(history["validation_score"][:12]) == model.validation_scores_[:12] == first.validation_scores_
    assert np.isnan(model.validation_scores_[12:]).all()
    assert np.isnan(model.validation_loss_curve_[12:]).all()
    lines = out.getvalue().splitlines()
    assert len(lines) == model.n_iter_
    assert ", val " in lines[11]
    assert ", val " not in lines[12]
    # the schedule is stretched over all epochs, however many of them are run: 300 // 32 steps in each
    assert history["learning_rate"][12] == pytest.approx(CosLog()(Progress(0.1, step=8, n_steps=12 * 9)))


@each_kind
def test_the_same_seed_gives_the_same_model(kind, table, targets, small):
    X, y = table[0], targets[kind]
    model = KINDS[kind](**small, refit=True, random_state=0).fit(X, y)
    expected = raw_scores(model, X)
    for other in (clone(model).fit(X, y), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(raw_scores(other, X), expected)


@each_kind
def test_it_does_not_go_with_validation_data_of_the_users_own(kind, table, targets, small):
    X, y = table[0], targets[kind]
    with pytest.raises(ValueError, match="refit=True.*use refit=False"):
        KINDS[kind](**small, refit=True).fit(X, y, X_val=X, y_val=y)


@each_kind
@pytest.mark.parametrize("n_ens", [1, 2])
@pytest.mark.parametrize("n_epochs", [3, 9])
def test_where_training_is_broken_off_the_first_members_are_the_model(
    kind, n_epochs, n_ens, table, targets, small
):
    X, y = table[0], targets[kind]
    small |= {"random_state": 0, "n_ens": n_ens}
    expected = KINDS[kind](**small).set_callbacks(StopAfter(n_epochs)).fit(X, y)
    model = KINDS[kind](**small, refit=True).set_callbacks(StopAfter(n_epochs))
    assert model.fit(X, y).n_iter_ == n_epochs
    np.testing.assert_array_equal(raw_scores(model, X), raw_scores(expected, X))
    model.set_callbacks(StopAfter(n_epochs, KeyboardInterrupt()))
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, y)
    np.testing.assert_array_equal(raw_scores(model, X), raw_scores(expected, X))


@each_kind
@pytest.mark.parametrize("n_ens", [1, 2])
def test_ctrl_c_between_the_two_trainings_keeps_the_first(kind, n_ens, table, targets, small, monkeypatch):
    X, y = table[0], targets[kind]
    small |= {"random_state": 0, "n_ens": n_ens}
    expected = KINDS[kind](**small).fit(X, y)
    fit_preprocessor, n_fits = TabularPreprocessor.learn, 0

    def interrupted(*args, **kwargs):
        nonlocal n_fits
        n_fits += 1
        if n_fits == 2:
            raise KeyboardInterrupt
        return fit_preprocessor(*args, **kwargs)

    monkeypatch.setattr(TabularPreprocessor, "learn", interrupted)
    with pytest.warns(UserWarning, match="interrupted by user"):
        model = KINDS[kind](**small, refit=True).fit(X, y)
    np.testing.assert_array_equal(raw_scores(model, X), raw_scores(expected, X))


@pytest.mark.parametrize("member", ["weights", "loss"])
def test_where_the_second_training_diverges_the_first_members_are_kept(
    member, table, labels, small, monkeypatch
):
    first = ScratchRealMLPClassifier(**small, random_state=0).fit(table[0], labels)
    model = ScratchRealMLPClassifier(**small, refit=True, random_state=0)
    train, n_trainings = _ensemble.train_minibatch, 0

    def spoilt(network, parameters, batches, training, *args, **kwargs):
        nonlocal n_trainings
        n_trainings += 1
        if n_trainings == 1:
            return train(network, parameters, batches, training, *args, **kwargs)
        if member == "weights":
            outcome = train(network, parameters, batches, training, *args, **kwargs)
            parameters.flat[0] = np.inf
            return outcome
        parameters.flat[:] = np.nan
        return train(network, parameters, batches, training, *args, **kwargs)

    monkeypatch.setattr(_ensemble, "train_minibatch", spoilt)
    with pytest.warns(ConvergenceWarning, match=r"Training diverged at epoch \d+.*no members of refit=True"):
        model.fit(table[0], labels)
    assert len(model._folds) == 1
    np.testing.assert_array_equal(raw_scores(model, table[0]), raw_scores(first, table[0]))


def least_absolute_error(model, X, y, sample_weight):
    return -np.average(np.abs(model.predict(X) - y), weights=sample_weight)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("regressor", {"loss": Quantile([0.1, 0.5, 0.9])}),
        ("regressor", {"loss": "gaussian_nll"}),
        ("regressor", {"scoring": least_absolute_error}),
        ("classifier", {"scoring": "neg_log_loss"}),
        ("classifier", {"class_weight": "balanced", "preset": "td-s"}),
    ],
)
def test_with_losses_scores_and_weights(kind, settings, table, targets, small):
    X, y, weight = table[0], targets[kind], np.arange(300) % 3
    model = KINDS[kind](**small | settings, refit=True, random_state=0).fit(X, y, sample_weight=weight)
    assert len(model._folds) == 2
    assert np.isfinite(model.predict(X) if kind == "regressor" else model.predict_proba(X)).all()


def test_several_targets(table, small):
    y = np.column_stack([table[1], -table[1]])
    model = ScratchRealMLPRegressor(**small, refit=True, random_state=0).fit(table[0], y)
    assert model.predict(table[0]).shape == (300, 2)
