"""Compile all kernels ahead, for an image or before workers start: ``python -m sknn_scratch.compiled``."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from sknn_scratch.compiled import activations, losses, rules
from sknn_scratch.compiled.epoch import run_steps
from sknn_scratch.compiled.jit import Kernel
from sknn_scratch.core import ACTIVATIONS, LOSSES


def kernels() -> Iterator[Kernel]:
    """All that networks of the registries' classes may need."""
    yield from (run_steps, rules.update, rules.gradient_norm)
    for kind in ACTIVATIONS.values():
        found = activations.kernel_of(kind(), np.float64)
        if found is not None:
            yield from (found.forward, found.backward)
    for loss in LOSSES.values():
        of_loss = losses.kernel_of(loss())
        if of_loss is not None:
            yield of_loss.kernel


def main() -> None:
    """Compile, or load from numba's cache, each kernel in both precisions."""
    start = time.perf_counter()
    compiled = [kernel[dtype] for kernel in kernels() for dtype in (np.float64, np.float32)]
    print(
        f"{len(compiled)} kernels are ready after {time.perf_counter() - start:.1f} s, of which "
        f"{Kernel.seconds:.1f} s went into compiling. numba keeps them on disk."
    )


if __name__ == "__main__":
    main()
