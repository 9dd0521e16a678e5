"""RealMLP beside scikit-learn's estimators, and beside the reference implementation where that is installed.

    python -m tests.benchmarks.realmlp.error_and_time --data FOLDER [--seeds 2] [--only adult ...]
                                       [--methods realmlp_td ...] [--json FILE] [--anchors FILE]
    python -m tests.benchmarks.realmlp.error_and_time --table FILE

FOLDER holds NAME.csv.gz files with a column "target", and index.json with the task and the categorical
columns of each. By the protocol of the paper's meta-test: at most 10,000 rows drawn with the seed, a fifth of
them to test on; the error is the share of wrong classes, or RMSE / std. All methods get the same rows and the
same two cores.

FILE of --anchors has figures of methods measured elsewhere, in the format {"data": {name: {seed: {method:
{"error"}}}}}; errors are put beside ours, for whoever does not have the reference implementation. Times of
another machine are not. With --json all figures are kept after every fit, and what is there already is not
measured again. --table writes the table of docs/tabular.md from such a file.
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
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "tabular.md"


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


def sklearn_mlp(classify, seed):
    """scikit-learn's network with scaled inputs, and scaled targets."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="category")),
        (StandardScaler(), make_column_selector(dtype_exclude="category")),
    )
    if classify:
        return make_pipeline(columns, MLPClassifier(random_state=seed))
    model = make_pipeline(columns, MLPRegressor(random_state=seed))
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def boosting(classify, seed):
    """Gradient boosting as it comes."""
    kind = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
    return kind(categorical_features="from_dtype", random_state=seed)


def ours(preset, **settings):
    """What makes our estimator of a preset."""

    def make(classify, seed):
        kind = ScratchRealMLPClassifier if classify else ScratchRealMLPRegressor
        return kind(preset, random_state=seed, **settings)

    return make


def reference(simple):
    """The reference implementation; an ImportError if it is not installed."""

    def make(classify, seed):
        from pytabkit import (
            RealMLP_TD_Classifier,
            RealMLP_TD_Regressor,
            RealMLP_TD_S_Classifier,
            RealMLP_TD_S_Regressor,
        )

        full = (RealMLP_TD_Regressor, RealMLP_TD_Classifier)[classify]
        kind = (RealMLP_TD_S_Regressor, RealMLP_TD_S_Classifier)[classify] if simple else full
        return kind(device="cpu", random_state=seed, n_threads=2, verbosity=0)

    return make


METHODS = {
    "mlp_skl": sklearn_mlp,
    "hgb": boosting,
    "realmlp_td_s": ours("td-s"),
    "realmlp_td": ours("td"),
    "realmlp_td_s_refit": ours("td-s", refit=True),
    "realmlp_td_refit": ours("td", refit=True),
    "realmlp_td_8": ours("td", n_ens=8),
    "reference_td_s": reference(simple=True),
    "reference_td": reference(simple=False),
}
# names of figures that were measured elsewhere
ANCHORS = {"realmlp_s": "reference_td_s", "realmlp": "reference_td"}
TITLES = {
    "mlp_skl": "scikit-learn's MLP",
    "hgb": "gradient boosting",
    "realmlp_td_s": "td-s",
    "realmlp_td": "td",
    "realmlp_td_s_refit": "td-s, refit",
    "realmlp_td_refit": "td, refit",
    "realmlp_td_8": "td, n_ens=8",
    "reference_td_s": "reference td-s",
    "reference_td": "reference td",
}
COMPARED = [
    ("realmlp_td_s", "reference_td_s"),
    ("realmlp_td", "reference_td"),
    ("realmlp_td_s_refit", "realmlp_td_s"),
    ("realmlp_td_refit", "realmlp_td"),
    ("realmlp_td_8", "realmlp_td"),
    *((method, other) for other in ("mlp_skl", "hgb") for method in METHODS if method.startswith("realmlp")),
]


def measure(make, split, seed):
    """Error and seconds of one fit; None if the method is not installed."""
    X, X_test, y, y_test, classify = split
    try:
        model = make(classify, seed)
    except ImportError:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
        return {"error": error(y_test, model.predict(X_test)), "fit_seconds": round(seconds, 2)}


def geometric_means(data, method, other):
    """Error and seconds of a method over those of another, over all data sets and seeds that both have."""
    pairs = [
        (figures[method], figures[other])
        for seeds in data.values()
        for figures in seeds.values()
        if method in figures and other in figures
    ]
    if not pairs:
        return None
    logs = {
        key: np.log([one[key] / two[key] for one, two in pairs if key in one and key in two])
        for key in ("error", "fit_seconds")
    }
    means = {key: float(np.exp(values.mean())) if len(values) else None for key, values in logs.items()}
    error = logs["error"]
    spread = float(error.std(ddof=1) / np.sqrt(len(error))) if len(error) > 1 else None
    return {**means, "n_fits": len(pairs), "standard_error": spread}


def means_of_errors(data):
    """A line for each data set: all methods that ran on every one, over the seeds that all of them had."""
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
            seconds = [figures["fit_seconds"] for figures in of_method if "fit_seconds" in figures]
            mean = np.mean([figures["error"] for figures in of_method])
            cells.append(f"{mean:.4f}" + (f" ({np.mean(seconds):.3g})" if seconds else ""))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def report(data):
    """The tables: means of errors, and geometric means of ratios with their standard errors."""
    lines = [
        "Mean error over seeds, and in brackets seconds of a fit:",
        "",
        *means_of_errors(data),
        "",
        "Geometric means of ratios over data sets and seeds:",
        "",
        "| | fits | error | time |",
        "|---|---|---|---|",
    ]
    for method, other in COMPARED:
        means = geometric_means(data, method, other)
        if means is not None:
            seconds = "" if means["fit_seconds"] is None else f"{means['fit_seconds']:.3g}"
            error = f"{means['error']:.3f}"
            if means["standard_error"] is not None:
                error += f" ± {means['standard_error']:.3f}"
            lines.append(f"| {TITLES[method]} / {TITLES[other]} | {means['n_fits']} | {error} | {seconds} |")
    return "\n".join(lines)


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
                measured = measure(METHODS[method], split, seed)
                if measured is None:
                    continue
                known[method] = measured
                print(
                    f"{name:20s} {seed} {method:15s} {measured['error']:.5f} {measured['fit_seconds']:.1f} s"
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
    parser.add_argument("--seeds", type=int, default=2, help="how many")
    parser.add_argument("--only", nargs="+", help="names of data sets")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--json", type=pathlib.Path, help="where the figures are kept")
    parser.add_argument("--anchors", type=pathlib.Path, help="figures measured elsewhere")
    parser.add_argument(
        "--table", type=pathlib.Path, help="write the table of docs/tabular.md from this file"
    )
    arguments = parser.parse_args()
    if arguments.table:
        write_page(json.loads(arguments.table.read_text()))
    elif arguments.data:
        run(arguments)
    else:
        parser.error("--data or --table is needed")


if __name__ == "__main__":
    main()
