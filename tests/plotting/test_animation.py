import base64
import copy
import io
import pathlib
import pickle
import re
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import BinaryLogLoss
from sknn_scratch.estimators._runs import MinibatchRun
from sknn_scratch.plotting import TrainingAnimation

colors = pytest.importorskip("matplotlib.colors")
Figure = pytest.importorskip("matplotlib.figure").Figure
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SOLVERS = ["adam", "sgd", "lbfgs"]
MAX_ITER = 6
BLUE, VERMILLION = "#0072b2", "#d55e00"

X, y = make_moons(60, noise=0.2, random_state=0)
THREE = np.array(["cat", "dog", "emu"])[y + (X[:, 0] > 1)]
x = np.random.RandomState(0).uniform(-1, 1, (40, 1))  # in no order
TARGET = np.sin(3 * x.ravel())


def classifier(solver="adam", **params):
    params = {"hidden_layer_sizes": (5,), "max_iter": MAX_ITER, "learning_rate_init": 0.05, **params}
    return ScratchMLPClassifier(solver=solver, batch_size=20, random_state=0, **params)


def regressor(**params):
    params = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0, **params}
    return ScratchMLPRegressor(**params)


def recorded(every=1, model=None, X=X, y=y, **params):
    """A recording, and the model it was made of."""
    recording = TrainingAnimation(every)
    model = (model or classifier(**params)).set_callbacks(recording).fit(X, y)
    return recording, model


def assert_same_weights(model, expected):
    for name in ("coefs_", "intercepts_"):
        for array, other in zip(getattr(model, name), getattr(expected, name), strict=True):
            np.testing.assert_array_equal(array, other)


def assert_is_a_recording_of(recording, model, X=X, y=y):
    """Whether each model predicts as a fit that is stopped at that epoch."""
    assert len(recording.epochs_) == len(recording.models_) > 0
    assert recording.epochs_ == sorted(set(recording.epochs_))
    assert recording.epochs_[-1] == model.n_iter_
    for epoch, snapshot in zip(recording.epochs_, recording.models_, strict=True):
        stopped = clone(model).set_params(max_iter=epoch).set_callbacks().fit(X, y)
        assert_same_weights(snapshot, stopped)
        predict = "predict_proba" if hasattr(model, "classes_") else "predict"
        np.testing.assert_array_equal(getattr(snapshot, predict)(X), getattr(stopped, predict)(X))


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


def assert_can_be_shown(recording, folder):
    recording.to_png(folder, dpi=20)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"epoch_{epoch:05d}.png" for epoch in recording.epochs_]


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


def points_of(recording):
    """The points of the data in a plane: what was drawn last."""
    return recording.ax_.collections[-1]


def colors_of(points):
    return [colors.to_hex(color) for color in points.get_facecolor()]


class TestPlot:
    @pytest.mark.parametrize("frame", [0, 1, -1])
    def test_one_feature_and_a_number(self, frame):
        recording, _ = recorded(model=regressor(), X=x, y=TARGET)
        assert recording.plot(frame=frame) is recording
        points, line = recording.ax_.collections[0], recording.ax_.lines[0]
        np.testing.assert_array_equal(points.get_offsets(), np.c_[x, TARGET])
        drawn = line.get_xdata()
        assert np.all(np.diff(drawn) > 0)
        assert (drawn.min(), drawn.max()) == (x.min(), x.max())
        np.testing.assert_allclose(line.get_ydata(), recording.models_[frame].predict(drawn.reshape(-1, 1)))
        assert recording.ax_.get_title() == f"epoch {recording.epochs_[frame]}"
        assert (recording.ax_.get_xlabel(), recording.ax_.get_ylabel()) == ("x0", "target")

    @pytest.mark.parametrize("as_frame", [False, True])
    def test_between_few_points_the_curve_is_that_of_the_model(self, as_frame):
        few = pd.DataFrame({"age": [0.0, 3.0, 9.0]}) if as_frame else np.array([[0.0], [3.0], [9.0]])
        model = regressor(activation="tanh", solver="lbfgs", max_iter=50)
        line = TrainingAnimation.from_estimator(model, few, [0, 3, 1]).ax_.lines[0]
        drawn = line.get_xdata()
        assert len(drawn) >= 50
        expected = model.fit(np.asarray(few), [0, 3, 1]).predict(drawn.reshape(-1, 1))
        np.testing.assert_allclose(line.get_ydata(), expected)

    @pytest.mark.parametrize(
        "labels", [np.where(x.ravel() > 0, "yes", "no"), np.digitize(x.ravel(), [-0.3, 0.3])]
    )
    def test_one_feature_and_classes(self, labels):
        recording, model = recorded(model=classifier(), X=x, y=labels)
        recording.plot(frame=1)
        lines, points = recording.ax_.lines, recording.ax_.collections
        assert len(lines) == len(points) == len(model.classes_)
        assert [text.get_text() for text in recording.ax_.get_legend().get_texts()] == [
            str(label) for label in model.classes_
        ]
        for number, (line, own) in enumerate(zip(lines, points, strict=True)):
            drawn = line.get_xdata()
            assert np.all(np.diff(drawn) > 0)
            probability = recording.models_[1].predict_proba(drawn.reshape(-1, 1))[:, number]
            np.testing.assert_allclose(line.get_ydata(), probability)
            here = x.ravel()[labels == model.classes_[number]]
            np.testing.assert_array_equal(own.get_offsets()[:, 0], here)
            assert colors.same_color(own.get_facecolor()[0], line.get_color())
        assert recording.ax_.get_ylabel() == "probability"

    @pytest.mark.parametrize(
        "labels",
        [y, y.tolist(), pd.Series(np.where(y, "yes", "no")), np.where(y, "yes", "no").tolist(), y > 0],
    )
    def test_two_features_and_two_classes(self, labels):
        recording, _ = recorded(every=[], y=labels)
        recording.plot()
        points = points_of(recording)
        np.testing.assert_array_equal(points.get_offsets(), X)
        assert colors_of(points) == [BLUE if second else VERMILLION for second in y]
        surface = recording.ax_.collections[0]
        assert surface.levels[0] == 0
        assert surface.levels[-1] == 1
        low, high = surface.to_rgba([0.1, 0.9])  # of the probability of the second class
        assert low[0] > low[2]
        assert high[2] > high[0]

    def test_two_features_and_three_classes(self):
        recording, model = recorded(every=[], y=THREE)
        recording.plot()
        points = points_of(recording)
        np.testing.assert_array_equal(points.get_offsets(), X)
        drawn = np.array(colors_of(points))
        assert len(set(drawn)) == 3
        for label in model.classes_:
            assert len(set(drawn[label == THREE])) == 1

    @pytest.mark.parametrize("labels", [np.arange(60) % 12, np.zeros(60, dtype=int)])
    def test_two_features_and_many_classes_or_one(self, labels):
        recording, _ = recorded(every=[], y=labels)
        recording.plot().figure_.canvas.draw()
        np.testing.assert_array_equal(points_of(recording).get_offsets(), X)

    @pytest.mark.parametrize(
        ("target", "n_colors"),
        [(np.sign(X[:, 0]) + 2 * np.sign(X[:, 1]), 4), (1e6 + np.sign(X[:, 0]), 2), (np.ones(60), 1)],
        ids=["near", "far", "flat"],
    )
    def test_two_features_and_a_number(self, target, n_colors):
        recording, _ = recorded(every=[], model=regressor(), y=target)
        recording.plot().figure_.canvas.draw()
        points = points_of(recording)
        np.testing.assert_array_equal(points.get_offsets(), X)
        assert len(set(colors_of(points))) == n_colors

    @pytest.mark.parametrize("labels", [y, THREE], ids=["two", "three"])
    def test_the_surface_reaches_beyond_the_data(self, labels):
        recording, _ = recorded(every=[], X=100 * X, y=labels)
        ax = recording.plot().ax_
        for limits, column in zip((ax.get_xlim(), ax.get_ylim()), 100 * X.T, strict=True):
            assert limits[0] < column.min()
            assert column.max() < limits[1]

    @pytest.mark.parametrize("kind", [pd.DataFrame, np.array, list, sparse.csr_array])
    @pytest.mark.parametrize("n_features", [1, 2])
    def test_data_of_each_kind(self, kind, n_features):
        data = X[:, :n_features]
        given = data.tolist() if kind is list else kind(data)
        names = ["x0", "x1"]
        if kind is pd.DataFrame:
            given.columns = names = ["height of the tree", "age"][:n_features]
        recording = TrainingAnimation.from_estimator(classifier(max_iter=2), given, y, every=[])
        assert recording.ax_.get_xlabel() == names[0]
        assert recording.ax_.get_ylabel() == (names[1] if n_features == 2 else "probability")
        points = [offset for own in recording.ax_.collections for offset in own.get_offsets()[:, 0]]
        assert set(data[:, 0]) <= set(points)

    @pytest.mark.parametrize("params", [{"dtype": "float32"}, {"hidden_layer_sizes": ()}, {"max_iter": 1}])
    def test_other_networks(self, params, tmp_path):
        recording, _ = recorded(every=[], **params)
        assert_can_be_shown(recording, tmp_path)


def frames_of(recording, folder):
    """What is on the frames that are written."""
    frames = []

    def look(figure, *args, **kwargs):
        data, losses, network = figure.axes
        everything, so_far, here = losses.lines
        frames.append(
            {
                "title": data.get_title(),
                "losses": everything.get_ydata(),
                "so far": so_far.get_ydata(),
                "here": here.get_xydata().tolist(),
                "edges": [edges.get_edgecolor() for edges in network.collections[:2]],
            }
        )

    with mock.patch.object(Figure, "savefig", look):
        recording.to_png(folder)
    return frames


class TestFrames:
    def test_show_the_epoch_its_loss_and_its_network(self, tmp_path):
        recording, model = recorded([1, 4])
        frames = frames_of(recording, tmp_path)
        assert [frame["title"] for frame in frames] == ["epoch 1", "epoch 4", "epoch 6"]
        for epoch, frame in zip(recording.epochs_, frames, strict=True):
            np.testing.assert_array_equal(frame["losses"], model.loss_curve_)
            np.testing.assert_array_equal(frame["so far"], model.loss_curve_[:epoch])
            assert frame["here"] == [[epoch, model.loss_curve_[epoch - 1]]]
        for edges, others in zip(frames[0]["edges"], frames[-1]["edges"], strict=True):
            assert not np.array_equal(edges, others)

    def test_what_does_not_move_stays_where_it_is(self, tmp_path):
        from matplotlib.pyplot import imread

        recording, _ = recorded(max_iter=2, solver="sgd", learning_rate_init=1e-300)
        recording.to_png(tmp_path, dpi=40)
        first, second = (imread(path)[100:, 180:] for path in sorted(tmp_path.iterdir()))
        assert first.min() < 0.5  # there is the network
        np.testing.assert_array_equal(first, second)

    def test_data_frame_and_pipeline_and_strings(self, tmp_path):
        frame = pd.DataFrame(X, columns=["height", "age"])
        pipeline = make_pipeline(StandardScaler(), classifier())
        recording = TrainingAnimation.from_estimator(pipeline, frame, THREE, every=[3])
        assert_can_be_shown(recording, tmp_path)

    def test_long_names_leave_room_for_the_data(self, tmp_path):
        frame = pd.DataFrame(X, columns=["mean corpuscular haemoglobin concentration", "blood pressure"])
        labels = np.where(y, "malignant (histologically confirmed)", "benign")
        recording, _ = recorded(every=[], X=frame, y=labels)
        with mock.patch.object(Figure, "savefig", autospec=True) as save:
            recording.to_png(tmp_path)
        figure = save.call_args.args[0]
        figure.draw_without_rendering()
        data, losses, _ = figure.axes
        assert data.bbox.width > 0.3 * figure.bbox.width
        assert losses.bbox.width > 0.3 * figure.bbox.width
        label = data.xaxis.label.get_window_extent()
        assert figure.bbox.x0 <= label.x0 < label.x1 <= losses.bbox.x1

    def test_regression(self, tmp_path):
        assert_can_be_shown(TrainingAnimation.from_estimator(regressor(), x, TARGET), tmp_path)


class TestFiles:
    @pytest.fixture
    def recording(self):
        return recorded([1], max_iter=3)[0]

    @pytest.fixture
    def image_module(self):
        return pytest.importorskip("PIL.Image")

    def test_gif(self, recording, tmp_path, pyplot, image_module):
        recording.to_gif(tmp_path / "moons.gif", fps=4, dpi=40)
        with image_module.open(tmp_path / "moons.gif") as image:
            assert image.format == "GIF"
            assert image.n_frames == len(recording.epochs_) == 2
            assert image.size == (360, 180)
            assert image.info["loop"] == 0  # for ever
            frames, durations = [], []
            for number in range(2):
                image.seek(number)
                frames.append(np.asarray(image.convert("RGB")))
                durations.append(image.info["duration"])
        assert durations == [250, 250]
        assert (frames[0] != frames[1]).any()
        assert [path.name for path in tmp_path.iterdir()] == ["moons.gif"]
        assert pyplot.get_fignums() == []

    def test_gif_of_one_epoch(self, tmp_path, image_module):
        recorded(max_iter=1)[0].to_gif(str(tmp_path / "moons.gif"), dpi=30)
        with image_module.open(tmp_path / "moons.gif") as image:
            assert image.n_frames == 1

    @pytest.mark.parametrize("kind", [str, pathlib.Path])
    def test_png(self, recording, kind, tmp_path, pyplot, image_module):
        folder = tmp_path / "new" / "folder"
        recording.to_png(kind(folder), dpi=30)
        paths = sorted(folder.iterdir())
        assert [path.name for path in paths] == ["epoch_00001.png", "epoch_00003.png"]
        for path in paths:
            with image_module.open(path) as image:
                assert image.format == "PNG"
                assert image.size == (270, 135)
        assert pyplot.get_fignums() == []

    @pytest.mark.parametrize("kind", [str, pathlib.Path])
    def test_html(self, recording, kind, tmp_path, pyplot, image_module):
        recording.to_html(kind(tmp_path / "moons.html"), fps=4, dpi=40)
        assert [path.name for path in tmp_path.iterdir()] == ["moons.html"]  # nothing beside it
        page = (tmp_path / "moons.html").read_text("utf-8")
        assert not re.search(r"https?:|href=|src=.//|url\(", page)
        embedded = re.findall(r'frames\[\d+\] = "data:image/png;base64,([^"]*)"', page)
        images = [image_module.open(io.BytesIO(base64.b64decode(frame))) for frame in embedded]
        assert len(images) == len(recording.epochs_) == 2
        assert {image.size for image in images} == {(360, 180)}
        assert embedded[0] != embedded[1]
        assert len(re.findall(r"<input[^>]*type=.range.[^>]*>", page)) == 1  # the slider
        assert re.search(r"new Animation\(frames, \w+, \w+, 250(\.0)?,", page)  # milliseconds for a frame
        for action in ("play_animation()", "pause_animation()", "next_frame()", "first_frame()"):
            assert re.search(rf'<button[^>]*onclick="\w+\.{re.escape(action)}"', page)
        # each button has a symbol of its own
        assert set(re.findall(r'class="fa (fa-[\w-]+)', page)) <= set(
            re.findall(r"\.(fa-[\w-]+)::before", page)
        )
        assert pyplot.get_fignums() == []
