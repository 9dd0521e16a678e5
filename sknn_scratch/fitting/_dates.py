"""Dates and times are no numbers yet: one refusal, for columns of X and for y."""

import datetime

import numpy as np

from sknn_scratch.fitting._kinds import kinds_of

_DATES = datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64
_ADVICE = "Turn it into numbers, such as days since a date, the hour or the day of the week, or leave it out."


def refuse_dates(what, column):
    """Raise if a column holds dates, times, durations or periods.

    Parameters
    ----------
    what : str
        How the message calls the column, such as "Column 'a' of X".
    column : ndarray, or Series of pandas or polars
        The column.

    Raises
    ------
    ValueError
        If it does; the message names the column and says what to do.
    """
    if any(issubclass(kind, _DATES) or _is_period(kind) for kind in kinds_of(column)):
        raise ValueError(f"{what} holds dates or times, which are no numbers yet. {_ADVICE}")


def _is_period(kind):
    """Whether it is pandas' Period, which is no date of the standard library's."""
    return kind.__name__ == "Period" and kind.__module__.startswith("pandas")
