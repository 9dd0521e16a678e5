"""What TrainingAnimation records: the models of the epochs asked for, whatever ends the fit."""

import copy
import pickle
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from helpers.recordings import (
    MAX_ITER,
    TARGET,
    X,
    assert_can_be_shown,
    assert_is_a_recording_of,
    assert_same_weights,
    classifier,
    frames_of,
    points_of,
    recorded,
    regressor,
    x,
    y,
)
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sknn_scratch.core import BinaryLogLoss
from sknn_scratch.estimators._minibatch import MinibatchRun
from sknn_scratch.plotting import TrainingAnimation

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SOLVERS = ["adam", "sgd", "lbfgs"]


class TestRecording:
    @pytest.mark.parametrize("solver", SOLVERS)
    @pytest.mark.parametrize(
        ("every", "epochs"),
        [
            (1, [1, 2, 3, 4, 5, 6]),
            (2, [2, 4, 6]),
            (np.int64(4), [4, 6]),
            (100, [6]),
            ([2, 3], [2, 3, 6]),
            ((6, 1, 1, 50), [1, 6]),
            (range(1, 7, 3), [1, 4, 6]),
            (np.array([5]), [5, 6]),
            ({3}, [3, 6]),
            ([], [6]),
        ],
    )
    def test_the_epochs_asked_for_and_the_last(self, solver, every, epochs):
        recording, model = recorded(every, solver=solver)
        assert recording.epochs_ == epochs
        assert_is_a_recording_of(recording, model)

    @pytest.mark.parametrize("every", [0, -1, 2.5, None, False, "10"])
    def test_what_is_no_number_of_epochs_is_refused_before_training(self, every):
        model = classifier().set_callbacks(TrainingAnimation(every))
        with (
            mock.patch.object(BinaryLogLoss, "value_and_gradient") as step,
            pytest.raises(ValueError, match=f"every={every!r} must be"),
        ):
            model.fit(X, y)
        step.assert_not_called()

    @pytest.mark.parametrize("params", [*({"solver": solver} for solver in SOLVERS), {"dropout": 0.3}])
    @pytest.mark.parametrize("every", [1, 4, [2]])
    def test_training_is_the_same_with_and_without(self, params, every):
        _, model = recorded(every, **params)
        expected = classifier(**params).fit(X, y)
        assert_same_weights(model, expected)
        assert model.loss_curve_ == expected.loss_curve_
        assert model.n_iter_ == expected.n_iter_

    @pytest.mark.parametrize(("every", "n_snapshots"), [(1, 6), (3, 2), ([2, 5], 2), ([], 0), (100, 0)])
    def test_an_epoch_that_is_not_wanted_costs_no_snapshot(self, every, n_snapshots):
        with mock.patch.object(
            MinibatchRun, "snapshot", autospec=True, side_effect=MinibatchRun.snapshot
        ) as snapshot:
            recording, _ = recorded(every)
        assert snapshot.call_count == n_snapshots
        assert len(recording.models_) == n_snapshots + (MAX_ITER not in recording.epochs_[:n_snapshots])

    @pytest.mark.parametrize("solver", ["adam", "sgd"])
    def test_early_stopping(self, solver):
        params = {"early_stopping": True, "n_iter_no_change": 3, "max_iter": 50}
        recording, model = recorded(4, solver=solver, **params)
        assert model.n_iter_ < 50
        assert recording.epochs_[:-1] == list(range(4, model.n_iter_, 4))
        assert_is_a_recording_of(recording, model)

    def test_regression(self):
        recording, model = recorded(model=regressor(), X=x, y=TARGET)
        assert recording.epochs_ == [1, 2, 3]
        assert_is_a_recording_of(recording, model, x, TARGET)

    def test_a_second_fit_starts_anew(self):
        recording, model = recorded(4)
        model.set_params(max_iter=3).fit(-X, 1 - y)
        assert recording.epochs_ == [3]
        assert_is_a_recording_of(recording, model, -X, 1 - y)
        np.testing.assert_array_equal(recording.X_, -X)
        np.testing.assert_array_equal(recording.y_, 1 - y)

    def test_a_fit_that_goes_on_is_recorded_by_itself(self, tmp_path):
        recording, model = recorded(2, warm_start=True)
        first = model.loss_curve_
        model.set_params(max_iter=4).fit(X, y)
        assert recording.epochs_ == [2, 4]
        assert len(model.loss_curve_) == 10
        assert_same_weights(recording.models_[-1], model)
        for frame in frames_of(recording, tmp_path):
            np.testing.assert_array_equal(frame["losses"], model.loss_curve_[len(first) :])

    def test_recorded_models_do_not_change_any_more(self):
        recording, model = recorded(2, warm_start=True)
        before = pickle.dumps([snapshot.coefs_ for snapshot in recording.models_])
        model.set_callbacks().fit(X, y).partial_fit(X, y)
        assert pickle.dumps([snapshot.coefs_ for snapshot in recording.models_]) == before

    def test_partial_fit_is_not_recorded(self):
        recording = TrainingAnimation()
        classifier().set_callbacks(recording).partial_fit(X, y, classes=[0, 1])
        assert not hasattr(recording, "epochs_")

    def test_training_a_recorded_model_leaves_the_recording_alone(self):
        recording, _ = recorded(3)
        recording.models_[0].set_params(max_iter=2).fit(X, y)
        clone(recording.models_[0]).fit(X, y)
        assert recording.epochs_ == [3, 6]

    def test_a_fit_that_fails_does_not_hinder_the_next_recording(self):
        def fail_in_the_second_epoch(estimator, context):
            if context.task_name == "epoch" and context.task_id == 1:
                raise ZeroDivisionError

        recording, other = TrainingAnimation([1, 3]), Stop()
        other.on_fit_task_begin = fail_in_the_second_epoch
        model = classifier().set_callbacks(recording, other)
        with pytest.raises(ZeroDivisionError):
            model.fit(X, y)
        assert recording.epochs_ == [1]
        model.set_callbacks(recording).fit(X, y)
        assert recording.epochs_ == [1, 3, 6]
        assert_is_a_recording_of(recording, model)

    def test_next_to_another_callback(self):
        for callbacks in ([Stop(), TrainingAnimation(2)], [TrainingAnimation(2), Stop()]):
            model = classifier().set_callbacks(*callbacks).fit(X, y)
            (recording,) = (callback for callback in callbacks if hasattr(callback, "epochs_"))
            assert recording.epochs_ == [2, 3]
            assert_is_a_recording_of(recording, model)


class Stop:
    """A callback that ends training after three epochs."""

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context):
        return context.task_name == "epoch" and context.task_id == 2


class CtrlC(Stop):
    """A callback in which the user loses patience, when an epoch has begun."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "epoch" and context.task_id == self.epoch - 1:
            raise KeyboardInterrupt

    def on_fit_task_end(self, estimator, context):
        pass


@pytest.mark.usefixtures("numpy_engine")
class TestCtrlC:
    @staticmethod
    def interrupted(epoch, every=1, **params):
        recording = TrainingAnimation(every)
        model = classifier(**params).set_callbacks(recording, CtrlC(epoch))
        with pytest.warns(UserWarning, match="interrupted"):
            return recording, model.fit(X, y)

    @pytest.mark.parametrize(
        ("every", "epochs", "params"),
        [
            (1, [1, 2, 3], {}),
            (3, [3], {}),
            (2, [2, 3], {"solver": "sgd"}),
            ([1, 4], [1, 3], {"early_stopping": True}),
            (1, [1, 2, 3], {"solver": "lbfgs"}),
            (2, [2, 3], {"solver": "lbfgs"}),
        ],
    )
    def test_leaves_the_epochs_that_are_complete(self, every, epochs, params):
        recording, model = self.interrupted(4, every, **params)
        assert recording.epochs_ == epochs
        assert_is_a_recording_of(recording, model)

    @pytest.mark.parametrize("evaluation", [1, 5])  # of three batches an epoch
    def test_in_mid_epoch_leaves_a_recording_that_can_be_shown(self, evaluation, monkeypatch, tmp_path):
        evaluate, n_evaluations = BinaryLogLoss.value_and_gradient, 0

        def value_and_gradient(*args, **kwargs):
            nonlocal n_evaluations
            n_evaluations += 1
            if n_evaluations == evaluation:
                raise KeyboardInterrupt
            return evaluate(*args, **kwargs)

        monkeypatch.setattr(BinaryLogLoss, "value_and_gradient", value_and_gradient)
        with pytest.warns(UserWarning, match="interrupted"):
            recording, model = recorded()
        assert recording.epochs_ == [model.n_iter_] == [evaluation // 3]
        assert_can_be_shown(recording, tmp_path)

    @pytest.mark.parametrize("params", [{"every": 2}, {"solver": "lbfgs"}, {"early_stopping": True}])
    def test_in_the_first_epoch_leaves_the_start(self, params, tmp_path):
        recording, _ = self.interrupted(1, **params)
        assert recording.epochs_ == [0]
        assert_can_be_shown(recording, tmp_path)

    def test_does_not_hinder_the_next_recording(self):
        recording, model = self.interrupted(2, [1, 3])
        model.set_callbacks(recording).fit(X, y)
        assert recording.epochs_ == [1, 3, 6]
        assert_is_a_recording_of(recording, model)


class TestWhatCannotBeShown:
    @pytest.mark.parametrize(
        ("model", "X", "y"),
        [
            (classifier(), np.c_[X, X[:, :1]], y),
            (classifier(), pd.DataFrame(np.c_[X, X]), y),
            (regressor(), x, np.c_[TARGET, TARGET]),
            (regressor(), X, pd.DataFrame(X)),
            (classifier(), X, np.c_[y, 1 - y, y]),
        ],
    )
    def test_is_refused_before_training(self, model, X, y):
        model = clone(model).set_callbacks(TrainingAnimation())
        before = set(vars(model))
        with (
            mock.patch.object(MinibatchRun, "train") as train,
            pytest.raises(ValueError, match="one or two features and one target"),
        ):
            model.fit(X, y)
        train.assert_not_called()
        assert set(vars(model)) == before
        with pytest.raises(NotFittedError):
            model.predict(X)

    def test_what_counts_is_what_the_pipeline_is_given(self):
        wide = np.c_[X, X[:, :1] ** 2]
        with pytest.raises(ValueError, match="one or two features and one target, got 3 features"):
            TrainingAnimation.from_estimator(make_pipeline(PCA(2), classifier()), wide, y)
        recording = TrainingAnimation.from_estimator(make_pipeline(PolynomialFeatures(2), classifier()), X, y)
        assert recording.ax_.get_ylabel() == "x1"

    @pytest.mark.parametrize("method", ["plot", "to_gif", "to_html", "to_png"])
    def test_nothing_is_recorded_yet(self, method, tmp_path, pyplot):
        arguments = () if method == "plot" else (tmp_path / "moons",)
        with pytest.raises(NotFittedError, match="Nothing is recorded yet"):
            getattr(TrainingAnimation(), method)(*arguments)
        assert list(tmp_path.iterdir()) == []
        assert pyplot.get_fignums() == []

    def test_data_that_are_no_table_are_refused_as_ever(self):
        with pytest.raises(ValueError, match="Expected 2D array"):
            recorded(X=X[:, 0])


class TestCopies:
    def test_pickled(self):
        recording, model = recorded(3)
        restored = pickle.loads(pickle.dumps(recording))
        assert restored.epochs_ == recording.epochs_
        assert_is_a_recording_of(restored, model)
        assert restored.plot() is restored
        other = pickle.loads(pickle.dumps(model)).set_params(max_iter=4).fit(X, y)
        assert other.n_iter_ == 4
        assert recording.epochs_ == [3, 6]  # the copy has a recording of its own

    def test_copied(self):
        recording, model = recorded(3)
        copied = copy.deepcopy(recording)
        model.set_params(max_iter=2).fit(X, y)
        assert copied.epochs_ == [3, 6]
        assert recording.epochs_ == [2]

    def test_a_clone_goes_on_in_the_same_recording(self):
        recording, model = recorded(3)
        other = clone(model).set_params(max_iter=4).fit(X, y)
        assert recording.epochs_ == [3, 4]
        assert_is_a_recording_of(recording, other)

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_of_a_search_the_refit_is_kept(self, n_jobs):
        recording = TrainingAnimation(4)
        search = GridSearchCV(
            classifier().set_callbacks(recording), {"alpha": [0.1, 1e-4]}, cv=2, n_jobs=n_jobs
        )
        search.fit(X, y)
        assert recording.epochs_ == [4, 6]
        assert_is_a_recording_of(recording, search.best_estimator_)
        np.testing.assert_array_equal(recording.X_, X)


class TestFromEstimator:
    def test_fits_a_copy_and_draws_the_last_frame(self):
        model = classifier()
        before = pickle.dumps(model)
        recording = TrainingAnimation.from_estimator(model, X, y, every=4)
        assert pickle.dumps(model) == before
        assert recording.epochs_ == [4, 6]
        assert_is_a_recording_of(recording, classifier().fit(X, y))
        assert recording.ax_.get_title() == "epoch 6"

    def test_other_callbacks_stay(self):
        recording = TrainingAnimation.from_estimator(classifier().set_callbacks(Stop()), X, y)
        assert recording.epochs_ == [1, 2, 3]

    def test_passes_on_what_fit_takes(self):
        weight = np.linspace(0, 1, 60)
        recording = TrainingAnimation.from_estimator(classifier(), X, y, sample_weight=weight)
        assert_same_weights(recording.models_[-1], classifier().fit(X, y, weight))
        pipeline = make_pipeline(StandardScaler(), classifier())
        weights = {"scratchmlpclassifier__sample_weight": weight}
        recording = TrainingAnimation.from_estimator(pipeline, X, y, **weights)
        assert_same_weights(recording.models_[-1][-1], pipeline.fit(X, y, **weights)[-1])

    def test_a_pipeline_is_shown_in_the_units_of_the_data(self):
        data = 100 + 50 * X
        pipeline = make_pipeline(StandardScaler(), classifier())
        recording = TrainingAnimation.from_estimator(pipeline, data, y)
        pipeline.fit(data, y)
        np.testing.assert_array_equal(recording.X_, data)
        np.testing.assert_array_equal(recording.models_[-1].predict_proba(data), pipeline.predict_proba(data))
        np.testing.assert_array_equal(points_of(recording).get_offsets(), data)

    def test_inside_a_pipeline_the_callback_sees_what_the_network_sees(self):
        recording = TrainingAnimation()
        pipeline = make_pipeline(StandardScaler(), classifier().set_callbacks(recording)).fit(X, y)
        np.testing.assert_allclose(recording.X_, pipeline[0].transform(X))
        assert_same_weights(recording.models_[-1], pipeline[-1])
        recording.plot()
