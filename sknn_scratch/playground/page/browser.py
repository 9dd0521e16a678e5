"""What passes between server and browser besides widgets: frames, files, the address."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable

from bokeh.models import CustomJS, Model, NumericInput, TextInput

_ACKNOWLEDGE = "setTimeout(() => { seen.value = cb_obj.value }, 0)"
_DOWNLOAD = """
if (!cb_obj.value) return
const {name, data} = JSON.parse(cb_obj.value)
const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0))
const href = URL.createObjectURL(new Blob([bytes]))
Object.assign(document.createElement("a"), {download: name, href}).click()
"""
_ADDRESS = "history.replaceState(null, '', location.pathname + '?' + cb_obj.value)"


class Browser:
    """The browser of one tab, by hidden widgets whose values it watches.

    Parameters
    ----------
    on_drawn : callable
        Called when the browser has drawn what was sent.
    """

    def __init__(self, on_drawn: Callable[[], None]) -> None:
        self._sent, self._seen = (NumericInput(value=0, visible=False, name=n) for n in ("sent", "seen"))
        self._sent.js_on_change("value", CustomJS(args={"seen": self._seen}, code=_ACKNOWLEDGE))
        self._seen.on_change("value", lambda _attr, _old, _new: on_drawn())
        self._download, self._address = (TextInput(visible=False, name=n) for n in ("download", "address"))
        self._download.js_on_change("value", CustomJS(code=_DOWNLOAD))
        self._address.js_on_change("value", CustomJS(code=_ADDRESS))

    @property
    def roots(self) -> list[Model]:
        """What belongs in the document."""
        return [self._sent, self._seen, self._download, self._address]

    @property
    def is_drawing(self) -> bool:
        """Whether it has not yet drawn what was sent last."""
        return self._seen.value < self._sent.value

    @property
    def n_frames(self) -> int:
        """Frames sent so far."""
        return self._sent.value

    def count_frame(self) -> None:
        """Ask for a sign when what was sent is drawn."""
        self._sent.value += 1

    def download(self, name: str, content: bytes) -> None:
        """Save a file where the browser saves files."""
        self._download.value = ""  # the same file twice is a change too
        self._download.value = json.dumps({"name": name, "data": b64encode(content).decode()})

    def show_address(self, query: str) -> None:
        """Put a query into the address of the page."""
        self._address.value = query
