"""Targets of all kinds, classes and numbers, and weights of rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from fuzzing.chance import mostly, seldom

CLASSES = {
    "two": np.array([0, 1]),
    "bools": np.array([False, True]),
    "signs": np.array([-1, 1]),
    "three": np.array([0, 1, 2]),
    "floats": np.array([1.0, 2.0, 5.0]),
    "strings": np.array(["a", "b", "cc"]),
    "string objects": np.array(["no", "yes"], dtype=object),
    "one": np.array(["only"]),
    "many": np.arange(12),
    "small integers": np.array([3, 200], dtype=np.uint8),
    "large integers": np.array([2**60, 2**60 + 1]),
}
UNFIT_CLASSES = {
    "bytes": np.array([b"no", b"yes"]),
    "fractions": np.array([0.5, 1.5]),
    "None among them": np.array(["a", None], dtype=object),
    "unlike ones": np.array(["a", 1], dtype=object),
}
ALL_CLASSES = {**CLASSES, **UNFIT_CLASSES}


def _lognormal(rng, n):
    return np.exp(rng.standard_normal(n))


def _size(exponent):
    return lambda rng, n: 10.0**exponent * rng.standard_normal(n)


NUMBERS = {
    "normal": _size(0),
    "thousands": lambda rng, n: 2000 * _lognormal(rng, n),
    "counts": lambda rng, n: rng.poisson(2.0, n),
    "positive": _lognormal,
    "constant": lambda rng, n: np.full(n, 3.7),
    "zeros": lambda rng, n: np.zeros(n),
    "rare": lambda rng, n: (rng.uniform(size=n) < 0.1).astype(float),
    "float32": lambda rng, n: rng.standard_normal(n).astype(np.float32),
    "bools": lambda rng, n: rng.uniform(size=n) < 0.5,
    "far from zero": lambda rng, n: 1e9 + rng.standard_normal(n),
}
EXTREMES = {
    **{f"size 1e{exponent}": _size(exponent) for exponent in (-300, -30, -6, 6, 30, 150, 300)},
    "outlier": lambda rng, n: np.r_[1e9, rng.standard_normal(n - 1)],
    "gaps": lambda rng, n: np.where(rng.uniform(size=n) < 0.1, np.nan, rng.standard_normal(n)),
    "positive, tiny": lambda rng, n: 1e-300 * _lognormal(rng, n),
    "positive, huge": lambda rng, n: 1e300 * _lognormal(rng, n),
}

CONTAINERS: dict[str, Callable[[Any], Any]] = {
    "array": np.asarray,
    "list": lambda y: y.tolist(),
    "column": lambda y: y.reshape(len(y), -1),
    "pandas": lambda y: pd.Series(y) if y.ndim == 1 else pd.DataFrame(y),
    "pandas, nullable": lambda y: (pd.Series(y) if y.ndim == 1 else pd.DataFrame(y)).convert_dtypes(),
    "pandas, category": lambda y: pd.Series(y, dtype="category") if y.ndim == 1 else pd.DataFrame(y),
    "polars": lambda y: pl.Series(y.tolist(), strict=False) if y.ndim == 1 else pl.DataFrame(y),
    "objects": lambda y: y.astype(object),
    "float32": lambda y: np.clip(y, -1e36, 1e36).astype(np.float32) if y.dtype.kind in "fiu" else y,
    "sparse": lambda y: csr_matrix(y) if y.dtype.kind in "fiub" and y.ndim == 2 else y,
}


@dataclass(frozen=True)
class Target:
    """One or several columns of classes or numbers in a container."""

    kinds: tuple[str, ...]
    container: str
    of_classes: bool
    multilabel: bool = False

    def rows(self, n, seed):
        """Draw targets."""
        rng = np.random.RandomState(seed)
        if self.multilabel:
            columns = rng.randint(0, 2, (len(self.kinds), n))
        elif self.of_classes:
            columns = [rng.choice(ALL_CLASSES[kind], n) for kind in self.kinds]
        else:
            columns = [{**NUMBERS, **EXTREMES}[kind](rng, n) for kind in self.kinds]
        y = columns[0] if len(self.kinds) == 1 and not self.multilabel else np.array(columns).T
        return CONTAINERS[self.container](y)

    @property
    def classes(self):
        """All classes, as partial_fit wants them."""
        if self.multilabel:
            return None
        all_classes = [ALL_CLASSES[kind] for kind in self.kinds]
        return all_classes[0] if len(all_classes) == 1 else all_classes


@st.composite
def targets(draw, of_classes, takes_several):
    """Targets for a classifier or a regressor, seldom several columns where these are refused."""
    n = draw(mostly(st.just(1), st.integers(1, 3), 3 if takes_several else 20))
    usual, other = (CLASSES, UNFIT_CLASSES) if of_classes else (NUMBERS, EXTREMES)
    kinds = st.sampled_from(list(other if draw(seldom(16 if of_classes else 4)) else usual))
    container = draw(mostly(st.just("array"), st.sampled_from(list(CONTAINERS)), 2))
    multilabel = of_classes and n > 1 and draw(st.booleans())
    return Target(tuple(draw(st.lists(kinds, min_size=n, max_size=n))), container, of_classes, multilabel)


USUAL_WEIGHTS: dict[str, Callable[[np.random.RandomState, int], Any]] = {
    "none": lambda rng, n: None,
    "uniform": lambda rng, n: rng.uniform(0.5, 2, n),
    "zeros among them": lambda rng, n: rng.randint(0, 3, n).astype(float),
    "a list": lambda rng, n: rng.randint(1, 3, n).tolist(),
    "pandas": lambda rng, n: pd.Series(rng.uniform(0.5, 2, n)),
    "float32": lambda rng, n: rng.uniform(0.5, 2, n).astype(np.float32),
}
UNFIT_WEIGHTS: dict[str, Callable[[np.random.RandomState, int], Any]] = {
    "all zero": lambda rng, n: np.zeros(n),
    "negative": lambda rng, n: rng.standard_normal(n),
    "tiny": lambda rng, n: np.full(n, 1e-300),
    "huge": lambda rng, n: np.full(n, 1e30),
    "uneven": lambda rng, n: 10.0 ** rng.uniform(-20, 20, n),
    "one row": lambda rng, n: np.eye(1, n)[0],
    "a number": lambda rng, n: 2.0,
}
WEIGHTS = {**USUAL_WEIGHTS, **UNFIT_WEIGHTS}


def weights():
    """The name of a kind of weights of rows, mostly usual ones."""
    given = mostly(st.sampled_from(list(USUAL_WEIGHTS)), st.sampled_from(list(UNFIT_WEIGHTS)), 8)
    return mostly(st.just("none"), given, 3)
