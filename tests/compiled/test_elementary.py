"""Elementary functions against NumPy's, in a wider type where there is one."""

import numpy as np
import pytest
from scipy import special

pytest.importorskip("numba")

from sknn_scratch.compiled import elementary, error_function

WIDER = {np.float32: np.float64, np.float64: np.longdouble}


def _softplus(x):
    return np.logaddexp(0, x)


def _tanh_softplus(x):
    return np.where(
        x > 0, np.tanh(_softplus(x)), -np.expm1(-2 * _softplus(x)) / (1 + np.exp(-2 * _softplus(x)))
    )


def _erf(x):
    return special.erf(x.astype(np.float64))


REFERENCES = {
    "erf": _erf,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "logistic": special.expit,
    "softplus": _softplus,
    "tanh": np.tanh,
    "tanh_softplus": _tanh_softplus,
}
ULP = {"tanh_softplus": 4.0}
FUNCTIONS = {"erf": error_function.erf} | {name: getattr(elementary, name) for name in elementary.__all__}


def test_every_function_has_a_reference():
    assert sorted(REFERENCES) == sorted(FUNCTIONS)


def numbers(dtype):
    """Numbers of all sizes and signs, and where the functions change from one formula to another."""
    limits = np.finfo(dtype)
    rng = np.random.default_rng(0)
    sizes = 10.0 ** rng.uniform(np.log10(limits.smallest_subnormal), np.log10(limits.max), 100)
    near = np.concatenate([scale * rng.normal(size=100) for scale in (0.3, 1, 5, 30, 300)])
    ends = [0, np.inf, np.nan, limits.max, limits.tiny, limits.smallest_subnormal, limits.eps]
    edges = [0.3465736, 0.4142135, 0.7071068, 1, 1.4142136, 6, 20, 40, 87.3, 88.7, 103.9, 708.4, 709.7, 745.1]
    x = np.concatenate([sizes, near, ends, edges]).astype(dtype)
    return np.concatenate([x, -x, np.nextafter(x, dtype(0)), np.nextafter(x, dtype(np.inf))])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FUNCTIONS)
@np.errstate(all="ignore")
def test_functions_are_right_to_the_last_digits(name, dtype):
    wider = WIDER[dtype]
    x = numbers(dtype)
    function = FUNCTIONS[name]
    values = np.array([function(number) for number in x])
    np.testing.assert_array_equal(values, values.astype(dtype))  # nothing is computed in another type
    values = values.astype(dtype)
    exact = REFERENCES[name](x.astype(wider))
    rounded = exact.astype(dtype)
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(values[~finite], rounded[~finite])
    # a reference in float64 itself is off by up to one unit
    bound = ULP.get(name, 3.0) + (name == "erf" or np.finfo(wider).eps == np.finfo(dtype).eps)
    unit = np.maximum(np.abs(np.spacing(rounded)), np.finfo(dtype).tiny if name == "logistic" else 0)
    errors = (np.abs(values.astype(wider) - exact) / unit)[finite]
    assert errors.max() <= bound, x[finite][errors.argmax()]
