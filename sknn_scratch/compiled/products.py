"""Matrix products in compiled code, by SciPy's BLAS.

A product of small matrices takes 25 ns this way, and 80 ns by numba's own `dot`. The address of the BLAS
function is an argument: numba does not keep code on disk that contains an address.

BLAS reads matrices column by column, so a matrix stored row by row is its transpose there. Each product is
computed as the transpose of the result, with the factors in the other order.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from sknn_scratch.compiled.jit import inner

_N, _T = ord("N"), ord("T")


def gemm_address(dtype: npt.DTypeLike) -> int:
    """The address of the BLAS function that multiplies matrices of this dtype."""
    name = "dgemm" if np.dtype(dtype) == np.float64 else "sgemm"
    address: int = get_cython_function_address("scipy.linalg.cython_blas", name)
    return address


@intrinsic
def _gemm_of_blas(
    typing_context: Any, address: Any, modes: Any, sizes: Any, strides: Any, arrays: Any
) -> Any:
    """C <- op(a) op(b) for matrices stored column by column.

    `modes` are N or T for a and b, `sizes` are m, n, k, and `strides` are the numbers between columns.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number, integer = context.get_value_type(signature.args[4][0].dtype), ir.IntType(32)

        def stored(value: Any) -> Any:
            place = cgutils.alloca_once(builder, value.type)
            builder.store(value, place)
            return place

        def each(i: int, kind: Any) -> list[Any]:
            items = cgutils.unpack_tuple(builder, values[i])
            return [stored(builder.trunc(item, kind)) for item in items]

        one, zero = stored(ir.Constant(number, 1.0)), stored(ir.Constant(number, 0.0))
        (mode_a, mode_b), (m, n, k) = each(1, ir.IntType(8)), each(2, integer)
        step_a, step_b, step_c = each(3, integer)
        a, b, c = (
            context.make_array(kind)(context, builder, array).data
            for kind, array in zip(signature.args[4], cgutils.unpack_tuple(builder, values[4]), strict=True)
        )
        given = [mode_a, mode_b, m, n, k, one, a, step_a, b, step_b, zero, c, step_c]
        function_type = ir.FunctionType(ir.VoidType(), [value.type for value in given])
        builder.call(builder.inttoptr(values[0], function_type.as_pointer()), given)
        return context.get_dummy_value()

    return types.none(address, modes, sizes, strides, arrays), generate


def _gemm_of_numpy(gemm: int, modes: Any, sizes: Any, strides: Any, arrays: Any) -> None:
    a, b = (array if mode == _T else array.T for array, mode in zip(arrays[:2], modes, strict=True))
    arrays[2][...] = (a @ b).T


_gemm = _gemm_of_numpy if numba.config.DISABLE_JIT else _gemm_of_blas


@inner
def product(gemm: int, x: Any, weights: Any, out: Any) -> None:
    """Write out <- x W, as out^T = W^T x^T."""
    m, k, n = len(x), len(weights), weights.shape[1]
    _gemm(gemm, (_N, _N), (n, m, k), (n, k, n), (weights, x, out))


@inner
def product_of_columns(gemm: int, x: Any, delta: Any, out: Any) -> None:
    """Write out <- x^T delta, as out^T = delta^T x; x may be some columns of a matrix."""
    m, k, n = len(x), x.shape[1], delta.shape[1]
    _gemm(gemm, (_N, _T), (n, k, m), (n, x.strides[0] // x.itemsize, n), (delta, x, out))


@inner
def product_of_rows(gemm: int, delta: Any, weights: Any, out: Any) -> None:
    """Write out <- delta W^T, as out^T = W delta^T."""
    m, k, n = len(delta), len(weights), weights.shape[1]
    _gemm(gemm, (_T, _N), (k, m, n), (n, n, k), (weights, delta, out))
