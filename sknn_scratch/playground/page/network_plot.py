"""The network as a drawing: each unit a tile with what it computes over the plane, each weight a line."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from bokeh.events import Tap
from bokeh.models import ColumnDataSource, HoverTool, LinearColorMapper, Range1d
from bokeh.plotting import figure
from bokeh.transform import linear_cmap

from sknn_scratch.core.parameters import FloatArray
from sknn_scratch.playground.explanation import unit_name
from sknn_scratch.playground.page.colors import DIVERGING, as_bytes
from sknn_scratch.playground.session import Session

MAX_LAYERS_SHOWN, MAX_UNITS_SHOWN = 8, 8
N_PIXELS = 24
"""Of a tile, in either direction."""


class NetworkPlot:
    """Tiles and lines.

    Parameters
    ----------
    on_unit : callable
        ``on_unit(layer, unit)`` is called when a tile is tapped; layer 0 are the features.
    """

    def __init__(self, on_unit: Callable[[int, int], None]) -> None:
        self._on_unit = on_unit
        self.edges, self.tiles, self.notes = ColumnDataSource(), ColumnDataSource(), ColumnDataSource()
        self.figure = figure(
            height=330,
            sizing_mode="stretch_width",
            x_range=Range1d(-0.5, 1.5),
            y_range=Range1d(-4, 4),
            tools="tap",
            toolbar_location=None,
            min_border=0,
            outline_line_color=None,
            background_fill_color=None,
            border_fill_color=None,
            name="network",
        )
        self.figure.axis.visible = False
        self.figure.grid.visible = False
        lines = self.figure.multi_line(
            "xs",
            "ys",
            source=self.edges,
            line_color=linear_cmap("shade", DIVERGING, -1, 1),
            line_width="width",
            line_alpha=0.85,
        )
        squares = self.figure.scatter(
            "x", "y", size=36, marker="square", source=self.tiles, fill_color="white", line_color="line"
        )
        images = self.figure.image(
            image="image",
            x="x",
            y="y",
            dw=34,
            dh=34,
            anchor="center",
            source=self.tiles,
            color_mapper=LinearColorMapper(DIVERGING, low=0, high=255),
        )
        images.glyph.update(dw_units="screen", dh_units="screen")
        for renderer in (lines, squares, images):
            renderer.nonselection_glyph = renderer.selection_glyph = None
        self.figure.text(
            "x", "y", "text", source=self.notes, y_offset="y_offset", text_align="center",
            text_font_size="11px", text_color="#808890",
        )  # fmt: skip
        self.figure.add_tools(
            HoverTool(renderers=[lines], tooltips="@name: @weight{0.0000}", line_policy="interp"),
            HoverTool(renderers=[squares], tooltips="@name, bias @bias"),
        )
        self.figure.on_event(Tap, self._tapped)

    def restructure(self, session: Session) -> None:
        """Draw the tiles and lines of another network."""
        sizes = [len(session.dense[0]["weights"]), *(len(layer["weights"][0]) for layer in session.dense)]
        hidden = list(range(1, len(sizes) - 1))
        self.shown_layers = [0, *hidden[:MAX_LAYERS_SHOWN], len(sizes) - 1]
        self.shown_units = [min(sizes[layer], MAX_UNITS_SHOWN) for layer in self.shown_layers]
        places = [
            (x, (n - 1) / 2 - unit, layer, unit)
            for x, (layer, n) in enumerate(zip(self.shown_layers, self.shown_units, strict=True))
            for unit in range(n)
        ]
        x, y, layers, units = (list(column) for column in zip(*places, strict=True))
        self.tiles.data = {
            "x": x,
            "y": y,
            "layer": layers,
            "unit": units,
            "name": [unit_name(session, layer, unit) for layer, unit in zip(layers, units, strict=True)],
            "line": ["#8a93a0"] * len(x),
            "bias": [""] * len(x),
            "image": [np.full((2, 2), 127, np.uint8)] * len(x),
        }
        bend = np.linspace(0, 1, 9)
        curve = bend**2 * (3 - 2 * bend)
        edges: dict[str, list] = {name: [] for name in ("xs", "ys", "name", "weight", "shade", "width")}
        for at in self._joined():
            n_from, n_to = self.shown_units[at : at + 2]
            for i in range(n_from):
                for j in range(n_to):
                    start, stop = (n_from - 1) / 2 - i, (n_to - 1) / 2 - j
                    edges["xs"].append(at + bend)
                    edges["ys"].append(start + (stop - start) * curve)
                    names = [unit_name(session, self.shown_layers[at + k], u) for k, u in enumerate((i, j))]
                    edges["name"].append(" → ".join(names))
        n_edges = len(edges["xs"])
        self.edges.data = {**edges, **{name: [0.0] * n_edges for name in ("weight", "shade", "width")}}
        n_columns, most = len(self.shown_layers), max(self.shown_units)
        self.figure.x_range.update(start=-0.5, end=n_columns - 0.5)
        half = max(most, 4) / 2 + 0.15
        self.figure.y_range.update(start=-half, end=half)
        notes: list[tuple[float, float, str, int]] = [
            (x, -(n - 1) / 2, f"+ {sizes[layer] - n} more", 38)
            for x, (layer, n) in enumerate(zip(self.shown_layers, self.shown_units, strict=True))
            if sizes[layer] > n
        ]
        if len(hidden) > MAX_LAYERS_SHOWN:
            notes.append((n_columns - 1.5, 0, f"+ {len(hidden) - MAX_LAYERS_SHOWN} layers", 0))
        self.notes.data = {
            name: [note[i] for note in notes] for i, name in enumerate(("x", "y", "text", "y_offset"))
        }

    def redraw(self, session: Session, maps: list[FloatArray]) -> None:
        """Show the values as they are now.

        Parameters
        ----------
        session : Session
            The network in training.
        maps : list of ndarray of shape (N_PIXELS ** 2, n_units)
            What each layer computes over the plane.
        """
        images, biases = [], []
        for layer, n in zip(self.shown_layers, self.shown_units, strict=True):
            values = maps[layer][:, :n].T
            if layer == len(maps) - 1 and session.has_classes and values.shape[0] == 1:
                values = 2 * values - 1
            largest = np.abs(np.nan_to_num(values)).max(axis=1, keepdims=True)
            pixels = as_bytes(values / np.where(largest > 0, largest, 1))
            images += list(pixels.reshape(n, N_PIXELS, N_PIXELS))
            bias = session.dense[layer - 1].get("bias") if layer else None
            biases += ["none"] * n if bias is None else [f"{b:.4f}" for b in bias[:n]]
        self.tiles.data.update({"image": images, "bias": biases})
        weights = [
            session.dense[self.shown_layers[at + 1] - 1]["weights"][
                : self.shown_units[at], : self.shown_units[at + 1]
            ].ravel()
            for at in self._joined()
        ]
        weight = np.nan_to_num(np.concatenate(weights) if weights else np.empty(0))
        shade = weight / max(1.0, np.abs(weight).max(initial=0.0))
        self.edges.data.update(
            {
                "weight": weight,
                "shade": np.sign(shade) * np.sqrt(np.abs(shade)),
                "width": 0.5 + 5 * np.abs(shade),
            }
        )

    def select(self, layer: int, unit: int) -> None:
        """Mark the unit that is explained."""
        pairs = zip(self.tiles.data["layer"], self.tiles.data["unit"], strict=True)
        lines = ["#111111" if pair == (layer, unit) else "#8a93a0" for pair in pairs]
        self.tiles.data["line"] = lines

    def _joined(self) -> list[int]:
        """Columns of the drawing that are followed by the next layer of the network."""
        return [at for at, (a, b) in enumerate(pairwise(self.shown_layers)) if b == a + 1]

    def _tapped(self, event: Tap) -> None:
        distance = np.hypot(
            3 * (np.array(self.tiles.data["x"]) - event.x), np.array(self.tiles.data["y"]) - event.y
        )
        nearest = int(distance.argmin())
        if distance[nearest] < 0.9:
            self._on_unit(self.tiles.data["layer"][nearest], self.tiles.data["unit"][nearest])
