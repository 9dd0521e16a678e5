"""The sine and the cosine of the periodic embedding, against NumPy's in a wider type."""

import numpy as np
import pytest

pytest.importorskip("numba")

from sknn_scratch.compiled.jit import inner
from sknn_scratch.compiled.periodic import LARGEST, sine_and_cosine

WIDER = {np.float32: np.float64, np.float64: np.longdouble}


def numbers(dtype, largest):
    """Numbers of all sizes up to the largest, and the neighbours of multiples of pi / 4."""
    rng = np.random.default_rng(0)
    sizes = 10.0 ** rng.uniform(np.log10(np.finfo(dtype).smallest_subnormal), np.log10(largest), 5000)
    quarters = np.pi / 4 * rng.integers(0, int(largest / np.pi * 4), 5000)
    ends = [0, largest, np.finfo(dtype).tiny, np.finfo(dtype).smallest_subnormal]
    x = np.concatenate([sizes, rng.uniform(0, largest, 5000), quarters, ends]).astype(dtype)
    x = np.concatenate([x, np.nextafter(x, dtype(0))])
    return np.concatenate([x, -x])


@inner
def sines_and_cosines(x, sines, cosines):
    for i in range(x.size):
        sines[i], cosines[i] = sine_and_cosine(x[i])


@pytest.mark.parametrize("dtype", list(WIDER))
@pytest.mark.parametrize("largest", [1e4, LARGEST])
def test_sine_and_cosine_are_right_to_the_last_digits(dtype, largest):
    wider, x = WIDER[dtype], numbers(dtype, largest)
    values = np.empty((2, x.size), dtype)
    sines_and_cosines(x, *values)
    for value, function in zip(values, (np.sin, np.cos), strict=True):
        exact = function(x.astype(wider))
        errors = np.abs(value.astype(wider) - exact) / np.spacing(np.abs(exact.astype(dtype)))
        assert errors.max() <= 2, x[errors.argmax()]


@pytest.mark.parametrize("dtype", list(WIDER))
@np.errstate(invalid="ignore")
def test_no_sine_or_cosine_of_what_is_not_finite(dtype):
    x = np.array([np.inf, -np.inf, np.nan], dtype)
    values = np.empty((2, x.size), dtype)
    sines_and_cosines(x, *values)
    assert np.isnan(values).all()
