"""How all sections measure: in one process, the sides alternating, medians of several repeats."""

import statistics
import time
import tracemalloc
from dataclasses import dataclass

PAUSE = 0.05
"""Seconds between two runs: idle threads of OpenBLAS and OpenMP spin for a while, on the next one's cores."""


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    peers: tuple[str, ...] = ("sklearn",)
    repeats: int = 5
    quick: bool = False


def alternate(runs, repeats, pause=PAUSE):
    """Call each of some functions in turn, `repeats` times over; their results by name."""
    results = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            if pause:
                time.sleep(pause)
            results[name].append(run())
    return results


def seconds(function, *arguments):
    """The time that one call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def versus(theirs, ours):
    """How many times ours is faster: the ratio of the medians, and the range of the repeats' own ratios."""
    ratios = [a / b for a, b in zip(theirs, ours, strict=True)]
    return {
        "theirs": statistics.median(theirs),
        "ours": statistics.median(ours),
        "ratio": statistics.median(theirs) / statistics.median(ours),
        "ratio_range": [min(ratios), max(ratios)],
    }


def mean_ratio(ratios):
    """The geometric mean; not a number where noise was larger than what was to be measured."""
    return statistics.geometric_mean(ratios) if min(ratios) > 0 else float("nan")


def spread(values):
    """Median and range."""
    return {"median": statistics.median(values), "range": [min(values), max(values)]}


def show_ratio(label, row, unit):
    """Print a line with what `versus` gave."""
    low, high = row["ratio_range"]
    print(
        f"{label:>40} | theirs {row['theirs']:10.3f} {unit} | ours {row['ours']:10.3f} {unit} "
        f"| {row['ratio']:6.2f} ({low:.2f}-{high:.2f})",
        flush=True,
    )


def peak_bytes(function, *arguments):
    """The most memory that Python and NumPy hold during a call, above what they held before it.

    Tracing slows Python code down: never time such a call.
    """
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        function(*arguments)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
