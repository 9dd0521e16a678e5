"""Categories with an order, such as small < medium < large, as numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sknn_scratch.fitting._columns import cells_of
from sknn_scratch.tabular._columns import UserColumn, UserTable

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
    dtypes = {column.i: column.cells.dtype for column in table.columns}
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
    if not orders:
        return table
    is_ordered = np.zeros(len(table.names), dtype=bool)
    is_ordered[list(orders)] = True
    columns = {column.i: column for column in table.columns}
    for i, positions in orders.items():  # levels may be numbers, which a later X gives as such
        cells = np.asarray(cells_of(table.X, i)).tolist()
        numbers = np.array([positions.get(cell, np.nan) for cell in cells])
        columns[i] = UserColumn(i, table.names[i], numbers, {float})
    in_order = [columns[i] for i in sorted(columns)]
    return replace(table, numbers=table.numbers.without(is_ordered), columns=in_order)
