"""The output over the plane, with the points; of one feature, the curve."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from bokeh.events import Tap
from bokeh.models import ColumnDataSource, LinearColorMapper, Range1d
from bokeh.plotting import figure

from sknn_scratch.core.parameters import FloatArray
from sknn_scratch.playground.page.colors import DIVERGING, N_SHADES, PALE, as_bytes, class_colors, shades
from sknn_scratch.playground.session import Part, Session

N_PIXELS = 72
N_STEPS = 6
"""Levels of a discretised output."""


class OutputPlot:
    """The prediction, the rows to train on, and the rows held out as diamonds.

    Parameters
    ----------
    on_point : callable
        ``on_point(x, y)`` is called when the plane is tapped.
    """

    def __init__(self, on_point: Callable[[float, float], None]) -> None:
        self.shows_test, self.is_discretised = False, False
        self.image, self.curve = ColumnDataSource(), ColumnDataSource({"x": [], "y": []})
        self.points, self.held_out = (ColumnDataSource({"x": [], "y": [], "color": []}) for _ in range(2))
        self.chosen = ColumnDataSource({"x": [], "y": []})
        self.mapper = LinearColorMapper(PALE, low=0, high=255)
        self.figure = figure(
            height=300,
            sizing_mode="stretch_width",
            x_range=Range1d(-1, 1),
            y_range=Range1d(-1, 1),
            tools="",
            toolbar_location=None,
            background_fill_color=None,
            border_fill_color=None,
            name="output",
        )
        self.figure.grid.visible = False
        for axis in self.figure.axis:
            axis.update(
                axis_line_color="#8a93a0",
                major_tick_line_color="#8a93a0",
                minor_tick_line_color=None,
                axis_label_text_color="#808890",
                major_label_text_color="#808890",
                axis_label_standoff=0,
            )
        self._image = self.figure.image(
            "image", x="x", y="y", dw="dw", dh="dh", source=self.image, color_mapper=self.mapper
        )
        self.figure.line("x", "y", source=self.curve, line_width=3, line_color="#808890")
        for source, marker in ((self.points, "circle"), (self.held_out, "diamond")):
            self.figure.scatter(
                "x", "y", size=7, marker=marker, fill_color="color", source=source,
                line_color="white" if marker == "circle" else "black", line_width=0.7,
            )  # fmt: skip
        self.figure.scatter(
            "x", "y", size=15, source=self.chosen, fill_color=None, line_color="black", line_width=2.5
        )
        self.figure.on_event(Tap, lambda event: on_point(event.x, event.y))

    def restructure(self, session: Session) -> None:
        """Show other data."""
        X, y = session.train.points, session.train.y
        self._is_curve = X.shape[1] == 1
        shown = np.column_stack([X, y]) if self._is_curve else X
        low, high = shown.min(axis=0), shown.max(axis=0)
        margin = 0.12 * (high - low) + 1e-3
        (x0, y0), (x1, y1) = self.low, self.high = low - margin, high + margin
        self.figure.x_range.update(start=x0, end=x1)
        self.figure.y_range.update(start=y0, end=y1)
        names = session.points.names if session.points and session.settings.dataset == "own" else ("x₁", "x₂")
        self.figure.xaxis.axis_label = names[0]
        self.figure.yaxis.axis_label = "target" if self._is_curve else names[1]
        n_classes = len(session.estimator.classes_) if session.has_classes else 0
        self.mapper.update(
            palette=shades(n_classes) if n_classes > 2 else PALE,
            high=n_classes * N_SHADES - 1 if n_classes > 2 else 255,
        )
        self._image.visible = not self._is_curve
        self.image.data = {
            "image": [np.full((2, 2), 127, np.uint8)], "x": [x0], "y": [y0], "dw": [x1 - x0], "dh": [y1 - y0],
        }  # fmt: skip
        self._scale = float(np.abs(y).max()) or 1.0
        self.points.data = self._dots(session, session.train)
        self.show_test(session)

    def show_test(self, session: Session) -> None:
        """Show the rows held out, or hide them."""
        shown = session.test if self.shows_test else None
        self.held_out.data = self._dots(session, shown) if shown else {"x": [], "y": [], "color": []}

    def grid(self, n_pixels: int, n_columns: int) -> FloatArray:
        """Points in even distances over the plane, row by row."""
        x, y = np.meshgrid(*(np.linspace(a, b, n_pixels) for a, b in zip(self.low, self.high, strict=True)))
        return np.column_stack([x.ravel(), y.ravel()])[:, :n_columns]

    def redraw(self, session: Session) -> None:
        """Show the output as it is now."""
        if self._is_curve:
            x = np.linspace(self.low[0], self.high[0], 200)
            p = session.activations(x[:, np.newaxis])[-1]
            y = p.argmax(axis=1) if session.has_classes and p.shape[1] > 1 else p[:, 0]
            self.curve.data = {"x": x, "y": y}
            return
        self.curve.data = {"x": [], "y": []}
        p = np.nan_to_num(session.activations(self.grid(N_PIXELS, 2))[-1])
        if session.has_classes and p.shape[1] > 1:
            certainty = (p.max(axis=1) - 1 / p.shape[1]) / (1 - 1 / p.shape[1])
            certainty = np.full_like(certainty, 0.6) if self.is_discretised else certainty
            shade = np.clip(certainty * (N_SHADES - 1), 0, N_SHADES - 1)
            pixels = (p.argmax(axis=1) * N_SHADES + shade).astype(np.uint8)
        else:
            values = 2 * p[:, 0] - 1 if session.has_classes else p[:, 0] / self._scale
            if self.is_discretised:
                values = (
                    np.sign(values) * 0.7 if session.has_classes else np.round(values * N_STEPS) / N_STEPS
                )
            pixels = as_bytes(values)
        self.image.data["image"] = [pixels.reshape(N_PIXELS, N_PIXELS)]

    def choose(self, session: Session, row: int) -> None:
        """Mark the row that is explained."""
        x, y = self._places(session.train)
        self.chosen.data = {"x": [x[row]], "y": [y[row]]}

    def nearest(self, session: Session, x: float, y: float) -> int:
        """The row to train on that is nearest to a place."""
        X, Y = self._places(session.train)
        width, height = self.high - self.low
        return int((((X - x) / width) ** 2 + ((Y - y) / height) ** 2).argmin())

    def _places(self, part: Part) -> tuple[FloatArray, FloatArray]:
        return part.points[:, 0], part.y if self._is_curve else part.points[:, 1]

    def _dots(self, session: Session, part: Part) -> dict:
        x, y = self._places(part)
        if session.has_classes:
            colors = np.array(class_colors(len(session.estimator.classes_)))
            color = colors[np.searchsorted(session.estimator.classes_, part.y)]
        else:
            color = np.array(DIVERGING)[as_bytes(part.y / self._scale)]
        return {"x": x, "y": y, "color": color.tolist()}
