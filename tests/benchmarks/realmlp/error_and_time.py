"""RealMLP beside other estimators for tables, as far as they are installed: error, log-loss and CPU time.

    python -m tests.benchmarks.realmlp.error_and_time --data FOLDER [--seeds 3] [--only adult ...]
                                       [--methods realmlp_td ...] [--json FILE] [--anchors FILE]
    python -m tests.benchmarks.realmlp.error_and_time --table FILE

FOLDER holds NAME.csv.gz files with a column "target", and index.json with the task and the categorical
columns of each. By the protocol of the paper's meta-test: at most 10,000 rows drawn with the seed, a fifth of
them to test on; the error is the share of wrong classes, or RMSE / std. All methods get the same rows, their
defaults, and one thread each; times are CPU seconds of a fit.

FILE of --anchors has figures of methods measured elsewhere, in the format {"data": {name: {seed: {method:
{"error"}}}}}; errors are put beside ours, for whoever does not have the reference implementation. Times of
another machine are not. With --json all figures are kept after every fit, and what is there already is not
measured again. --table writes the table and the picture of docs/tabular.md from such a file.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import time
import warnings

import numpy as np
import pandas as pd
import scipy
import sklearn
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from .methods import METHODS, TITLES

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "tabular.md"
PICTURE = PAGE.parent / "images" / "tabular.png"


def load(folder, name, seed, max_rows=10_000):
    """A split: frames whose categories have gaps as a level, and gaps in numbers filled by the median."""
    index = json.loads((folder / "index.json").read_text())[name]
    frame = pd.read_csv(folder / f"{name}.csv.gz")
    if len(frame) > max_rows:
        frame = frame.sample(max_rows, random_state=seed)
    y = frame.pop("target")
    classify = index["task"] != "regression"
    y = y.astype(str) if classify else y
    for column in index["categorical"]:
        values = frame[column].astype(object)
        frame[column] = values.where(values.notna(), "NA").astype("category")
    parts = train_test_split(frame, y, test_size=0.2, random_state=seed, stratify=y if classify else None)
    numeric = [column for column in frame.columns if column not in index["categorical"]]
    X, X_test = parts[0].copy(), parts[1].copy()
    median = X[numeric].median()
    for part in (X, X_test):
        part[numeric] = part[numeric].fillna(median).astype(float)
    return X, X_test, parts[2].to_numpy(), parts[3].to_numpy(), classify


def error(y, predicted):
    """Share of wrong classes, or RMSE / std."""
    predicted = np.asarray(predicted).ravel()
    if y.dtype.kind not in "fiu":
        return float(np.mean(predicted != y))
    return float(np.sqrt(np.mean((predicted - y) ** 2)) / y.std())


# names of figures that were measured elsewhere
ANCHORS = {"realmlp_s": "reference_td_s", "realmlp": "reference_td"}
BASIS = "realmlp_td_numpy"
"""What all others are compared with."""

COMPARED = [
    ("realmlp_td_s", "reference_td_s"),
    ("realmlp_td", "reference_td"),
    ("realmlp_best", "catboost"),
    ("realmlp_fast", "hgb"),
]


def measure(method, split, seed):
    """Error, log-loss and CPU seconds of one fit; None if the method is not installed."""
    X, X_test, y, y_test, classify = split
    try:
        model = METHODS[method](classify, seed)
    except ImportError:
        return None
    os.environ["SKNN_SCRATCH_ENGINE"] = "numpy" if method.endswith("numpy") else ""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.process_time()
        model.fit(X, y)
        figures = {"cpu_seconds": round(time.process_time() - start, 3)}
        figures["error"] = error(y_test, model.predict(X_test))
        if classify:
            figures["log_loss"] = log_loss(y_test, model.predict_proba(X_test), labels=model.classes_)
        return figures


KEYS = ("error", "log_loss", "cpu_seconds")


def geometric_means(data, method, other):
    """The figures of a method over those of another: means over data sets, standard errors over seeds."""
    pairs = [
        (seed, figures[method], figures[other])
        for seeds in data.values()
        for seed, figures in seeds.items()
        if method in figures and other in figures
    ]
    means = {}
    for key in KEYS:
        logs = {}
        for seed, one, two in pairs:
            if key in one and key in two:
                logs.setdefault(seed, []).append(np.log(one[key] / two[key]))
        of_seeds = np.array([np.mean(values) for values in logs.values()])
        if len(of_seeds):
            spread = of_seeds.std(ddof=1) / np.sqrt(len(of_seeds)) if len(of_seeds) > 1 else np.nan
            means[key] = float(np.exp(of_seeds.mean())), float(spread)
    return means


def means_of_errors(data):
    """A line for each data set: errors, and CPU seconds in brackets, over the seeds that all methods had."""
    methods = [m for m in METHODS if all(any(m in f for f in seeds.values()) for seeds in data.values())]
    lines = [
        "| | " + " | ".join(TITLES[method] for method in methods) + " |",
        "|---" * (len(methods) + 1) + "|",
    ]
    for name, seeds in data.items():
        common = [figures for figures in seeds.values() if all(method in figures for method in methods)]
        cells = []
        for method in methods:
            of_method = [figures[method] for figures in common]
            seconds = [figures["cpu_seconds"] for figures in of_method if "cpu_seconds" in figures]
            mean = np.mean([figures["error"] for figures in of_method])
            cells.append(f"{mean:.4f}" + (f" ({np.mean(seconds):.3g})" if seconds else ""))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _with_spread(mean=None, spread=np.nan):
    if mean is None:
        return ""
    return f"{mean:.3f}" + ("" if np.isnan(spread) else f" ± {spread:.3f}")


def ratios(data):
    """For each method its figures over those of the basis, and a few more comparisons."""
    pairs = [(method, BASIS) for method in METHODS if method != BASIS] + COMPARED
    lines = ["| | error | log-loss | CPU time |", "|---|---|---|---|"]
    for method, other in pairs:
        means = geometric_means(data, method, other)
        if not means:
            continue
        cells = [_with_spread(*means.get(key, ())) for key in ("error", "log_loss")]
        cells.append(f"{means['cpu_seconds'][0]:.2g}" if "cpu_seconds" in means else "")
        name = TITLES[method] if other == BASIS else f"{TITLES[method]} / {TITLES[other]}"
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def report(data):
    """The tables: geometric means of ratios with their standard errors, and means of errors."""
    return "\n".join(
        [
            f"Geometric means over data sets of ratios to {TITLES[BASIS]}, with standard errors over seeds:",
            "",
            *ratios(data),
            "",
            "Mean error over seeds, and in brackets CPU seconds of a fit:",
            "",
            *means_of_errors(data),
        ]
    )


def draw(data):
    """Error against CPU time, both over those of the basis, for the page."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for method in METHODS:
        means = geometric_means(data, method, BASIS)
        if "cpu_seconds" not in means:
            continue
        (error, spread), (seconds, _) = means["error"], means["cpu_seconds"]
        color = "C0" if method.startswith("realmlp") else "0.45"
        axes.errorbar(seconds, error, yerr=spread, fmt="o", color=color, capsize=3)
        left = method == "lightgbm"  # on the right is another one
        beside = {"xytext": (-6 if left else 6, 5), "ha": "right" if left else "left"}
        axes.annotate(
            TITLES[method], (seconds, error), **beside, textcoords="offset points", color=color, fontsize=9
        )
    axes.axhline(1.0, color="0.8", linewidth=1, zorder=0)
    axes.set(
        xscale="log",
        xlabel=f"CPU time of a fit ({TITLES[BASIS]} = 1)",
        ylabel=f"error ({TITLES[BASIS]} = 1)",
        title="Less is better: six tables, geometric means",
    )
    axes.margins(x=0.2)
    figure.savefig(PICTURE, dpi=150)


def write_page(figures):
    """Put the table of a run between the marks of the page."""
    run = figures["about"]
    text = f"{report(figures['data'])}\n\nMeasured on {run['machine']}; {run['versions']}."
    page = PAGE.read_text("utf-8")
    page = re.sub(
        r"(<!-- table -->\n).*?(\n<!-- end -->)", lambda marks: marks[1] + text + marks[2], page, flags=re.S
    )
    PAGE.write_text(page, "utf-8")


def about():
    """Where it runs."""
    return {
        "machine": f"{platform.machine()} {platform.system()} with {os.cpu_count()} cores",
        "versions": f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}, "
        f"scikit-learn {sklearn.__version__}",
    }


def add_anchors(data, path):
    """Figures of the reference that were measured elsewhere, where there are none of this run."""
    anchors = json.loads(path.read_text())["data"]
    for name, seeds in data.items():
        for seed, figures in seeds.items():
            for theirs, method in ANCHORS.items():
                known = anchors.get(name, {}).get(seed, {}).get(theirs)
                if known is not None:
                    figures.setdefault(method, {"error": known["error"]})


def run(arguments):
    """Measure what is asked for and not known yet."""
    figures = {"about": about(), "data": {}}
    if arguments.json and arguments.json.exists():
        figures = json.loads(arguments.json.read_text())
    names = arguments.only or sorted(json.loads((arguments.data / "index.json").read_text()))
    for seed in range(arguments.seeds):
        for name in names:
            split = load(arguments.data, name, seed)
            known = figures["data"].setdefault(name, {}).setdefault(str(seed), {})
            for method in arguments.methods:
                if method in known:
                    continue
                measured = measure(method, split, seed)
                if measured is None:
                    continue
                known[method] = measured
                print(
                    f"{name:20s} {seed} {method:18s} {measured['error']:.5f} {measured['cpu_seconds']:.1f} s",
                    flush=True,
                )
                if arguments.json:
                    arguments.json.write_text(json.dumps(figures, indent=1))
    if arguments.anchors:
        add_anchors(figures["data"], arguments.anchors)
        if arguments.json:
            arguments.json.write_text(json.dumps(figures, indent=1))
    print(report(figures["data"]))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=pathlib.Path, help="the folder with the data sets")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--only", nargs="+", help="names of data sets")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--json", type=pathlib.Path, help="where the figures are kept")
    parser.add_argument("--anchors", type=pathlib.Path, help="figures measured elsewhere")
    parser.add_argument(
        "--table", type=pathlib.Path, help="write the table of docs/tabular.md from this file"
    )
    arguments = parser.parse_args()
    if arguments.table:
        figures = json.loads(arguments.table.read_text())
        write_page(figures)
        draw(figures["data"])
    elif arguments.data:
        run(arguments)
    else:
        parser.error("--data or --table is needed")


if __name__ == "__main__":
    main()
