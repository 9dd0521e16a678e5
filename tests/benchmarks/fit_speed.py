"""How fast the estimators fit, beside scikit-learn's own in the same process.

    python tests/benchmarks/fit_speed.py [--repeats 5] [--json FILE]

Whole epochs with adam, the two libraries alternating, the median of several repeats; same data, dtype,
threads and number of epochs on both sides. A fit of one epoch is timed apart and subtracted, so that
validation and initialisation are not counted. The final losses are printed as the proof that both did the
same work.
"""

import argparse
import json
import os
import platform
import statistics
import time
import warnings

import numpy as np
import scipy
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info

from sknn_scratch import ScratchMLPClassifier

# name: rows, features, classes, hidden layers, activation, batch size, epochs
WORKLOADS = {
    "tiny": (1000, 2, 2, (8, 16, 32, 16, 8), "tanh", 100, 60),
    "digits": (1797, 64, 10, (100,), "relu", 200, 40),
    "tabular": (50_000, 40, 2, (256, 256), "relu", 256, 2),
    "image": (60_000, 784, 10, (256, 128), "relu", 200, 1),
    "online": (1000, 8, 2, (16,), "tanh", 1, 3),
}


def make_data(n_samples, n_features, n_classes, dtype):
    """Classes that a small network can learn: signs and sizes of random projections."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((n_samples, n_features)).astype(dtype)
    scores = np.tanh(X @ rng.standard_normal((n_features, n_classes)))
    return X, (scores + 0.3 * rng.standard_normal(scores.shape)).argmax(axis=1)


def seconds(estimator, n_epochs, X, y):
    """Time one fit."""
    estimator.set_params(max_iter=n_epochs)
    start = time.perf_counter()
    estimator.fit(X, y)
    return time.perf_counter() - start


def measure(name, dtype, repeats):
    """Milliseconds per epoch of both, from alternating fits."""
    n_samples, n_features, n_classes, hidden, activation, batch_size, n_epochs = WORKLOADS[name]
    X, y = make_data(n_samples, n_features, n_classes, dtype)
    settings = {
        "hidden_layer_sizes": hidden,
        "activation": activation,
        "batch_size": batch_size,
        "random_state": 0,
        "n_iter_no_change": np.inf,
    }
    estimators = {"sklearn": MLPClassifier(**settings), "ours": ScratchMLPClassifier(**settings)}
    times = {who: [] for who in estimators}
    for _ in range(repeats):
        for who, estimator in estimators.items():
            one_epoch = seconds(estimator, 1, X, y)
            times[who].append(1e3 * (seconds(estimator, 1 + n_epochs, X, y) - one_epoch) / n_epochs)
    ratios = [theirs / ours for theirs, ours in zip(times["sklearn"], times["ours"], strict=True)]
    return {
        "workload": name,
        "dtype": np.dtype(dtype).name,
        "sklearn_ms": statistics.median(times["sklearn"]),
        "ours_ms": statistics.median(times["ours"]),
        "ratio": statistics.median(times["sklearn"]) / statistics.median(times["ours"]),
        "ratio_range": [min(ratios), max(ratios)],
        "losses": {who: float(estimator.loss_) for who, estimator in estimators.items()},
    }


def machine():
    """What the figures were measured on."""
    blas = {
        info["internal_api"]: info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"
    }
    return (
        f"{platform.machine()} {platform.system()}, {os.cpu_count()} cores, BLAS threads {blas}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}, "
        f"scikit-learn {sklearn.__version__}"
    )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=sorted(WORKLOADS), nargs="*", default=list(WORKLOADS))
    parser.add_argument("--json", help="write the figures to this file")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(machine())
    rows = []
    for dtype in (np.float64, np.float32):
        print(
            f"\n{np.dtype(dtype).name} input | scikit-learn ms/epoch | ours ms/epoch | ratio (range) "
            "| final losses"
        )
        for name in arguments.only:
            row = measure(name, dtype, arguments.repeats)
            rows.append(row)
            low, high = row["ratio_range"]
            print(
                f"{name:>13} | {row['sklearn_ms']:21.2f} | {row['ours_ms']:13.2f} | "
                f"{row['ratio']:5.2f} ({low:.2f}-{high:.2f}) | "
                f"{row['losses']['sklearn']:.6f} {row['losses']['ours']:.6f}",
                flush=True,
            )
        of_dtype = [row["ratio"] for row in rows if row["dtype"] == np.dtype(dtype).name]
        print(f"  least ratio {min(of_dtype):.2f}, geometric mean {statistics.geometric_mean(of_dtype):.2f}")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine(), "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
