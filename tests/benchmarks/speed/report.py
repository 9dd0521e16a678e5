"""docs/performance.md and its picture, from the JSON of a whole run.

    python -m tests.benchmarks.speed.report FILE.json [--output docs/performance.md]

Needs matplotlib for the picture. The sentences on where lines bend, and why, are in report_tables.py.
"""

import argparse
import json
import pathlib

from . import report_tables
from .growth_picture import draw_growth
from .machine import sentence
from .measuring import mean_ratio
from .speed_picture import draw_speed
from .targets import NAMES, verdicts

DOCS = pathlib.Path(__file__).parents[3] / "docs"

HOW = """\
## How it was measured

`report.py` in `tests/benchmarks/speed/` made this page from one run of `run.py`. All sides ran in one
process, alternating, on the same data in the same precision. A figure is the median of {repeats} repeats,
or of fewer where one takes many seconds. A ratio says how many times faster this library is. Behind it stand
the least and the greatest ratio of single repeats. Where epochs are compared, what a fit costs once is not
counted.

Machine: {machine}. Measured on {date}."""

REPEAT = """\
## How to repeat it

```
python -m pip install torch --index-url https://download.pytorch.org/whl/cpu
python -m pip install ".[bench,fast]"               # jax, skorch, matplotlib; numba
python -m tests.benchmarks.speed.run --json docs/performance.json
python -m tests.benchmarks.speed.report docs/performance.json
```

A peer that is not installed is left out. `--quick` shows in a few minutes that everything works, `--only fit
--peers sklearn` runs a part. Let the machine do nothing else meanwhile."""


def summary(figures):
    rows = [(v.what, v.target, v.measured, "yes" if v.met else "**no**") for v in verdicts(figures)]
    return "## Targets\n\n" + report_tables.table(["", "target", "measured", "met"], rows)


def gains(figures):
    """What a reader gains, in a sentence for each peer, and the picture."""
    rows, sentences = figures.get("fit", []), []
    for peer, dtype in dict.fromkeys((row["peer"], row["dtype"]) for row in rows):
        ratios = [row["ratio"] for row in rows if (row["peer"], row["dtype"]) == (peer, dtype)]
        sentences.append(
            (NAMES[peer], dtype, f"{min(ratios):.1f} - {max(ratios):.1f}", f"**{mean_ratio(ratios):.1f}**")
        )
    return (
        report_tables.GAINS
        + "\n\n"
        + report_tables.table(
            ["an epoch of Adam beside", "data", "times faster", "geometric mean"], sentences
        )
    )


SECTIONS = {
    "fit": report_tables.of_fit,
    "variants": report_tables.of_variants,
    "compilation": report_tables.of_compilation,
    "limit": report_tables.of_limit,
    "prediction": report_tables.of_prediction,
    "search": report_tables.of_search,
}


def page(figures, picture):
    """The whole page."""
    how = HOW.format(repeats=figures["repeats"], machine=sentence(figures["machine"]), date=figures["date"])
    parts = ["# Performance"]
    if figures["quick"]:
        parts.append("**From a quick run on small data: the figures mean little.**")
    parts += [gains(figures), report_tables.LIMITS, how]
    parts += [write(figures[name]) for name, write in SECTIONS.items() if name in figures]
    if "growth" in figures:
        parts.append(report_tables.of_growth(figures["growth"], picture))
    return "\n\n".join(part for part in [*parts, summary(figures), REPEAT] if part) + "\n"


def main():
    """Write the page, and the picture beside it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path, default=DOCS / "performance.md")
    arguments = parser.parse_args()
    figures = json.loads(arguments.file.read_text("utf-8"))
    picture = pathlib.Path("images") / "growth.png"
    (arguments.output.parent / picture).parent.mkdir(parents=True, exist_ok=True)
    if {"sklearn", "numpy"} <= {row["peer"] for row in figures.get("fit", [])}:
        draw_speed(figures["fit"], arguments.output.parent / picture.with_name("speed.png"))
    if "growth" in figures:
        draw_growth(figures["growth"], arguments.output.parent / picture)
    arguments.output.write_text(page(figures, picture.as_posix()), "utf-8")


if __name__ == "__main__":
    main()
