"""scikit-learn's callbacks on the estimators: one subtask per epoch, or per iteration of lbfgs."""

import pickle

import numpy as np
import pandas as pd
import pytest
from helpers.recorder import (
    MAX_ITER,
    SOLVERS,
    TARGET,
    X_REGRESSION,
    Reaction,
    Recorder,
    Snapshots,
    X,
    assert_same_model,
    attributes_of,
    classifier,
    fitted_without_callbacks,
    stop,
    too_few_epochs,
    y,
)
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from sknn_scratch import ScratchMLPRegressor
from sknn_scratch.core import BinaryLogLoss


def fail():
    raise ZeroDivisionError("a mistake in the callback")


def press_ctrl_c():
    raise KeyboardInterrupt


@too_few_epochs
@pytest.mark.parametrize("solver", SOLVERS)
class TestTasks:
    def test_one_subtask_per_epoch_with_begin_and_end_in_turn(self, solver):
        recorder = Recorder()
        estimator = classifier(solver).set_callbacks(recorder).fit(X, y)
        expected = [("setup", (0,)), ("begin", (0,))]
        for epoch in range(estimator.n_iter_):
            expected += [("begin", (0, epoch)), ("end", (0, epoch))]
        expected += [("end", (0,)), ("teardown", (0,))]
        assert estimator.n_iter_ == MAX_ITER
        assert [(call["hook"], call["path"]) for call in recorder.calls] == expected
        assert {call["task"] for call in recorder.calls} == {"fit", "epoch"}

    def test_regressor_has_them_too(self, solver):
        recorder = Recorder()
        estimator = ScratchMLPRegressor(solver=solver, max_iter=4).set_callbacks(recorder)
        estimator.fit(X_REGRESSION, TARGET)
        assert (
            len(recorder.of("begin", "epoch")) == len(recorder.of("end", "epoch")) == estimator.n_iter_ == 4
        )

    def test_every_fit_starts_anew(self, solver):
        recorder = Recorder()
        estimator = classifier(solver, warm_start=True, max_iter=2).set_callbacks(recorder)
        for _ in range(2):
            estimator.fit(X, y)
        epochs = [call["path"] for call in recorder.of("end", "epoch")]
        assert epochs == [(0, 0), (0, 1), (0, 0), (0, 1)]

    def test_hooks_receive_the_data_as_the_user_gave_them(self, solver):
        recorder = Recorder()
        frame = pd.DataFrame(X, columns=[f"column {i}" for i in range(X.shape[1])])
        labels = pd.Series(np.where(y, "yes", "no"))
        weight = np.linspace(1, 2, len(y)).tolist()
        classifier(solver).set_callbacks(recorder).fit(frame, labels, sample_weight=weight)
        calls = [call for call in recorder.calls if call["hook"] in ("begin", "end")]
        assert len(calls) == 2 + 2 * MAX_ITER
        for call in calls:
            assert call["X"] is frame
            assert call["y"] is labels
            assert call["metadata"].keys() == {"sample_weight"}
            assert call["metadata"]["sample_weight"] is weight

    def test_training_is_the_same_with_and_without_callbacks(self, solver):
        estimator = classifier(solver).set_callbacks(Recorder(), Snapshots()).fit(X, y)
        assert_same_model(estimator, fitted_without_callbacks(estimator))

    def test_fitted_estimator_can_be_pickled_with_its_callbacks(self, solver):
        estimator = classifier(solver).set_callbacks(Recorder()).fit(X, y)
        assert_same_model(pickle.loads(pickle.dumps(estimator)), estimator)


@too_few_epochs
def test_an_iteration_that_lbfgs_breaks_off_has_its_end_too():
    recorder = Recorder()
    estimator = classifier("lbfgs", max_fun=3).set_callbacks(recorder).fit(X, y)
    begun = [call["path"] for call in recorder.of("begin", "epoch")]
    assert [call["path"] for call in recorder.of("end", "epoch")] == begun
    assert estimator.n_iter_ <= len(begun) <= estimator.n_iter_ + 1


def test_early_stopping_ends_the_subtasks_too():
    recorder = Recorder()
    estimator = classifier(early_stopping=True, n_iter_no_change=2, tol=1.0, max_iter=50)
    estimator.set_callbacks(recorder).fit(X, y)
    assert estimator.n_iter_ < 50
    assert len(recorder.of("begin", "epoch")) == len(recorder.of("end", "epoch")) == estimator.n_iter_
    assert len(recorder.of("end", "fit")) == 1


def test_partial_fit_calls_no_callbacks():
    recorder = Recorder()
    classifier().set_callbacks(recorder).partial_fit(X, y, classes=[0, 1])
    assert recorder.calls == []


class TestStopping:
    @pytest.mark.parametrize("solver", SOLVERS)
    @pytest.mark.parametrize("epoch", [1, 3])
    def test_callback_that_returns_true_ends_the_fit_without_a_warning(self, solver, epoch):
        recorder = Reaction("end", epoch, stop)
        estimator = classifier(solver).set_callbacks(recorder).fit(X, y)  # a warning would be an error
        assert estimator.n_iter_ == len(estimator.loss_curve_) == epoch
        assert len(recorder.of("begin", "epoch")) == len(recorder.of("end", "epoch")) == epoch
        assert [call["hook"] for call in recorder.calls[-2:]] == ["end", "teardown"]
        assert_same_model(estimator, fitted_without_callbacks(estimator, max_iter=epoch))

    @pytest.mark.parametrize("solver", SOLVERS)
    def test_stopped_model_can_go_on(self, solver):
        estimator = classifier(solver, warm_start=True).set_callbacks(Reaction("end", 2, stop)).fit(X, y)
        loss = estimator.loss_
        with pytest.warns(ConvergenceWarning):
            estimator.set_callbacks().fit(X, y)
        assert estimator.loss_ < loss
        assert len(estimator.loss_curve_) == 2 + MAX_ITER

    def test_one_of_several_callbacks_is_enough(self):
        stopping, other = Reaction("end", 2, stop), Recorder()
        estimator = classifier().set_callbacks(stopping, other).fit(X, y)
        assert estimator.n_iter_ == len(other.of("end", "epoch")) == 2


class TestFailingCallbacks:
    @pytest.mark.parametrize("solver", SOLVERS)
    @pytest.mark.parametrize("hook", ["begin", "end"])
    def test_estimator_stays_as_it_was(self, solver, hook):
        estimator = fitted_without_callbacks(classifier(solver))
        before = pickle.dumps(attributes_of(estimator))
        callback, other = Reaction(hook, 2, fail), Recorder()
        estimator.set_params(alpha=0.5).set_callbacks(callback, other)
        with pytest.raises(ZeroDivisionError, match="a mistake in the callback"):
            estimator.fit(X[:, :3], 1 - y)
        estimator.set_params(alpha=1e-4)
        assert pickle.dumps(attributes_of(estimator)) == before
        assert callback.calls[-1]["hook"] == other.calls[-1]["hook"] == "teardown"

    @pytest.mark.parametrize("solver", SOLVERS)
    def test_estimator_that_was_not_fitted_still_is_not(self, solver):
        estimator = classifier(solver).set_callbacks(Reaction("end", 2, fail))
        names = set(vars(estimator))
        with pytest.raises(ZeroDivisionError):
            estimator.fit(X, y)
        assert set(vars(estimator)) == names
        with pytest.raises(NotFittedError):
            estimator.predict(X)

    def test_callbacks_are_torn_down_when_the_data_are_wrong(self):
        recorder = Recorder()
        with pytest.raises(ValueError, match="NaN"):
            classifier().set_callbacks(recorder).fit(np.full_like(X, np.nan), y)
        assert [call["hook"] for call in recorder.calls if call["hook"] in ("setup", "teardown")] == [
            "setup",
            "teardown",
        ]

    def test_callback_must_follow_the_protocol(self):
        with pytest.raises(TypeError, match="FitCallback protocol"):
            classifier().set_callbacks(object())


@pytest.mark.usefixtures("numpy_engine")
@pytest.mark.parametrize("solver", SOLVERS)
class TestCtrlC:
    @pytest.mark.parametrize("hook", ["begin", "end"])
    def test_pressed_in_a_callback_keeps_the_epochs_that_are_complete(self, solver, hook):
        recorder = Reaction(hook, 3, press_ctrl_c)
        estimator = classifier(solver).set_callbacks(recorder)
        with pytest.warns(UserWarning, match="interrupted"):
            estimator.fit(X, y)
        assert estimator.n_iter_ == len(estimator.loss_curve_) == (3 if hook == "end" else 2)
        assert_same_model(estimator, fitted_without_callbacks(estimator, max_iter=estimator.n_iter_))
        assert recorder.calls[-1]["hook"] == "teardown"

    @pytest.mark.parametrize("evaluation", [1, 8])
    def test_pressed_in_mid_epoch_leaves_a_usable_model(self, solver, evaluation, monkeypatch):
        evaluate, n_evaluations = BinaryLogLoss.value_and_gradient, 0

        def interrupted(*args, **kwargs):
            nonlocal n_evaluations
            n_evaluations += 1
            if n_evaluations == evaluation:
                raise KeyboardInterrupt
            return evaluate(*args, **kwargs)

        monkeypatch.setattr(BinaryLogLoss, "value_and_gradient", interrupted)
        estimator = classifier(solver)
        with pytest.warns(UserWarning, match="interrupted"):
            estimator.fit(X, y)
        assert estimator.n_iter_ == len(estimator.loss_curve_) < MAX_ITER
        assert (estimator.n_iter_ > 0) == (evaluation > 1)
        probabilities = estimator.predict_proba(X)
        assert np.isfinite(probabilities).all()
        assert estimator.score(X, y) >= 0.0
        restored = pickle.loads(pickle.dumps(estimator))
        np.testing.assert_array_equal(restored.predict_proba(X), probabilities)

    @too_few_epochs
    def test_training_can_go_on_afterwards(self, solver):
        estimator = classifier(solver, warm_start=True).set_callbacks(Reaction("end", 2, press_ctrl_c))
        with pytest.warns(UserWarning, match="interrupted"):
            estimator.fit(X, y)
        loss = estimator.loss_
        estimator.set_callbacks().fit(X, y)
        assert estimator.loss_ < loss
        assert len(estimator.loss_curve_) == 2 + MAX_ITER
