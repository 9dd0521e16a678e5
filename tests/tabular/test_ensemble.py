"""Members trained in lockstep, and folds."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn import config_context, get_config

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor
from sknn_scratch.core import GaussianNLL, LogLoss, Poisson, SquaredError
from sknn_scratch.tabular import _ensemble
from sknn_scratch.tabular._fold import combined


@pytest.mark.parametrize("n_jobs", [1, 2, 5])
def test_the_model_does_not_depend_on_how_many_work_at_a_time(n_jobs, table, labels, small):
    small |= {"n_ens": 3, "random_state": 0}
    expected = ScratchRealMLPClassifier(**small, n_jobs=3).fit(table[0], labels)
    model = ScratchRealMLPClassifier(**small, n_jobs=n_jobs).fit(table[0], labels)
    np.testing.assert_array_equal(model.predict_proba(table[0]), expected.predict_proba(table[0]))
    assert model.validation_scores_ == expected.validation_scores_


def test_probabilities_are_the_means_of_the_members(table, labels, small):
    X = table[0]
    model = ScratchRealMLPClassifier(**small, n_ens=3, random_state=0).fit(X, labels)
    fold = model._folds[0]
    assert len(fold.members) == 3
    each = []
    for member in fold.members:
        raw = fold.network.raw_scores(fold.preprocessor.transform(X), member)
        fold.network.loss.predict(raw, out=raw)
        each.append(raw)
    np.testing.assert_allclose(model.predict_proba(X), np.mean(each, axis=0), rtol=1e-5, atol=1e-7)
    assert not np.allclose(each[0], each[1])


def test_the_best_epoch_is_that_of_all_members_together(table, labels, small):
    X, X_val, y_val = table[0][:200], table[0][200:], labels[200:]
    model = ScratchRealMLPClassifier(**small, n_ens=3, random_state=0)
    model.fit(X, labels[:200], X_val=X_val, y_val=y_val)
    assert model.score(X_val, y_val) == model.best_validation_score_ == max(model.validation_scores_)


@pytest.mark.parametrize("estimator", [ScratchRealMLPClassifier, ScratchRealMLPRegressor])
def test_each_fold_has_its_own_data_and_members(estimator, table, labels, small):
    X, y = table[0], labels if estimator is ScratchRealMLPClassifier else table[1]
    model = estimator(**{**small, "n_cv": 3}, n_ens=2, random_state=0).fit(X, y)
    assert [len(fold.members) for fold in model._folds] == [2, 2, 2]
    centers = [fold.preprocessor._center for fold in model._folds]
    assert not np.array_equal(centers[0], centers[1])
    assert model.predict(X).shape == (300,)
    assert model.score(X, y) > 0.3


def test_members_of_one_fold_share_its_preprocessing(table, labels, small):
    model = ScratchRealMLPClassifier(**small, n_ens=2).fit(table[0], labels)
    assert len(model._folds) == 1


@pytest.mark.parametrize("loss", [LogLoss(), SquaredError(), Poisson(), GaussianNLL()])
def test_predictions_of_what_is_combined_are_means_of_predictions(loss):
    raws = np.random.RandomState(0).normal(size=(3, 5, 4))
    predictions = []
    for raw in raws:
        out = np.empty_like(raw)
        loss.predict(raw, out=out)
        predictions.append(out)
    together = combined(loss, list(raws))
    out = np.empty_like(together)
    loss.predict(together, out=out)
    mean = np.mean(predictions, axis=0)
    if not isinstance(loss, GaussianNLL):
        np.testing.assert_allclose(out, mean, rtol=1e-12)
        return
    np.testing.assert_allclose(out[:, :2], mean[:, :2], rtol=1e-12)
    second = np.mean([p[:, 2:] ** 2 + p[:, :2] ** 2 for p in predictions], axis=0)  # of the mixture
    np.testing.assert_allclose(out[:, 2:] ** 2, second - mean[:, :2] ** 2, rtol=1e-10)


class Calls:
    """A callback and a scorer that record the threads that call them."""

    def __init__(self):
        self.threads = Counter()

    def record(self, what):
        self.threads[what, threading.current_thread()] += 1

    def setup(self, estimator, context):
        self.record("setup")

    def on_fit_task_begin(self, estimator, context):
        self.record("begin")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.record("end")

    def teardown(self, estimator, context):
        self.record("teardown")

    def score(self, model, X, y):
        self.record("scorer")
        assert get_config()["transform_output"] == "pandas"  # scikit-learn keeps a configuration per thread
        return model.score(X, y)


@pytest.mark.parametrize("members", [{}, {"n_ens": 3}, {"n_cv": 2}, {"n_ens": 2, "refit": True}], ids=str)
def test_scorer_and_callbacks_run_in_the_thread_that_called_fit(members, table, labels, small):
    calls = Calls()
    model = ScratchRealMLPClassifier(**small | members, scoring=calls.score, n_jobs=2, random_state=0)
    with config_context(transform_output="pandas"), ThreadPoolExecutor(1) as pool:
        model.set_callbacks(calls).fit(table[0], labels)
        assert {thread for _, thread in calls.threads} == {threading.current_thread()}
        other = pool.submit(threading.current_thread).result()
        calls.threads.clear()
        pool.submit(model.set_params(scoring=None).fit, table[0], labels).result()
    assert {thread for _, thread in calls.threads} == {other}
    assert calls.threads["begin", other] == calls.threads["end", other] == model.n_iter_ + 1  # the fit is one


@pytest.mark.parametrize("hook", ["on_fit_task_begin", "on_fit_task_end", "score"])
def test_an_interrupt_in_a_callback_or_scorer_ends_all_members(hook, table, labels, small, monkeypatch):
    calls, n_threads, n_calls = Calls(), threading.active_count(), []

    def interrupt_the_fourth_call(*args, **kwargs):
        n_calls.append(1)
        if len(n_calls) == 4:
            raise KeyboardInterrupt
        return 0.0

    monkeypatch.setattr(calls, hook, interrupt_the_fourth_call)
    scoring = calls.score if hook == "score" else None
    model = ScratchRealMLPClassifier(**small, n_ens=3, n_jobs=2, scoring=scoring, random_state=0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.set_callbacks(calls).fit(table[0], labels)
    assert 2 <= model.n_iter_ <= 4
    assert np.isfinite(model.predict_proba(table[0])).all()
    assert threading.active_count() == n_threads


@pytest.mark.parametrize("n_jobs", [1, 3])
@pytest.mark.parametrize("i_of_member", [0, 1, 2])
def test_where_one_member_diverges_all_end(i_of_member, n_jobs, table, labels, small, monkeypatch):
    model = ScratchRealMLPClassifier(**small, n_ens=3, n_jobs=n_jobs, random_state=0)
    model.fit(table[0], labels)
    expected, n_threads = model.predict_proba(table[0]), threading.active_count()
    train = _ensemble.train_minibatch

    def train_or_diverge(network, parameters, *args, observer, **kwargs):
        if observer.i == i_of_member:
            parameters.flat[0] = np.nan
        return train(network, parameters, *args, observer=observer, **kwargs)

    monkeypatch.setattr(_ensemble, "train_minibatch", train_or_diverge)
    with pytest.raises(ValueError, match="diverged"):
        model.fit(table[0], labels)
    np.testing.assert_array_equal(model.predict_proba(table[0]), expected)
    assert threading.active_count() == n_threads


def test_where_a_thread_cannot_be_started_none_waits_for_it(table, labels, small, monkeypatch):
    submit, n_submitted = _ensemble.ThreadPoolExecutor.submit, []

    def submit_two(pool, *args):
        n_submitted.append(1)
        if len(n_submitted) == 3:
            raise RuntimeError("can't start new thread")
        return submit(pool, *args)

    monkeypatch.setattr(_ensemble.ThreadPoolExecutor, "submit", submit_two)
    n_threads = threading.active_count()
    model = ScratchRealMLPClassifier(**small, n_ens=3, n_jobs=3, random_state=0)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        model.fit(table[0], labels)
    assert not hasattr(model, "n_iter_")
    assert threading.active_count() == n_threads
