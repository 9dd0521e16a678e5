"""Refuse, before any work, what the machine's memory cannot hold."""

from __future__ import annotations

import os

import numpy as np


def refuse_beyond_memory(needed: int, what: str, advice: str) -> None:
    """Raise if something takes more bytes than the machine has.

    Parameters
    ----------
    needed : int
        Bytes.
    what : str
        What takes them, as the beginning of the message.
    advice : str
        What to do, as its end.

    Raises
    ------
    MemoryError
        If it does.
    """
    try:
        available = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not a POSIX system
        available = np.iinfo(np.intp).max
    if needed > available:
        raise MemoryError(
            f"{what} takes {needed / 2**30:,.1f} GiB; this machine has {available / 2**30:,.1f} GiB. {advice}"
        )
