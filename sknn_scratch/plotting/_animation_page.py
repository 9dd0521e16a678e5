"""The web page of a recording: matplotlib's player in one small file, usable by phone and keyboard."""

from __future__ import annotations

import base64
import html
import io
import re


def finished(player: str, title: str) -> str:
    """A page of its own around matplotlib's player.

    Parameters
    ----------
    player : str
        What matplotlib's ``HTMLWriter`` has written.
    title : str
        The title of the page.

    Returns
    -------
    str
        The page.
    """
    # matplotlib's player takes the symbols on its buttons from a server; characters need none
    player = re.sub(r"<link rel=.stylesheet.[^>]*>", "", player)
    player = re.sub(r"(?<=data:image/png;base64,)[^\"]*", _with_few_colors, player)
    name = re.search(r"(anim[0-9a-f]+) = new Animation", player)
    assert name is not None
    head = f"{_HEAD}<title>{html.escape(title)}</title>\n{_STYLE}</head>\n"
    return f"{head}<body>\n{player}\n{_KEYS.replace('PLAYER', name[1])}</body>\n</html>\n"


def _with_few_colors(png: re.Match[str]) -> str:
    """The same picture with 128 colours, which takes less than half of the bytes."""
    from PIL import Image

    small = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(png[0].replace("\\\n", "")))) as image:
        few = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
        few.save(small, format="PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode("ascii")


_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
"""
_STYLE = r"""<style>
body { margin: 0.5rem; text-align: center; font-family: sans-serif; }
.animation, .animation img, input[type=range].anim-slider { max-width: 100%; }
.animation img { height: auto; }
.anim-buttons button { min-width: 2.2rem; min-height: 2.2rem; }
.fa { font-style: normal; }
.fa-minus::before { content: "\2212"; } .fa-plus::before { content: "+"; }
.fa-fast-backward::before { content: "\00ab"; } .fa-fast-forward::before { content: "\00bb"; }
.fa-step-backward::before { content: "\2039"; } .fa-step-forward::before { content: "\203a"; }
.fa-play::before { content: "\25b6"; } .fa-pause::before { content: "\2016"; }
.fa-flip-horizontal { display: inline-block; transform: scaleX(-1); }
</style>
"""
_KEYS = """<script>
  // space plays and pauses; a button that was clicked gives the keyboard back
  document.addEventListener("keydown", function(event) {
    if (event.code !== "Space" || event.target.closest("button, form")) return;
    event.preventDefault();
    if (PLAYER.timer) PLAYER.pause_animation(); else PLAYER.play_animation();
  });
  document.addEventListener("click", function(event) {
    var button = event.detail > 0 && event.target.closest("button");
    if (button) button.blur();
  });
</script>
"""
