"""search_space(): what scikit-learn's searches at random draw from."""

from collections import Counter

import pytest
from helpers.families import TABLES
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV

from sknn_scratch import ScratchRealMLPClassifier

each_kind = pytest.mark.parametrize("kind", TABLES)


@each_kind
def test_whatever_is_drawn_is_allowed(kind):
    drawn = list(ParameterSampler(kind.search_space(), n_iter=200, random_state=0))
    for params in drawn:
        kind(**params)._validate_params()
    assert min(params["learning_rate_init"] for params in drawn) >= 0.02
    assert 0.1 < max(params["learning_rate_init"] for params in drawn) <= 0.3
    assert min(params["numerical_embedding_sigma"] for params in drawn) >= 0.05
    assert max(params["numerical_embedding_sigma"] for params in drawn) <= 0.5
    sizes = Counter(params["hidden_layer_sizes"] for params in drawn)
    assert set(sizes) == {(256, 256, 256), (64, 64, 64, 64, 64), (512,)}
    assert sizes[(256, 256, 256)] > 90  # of 200, with probability 0.6


@each_kind
def test_labels_are_smoothed_where_there_are_labels(kind):
    assert ("label_smoothing" in kind.search_space()) is (kind is ScratchRealMLPClassifier)


@each_kind
def test_a_change_of_the_space_is_the_users_own(kind):
    kind.search_space()["dropout"].append(0.9)
    assert 0.9 not in kind.search_space()["dropout"]


def test_a_search_takes_it():
    X, y = load_iris(return_X_y=True)
    model = ScratchRealMLPClassifier(max_iter=4, n_cv=1, random_state=0)
    space = model.search_space() | {"hidden_layer_sizes": [(8,), (4, 4)]}
    search = RandomizedSearchCV(model, space, n_iter=3, cv=2, random_state=0, error_score="raise").fit(X, y)
    assert search.best_params_.keys() == space.keys()
    assert clone(search.best_estimator_).hidden_layer_sizes in [(8,), (4, 4)]
