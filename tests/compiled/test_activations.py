"""Compiled activations against the methods of the core, which are the reference."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

pytest.importorskip("numba")

from sknn_scratch.compiled.activations import complaints, kernel_of
from sknn_scratch.core import ACTIVATIONS, Activation, LeakyReLU

DTYPES = [np.float32, np.float64]


def _size_of_z(z, result):
    return np.maximum(np.abs(z), 1)


# The largest term of a formula, if it is not the result. f' has the terms 1 and z Phi'(z), 1 and z s, ...
FORWARD_TERM = {"gelu": lambda z, a: np.abs(z)}
BACKWARD_TERM = {
    "tanh": lambda z, slope: 1,
    "logistic": lambda z, slope: 1,
    "elu": lambda z, slope: 1,
    "selu": lambda z, slope: 1.76,
    "gelu": _size_of_z,
    "silu": _size_of_z,
    "mish": _size_of_z,
}


def in_numpy(activation, z):
    """The output and the slope f'(z), by the methods of the core."""
    a, slope = np.empty_like(z), np.ones_like(z)
    activation.forward(z.copy(), out=a)
    activation.backward(z.copy(), a.copy(), slope)
    return a, slope


def compiled(activation, z, bias=None, delta=None):
    """The output, delta f'(z) and the gradient of the bias, by the kernels."""
    dtype = z.dtype
    kernel = kernel_of(activation, dtype)
    a, delta = z.copy(), np.ones_like(z) if delta is None else delta.copy()
    slope = np.empty_like(z) if kernel.needs_slope else np.empty((0, 0), dtype)
    bias = np.empty(0, dtype) if bias is None else bias
    bias_gradient = np.full_like(bias, np.nan)
    kernel.forward[dtype](kernel.constants, a, bias, slope)
    kernel.backward[dtype](kernel.constants, a.copy(), slope, delta, bias_gradient)
    return a, delta, bias_gradient


def assert_close(values, expected, term, z):
    """Within 4 units of the last place of the largest term, or of what a subnormal number has of them."""
    limits = np.finfo(z.dtype)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(values[~finite], expected[~finite])
    size = np.maximum(term, limits.tiny * np.fmin(np.fmax(np.abs(z), 1), 1e3))
    with np.errstate(over="ignore"):
        close = np.abs(values - expected) <= 4 * limits.eps * size
    assert close[finite].all(), (z[finite & ~close], values[finite & ~close], expected[finite & ~close])


def assert_as_in_numpy(name, activation, z):
    with np.errstate(all="ignore"):
        a, slope = in_numpy(activation, z)
        values, slopes, _ = compiled(activation, z)
        assert_close(values, a, FORWARD_TERM.get(name, lambda z, a: np.abs(a))(z, a), z)
        # slopes are finite: NumPy's mish overflows, and 0 times infinity is no slope
        known = np.isfinite(slope)
        term = BACKWARD_TERM.get(name, lambda z, slope: np.abs(slope))(z, slope) * np.ones_like(z)
        assert_close(slopes[known], slope[known], term[known], z[known])
        # prediction asks for no slope
        kernel = kernel_of(activation, z.dtype)
        predicted, none = z.copy(), np.empty((0, 0), z.dtype)
        kernel.forward[z.dtype](kernel.constants, predicted, np.empty(0, z.dtype), none)
        assert_close(predicted, a, FORWARD_TERM.get(name, lambda z, a: np.abs(a))(z, a), z)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_registered_activation_is_its_numpy_method(name, dtype):
    limits = np.finfo(dtype)
    rng = np.random.default_rng(0)
    ends = [0, np.inf, np.nan, limits.max, limits.tiny, limits.smallest_subnormal, limits.eps]
    edges = [1, 6, 20, 40, 87, 88.8, 104, 708, 709.8, 745, 1e4]
    z = np.concatenate([*(scale * rng.normal(size=500) for scale in (1e-3, 0.3, 1, 5, 40, 300)), ends, edges])
    z = np.concatenate([z, -z]).astype(dtype)
    assert_as_in_numpy(name, ACTIVATIONS[name](), z[:, np.newaxis])


@pytest.mark.parametrize("name", ACTIVATIONS)
@settings(max_examples=30)
@given(data=st.data())
def test_whatever_the_shape_and_the_numbers(name, data):
    dtype = data.draw(st.sampled_from(DTYPES))
    shape = data.draw(st.tuples(st.integers(0, 9), st.integers(1, 40)))
    numbers = st.floats(width=np.finfo(dtype).bits) | st.floats(-50, 50, width=np.finfo(dtype).bits)
    assert_as_in_numpy(name, ACTIVATIONS[name](), data.draw(arrays(dtype, shape, elements=numbers)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (7, 5), (1000, 3), (9, 300), (2, 5000)])
@pytest.mark.parametrize("name", ["relu", "silu"])
def test_bias_and_its_gradient(name, shape, dtype):
    rng = np.random.default_rng(0)
    z, delta = rng.normal(size=(2, *shape)).astype(dtype)
    bias = rng.normal(size=shape[1]).astype(dtype)
    a, chained, gradient = compiled(ACTIVATIONS[name](), z, bias, delta)
    without_bias = compiled(ACTIVATIONS[name](), z + bias, delta=delta)
    np.testing.assert_array_equal(a, without_bias[0])
    np.testing.assert_array_equal(chained, without_bias[1])
    exact = chained.sum(axis=0, dtype=np.float64)
    bound = max(shape[0], 1) * np.finfo(dtype).eps * np.abs(chained).sum(axis=0, dtype=np.float64)
    assert (np.abs(gradient - exact) <= bound).all()


def test_functions_that_differ_in_numbers_share_one_compilation():
    one, other = (kernel_of(LeakyReLU(slope), np.float64) for slope in (0.1, 0.2))
    assert one.forward is other.forward
    assert one.backward is other.backward
    z = np.array([[-1.0, 3.0]])
    np.testing.assert_array_equal(compiled(LeakyReLU(0.1), z)[0], [[-0.1, 3.0]])
    np.testing.assert_array_equal(compiled(LeakyReLU(0.2), z)[0], [[-0.2, 3.0]])


@dataclass
class Squareplus(Activation):
    formula = "(z + sqrt(z^2 + 4)) / 2"
    derivative = "(1 + z / sqrt(z^2 + 4)) / 2"

    def forward(self, z, out):
        out[...] = (z + np.sqrt(z**2 + 4)) / 2

    def backward(self, z, a, delta):
        delta *= (1 + z / np.sqrt(z**2 + 4)) / 2


@dataclass
class WithoutTexts(Squareplus):
    formula = Activation.formula
    derivative = Activation.derivative


@dataclass
class WrongDerivative(Squareplus):
    derivative = "(1 - z / sqrt(z^2 + 4)) / 2"


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_users_own_formula_is_compiled(dtype):
    assert_as_in_numpy("squareplus", Squareplus(), np.linspace(-3, 9, 30, dtype=dtype).reshape(6, 5))


def test_an_activation_without_texts_runs_in_numpy():
    assert kernel_of(WithoutTexts(), np.float64) is None


def test_texts_that_are_not_what_the_methods_compute_are_named_once():
    assert kernel_of(WrongDerivative(), np.float64) is None
    (message,) = complaints()
    assert "texts of WrongDerivative are not what its methods compute" in message
    assert kernel_of(WrongDerivative(), np.float64) is None
    assert not complaints()
