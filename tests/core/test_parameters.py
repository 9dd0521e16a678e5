import copy
import pickle

import numpy as np
import pytest

from sknn_scratch.core import Parameters, count_parameters

SHAPES = [{"weights": (3, 2), "bias": (2,)}, {}, {"weights": (2, 1), "bias": (1,)}]


def numbered():
    return Parameters(SHAPES, np.arange(11.0))


def test_weights_come_first_then_biases_layer_by_layer():
    parameters = numbered()
    assert parameters.n_weights == 8
    np.testing.assert_array_equal(parameters.layers[0]["weights"], [[0, 1], [2, 3], [4, 5]])
    np.testing.assert_array_equal(parameters.layers[2]["weights"], [[6], [7]])
    np.testing.assert_array_equal(parameters.layers[0]["bias"], [8, 9])
    np.testing.assert_array_equal(parameters.layers[2]["bias"], [10])
    assert parameters.layers[1] == {}


def assert_views_alias_flat(parameters):
    for value, view in enumerate(view for layer in parameters.layers for view in layer.values()):
        assert np.shares_memory(view, parameters.flat)
        view[...] = value
    assert sorted(set(parameters.flat)) == [0, 1, 2, 3]
    parameters.flat[...] = 7
    assert all((view == 7).all() for layer in parameters.layers for view in layer.values())


@pytest.mark.parametrize(
    ("duplicate", "is_independent"),
    [
        (lambda parameters: pickle.loads(pickle.dumps(parameters)), True),
        (copy.deepcopy, True),
        (Parameters.copy, True),
        (copy.copy, False),
    ],
    ids=["pickle", "deepcopy", "copy method", "copy.copy"],
)
def test_copies_keep_their_values_and_the_tie_between_views_and_vector(duplicate, is_independent):
    original = numbered()
    other = duplicate(original)
    np.testing.assert_array_equal(other.flat, np.arange(11.0))
    assert other.shapes == original.shapes
    assert other.n_weights == original.n_weights
    assert np.shares_memory(other.flat, original.flat) is not is_independent
    assert_views_alias_flat(other)
    if is_independent:
        np.testing.assert_array_equal(original.flat, np.arange(11.0))


def test_views_alias_the_vector_that_was_given():
    flat = np.zeros(11)
    parameters = Parameters(SHAPES, flat)
    assert parameters.flat is flat
    assert_views_alias_flat(parameters)


@pytest.mark.parametrize("size", [10, 12])
def test_a_vector_of_the_wrong_size_is_refused(size):
    with pytest.raises(ValueError, match=f"hold 11 values, but flat has {size}"):
        Parameters(SHAPES, np.zeros(size))


def test_counting_and_empty_parameters():
    assert count_parameters(SHAPES) == 11
    assert count_parameters([]) == 0
    # more than an int64 holds
    assert count_parameters([{"weights": (10**12, 10**12)}]) == 10**24
    parameters = Parameters.empty(SHAPES, np.float32)
    assert parameters.flat.shape == (11,)
    assert parameters.flat.dtype == np.float32
