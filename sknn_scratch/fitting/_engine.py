"""Which engine computes: the compiled one where numba is installed, else NumPy."""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import TYPE_CHECKING

from sknn_scratch.compiled import obstacle
from sknn_scratch.core import NUMPY, Engine
from sknn_scratch.fitting._user_line import warn_user

if TYPE_CHECKING:
    from sknn_scratch.compiled.engine import CompiledEngine

VARIABLE = "SKNN_SCRATCH_ENGINE"
"""Environment variable: ``numpy`` switches compiled kernels off."""


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
