"""Predictions have scikit-learn's dtype, and float32 data are trained on in float32."""

import itertools

import numpy as np
import pytest
from helpers.beside_sklearn import PAIRS_OF_CLASSES, is_classification, make_data, unconverged
from helpers.cases import FACTORS
from scipy.sparse import csr_matrix, issparse

from sknn_scratch.core import Network


@unconverged
@pytest.mark.parametrize("trained_in", [np.float32, np.float64])
@pytest.mark.parametrize("task", FACTORS.task)
def test_predictions_have_scikit_learns_dtype(task, trained_in):
    X, y, _ = make_data(task, trained_in)
    models = [
        cls(max_iter=3, random_state=0).fit(X, y) for cls in PAIRS_OF_CLASSES[not is_classification(task)]
    ]
    for dtype in (np.float16, np.float32, np.float64, np.int8, np.int32, np.int64, np.uint8):
        rows = np.abs(2 * X).astype(dtype)
        for method in ("predict", "predict_proba", "predict_log_proba"):
            if hasattr(models[1], method):
                found, expected = (getattr(model, method)(rows) for model in models)
                assert found.dtype == expected.dtype, (dtype, method)
                assert found.shape == expected.shape


@unconverged
@pytest.mark.parametrize(
    "y",
    [
        np.array([0, 1] * 10),
        np.array([1.0, 2.0, 3.0, 2.0] * 5),
        np.array([True, False] * 10),
        np.array(["b", "a"] * 10, dtype=object),
        np.array([0, 1, 5, 1], dtype=np.uint8).repeat(5),
        csr_matrix(np.tile([[0, 1], [1, 1]], (10, 1))),
    ],
    ids=["int", "float", "bool", "object", "uint8", "sparse labels"],
)
def test_predicted_labels_are_like_those_given(y):
    X = np.random.RandomState(0).normal(size=(20, 2))
    found, expected = (cls(max_iter=50, random_state=0).fit(X, y).predict(X) for cls in PAIRS_OF_CLASSES[0])
    assert issparse(found) == issparse(expected) == issparse(y)
    assert found.dtype == expected.dtype
    if issparse(y):
        assert type(found) is type(expected)
        found, expected = found.toarray(), expected.toarray()
    np.testing.assert_array_equal(found, expected)


def floating_arrays(thing, seen=None):
    """All arrays of floats that are reachable through attributes, lists and dicts."""
    seen = {} if seen is None else seen
    if id(thing) in seen or isinstance(thing, type):
        return
    seen[id(thing)] = thing
    if isinstance(thing, np.ndarray):
        if thing.dtype.kind == "f":
            yield thing
        return
    parts = [*getattr(thing, "__dict__", {}).values()]
    parts += [*thing.values()] if isinstance(thing, dict) else []
    parts += [*thing] if isinstance(thing, list | tuple) else []
    for part in parts:
        yield from floating_arrays(part, seen)


@unconverged
@pytest.mark.parametrize(
    ("solver", "sequence"),
    [*itertools.product(["adam", "sgd"], ["fit", "early_stopping", "partial_fit"]), ("lbfgs", "fit")],
)
@pytest.mark.parametrize("X_format", [np.asarray, csr_matrix], ids=["dense", "csr"])
@pytest.mark.parametrize("task", FACTORS.task)
@pytest.mark.usefixtures("numpy_engine")
def test_float32_data_are_trained_on_and_kept_in_float32(task, X_format, solver, sequence, monkeypatch):
    used = []

    def loss_and_gradient(network, X, y, weight, workspace, original=Network.loss_and_gradient):
        objective = original(network, X, y, weight, workspace)
        used.extend([X.data if issparse(X) else X, y, weight, *floating_arrays(workspace)])
        return objective

    monkeypatch.setattr(Network, "loss_and_gradient", loss_and_gradient)
    X, y, weight = make_data(task, np.float32)
    cls, _ = PAIRS_OF_CLASSES[0 if is_classification(task) else 1]
    model = cls(solver=solver, max_iter=3, batch_size=25, random_state=0)
    if task == "poisson":
        model.set_params(loss="poisson")
    model.set_params(early_stopping=sequence == "early_stopping", validation_fraction=0.3)
    model.fit(X_format(X), y, weight)
    if sequence == "partial_fit":
        model.partial_fit(X_format(X), y, weight)
    kept = list(floating_arrays(model))
    assert len(used) > 10
    assert len(kept) >= 4
    assert {array.dtype for array in used} == {array.dtype for array in kept} == {np.dtype(np.float32)}
