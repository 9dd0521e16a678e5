"""scikit-learn's callbacks on the estimators: one subtask per epoch, or per iteration of lbfgs."""

import copy
import pickle
import re
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import BinaryLogLoss
from sknn_scratch.estimators import _runs

SOLVERS = ["adam", "sgd", "lbfgs"]
STOCHASTIC = ["adam", "sgd"]
MAX_ITER = 6

X, y = make_classification(90, 6, n_informative=4, flip_y=0.1, random_state=0)
X_REGRESSION, TARGET = make_regression(90, 6, noise=5, random_state=0)
TARGET = TARGET / TARGET.std()

too_few_epochs = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(solver="adam", **params):
    params = {"hidden_layer_sizes": (5,), "max_iter": MAX_ITER, "batch_size": 30, "random_state": 0, **params}
    return ScratchMLPClassifier(solver=solver, **params)


def fitted_without_callbacks(estimator, X=X, y=y, **params):
    """The same, but for some parameters, fitted the ordinary way."""
    estimator = clone(estimator).set_params(**params).set_callbacks()
    with pytest.warns(ConvergenceWarning):
        return estimator.fit(X, y)


class Recorder:
    """Notes which hook was called for which task, and what with."""

    def __init__(self):
        self.calls = []

    def of(self, hook, task_name):
        return [call for call in self.calls if call["hook"] == hook and call["task"] == task_name]

    def _note(self, hook, context, **received):
        path, ancestor = [], context
        while ancestor is not None:
            path.insert(0, ancestor.task_id)
            ancestor = ancestor.parent
        self.calls.append({"hook": hook, "task": context.task_name, "path": tuple(path), **received})

    def setup(self, estimator, context):
        self._note("setup", context)

    def teardown(self, estimator, context):
        self._note("teardown", context)

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self._note("begin", context, X=X, y=y, metadata=metadata)

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None):
        self._note("end", context, X=X, y=y, metadata=metadata)


class Reaction(Recorder):
    """Does something in a hook of the n-th epoch; what it returns ends up as the answer of that hook."""

    def __init__(self, hook, epoch, action):
        super().__init__()
        self.hook, self.epoch, self.action = hook, epoch, action

    def _note(self, hook, context, **received):
        super()._note(hook, context, **received)
        if hook == self.hook and context.task_name == "epoch" and context.task_id == self.epoch - 1:
            return self.action()
        return None

    def on_fit_task_begin(self, estimator, context):
        self._note("begin", context)

    def on_fit_task_end(self, estimator, context):
        return self._note("end", context)


def stop():
    return True


def fail():
    raise ZeroDivisionError("a mistake in the callback")


def press_ctrl_c():
    raise KeyboardInterrupt


class Snapshots(Recorder):
    """Keeps the model of each epoch, with a copy of all that it is made of."""

    def __init__(self):
        super().__init__()
        self.models, self.copies = [], []

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "epoch":
            self.models.append(fitted_estimator)
            self.copies.append(pickle.dumps(attributes_of(fitted_estimator)))


def attributes_of(estimator):
    return {name: value for name, value in vars(estimator).items() if "callback" not in name}


def assert_same_model(one, other):
    for name in ("coefs_", "intercepts_"):
        for array, expected in zip(getattr(one, name), getattr(other, name), strict=True):
            np.testing.assert_array_equal(array, expected)
    assert one.n_iter_ == other.n_iter_
    assert one.loss_curve_ == other.loss_curve_
    assert one.loss_ == other.loss_


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


@too_few_epochs
@pytest.mark.parametrize("solver", SOLVERS)
class TestSnapshots:
    def test_no_snapshot_is_made_unless_a_callback_asks_for_one(self, solver):
        run = _runs.LbfgsRun if solver == "lbfgs" else _runs.MinibatchRun
        n_made = {}
        for callback in (Recorder(), Snapshots()):
            with mock.patch.object(
                run, "fitted_attributes", autospec=True, side_effect=run.fitted_attributes
            ) as made:
                classifier(solver).set_callbacks(callback).fit(X, y)
            n_made[type(callback)] = made.call_count
        assert n_made == {Recorder: 1, Snapshots: 1 + MAX_ITER}  # one is for the estimator itself

    def test_snapshot_is_the_model_of_a_fit_that_ends_there(self, solver):
        snapshots = Snapshots()
        estimator = classifier(solver).set_callbacks(snapshots).fit(X, y)
        assert len(snapshots.models) == MAX_ITER
        for epoch, snapshot in enumerate(snapshots.models, start=1):
            expected = fitted_without_callbacks(estimator, max_iter=epoch)
            np.testing.assert_array_equal(snapshot.predict_proba(X), expected.predict_proba(X))
            np.testing.assert_array_equal(snapshot.predict(X), expected.predict(X))
            assert_same_model(snapshot, expected)

    def test_snapshot_of_a_refit_is_of_the_new_model(self, solver):
        snapshots = Snapshots()
        estimator = classifier(solver, activation="tanh").fit(X, y)
        estimator.set_params(activation="logistic").set_callbacks(snapshots).fit(X, y)
        expected = fitted_without_callbacks(estimator, max_iter=2)
        np.testing.assert_array_equal(snapshots.models[1].predict_proba(X), expected.predict_proba(X))

    def test_snapshot_does_not_change_while_training_goes_on(self, solver):
        snapshots = Snapshots()
        estimator = classifier(solver, warm_start=True).set_callbacks(snapshots).fit(X, y)
        estimator.set_callbacks().fit(X, y)
        for snapshot, copied in zip(snapshots.models, snapshots.copies, strict=True):
            assert pickle.dumps(attributes_of(snapshot)) == copied

    def test_training_a_snapshot_leaves_the_estimator_alone(self, solver):
        snapshots = Snapshots()
        estimator = classifier(solver, warm_start=True).set_callbacks(snapshots).fit(X, y)
        expected = copy.deepcopy(estimator)
        snapshots.models[-1].set_callbacks().fit(X, y)
        snapshots.models[0].set_callbacks().fit(X, y)
        assert_same_model(estimator, expected)
        assert_same_model(estimator.set_callbacks().fit(X, y), expected.set_callbacks().fit(X, y))


@too_few_epochs
@pytest.mark.parametrize("solver", STOCHASTIC)
def test_snapshot_goes_on_like_a_fit_that_ends_there(solver):
    snapshots = Snapshots()
    estimator = classifier(solver).set_callbacks(snapshots).fit(X, y)
    expected = fitted_without_callbacks(estimator, max_iter=2).partial_fit(X, y)
    assert_same_model(snapshots.models[1].partial_fit(X, y), expected)


@too_few_epochs
@pytest.mark.parametrize("solver", STOCHASTIC)
def test_snapshots_of_early_stopping_hold_the_best_weights_so_far(solver):
    snapshots = Snapshots()
    estimator = classifier(solver, early_stopping=True, learning_rate_init=0.1).set_callbacks(snapshots)
    estimator.fit(X, y)
    assert np.argmax(estimator.validation_scores_) < MAX_ITER - 1  # what came last was not the best
    for epoch, snapshot in enumerate(snapshots.models, start=1):
        expected = fitted_without_callbacks(estimator, max_iter=epoch)
        assert_same_model(snapshot, expected)
        assert snapshot.validation_scores_ == expected.validation_scores_
        assert snapshot.best_validation_score_ == expected.best_validation_score_


@too_few_epochs
def test_snapshots_of_the_regressor_predict():
    snapshots = Snapshots()
    estimator = ScratchMLPRegressor(max_iter=3, random_state=0).set_callbacks(snapshots)
    estimator.fit(X_REGRESSION, TARGET)
    expected = fitted_without_callbacks(estimator, X_REGRESSION, TARGET, max_iter=2)
    np.testing.assert_array_equal(snapshots.models[1].predict(X_REGRESSION), expected.predict(X_REGRESSION))
    np.testing.assert_array_equal(snapshots.models[2].predict(X_REGRESSION), estimator.predict(X_REGRESSION))


@too_few_epochs
class TestProgressBar:
    # what a bar says of the network inside another estimator
    INNER = r"\| ScratchMLP\w+ - fit"

    @pytest.fixture(autouse=True)
    def wide_terminal(self, monkeypatch):
        monkeypatch.setenv("COLUMNS", "160")

    @pytest.mark.parametrize("solver", SOLVERS)
    def test_alone_it_advances_with_each_epoch(self, solver, capsys):
        from sklearn.callback._progressbar import RichProgressMonitor

        progress, on_task_end = [], RichProgressMonitor._on_task_end

        def recording(monitor, task_info):
            on_task_end(monitor, task_info)
            progress.append(monitor.root_rich_task.progress)

        with mock.patch.object(RichProgressMonitor, "_on_task_end", recording):
            classifier(solver).set_callbacks(ProgressBar()).fit(X, y)
        assert progress == pytest.approx([epoch / MAX_ITER for epoch in range(1, MAX_ITER + 1)] + [1.0])
        assert re.search(r"ScratchMLPClassifier - fit .*100%", capsys.readouterr().out)

    def test_bar_is_full_when_training_ends_early(self, capsys):
        classifier().set_callbacks(ProgressBar(), Reaction("end", 2, stop)).fit(X, y)
        assert re.search(r"ScratchMLPClassifier - fit .*100%", capsys.readouterr().out)

    def test_on_a_pipeline_it_shows_the_network(self, capsys):
        pipeline = make_pipeline(StandardScaler(), classifier())
        pipeline.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
        shown = capsys.readouterr().out
        assert "Pipeline - fit" in shown
        assert len(re.findall(self.INNER, shown)) == 1

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_on_a_search_it_shows_the_network_of_each_fit(self, n_jobs, capsys):
        search = GridSearchCV(classifier(), {"alpha": [0.1, 1.0]}, cv=2, n_jobs=n_jobs)
        search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
        shown = capsys.readouterr().out
        assert "GridSearchCV - fit" in shown
        assert len(re.findall(self.INNER, shown)) == 2 * 2 + 1  # candidates x folds, and the refit
        assert "100%" in shown
        assert not re.search(r"\b\d{1,2}%", shown)

    def test_epochs_inside_a_pipeline_inside_a_search_are_counted(self):
        from sklearn.callback._progressbar import RichProgressMonitor

        n_epochs, on_task_end = [], RichProgressMonitor._on_task_end

        def recording(monitor, task_info):
            if len(task_info["path"]) == depth_of_epochs:
                n_epochs.append(task_info["path"])
            on_task_end(monitor, task_info)

        recorder = PropagatedRecorder()
        search = GridSearchCV(make_pipeline(StandardScaler(), classifier()), {}, cv=2, refit=False)
        clone(search).set_callbacks(recorder).fit(X, y)
        paths = [call["path"] for call in recorder.of("end", "epoch")]
        assert len(paths) == len(set(paths)) == 2 * MAX_ITER
        depth_of_epochs = len(paths[0])
        with mock.patch.object(RichProgressMonitor, "_on_task_end", recording):
            search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
        assert sorted(map(tuple, n_epochs)) == sorted(paths)


class PropagatedRecorder(Recorder):
    max_propagation_depth = None


@too_few_epochs
class TestScoringMonitor:
    @staticmethod
    def scores_of_epochs(monitor, name):
        return [row[name] for row in monitor.get_logs().data if row["task_name"] == "epoch"]

    @pytest.mark.parametrize("solver", SOLVERS)
    def test_one_score_per_epoch(self, solver):
        monitor = ScoringMonitor(scoring="accuracy")
        estimator = classifier(solver).set_callbacks(monitor).fit(X, y)
        scores = self.scores_of_epochs(monitor, "accuracy")
        assert len(scores) == estimator.n_iter_ == MAX_ITER
        for epoch in (1, MAX_ITER):
            expected = fitted_without_callbacks(estimator, max_iter=epoch)
            assert scores[epoch - 1] == accuracy_score(y, expected.predict(X))

    def test_the_score_is_weighted_like_the_loss(self):
        monitor = ScoringMonitor(scoring="neg_mean_squared_error")
        weight = np.where(X_REGRESSION[:, 0] > 0, 0.1, 3.0)
        estimator = ScratchMLPRegressor(max_iter=3, random_state=0).set_callbacks(monitor)
        estimator.fit(X_REGRESSION, TARGET, sample_weight=weight)
        error = (estimator.predict(X_REGRESSION) - TARGET) ** 2
        last = self.scores_of_epochs(monitor, "neg_mean_squared_error")[-1]
        assert last == pytest.approx(-np.average(error, weights=weight))

    def test_frames_give_no_warning_of_feature_names(self):
        monitor = ScoringMonitor(scoring="accuracy")
        frame = pd.DataFrame(X, columns=[f"column {i}" for i in range(X.shape[1])])
        estimator = classifier().set_callbacks(monitor).fit(frame, np.where(y, "yes", "no"))
        assert self.scores_of_epochs(monitor, "accuracy")[-1] == estimator.score(
            frame, np.where(y, "yes", "no")
        )


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
