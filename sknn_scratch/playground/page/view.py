"""One tab: a session, what is drawn of it, and what its buttons do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from bokeh.document import Document
from bokeh.layouts import row
from bokeh.models import CheckboxGroup, Div, NumericInput, PreText, Row, Select

from sknn_scratch.playground.code import code, weights, why_no_code
from sknn_scratch.playground.explanation import UnitExplanation, explain_unit, unit_name
from sknn_scratch.playground.page import words
from sknn_scratch.playground.page.browser import Browser
from sknn_scratch.playground.page.controls import HIDDEN_LABEL, SHEET, Controls, button
from sknn_scratch.playground.page.curves import Curves
from sknn_scratch.playground.page.network_plot import N_PIXELS, NetworkPlot
from sknn_scratch.playground.page.output_plot import OutputPlot
from sknn_scratch.playground.page.own_points import OwnPoints
from sknn_scratch.playground.page.recording import gif, picture, recorded
from sknn_scratch.playground.points import Points
from sknn_scratch.playground.presets import PRESETS
from sknn_scratch.playground.session import Session
from sknn_scratch.plotting import TrainingAnimation

MILLISECONDS_OF_A_FRAME = 50
FRAMES_OF_THE_CURVES = 5
"""While it plays, curves grow in every fifth frame: their axes take the browser longer than all tiles."""

SECONDS_TO_TRAIN = 0.015
"""Of a frame: the rest is for drawing, and for the other tabs."""

SPEEDS = {"1 step": 0, "1 epoch": 1, "10 epochs": 10, "as fast as it can": 10**9}
"""Epochs in a frame."""


class View:
    """The page of one tab.

    Parameters
    ----------
    session : Session
        What it shows.
    """

    def __init__(self, session: Session) -> None:
        self.session, self.is_playing = session, False
        self._unit, self._row = (1, 0), 0
        self._before: UnitExplanation | None = None
        self.browser, self._began = Browser(self._has_drawn), 0.0
        self.controls = Controls(self._change)
        self.own = OwnPoints(self._upload, self._save_points)
        self.network, self.output = NetworkPlot(self._choose_unit), OutputPlot(self._tapped)
        self.curves = Curves()
        self.message = self._text("message", html_attributes={"role": "status", "aria-live": "polite"})
        self.numbers, self.explanation = self._text("numbers"), self._text("explanation")
        self.code = PreText(name="code", stylesheets=[SHEET], sizing_mode="stretch_width")
        self.bar, self.shown = self._make_bar(), self._make_shown()
        self.choice, self.take = self._make_choice(), self._make_take()
        self._restructure()

    @staticmethod
    def _text(name: str, **options: Any) -> Div:
        return Div(name=name, stylesheets=[SHEET], sizing_mode="stretch_width", **options)

    def _make_bar(self) -> Row:
        """Buttons that train, and the presets."""
        self.play = button("▶ play", self._toggle_play, button_type="primary", width=84)
        self.speed = Select(
            title="speed: training in a frame",
            options=list(SPEEDS),
            value="1 epoch",
            stylesheets=[SHEET, HIDDEN_LABEL],
            width=130,
        )
        self.preset = Select(
            title="presets",
            options=["presets …", *PRESETS],
            value="presets …",
            stylesheets=[SHEET, HIDDEN_LABEL],
            width=190,
        )
        self.preset.on_change("value", lambda _attr, _old, new: self._use_preset(new))
        return row(
            self.play,
            button("step", self._step, width=60),
            button("epoch", self._epoch, width=64),
            button("reset", self._reset, width=60),
            self.speed,
            self.preset,
            name="bar",
            styles={"flex-wrap": "wrap"},
        )

    def _make_shown(self) -> Row:
        """What the drawing of the output shows."""
        return row(
            self._box("rows held out", "shows_test", lambda: self.output.show_test(self.session)),
            self._box("discretised", "is_discretised", self._redraw),
            name="shown",
            sizing_mode="stretch_width",
        )

    def _make_choice(self) -> Row:
        """The point and the unit that are explained."""
        self.row = NumericInput(title="row", low=0, value=0, stylesheets=[SHEET], width=80)
        self.row.on_change("value", lambda _attr, _old, new: self._choose_row(new or 0))
        self.unit = Select(title="unit", stylesheets=[SHEET], width=160)
        self.unit.on_change("value", lambda _attr, _old, new: self._choose_unit(*map(int, new.split("."))))
        return row(self.row, self.unit, name="choice")

    def _make_take(self) -> Row:
        """What can be taken away."""
        self.drawings = [
            button("picture", lambda: self._draw(picture, "playground.png")),
            button("recording", lambda: self._draw(gif, "playground.gif")),
        ]
        return row(
            button("code", self._show_code),
            button("link", self._link),
            button("weights", self._save_weights),
            *self.drawings,
            name="take",
            styles={"flex-wrap": "wrap"},
        )

    def attach(self, document: Document) -> None:
        """Put the page into a document, and begin its frames."""
        controls, curves = self.controls, self.curves
        texts = [self.message, self.numbers, self.explanation, self.code]
        settings = [controls.training, controls.data, controls.features, controls.layers]
        plots = [self.network.figure, self.output.figure, curves.loss, curves.score, curves.gradients]
        rows = [self.bar, self.shown, self.own.root, self.choice, self.take]
        for root in (*texts, *settings, *plots, *rows, *self.browser.roots):
            document.add_root(root)
        document.add_periodic_callback(self.frame, MILLISECONDS_OF_A_FRAME)

    def frame(self) -> None:
        """Train for a while and draw, unless the browser has not yet drawn what was sent last."""
        if not self.is_playing or self.browser.is_drawing:
            return
        self._began = time.perf_counter()
        if n_epochs := SPEEDS[self.speed.value]:
            self.session.train_epochs(n_epochs, SECONDS_TO_TRAIN)
        else:
            self.session.train_step()
        self._trained()
        self.browser.count_frame()

    def _has_drawn(self) -> None:
        """Begin the next frame when it is time, rather than at the next tick after that."""
        elapsed = 1e3 * (time.perf_counter() - self._began)
        self.bar.document.add_timeout_callback(self.frame, max(0, round(MILLISECONDS_OF_A_FRAME - elapsed)))

    def say(self, text: str) -> None:
        """Show a sentence."""
        self.message.text = text

    def _change(self, **settings: Any) -> None:
        self._try(lambda: self.session.change(**settings))

    def _try(self, act: Callable[[], None]) -> None:
        """Do what may be refused; then show what is the case."""
        refused = ""
        try:
            act()
        except ValueError as error:
            refused = str(error)
        if self.session.n_steps:
            self.controls.show(self.session)
        else:
            self._restructure()
        self.say(refused or self.session.ending)

    def _restructure(self) -> None:
        session = self.session
        self.controls.show(session)
        self.network.restructure(session)
        self.output.restructure(session)
        self.curves.begin(len(session.dense), session.has_classes)
        self._row, self._before = min(self._row, len(session.train.y) - 1), None
        self.row.high = len(session.train.y) - 1
        sizes = [len(layer["weights"][0]) for layer in session.dense]
        self.unit.options = [
            (f"{layer}.{unit}", unit_name(session, layer, unit))
            for layer, size in enumerate(sizes, start=1)
            for unit in range(size)
        ]
        layer = min(self._unit[0], len(sizes))
        self._unit = layer, min(self._unit[1], sizes[layer - 1] - 1)
        self.unit.value = "{}.{}".format(*self._unit)
        self.code.text = ""
        self.say("")
        self._redraw()

    def _redraw(self) -> None:
        session = self.session
        measured = session.measured()
        if not self.is_playing or self.browser.n_frames % FRAMES_OF_THE_CURVES == 0:
            self.curves.add(measured)
        self.numbers.text = words.numbers(session, measured)
        n_columns = session.train.points.shape[1]
        self.network.redraw(session, session.activations(self.output.grid(N_PIXELS, n_columns)))
        self.output.redraw(session)
        if not self.is_playing:
            self._explain()

    def _trained(self) -> None:
        if self.session.ending:
            self._pause()
            self.say(self.session.ending)
        self._redraw()

    def _toggle_play(self) -> None:
        self.is_playing = not self.is_playing and not self.session.ending
        self.play.label = "❚❚ pause" if self.is_playing else "▶ play"
        self._before = None
        if not self.is_playing:  # the curves skip frames while it plays, and the explanation all of them
            self._redraw()
        self.say(self.session.ending)

    def _pause(self) -> None:
        self.is_playing, self.play.label = False, "▶ play"

    def _step(self) -> None:
        self._pause()
        self._before = explain_unit(self.session, self._row, *self._unit)
        self.session.train_step()
        self._trained()

    def _epoch(self) -> None:
        self._pause()
        self._before = None
        self.session.train_epochs(1, 1.0)
        self._trained()

    def _reset(self) -> None:
        self._pause()
        self.session.reset()
        self._restructure()

    def _use_preset(self, name: str) -> None:
        if name in PRESETS:
            self._pause()
            self.session = Session(PRESETS[name], self.session.points)
            self._restructure()

    def _box(self, label: str, attribute: str, then: Callable[[], None]) -> CheckboxGroup:
        def changed(_attr: str, _old: list[int], new: list[int]) -> None:
            setattr(self.output, attribute, bool(new))
            then()

        box = CheckboxGroup(labels=[label], stylesheets=[SHEET])
        box.on_change("active", changed)
        return box

    def _tapped(self, x: float, y: float) -> None:
        if self.own.adds.active:
            self._try(lambda: self.session.use(self.own.with_click(self.session, x, y)))
        else:
            self.row.value = self.output.nearest(self.session, x, y)

    def _upload(self, content: bytes) -> None:
        self._try(lambda: self.session.use(Points.from_csv(content)))

    def _choose_row(self, number: int) -> None:
        self._row, self._before = min(max(0, number), len(self.session.train.y) - 1), None
        self._explain()

    def _choose_unit(self, layer: int, unit: int) -> None:
        if layer:
            self._unit, self._before = (layer, unit), None
            self.unit.value = f"{layer}.{unit}"
            self._explain()

    def _explain(self) -> None:
        now = explain_unit(self.session, self._row, *self._unit)
        self.explanation.text = words.explained(self._before or now, now if self._before else None)
        self.output.choose(self.session, self._row)
        self.network.select(*self._unit)

    def _show_code(self) -> None:
        reason = why_no_code(self.session)
        self.code.text = reason or code(self.session)

    def _link(self) -> None:
        self.browser.show_address(self.session.settings.to_query())
        self.say(
            "The address of this page now has the settings. Points of your own are not in it: download them."
        )

    def _save_points(self) -> None:
        if self.session.points is None:
            self.say("There are no points of your own yet; generated data are in the link.")
        else:
            self.browser.download("points.csv", self.session.points.to_csv().encode())

    def _save_weights(self) -> None:
        self.browser.download("weights.npz", weights(self.session))

    def _draw(self, draw: Callable[[TrainingAnimation], bytes], name: str) -> None:
        """Draw in a thread: it takes seconds, in which this tab and the others train on."""
        try:
            recording = recorded(self.session)
        except ValueError as error:
            self.say(str(error))
            return
        document = self.bar.document

        def work() -> None:
            try:
                content, refused = draw(recording), ""
            except Exception as error:  # said on the page: no one sees a traceback of this thread
                content, refused = b"", str(error)
            document.add_next_tick_callback(lambda: self._drawn(name, content, refused))

        self._set_drawing(True, f"Drawing {name} …")
        threading.Thread(target=work, daemon=True).start()

    def _drawn(self, name: str, content: bytes, refused: str) -> None:
        self._set_drawing(False, refused or self.session.ending)
        if content:
            self.browser.download(name, content)

    def _set_drawing(self, is_drawing: bool, text: str) -> None:
        """One drawing at a time: its buttons wait."""
        for each in self.drawings:
            each.disabled = is_drawing
        self.say(text)
