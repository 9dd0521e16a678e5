"""Parts of an array as arrays, for nothing.

A slice of numba's counts references, at 5 ns each, and its reshape is a call of C. In a step for one row that
is as much as the arithmetic. The views here are an address and a shape. They neither check nor hold what they
look at, so they are for memory that the caller of a kernel holds.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core.base import BaseContext
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from sknn_scratch.compiled.jit import scalar


def _view(context: BaseContext, builder: Any, signature: Any, values: Any) -> Any:
    """An array without an owner, from a long one, its start there, and its shape."""
    whole = context.make_array(signature.args[0])(context, builder, values[0])
    view = context.make_array(signature.return_type)(context, builder)
    integer = context.get_value_type(types.intp)
    size = context.get_abi_sizeof(context.get_value_type(signature.return_type.dtype))
    strides = [ir.Constant(integer, size)]
    for length in reversed(values[3:]):
        strides.insert(0, builder.mul(strides[0], length))
    data = builder.gep(whole.data, [values[1]])
    item = ir.Constant(integer, size)
    populate_array(view, data, shape=values[2:], strides=strides, itemsize=item, meminfo=None)
    return view._getvalue()


@intrinsic
def _vector(typing_context: Any, whole: Any, start: Any, length: Any) -> Any:
    return types.Array(whole.dtype, 1, "C")(whole, types.intp, types.intp), _view


@intrinsic
def _matrix(typing_context: Any, whole: Any, start: Any, n_rows: Any, n_columns: Any) -> Any:
    return types.Array(whole.dtype, 2, "C")(whole, types.intp, types.intp, types.intp), _view


@scalar
def _vector_of_slice(whole: Any, start: int, length: int) -> Any:
    return whole[start : start + length]


@scalar
def _matrix_of_slice(whole: Any, start: int, n_rows: int, n_columns: int) -> Any:
    return whole[start : start + n_rows * n_columns].reshape(n_rows, n_columns)


_is_checked = numba.config.DISABLE_JIT or numba.config.BOUNDSCHECK
vector_of = _vector_of_slice if _is_checked else _vector
"""``vector_of(whole, start, length)``: numbers of a long vector."""

matrix_of = _matrix_of_slice if _is_checked else _matrix
"""``matrix_of(whole, start, n_rows, n_columns)``: numbers of a long vector, row by row."""
