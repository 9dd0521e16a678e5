"""Compiled training steps, by numba, where it is installed (``python -m pip install ".[fast]"``).

The core stays what one reads and what runs without numba. Here are the same formulas without NumPy's passes
over memory: kernels that do several elementwise operations on a number while it is in a register. What is
here knows the core; the core knows nothing of it.
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
    except ImportError as error:  # numba refuses a NumPy that it does not know
        return f"numba cannot be imported: {error}"
    return ""
