"""Compiled training steps, by numba, where it is installed (``python -m pip install ".[fast]"``).

The core stays what one reads and what runs without numba. Here are the same formulas without NumPy's passes
over memory: kernels that do several elementwise operations on a number while it is in a register. What is
here knows the core; the core knows nothing of it.
"""
