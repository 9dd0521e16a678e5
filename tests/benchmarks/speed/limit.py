"""How close an epoch is to the machine's limit: its matrix products alone.

Same shapes, same BLAS, same number of threads; nothing but ``np.dot`` into memory that is there already. The
products run in two ways: whole batches with BLAS's own threads, and a part of each batch in each of as many
Python threads, with BLAS on one thread. The faster one is the limit. The threads of the second way never wait
for each other, which those of a training step must.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from . import peers
from .epochs import DTYPES, epoch_ms
from .machine import blas
from .measuring import alternate, seconds, spread
from .workloads import chosen

LARGE = ("tabular", "image")


def products(sizes, n_rows, dtype):
    """A function that does the products of one forward and one backward pass over some rows."""
    rng = np.random.RandomState(0)
    forward, backward = [], []
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        x, delta, W = (
            rng.standard_normal(shape).astype(dtype)
            for shape in ((n_rows, fan_in), (n_rows, fan_out), (fan_in, fan_out))
        )
        forward.append((x, W, np.empty_like(delta)))
        backward.insert(0, (x.T, delta, np.empty_like(W)))
        if i > 0:  # nobody wants the gradient with respect to the data
            backward.insert(1, (delta, W.T, np.empty_like(x)))
    triples = forward + backward

    def run():
        for a, b, out in triples:
            np.dot(a, b, out=out)

    return run


def epoch_of_products(workload, dtype, n_parts):
    """A function that does those of all batches, with the rows of each batch divided by `n_parts`."""
    n_batches, rest = divmod(workload.n_samples, workload.batch_size)
    full = products(workload.sizes, -(-workload.batch_size // n_parts), dtype)
    last = products(workload.sizes, -(-rest // n_parts), dtype) if rest else lambda: None

    def run():
        for _ in range(n_batches):
            full()
        last()

    return run


def milliseconds(function, *arguments):
    return 1e3 * seconds(function, *arguments)


def in_threads(parts):
    """Run functions at once, each in a thread of its own, BLAS on one thread."""
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(len(parts)) as pool:
        for future in [pool.submit(part) for part in parts]:
            future.result()


def measure(options):
    """The products' share of our epoch on the large workloads."""
    rows = []
    n_threads = max(info["num_threads"] for info in blas())
    for dtype in DTYPES:
        for name in LARGE:
            workload = chosen(options.quick)[name]
            X, y = workload.data(dtype)
            whole = epoch_of_products(workload, dtype, 1)
            parts = [epoch_of_products(workload, dtype, n_threads) for _ in range(n_threads)]
            us = peers.ours(workload)
            runs = {
                "BLAS threads": partial(milliseconds, whole),
                "ours": partial(epoch_ms, us, X, y, workload.n_epochs),
            }
            if n_threads > 1:
                runs["Python threads"] = partial(milliseconds, in_threads, parts)
            times = alternate(runs, options.repeats)
            row = row_of(name, dtype, n_threads, times)
            rows.append(row)
            ways = ", ".join(f"{way} {ms['median']:.1f} ms" for way, ms in row["products"].items())
            low, high = row["share_range"]
            print(
                f"{dtype} {name}: products {ways}; ours {row['ours']['median']:.1f} ms; "
                f"share {100 * row['share']:.0f} % ({100 * low:.0f}-{100 * high:.0f})",
                flush=True,
            )
    return rows


def row_of(name, dtype, n_threads, times):
    """The figures of one workload."""
    ways = {way: spread(ms) for way, ms in times.items() if way != "ours"}
    best = min(ways, key=lambda way: ways[way]["median"])
    shares = [p / o for p, o in zip(times[best], times["ours"], strict=True)]
    ours = spread(times["ours"])
    return {
        "workload": name,
        "dtype": dtype,
        "threads": n_threads,
        "products": ways,
        "limit": best,
        "ours": ours,
        "share": ways[best]["median"] / ours["median"],
        "share_range": [min(shares), max(shares)],
    }
