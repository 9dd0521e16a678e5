"""The report's tables, a function for each section of a run: figures -> Markdown."""

import math

from .growth_picture import AXIS_LABELS
from .measuring import mean_ratio
from .targets import NAMES

GAINS = """\
How many times faster an epoch is than scikit-learn's, for the same model: with numba installed
(`python -m pip install ".[fast]"`), and on NumPy alone. The five networks are those of the section *Fit*.

![Bars: times faster than scikit-learn on five networks, with numba and on NumPy alone.](images/speed.png)"""

LIMITS = """\
## What remains in the others' favour

- The first fit with numba on a machine compiles kernels, for some seconds. numba keeps them on disk, and the
  next process loads them. On NumPy alone nothing is compiled.
- JAX and PyTorch also compute on GPUs. For networks of many millions of parameters, use one.
- Large products on one thread take most of a step. There numba gains little over NumPy alone.
- How much two threads gain depends on the machine. *The limit* shows what products alone gain on this one."""

FIT = """\
## Fit

Milliseconds per epoch of Adam. PyTorch: fused Adam, tensors in memory, no DataLoader, the better one of one
and two threads (in brackets). skorch: its own DataLoader. JAX: an epoch in one jitted scan, compilation not
counted. The L2 penalty is the same everywhere, alpha = 0.0001. The losses after training, theirs / ours,
show that all did the same work."""

COMPILATION = """\
## JAX with compilation

Seconds of a whole fit of 20 epochs, float32, as the first one of a session."""

LIMIT = """\
## The limit

The matrix products of an epoch alone, in two ways: with BLAS's threads, and with a part of each batch in
each of as many Python threads. The share is that of the faster way in our epoch."""

VARIANTS = """\
## Other settings, on digits

Milliseconds per epoch, or per iteration of L-BFGS. What scikit-learn does not have is compared with this
library without numba. With early stopping the losses differ, because other rows
are held out: here they are stratified by class."""

PREDICTION = """\
## Prediction

The networks of two workloads above: digits has one hidden layer of 100 units, tabular 256 and 256, whose
76,000 weights alone take some 20 microseconds to read. One row, in microseconds; validation is scikit-learn's
`check_is_fitted` and `validate_data` alone:"""

GROWTH = """\
## Growth

Seconds per epoch and the peak of memory above the data, float32, on NumPy alone. Sizes that are not varied:
20,000 rows of 40 features (5,000 rows for features, 2,560 for width), two hidden layers of 64 units, batches
of 256. Needed are the parameters, their gradient, Adam's two averages, and one batch's activations, the batch
itself included. Both axes of the picture are logarithmic; the exponent is the slope to the line above."""

# why the lines bend where they do: edit these when a new run shows something else
BENDS = {
    "n": """\
Straight: each step costs the same, and their number grows with the rows. Above the data, memory holds the
network, and for each row its encoded target and its place in the epoch's order.""",
    "features": """\
Flat at first, as long as the first layer's products take less time than calling NumPy and than the other
layers; then straight.""",
    "width": """\
Two bends: narrow layers cost what calling NumPy costs; then the layers' outputs grow with the width; wide
ones are products and parameters, which grow with its square.""",
    "depth": """\
Straight once the hidden layers outweigh what a step costs without them.""",
    "batch": """\
Down with one over the batch as long as a step costs what calling NumPy costs; flat where the products fill
the machine. Steeper at a batch of one: after some thousand steps the weights of units that are never active,
and the averages of their gradients, have shrunk to subnormal numbers, which processors are slow with, until
they are put to 0. Memory is flat while parameters and the order of the rows outweigh a batch's
activations.""",
}


def table(head, rows):
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def number(value):
    """Three significant digits."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}"


def ratio(row):
    low, high = row["ratio_range"]
    return f"**{row['ratio']:.2f}** ({low:.2f}-{high:.2f})"


def losses(row):
    return f"{row['losses']['theirs']:.4f} / {row['losses']['ours']:.4f}"


def within(spread):
    low, high = spread["range"]
    return f"{number(spread['median'])} ({number(low)}-{number(high)})"


def of_fit(rows):
    parts = [FIT]
    for peer, dtype in dict.fromkeys((row["peer"], row["dtype"]) for row in rows):
        of_peer = [row for row in rows if (row["peer"], row["dtype"]) == (peer, dtype)]
        lines = [
            (
                row["workload"] + (f" ({row['threads']})" if "threads" in row else ""),
                number(row["theirs"]),
                number(row["ours"]),
                ratio(row),
                losses(row),
            )
            for row in of_peer
        ]
        mean = mean_ratio([row["ratio"] for row in of_peer])
        lines.append(("geometric mean", "", "", f"**{mean:.2f}**", ""))
        parts.append(f"### {NAMES[peer]}, {dtype}")
        parts.append(table(["workload", f"{NAMES[peer]}, ms", "ours, ms", "ratio", "losses"], lines))
    return "\n\n".join(parts)


def of_variants(rows):
    lines = [
        (
            row["variant"],
            NAMES[row["peer"]],
            row["dtype"],
            number(row["theirs"]),
            number(row["ours"]),
            ratio(row),
            losses(row),
        )
        for row in rows
    ]
    head = ["setting", "beside", "dtype", "theirs, ms", "ours, ms", "ratio", "losses"]
    return f"{VARIANTS}\n\n{table(head, lines)}"


def of_compilation(rows):
    if not rows:
        return ""
    lines = [(row["workload"], number(row["theirs"]), number(row["ours"]), ratio(row)) for row in rows]
    return f"{COMPILATION}\n\n" + table(["workload", "JAX, s", "ours, s", "ratio"], lines)


def of_limit(rows):
    lines = [
        (
            row["workload"],
            row["dtype"],
            *(
                within(row["products"][way]) if way in row["products"] else ""
                for way in ("BLAS threads", "Python threads")
            ),
            within(row["ours"]),
            f"**{100 * row['share']:.0f} %** "
            f"({100 * row['share_range'][0]:.0f}-{100 * row['share_range'][1]:.0f})",
        )
        for row in rows
    ]
    head = [
        "workload",
        "dtype",
        "products, BLAS threads, ms",
        "products, Python threads, ms",
        "ours, ms",
        "share",
    ]
    return f"{LIMIT}\n\n{table(head, lines)}"


def of_prediction(figures):
    one = [
        (
            row["workload"],
            row["dtype"],
            *(within(row[key]) for key in ("validation", "sklearn", "ours", "above")),
        )
        for row in figures["one row"]
    ]
    many = [
        (
            row["dtype"],
            number(row["theirs"]),
            number(row["ours"]),
            ratio(row),
            *(number(row["peak_bytes"][who] / 1e6) for who in ("sklearn", "ours")),
            number(row["data_bytes"] / 1e6),
        )
        for row in figures["many rows"]
    ]
    callers = [
        (
            row["dtype"],
            number(row["one thread"]["ours"]),
            ratio(row["one thread"]),
            ratio(row["sklearn"]),
            f"{row['largest_difference']:.1e}",
        )
        for row in figures["many callers"]
    ]
    n_rows = figures["many rows"][0]["n_rows"]
    caller = figures["many callers"][0]
    return "\n\n".join(
        [
            PREDICTION,
            table(["network", "dtype", "validation", "scikit-learn", "ours", "ours above validation"], one),
            f"{n_rows:,} rows (tabular), and the most memory above the data's:",
            table(
                ["dtype", "scikit-learn, s", "ours, s", "ratio", "scikit-learn, MB", "ours, MB", "data, MB"],
                many,
            ),
            f"One model called from {caller['callers']} threads at once, {caller['n_rows']:,} rows each:",
            table(
                [
                    "dtype",
                    "ours, s",
                    "ratio to one thread of ours",
                    "ratio to scikit-learn",
                    "largest difference of a probability from that of one caller",
                ],
                callers,
            ),
        ]
    )


def of_search(row):
    blas, python = (max(w[key] for w in row["workers"]) for key in ("blas_threads", "python_threads"))
    return (
        f"## Grid search\n\n{row['candidates']} candidates x {row['folds']} folds on scikit-learn's digits, "
        f"`n_jobs={row['n_jobs']}`. Most threads seen during a fit in a worker: {blas} of BLAS, {python} of "
        "Python.\n\n"
        + table(
            ["scikit-learn, s", "ours, s", "ratio", "best scores"],
            [
                (
                    number(row["theirs"]),
                    number(row["ours"]),
                    ratio(row),
                    f"{row['best']['sklearn']['score']:.4f} / {row['best']['ours']['score']:.4f}",
                )
            ],
        )
        + (
            f'\n\nWith `joblib.parallel_config("threading")`, this library takes '
            f"{number(row['threads']['ours'])} s: **{row['threads']['ratio']:.2f}** times faster."
        )
    )


def of_growth(rows, picture):
    parts = [
        GROWTH,
        f"![Seconds per epoch and memory against rows, features, width, depth and batch size.]({picture})",
    ]
    for axis in dict.fromkeys(row["axis"] for row in rows):
        of_axis = [row for row in rows if row["axis"] == axis]
        lines = []
        for before, row in zip([None, *of_axis], of_axis, strict=False):
            lines.append(
                (
                    f"{row['size']:,}",
                    within(scaled(row["seconds"], 1e3)),
                    exponent(before, row),
                    number(row["peak_bytes"] / 1e6),
                    number(row["needed_bytes"] / 1e6),
                    f"{row['peak_bytes'] / row['needed_bytes']:.2f}",
                )
            )
        head = [AXIS_LABELS[axis], "ms per epoch", "exponent", "peak, MB", "needed, MB", "peak / needed"]
        parts += [f"### {AXIS_LABELS[axis].capitalize()}", BENDS[axis], table(head, lines)]
    return "\n\n".join(parts)


def scaled(spread, factor):
    return {"median": factor * spread["median"], "range": [factor * value for value in spread["range"]]}


def exponent(before, row):
    """The slope from one size to the next in the log-log plot."""
    if before is None or min(before["seconds"]["median"], row["seconds"]["median"]) <= 0:
        return ""
    rise = math.log(row["seconds"]["median"] / before["seconds"]["median"])
    return f"{rise / math.log(row['size'] / before['size']):.2f}"
