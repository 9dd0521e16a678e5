"""Matrix products in compiled code, against NumPy's."""

import numpy as np
import pytest

pytest.importorskip("numba")

from hypothesis import given, settings
from hypothesis import strategies as st

from sknn_scratch.compiled.products import gemm_address, product, product_of_columns, product_of_rows

SIZES = st.integers(1, 40)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@settings(deadline=None)  # the first call compiles
@given(m=SIZES, k=SIZES, n=SIZES)
def test_all_three_products_are_those_of_numpy(dtype, m, k, n):
    rng, gemm = np.random.RandomState(m), gemm_address(dtype)
    x, weights, delta = (rng.normal(size=size).astype(dtype) for size in ((m, k), (k, n), (m, n)))
    for multiply, factors, expected in (
        (product, (x, weights), x @ weights),
        (product_of_columns, (x, delta), x.T @ delta),
        (product_of_rows, (delta, weights), delta @ weights.T),
    ):
        out = np.full_like(expected, np.nan)
        multiply(gemm, *factors, out)
        np.testing.assert_allclose(out, expected, rtol=0, atol=200 * np.finfo(dtype).eps)
