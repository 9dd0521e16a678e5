"""The network as a feature extractor: activations of its hidden layers."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import Quantile, Tanh

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(80, 6, n_informative=4, random_state=1)
both = pytest.mark.parametrize("kind", [ScratchMLPClassifier, ScratchMLPRegressor])

# the functions of both hidden layers
ACTIVATIONS = {
    "relu": [lambda z: np.maximum(z, 0)] * 2,
    "elu": [lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0)))] * 2,
    "mixed": [np.tanh, lambda z: 1 / (1 + np.exp(-z))],
}


def network(kind=ScratchMLPClassifier, **params):
    return kind(**{"hidden_layer_sizes": (5, 3), "max_iter": 5, "random_state": 0, **params})


def activations_by_hand(model, inputs, functions):
    found, x = [], inputs.astype(float)
    for W, b, f in zip(model.coefs_, model.intercepts_, functions, strict=False):
        x = f(x @ W + b)
        found.append(x)
    return found


@both
@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("container", [np.asarray, csr_matrix, csr_array])
def test_it_gives_the_activations_of_the_last_hidden_layer(kind, name, dtype, container):
    activation = [Tanh(), "logistic"] if name == "mixed" else name
    inputs = container(X.astype(dtype))
    model = network(kind, activation=activation).fit(inputs, Y)
    expected = activations_by_hand(model, X, ACTIVATIONS[name])
    tolerance = 1e-12 if dtype is np.float64 else 1e-4
    found = model.hidden_activations(inputs)
    assert [array.shape for array in found] == [(80, 5), (80, 3)]
    for array, by_hand in zip(found, expected, strict=True):
        assert array.dtype == dtype
        np.testing.assert_allclose(array, by_hand, rtol=tolerance, atol=tolerance)
    transformed = model.transform(inputs)
    np.testing.assert_array_equal(transformed, found[-1])
    # what the output layer works with
    raw = transformed @ model.coefs_[-1] + model.intercepts_[-1]
    predicted = model.decision_function(inputs) if kind is ScratchMLPClassifier else model.predict(inputs)
    np.testing.assert_allclose(predicted, raw.ravel(), rtol=tolerance, atol=tolerance)


@both
def test_whole_numbers_and_few_rows_will_do(kind):
    model = network(kind).fit(X, Y)
    rows = (10 * X[:1]).astype(int)
    expected = activations_by_hand(model, rows, ACTIVATIONS["relu"])
    np.testing.assert_allclose(model.transform(rows), expected[-1], rtol=1e-12)


@both
def test_many_rows_are_transformed_block_by_block(kind):
    model = network(kind, hidden_layer_sizes=(300, 2)).fit(X, Y)
    many = np.tile(X, (30, 1))
    np.testing.assert_allclose(model.transform(many), np.tile(model.transform(X), (30, 1)), rtol=1e-12)


@both
def test_fit_transform_is_fit_and_transform(kind):
    expected = network(kind).fit(X, Y).transform(X)
    np.testing.assert_array_equal(network(kind).fit_transform(X, Y), expected)
    weight = np.random.RandomState(0).uniform(0.2, 2, len(X))
    weighted = network(kind).fit(X, Y, sample_weight=weight).transform(X)
    np.testing.assert_array_equal(network(kind).fit_transform(X, Y, sample_weight=weight), weighted)
    assert not np.array_equal(weighted, expected)


@both
def test_features_are_named_after_the_class(kind):
    names = [f"{kind.__name__.lower()}{i}" for i in range(3)]
    with pytest.raises(NotFittedError):
        network(kind).get_feature_names_out()
    model = network(kind).fit(X, Y)
    assert model.get_feature_names_out().tolist() == names
    frame = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(80) + 7)
    model = network(kind).set_output(transform="pandas")
    for out in (model.fit_transform(frame, Y), model.transform(frame)):
        assert isinstance(out, pd.DataFrame)
        assert out.columns.tolist() == names
        assert out.index.equals(frame.index)
        np.testing.assert_array_equal(out, network(kind).fit_transform(X, Y))
    # only what transforms makes frames
    assert isinstance(model.predict(frame), np.ndarray)
    assert isinstance(model.hidden_activations(frame)[-1], np.ndarray)
    assert isinstance(clone(model).fit_transform(frame, Y), pd.DataFrame)


@both
def test_it_is_the_first_step_of_a_pipeline(kind):
    extractor = network(kind, max_iter=20)
    model = make_pipeline(StandardScaler(), extractor, LogisticRegression()).fit(X, Y)
    scaled = StandardScaler().fit_transform(X)
    features = clone(extractor).fit_transform(scaled, Y)
    by_hand = LogisticRegression().fit(features, Y)
    np.testing.assert_allclose(model.predict_proba(X), by_hand.predict_proba(features), rtol=1e-10)
    assert model[:-1].get_feature_names_out().tolist() == model[1].get_feature_names_out().tolist()


def test_a_search_finds_how_many_features_to_learn():
    pixels, digits = load_digits(n_class=4, return_X_y=True)
    pixels, digits = pixels[:300] / 16, digits[:300]
    extractor = network(hidden_layer_sizes=(2,), learning_rate_init=0.01, max_iter=30)
    model = make_pipeline(extractor, LogisticRegression())
    sizes = [(1,), (8,)]
    search = GridSearchCV(model, {"scratchmlpclassifier__hidden_layer_sizes": sizes}, cv=3)
    search.fit(pixels, digits)
    assert search.best_params_ == {"scratchmlpclassifier__hidden_layer_sizes": (8,)}
    assert search.best_score_ > 0.9
    assert search.best_estimator_[:-1].transform(pixels).shape == (300, 8)


@both
def test_without_hidden_layers_there_is_nothing_to_transform_with(kind):
    for model in (network(kind, hidden_layer_sizes=()), network(kind, hidden_layer_sizes=[]).fit(X, Y)):
        for method in ("transform", "fit_transform"):
            assert not hasattr(model, method)
            with pytest.raises(AttributeError) as raised:
                getattr(model, method)
            assert "asks for none" in str(raised.value.__cause__)
    assert model.hidden_activations(X) == []
    with pytest.raises(TypeError, match="transform"):
        make_pipeline(network(kind, hidden_layer_sizes=()), LogisticRegression()).fit(X, Y)


@both
def test_it_is_the_fitted_network_that_counts(kind):
    model = network(kind, hidden_layer_sizes=()).fit(X, Y).set_params(hidden_layer_sizes=(3,))
    assert not hasattr(model, "transform")
    model.fit(X, Y).set_params(hidden_layer_sizes=())
    assert model.transform(X).shape == (80, 3)


@both
def test_unfitted_networks_say_so(kind):
    for method in ("transform", "hidden_activations"):
        with pytest.raises(NotFittedError):
            getattr(network(kind), method)(X)


@both
def test_wrong_numbers_of_features_are_refused(kind):
    for method in ("transform", "hidden_activations"):
        with pytest.raises(ValueError, match="X has 5 features, but .* is expecting 6 features"):
            getattr(network(kind).fit(X, Y), method)(X[:, :5])


@both
@pytest.mark.parametrize("dropout", [0.5, [0.0, 0.9]])
def test_dropout_leaves_no_unit_out_here(kind, dropout):
    model = network(kind, dropout=dropout).fit(X, Y)
    expected = activations_by_hand(model, X, ACTIVATIONS["relu"])
    for array, by_hand in zip(model.hidden_activations(X), expected, strict=True):
        np.testing.assert_allclose(array, by_hand, rtol=1e-12)
    np.testing.assert_array_equal(model.transform(X), model.transform(X))


@both
def test_biases_that_are_missing_are_zeros(kind):
    model = network(kind, fit_intercept=False).fit(X, Y)
    by_hand = np.maximum(np.maximum(X @ model.coefs_[0], 0) @ model.coefs_[1], 0)
    np.testing.assert_allclose(model.transform(X), by_hand, rtol=1e-12)


@both
def test_it_follows_the_weights_as_they_are(kind):
    model = network(kind).fit(X, Y)
    model.coefs_[1] = np.zeros_like(model.coefs_[1])
    model.intercepts_[1][:] = [1.0, -1.0, 2.0]
    np.testing.assert_array_equal(model.transform(X), np.tile([1.0, 0.0, 2.0], (80, 1)))


@both
def test_a_pickle_transforms_alike(kind):
    model = network(kind, activation=[Tanh(), "relu"], dropout=0.2).set_output(transform="pandas").fit(X, Y)
    restored = pickle.loads(pickle.dumps(model))
    pd.testing.assert_frame_equal(restored.transform(X), model.transform(X))


def test_the_features_of_any_loss_and_any_targets():
    for model, y in (
        (network(ScratchMLPRegressor, loss=Quantile([0.1, 0.9])), Y),
        (network(ScratchMLPRegressor, loss="gaussian_nll", scale_target=True), np.column_stack([Y, X[:, 0]])),
        (network(), np.column_stack([Y, 1 - Y])),
        (network(), np.column_stack([Y, np.arange(80) % 3])),
    ):
        expected = activations_by_hand(model.fit(X, y), X, ACTIVATIONS["relu"])
        np.testing.assert_allclose(model.transform(X), expected[-1], rtol=1e-12)
        assert model.get_feature_names_out().shape == (3,)
