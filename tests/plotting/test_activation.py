from dataclasses import dataclass

import numpy as np
import pytest
import reference
from sklearn.datasets import make_moons

from sknn_scratch import ScratchMLPClassifier
from sknn_scratch.core import ACTIVATIONS, Activation
from sknn_scratch.plotting import ActivationDisplay

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = make_moons(60, noise=0.2, random_state=0)
each_name = pytest.mark.parametrize("name", sorted(ACTIVATIONS))


@dataclass
class Swish(Activation):
    """f(z) = z / (1 + exp(-b z)) (Ramachandran et al., 2017), whose derivative needs z."""

    b: float = 1.0

    def forward(self, z, out):
        np.divide(z, 1 + np.exp(-self.b * z), out=out)

    def backward(self, z, a, delta):
        sigmoid = 1 / (1 + np.exp(-self.b * z))
        delta *= sigmoid + self.b * a * (1 - sigmoid)
        a[...] = np.nan  # backward may use it up


def assert_shows(display, z, f, f_prime):
    function, derivative = display.lines_
    np.testing.assert_array_equal(function.get_xdata(), z)
    np.testing.assert_array_equal(derivative.get_xdata(), z)
    np.testing.assert_allclose(function.get_ydata(), f(z), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(derivative.get_ydata(), f_prime(z), rtol=1e-12, atol=1e-15)


class TestFromActivation:
    @each_name
    def test_shows_function_and_derivative(self, name):
        display = ActivationDisplay.from_activation(name)
        assert_shows(display, np.linspace(-4, 4, 201), *reference.ACTIVATIONS[name])
        assert display.ax_.get_title() == ACTIVATIONS[name].__name__
        assert display.ax_.get_xlabel() == "z"

    @each_name
    def test_of_an_object_where_it_is_asked_for(self, name):
        z = [3, -2, 0, 1]
        display = ActivationDisplay.from_activation(ACTIVATIONS[name](), z=z)
        assert_shows(display, np.array(z, dtype=float), *reference.ACTIVATIONS[name])

    def test_the_points_given_are_not_changed(self):
        z = np.linspace(-1, 1, 5)
        ActivationDisplay.from_activation("tanh", z=z)
        np.testing.assert_array_equal(z, np.linspace(-1, 1, 5))

    @each_name
    def test_the_legend_has_the_formulas_and_lies_below(self, name):
        display = ActivationDisplay.from_activation(name)
        display.figure_.draw_without_rendering()
        legend, function = display.ax_.get_legend(), ACTIVATIONS[name]()
        assert ["".join(text.get_text().split()) for text in legend.get_texts()] == [
            "".join(equation.split())
            for equation in (f"a = f(z) = {function.formula}", f"f'(z) = {function.derivative}")
        ]
        box, figure = legend.get_window_extent(), display.figure_.bbox
        assert figure.x0 <= box.x0 < box.x1 <= figure.x1
        assert figure.y0 <= box.y0 < box.y1 <= display.ax_.xaxis.label.get_window_extent().y0

    @pytest.mark.parametrize("b", [1.0, 3.0])
    def test_one_of_ones_own(self, b):
        def f(z):
            return z / (1 + np.exp(-b * z))

        display = ActivationDisplay.from_activation(Swish(b))
        function, derivative = display.lines_
        z = np.linspace(-4, 4, 201)
        np.testing.assert_allclose(function.get_ydata(), f(z), rtol=1e-12)
        np.testing.assert_allclose(derivative.get_ydata(), reference.derivative(f, z), atol=1e-10)
        assert display.ax_.get_title() == "Swish"
        # no formula is known
        assert [line.get_label() for line in display.lines_] == ["a = f(z)", "f'(z)"]

    @pytest.mark.parametrize("activation", ["swish", None, Swish, ["relu"], 3])
    def test_what_is_none_is_refused(self, activation, pyplot):
        with pytest.raises(ValueError, match="must be an Activation or one of"):
            ActivationDisplay.from_activation(activation)
        assert pyplot.get_fignums() == []


class TestFromEstimator:
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_each_hidden_layer_has_its_own(self, dtype):
        model = ScratchMLPClassifier((3, 2, 2), ["tanh", "relu", Swish()], dtype=dtype, max_iter=2)
        model.fit(X, y)
        titles = [ActivationDisplay.from_estimator(model, layer=layer).ax_.get_title() for layer in range(3)]
        assert titles == ["Tanh", "ReLU", "Swish"]
        assert_shows(
            ActivationDisplay.from_estimator(model, z=[-1, 1]),
            np.array([-1, 1]),
            *reference.ACTIVATIONS["tanh"],
        )

    def test_one_for_all_layers(self):
        model = ScratchMLPClassifier((3, 2), "logistic", max_iter=2).fit(X, y)
        for layer in range(2):
            display = ActivationDisplay.from_estimator(model, layer=layer)
            assert_shows(display, np.linspace(-4, 4, 201), *reference.ACTIVATIONS["logistic"])

    def test_is_that_of_the_fit(self):
        model = ScratchMLPClassifier((3,), "tanh", max_iter=2).fit(X, y).set_params(activation="relu")
        assert ActivationDisplay.from_estimator(model).ax_.get_title() == "Tanh"

    @pytest.mark.parametrize(("hidden", "layer"), [((3, 2), 2), ((3, 2), -1), ((), 0)])
    def test_a_layer_that_is_not_there(self, hidden, layer, pyplot):
        model = ScratchMLPClassifier(hidden, max_iter=2).fit(X, y)
        with pytest.raises(ValueError, match=f"layer={layer} must be .* {len(hidden)} hidden layers"):
            ActivationDisplay.from_estimator(model, layer=layer)
        assert pyplot.get_fignums() == []
