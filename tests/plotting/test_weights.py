import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor, explain_step
from sknn_scratch.core import Normal
from sknn_scratch.plotting import WeightsDisplay

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_digits(return_X_y=True)
X, y = X[:200] / 16, y[:200]


def classifier(hidden_layer_sizes=(6, 5), activation="tanh", **params):
    params = {"max_iter": 2, "random_state": 0, **params}
    return ScratchMLPClassifier(hidden_layer_sizes, activation, **params)


def regressor(hidden_layer_sizes=(), **params):
    return ScratchMLPRegressor(hidden_layer_sizes=hidden_layer_sizes, max_iter=2, random_state=0, **params)


def bars(axes):
    """Heights and edges of a histogram."""
    return axes.patches[0].get_data()[:2]


class TestHistograms:
    @pytest.mark.parametrize("hidden", [(), (1,), (6, 5), (500,)])
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_a_column_for_each_layer_and_all_entries_in_each(self, hidden, dtype):
        model = classifier(hidden, dtype=dtype).fit(X, y)
        display = WeightsDisplay.from_estimator(model, X, y)
        assert display.axes_.shape == (3, len(hidden) + 1)
        for axes in display.axes_.flat:
            assert bars(axes)[0].sum() == pytest.approx(1)
        assert [axes.get_title() for axes in display.axes_[0]] == [
            f"layer {number}" for number in range(1, len(hidden) + 2)
        ]
        labels = [{axes.get_xlabel() for axes in row} - {""} for row in display.axes_]
        assert labels == [{"weight"}, {"size of gradient"}, {"activation"}]

    def test_show_what_is_in_the_step(self):
        model = classifier().fit(X, y)
        display = WeightsDisplay.from_estimator(model, X, y)
        for column, layer in zip(display.axes_.T, explain_step(model, X, y).layers, strict=True):
            expected = (layer.weights, np.abs(layer.weights_gradient), layer.activation)
            for axes, values in zip(column, expected, strict=True):
                heights, edges = bars(axes)
                counts, _ = np.histogram(values, edges)
                np.testing.assert_allclose(heights, counts / values.size)

    def test_without_data_there_are_only_the_weights(self):
        model = classifier().fit(X, y)
        display = WeightsDisplay.from_estimator(model)
        assert display.axes_.shape == (1, 3)
        for axes, coef in zip(display.axes_[0], model.coefs_, strict=True):
            heights, edges = bars(axes)
            np.testing.assert_allclose(heights, np.histogram(coef, edges)[0] / coef.size)

    def test_layers_have_one_scale(self):
        display = WeightsDisplay.from_estimator(classifier().fit(X, y), X, y)
        for row in display.axes_:
            assert len({axes.get_xlim() for axes in row}) == 1
            assert len({axes.get_xscale() for axes in row}) == 1
        assert [row[0].get_xscale() for row in display.axes_] == ["linear", "log", "linear"]

    def test_vanishing_gradients_are_seen_to_move_to_the_left(self):
        model = classifier((10,) * 5, "logistic", weight_init=Normal(0.01), alpha=0).fit(X, y)
        display = WeightsDisplay.from_estimator(model, X, y)
        gradients = display.axes_[1]
        smallest, largest = [], []
        for axes in gradients:
            heights, edges = bars(axes)
            smallest.append(edges[:-1][heights > 0].min())
            largest.append(edges[1:][heights > 0].max())
        assert largest[0] < 1e-6 * largest[-1]
        assert largest[0] < smallest[-1]
        assert np.all(np.diff(largest) > 0)
        low, high = gradients[0].get_xlim()
        assert low <= smallest[0]
        assert largest[-1] <= high

    def test_gradients_of_zero_have_no_place_on_a_logarithmic_axis(self):
        model = classifier(activation="relu", alpha=0).fit(X, y)
        display = WeightsDisplay.from_estimator(model, X, y)
        shares = [np.mean(layer.weights_gradient != 0) for layer in explain_step(model, X, y).layers]
        assert min(shares) < 1
        assert [bars(axes)[0].sum() for axes in display.axes_[1]] == pytest.approx(shares)

    def test_sparse_data(self):
        model = classifier().fit(X, y)
        display = WeightsDisplay.from_estimator(model, sparse.csr_matrix(X), y)
        for axes, other in zip(
            display.axes_.flat, WeightsDisplay.from_estimator(model, X, y).axes_.flat, strict=True
        ):
            np.testing.assert_allclose(bars(axes)[0], bars(other)[0])

    def test_several_targets(self):
        display = WeightsDisplay.from_estimator(regressor((4,)).fit(X, X[:, 2:5]), X, X[:, 2:5])
        assert display.axes_.shape == (3, 2)

    @pytest.mark.parametrize(
        ("weight", "error"), [(-2.0, 0), (2.0, 1e-12), (0.0, -1.0), (1e-12, 0), (-1e12, -1e12)]
    )
    def test_one_weight(self, weight, error):
        x = np.linspace(-1, 1, 9)[:, np.newaxis]
        model = regressor(fit_intercept=False, alpha=0).fit(x, x.ravel())
        model.coefs_[0][:] = weight
        display = WeightsDisplay.from_estimator(model, x, (weight - error) * x.ravel())
        display.figure_.canvas.draw()
        weights, gradients, _ = display.axes_[:, 0]
        assert bars(weights)[0].sum() == 1
        assert bars(gradients)[0].sum() == (error != 0)  # the gradient is proportional to it
        for axes, value in ((weights, weight), (gradients, abs(error) * np.mean(x**2))):
            heights, edges = bars(axes)
            if heights.any():
                (low,), (high,) = edges[:-1][heights > 0], edges[1:][heights > 0]
                assert low - 1e-3 * abs(value) <= value <= high + 1e-3 * abs(value)

    def test_weights_of_zero(self):
        model = classifier().fit(X, y)
        for array in (*model.coefs_, *model.intercepts_):
            array[...] = 0
        display = WeightsDisplay.from_estimator(model, X, y)
        display.figure_.canvas.draw()
        for axes in display.axes_[0]:
            assert bars(axes)[0].sum() == 1

    def test_in_a_grid_other_axes_are_left_alone(self, pyplot):
        figure, (ax, other) = pyplot.subplots(1, 2)
        WeightsDisplay.from_estimator(classifier().fit(X, y), X, y, ax=ax)
        assert figure.get_supylabel() == ""
        assert other.axison
        assert other.get_ylabel() == ""

    def test_targets_are_needed_with_data(self, pyplot):
        with pytest.raises(ValueError, match="y"):
            WeightsDisplay.from_estimator(classifier().fit(X, y), X)
        assert pyplot.get_fignums() == []


class TestImages:
    @pytest.mark.parametrize(
        ("n_units", "grid"), [(1, (1, 1)), (2, (1, 2)), (3, (2, 2)), (10, (3, 4)), (500, (5, 5))]
    )
    def test_each_unit_has_the_image_of_its_weights(self, n_units, grid):
        model = classifier((n_units,)).fit(X, y)
        display = WeightsDisplay.from_estimator(model, kind="images")
        n_images = min(25, n_units)
        assert display.axes_.shape == grid
        images = [image for axes in display.axes_.flat for image in axes.images]
        assert len(images) == n_images
        largest = np.abs(model.coefs_[0][:, :n_images]).max()
        for image, weights in zip(images, model.coefs_[0].T, strict=False):
            np.testing.assert_array_equal(image.get_array(), weights.reshape(8, 8))
            assert image.get_clim() == pytest.approx((-largest, largest))
        assert not any(axes.axison for axes in display.axes_.flat)
        scale = display.figure_.axes[-1]
        label = f"weights of the first layer, units 1 to {n_images} of {n_units}"
        assert scale.get_ylabel().split() == label.split()

    def test_positive_is_blue_and_negative_vermillion(self):
        display = WeightsDisplay.from_estimator(classifier().fit(X, y), kind="images")
        image = display.axes_[0, 0].images[0]
        color = image.to_rgba(np.array([-1e3, 0.0, 1e3]), norm=True)
        assert color[0, 0] > color[0, 2]
        np.testing.assert_allclose(color[1], 1, atol=0.01)
        assert color[2, 2] > color[2, 0]

    def test_as_many_as_asked_for(self):
        model = classifier((30,)).fit(X, y)
        display = WeightsDisplay.from_estimator(model, kind="images", max_images=4)
        assert display.axes_.shape == (2, 2)
        assert display.plot(kind="images", max_images=30).axes_.shape == (5, 6)

    @pytest.mark.parametrize("max_images", [0, -1])
    def test_at_least_one_is_needed(self, max_images, pyplot):
        with pytest.raises(ValueError, match="max_images"):
            WeightsDisplay.from_estimator(classifier().fit(X, y), kind="images", max_images=max_images)
        assert pyplot.get_fignums() == []

    def test_may_be_rectangular(self):
        model = classifier().fit(X[:, :12], y)
        for shape in ((3, 4), [2, 6], np.array([12, 1])):
            display = WeightsDisplay.from_estimator(model, kind="images", image_shape=shape)
            image = display.axes_[0, 0].images[0].get_array()
            np.testing.assert_array_equal(image, model.coefs_[0][:, 0].reshape(tuple(shape)))

    @pytest.mark.parametrize(
        "shape", [None, (3, 5), (12,), (2, 2, 3), (-3, -4), (-1, 12), 12, (3.0, 4.0), ("3", "4"), "34"]
    )
    def test_must_have_as_many_pixels_as_features(self, shape, pyplot):
        model = classifier().fit(X[:, :12], y)
        with pytest.raises(ValueError, match=r"image_shape=.* height \* width = 12"):
            WeightsDisplay.from_estimator(model, kind="images", image_shape=shape)
        assert pyplot.get_fignums() == []

    def test_weights_of_zero(self):
        model = classifier().fit(X, y)
        model.coefs_[0][:] = 0
        display = WeightsDisplay.from_estimator(model, kind="images")
        display.figure_.canvas.draw()
        for axes in display.axes_.flat:
            np.testing.assert_array_equal([image.get_array() for image in axes.images], 0)

    def test_float32_and_one_layer(self):
        model = classifier((), dtype="float32").fit(X, y)
        display = WeightsDisplay.from_estimator(model, X, y, kind="images")
        assert display.axes_.shape == (3, 4)
        display.figure_.canvas.draw()


@pytest.mark.parametrize("kind", ["image", None, "Histograms", ["images"]])
def test_kind_must_be_one_of_two(kind, pyplot):
    with pytest.raises(ValueError, match="must be 'histograms' or 'images'"):
        WeightsDisplay.from_estimator(classifier().fit(X, y), kind=kind)
    assert pyplot.get_fignums() == []
