"""Advice about a table before training: it is too large, will be slow, or holds an id."""

import numpy as np

from sknn_scratch.core import count_parameters
from sknn_scratch.fitting._memory import refuse_beyond_memory
from sknn_scratch.fitting._user_line import warn_user
from sknn_scratch.tabular._columns import is_missing

_MANY_LEVELS = 1000
"""Levels above which a category that becomes 0/1 columns multiplies the time of an epoch."""

_MANY_ROWS = 100
"""Rows below which a category may have as many levels by chance."""

_SHARE_OF_AN_ID = 0.9


def refuse_large_training(preprocessor, network, table, n_rows, n_tables, n_networks, rows_at_once):
    """Raise if the machine's memory cannot hold what training needs.

    Parameters
    ----------
    preprocessor : TabularPreprocessor
        Fitted.
    network : Network
        What is trained.
    table : Table
        What the preprocessor was fitted to.
    n_rows : int
        Rows to train on and to judge by.
    n_tables : int
        How many encoded tables of so many rows there are.
    n_networks : int
        How many networks are trained.
    rows_at_once : int
        Rows of the batches of all networks that are trained at the same time.

    Raises
    ------
    MemoryError
        If it cannot; the message says what to change.
    """
    width = preprocessor.n_numbers_ + preprocessor.n_one_hot_ + len(preprocessor.n_levels_)
    n_parameters = count_parameters(network.shapes)
    # the weights, their gradient, two moving averages, two factors, and the weights of the best epoch
    n_floats = n_tables * n_rows * width + n_networks * 7 * n_parameters
    n_floats += rows_at_once * sum(map(_floats_of_a_row, network.layers))
    wide = [table.names[i] for i, _, embedded in _categories(preprocessor) if not embedded]
    refuse_beyond_memory(
        np.dtype(np.float32).itemsize * n_floats,
        f"X becomes {n_tables} table(s) of {n_rows:,} rows and {width:,} columns, for {n_networks} "
        f"network(s) of {n_parameters:,} weights. Training them",
        f"Columns {wide} of X become thousands of 0/1 columns: use max_one_hot=8, which embeds them, as "
        "preset='td' does, or leave them out."
        if wide
        else "Use smaller hidden_layer_sizes, fewer networks (n_ens, n_cv), or less data.",
    )


def _floats_of_a_row(layer):
    """Numbers that a step keeps of each row of a batch."""
    buffers = layer.forward_buffers(1, np.float32) | layer.backward_buffers(1, np.float32)
    return sum(array.size for array in buffers.values())


def warn_of_levels(preprocessor, table):
    """Warn of categories that hold an id, or become thousands of columns.

    Parameters
    ----------
    preprocessor : TabularPreprocessor
        Fitted.
    table : Table
        What it was fitted to.
    """
    for i, levels, embedded in _categories(preprocessor, _MANY_ROWS):
        column = table.column(i)
        n_known = sum(not is_missing(value) for value in column.values)
        if len(levels) > _SHARE_OF_AN_ID * n_known:
            warn_user(
                f"Column {column.name!r} of X is a category with about as many levels as rows "
                f"({len(levels):,} in {n_known:,} training rows), so it says nothing about new rows. "
                "Leave it out, or convert it to numbers."
            )
        elif len(levels) >= _MANY_LEVELS and not embedded:
            warn_user(
                f"Column {column.name!r} of X becomes {len(levels):,} 0/1 columns, which take time "
                "and memory. Use max_one_hot=8, which embeds it, as preset='td' does."
            )


def _categories(preprocessor, n_levels=_MANY_LEVELS):
    """Number, levels and whether it is embedded, for each category with so many levels."""
    learnt = zip(preprocessor._levels, preprocessor._is_embedded, strict=True)
    for i, (levels, embedded) in enumerate(learnt):
        if levels is not None and len(levels) >= n_levels:
            yield i, levels, embedded
