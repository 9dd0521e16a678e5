import numpy as np
import pytest
import reference

from sknn_scratch.core import ACTIVATIONS, Activation

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
    z, a, delta = (reference.float32_only(array) for array in (Z, np.empty_like(Z), np.ones_like(Z)))
    activation.forward(z, out=a)
    activation.backward(z, a, delta)
    np.testing.assert_allclose(np.asarray(delta), _derivative_in_float64(name), rtol=1e-4, atol=1e-6)


def _derivative_in_float64(name):
    delta = np.ones_like(Z)
    ACTIVATIONS[name]().backward(Z.copy(), forward(name, Z), delta)
    return delta


def test_an_activation_without_a_backward_pass_cannot_be_made():
    class Half(Activation):
        def forward(self, z, out):
            np.multiply(z, 0.5, out=out)

    with pytest.raises(TypeError, match="backward"):
        Half()
