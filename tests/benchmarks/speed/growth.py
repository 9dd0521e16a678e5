"""How seconds and memory of an epoch grow with the data and with the network.

One size at a time varies, the others stay. Time is that of an epoch, without what a fit costs once. Memory is
the peak of a whole fit above the data, as tracemalloc sees it; beside it stands what training cannot do
without: the parameters, their gradient, Adam's two averages, and one batch's activations from the rows to the
scores.
"""

import itertools
from dataclasses import replace

import numpy as np

from . import peers
from .epochs import epoch_ms
from .measuring import peak_bytes, spread
from .workloads import Workload

DTYPE = "float32"
BASE = Workload(20_000, 40, 2, (64, 64), "relu", batch_size=256, n_epochs=1)

# large networks and many features with fewer rows, for the sake of time and memory
AXES = {
    "n": [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000],
    "features": [10, 30, 100, 300, 1_000, 3_000, 10_000],
    "width": [16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096],
    "depth": [1, 2, 4, 8, 16, 32],
    "batch": [1, 4, 16, 64, 256, 1_024, 4_096, 8_192],
}
ROWS = {"features": 5_000, "width": 2_560}


def workload_at(axis, size):
    """The base with one size changed."""
    workload = replace(BASE, n_samples=ROWS.get(axis, BASE.n_samples))
    changes = {
        "n": {"n_samples": size},
        "features": {"n_features": size},
        "width": {"hidden": (size, size)},
        "depth": {"hidden": (64,) * size},
        "batch": {"batch_size": size},
    }
    return replace(workload, **changes[axis])


def needed_bytes(workload):
    """Parameters, gradient, Adam's two averages, and a batch's activations, the rows themselves included."""
    sizes = workload.sizes
    n_parameters = sum((a + 1) * b for a, b in itertools.pairwise(sizes))
    n_activations = min(workload.batch_size, workload.n_samples) * sum(sizes)
    return (4 * n_parameters + n_activations) * np.dtype(DTYPE).itemsize


def point(axis, size, repeats):
    """Seconds and memory at one size."""
    workload = workload_at(axis, size)
    X, y = workload.data(DTYPE)
    us = peers.ours(workload)
    peak = peak_bytes(us.fit, X, y, 1)
    # an epoch of a millisecond is not measured by one
    n_epochs = int(np.clip(0.1 / us.fit(X, y, 1), 1, 50))
    seconds = [1e-3 * epoch_ms(us, X, y, n_epochs) for _ in range(repeats)]
    return {
        "axis": axis,
        "size": size,
        "seconds": spread(seconds),
        "peak_bytes": peak,
        "needed_bytes": needed_bytes(workload),
        "data_bytes": X.nbytes + y.nbytes,
    }


def measure(options):
    """All axes: a row for each size."""
    rows = []
    for axis, sizes in AXES.items():
        for size in sizes[: -(-len(sizes) // 2)] if options.quick else sizes:
            row = point(axis, size, max(2, options.repeats // 2 + 1))
            rows.append(row)
            print(
                f"{axis:>10} {size:>9,} | {1e3 * row['seconds']['median']:10.2f} ms/epoch | peak "
                f"{row['peak_bytes'] / 1e6:9.2f} MB, {row['peak_bytes'] / row['needed_bytes']:5.2f} x needed",
                flush=True,
            )
        slopes = exponents([row for row in rows if row["axis"] == axis])
        print(f"{'':>10} exponents of time from size to size: {', '.join(f'{s:.2f}' for s in slopes)}")
    return rows


def exponents(rows):
    """Slopes of the line in the log-log plot, between neighbours."""
    sizes = np.log([row["size"] for row in rows])
    return np.diff(np.log([row["seconds"]["median"] for row in rows])) / np.diff(sizes)
