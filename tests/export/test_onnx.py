"""ONNX models, run by onnxruntime, beside the estimators they were made of."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_multilabel_classification
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
)
from sknn_scratch.core import ACTIVATIONS, LOSSES, Activation, Quantile, ReLU
from sknn_scratch.export import register_skl2onnx, to_onnx
from sknn_scratch.fitting._names import losses_of_classes, losses_of_numbers

pytestmark = [
    pytest.mark.full,  # needs the extra onnx
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),  # the fits are short
]

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
SMALL = {"hidden_layer_sizes": (8, 8), "max_iter": 4, "n_cv": 2, "random_state": 0}
PRESETS = ["td", "td-s", "fast", "best"]

rng = np.random.RandomState(0)
N = 300
FRAME = pd.DataFrame(
    {
        "number": np.where(rng.rand(N) < 0.2, np.nan, rng.randn(N)),
        "narrow": rng.randn(N).astype(np.float32),
        "count": rng.randint(0, 5, N),
        "few": rng.choice(["x", "y", "z", None], N),
        "many": pd.Categorical(rng.choice(list("abcdefghijklmno"), N)),
        "two": rng.choice(["u", "v"], N),
        "flag": rng.rand(N) > 0.5,
        "order": pd.Categorical(rng.choice(["s", "m", "l"], N), ["s", "m", "l"], ordered=True),
        "codes": pd.Categorical(rng.randint(0, 20, N)),
        "halves": pd.Categorical(rng.choice([0.5, 1.0, 1.5, 2.0], N), ordered=True),
        "v1": rng.rand(N),
        "empty": np.full(N, np.nan),
    }
)
AMOUNT = FRAME["count"] * 1.5 + FRAME["flag"] * 10 + rng.rand(N)
ANSWER = np.where(FRAME["few"] == "x", "yes", np.where(FRAME["flag"], "no", "maybe"))


def ran(model, X):
    """The outputs of a model by name, for an array or a frame."""
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    if isinstance(X, np.ndarray):
        inputs = {session.get_inputs()[0].name: X}
    else:
        inputs = {tensor.name: cells(X[tensor.name], tensor.type) for tensor in session.get_inputs()}
    return {
        tensor.name: value
        for tensor, value in zip(session.get_outputs(), session.run(None, inputs), strict=True)
    }


def cells(column, kind):
    """A column as the input of its type; a missing string is the empty one."""
    if kind == "tensor(string)":
        return np.array([[cell if isinstance(cell, str) else ""] for cell in column], dtype=object)
    dtypes = {"float": np.float32, "double": np.float64, "int64": np.int64, "bool": bool}
    return np.asarray(column).astype(dtypes[kind[len("tensor(") : -1]])[:, np.newaxis]


def check(model, estimator, X):
    """What the model returns is what the estimator returns."""
    outputs = ran(model, X)
    if is_classifier(estimator):
        np.testing.assert_array_equal(outputs["label"], estimator.predict(X))
        np.testing.assert_allclose(outputs["probabilities"], estimator.predict_proba(X), **CLOSE)
        return
    predicted = estimator.predict(X)
    np.testing.assert_allclose(outputs["variable"].reshape(predicted.shape), predicted, **CLOSE)
    if "std" in outputs:
        _, std = estimator.predict(X, return_std=True)
        np.testing.assert_allclose(outputs["std"].reshape(std.shape), std, **CLOSE)
    if "quantiles" in outputs:
        np.testing.assert_allclose(outputs["quantiles"], estimator.predict_quantiles(X), **CLOSE)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_activation(activation, dtype):
    X, y = load_iris(return_X_y=True)
    X = X.astype(dtype)
    for model in (
        ScratchMLPClassifier((8, 8), activation, dtype=dtype, solver="lbfgs", max_iter=20, random_state=0),
        ScratchRealMLPClassifier(**SMALL, activation=activation),
    ):
        check(to_onnx(model.fit(X, y), X), model, X)


@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("loss", [*losses_of_numbers(), Quantile([0.9]), Quantile([0.1, 0.4, 0.9])], ids=str)
def test_each_loss_of_numbers(loss, n_targets):
    X, y = load_diabetes(return_X_y=True)
    y = y if n_targets == 1 else np.column_stack([y, 3 * y + 100])
    settings = {"max_iter": 20, "random_state": 0, "solver": "lbfgs"}
    check_of = [
        (ScratchMLPRegressor(hidden_layer_sizes=(8,), loss=loss, **settings), y / 100),
        (ScratchMLPRegressor(hidden_layer_sizes=(8,), loss=loss, scale_target=True, **settings), y * 1e4),
        (ScratchRealMLPRegressor(loss=loss, n_ens=2, **SMALL), y),
    ]
    for model, target in check_of:
        check(to_onnx(model.fit(X, target), X), model, X)


def classes_of(kind):
    """X and y of each kind of classes."""
    X, y = load_iris(return_X_y=True)
    if kind == "multilabel":
        return make_multilabel_classification(200, 6, n_classes=3, random_state=0)
    return X, {
        "binary": y > 0,
        "floats": y.astype(float),
        "numbers": y * 10 - 5,
        "strings": np.array(["setosa", "versicolor", "virginica"])[y],
    }[kind]


@pytest.mark.parametrize("kind", ["binary", "floats", "numbers", "strings", "multilabel"])
@pytest.mark.parametrize("loss", losses_of_classes())
def test_each_loss_of_classes(loss, kind):
    X, y = classes_of(kind)
    models = [ScratchMLPClassifier((8,), loss=loss, solver="lbfgs", max_iter=20, random_state=0)]
    if loss == "log_loss":
        models += [ScratchRealMLPClassifier(n_ens=2, calibrate=True, **SMALL)]
    for model in models:
        check(to_onnx(model.fit(X, y), X), model, X)


def test_all_losses_are_among_those_tested():
    pairs = [kind for pair in losses_of_classes().values() for kind in pair.values()]
    assert set(LOSSES.values()) == {LOSSES[name] for name in losses_of_numbers()} | set(pairs)


def test_several_columns_of_classes():
    X, y = load_iris(return_X_y=True)
    y = np.column_stack([np.array(["a", "b", "c"])[y], np.where(X[:, 0] > 5.5, "long", "short")])
    model = ScratchMLPClassifier((8,), solver="lbfgs", max_iter=20, random_state=0).fit(X, y)
    outputs = ran(to_onnx(model, X), X)
    for i, p in enumerate(model.predict_proba(X)):
        np.testing.assert_array_equal(outputs[f"label_{i}"], model.predict(X)[:, i])
        np.testing.assert_allclose(outputs[f"probabilities_{i}"], p, **CLOSE)


@pytest.mark.parametrize("preset", PRESETS)
class TestMixedFrames:
    def models(self, preset):
        settings = {"preset": preset, "max_iter": 4, "n_ens": 2, "random_state": 0}
        return [(ScratchRealMLPClassifier(**settings), ANSWER), (ScratchRealMLPRegressor(**settings), AMOUNT)]

    def test_with_gaps_and_unseen_levels(self, preset):
        unseen = FRAME.copy()
        unseen["few"] = unseen["few"].where(unseen.index % 3 > 0, "never seen")
        unseen["many"] = unseen["many"].astype(object).where(unseen.index % 5 > 0, "never seen")
        unseen["narrow"] = unseen["narrow"].where(unseen.index % 7 > 0)
        for model, y in self.models(preset):
            exported = to_onnx(model.fit(FRAME, y), FRAME)
            check(exported, model, FRAME)
            check(exported, model, unseen)
            check(exported, model, unseen[:1])

    def test_of_polars(self, preset):
        polars = pytest.importorskip("polars")
        X = polars.from_pandas(
            FRAME.drop(columns=["empty", "codes", "order", "halves"]).astype({"many": str})
        )
        for model, y in self.models(preset):
            check(to_onnx(model.fit(X, y), X), model, X)


def test_the_types_of_inputs_are_those_of_the_columns():
    model = ScratchRealMLPRegressor(**SMALL).fit(FRAME, AMOUNT)
    types = {tensor.name: tensor.type.tensor_type.elem_type for tensor in to_onnx(model, FRAME).graph.input}
    FLOAT, INT64, STRING, BOOL, DOUBLE = 1, 7, 8, 9, 11
    assert types == {
        "number": DOUBLE,
        "narrow": FLOAT,
        "count": INT64,
        "few": STRING,
        "many": STRING,
        "two": STRING,
        "flag": BOOL,
        "order": STRING,
        "codes": INT64,
        "halves": DOUBLE,
        "v1": DOUBLE,
        "empty": DOUBLE,
    }


@pytest.mark.parametrize("preset", PRESETS)
def test_real_data_at_the_defaults(preset):
    for load, kind in (
        (load_breast_cancer, ScratchRealMLPClassifier),
        (load_diabetes, ScratchRealMLPRegressor),
    ):
        X, y = load(return_X_y=True, as_frame=True)
        model = kind(preset, random_state=0).fit(X[::2], y[::2])
        check(to_onnx(model, X), model, X[1::2])


def test_categories_in_an_array_of_numbers():
    X = np.column_stack([rng.randn(N), rng.randint(0, 12, N) / 2, rng.randint(0, 3, N)])
    X[::9, 1] = np.nan
    model = ScratchRealMLPClassifier(categorical_features=[1, 2], **SMALL).fit(X, X[:, 1] > 2)
    check(to_onnx(model, X), model, X)
    whole = np.nan_to_num(X).astype(np.int64)
    check(to_onnx(model.fit(whole, whole[:, 1] > 2), whole), model, whole)


def test_frames_of_the_drop_in():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    X["half"] = X["bp"].astype(np.float32)
    model = ScratchMLPRegressor(
        hidden_layer_sizes=(8,), scale_target=True, solver="lbfgs", random_state=0
    ).fit(X, y)
    check(to_onnx(model, X), model, X[["half", *X.columns[:-1]]][X.columns])


def test_a_search_is_the_network_that_it_found():
    X, y = load_iris(return_X_y=True)
    network = ScratchMLPClassifier((8,), solver="lbfgs", max_iter=30, random_state=0)
    search = GridSearchCV(network, {"alpha": [0.1, 1.0]}, cv=2).fit(X, y)
    check(to_onnx(search, X), search, X)


def test_a_float32_model_computes_in_float32():
    X, y = load_iris(return_X_y=True)
    model = ScratchMLPClassifier((8,), dtype="float32", solver="lbfgs", random_state=0)
    X = X.astype(np.float32)
    assert ran(to_onnx(model.fit(X, y), X), X)["probabilities"].dtype == np.float32
    for other in (X.astype(np.float64), (10 * X).astype(np.int64)):  # inputs have the type of the data
        check(to_onnx(model, other), model, other)


class Sine(Activation):
    """A function of the user's own."""

    formula = "sin(z)"
    derivative = "cos(z)"

    def forward(self, z, out):
        np.sin(z, out=out)

    def backward(self, z, a, delta):
        delta *= np.cos(z)


class TestRefusals:
    X, y = load_iris(return_X_y=True)

    def test_functions_of_ones_own(self):
        model = ScratchMLPClassifier((8,), Sine(), solver="lbfgs", max_iter=2, random_state=0)
        with pytest.raises(ValueError, match="Sine.*ONNX"):
            to_onnx(model.fit(self.X, self.y), self.X)

    def test_columns_with_names_of_outputs(self):
        X = pd.DataFrame(self.X, columns=["a", "b", "c", "label"])
        model = ScratchMLPClassifier((8,), solver="lbfgs", max_iter=5, random_state=0).fit(X, self.y)
        with pytest.raises(ValueError, match=r"Columns \['label'\] of X have names of outputs"):
            to_onnx(model, X)

    def test_pipelines(self):
        model = make_pipeline(StandardScaler(), ScratchMLPClassifier((8,), solver="lbfgs", random_state=0))
        with pytest.raises(ValueError, match="register_skl2onnx"):
            to_onnx(model.fit(self.X, self.y), self.X)

    def test_levels_of_several_types(self):
        X = pd.DataFrame({"a": ["x", 1, 2, "y"] * 20})
        model = ScratchRealMLPRegressor(**SMALL).fit(X, np.arange(80.0))
        with pytest.raises(ValueError, match="Column 'a' of X holds strings and numbers"):
            to_onnx(model, X)


@pytest.mark.parametrize("kind", ["binary", "floats", "numbers", "strings", "multilabel"])
def test_skl2onnx_converts_pipelines_of_classifiers(kind):
    skl2onnx = pytest.importorskip("skl2onnx")
    register_skl2onnx()
    X, y = classes_of(kind)
    X = X.astype(np.float32)
    network = ScratchMLPClassifier((8,), ReLU(), solver="lbfgs", max_iter=30, random_state=0)
    model = make_pipeline(StandardScaler(), clone(network)).fit(X, y)
    exported = skl2onnx.to_onnx(model, X[:1], options={"zipmap": False})
    check(exported, model, X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", losses_of_numbers())
def test_skl2onnx_converts_pipelines_of_regressors(loss, dtype):
    skl2onnx = pytest.importorskip("skl2onnx")
    register_skl2onnx()
    X, y = load_diabetes(return_X_y=True)
    network = ScratchMLPRegressor(
        hidden_layer_sizes=(8,), loss=loss, scale_target=True, solver="lbfgs", random_state=0
    )
    X = X.astype(dtype)
    model = make_pipeline(StandardScaler(), network).fit(X, y)
    check(skl2onnx.to_onnx(model, X[:1]), model, X)
