"""What TrainingAnimation shows: the plot, the frames, and the files made of them."""

import base64
import html
import io
import itertools
import pathlib
import re
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from helpers.recordings import (
    TARGET,
    THREE,
    Figure,
    X,
    assert_can_be_shown,
    classifier,
    colors,
    frames_of,
    points_of,
    recorded,
    regressor,
    x,
    y,
)
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch.plotting import TrainingAnimation

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
BLUE, VERMILLION = "#0072b2", "#d55e00"


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

    @pytest.mark.parametrize(
        "labels", [y, THREE, np.where(y, "b" * 50, "a"), np.arange(60) % 12, np.zeros(60)]
    )
    def test_each_colour_of_a_class_has_its_name(self, labels):
        recording, model = recorded(every=[], y=labels)
        legend = recording.plot().ax_.get_legend()
        names = [text.get_text() for text in legend.get_texts()]
        classes = [str(label) for label in model.classes_]
        assert [name.rstrip("…") for name in names[:10]] == [
            name[: 20 if len(name) < 21 else 19] for name in classes[:10]
        ]
        assert names[10:] == (["and 2 more"] if len(classes) == 12 else [])
        drawn = np.array(colors_of(points_of(recording)))
        for label, handle in zip(model.classes_[:10], legend.legend_handles, strict=False):
            assert {colors.to_hex(handle.get_color())} == set(np.resize(drawn, len(labels))[labels == label])

    @pytest.mark.parametrize(("solver", "step"), [("lbfgs", "iteration"), ("adam", "epoch")])
    def test_steps_have_their_name(self, solver, step, tmp_path):
        recording, _ = recorded(every=[], solver=solver)
        assert recording.plot().ax_.get_title() == f"{step} {recording.epochs_[-1]}"
        with mock.patch.object(Figure, "savefig", autospec=True) as save:
            recording.to_png(tmp_path)
        assert save.call_args.args[0].axes[1].get_xlabel() == step


class TestFrames:
    def test_validation_losses_stand_beside_those_of_training(self, tmp_path):
        recording, model = recorded([2], early_stopping=True)
        with mock.patch.object(Figure, "savefig", autospec=True) as save:
            recording.to_png(tmp_path)
        losses = save.call_args.args[0].axes[1]
        assert [text.get_text() for text in losses.get_legend().get_texts()] == ["training", "validation"]
        np.testing.assert_array_equal(losses.lines[4].get_ydata(), model.validation_loss_curve_)

    @pytest.mark.parametrize("max_iter", [6, 2000])
    def test_figures_on_the_axis_of_epochs_have_room(self, max_iter, tmp_path):
        model = classifier("sgd", max_iter=max_iter, n_iter_no_change=np.inf, learning_rate_init=1e-3)
        recording, _ = recorded(every=[], model=model)
        with mock.patch.object(Figure, "savefig", autospec=True) as save:
            recording.to_png(tmp_path)
        figure = save.call_args.args[0]
        figure.draw_without_rendering()
        losses = figure.axes[1]
        low, high = losses.get_xlim()
        labels = [tick.label1 for tick in losses.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0)
        assert len(boxes) > 2
        assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))

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

    def test_the_page_is_whole_fits_a_phone_and_plays_by_space(self, tmp_path):
        recording, _ = recorded(max_iter=2, solver="lbfgs")
        recording.to_html(tmp_path / "moons.html", dpi=40)
        page = (tmp_path / "moons.html").read_text("utf-8")
        assert page.startswith("<!doctype html>\n<html lang=")
        assert "<title>ScratchMLPClassifier, 2 iterations of training</title>" in page
        assert re.search(r'<meta name="viewport" content="width=device-width', page)
        player = re.search(r"(\w+) = new Animation", page)[1]
        assert f"if ({player}.timer) {player}.pause_animation(); else {player}.play_animation();" in page
        assert page.rstrip().endswith("</html>")

    def test_notebooks_show_the_page(self, tmp_path):
        assert TrainingAnimation()._repr_html_() is None
        recording, _ = recorded([], max_iter=1)
        frame = re.fullmatch(r'<iframe srcdoc="([^"]*)" style="[^"]*"></iframe>', recording._repr_html_())
        recording.to_html(tmp_path / "moons.html")
        name = r"[0-9a-f]{32}"  # of each player
        page = (tmp_path / "moons.html").read_text("utf-8")
        assert re.sub(name, "", html.unescape(frame[1])) == re.sub(name, "", page)

    def test_a_page_of_33_frames_is_smaller_than_2_megabytes(self, tmp_path):
        recording, _ = recorded([3, 60], y=THREE, max_iter=60, hidden_layer_sizes=(8, 8))
        recording.to_html(tmp_path / "moons.html")
        assert 40_000 < (tmp_path / "moons.html").stat().st_size / len(recording.epochs_) < 2_000_000 / 33
