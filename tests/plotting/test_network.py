import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris, make_classification
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import Activation
from sknn_scratch.plotting import NetworkDisplay

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS, SPECIES = load_iris(return_X_y=True, as_frame=True)
SPECIES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
X, y = make_classification(60, 6, random_state=0)


def classifier(hidden_layer_sizes=(5, 3), activation="relu", **params):
    params = {"max_iter": 2, "random_state": 0, **params}
    return ScratchMLPClassifier(hidden_layer_sizes, activation, **params)


def regressor(**params):
    return ScratchMLPRegressor(hidden_layer_sizes=(4,), max_iter=2, random_state=0, **params)


def texts_of(display):
    return [text.get_text() for text in display.ax_.texts]


def connections(display, layer):
    """Colour and width of each connection, by the numbers of its units from top to bottom."""
    heights = [units.get_offsets()[:, 1].tolist() for units in display.units_[layer : layer + 2]]
    edges = display.edges_[layer]
    found = {}
    for (start, end), color, width in zip(
        edges.get_segments(), edges.get_edgecolor(), edges.get_linewidth(), strict=True
    ):
        assert (start[0], end[0]) == (layer, layer + 1)
        found[heights[0].index(start[1]), heights[1].index(end[1])] = (color, width)
    return found


def blueness(color):
    """Greater than 0 for blue, less for vermillion, 0 for white."""
    red, _, blue, _ = color
    return round(blue - red, 2)  # of 256 colours none is quite white


class TestUnitsAndConnections:
    @pytest.mark.parametrize("hidden", [(), (1,), (5, 3), (1, 1, 1), (9,) * 11])
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_all_of_a_small_network_are_drawn(self, hidden, dtype):
        model = classifier(hidden, dtype=dtype).fit(IRIS, SPECIES)
        display = NetworkDisplay.from_estimator(model)
        sizes = [4, *hidden, 3]
        assert [len(units.get_offsets()) for units in display.units_] == sizes
        assert [len(connections(display, layer)) for layer in range(len(sizes) - 1)] == [
            coef.size for coef in model.coefs_
        ]
        assert "⋮" not in texts_of(display)

    def test_colors_and_widths_are_those_of_the_weights(self):
        model = classifier().fit(IRIS, SPECIES)
        display = NetworkDisplay.from_estimator(model)
        for layer, coef in enumerate(model.coefs_):
            found = connections(display, layer)
            for edge, (color, _) in found.items():
                assert blueness(color) == 0 if abs(coef[edge]) < 0.01 else blueness(color) * coef[edge] > 0
            by_size = sorted(found, key=lambda edge: abs(coef[edge]))
            assert list(found) == by_size  # the large ones are drawn last, on top
            assert np.all(np.diff([found[edge][1] for edge in by_size]) > 0)
            by_weight = sorted(found, key=lambda edge: coef[edge])
            assert np.all(np.diff([blueness(found[edge][0]) for edge in by_weight]) >= 0)

    def test_units_have_the_colors_of_their_biases_and_inputs_none(self):
        model = classifier(max_iter=20).fit(IRIS, SPECIES)
        display = NetworkDisplay.from_estimator(model)
        inputs, *others = display.units_
        assert all(blueness(color) == 0 for color in inputs.get_facecolor())
        for units, intercept in zip(others, model.intercepts_, strict=True):
            blue = np.array([blueness(color) for color in units.get_facecolor()])
            order = np.argsort(intercept)
            assert np.all(np.diff(blue[order]) >= 0)
            strong = np.abs(intercept) > 0.05
            assert strong.any()
            np.testing.assert_array_equal(np.sign(blue[strong]), np.sign(intercept[strong]))

    def test_full_color_is_for_vmax(self):
        model = classifier((), max_iter=1).fit(IRIS, SPECIES)
        model.coefs_[0][:] = 0.5
        full, pale, beyond = (
            connections(NetworkDisplay.from_estimator(model, vmax=vmax), 0)[0, 0] for vmax in (0.5, 5, 0.1)
        )
        assert blueness(full[0]) > blueness(pale[0]) > 0
        assert full[1] > pale[1] > 0
        np.testing.assert_array_equal(beyond[0], full[0])  # no wider and no bluer than that
        assert beyond[1] == full[1]

    def test_weights_of_zero_are_white_and_thin(self):
        model = classifier().fit(IRIS, SPECIES)
        for array in (*model.coefs_, *model.intercepts_):
            array[...] = 0
        display = NetworkDisplay.from_estimator(model)
        display.figure_.canvas.draw()
        for layer in range(3):
            for color, width in connections(display, layer).values():
                assert blueness(color) == 0
                assert 0 < width < 1

    def test_scale_of_colors_may_be_left_out(self):
        model = classifier().fit(IRIS, SPECIES)
        display = NetworkDisplay.from_estimator(model, vmax=2)
        _, scale = display.figure_.axes
        assert scale.get_ylim() == (-2, 2)
        assert len(NetworkDisplay.from_estimator(model, colorbar=False).figure_.axes) == 1


class TestLargeLayers:
    @pytest.mark.parametrize("max_units", [1, 2, 3, 4, 9, 10])
    def test_no_more_units_are_drawn_than_asked_for(self, max_units):
        model = classifier((500, 2), max_iter=1).fit(X, y)
        display = NetworkDisplay.from_estimator(model, max_units=max_units)
        n_drawn = [len(units.get_offsets()) for units in display.units_]
        assert max(n_drawn) <= max_units
        assert texts_of(display).count("⋮") == sum(size > max_units for size in (6, 500, 2, 1))
        for layer, size in enumerate((6, 500, 2)):
            assert len(connections(display, layer)) == n_drawn[layer] * n_drawn[layer + 1]
            heights = display.units_[layer].get_offsets()[:, 1]
            assert np.all(np.diff(heights) < 0)
            if size <= max_units:
                assert n_drawn[layer] == size
            else:
                assert n_drawn[layer] >= max(1, max_units - 1)
                assert np.abs(heights).min() > 0.1  # the dots are in the middle

    def test_the_first_and_the_last_are(self):
        model = classifier((3,)).fit(X, y)
        model.coefs_[0][:] = np.array([3, 2, 1, -1, -2, -3])[:, np.newaxis]
        display = NetworkDisplay.from_estimator(model, max_units=4)
        names = [f"x{i}" for i in (0, 1, 4, 5)]
        assert [text for text in texts_of(display) if text.startswith("x")] == names
        found = connections(display, 0)
        colors = [blueness(found[i, 0][0]) for i in range(4)]
        assert colors[0] > colors[1] > 0 > colors[2] > colors[3]

    @pytest.mark.parametrize("max_units", [0, -1])
    def test_at_least_one_is_needed(self, max_units, pyplot):
        with pytest.raises(ValueError, match="max_units"):
            NetworkDisplay.from_estimator(classifier().fit(X, y), max_units=max_units)
        assert pyplot.get_fignums() == []

    def test_many_classes(self):
        labels = np.arange(300) % 30
        model = classifier().fit(np.random.RandomState(0).normal(size=(300, 2)), labels)
        display = NetworkDisplay.from_estimator(model)
        assert display.output_names == [str(label) for label in range(30)]
        shown = [text for text in texts_of(display) if text.isdecimal()]
        assert shown == ["0", "1", "2", "3", "4", "25", "26", "27", "28", "29"]
        assert len(NetworkDisplay.from_estimator(model, max_units=30).units_[-1].get_offsets()) == 30


class TestNamesOfFeatures:
    def test_are_numbers_where_there_are_none(self):
        display = NetworkDisplay.from_estimator(classifier().fit(X, y))
        assert display.feature_names == [f"x{i}" for i in range(6)]

    def test_come_from_the_data_frame(self):
        display = NetworkDisplay.from_estimator(classifier().fit(IRIS, SPECIES))
        assert display.feature_names == list(IRIS.columns)
        assert set(IRIS.columns) <= set(texts_of(display))

    def test_come_from_the_pipeline(self):
        frame = pd.DataFrame({"weight": np.arange(60.0), "color": ["red", "green", "blue"] * 20})
        encode = make_column_transformer(
            (OneHotEncoder(sparse_output=False), ["color"]), remainder="passthrough"
        )
        model = make_pipeline(encode, StandardScaler(), classifier()).fit(frame, y)
        assert NetworkDisplay.from_estimator(model).feature_names == [
            "onehotencoder__color_blue",
            "onehotencoder__color_green",
            "onehotencoder__color_red",
            "remainder__weight",
        ]
        model = make_pipeline(StandardScaler(), PCA(2), classifier()).fit(X, y)
        assert NetworkDisplay.from_estimator(model).feature_names == ["pca0", "pca1"]

    def test_come_from_the_network_where_a_step_does_not_know_them(self):
        model = make_pipeline(FunctionTransformer(np.tanh), classifier()).fit(X, y)
        assert NetworkDisplay.from_estimator(model).feature_names == [f"x{i}" for i in range(6)]
        model = make_pipeline(FunctionTransformer(np.tanh), classifier()).fit(IRIS, SPECIES)
        assert NetworkDisplay.from_estimator(model).feature_names == list(IRIS.columns)

    def test_may_be_given(self):
        model = classifier().fit(IRIS, SPECIES)
        for names in (list("abcd"), np.array(list("abcd"))):
            assert NetworkDisplay.from_estimator(model, feature_names=names).feature_names == list("abcd")

    @pytest.mark.parametrize("names", [[], ["a"], list("abcde")])
    def test_must_be_as_many_as_features(self, names, pyplot):
        with pytest.raises(ValueError, match=f"feature_names must name 4 units, got {len(names)}"):
            NetworkDisplay.from_estimator(classifier().fit(IRIS, SPECIES), feature_names=names)
        assert pyplot.get_fignums() == []


LETTERS = np.array(["a", "b", "c"])[np.arange(60) % 3]


class TestNamesOfOutputs:
    # what is fitted to which targets, and the names of classes or targets
    CASES = {
        "two classes": (classifier, np.where(y, "yes", "no"), ["no", "yes"]),
        "three classes": (classifier, LETTERS, ["a", "b", "c"]),
        "one class": (classifier, np.full(60, "only"), ["only"]),
        "labels": (classifier, np.column_stack([y, 1 - y, y]), ["0", "1", "2"]),
        "columns": (classifier, np.column_stack([LETTERS, np.where(y, "v", "u")]), ["a", "b", "c", "u", "v"]),
        "a target": (regressor, X[:, 0], ["y0"]),
        "targets": (regressor, X[:, :3], ["y0", "y1", "y2"]),
    }

    @pytest.fixture(params=CASES)
    def case(self, request):
        make, targets, names = self.CASES[request.param]
        return make().fit(X, targets), names

    @staticmethod
    def shown(names):
        """Of two classes there is one output, the probability of the second."""
        return names[1:] if len(names) == 2 else names

    def test_are_those_of_the_classes_or_numbers(self, case):
        model, names = case
        display = NetworkDisplay.from_estimator(model)
        assert display.output_names == self.shown(names)
        assert set(self.shown(names)) <= set(texts_of(display))

    def test_may_be_given(self, case):
        model, names = case
        names = [f"name {name}" for name in names]
        display = NetworkDisplay.from_estimator(model, class_names=names)
        assert display.output_names == self.shown(names)

    def test_must_be_as_many_as_there_are(self, case, pyplot):
        model, names = case
        for n in (0, len(names) + 1):
            with pytest.raises(ValueError, match="class_names"):
                NetworkDisplay.from_estimator(model, class_names=["a"] * n)
        assert pyplot.get_fignums() == []


class TestNamesOfLayers:
    def test_say_size_and_activation(self):
        model = classifier((5, 3), ["tanh", "relu"]).fit(IRIS, SPECIES)
        display = NetworkDisplay.from_estimator(model)
        assert display.layer_names == ["4 inputs", "5 tanh", "3 relu", "3 softmax"]
        assert {"4\ninputs", "5\ntanh", "3\nrelu", "3\nsoftmax"} <= set(texts_of(display))

    def test_of_one_layer_and_one_input(self):
        display = NetworkDisplay.from_estimator(classifier(()).fit(X[:, :1], y))
        assert display.layer_names == ["1 input", "1 logistic"]

    def test_of_a_regressor(self):
        poisson = regressor(loss="poisson", activation="logistic").fit(X, X[:, 0] ** 2)
        assert NetworkDisplay.from_estimator(poisson).layer_names == ["6 inputs", "4 logistic", "1 exp"]
        squared = regressor().fit(X, X[:, 0])
        assert NetworkDisplay.from_estimator(squared).layer_names[-1] == "1 identity"

    def test_of_an_activation_of_ones_own(self):
        class Softsign(Activation):
            def forward(self, z, out):
                np.divide(z, 1 + np.abs(z), out=out)

            def backward(self, z, a, delta):
                delta /= (1 + np.abs(z)) ** 2

        display = NetworkDisplay.from_estimator(classifier((5,), Softsign()).fit(X, y))
        assert display.layer_names == ["6 inputs", "5 softsign", "1 logistic"]


LONG = "number of previous hospital admissions in the last 12 months"


@pytest.mark.parametrize(
    ("hidden", "feature_names", "class_names"),
    [
        ((5,), list(IRIS.columns), ["setosa", "versicolor", "virginica"]),
        ((8, 4), ["worst fractal dimension"] * 4, ["with poisonous"] * 3),
        ((8, 4), [LONG] * 4, [LONG] * 3),
        ((8,) * 11, ["x"] * 4, ["y"] * 3),
    ],
)
def test_all_names_are_on_the_figure_and_none_upon_another(hidden, feature_names, class_names):
    model = classifier(hidden).fit(IRIS, SPECIES)
    display = NetworkDisplay.from_estimator(model, feature_names=feature_names, class_names=class_names)
    display.figure_.draw_without_rendering()
    figure, (_, scale) = display.figure_.bbox, display.figure_.axes
    boxes = [text.get_window_extent() for text in display.ax_.texts]
    for number, box in enumerate(boxes):
        assert figure.x0 <= box.x0 < box.x1 < scale.get_window_extent().x0
        assert figure.y0 <= box.y0 < box.y1 <= figure.y1
        assert not any(box.overlaps(other) for other in boxes[:number])
