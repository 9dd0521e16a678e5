"""Compile all kernels ahead of time, as for a container image: ``python -m sknn_scratch.compiled``."""

from __future__ import annotations

import time

import numpy as np

from sknn_scratch.compiled import activations, engine
from sknn_scratch.compiled.jit import Kernel
from sknn_scratch.core import ACTIVATIONS


def main() -> None:
    """Compile, or load from numba's cache, each kernel in both precisions."""
    start = time.perf_counter()
    for kind in ACTIVATIONS.values():
        activations.kernel_of(kind(), np.float64)
    n_ready = sum(kernel[dtype] is not None for kernel in Kernel.all for dtype in (np.float64, np.float32))
    print(
        f"{n_ready} kernels of the engine {engine.CompiledEngine.name!r} are ready after "
        f"{time.perf_counter() - start:.1f} s, of which compiling took {Kernel.seconds:.1f} s. "
        "numba keeps them on disk."
    )


if __name__ == "__main__":
    main()
