"""What both estimators promise: tables in, predictions and a history out."""

import copy
import gc
import io
import pickle
import signal
import threading
import warnings
from contextlib import redirect_stdout

import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers.stop_after import StopAfter
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor
from sknn_scratch.callbacks import EpochLogger
from sknn_scratch.core import Batches, BinaryLogLoss, Cosine, GaussianNLL, LeakyReLU, Quantile
from sknn_scratch.core.machine.threads import BLAS_LIMIT
from sknn_scratch.tabular._presets import CLASSIFIER_PRESETS
from sknn_scratch.tabular._run import TableRun

KINDS = {"classifier": ScratchRealMLPClassifier, "regressor": ScratchRealMLPRegressor}
each_kind = pytest.mark.parametrize("kind", KINDS)
each_preset = pytest.mark.parametrize("preset", CLASSIFIER_PRESETS)


def probabilities(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@each_kind
@each_preset
def test_it_learns_from_a_table_as_it_is(kind, preset, table, targets):
    X, y = table[0], targets[kind]
    model = KINDS[kind](preset, max_iter=40, batch_size=64, random_state=0).fit(X[:240], y[:240])
    assert model.score(X[240:], y[240:]) > 0.75
    n_refitted = model.best_iter_ if preset in ("fast", "best") else 0
    assert model.n_iter_ == len(model.history_) == 40 + n_refitted
    assert all(
        parameters.dtype == np.float32
        for m in model._folds[0].members
        for p in m
        for parameters in p.values()
    )


@each_kind
def test_the_same_seed_gives_the_same_model_from_pandas_and_polars(kind, table, targets, small):
    X, y = table[0], targets[kind]
    same = pl.DataFrame({name: X[name].to_list() for name in X}, nan_to_null=True)
    models = [KINDS[kind](**small, random_state=3).fit(frame, y) for frame in (X, same, X)]
    expected = probabilities(models[0], X)
    np.testing.assert_array_equal(probabilities(models[2], X), expected)
    np.testing.assert_array_equal(probabilities(models[1], same), expected)
    other = KINDS[kind](**small, random_state=4).fit(X, y)
    assert not np.array_equal(probabilities(other, X), expected)


@each_kind
def test_an_array_with_named_categories(kind, table, targets, small):
    X, y = table[0][["size", "kind"]].copy(), targets[kind]
    X["kind"] = X["kind"].map({"a": 0.0, "b": 1.0, "c": 2.0})
    expected = KINDS[kind](**small, random_state=0).fit(X.astype({"kind": "category"}), y)
    model = KINDS[kind](**small, random_state=0, categorical_features=[1]).fit(X.to_numpy(), y)
    np.testing.assert_array_equal(
        probabilities(model, X.to_numpy()), probabilities(expected, X.astype({"kind": "category"}))
    )


@each_kind
def test_unseen_levels_and_gaps_at_prediction(kind, table, targets, small):
    X, y = table[0], targets[kind]
    model = KINDS[kind](**small, random_state=0).fit(X, y)
    new = X[:3].copy()
    new["kind"], new["place"] = ["never", None, "seen"], "nowhere"
    new.loc[0, "size"] = np.nan
    assert np.isfinite(probabilities(model, new)).all()


@each_kind
def test_the_last_of_the_best_epochs_is_kept(kind, table, targets, small):
    X, y = table[0], targets[kind]
    model = KINDS[kind](**small, random_state=0).fit(X, y, X_val=X[:60], y_val=y[:60])
    scores = np.array(model.validation_scores_)
    assert model.best_iter_ == np.flatnonzero(scores == scores.max())[-1] + 1
    assert model.best_validation_score_ == scores.max()
    predicted = model.predict(X[:60])
    score = (
        np.mean(predicted == y[:60]) if kind == "classifier" else -np.sqrt(np.mean((predicted - y[:60]) ** 2))
    )
    assert score == pytest.approx(scores.max(), rel=1e-6)


@each_kind
def test_all_epochs_run_unless_early_stopping_says_otherwise(kind, table, targets, small):
    X, y = table[0], np.random.RandomState(0).permutation(targets[kind])  # nothing to learn
    small |= {"max_iter": 60, "random_state": 0}
    full = KINDS[kind](**small).fit(X, y)
    early = KINDS[kind](**small, early_stopping=True, n_iter_no_change=3, patience_factor=1.0).fit(X, y)
    assert full.n_iter_ == 60
    assert early.n_iter_ == early.best_iter_ + 4 < 60
    assert early.loss_curve_ == full.loss_curve_[: early.n_iter_]


@each_kind
def test_the_history_is_a_table_of_the_epochs(kind, table, targets, small):
    model = KINDS[kind](**small, random_state=0).fit(table[0], targets[kind])
    frame = pd.DataFrame(model.history_)
    assert list(frame["epoch"]) == list(range(1, 9))
    assert list(frame["loss"]) == model.loss_curve_
    assert frame["loss"].iloc[-1] < frame["loss"].iloc[0]
    assert (frame["seconds"] > 0).all()
    peak = KINDS[kind]._presets["td"].learning_rate_init
    assert 0 < frame["learning_rate"].max() <= peak


@each_kind
def test_zero_weights_are_as_good_as_no_rows(kind, table, targets, small):
    X, y = table[0], targets[kind].copy()
    rng = np.random.RandomState(0)
    weight = np.where(rng.uniform(size=300) < 0.5, 0.0, 1.0)
    spoilt = y.copy()
    spoilt[weight == 0] = rng.permutation(spoilt[weight == 0])
    model = KINDS[kind](**small, random_state=0)
    models = [
        clone(model).fit(X, of, sample_weight=factor * weight, X_val=X[:50], y_val=y[:50])
        for of, factor in ((y, 1), (spoilt, 1), (y, 2))
    ]
    for other in models[1:]:
        np.testing.assert_allclose(probabilities(other, X), probabilities(models[0], X), rtol=1e-4, atol=1e-5)
    assert not np.allclose(probabilities(clone(model).fit(X, y), X), probabilities(models[0], X), rtol=1e-2)


def test_class_weights_move_the_boundary(table, labels, small):
    X = table[0]
    small |= {"max_iter": 20, "random_state": 0}
    share = {}
    for name, weight in [("none", None), ("high", {"high": 20.0}), ("balanced", "balanced")]:
        model = ScratchRealMLPClassifier(**small, class_weight=weight).fit(X, labels)
        share[name] = np.mean(model.predict(X) == "high")
    assert share["high"] > share["none"]


def test_probabilities_are_probabilities(table, small):
    X = table[0]
    y = np.digitize(table[1], [-0.5, 0.5])
    model = ScratchRealMLPClassifier(**small, random_state=0).fit(X, y)
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.log(p), model.predict_log_proba(X), rtol=1e-6)
    np.testing.assert_array_equal(model.predict(X), model.classes_[p.argmax(axis=1)])
    assert model.n_outputs_ == 3


@pytest.mark.parametrize("scoring", ["neg_log_loss", "roc_auc", "loss"])
def test_a_score_of_probabilities_is_watched_by_cross_entropy_without_smoothing(
    scoring, table, labels, small
):
    X = table[0]
    model = ScratchRealMLPClassifier(**small, random_state=0, scoring=scoring)
    model.fit(X, labels, X_val=X[:50], y_val=labels[:50])
    np.testing.assert_array_equal(model.validation_scores_, -np.array(model.validation_loss_curve_))
    best = log_loss(labels[:50], model.predict_proba(X[:50]), labels=model.classes_)
    assert best == pytest.approx(-model.best_validation_score_, rel=1e-5)
    assert model._folds[0].network.loss.label_smoothing == 0
    assert ScratchRealMLPClassifier(**small).fit(X, labels)._folds[0].network.loss.label_smoothing == 0.1
    given = ScratchRealMLPClassifier(**small, scoring=scoring, label_smoothing=0.2).fit(X, labels)
    assert given._folds[0].network.loss.label_smoothing == 0.2


@each_kind
def test_any_scorer_chooses_the_epoch(kind, table, targets, small):
    X, y = table[0], targets[kind]
    seen = []

    def scorer(estimator, X, y):
        seen.append((X.shape, estimator.predict(X).shape))
        return -len(seen)

    model = KINDS[kind](**small, random_state=0, scoring=scorer).fit(X, y)
    assert model.best_iter_ == 1
    assert seen == [((60, 5), (60,))] * 8
    name = {"classifier": "f1_macro", "regressor": "neg_mean_absolute_error"}[kind]
    named = KINDS[kind](**small, random_state=0, scoring=name).fit(X, y, sample_weight=np.ones(300))
    assert named.best_validation_score_ == max(named.validation_scores_)


def test_quantiles_and_standard_deviations(table, small):
    X, y = table
    small |= {"max_iter": 30, "random_state": 0}
    quantiles = ScratchRealMLPRegressor(**small, loss=Quantile([0.1, 0.5, 0.9])).fit(X, y)
    low, median, high = quantiles.predict_quantiles(X).T
    assert (low <= median).all()
    assert (median <= high).all()
    np.testing.assert_array_equal(quantiles.predict(X), median)
    assert 0.6 < np.mean((low <= y) & (y <= high)) < 0.99
    normal = ScratchRealMLPRegressor(**small, loss="gaussian_nll").fit(X, y)
    mean, std = normal.predict(X, return_std=True)
    assert (std > 0).all()
    assert np.corrcoef(mean, y)[0, 1] > 0.7
    with pytest.raises(AttributeError, match="has no attribute 'predict_quantiles'"):
        normal.predict_quantiles(X)
    with pytest.raises(ValueError, match="return_std=True needs"):
        quantiles.predict(X, return_std=True)


def test_units_of_y_do_not_matter(table, small):
    X, y = table
    for loss in ("squared_error", "gaussian_nll", GaussianNLL()):
        small |= {"loss": loss, "random_state": 0}
        ours, scaled = (ScratchRealMLPRegressor(**small).fit(X, of) for of in (y, 1e-9 * y + 1e-8))
        np.testing.assert_allclose(scaled.predict(X), 1e-9 * ours.predict(X) + 1e-8, rtol=1e-3, atol=1e-11)
        if loss != "squared_error":
            std = [model.predict(X, return_std=True)[1] for model in (ours, scaled)]
            np.testing.assert_allclose(std[1], 1e-9 * std[0], rtol=1e-2)


def test_predictions_stay_in_the_range_of_y(table, small):
    X, y = table
    far = X.copy()
    far["size"] = 1e6
    model = ScratchRealMLPRegressor(**small, random_state=0).fit(X, y)
    assert y.min() <= model.predict(far).min() <= model.predict(far).max() <= y.max()
    free = ScratchRealMLPRegressor(**small, random_state=0, clip_predictions=False).fit(X, y)
    assert free._folds[0].limits is None


def test_rows_without_weight_do_not_widen_the_range_of_predictions(table, small):
    X, y = table
    counts, elsewhere = y < 0.5, X.assign(size=0.0)
    model = ScratchRealMLPRegressor(**small, learning_rate_init=0.2, random_state=0)
    clipped = model.fit(X, y, counts, X_val=X, y_val=y).predict(elsewhere)
    free = model.set_params(clip_predictions=False).fit(X, y, counts, X_val=X, y_val=y).predict(elsewhere)
    assert clipped.max() <= y[counts].max() < free.max()


@pytest.mark.parametrize("loss", ["absolute_error", "quantile", "huber", "poisson", "gamma", "gaussian_nll"])
def test_training_starts_at_the_best_constant(loss, table, small):
    X, y = table[0], np.exp(table[1])
    settings = {"loss": loss, "max_iter": 1, "learning_rate_init": 1e-12, "random_state": 0}
    predicted = ScratchRealMLPRegressor(**small | settings).fit(X, y, X_val=X, y_val=y).predict(X)
    constant = np.median(y) if loss in ("absolute_error", "quantile") else np.mean(y)
    np.testing.assert_allclose(predicted, constant, rtol=0.2 if loss == "huber" else 0.01)
    assert np.ptp(predicted) < 1e-5


def test_standard_deviations_are_no_larger_than_the_range_of_y(table, small):
    X, y = table
    far = X.copy()
    far["size"], far["gap"] = 1e6, -1e6
    model = ScratchRealMLPRegressor(**small, loss="gaussian_nll", learning_rate_init=2.0, random_state=0)
    std = model.fit(X, y).predict(far, return_std=True)[1]
    free = model.set_params(clip_predictions=False).fit(X, y).predict(far, return_std=True)[1]
    assert std.max() <= np.ptp(y) < free.max()


def test_several_targets(table, small):
    X, y = table
    both = np.column_stack([y, 10 - 2 * y])
    model = ScratchRealMLPRegressor(**{**small, "max_iter": 30}, random_state=0)
    assert model.fit(X, both).predict(X).shape == (300, 2)
    assert model.score(X, both) > 0.6


@each_kind
def test_fitted_models_survive_pickle_copy_and_clone(kind, table, targets, small):
    X, y = table[0], targets[kind]
    model = KINDS[kind](**small, activation=LeakyReLU(0.1), learning_rate=Cosine(), random_state=0).fit(X, y)
    expected = probabilities(model, X)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), copy.copy(model)):
        np.testing.assert_array_equal(probabilities(other, X), expected)
    again = clone(model)
    assert not hasattr(again, "n_iter_")
    np.testing.assert_array_equal(probabilities(again.fit(X, y), X), expected)


@each_kind
def test_it_works_inside_pipelines_and_searches(kind, table, targets, small):
    X, y = table[0], targets[kind]
    model = make_pipeline(FunctionTransformer(), KINDS[kind](**small, random_state=0))
    assert cross_val_score(model, X, y, cv=2).shape == (2,)
    search = GridSearchCV(
        KINDS[kind](**small, random_state=0), {"dropout": [0.0, 0.3], "preset": ["td", "td-s"]}, cv=2
    )
    assert set(search.fit(X, y).best_params_) == {"dropout", "preset"}


def test_a_transformed_target(table, small):
    X, y = table
    model = TransformedTargetRegressor(
        ScratchRealMLPRegressor(**small, random_state=0), func=np.exp, inverse_func=np.log
    )
    assert model.fit(X, y).predict(X).shape == (300,)


@each_kind
def test_verbose_and_callbacks_tell_of_each_epoch(kind, table, targets, small):
    X, y = table[0], targets[kind]
    for n_ens in (1, 2):
        for settings, callbacks in [({"verbose": True}, []), ({}, [EpochLogger(every=1)])]:
            out = io.StringIO()
            with redirect_stdout(out):
                KINDS[kind](**small, **settings, n_ens=n_ens).set_callbacks(*callbacks).fit(X, y)
            lines = out.getvalue().splitlines()
            assert [line.split(",")[0] for line in lines] == [f"Iteration {i}" for i in range(1, 9)]
            assert all(", val " in line and len(line) <= 80 for line in lines)


@each_kind
@pytest.mark.parametrize("n_ens", [1, 3])
def test_a_callback_may_end_training(kind, n_ens, table, targets, small):
    model = KINDS[kind](**small, n_ens=n_ens, random_state=0).set_callbacks(StopAfter(3))
    assert model.fit(table[0], targets[kind]).n_iter_ == 3


@each_kind
def test_interrupted_from_the_keyboard_the_model_is_usable(kind, table, targets, small):
    model = KINDS[kind](**small, random_state=0).set_callbacks(StopAfter(3, KeyboardInterrupt()))
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(table[0], targets[kind])
    assert model.n_iter_ == 3
    assert np.isfinite(probabilities(model, table[0])).all()


class PressesCtrlC(StopAfter):
    """The signal that Ctrl-C sends, at the end of an epoch."""

    def on_fit_task_end(self, estimator, context):
        if super().on_fit_task_end(estimator, context) and self.n_seen == self.n_epochs:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


@each_kind
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of POSIX")
def test_ctrl_c_ends_several_members_together(kind, table, targets, small, request):
    found = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job under nohup ignores it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, found))
    model = KINDS[kind](**small | {"max_iter": 300}, n_ens=3, n_jobs=2, random_state=0)
    before = threading.active_count(), BLAS_LIMIT.n_threads
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.set_callbacks(PressesCtrlC(3)).fit(table[0], targets[kind])
    assert 3 <= model.n_iter_ < 300
    assert len(model.loss_curve_) == model.n_iter_
    assert np.isfinite(probabilities(model, table[0])).all()
    assert (threading.active_count(), BLAS_LIMIT.n_threads) == before


@each_kind
@pytest.mark.parametrize("n_ens", [1, 3])
def test_what_fails_leaves_the_model_as_it_was(kind, n_ens, table, targets, small):
    X, y = table[0], targets[kind]
    model = KINDS[kind](**small, n_ens=n_ens, random_state=0).fit(X, y)
    expected, before = probabilities(model, X), set(vars(model))
    model.set_callbacks(StopAfter(2, RuntimeError("no more")))
    with pytest.raises(RuntimeError, match="no more"):
        model.fit(X[:100], y[:100])
    model.set_callbacks()
    np.testing.assert_array_equal(probabilities(model, X), expected)
    assert set(vars(model)) == before
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="Training diverged"):
            model.set_params(learning_rate_init=1e38).fit(X, y)
    np.testing.assert_array_equal(probabilities(model, X), expected)


@each_kind
@pytest.mark.parametrize("setting", ["activation_rate", "scale_rate", "bias_decay", "weight_decay"])
def test_a_factor_beyond_float32_diverges_with_an_error(kind, setting, table, targets, small):
    X, y = table[0], targets[kind]
    with pytest.raises(ValueError, match="Training diverged"):
        KINDS[kind](**small, **{setting: 1e300}, random_state=0).fit(X, y)


@each_kind
def test_without_a_limit_of_one_hot_columns_nothing_is_embedded(kind, table, targets, small):
    X, y = table[0], targets[kind]
    model = KINDS[kind](**small, max_one_hot=np.inf, random_state=0).fit(X, y)
    assert model._folds[0].preprocessor.n_levels_ == []


@each_kind
def test_a_sparse_y_with_weights_is_refused_like_one_without(kind, table):
    X, y = table[0], csr_matrix(np.eye(300)[:, :2] * [1, 2])
    messages = set()
    for weight in (None, np.ones(300)):
        with pytest.raises(
            (TypeError, ValueError), match=r"y, but dense|indicator of several labels"
        ) as caught:
            KINDS[kind]().fit(X, y, weight)
        messages.add(str(caught.value))
    assert len(messages) == 1


BAD = [
    ({"preset": "quick"}, {}, "preset"),
    ({"dropout": 1.0}, {}, "dropout"),
    ({"hidden_layer_sizes": (10, 0)}, {}, "hidden_layer_sizes must be > 0"),
    ({"n_cv": 2}, {"X_val": 0, "y_val": 0}, "excludes X_val"),
    ({}, {"X_val": 0}, "y_val is None"),
    ({}, {"y_val": 0}, "X_val is None"),
    ({}, {"sample_weight": np.zeros(300)}, "at least one non-zero"),
    ({}, {"sample_weight": -np.ones(300)}, "egative"),
    ({"categorical_features": ["colour"]}, {}, "colour"),
]


@each_kind
@pytest.mark.parametrize(("settings", "arguments", "message"), BAD)
def test_errors_come_before_any_work(kind, settings, arguments, message, table, targets, small):
    X, y = table[0], targets[kind]
    given = {name: {"X_val": X, "y_val": y}.get(name, value) for name, value in arguments.items()}
    with pytest.raises(ValueError, match=message):
        KINDS[kind](**{**small, **settings}).fit(X, y, **given)


def test_targets_of_the_wrong_kind(table, labels, small):
    X, y = table
    with pytest.raises(ValueError, match="must be one column of classes"):
        ScratchRealMLPClassifier(**small).fit(X, np.column_stack([labels, labels]))
    with pytest.raises(ValueError, match="has the link 'logistic'.*ScratchMLPRegressor"):
        ScratchRealMLPRegressor(**small, loss=BinaryLogLoss()).fit(X, y > 0)
    with pytest.raises(ValueError, match="X_val, y_val or sample_weight_val do not match.*classes"):
        ScratchRealMLPClassifier(**small).fit(X, labels, X_val=X[:5], y_val=["never"] * 5)


@each_kind
def test_a_prediction_does_not_depend_on_the_rows_beside_it(kind, table, targets):
    model = KINDS[kind](max_iter=2, random_state=0).fit(table[0], targets[kind])
    together = probabilities(model, table[0])
    one_by_one = [probabilities(model, table[0][i : i + 1])[0] for i in range(20)]
    np.testing.assert_allclose(one_by_one, together[:20], rtol=1e-10)


@each_kind
@pytest.mark.parametrize("n_ens", [1, 2])
def test_a_fit_keeps_nothing_of_the_data_alive(kind, n_ens, table, targets, small):
    def alive():
        return sum(type(thing) in (TableRun, Batches) for thing in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = alive()
        KINDS[kind](**small | {"max_iter": 2}, n_ens=n_ens, refit=True).fit(table[0], targets[kind])
        assert alive() == before
    finally:
        gc.enable()


@each_kind
def test_an_epoch_whose_batches_have_no_row_with_a_weight(kind, table, targets, small):
    X, y = table[0], targets[kind]
    weight = np.zeros(300)
    weight[:2] = 1.0
    small |= {"batch_size": 160, "max_iter": 20}  # an epoch leaves out 140 rows
    model = KINDS[kind](**small, random_state=0).fit(X, y, sample_weight=weight, X_val=X, y_val=y)
    assert 0.0 in model.loss_curve_
    assert np.isfinite(model.loss_curve_).all()
    assert np.isfinite(probabilities(model, X)).all()
