"""The picture of growth: seconds and memory of an epoch against each size, both axes logarithmic."""

import math

AXIS_LABELS = {
    "n": "rows",
    "features": "features",
    "width": "units of each of two hidden layers",
    "depth": "hidden layers of 64 units",
    "batch": "rows of a batch",
}


def draw_growth(rows, path):
    """Small multiples, for a page 800 pixels wide."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes_names = list(dict.fromkeys(row["axis"] for row in rows))
    figure = Figure(figsize=(8, 2.5 * len(axes_names)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(axes_names), 2, squeeze=False)
    for (time, memory), name in zip(panels, axes_names, strict=True):
        of_axis = [row for row in rows if row["axis"] == name]
        sizes = [row["size"] for row in of_axis]
        draw_time(time, sizes, of_axis)
        draw_memory(memory, sizes, of_axis)
        for panel in (time, memory):
            panel.set(xscale="log", yscale="log", xlabel=AXIS_LABELS[name])
            panel.set_ylim(*whole_decades(*panel.get_ylim()))
            panel.set_xticks(*labels(sizes))
            panel.yaxis.set_major_locator(LogLocator())
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
            panel.xaxis.set_minor_locator(NullLocator())
            panel.yaxis.set_minor_locator(NullLocator())
            panel.grid(alpha=0.3)
    panels[0, 1].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, fontsize="small")
    figure.savefig(path, dpi=100)


def draw_time(panel, sizes, rows):
    panel.plot(sizes, [row["seconds"]["median"] for row in rows], "o-", color="C0")
    panel.fill_between(sizes, *zip(*(row["seconds"]["range"] for row in rows), strict=True), alpha=0.25)
    panel.set_ylabel("seconds per epoch")


def draw_memory(panel, sizes, rows):
    for key, label, style in (
        ("data_bytes", "data", {"color": "0.6", "linestyle": ":"}),
        ("needed_bytes", "needed", {"color": "C2", "linestyle": "--"}),
        ("peak_bytes", "peak above the data", {"color": "C1", "marker": "o"}),
    ):
        panel.plot(sizes, [row[key] / 1e6 for row in rows], label=label, **style)
    panel.set_ylabel("megabytes")


def labels(sizes):
    """Sizes that have room for a label, from the largest down; and their labels."""
    room = math.log(sizes[-1] / sizes[0]) / 7
    kept = [sizes[-1]]
    for size in reversed(sizes):
        if math.log(kept[-1] / size) >= room:
            kept.append(size)
    return kept, [short(size) for size in kept]


def whole_decades(low, high):
    """The powers of ten around a range: at least two of them have labels then."""
    return 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))


def short(value):
    """A number in few characters: 3k, 1M, 4096."""
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if value >= unit and value % unit == 0:
            return f"{value / unit:g}{name}"
    return f"{value:g}"
