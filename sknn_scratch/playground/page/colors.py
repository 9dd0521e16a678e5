"""Colours of numbers and of classes, those of the plots, which the colour-blind can tell apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.parameters import FloatArray
from sknn_scratch.plotting._style import BLUE, CYCLE, VERMILLION

N_SHADES = 32
STRONGEST = 0.62
"""Share of the colour where the output is certain: the points, in the full colour, stand out."""


def _mixed(color: str, share: float) -> str:
    """A colour over white."""
    parts = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 + share * (part - 255)):02x}" for part in parts)


def _diverging(strongest: float) -> list[str]:
    return [_mixed(VERMILLION if t < 0 else BLUE, strongest * abs(t)) for t in np.linspace(-1, 1, 256)]


DIVERGING, PALE = _diverging(1.0), _diverging(STRONGEST)
"""From -1, vermillion, over white to 1, blue."""


def class_colors(n_classes: int) -> list[str]:
    """A colour for each class; the two of a pair are the ends of `DIVERGING`."""
    return [VERMILLION, BLUE] if n_classes == 2 else CYCLE[:n_classes]


def shades(n_classes: int) -> list[str]:
    """`N_SHADES` of each class, from undecided to certain."""
    return [
        _mixed(color, share)
        for color in class_colors(n_classes)
        for share in np.linspace(0.05, STRONGEST, N_SHADES)
    ]


def as_bytes(values: FloatArray) -> npt.NDArray[np.uint8]:
    """Numbers from -1 to 1 as positions in `DIVERGING`; what is not finite is 0."""
    return (127.5 + 127.5 * np.clip(np.nan_to_num(values), -1, 1)).astype(np.uint8)
