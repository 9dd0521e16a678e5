"""Settings as a value, in a link, and points out of a file."""

from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sknn_scratch.playground.points import MAX_BYTES, MAX_ROWS, Points
from sknn_scratch.playground.presets import PRESETS
from sknn_scratch.playground.settings import CHOICES, Settings


def through_a_link(settings):
    return Settings.from_query(dict(parse_qsl(settings.to_query(), keep_blank_values=True)))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_come_through_a_link(name):
    assert through_a_link(PRESETS[name]) == PRESETS[name]


@given(
    sizes=st.lists(st.tuples(st.integers(1, 100), st.sampled_from(CHOICES["activation"])), max_size=6),
    features=st.lists(st.sampled_from(CHOICES["features"]), min_size=1, unique=True),
    noise=st.floats(0, 1),
    rate=st.floats(1e-300, 1e300),
    shuffle=st.booleans(),
    solver=st.sampled_from(CHOICES["solver"]),
)
def test_settings_come_through_a_link_as_they_are(sizes, features, noise, rate, shuffle, solver):
    settings = Settings().changed(
        hidden_layer_sizes=tuple(size for size, _ in sizes),
        activation=tuple(activation for _, activation in sizes),
        features=tuple(features),
        noise=noise,
        learning_rate_init=rate,
        shuffle=shuffle,
        solver=solver,
    )
    assert through_a_link(settings) == settings


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"colour": "red"}, "unknown setting 'colour'"),
        ({"noise": "much"}, "noise='much', which cannot be read"),
        ({"n_rows": "1e9"}, "n_rows='1e9', which cannot be read"),
        ({"n_rows": "1000000"}, "'n_rows' of Settings must be a number in"),
        ({"shuffle": "perhaps"}, "shuffle='perhaps', which cannot be read"),
        ({"hidden_layer_sizes": "1000"}, "1 to 100 units"),
        ({"features": ""}, "at least one feature"),
    ],
    ids=lambda part: str(part) if isinstance(part, dict) else "",
)
def test_a_bad_link_is_refused_in_words(query, words):
    with pytest.raises(ValueError, match=words):
        Settings.from_query(query)


def test_new_layers_have_the_activation_of_the_last():
    settings = Settings().changed(activation=("relu", "selu"))
    assert settings.changed(hidden_layer_sizes=(1, 2, 3)).activation == ("relu", "selu", "selu")
    assert settings.changed(hidden_layer_sizes=(1,)).activation == ("relu",)
    none = settings.changed(hidden_layer_sizes=())
    assert none.changed(hidden_layer_sizes=(2,)).activation == ("tanh",)


class TestCSV:
    def test_classes_or_numbers_with_or_without_a_header(self):
        classes = Points.from_csv(b"a;b;kind\n1;2;0\n3;4;1\n5;9;1\n")
        assert classes.has_classes
        assert classes.names == ("a (standardised)", "b (standardised)")
        assert classes.y.tolist() == [0, 1, 1]
        numbers = Points.from_csv("\ufeff1,0.5\n2,1.5\n\n3,0.25\n".encode())
        assert not numbers.has_classes
        assert numbers.X.shape == (3, 1)
        np.testing.assert_allclose([numbers.y.mean(), numbers.y.std()], [0, 1], atol=1e-12)

    def test_a_file_comes_back_bit_by_bit(self):
        points = Points.of(np.random.RandomState(0).normal(size=(20, 2)), np.arange(20) / 7)
        table = np.loadtxt(points.to_csv().splitlines(), delimiter=",", skiprows=1)
        np.testing.assert_array_equal(table, np.column_stack([points.X, points.y]))

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "The file is empty"),
            (b"x,y,kind\n1,2,red\n", "Row 2 of the file has 'red' where a number is needed"),
            (b"1,2,0\n3,4,0\n", "The target is 0 in all rows"),
            (b"1,2,0\n1,2\n", "two or three columns"),
            (b"1,2,3,4\n1,2,3,4\n", "rows of .4. columns"),
            (b"1\n2\n", "two or three columns"),
            (b"1,nan,0\n2,3,1\n", "missing or infinite"),
            (b"1,2,0\n", "2 to 5000 rows, got 1"),
            (b"1,2,0\n3,4,1\n" * MAX_ROWS, "2 to 5000 rows, got 10000"),
            (b"1" * (MAX_BYTES + 1), "at most 1 MB"),
            (b"\xff\xfe\x00", "not text in UTF-8"),
        ],
        ids=range(11),
    )
    def test_bad_files_are_refused_in_words(self, content, words):
        with pytest.raises(ValueError, match=words):
            Points.from_csv(content)


def test_arrays_that_cannot_be_shown_are_refused():
    with pytest.raises(ValueError, match=r"one or two columns and a target, got X of shape \(3, 5\)"):
        Points.of(np.zeros((3, 5)), [0, 1, 0])
    with pytest.raises(ValueError, match="text where numbers"):
        Points.of([["a", "b"], ["c", "d"]], [0, 1])


def test_points_are_added():
    points = Points.of([[0, 0], [1, 1]], [0, 1]).with_point((0.5, -3.0), 1)
    assert points.X[-1].tolist() == [0.5, -3.0]
    assert points.y.tolist() == [0, 1, 1]
