"""One tab: a session, what is drawn of it, and what its buttons do."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models import Checkbox, CustomJS, Div, FileInput, NumericInput, PreText, Select, Spinner, TextInput

from sknn_scratch.playground.code import code, weights, why_no_code
from sknn_scratch.playground.explanation import UnitExplanation, explain_unit, unit_name
from sknn_scratch.playground.page import words
from sknn_scratch.playground.page.controls import SHEET, Controls, button
from sknn_scratch.playground.page.curves import Curves
from sknn_scratch.playground.page.network_plot import N_PIXELS, NetworkPlot
from sknn_scratch.playground.page.output_plot import OutputPlot
from sknn_scratch.playground.page.recording import gif, picture
from sknn_scratch.playground.points import Points
from sknn_scratch.playground.presets import PRESETS
from sknn_scratch.playground.session import Session

MILLISECONDS_OF_A_FRAME = 50
SECONDS_TO_TRAIN = 0.015
"""Of a frame: the rest is for drawing, and for the other tabs."""

SPEEDS = {"1 step": 0, "1 epoch": 1, "10 epochs": 10, "as fast as it can": 10**9}
"""Epochs in a frame."""

_ACKNOWLEDGE = "setTimeout(() => { seen.value = cb_obj.value }, 0)"
_DOWNLOAD = """
if (!cb_obj.value) return
const {name, data} = JSON.parse(cb_obj.value)
const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0))
const href = URL.createObjectURL(new Blob([bytes]))
Object.assign(document.createElement("a"), {download: name, href}).click()
"""
_ADDRESS = "history.replaceState(null, '', location.pathname + '?' + cb_obj.value)"


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
        self.controls = Controls(self._change)
        self.network, self.output, self.curves = (
            NetworkPlot(self._choose_unit),
            OutputPlot(self._tapped),
            Curves(),
        )
        live = {"role": "status", "aria-live": "polite"}
        self.message = Div(
            name="message", html_attributes=live, stylesheets=[SHEET], sizing_mode="stretch_width"
        )
        self.numbers = Div(name="numbers", stylesheets=[SHEET], sizing_mode="stretch_width")
        self.play = button("▶ play", self._toggle_play, button_type="primary", width=84)
        self.speed = Select(
            options=list(SPEEDS),
            value="1 epoch",
            stylesheets=[SHEET],
            width=130,
            html_attributes={"aria-label": "speed, per frame"},
        )
        self.preset = Select(
            options=["presets …", *PRESETS], value="presets …", stylesheets=[SHEET], width=190
        )
        self.preset.on_change("value", lambda _attr, _old, new: self._use_preset(new))
        self.bar = row(
            self.play,
            button("step", self._step, width=60),
            button("epoch", self._epoch, width=64),
            button("reset", self._reset, width=60),
            self.speed,
            self.preset,
            name="bar",
            styles={"flex-wrap": "wrap"},
        )
        self.shown = row(
            self._box("rows held out", "shows_test", lambda: self.output.show_test(self.session)),
            self._box("discretised", "is_discretised", self._redraw),
            name="shown",
            sizing_mode="stretch_width",
        )
        self.target = Spinner(
            title="target of the points added",
            low=-10,
            high=10,
            step=1,
            value=0,
            stylesheets=[SHEET],
            sizing_mode="stretch_width",
        )
        self.adds = Checkbox(label="add points by clicking", stylesheets=[SHEET])
        self.file = FileInput(
            accept=".csv",
            title="CSV of two or three columns",
            stylesheets=[SHEET],
            sizing_mode="stretch_width",
        )
        self.file.on_change("value", lambda _attr, _old, new: self._upload(new))
        self.own = column(
            self.adds,
            self.target,
            self.file,
            button("download points", self._save_points, width=140),
            name="own",
            sizing_mode="stretch_width",
        )
        self.row = Spinner(title="row", low=0, value=0, stylesheets=[SHEET], width=80)
        self.row.on_change("value", lambda _attr, _old, new: self._choose_row(new or 0))
        self.unit = Select(title="unit", stylesheets=[SHEET], width=160)
        self.unit.on_change("value", lambda _attr, _old, new: self._choose_unit(*map(int, new.split("."))))
        self.choice = row(self.row, self.unit, name="choice")
        self.explanation = Div(name="explanation", stylesheets=[SHEET], sizing_mode="stretch_width")
        self.code = PreText(name="code", stylesheets=[SHEET], sizing_mode="stretch_width")
        self.take = row(
            button("code", self._show_code),
            button("link", self._link),
            button("weights", self._save_weights),
            button("picture", lambda: self._draw(picture, "playground.png")),
            button("recording", lambda: self._draw(gif, "playground.gif")),
            name="take",
            styles={"flex-wrap": "wrap"},
        )
        self._sent, self._seen = (NumericInput(value=0, visible=False, name=n) for n in ("sent", "seen"))
        self._sent.js_on_change("value", CustomJS(args={"seen": self._seen}, code=_ACKNOWLEDGE))
        self._download, self._address = (TextInput(visible=False, name=n) for n in ("download", "address"))
        self._download.js_on_change("value", CustomJS(code=_DOWNLOAD))
        self._address.js_on_change("value", CustomJS(code=_ADDRESS))
        self._restructure()

    def attach(self, document: Document) -> None:
        """Put the page into a document, and begin its frames."""
        plots = self.network, self.output, self.curves
        for root in (
            self.bar,
            self.message,
            self.numbers,
            self.controls.training,
            self.controls.data,
            self.controls.features,
            self.controls.layers,
            plots[0].figure,
            plots[1].figure,
            self.curves.loss,
            self.curves.score,
            self.curves.gradients,
            self.shown,
            self.own,
            self.choice,
            self.explanation,
            self.take,
            self.code,
            self._sent,
            self._seen,
            self._download,
            self._address,
        ):
            document.add_root(root)
        document.add_periodic_callback(self.frame, MILLISECONDS_OF_A_FRAME)

    def frame(self) -> None:
        """Train for a while and draw, unless the browser has not yet drawn what was sent last."""
        if not self.is_playing or self._seen.value < self._sent.value:
            return
        if n_epochs := SPEEDS[self.speed.value]:
            self.session.train_epochs(n_epochs, SECONDS_TO_TRAIN)
        else:
            self.session.train_step()
        self._trained()
        self._sent.value += 1

    def say(self, text: str) -> None:
        """Show a sentence."""
        self.message.text = text

    def _change(self, **settings: Any) -> None:
        self._try(lambda: self.session.change(**settings))

    def _try(self, act: Callable[[], None]) -> None:
        """Do what may be refused; then show what is the case."""
        n_steps, refused = self.session.n_steps, ""
        try:
            act()
        except ValueError as error:
            refused = str(error)
        if self.session.n_steps and self.session.n_steps == n_steps and not refused:
            self.controls.show(self.session)
        else:
            self._restructure() if not self.session.n_steps else self.controls.show(self.session)
        self.say(refused)

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

    def _box(self, label: str, attribute: str, then: Callable[[], None]) -> Checkbox:
        def changed(_attr: str, _old: bool, new: bool) -> None:
            setattr(self.output, attribute, new)
            then()

        box = Checkbox(label=label, stylesheets=[SHEET])
        box.on_change("active", changed)
        return box

    def _tapped(self, x: float, y: float) -> None:
        if not self.adds.active:
            self.row.value = self.output.nearest(self.session, x, y)
            return
        session = self.session
        if session.settings.dataset == "own" and session.points is not None:
            points = session.points
        else:
            parts = [part for part in (session.train, session.test) if part is not None]
            X, targets = (
                np.concatenate(arrays) for arrays in zip(*(part[:2] for part in parts), strict=True)
            )
            points = Points(X, targets, session.has_classes)
        self._try(lambda: session.use(points.with_point((x, y), self.target.value)))

    def _upload(self, content: str) -> None:
        self._try(lambda: self.session.use(Points.from_csv(base64.b64decode(content))))

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
        self._address.value = self.session.settings.to_query()
        self.say(
            "The address of this page now has the settings. Points of your own are not in it: download them."
        )

    def _save_points(self) -> None:
        if self.session.points is None:
            self.say("There are no points of your own yet; generated data are in the link.")
        else:
            self._save("points.csv", self.session.points.to_csv().encode())

    def _save_weights(self) -> None:
        self._save("weights.npz", weights(self.session))

    def _draw(self, draw: Callable[[Session], bytes], name: str) -> None:
        try:
            self._save(name, draw(self.session))
        except (ImportError, ValueError) as error:
            self.say(str(error))

    def _save(self, name: str, content: bytes) -> None:
        self._download.value = ""
        self._download.value = json.dumps({"name": name, "data": base64.b64encode(content).decode()})
