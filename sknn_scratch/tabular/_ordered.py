"""Categories with an order, such as small < medium < large, as numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sknn_scratch.tabular._columns import UserTable

Orders = dict[int, dict[Any, float]]
"""For columns by their number: the position of each level."""


def orders_in(table: UserTable) -> Orders:
    """The orders of the columns of pandas that say they have one (``Categorical(..., ordered=True)``).

    Parameters
    ----------
    table : UserTable
        Data.

    Returns
    -------
    dict of int -> dict
        By the number of the column, from levels to positions.
    """
    dtypes = {i: column.cells.dtype for i, column in enumerate(table.columns)}
    return {
        i: {level: float(position) for position, level in enumerate(dtype.categories.tolist())}
        for i, dtype in dtypes.items()
        if getattr(dtype, "ordered", False)
    }


def with_positions(table: UserTable, orders: Orders) -> UserTable:
    """The same table with positions in place of the levels that have one.

    Parameters
    ----------
    table : UserTable
        Data.
    orders : dict of int -> dict
        What `orders_in` found in the data of fit.

    Returns
    -------
    UserTable
        A level that is missing or unknown has become NaN.
    """
    columns = list(table.columns)
    for i, positions in orders.items():
        cells = np.asarray(columns[i].cells).tolist()
        numbers = np.array([positions.get(cell, np.nan) for cell in cells])
        columns[i] = replace(columns[i], cells=numbers, kinds={float})
    return UserTable(table.X, columns)
