"""What RealMLP's 'td' costs on tables of many columns, rows or levels: CPU time, memory, and one row.

    python -m tests.benchmarks.realmlp.wide_and_long [--sizes 5000x20 5000x1000] [--repeats 3]

A size is ROWSxCOLUMNS of random numbers in float32, or ROWSxCOLUMNSxLEVELS of categories. An epoch is the
difference between a fit of five epochs and one of one; times are CPU seconds of one thread, the least of the
repeats. Memory is the peak of a fit above the data, as tracemalloc sees it, beside twice the table in float32
plus 100 MB. One row is predicted as an array and as a row of a frame of pandas.
"""

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from sknn_scratch import ScratchRealMLPClassifier
from tests.benchmarks.speed.measuring import peak_bytes

SIZES = ["5000x20", "5000x200", "5000x1000", "300000x20", "20000x20x20", "20000x20x20000"]
N_EPOCHS = 5
N_PREDICTIONS = 100


def cpu_seconds(function, repeats):
    """The least CPU time of some calls."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def milliseconds_of_a_row(X, y, categories, repeats):
    """CPU time of the prediction of one row."""
    few = slice(1000, 2000)
    model = ScratchRealMLPClassifier(n_cv=1, max_iter=1, categorical_features=categories).fit(X[few], y[few])

    def predict():
        for _ in range(N_PREDICTIONS):
            model.predict(X[:1])

    predict()
    return 1000 * cpu_seconds(predict, repeats) / N_PREDICTIONS


def row_of_figures(size, repeats):
    """One row of the table."""
    n_rows, n_columns, *levels = map(int, size.split("x"))
    rng = np.random.RandomState(0)
    shape = n_rows, n_columns
    X = rng.randint(levels[0], size=shape) if levels else rng.standard_normal(shape).astype(np.float32)
    y, categories = (X[:, 0] > np.median(X[:, 0])).astype(int), list(range(n_columns)) if levels else None

    def fit(n_epochs):
        settings = {"max_iter": n_epochs, "categorical_features": categories}
        return ScratchRealMLPClassifier(**settings, random_state=0).fit(X, y)

    fit(1)
    first = cpu_seconds(lambda: fit(1), repeats)
    epoch = (cpu_seconds(lambda: fit(N_EPOCHS), repeats) - first) / (N_EPOCHS - 1)
    peak, limit = peak_bytes(lambda: fit(1)), 2 * 4 * X.size + 100e6
    rows = [milliseconds_of_a_row(form(X), y, categories, repeats) for form in (np.asarray, pd.DataFrame)]
    name = f"{n_rows:,} x {n_columns:,}" + (f", {levels[0]:,} levels" if levels else "")
    return (
        f"| {name} | {epoch:.3f} | {1e9 * epoch / X.size:.0f} | {first - epoch:.2f} "
        f"| {peak / 1e6:.0f} / {limit / 1e6:.0f} | {rows[0]:.2f}, {rows[1]:.2f} |"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print("| table | epoch (s) | a cell (ns) | before it (s) | memory / bound (MB) | one row (ms) |")
    print("|---|---|---|---|---|---|")
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 20,000 levels are as many as rows
        for size in arguments.sizes:
            print(row_of_figures(size, arguments.repeats), flush=True)


if __name__ == "__main__":
    main()
