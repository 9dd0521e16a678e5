"""How fast the estimators fit, beside their peers.

Milliseconds per epoch: a fit of one epoch is timed apart and subtracted, so that validation and
initialisation are not counted. Only where the time to compile is the question, whole fits of 20 epochs are
compared.
"""

from functools import partial

import numpy as np
from scipy.sparse import csr_matrix

from sknn_scratch.core import Adam

from . import peers
from .measuring import alternate, mean_ratio, show_ratio, versus
from .workloads import chosen

DTYPES = ("float64", "float32")

# what differs from the workload "digits": settings, and whether the data are made sparse or weighted
VARIANTS = {
    "solver sgd": {"solver": "sgd"},
    "solver lbfgs": {"solver": "lbfgs", "tol": 0.0},
    "activation tanh": {"activation": "tanh"},
    "activation logistic": {"activation": "logistic"},
    "sparse X": {},
    "early stopping": {"early_stopping": True},
    "sample weights": {},
}

# of what scikit-learn does not have: beside ours on NumPy alone
OWN_VARIANTS = {
    "dropout": {"dropout": 0.2},
    "activation silu": {"activation": "silu"},
    "activation gelu": {"activation": "gelu"},
    "activation mish": {"activation": "mish"},
    "solver adamw": {"solver": "adamw"},
    "clipped gradients": {"solver": Adam(max_grad_norm=1.0)},
}


def epoch_ms(peer, X, y, n_epochs, **fit_parameters):
    """Milliseconds per epoch, without what a fit costs once."""
    one_epoch = peer.fit(X, y, 1, **fit_parameters)
    return 1e3 * (peer.fit(X, y, 1 + n_epochs, **fit_parameters) - one_epoch) / n_epochs


def fastest(candidates, X, y, n_epochs):
    """The one with the shortest fit, after a first one that warms it up."""
    times = {}
    for key, peer in candidates.items():
        peer.fit(X, y, 1)
        times[key] = min(peer.fit(X, y, 1 + n_epochs) for _ in range(2))
    return min(times, key=times.get)


def field_of(workload, dtype, names, X, y):
    """Who runs: ours and the peers asked for; PyTorch with the better of one and two threads.

    PyTorch and JAX are compared in float32, the precision they are made for.
    """
    field, notes = {"ours": peers.ours(workload)}, {}
    if "numpy" in names:
        field["numpy"] = peers.without_numba(workload)
    if "sklearn" in names:
        field["sklearn"] = peers.sklearn(workload)
    if dtype == "float32" and ("torch" in names or "skorch" in names):
        candidates = {threads: peers.Torch(workload, threads) for threads in (1, 2)}
        threads = fastest(candidates, X, y, workload.n_epochs)
        if "torch" in names:
            field["torch"] = candidates[threads]
        if "skorch" in names:
            field["skorch"] = peers.Skorch(workload, threads)
        notes = {peer: {"threads": threads} for peer in ("torch", "skorch")}
    if dtype == "float32" and "jax" in names:
        field["jax"] = peers.Jax(workload, fresh=False)
    for peer in field.values():
        peer.fit(X, y, 1)  # imports, starts threads, compiles
    return field, notes


def measure(options):
    """Every workload in both precisions, beside all peers: a row for each peer."""
    rows = []
    for dtype in DTYPES:
        for name, workload in chosen(options.quick).items():
            X, y = workload.data(dtype)
            field, notes = field_of(workload, dtype, options.peers, X, y)
            runs = {who: partial(epoch_ms, peer, X, y, workload.n_epochs) for who, peer in field.items()}
            times = alternate(runs, options.repeats)
            our_loss = field["ours"].loss(X, y)
            for who in [who for who in field if who != "ours"]:
                row = {
                    "peer": who,
                    "dtype": dtype,
                    "workload": name,
                    **versus(times[who], times["ours"]),
                    "losses": {"theirs": field[who].loss(X, y), "ours": our_loss},
                    **notes.get(who, {}),
                }
                rows.append(row)
                show_ratio(f"{who} {dtype} {name}", row, "ms/epoch")
                print(f"{'':>40} | losses {row['losses']['theirs']:.6f} {our_loss:.6f}", notes.get(who, ""))
    for who, dtype in dict.fromkeys((row["peer"], row["dtype"]) for row in rows):
        ratios = [row["ratio"] for row in rows if (row["peer"], row["dtype"]) == (who, dtype)]
        print(f"{who} {dtype}: least ratio {min(ratios):.2f}, geometric mean {mean_ratio(ratios):.2f}")
    return rows


def measure_variants(options):
    """Other settings of the estimator on the workload "digits", beside scikit-learn."""
    rows = []
    workload = chosen(options.quick)["digits"]
    for dtype in DTYPES:
        for name, settings in (VARIANTS | OWN_VARIANTS).items():
            X, y = workload.data(dtype)
            fit_parameters = {}
            if name == "sparse X":
                X = csr_matrix(np.where(np.abs(X) > 1.5, X, 0))  # an eighth of it
            if name == "sample weights":
                fit_parameters["sample_weight"] = np.random.RandomState(1).uniform(0.5, 2, len(y))
            who = "sklearn" if name in VARIANTS else "numpy"
            their = peers.sklearn if name in VARIANTS else peers.without_numba
            field = {who: their(workload, **settings), "ours": peers.ours(workload, **settings)}
            for peer in field.values():
                peer.fit(X, y, 1, **fit_parameters)  # compiles
            runs = {
                who: partial(epoch_ms, peer, X, y, workload.n_epochs, **fit_parameters)
                for who, peer in field.items()
            }
            times = alternate(runs, options.repeats)
            row = {
                "variant": name,
                "peer": who,
                "dtype": dtype,
                **versus(times[who], times["ours"]),
                "epochs": {who: int(peer.model.n_iter_) for who, peer in field.items()},
                "losses": {
                    "theirs": field[who].loss(X, y),
                    "ours": field["ours"].loss(X, y),
                },
            }
            rows.append(row)
            show_ratio(f"{dtype} {name}", row, "ms/epoch")
            print(
                f"{'':>40} | losses {row['losses']['theirs']:.6f} {row['losses']['ours']:.6f}, "
                f"epochs {row['epochs']}"
            )
    return rows


def measure_compilation(options):
    """Whole fits of 20 epochs, float32, beside JAX that compiles: what a first fit takes."""
    if "jax" not in options.peers:
        return []
    rows = []
    for name, workload in chosen(options.quick).items():
        X, y = workload.data("float32")
        field = {"jax": peers.Jax(workload, fresh=True), "ours": peers.ours(workload)}
        for peer in field.values():
            peer.fit(X, y, 1)  # imports, starts threads
        runs = {who: partial(peer.fit, X, y, 20) for who, peer in field.items()}
        times = alternate(runs, max(2, options.repeats // 2))  # whole fits are long and vary less
        row = {"workload": name, **versus(times["jax"], times["ours"])}
        rows.append(row)
        show_ratio(f"jax with compilation, 20 epochs, {name}", row, "s")
    return rows
