"""scikit-learn's Display contract, for all displays."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier
from sknn_scratch.plotting import (
    ActivationDisplay,
    LossCurveDisplay,
    NetworkDisplay,
    TrainingAnimation,
    WeightsDisplay,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = make_moons(60, noise=0.2, random_state=0)


@dataclass
class Case:
    """How a display is made, and the numbers in its picture."""

    display: type
    numbers: Callable[[Any], list]
    needs_data: bool = False
    options: dict[str, Any] | None = None

    def draw(self, model, X=X, y=y, **options):
        data = (X, y) if self.needs_data else ()
        return self.display.from_estimator(model, *data, **(self.options or {}), **options)


def colors_of_network(display):
    return [artist.get_facecolor() for artist in display.units_] + [
        artist.get_edgecolor() for artist in display.edges_
    ]


CASES = {
    "loss curve": Case(LossCurveDisplay, lambda display: [display.line_.get_ydata()]),
    "network": Case(NetworkDisplay, colors_of_network),
    "activation": Case(ActivationDisplay, lambda display: [line.get_ydata() for line in display.lines_]),
    "histograms": Case(
        WeightsDisplay,
        lambda display: [axes.patches[0].get_data().values for axes in display.axes_.flat],
        needs_data=True,
    ),
    "images": Case(
        WeightsDisplay,
        lambda display: [image.get_array() for axes in display.axes_.flat for image in axes.images],
        options={"kind": "images", "image_shape": (1, 2)},
    ),
    "animation": Case(
        TrainingAnimation,
        lambda display: [model.predict_proba(display.X_) for model in display.models_],
        needs_data=True,
    ),
}
each_display = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
each_display_of_fitted = pytest.mark.parametrize(
    "case", [case for case in CASES.values() if case.display is not TrainingAnimation], ids=list(CASES)[:-1]
)


def network():
    return ScratchMLPClassifier((4, 3), "tanh", max_iter=3, random_state=0)


def pipeline():
    return make_pipeline(StandardScaler(), network())


def search():
    return GridSearchCV(pipeline(), {"scratchmlpclassifier__alpha": [1e-4]}, cv=2)


def assert_same_numbers(case, display, expected):
    expected = case.numbers(expected)
    assert len(expected) > 0
    for array, other in zip(case.numbers(display), expected, strict=True):
        np.testing.assert_array_equal(array, other)


@each_display
def test_from_estimator_returns_the_display_on_a_figure_of_its_own(case, pyplot):
    display = case.draw(network().fit(X, y))
    assert type(display) is case.display
    assert pyplot.get_fignums() == [display.figure_.number]
    assert display.ax_.figure is display.figure_
    assert display.ax_ in display.figure_.axes
    display.figure_.canvas.draw()


# what users pass as ax
AXES = {
    "subplot": lambda figure: figure.subplots(2, 3)[1, 2],
    "subfigure": lambda figure: figure.subfigures(1, 2)[1].subplots(),
    "free axes": lambda figure: figure.add_axes((0.4, 0.3, 0.5, 0.4)),
}
each_axes = pytest.mark.parametrize("make_axes", AXES.values(), ids=AXES)


@each_display
@each_axes
def test_draws_on_axes_given(case, make_axes, pyplot):
    ax = make_axes(pyplot.figure(figsize=(12, 7), dpi=50))
    display = case.draw(network().fit(X, y), ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert len(pyplot.get_fignums()) == 1
    display.figure_.canvas.draw()
    drawn = getattr(display, "axes_", np.array([ax]))
    assert all(axes.has_data() for axes in drawn.flat)
    cell = ax.get_position(original=True)
    for axes in drawn.flat:
        inside = axes.get_position(original=True)
        assert cell.x0 - 1e-9 <= inside.x0 < inside.x1 <= cell.x1 + 1e-9
        assert cell.y0 - 1e-9 <= inside.y0 < inside.y1 <= cell.y1 + 1e-9


@each_display
def test_plot_draws_once_more_and_returns_the_display(case, pyplot):
    display = case.draw(network().fit(X, y))
    options, ax = case.options or {}, pyplot.figure().subplots()
    before = case.numbers(display)
    assert display.plot(ax, **options) is display
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    for array, other in zip(case.numbers(display), before, strict=True):
        np.testing.assert_array_equal(array, other)
    assert display.plot(**options).ax_ is not ax
    assert len(pyplot.get_fignums()) == 3


@each_display
def test_pipelines_and_searches_are_drawn_like_the_network_in_them(case):
    bare = network()
    Z = StandardScaler().fit_transform(X)
    expected = case.draw(bare.fit(Z, y), X=Z)
    assert_same_numbers(case, case.draw(pipeline().fit(X, y)), expected)
    assert_same_numbers(case, case.draw(search().fit(X, y)), expected)
    nested = make_pipeline(StandardScaler(), make_pipeline("passthrough", network()))
    assert_same_numbers(case, case.draw(nested.fit(X, y)), expected)


@each_display_of_fitted
@pytest.mark.parametrize("make", [network, pipeline, search])
def test_what_is_not_fitted_says_so(case, make, pyplot):
    with pytest.raises(NotFittedError):
        case.draw(make())
    assert pyplot.get_fignums() == []


@each_display
@pytest.mark.parametrize(
    "other",
    [LogisticRegression(), DummyClassifier(), make_pipeline(StandardScaler(), LogisticRegression())],
    ids=["LogisticRegression", "DummyClassifier", "Pipeline"],
)
def test_what_is_no_network_is_named(case, other, pyplot):
    name = type(other[-1] if hasattr(other, "steps") else other).__name__
    with pytest.raises(TypeError, match=name):
        case.draw(other.fit(X, y))
    assert pyplot.get_fignums() == []


@each_display
@pytest.mark.parametrize("make", [network, pipeline])
def test_the_estimator_is_not_changed(case, make):
    model = make().fit(X, y)
    before = pickle.dumps(model)
    case.draw(model)
    assert pickle.dumps(model) == before


class TestWithoutMatplotlib:
    @each_display
    def test_drawing_says_how_to_install_it(self, case, monkeypatch):
        model = network().fit(X, y)
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(ImportError, match="pip install"):
            case.draw(model)

    def test_nothing_is_trained_for_a_picture_that_cannot_be_drawn(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        monkeypatch.setattr(ScratchMLPClassifier, "_fit", lambda *args, **kwargs: pytest.fail("it trains"))
        with pytest.raises(ImportError, match="pip install"):
            TrainingAnimation.from_estimator(network(), X, y)

    def test_recording_works_and_writing_says_how_to_install_it(self, monkeypatch, tmp_path):
        recording = TrainingAnimation()
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        network().set_callbacks(recording).fit(X, y)
        assert recording.epochs_ == [1, 2, 3]
        for write in (recording.to_gif, recording.to_html, recording.to_png):
            with pytest.raises(ImportError, match="pip install"):
                write(tmp_path / "moons.gif")

    def test_it_is_not_imported_before_something_is_drawn(self):
        code = "import sys, sknn_scratch.plotting; sys.exit('matplotlib' in sys.modules)"
        subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)
