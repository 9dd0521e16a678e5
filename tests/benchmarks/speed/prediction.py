"""How fast fitted models predict: one row, a million rows, and from eight threads at once."""

import itertools
import statistics
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from . import peers
from .epochs import DTYPES
from .measuring import alternate, peak_bytes, seconds, show_ratio, spread, versus
from .workloads import WORKLOADS

N_CALLERS = 8


def fitted(dtype, name="tabular"):
    """Ours and scikit-learn's, trained for an epoch on a few rows: what they have learnt does not matter."""
    workload = replace(WORKLOADS[name], n_samples=2000)
    models = {"ours": peers.ours(workload), "sklearn": peers.sklearn(workload)}
    for peer in models.values():
        peer.fit(*workload.data(dtype), 1)
    return {who: peer.model for who, peer in models.items()}


def rows_to_predict(n_rows, dtype, name="tabular"):
    return np.random.default_rng(1).standard_normal((n_rows, WORKLOADS[name].n_features), dtype=dtype)


def measure_one_row(options):
    """Microseconds of a call of predict on one row, above those of scikit-learn's input validation alone."""
    rows = []
    for name, dtype in itertools.product(("digits", "tabular"), DTYPES):
        models = fitted(dtype, name)
        x = rows_to_predict(1, dtype, name)
        calls = {"validation": partial(validate, models["ours"])}
        calls |= {who: model.predict for who, model in models.items()}
        n_repeats = 10 if options.quick else 20 * options.repeats
        repeats = [microseconds(calls, x, n_rounds=50) for _ in range(n_repeats)]
        times = {who: [repeat[who] for repeat in repeats] for who in calls}
        above = [repeat["ours"] - repeat["validation"] for repeat in repeats]
        row = {"workload": name, "dtype": dtype, **{who: spread(us) for who, us in times.items()}}
        row["above"] = spread(above)
        rows.append(row)
        low, high = row["above"]["range"]
        print(
            f"one row, {name}, {dtype}: validation {row['validation']['median']:.1f} us, "
            f"ours {row['ours']['median']:.1f} us, scikit-learn {row['sklearn']['median']:.1f} us; "
            f"ours above validation {row['above']['median']:.1f} us ({low:.1f}-{high:.1f})",
            flush=True,
        )
    return rows


def validate(model, X):
    """What scikit-learn does before any prediction."""
    check_is_fitted(model)
    validate_data(model, X, accept_sparse="csr", dtype="numeric", reset=False)


def microseconds(calls, argument, n_rounds):
    """Medians of single calls in turn: the machine's pace changes within milliseconds, for all alike."""
    runs = {who: partial(seconds, call, argument) for who, call in calls.items()}
    return {who: 1e6 * statistics.median(times) for who, times in alternate(runs, n_rounds, pause=0).items()}


def measure_many_rows(options):
    """Seconds for a million rows of 40 features, beside scikit-learn, and memory above the data's."""
    rows = []
    n_rows = 100_000 if options.quick else 1_000_000
    for dtype in DTYPES:
        models = fitted(dtype)
        X = rows_to_predict(n_rows, dtype)
        runs = {who: partial(seconds, model.predict, X) for who, model in models.items()}
        times = alternate(runs, max(2, options.repeats // 2 + 1))
        row = {
            "dtype": dtype,
            "n_rows": n_rows,
            **versus(times["sklearn"], times["ours"]),
            "data_bytes": X.nbytes,
            "peak_bytes": {who: peak_bytes(model.predict, X) for who, model in models.items()},
        }
        rows.append(row)
        show_ratio(f"{n_rows:,} rows, {dtype}", row, "s")
        peaks = {who: f"{peak / 1e6:,.1f} MB" for who, peak in row["peak_bytes"].items()}
        print(f"{'':>40} | memory above the data's {X.nbytes / 1e6:,.0f} MB: {peaks}")
    return rows


def measure_many_callers(options):
    """One model that eight threads of the user call at once, each with rows of its own."""
    rows = []
    n_rows = 10_000 if options.quick else 100_000
    for dtype in DTYPES:
        models = fitted(dtype)
        parts = [rows_to_predict(n_rows, dtype) + i for i in range(N_CALLERS)]
        alone = [models["ours"].predict_proba(X) for X in parts]
        together = at_once(models["ours"].predict_proba, parts)
        error = max(float(np.abs(a - b).max()) for a, b in zip(alone, together, strict=True))
        runs = {
            "ours": partial(seconds, at_once, models["ours"].predict, parts),
            "one thread": partial(seconds, in_turn, models["ours"].predict, parts),
            "sklearn": partial(seconds, at_once, models["sklearn"].predict, parts),
        }
        times = alternate(runs, options.repeats)
        row = {
            "dtype": dtype,
            "callers": N_CALLERS,
            "n_rows": n_rows,
            "largest_difference": error,
            "one thread": versus(times["one thread"], times["ours"]),
            "sklearn": versus(times["sklearn"], times["ours"]),
        }
        rows.append(row)
        for whom in ("one thread", "sklearn"):
            show_ratio(f"{N_CALLERS} callers x {n_rows:,} rows, {dtype}, {whom}", row[whom], "s")
        print(f"{'':>40} | probabilities differ from those of one caller by at most {error:.1e}")
    return rows


def at_once(predict, parts):
    """Each part in a thread of its own."""
    with ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(predict, parts))


def in_turn(predict, parts):
    """One part after the other, with one thread in all."""
    with threadpool_limits(1):
        return [predict(X) for X in parts]


def measure(options):
    """All three."""
    return {
        "one row": measure_one_row(options),
        "many rows": measure_many_rows(options),
        "many callers": measure_many_callers(options),
    }
