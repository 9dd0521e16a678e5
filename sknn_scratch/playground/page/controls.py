"""What can be set: one widget for each setting, and the buttons at the layers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from bokeh.layouts import column, row
from bokeh.models import (
    Button,
    CheckboxButtonGroup,
    Column,
    NumericInput,
    Row,
    Select,
    Slider,
    Spacer,
    TextInput,
)

from sknn_scratch.core import ACTIVATIONS
from sknn_scratch.playground.data import DATASETS
from sknn_scratch.playground.features import FEATURES
from sknn_scratch.playground.page.network_plot import MAX_LAYERS_SHOWN, MAX_UNITS_SHOWN
from sknn_scratch.playground.session import Session
from sknn_scratch.playground.settings import CHOICES, OWN, losses

Change = Callable[..., None]
"""``change(name=value)`` changes a setting."""

SHEET = """
:host { color: var(--ink); --bokeh-font-size: 13px; }
label, .bk-input-group, .bk-slider-title { color: var(--ink); font-size: 12px; }
.bk-input { background-color: var(--field); color: var(--ink); border-color: var(--line); min-height: 28px;
  padding: 2px 6px; font-size: 13px; }
.bk-btn { background-color: var(--field) !important; color: var(--ink) !important; border-color: var(--line);
  padding: 4px 8px; font-size: 13px; }
.bk-btn:hover { border-color: var(--accent); }
.bk-btn:focus-visible, .bk-input:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.bk-btn.bk-active, .bk-btn.bk-btn-primary { background-color: var(--accent) !important;
  color: var(--on-accent) !important; }
.noUi-target { background: var(--line); border: none; box-shadow: none; }
.noUi-connect { background: var(--accent); }
pre { white-space: pre-wrap; font-size: 12px; }
th, td { padding: 1px 10px 1px 0; text-align: right; } p { margin: 4px 0; }
.bk-btn-group { flex-wrap: wrap; gap: 3px; }
.bk-input:disabled { background-color: var(--paper); opacity: 0.6; }
input::file-selector-button { background: var(--field); color: var(--ink); border: 1px solid var(--line); }
"""
"""Of all widgets: the colours are those of the page, light or dark."""


def _sign_sheet(sign: str) -> str:
    """Shows a sign in place of a button's words, which screen readers still read."""
    return (
        ".bk-btn { font-size: 0; padding: 2px 0; min-width: 26px; }"
        f".bk-btn::before {{ content: '{sign}' / ''; font-size: 15px; }}"
    )


HIDDEN_LABEL = "label { position: absolute; clip-path: inset(50%); }"
"""For screen readers only: what it names is plain to see."""

PLUS, MINUS = _sign_sheet("+"), _sign_sheet("−")


def button(label: str, on_click: Callable[[], None], **options: Any) -> Button:
    """A button."""
    sheets = [SHEET, *options.pop("sheets", [])]
    made = Button(label=label, stylesheets=sheets, **options)
    made.on_click(on_click)
    return made


class Controls:
    """Widgets of the settings, kept as the session is.

    Parameters
    ----------
    change : callable
        Changes a setting.
    """

    def __init__(self, change: Change) -> None:
        self._change, self._is_showing = change, False
        wide = {"sizing_mode": "stretch_width", "stylesheets": [SHEET]}
        names = [(name, dataset.title) for name, dataset in DATASETS.items()]
        self.widgets: dict[str, Any] = {
            "dataset": Select(title="data set", options=[*names, (OWN, "points of your own")], **wide),
            "noise": Slider(title="noise", start=0, end=0.5, step=0.01, value=0, **wide),
            "n_rows": Slider(title="number of rows", start=20, end=1000, step=10, value=20, **wide),
            "test_size": Slider(title="share held out", start=0, end=0.9, step=0.05, value=0, **wide),
            "n_classes": Slider(title="classes of blobs", start=2, end=4, step=1, value=2, **wide),
            "random_state": NumericInput(title="seed", low=0, high=2**32 - 1, mode="int", **wide),
            "loss": Select(title="loss", **wide),
            "solver": Select(title="solver", options=list(CHOICES["solver"]), **wide),
            "learning_rate_init": NumericInput(title="learning rate", mode="float", **wide),
            "learning_rate": Select(title="schedule", options=list(CHOICES["learning_rate"]), **wide),
            "momentum": NumericInput(title="momentum of sgd", mode="float", **wide),
            "batch_size": NumericInput(title="batch size", mode="int", **wide),
            "alpha": NumericInput(title="L2 penalty", mode="float", **wide),
            "dropout": NumericInput(title="dropout", mode="float", **wide),
            "weight_init": Select(title="first weights", options=list(CHOICES["weight_init"]), **wide),
            "max_iter": NumericInput(title="epochs at most", mode="int", **wide),
        }
        for name, widget in self.widgets.items():
            event = "value_throttled" if isinstance(widget, Slider) else "value"
            widget.on_change(event, self._changes(name))
        self.features = CheckboxButtonGroup(
            labels=[feature.title for feature in FEATURES.values()], stylesheets=[SHEET], name="features"
        )
        self.features.on_change("active", lambda _attr, _old, new: self._features_changed(new))
        self.sizes = TextInput(title="units of the hidden layers", **wide)
        self.sizes.on_change("value", lambda _attr, _old, new: self._sizes_changed(new))
        self.layers = Row(sizing_mode="stretch_width", name="layers", spacing=0)
        data = ("dataset", "noise", "n_rows", "test_size", "n_classes", "random_state")
        self.data = column(
            *(self.widgets[name] for name in data),
            self.sizes,
            self.widgets["weight_init"],
            sizing_mode="stretch_width",
            name="data",
        )
        self.training = row(
            *(self.widgets[name] for name in self.widgets if name not in (*data, "weight_init")),
            sizing_mode="stretch_width",
            name="training",
            styles={"flex-wrap": "wrap"},
            stylesheets=[":host { gap: 4px } :host > * { min-width: 96px; flex: 1 1 96px }"],
        )

    def show(self, session: Session) -> None:
        """Set all widgets to the settings of the session."""
        self._is_showing = True  # what is set here is no wish of the user
        settings = session.settings
        self.widgets["loss"].options = list(losses(session.has_classes))
        for name, widget in self.widgets.items():
            widget.value = getattr(settings, name)
        arguments = () if settings.dataset == OWN else DATASETS[settings.dataset].arguments
        for name in ("noise", "n_rows", "n_classes"):
            self.widgets[name].disabled = name not in arguments
        self.widgets["momentum"].disabled = settings.solver != "sgd"
        self.features.active = [i for i, name in enumerate(FEATURES) if name in settings.features]
        self.sizes.value = ", ".join(map(str, settings.hidden_layer_sizes))
        self.layers.children = self._columns(session)
        self._is_showing = False

    def _changes(self, name: str) -> Callable[[str, Any, Any], None]:
        def changed(_attr: str, _old: Any, new: Any) -> None:
            if not self._is_showing and new is not None:
                self._change(**{name: new})

        return changed

    def _features_changed(self, active: list[int]) -> None:
        if not self._is_showing:
            self._change(features=tuple(name for i, name in enumerate(FEATURES) if i in active))

    def _sizes_changed(self, text: str) -> None:
        if self._is_showing:
            return
        try:
            sizes = tuple(int(part) for part in text.split(",") if part.strip())
        except ValueError:
            sizes = (0,)  # refused in the words of the settings
        self._change(hidden_layer_sizes=sizes)

    def _columns(self, session: Session) -> list[Column]:
        """Above each column of the drawing, what can be done with that layer."""
        settings = session.settings
        sizes, activation = settings.hidden_layer_sizes, settings.activation
        ends = {"sizing_mode": "stretch_width"}
        columns = [
            column(
                button(
                    "add a layer",
                    lambda: self._change(hidden_layer_sizes=(*sizes, sizes[-1] if sizes else 4)),
                    sheets=[PLUS],
                    disabled=len(sizes) >= MAX_LAYERS_SHOWN,
                ),
                button(
                    "remove a layer",
                    lambda: self._change(hidden_layer_sizes=sizes[:-1]),
                    sheets=[MINUS],
                    disabled=not sizes,
                ),
                styles={"align-items": "center"},
                **ends,
            )
        ]
        for i in range(min(len(sizes), MAX_LAYERS_SHOWN)):

            def resize(by: int, i: int = i) -> None:
                self._change(hidden_layer_sizes=(*sizes[:i], sizes[i] + by, *sizes[i + 1 :]))

            def use(_attr: str, _old: str, new: str, i: int = i) -> None:
                if not self._is_showing:
                    self._change(activation=(*activation[:i], new, *activation[i + 1 :]))

            select = Select(
                title=f"activation of layer {i + 1}",
                value=activation[i],
                options=list(ACTIVATIONS),
                stylesheets=[SHEET, HIDDEN_LABEL],
                sizing_mode="stretch_width",
                min_width=10,
            )
            select.on_change("value", use)
            signs = row(
                button(
                    f"remove a unit of layer {i + 1}",
                    partial(resize, -1),
                    sheets=[MINUS],
                    disabled=sizes[i] == 1,
                ),
                button(
                    f"add a unit to layer {i + 1}",
                    partial(resize, 1),
                    sheets=[PLUS],
                    disabled=sizes[i] >= MAX_UNITS_SHOWN,
                ),
                styles={"justify-content": "center"},
                spacing=2,
                **ends,
            )
            columns.append(column(select, signs, styles={"align-items": "center"}, **ends))
        columns.append(column(Spacer(), **ends))
        return columns
