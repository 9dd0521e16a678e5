"""What a fit on a file larger than memory should be takes of its own: anonymous memory, on Linux.

    python -m tests.benchmarks.memory_mapped_fit [--gigabytes 4] [--folder DIR]

X is a float32 array on disk, mapped into memory; one epoch with early stopping. Pages of the file are the
system's cache and can be dropped at any time; what counts is RssAnon of /proc/self/status, every 10 ms.
"""

import argparse
import pathlib
import re
import tempfile
import threading
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn_scratch import ScratchMLPClassifier

N_FEATURES = 500


def anonymous_megabytes():
    return int(re.search(r"RssAnon:\s+(\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]) / 1024


def write(path, n_rows):
    """Rows of random numbers, written block by block."""
    rng = np.random.default_rng(0)
    X = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n_rows, N_FEATURES))
    for start in range(0, n_rows, 10_000):
        block = X[start : start + 10_000]
        block[...] = rng.standard_normal(block.shape, dtype=np.float32)
    X.flush()


def peak_of(function):
    """The most anonymous memory while a function runs, above what there was before, and its seconds."""
    before, peaks, done = anonymous_megabytes(), [], threading.Event()

    def watch():
        while not done.wait(0.01):
            peaks.append(anonymous_megabytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    function()
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    return max(peaks) - before, seconds


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--folder", default=None)
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch is enough to see it
    n_rows = int(options.gigabytes * 1e9 / 4 / N_FEATURES)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = pathlib.Path(folder) / "X.npy"
        write(path, n_rows)
        X = np.load(path, mmap_mode="r")
        y = (X[:, 0] > 0).astype(int)
        network = ScratchMLPClassifier((64,), early_stopping=True, max_iter=1, random_state=0)
        peak, seconds = peak_of(lambda: network.fit(X, y))
        print(f"X: {X.nbytes / 1e9:.2f} GB, {n_rows:,} x {N_FEATURES} {X.dtype}")
        print(
            f"fit: {peak:.0f} MB of its own, {seconds:.0f} s, accuracy {network.validation_scores_[-1]:.3f}"
        )
        peak, seconds = peak_of(lambda: network.predict(X))
        print(f"predict: {peak:.0f} MB of its own, {seconds:.0f} s")


if __name__ == "__main__":
    main()
