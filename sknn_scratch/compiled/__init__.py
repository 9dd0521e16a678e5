"""Compiled training steps, by numba, where it is installed (``python -m pip install ".[fast]"``).

The core is the code to read, and it runs without numba. This package computes the same formulas without
NumPy's passes over memory: its kernels do several elementwise operations on a number while it is in a
register. It imports the core; the core does not import it. Read the files in this order:

- ``jit``: numba's options, and kernels that are compiled once for each precision
- ``elementary``, ``error_function``: exp, log, tanh, erf and the like, without branches
- ``formulas``: the text of a formula becomes source
- ``activations``: kernels made from that source
- ``loss_means``, ``losses_of_numbers``, ``losses_of_classes``, ``losses``: value and gradient
- ``updates``, ``rules``: penalty, clipping and update in one pass
- ``layers``: a dense layer and its activation in one layer
- ``network``: a network of compiled layers, on the same parameters
- ``products``: matrix products in compiled code
- ``random_bits``, ``dropout``: random numbers and masks, the same as the core's
- ``meeting``: where threads wait for each other
- ``plan``, ``passes``, ``epoch``: whole epochs in one compiled loop, for one thread or several
- ``whole_epochs``: which networks that loop trains, and its arguments
- ``engine``: chooses between that loop and compiled steps

For networks of tables:

- ``periodic``: sine and cosine at once
- ``table_layers``: hidden layers fused with their activations
- ``embeddings``: embeddings of numbers and of categories

Skip at first reading:

- ``__main__``: compiles all kernels ahead of time
"""

from __future__ import annotations


def obstacle() -> str:
    """Say why numba cannot be used here.

    Returns
    -------
    str
        The reason, empty if it can be used.
    """
    try:
        import numba  # noqa: F401
    except ModuleNotFoundError as error:
        return f"{error.name} is not installed"
    except ImportError as error:  # numba refuses versions of NumPy that it does not know
        return f"numba cannot be imported: {error}"
    return ""
