"""Dates and times are no numbers yet: one refusal, for columns of X and for y."""

import datetime

import numpy as np

_DATES = datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64
_ADVICE = "Turn it into numbers, such as days since a date, the hour or the day of the week, or leave it out."


def refuse_dates(name, values, kind=""):
    """Raise if a column holds dates, times or durations.

    Parameters
    ----------
    name : str
        How the message calls the column.
    values : ndarray of shape (n_rows,)
        What the column holds.
    kind : str, default=""
        The kind of the column's own dtype, where it is not that of `values`.

    Raises
    ------
    ValueError
        If it does; the message names the column and says what to do.
    """
    is_dates = values.dtype.kind in "mM" or kind in ("m", "M")
    if is_dates or (values.dtype == object and any(isinstance(value, _DATES) for value in values)):
        raise ValueError(f"Column {name!r} of X holds dates or times, which are no numbers yet. {_ADVICE}")
