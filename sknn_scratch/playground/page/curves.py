"""Losses, scores and gradient norms as they have been so far."""

from __future__ import annotations

from bokeh.models import ColumnDataSource
from bokeh.palettes import Viridis256, linear_palette
from bokeh.plotting import figure

from sknn_scratch.playground.session import Measurement
from sknn_scratch.plotting._style import BLUE, VERMILLION

MAX_POINTS = 2000
N_LAYERS = 9
_SEQUENCE = linear_palette(Viridis256[60:235], N_LAYERS)
"""Of layers, from the data to the output: the part of viridis that is seen on white and on black."""


class Curves:
    """Three plots on one source."""

    def __init__(self) -> None:
        self.source = ColumnDataSource()
        self.loss, self.score, self.gradients = (
            _plot(title) for title in ("loss", "accuracy", "gradient norm")
        )
        for plot, kind in ((self.loss, "loss"), (self.score, "score")):
            for part, color, dash in (("train", BLUE, "solid"), ("test", VERMILLION, "dashed")):
                label = {"legend_label": part} if kind == "loss" else {}
                plot.line(
                    "epoch",
                    f"{part}_{kind}",
                    source=self.source,
                    color=color,
                    line_dash=dash,
                    width=2,
                    **label,
                )
        self.loss.legend[0].update(
            background_fill_alpha=0,
            border_line_alpha=0,
            label_text_color="#808890",
            label_text_font_size="11px",
            padding=0,
            spacing=0,
        )
        self._lines = [
            self.gradients.line("epoch", f"gradient_{i}", source=self.source, width=2, color=_SEQUENCE[i])
            for i in range(N_LAYERS)
        ]
        self.begin(0, has_classes=True)

    def begin(self, n_layers: int, has_classes: bool) -> None:
        """Empty plots for another training."""
        names = ["epoch", "train_loss", "test_loss", "train_score", "test_score"]
        self.source.data = {name: [] for name in [*names, *(f"gradient_{i}" for i in range(N_LAYERS))]}
        self.score.title.text = "accuracy" if has_classes else "R²"
        n_shown = min(n_layers, N_LAYERS)
        self.gradients.title.text = "gradient norm: data (blue) to output"
        for i, line in enumerate(self._lines):
            line.visible = i < n_shown
            if line.visible:
                line.glyph.line_color = _SEQUENCE[i * (N_LAYERS - 1) // max(1, n_shown - 1)]

    def add(self, measured: Measurement) -> None:
        """One more point; the oldest goes when there are too many."""
        norms = [*measured.gradient_norms[:N_LAYERS], *[float("nan")] * N_LAYERS][:N_LAYERS]
        point = {
            "epoch": measured.epoch,
            "train_loss": measured.train_loss,
            "test_loss": measured.test_loss,
            "train_score": measured.train_score,
            "test_score": measured.test_score,
            **{f"gradient_{i}": norm or float("nan") for i, norm in enumerate(norms)},
        }
        self.source.stream({name: [value] for name, value in point.items()}, rollover=MAX_POINTS)


def _plot(title: str) -> figure:
    plot = figure(
        title=title,
        height=150,
        sizing_mode="stretch_width",
        tools="",
        toolbar_location=None,
        background_fill_color=None,
        border_fill_color=None,
        outline_line_color="#8a93a044",
        y_axis_type="log" if title.startswith("gradient") else "auto",
        min_border=4,
        name=title.replace(" ", "_"),
    )
    plot.title.update(text_color="#808890", text_font_size="12px", text_font_style="normal")
    for axis in plot.axis:
        axis.update(
            axis_line_color="#8a93a0",
            major_tick_line_color="#8a93a0",
            minor_tick_line_color=None,
            major_label_text_color="#808890",
            major_label_text_font_size="10px",
        )
        axis.ticker.desired_num_ticks = 4
    plot.grid.grid_line_color = "#8a93a033"
    return plot
