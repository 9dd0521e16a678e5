"""GridSearchCV in two processes: seconds beside scikit-learn's classifier, and the threads in the workers."""

import os
import threading
import time
import warnings
from functools import partial

from joblib import Parallel, delayed, parallel_config
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info

from sknn_scratch import ScratchMLPClassifier

from .measuring import alternate, seconds, show_ratio, versus

# 24 candidates
GRID = {
    "hidden_layer_sizes": [(50,), (100,), (50, 50)],
    "alpha": [1e-4, 1e-2],
    "learning_rate_init": [1e-3, 1e-2],
    "activation": ["relu", "tanh"],
}
QUICK_GRID = {"hidden_layer_sizes": [(50,), (100,)], "alpha": [1e-4, 1e-2]}
N_JOBS = 2


def search(kind, quick, X, y):
    # fits of few epochs do not converge; the workers do not know the filter of the main process
    model = kind(max_iter=10 if quick else 30, n_iter_no_change=100, random_state=0)
    return GridSearchCV(model, QUICK_GRID if quick else GRID, cv=5, n_jobs=N_JOBS).fit(X, y)


def threads_of_a_fit(X, y):
    """In a worker: the most BLAS and Python threads seen while a model of ours is fitted, and their product.

    The product is of one moment: Python threads with a BLAS thread each, or one of them with several.
    """
    seen = {"process": os.getpid(), "blas_threads": 0, "python_threads": 0, "computing_threads": 0}
    done = threading.Event()

    def watch():
        while not done.is_set():
            blas = max(info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas")
            python = threading.active_count() - before
            now = {"blas_threads": blas, "python_threads": python, "computing_threads": blas * python}
            seen.update({key: max(seen[key], n_threads) for key, n_threads in now.items()})
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    before = threading.active_count()  # the fit's own, and those of the worker, which only wait
    watcher.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # large enough that parts of a batch in threads would pay
        ScratchMLPClassifier((256, 256), max_iter=20, random_state=0).fit(X, y)
    done.set()
    watcher.join()
    return seen


def measure(options):
    """Seconds of the whole search, the refit included."""
    X, y = load_digits(return_X_y=True)
    kinds = {"sklearn": MLPClassifier, "ours": ScratchMLPClassifier}
    filters = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = "ignore"  # the workers inherit it
    try:
        # starts the workers, and shows what a fit in one of them uses
        threads = Parallel(N_JOBS)(delayed(threads_of_a_fit)(X, y) for _ in range(2 * N_JOBS))
        found = {}

        def run(who):
            found[who] = search(kinds[who], options.quick, X, y)

        def run_in_threads():
            with parallel_config("threading"):
                search(kinds["ours"], options.quick, X, y)

        runs = {who: partial(seconds, run, who) for who in kinds}
        runs["threads"] = partial(seconds, run_in_threads)
        times = alternate(runs, max(2, options.repeats // 2 + 1))
    finally:
        os.environ.pop("PYTHONWARNINGS")
        if filters is not None:
            os.environ["PYTHONWARNINGS"] = filters
    row = {
        "candidates": len(found["ours"].cv_results_["params"]),
        "folds": 5,
        "n_jobs": N_JOBS,
        "cores_per_worker": max(1, os.cpu_count() // N_JOBS),
        **versus(times["sklearn"], times["ours"]),
        "threads": versus(times["sklearn"], times["threads"]),
        "best": {
            who: {"params": repr(search.best_params_), "score": float(search.best_score_)}
            for who, search in found.items()
        },
        "workers": threads,
    }
    show_ratio(f"{row['candidates']} candidates x 5 folds, n_jobs={N_JOBS}", row, "s")
    show_ratio("the same, ours in threads", row["threads"], "s")
    for who, best in row["best"].items():
        print(f"{'':>40} | {who} best: {best['score']:.4f} {best['params']}")
    for worker in threads:
        print(
            f"{'':>40} | in worker {worker['process']}: BLAS threads {worker['blas_threads']}, "
            f"Python threads {worker['python_threads']}"
        )
    return row
