import numpy as np
import pytest
import reference

from sknn_scratch.core import ACTIVATIONS, ELU, SELU, Activation, ActivationWithSlope, LeakyReLU
from sknn_scratch.core.machine.blocks import BLOCK

# off the kink that some activations have at 0
Z = np.array([[-30.0, -3.0, -1.1, -0.3], [0.2, 0.9, 2.5, 30.0]])

each_activation = pytest.mark.parametrize("name", sorted(ACTIVATIONS))


def forward(name, z):
    a = np.empty_like(z)
    ACTIVATIONS[name]().forward(z.copy(), out=a)
    return a


@each_activation
def test_forward_is_the_textbook_formula(name):
    np.testing.assert_allclose(forward(name, Z), reference.ACTIVATIONS[name][0](Z), rtol=1e-13, atol=0)


@each_activation
def test_forward_in_place_equals_forward_into_another_array(name):
    activation = ACTIVATIONS[name]()
    if activation.keeps_z:
        z = Z.copy()
        activation.forward(z, out=np.empty_like(z))
        np.testing.assert_array_equal(z, Z)
    else:
        z = Z.copy()
        activation.forward(z, out=z)
        np.testing.assert_array_equal(z, forward(name, Z))


@each_activation
def test_backward_is_the_derivative(name):
    delta = np.linspace(-2.0, 3.0, Z.size).reshape(Z.shape)
    expected = delta * reference.derivative(lambda z: forward(name, z), Z)
    ACTIVATIONS[name]().backward(Z.copy(), forward(name, Z), delta)
    np.testing.assert_allclose(delta, expected, rtol=1e-8, atol=1e-11)


@each_activation
def test_backward_is_the_textbook_derivative(name):
    delta = np.linspace(-2.0, 3.0, Z.size).reshape(Z.shape)
    expected = delta * reference.ACTIVATIONS[name][1](Z)
    ACTIVATIONS[name]().backward(Z.copy(), forward(name, Z), delta)
    np.testing.assert_allclose(delta, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "name", [name for name, kind in sorted(ACTIVATIONS.items()) if issubclass(kind, ActivationWithSlope)]
)
def test_the_slope_is_that_of_the_function_and_the_output_may_take_the_place_of_z(name):
    activation, out, slope = ACTIVATIONS[name](), Z.copy(), np.empty_like(Z)
    activation.forward_with_slope(out, out=out, slope=slope)
    np.testing.assert_array_equal(out, forward(name, Z))
    np.testing.assert_allclose(slope, reference.ACTIVATIONS[name][1](Z), rtol=1e-12, atol=1e-15)
    alone = Z.copy()
    activation.forward(alone, out=alone)
    np.testing.assert_array_equal(out, alone)


@each_activation
@pytest.mark.parametrize("shape", [(BLOCK + 5,), (BLOCK // 100 * 3 + 1, 100), (3, BLOCK + 1), (0, 4)])
def test_large_batches_are_computed_number_by_number_like_small_ones(name, shape):
    rng = np.random.RandomState(0)
    z, delta = rng.normal(size=shape), rng.normal(size=shape)
    a, expected = forward(name, z), delta * reference.ACTIVATIONS[name][1](z)
    np.testing.assert_allclose(a, reference.ACTIVATIONS[name][0](z), rtol=1e-12, atol=1e-15)
    ACTIVATIONS[name]().backward(z, a, delta)
    np.testing.assert_allclose(delta, expected, rtol=1e-12, atol=1e-15)


@each_activation
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_passes_are_finite_where_the_function_saturates(name, dtype):
    z = np.array([[-1e4, -100.0, 0.0, 100.0, 1e4]], dtype)
    a, delta = forward(name, z), np.ones_like(z)
    assert np.isfinite(a).all()
    ACTIVATIONS[name]().backward(z, a, delta)
    assert np.isfinite(delta).all()


@each_activation
def test_float32_stays_float32(name):
    activation = ACTIVATIONS[name]()
    z, a, delta = (reference.float32_only(array) for array in (Z, np.zeros_like(Z), np.ones_like(Z)))
    activation.forward(z, out=a)
    activation.backward(z, a, delta)
    np.testing.assert_allclose(np.asarray(delta), _derivative_in_float64(name), rtol=1e-4, atol=1e-6)


def _derivative_in_float64(name):
    delta = np.ones_like(Z)
    ACTIVATIONS[name]().backward(Z.copy(), forward(name, Z), delta)
    return delta


@pytest.mark.parametrize("number", [float, np.float64], ids=["Python floats", "NumPy scalars"])
@pytest.mark.parametrize(
    ("make", "setting", "f", "derivative"),
    [
        (LeakyReLU, 0.0, lambda z, s: np.where(z > 0, z, 0 * z), lambda z, s: np.where(z > 0, 1, 0)),
        (LeakyReLU, 0.3, lambda z, s: np.where(z > 0, z, s * z), lambda z, s: np.where(z > 0, 1, s)),
        (
            ELU,
            0.5,
            lambda z, s: np.where(z > 0, z, s * np.expm1(z)),
            lambda z, s: np.where(z > 0, 1, s * np.exp(z)),
        ),
        (
            ELU,
            2.5,
            lambda z, s: np.where(z > 0, z, s * np.expm1(z)),
            lambda z, s: np.where(z > 0, 1, s * np.exp(z)),
        ),
    ],
)
def test_settings_of_activations_are_those_of_the_formula(make, setting, f, derivative, number):
    activation = make(number(setting))
    a, delta = reference.float32_only(Z), reference.float32_only(np.ones_like(Z))
    activation.forward(a, out=a)
    np.testing.assert_allclose(np.asarray(a), f(Z, setting), rtol=1e-6)
    activation.backward(None, a, delta)
    np.testing.assert_allclose(np.asarray(delta), derivative(Z, setting), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("activation", [LeakyReLU(0.25), ELU(0.5), SELU()])
def test_formulas_show_the_settings_and_hold(activation):
    a, slope = Z.copy(), np.ones_like(Z)
    activation.forward(a, out=a)
    activation.backward(None, a.copy(), slope)
    names = {"max": max, "exp": np.exp}
    for i in np.ndindex(Z.shape):
        values = names | {"z": Z[i], "a": a[i]}
        assert eval(activation.formula, values) == pytest.approx(a[i], rel=1e-13)
        assert eval(activation.derivative, values) == pytest.approx(slope[i], rel=1e-13)


def test_selu_keeps_the_mean_0_and_the_variance_1_of_a_normal_variable():
    """That is what its two constants are for (Klambauer et al., 2017, section 2)."""
    z, width = np.linspace(-12, 12, 2**20, retstep=True)
    density, a = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), forward("selu", z)
    assert (a * density).sum() * width == pytest.approx(0.0, abs=1e-9)
    assert (a**2 * density).sum() * width == pytest.approx(1.0, abs=1e-9)


def test_an_activation_without_a_backward_pass_cannot_be_made():
    class Half(Activation):
        def forward(self, z, out):
            np.multiply(z, 0.5, out=out)

    with pytest.raises(TypeError, match="backward"):
        Half()
