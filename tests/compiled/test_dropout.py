"""Masks that are drawn in compiled code: bit by bit those of the core, from the same random numbers."""

import numpy as np
import pytest

pytest.importorskip("numba")

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sknn_scratch.compiled.dropout import draw_mask
from sknn_scratch.compiled.random_bits import RandomBits
from sknn_scratch.core import Dropout
from sknn_scratch.core.layers.dropout import UNITS_OF_A_DRAW

SOURCES = [np.random.RandomState, lambda seed: np.random.RandomState(np.random.SFC64(seed))]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@settings(deadline=None, max_examples=30)  # the first call compiles
@given(
    shape=st.tuples(st.integers(1, 70), st.integers(1, 400)),
    rate=st.floats(0.0, 1.0 - 2.0**-20),
    seed=st.integers(0, 99),
    source=st.sampled_from(SOURCES),
    n_before=st.integers(0, 700),
)
@example((3, UNITS_OF_A_DRAW + 5), 0.5, 0, SOURCES[0], 0)  # a row that takes more than one draw
@example((66, 333), 0.5 + 2.0**-17, 0, SOURCES[0], 623)  # the rate is rounded to even, as in Python
def test_a_mask_is_that_of_the_core_and_leaves_the_generator_where_the_core_does(
    dtype, shape, rate, seed, source, n_before
):
    rng, own_rng = source(seed), source(seed)
    assert rng.bytes(4 * n_before) == own_rng.bytes(4 * n_before)  # some words of a state are used up
    layer = Dropout(rate, shape[1])
    buffers, mask = layer.backward_buffers(shape[0], dtype), np.full(shape, np.nan, dtype)
    random_bits = RandomBits(own_rng)
    for _ in range(2):
        layer.draw(rng, buffers)
        with random_bits.lock:
            draw_mask(random_bits.arguments, rate, mask)
        np.testing.assert_array_equal(mask, buffers["mask"])
    assert own_rng.randint(2**31) == rng.randint(2**31)
