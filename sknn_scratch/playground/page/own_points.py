"""Points of the user's own: clicked, uploaded, downloaded."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable

import numpy as np
from bokeh.layouts import column
from bokeh.models import CheckboxGroup, FileInput, NumericInput

from sknn_scratch.playground.page.controls import SHEET, button
from sknn_scratch.playground.points import Points
from sknn_scratch.playground.session import Session


class OwnPoints:
    """The widgets with which points are added, uploaded and saved.

    Parameters
    ----------
    upload : callable
        Learns from the bytes of a CSV file.
    save : callable
        Saves the points.
    """

    def __init__(self, upload: Callable[[bytes], None], save: Callable[[], None]) -> None:
        wide = {"stylesheets": [SHEET], "sizing_mode": "stretch_width"}
        self.adds = CheckboxGroup(labels=["add points by clicking"], stylesheets=[SHEET])
        self.target = NumericInput(title="target of the points added", low=-10, high=10, value=0, **wide)
        self.file = FileInput(accept=".csv", title="CSV of two or three columns", **wide)
        self.file.on_change("value", lambda _attr, _old, new: upload(b64decode(new)))
        self.root = column(
            self.adds,
            self.target,
            self.file,
            button("download points", save, width=140),
            name="own",
            sizing_mode="stretch_width",
        )

    def with_click(self, session: Session, x: float, y: float) -> Points:
        """The points that are learnt from, and one more; generated ones become the user's own."""
        points = session.points
        if session.settings.dataset != "own" or points is None:
            parts = [part for part in (session.train, session.test) if part is not None]
            X, targets = (
                np.concatenate(arrays) for arrays in zip(*(part[:2] for part in parts), strict=True)
            )
            points = Points(X, targets, session.has_classes)
        return points.with_point((x, y), self.target.value or 0)
