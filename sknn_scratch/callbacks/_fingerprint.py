"""A short text that shows whether two values are the same, even in different processes."""

from __future__ import annotations

import hashlib
import types
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

_BLOCK = 2**20
"""Bytes of an array that are hashed at a time, so that an array in another order is never copied whole."""


def fingerprint(value: object) -> str:
    """Hash a value by its contents, not by its place in memory.

    The hash of an array includes its dtype; that of a function its code, defaults and closure; that of any
    other object what pickling would keep. A class counts by its name only. All `RandomState` objects count as
    equal.

    Parameters
    ----------
    value : object
        A parameter or data.

    Returns
    -------
    str
        Hexadecimal digits.
    """
    return hashlib.blake2b(repr(_described(value, ())).encode(), digest_size=16).hexdigest()


def _described(value: Any, above: tuple[int, ...]) -> object:
    """The value as a tuple of numbers and strings; `above` holds those that it was found in."""

    def described(part: object) -> object:
        return _described(part, (*above, id(value)))

    def all_described(parts: Iterable[object]) -> tuple[object, ...]:
        return tuple(described(part) for part in parts)

    if id(value) in above:
        return "itself"
    kind = type(value).__qualname__
    match value:
        case np.generic():
            return described(value.item())
        case None | bool() | int() | float() | complex() | str() | bytes():
            return value
        case list() | tuple():
            return kind, all_described(value)
        case set() | frozenset():
            return kind, sorted(map(repr, all_described(value)))
        case dict():
            return kind, sorted(repr(all_described(item)) for item in value.items())
        case np.ndarray() if value.dtype.hasobject:
            return kind, value.shape, all_described(value.flat)
        case np.ndarray():
            return "array", value.dtype.str, value.shape, _hash_of_entries(np.atleast_1d(value))
        case np.random.RandomState():
            return kind
        case type() | types.BuiltinFunctionType():
            return value.__module__, value.__qualname__
        case types.CodeType():
            return value.co_code, value.co_names, all_described(value.co_consts)
        case types.FunctionType():
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            parts = (value.__code__, value.__defaults__, value.__kwdefaults__, cells)
            return value.__module__, value.__qualname__, all_described(parts)
    if issparse(value):
        return kind, value.shape, all_described((value.data, value.indices, value.indptr))
    try:
        parts = value.__reduce_ex__(4)
    except TypeError:  # what cannot be pickled, such as a ufunc, may have a name at least
        return kind, getattr(value, "__name__", None)
    if isinstance(parts, str):  # the name of what is found in a module
        return kind, parts
    return kind, all_described(list(part) if hasattr(part, "__next__") else part for part in parts[1:])


def _hash_of_entries(array: npt.NDArray[Any]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    n_rows = max(1, _BLOCK * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), n_rows):
        digest.update(array[start : start + n_rows].tobytes())
    return digest.hexdigest()
