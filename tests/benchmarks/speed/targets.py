"""What the library wants to reach, and whether a run reached it."""

import operator
from typing import NamedTuple

import numpy as np

from .measuring import mean_ratio

# (peer, dtype): the least ratio of any workload, the geometric mean of all
FIT = {
    ("sklearn", "float64"): (1.7, 6.0),
    ("sklearn", "float32"): (2.3, 8.5),
    ("numpy", "float64"): (1.0, None),
    ("numpy", "float32"): (1.0, None),
    ("torch", "float32"): (1.2, 6.0),
    ("skorch", "float32"): (None, 12.0),
    ("jax", "float32"): (1.0, None),
}
JAX_ONLINE = 0.8
"""Of a batch of one, for which a loop in machine code can hardly be beaten."""
VARIANT = {"sklearn": 2.0, "numpy": 1.0}
DROPOUT = 1.3
COMPILATION = {"tiny": 3.0, "digits": 3.0, "online": 3.0, "tabular": 1.1, "image": 1.1}
LIMIT = 0.8
ONE_ROW = 20.0
MANY_ROWS = 1.5
MANY_CALLERS = 1.6
SEARCH = 3.0
MEMORY = 2.0
LARGE = 10e6
"""Bytes that a fit needs, above which Python's own objects and twelve bytes a row hardly count."""

NAMES = {
    "numpy": "this library without numba",
    "sklearn": "scikit-learn",
    "torch": "PyTorch",
    "skorch": "skorch",
    "jax": "JAX",
}


class Verdict(NamedTuple):
    """A target, what was measured, and whether that is enough."""

    what: str
    target: str
    measured: str
    met: bool


def at_least(what, target, value, places=2, unit=""):
    return Verdict(what, f"≥ {target:g}{unit}", f"{value:.{places}f}{unit}", value >= target)


def at_most(what, target, value, places=1, unit=""):
    return Verdict(what, f"≤ {target:g}{unit}", f"{value:.{places}f}{unit}", value <= target)


def least(rows, label):
    """The smallest ratio of some rows, and where it is."""
    row = min(rows, key=operator.itemgetter("ratio"))
    return row["ratio"], row[label]


def of_fit(rows):
    verdicts = []
    for (peer, dtype), (lowest, mean) in FIT.items():
        of_peer = [row for row in rows if (row["peer"], row["dtype"]) == (peer, dtype)]
        # a compiled loop has no overhead a step; a batch of one is all overhead
        counted = [row for row in of_peer if (peer, row["workload"]) != ("jax", "online")]
        what = f"fit, {NAMES[peer]}, {dtype}"
        if counted and lowest is not None:
            ratio, where = least(counted, "workload")
            without = " without online" if peer == "jax" else ""
            verdicts.append(at_least(f"{what}: least{without} ({where})", lowest, ratio))
        if counted and mean is not None:
            ratio = mean_ratio([row["ratio"] for row in of_peer])
            verdicts.append(at_least(f"{what}: geometric mean", mean, ratio))
        for row in of_peer:
            if row not in counted:
                verdicts.append(at_least(f"{what}: online", JAX_ONLINE, row["ratio"]))
    return verdicts


def of_variants(rows):
    verdicts = []
    for peer, dtype in dict.fromkeys((row["peer"], row["dtype"]) for row in rows):
        of_peer = [row for row in rows if (row["peer"], row["dtype"]) == (peer, dtype)]
        counted = [row for row in of_peer if row["variant"] != "dropout"]
        what = f"other settings, {NAMES[peer]}, {dtype}"
        if counted:
            ratio, where = least(counted, "variant")
            verdicts.append(at_least(f"{what}: least ({where})", VARIANT[peer], ratio))
        for row in of_peer:
            if row["variant"] == "dropout":
                verdicts.append(at_least(f"{what}: dropout", DROPOUT, row["ratio"]))
    return verdicts


def of_compilation(rows):
    return [
        at_least(
            f"20 epochs, JAX with compilation: {row['workload']}", COMPILATION[row["workload"]], row["ratio"]
        )
        for row in rows
    ]


def of_limit(rows):
    return [
        at_least(
            f"share of the matrix products, {row['workload']}, {row['dtype']}",
            100 * LIMIT,
            100 * row["share"],
            places=0,
            unit=" %",
        )
        for row in rows
    ]


def of_prediction(figures):
    verdicts = [
        at_most(
            f"predict of one row above validation, {row['workload']}, {row['dtype']}",
            ONE_ROW,
            row["above"]["median"],
            unit=" µs",
        )
        for row in figures["one row"]
    ]
    verdicts += [
        at_least(f"predict of {row['n_rows']:,} rows, scikit-learn, {row['dtype']}", MANY_ROWS, row["ratio"])
        for row in figures["many rows"]
    ]
    for row in figures["many callers"]:
        verdicts += [
            at_least(f"predict from {row['callers']} threads, {whom}, {row['dtype']}", MANY_CALLERS, ratio)
            for whom, ratio in (
                ("one thread of ours", row["one thread"]["ratio"]),
                ("scikit-learn", row["sklearn"]["ratio"]),
            )
        ]
        # parts of other sizes in other threads may round differently, and no more than that
        error, rounding = row["largest_difference"], 100 * float(np.finfo(row["dtype"]).eps)
        what = f"predict from {row['callers']} threads, {row['dtype']}: largest difference"
        verdicts.append(Verdict(what, f"≤ {rounding:.0e}", f"{error:.0e}", error <= rounding))
    return verdicts


def of_search(row):
    what = f"GridSearchCV, {row['candidates']} candidates, scikit-learn"
    busiest = max(worker["computing_threads"] for worker in row["workers"])
    return [
        at_least(what, SEARCH, row["ratio"]),
        at_most("GridSearchCV: computing threads in a worker", row["cores_per_worker"], busiest, places=0),
    ]


def of_growth(rows):
    def share(row):
        return row["peak_bytes"] / row["needed_bytes"]

    verdicts = []
    large = [row for row in rows if row["needed_bytes"] >= LARGE]
    for which, some in (("", rows), (" of fits that need 10 MB or more", large)):
        if some:
            row = max(some, key=share)
            what = (
                f"memory above the data, times what a fit needs: most{which} ({row['axis']} {row['size']:,})"
            )
            verdicts.append(at_most(what, MEMORY, share(row), places=2))
    return verdicts


SECTIONS = {
    "fit": of_fit,
    "variants": of_variants,
    "compilation": of_compilation,
    "limit": of_limit,
    "prediction": of_prediction,
    "search": of_search,
    "growth": of_growth,
}


def verdicts(figures):
    """Those on all sections that a run has."""
    return [
        verdict for name, judge in SECTIONS.items() if name in figures for verdict in judge(figures[name])
    ]
