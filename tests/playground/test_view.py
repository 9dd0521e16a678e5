"""The page without a browser: each widget does what it says, read back from the session."""

import json
import threading
from base64 import b64decode, b64encode

import pytest

pytest.importorskip("bokeh")

from bokeh.document import Document

from sknn_scratch.playground.explanation import explain_unit
from sknn_scratch.playground.page import words
from sknn_scratch.playground.page.view import View
from sknn_scratch.playground.points import Points
from sknn_scratch.playground.presets import PRESETS
from sknn_scratch.playground.session import Session
from sknn_scratch.playground.settings import Settings


@pytest.fixture
def view():
    made = View(Session(Settings().changed(n_rows=60)))
    made.attach(Document())
    return made


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("dataset", "blobs"), ("noise", 0.2), ("n_rows", 100), ("test_size", 0.5), ("random_state", 3)),
        *(("loss", "squared_error"), ("solver", "sgd"), ("learning_rate_init", 0.5), ("momentum", 0.1)),
        *(("learning_rate", "cosine"), ("batch_size", 7), ("alpha", 0.1), ("dropout", 0.2), ("max_iter", 9)),
        ("weight_init", "orthogonal"),
    ],
)
def test_a_widget_sets_its_setting(view, name, value):
    widget = view.controls.widgets[name]
    if hasattr(widget, "value_throttled"):
        widget.trigger("value_throttled", widget.value, value)
    else:
        widget.value = value
    assert getattr(view.session.settings, name) == value
    assert widget.value == value
    assert view.message.text == ""


def test_features_layers_and_units(view):
    view.controls.features.active = [0, 4]
    assert view.session.settings.features == ("x1", "product")
    view.controls.sizes.value = "3, 2, 1"
    assert view.session.settings.hidden_layer_sizes == (3, 2, 1)
    view.controls.layers.children[2].children[0].value = "relu"
    assert view.session.settings.activation == ("tanh", "relu", "tanh")
    assert len(view.network.tiles.data["x"]) == 2 + 3 + 2 + 1 + 1
    assert len(view.network.edges.data["xs"]) == 2 * 3 + 3 * 2 + 2 + 1


def test_a_bad_value_is_refused_in_words_and_put_back(view):
    view.controls.widgets["alpha"].value = -1.0
    assert "'alpha' of Settings must be a number in [0, inf)" in view.message.text
    assert view.controls.widgets["alpha"].value == 0.0
    view.controls.sizes.value = "many"
    assert "1 to 100 units" in view.message.text
    assert view.controls.sizes.value == "4, 4"


def test_frames_train_while_it_plays_and_the_browser_keeps_up(view):
    view.frame()
    assert view.session.n_epochs == 0
    view._toggle_play()
    view.frame()
    assert view.session.n_epochs == 1
    view.frame()  # the browser has not drawn yet
    assert view.session.n_epochs == 1
    view.browser._seen.value = view.browser._sent.value
    view.frame()
    assert view.session.n_epochs == 2
    view._toggle_play()
    view.browser._seen.value = view.browser._sent.value
    view.frame()
    assert view.session.n_epochs == 2


def test_the_explanation_is_of_the_weights_shown_when_it_pauses(view):
    view._toggle_play()
    view.frame()
    view._toggle_play()
    now = explain_unit(view.session, view._row, *view._unit)
    assert view.explanation.text == words.explained(now, None)


def test_a_step_is_explained_before_and_after(view):
    view._step()
    assert view.session.n_steps == 1
    assert "weight after the step" in view.explanation.text
    view._choose_unit(3, 0)
    assert "<b>output</b>" in view.explanation.text
    assert "after the step" not in view.explanation.text


def test_divergence_is_said_on_the_page(view):
    view.controls.widgets["dataset"].value = "plane"
    view.controls.widgets["solver"].value = "sgd"
    view.controls.widgets["learning_rate_init"].value = 1e200
    view._epoch()
    assert "Training has diverged" in view.message.text
    view.controls.widgets["learning_rate_init"].value = 0.01  # it takes a reset too
    assert "Training has diverged" in view.message.text
    view._reset()
    assert view.message.text == ""


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_drawn(view, name):
    view.preset.value = name
    assert view.session.settings == PRESETS[name]
    view._epoch()


def uploaded(view, text):
    view.own.file.set_from_json("value", b64encode(text.encode()).decode())


def test_a_file_is_learnt_from_or_refused(view):
    uploaded(view, "x,y,kind\n1,2,red\n")
    assert "'red' where a number is needed" in view.message.text
    rows = "".join(f"{i},{(i * 7) % 5},{i % 3}\n" for i in range(30))
    uploaded(view, rows)
    assert view.message.text == ""
    assert view.session.settings.dataset == "own"
    view._save_points()
    file = json.loads(view.browser._download.value)
    assert file["name"] == "points.csv"
    assert b64decode(file["data"]).decode() == view.session.points.to_csv()


def test_one_feature_is_drawn_as_a_curve():
    view = View(Session(Settings().changed(dataset="own"), Points.of([[i] for i in range(20)], range(20))))
    assert len(view.output.curve.data["x"]) == 200
    view._epoch()


def test_a_click_adds_a_point_or_chooses_one(view):
    x, y = view.session.train.points[3]
    view._tapped(x, y)
    assert view._row == 3
    view.own.adds.active, view.own.target.value = [0], 1
    view._tapped(0.25, 0.5)
    assert view.session.points.X[-1].tolist() == [0.25, 0.5]
    assert view.session.points.y[-1] == 1
    assert len(view.session.points.y) == 61


def drawn(view, document, draw, name):
    """The file that a drawing leaves with the browser, while other callbacks could run."""
    before = set(document.session_callbacks)
    view._draw(draw, name)
    assert all(button.disabled for button in view.drawings)
    assert f"Drawing {name}" in view.message.text
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and thread.daemon:
            thread.join(60)
    (callback,) = set(document.session_callbacks) - before
    callback.callback()
    assert not any(button.disabled for button in view.drawings)
    file = json.loads(view.browser._download.value)
    return file["name"], b64decode(file["data"])


def test_drawing_runs_in_a_thread_and_says_what_it_does(view):
    view._draw(lambda recording: b"never", "early.png")
    assert "train for an epoch first" in view.message.text
    view._epoch()
    document = view.bar.document
    assert drawn(view, document, lambda recording: b"drawn", "a.png") == ("a.png", b"drawn")

    def fails(recording):
        raise ImportError("matplotlib is needed")

    view.browser._download.value = '{"name": "", "data": ""}'
    assert drawn(view, document, fails, "b.png") == ("", b"")
    assert view.message.text == "matplotlib is needed"


@pytest.mark.full
def test_the_picture_is_a_png_and_the_recording_a_gif(view):
    pytest.importorskip("matplotlib")
    from sknn_scratch.playground.page.recording import gif, picture

    view._epoch()
    document = view.bar.document
    assert drawn(view, document, picture, "p.png")[1].startswith(b"\x89PNG")
    assert drawn(view, document, gif, "p.gif")[1].startswith(b"GIF8")


@pytest.mark.parametrize(
    ("host", "origin", "is_allowed"),
    [
        ("127.0.0.1", "localhost:{port}", True),
        ("127.0.0.1", "127.0.0.1:{port}", True),
        ("127.0.0.1", "evil.example:{port}", False),
        ("0.0.0.0", "desk.example:{port}", True),
        ("0.0.0.0", "evil.example:80", False),
    ],
)
def test_pages_of_other_sites_are_refused(host, origin, is_allowed):
    from bokeh.server.util import check_allowlist

    from sknn_scratch.playground.page.server import origins

    assert check_allowlist(origin.format(port=5006), origins(host, 5006)) == is_allowed
