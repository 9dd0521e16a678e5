"""Which engine computes: the compiled one where numba is installed, else NumPy."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sknn_scratch.compiled import obstacle
from sknn_scratch.core import NUMPY, Engine, Network
from sknn_scratch.core.parameters import FloatArray, LayerParameters
from sknn_scratch.fitting._user_line import warn_user

if TYPE_CHECKING:
    from sknn_scratch.compiled.engine import CompiledEngine

VARIABLE = "SKNN_SCRATCH_ENGINE"
"""Environment variable: ``numpy`` switches compiled kernels off."""


ROWS_FOR_KERNELS = 256
"""Rows from which kernels predict faster: for fewer, a process that only predicts need not import numba."""


def engine(verbose: object = False) -> Engine:
    """The engine for what is to be computed now.

    Parameters
    ----------
    verbose : object, default=False
        If true, a first compilation is printed. Otherwise it is logged.

    Returns
    -------
    Engine
        Compiled kernels, or the core itself.

    Raises
    ------
    ValueError
        If the environment names an engine that does not exist.
    """
    return NUMPY if reason_for_numpy() else _compiled(bool(verbose))


def raw_scores(
    network: Network,
    X: FloatArray,
    parameters: Sequence[LayerParameters],
    rows: npt.NDArray[np.intp] | None = None,
) -> FloatArray:
    """The raw scores of a network: few rows by NumPy, many by the engine.

    Parameters
    ----------
    network, X, parameters, rows
        As in :meth:`sknn_scratch.core.Network.raw_scores`.

    Returns
    -------
    ndarray of shape (n_rows, n_outputs)
        Raw scores.
    """
    if (X.shape[0] if rows is None else len(rows)) < ROWS_FOR_KERNELS:
        return network.raw_scores(X, parameters, rows)
    return engine().raw_scores(network, X, parameters, rows)


def reason_for_numpy() -> str:
    """Why NumPy computes; empty if compiled kernels do.

    Returns
    -------
    str
        The reason.
    """
    chosen = os.environ.get(VARIABLE, "")
    if chosen not in ("", "numpy", "numba"):
        raise ValueError(f"The environment variable {VARIABLE} must be 'numpy' or 'numba', got {chosen!r}.")
    if chosen == "numpy":
        return f"{VARIABLE}=numpy"
    return _obstacle() or _compiled(False).failure


_obstacle = cache(obstacle)


@cache
def _compiled(verbose: bool) -> CompiledEngine:
    from sknn_scratch.compiled.engine import CompiledEngine

    return CompiledEngine(warn_user, print if verbose else logging.getLogger("sknn_scratch").info)
