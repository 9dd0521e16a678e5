"""Tables of all kinds: columns that know how to make rows, and containers that hold them."""

import datetime
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import strategies as st
from scipy import sparse

from fuzzing.chance import mostly, seldom


@dataclass(frozen=True)
class Kind:
    """A kind of column: how its values are drawn, and the dtypes that frames give it."""

    make: Callable[[np.random.RandomState, int], list]
    pandas: Any = None
    polars: Any = None
    holds_numbers: bool = True


def _with_gaps(make, gap):
    def make_with_gaps(rng, n):
        return [gap if rng.uniform() < 0.2 else value for value in make(rng, n)]

    return make_with_gaps


def _normal(rng, n):
    return rng.standard_normal(n).tolist()


def _integers(rng, n):
    return rng.randint(-3, 10, n).tolist()


def _flags(rng, n):
    return (rng.uniform(size=n) < 0.5).tolist()


def _levels(rng, n):
    return rng.choice(["red", "green", "blue", ""], n).tolist()


def _many_levels(rng, n):
    return [f"level {number}" for number in rng.randint(0, 40, n)]


def _mixed(rng, n):
    return [[1, "1", 2.5, True, "b"][number] for number in rng.randint(0, 5, n)]


def _dates(rng, n):
    return [datetime.datetime(2020, 1, int(day)) for day in rng.randint(1, 29, n)]


def _size(exponent):
    return lambda rng, n: (10.0**exponent * rng.standard_normal(n)).tolist()


def _wide(rng, n):
    return (rng.choice([-1, 1], n) * 10.0 ** rng.uniform(-30, 30, n)).tolist()


def _outlier(rng, n):
    return [1e30, *rng.standard_normal(n - 1).tolist()]


NUMBERS = {
    "normal": Kind(_normal),
    "integers": Kind(_integers),
    "flags": Kind(_flags),
    "constant": Kind(lambda rng, n: [2.5] * n),
    "zeros": Kind(lambda rng, n: [0.0] * n),
    "thousands": Kind(_size(3)),
    "unsigned": Kind(lambda rng, n: rng.randint(0, 9, n).tolist(), "uint8", pl.UInt8),
    "float32": Kind(_normal, "float32", pl.Float32),
}
EXTREMES = {
    "huge": Kind(_size(30)),
    "too huge": Kind(_size(200)),
    "largest": Kind(_size(307)),
    "tiny": Kind(_size(-30)),
    "denormal": Kind(_size(-310)),
    "wide": Kind(_wide),
    "outlier": Kind(_outlier),
}
UNFIT = {
    "gaps": Kind(_with_gaps(_normal, float("nan"))),
    "all missing": Kind(lambda rng, n: [float("nan")] * n),
    "infinite": Kind(_with_gaps(_normal, float("inf"))),
}
GAPS = {
    "gaps": UNFIT["gaps"],
    "all missing": UNFIT["all missing"],
    "None for numbers": Kind(_with_gaps(_normal, None), object),
    "nullable integers": Kind(_with_gaps(_integers, None), "Int64", pl.Int16),
    "nullable floats": Kind(_with_gaps(_normal, None), "Float64", pl.Float64),
    "nullable flags": Kind(_with_gaps(_flags, None), "boolean", pl.Boolean, False),
    "numbers as objects": Kind(_integers, object),
}
LEVELS = {
    "strings": Kind(_levels, holds_numbers=False),
    "strings with gaps": Kind(_with_gaps(_levels, None), holds_numbers=False),
    "strings as objects": Kind(_with_gaps(_levels, float("nan")), object, pl.String, False),
    "string dtype": Kind(_with_gaps(_levels, None), "string", pl.String, False),
    "category": Kind(_with_gaps(_levels, None), "category", pl.Categorical, False),
    "many levels": Kind(_many_levels, "category", pl.Categorical, False),
    "numbers as category": Kind(_integers, "category", pl.Int64, False),
    "mixed": Kind(_mixed, object, pl.Object, False),
    "no level": Kind(lambda rng, n: [None] * n, object, pl.String, False),
}
DATES = {
    "dates": Kind(_dates, holds_numbers=False),
}


def _matrix(columns):
    """Columns of numbers as an array of floats, gaps as NaN."""
    return np.array([values for _, values in columns], dtype=float).T  # None becomes NaN


def _as(dtype):
    def convert(columns):
        with np.errstate(all="ignore"):
            return _matrix(columns).astype(dtype)

    return convert


def _sliced(columns):
    X = _matrix(columns)
    return np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]


def _read_only(columns):
    X = _matrix(columns)
    X.flags.writeable = False
    return X


def _memory_mapped(columns):
    X = _matrix(columns)
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, dtype=X.dtype, mode="w+", shape=X.shape)
    mapped[...] = X
    return mapped


def _objects(columns):
    return np.array([list(values) for _, values in columns], dtype=object).T.copy()


def _rows(columns):
    return [list(row) for row in zip(*(values for _, values in columns), strict=True)]


def _pandas(names):
    def frame(columns):
        series = [pd.Series(values, dtype=kind.pandas) for kind, values in columns]
        X = pd.concat(series, axis=1)
        X.columns = [names(i) for i in range(len(columns))]
        X.index = X.index[::-1] * 2
        return X

    return frame


def _polars(columns):
    series = [
        pl.Series(f"c{i}", values, dtype=kind.polars, strict=False)
        for i, (kind, values) in enumerate(columns)
    ]
    return pl.DataFrame(series)


ARRAYS = {
    "float64": _as(np.float64),
    # scikit-learn's own check warns where a sum of float32 overflows in both directions
    "float32": lambda columns: np.clip(_matrix(columns), -1e36, 1e36).astype(np.float32),
    "float16": lambda columns: np.clip(_matrix(columns), -6e4, 6e4).astype(np.float16),
    "longdouble": _as(np.longdouble),
    "int64": _as(np.int64),
    "int8": _as(np.int8),
    "bool": _as(bool),
    "Fortran": lambda columns: np.asfortranarray(_matrix(columns)),
    "big-endian": _as(">f8"),
    "sliced": _sliced,
    "backwards": lambda columns: _matrix(columns)[::-1],
    "read-only": _read_only,
    "memory-mapped": _memory_mapped,
}
SPARSE = {
    "CSR": lambda columns: sparse.csr_array(_matrix(columns)),
    "CSC": lambda columns: sparse.csc_matrix(_matrix(columns)),
    "COO": lambda columns: sparse.coo_array(_matrix(columns).astype(np.float32)),
    "CSR of integers": lambda columns: sparse.csr_matrix(_as(np.int32)(columns)),
}
TABLES = {
    "objects": _objects,
    "rows": _rows,
    "pandas": _pandas("c{}".format),
    "pandas, unnamed": _pandas(lambda i: i),
    "pandas, one name": _pandas(lambda i: "c"),
    "polars": _polars,
}
CONTAINERS = {**ARRAYS, **SPARSE, **TABLES}


@dataclass(frozen=True)
class Table:
    """Columns in a container, of which rows can be drawn again and again."""

    columns: tuple[str, ...]
    container: str

    def rows(self, n, seed):
        """Draw rows."""
        rng = np.random.RandomState(seed)
        kinds = [ALL_KINDS[name] for name in self.columns]
        return CONTAINERS[self.container]([(kind, kind.make(rng, n)) for kind in kinds])


ALL_KINDS = {**NUMBERS, **EXTREMES, **UNFIT, **GAPS, **LEVELS, **DATES}


def _kinds(*groups):
    return st.sampled_from([name for group in groups for name in group])


@st.composite
def tables(draw, takes_all):
    """A table; an estimator that takes all kinds of columns sees them often, another one seldom."""
    if takes_all:
        containers = ["pandas", "polars"] * 8 + ["objects", "rows"] * 3 + [*ARRAYS, *TABLES]
        container = draw(mostly(st.sampled_from(containers), st.sampled_from(list(SPARSE)), 40))
        groups = [NUMBERS, GAPS, LEVELS, *[DATES] * draw(seldom(20))]
    else:
        container = draw(st.sampled_from(list(CONTAINERS)))
        groups = [NUMBERS, *[GAPS, LEVELS, DATES] * draw(seldom(12))]
    groups += [EXTREMES] * draw(seldom(8)) + [UNFIT] * draw(seldom(16))
    kinds = _kinds(*groups)
    if container in ARRAYS or container in SPARSE:
        kinds = kinds.filter(lambda name: ALL_KINDS[name].holds_numbers)
    return Table(tuple(draw(st.lists(kinds, min_size=1, max_size=4))), container)
