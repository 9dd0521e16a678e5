"""`explain_step` shows the very step that training would take next; `check_gradients` finds it right."""

import copy
from dataclasses import dataclass

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix, csr_array, csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor, check_gradients, explain_step
from sknn_scratch.core import Activation

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
N_ROWS = 12
X = RNG.normal(size=(N_ROWS, 4))
LABELS = np.array(["cat", "dog", "fox"])
ROWS = np.arange(N_ROWS)

# for each kind of target: the estimator, y, and units of the output layer
TARGETS = {
    "binary": (ScratchMLPClassifier, LABELS[ROWS % 2], 1),
    "multiclass": (ScratchMLPClassifier, LABELS[ROWS % 3], 3),
    "multilabel": (ScratchMLPClassifier, np.column_stack([ROWS % 2, ROWS % 3 == 0]).astype(int), 2),
    "one target": (ScratchMLPRegressor, RNG.normal(size=N_ROWS), 1),
    "several targets": (ScratchMLPRegressor, RNG.normal(size=(N_ROWS, 3)), 3),
    "counts": (ScratchMLPRegressor, RNG.poisson(2.0, N_ROWS).astype(float), 1),
}
WEIGHT = RNG.uniform(0.3, 2.0, N_ROWS)
LEARNING_RATE = 0.05

each_target = pytest.mark.parametrize("target", TARGETS)
weighted_or_not = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])


def fitted(target, weight=None, rows=X, **params):
    """A network after one step; each fit to come takes one more step of plain descent on all rows."""
    kind, y, _ = TARGETS[target]
    settings = {"hidden_layer_sizes": (5, 3), "activation": "tanh", "solver": "sgd", "momentum": 0}
    settings |= {"alpha": 1e-3, "learning_rate_init": LEARNING_RATE, "batch_size": N_ROWS, "shuffle": False}
    settings |= {"max_iter": 1, "warm_start": True, "random_state": 0}
    settings |= {"loss": "poisson"} if target == "counts" else {}
    return kind(**settings | params).fit(rows, y, weight), y


def assert_is_the_next_step(model, y, weight=None, rows=X, tol=1e-12):
    """The weights of a fit to come differ by - learning rate * gradient from those before it."""
    step = explain_step(model, rows, y, weight)
    before = copy.deepcopy((model.coefs_, model.intercepts_))
    model.fit(rows, y, weight)
    for layer, W, b, new_W, new_b in zip(step.layers, *before, model.coefs_, model.intercepts_, strict=True):
        np.testing.assert_allclose(new_W - W, -LEARNING_RATE * layer.weights_gradient, rtol=0, atol=tol)
        if layer.bias_gradient is not None:
            np.testing.assert_allclose(new_b - b, -LEARNING_RATE * layer.bias_gradient, rtol=0, atol=tol)
        assert np.abs(layer.weights_gradient).max() > 1e3 * tol
    return step


def assert_same_step(actual, expected, tol=0.0):
    assert actual.loss == pytest.approx(expected.loss, rel=tol, abs=tol)
    assert actual.penalty == expected.penalty
    for one, other in zip(actual.layers, expected.layers, strict=True):
        for name in ("pre_activation", "activation", "delta", "weights_gradient", "bias_gradient"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=tol, atol=tol)


def outputs(model, rows):
    """What the output layer predicts, a column for each unit."""
    if isinstance(model, ScratchMLPRegressor):
        return model.predict(rows).reshape(len(rows), -1)
    return model.predict_proba(rows)[:, 1:] if model.n_outputs_ == 1 else model.predict_proba(rows)


class TestTheStep:
    @each_target
    @weighted_or_not
    @pytest.mark.parametrize("fit_intercept", [True, False], ids=["biased", "unbiased"])
    def test_is_the_one_that_training_takes(self, target, weight, fit_intercept):
        model, y = fitted(target, weight, fit_intercept=fit_intercept)
        step = assert_is_the_next_step(model, y, weight)
        # the squared error of several targets is reported as their mean, while steps follow their sum
        mean_or_sum = 3 if target == "several targets" else 1
        assert model.loss_ == pytest.approx(step.loss / mean_or_sum + step.penalty, rel=1e-12)
        assert step.penalty > 0

    @each_target
    def test_follows_weights_that_users_put_there(self, target):
        model, y = fitted(target)
        rng = np.random.RandomState(1)
        model.coefs_[1] = rng.normal(size=model.coefs_[1].shape)
        model.coefs_[0][:2] *= -2
        model.intercepts_[2][:] = 0.3
        step = assert_is_the_next_step(model, y)
        np.testing.assert_array_equal(step.layers[2].bias, 0.3)

    @pytest.mark.parametrize(
        "change",
        [{"alpha": 1.0}, {"loss": "squared_error"}, {"fit_intercept": False}, {"activation": "logistic"}],
        ids=lambda change: next(iter(change)),
    )
    def test_follows_what_is_set_for_the_fit_to_come(self, change):
        model, y = fitted("multiclass")
        assert_is_the_next_step(model.set_params(**change), y)

    @each_target
    @pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
    def test_ends_with_the_prediction(self, target, loss):
        params = {"loss": loss} if TARGETS[target][0] is ScratchMLPClassifier else {}
        model, y = fitted(target, **params)
        step = explain_step(model, X, y)
        np.testing.assert_allclose(step.layers[-1].activation, outputs(model, X), rtol=1e-14)
        assert [layer.weights.shape for layer in step.layers] == [(4, 5), (5, 3), (3, TARGETS[target][2])]
        for layer, W, b in zip(step.layers, model.coefs_, model.intercepts_, strict=True):
            np.testing.assert_array_equal(layer.weights, W)
            np.testing.assert_array_equal(layer.bias, b)
        np.testing.assert_array_equal(step.layers[0].input, X)

    def test_numbers_the_classes_in_their_order(self):
        model, _ = fitted("multiclass")
        step = explain_step(model, X[:3], ["fox", "cat", "dog"])
        np.testing.assert_array_equal(step.target, [[2.0], [0.0], [1.0]])

    @each_target
    def test_of_one_row_is_a_part_of_that_of_many(self, target):
        model, y = fitted(target, alpha=0)
        alone = [explain_step(model, X[i : i + 1], y[i : i + 1]) for i in range(N_ROWS)]
        together = explain_step(model, X, y)
        assert np.mean([step.loss for step in alone]) == pytest.approx(together.loss, rel=1e-12)
        for i, layer in enumerate(together.layers):
            mean = np.mean([step.layers[i].weights_gradient for step in alone], axis=0)
            np.testing.assert_allclose(layer.weights_gradient, mean, rtol=1e-12, atol=1e-14)

    @each_target
    def test_takes_whole_weights_for_repeated_rows(self, target):
        model, y = fitted(target)
        times = ROWS % 4
        weighted = explain_step(model, X, y, sample_weight=times)
        repeated = explain_step(model, X.repeat(times, axis=0), y.repeat(times, axis=0))
        assert weighted.loss == pytest.approx(repeated.loss, rel=1e-12)
        assert weighted.penalty == pytest.approx(repeated.penalty, rel=1e-12)
        for one, other in zip(weighted.layers, repeated.layers, strict=True):
            for name in ("weights_gradient", "bias_gradient"):
                np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-11, atol=1e-14)

    def test_needs_no_row_of_every_class(self):
        for target in ("binary", "multiclass", "multilabel"):
            model, y = fitted(target)
            few = [0] * 3
            step = explain_step(model, X[few], y[few])
            np.testing.assert_allclose(step.layers[-1].activation, outputs(model, X[few]), rtol=1e-14)
            assert max(check_gradients(model, X[few], y[few]).values()) < 1e-6


class TestNetworks:
    @each_target
    def test_without_biases_have_none(self, target):
        model, y = fitted(target, fit_intercept=False)
        step = explain_step(model, X, y)
        assert all(layer.bias is layer.bias_gradient is None for layer in step.layers)
        np.testing.assert_allclose(step.layers[-1].activation, outputs(model, X), rtol=1e-14)
        assert "bias" not in str(step)
        errors = check_gradients(model, X, y)
        assert list(errors) == ["coefs_[0]", "coefs_[1]", "coefs_[2]"]
        assert max(errors.values()) < 1e-6

    @each_target
    def test_without_hidden_layers_are_one_layer(self, target):
        model, y = fitted(target, hidden_layer_sizes=())
        step = assert_is_the_next_step(model, y)
        assert len(step.layers) == 1
        errors = check_gradients(model, X, y)
        assert list(errors) == ["coefs_[0]", "intercepts_[0]"]
        assert max(errors.values()) < 1e-6

    def test_have_one_activation_per_layer_if_so_asked(self):
        model, y = fitted("several targets", activation=["logistic", "relu"])
        model.intercepts_[1][:] = [0.5, -0.5, 0.0]  # units on either side of the kink
        first, second, _ = assert_is_the_next_step(model, y).layers
        np.testing.assert_allclose(first.activation, 1 / (1 + np.exp(-first.pre_activation)), rtol=1e-14)
        np.testing.assert_array_equal(second.activation, np.maximum(second.pre_activation, 0))
        assert 0 < (second.activation > 0).mean() < 1
        assert first.formulas["activation"] == "a = 1 / (1 + exp(-z))"
        assert second.formulas["activation"] == "a = max(z, 0)"

    @each_target
    @pytest.mark.parametrize(
        "params",
        [
            {"solver": "lbfgs", "max_iter": 3},
            {"solver": "adam"},
            {"batch_size": 6, "early_stopping": True, "validation_fraction": 0.5},
        ],
        ids=["lbfgs", "adam", "early stopping"],
    )
    def test_of_any_solver_can_be_explained(self, target, params):
        model, y = fitted(target, **params)
        step = explain_step(model, X, y)
        np.testing.assert_allclose(step.layers[-1].activation, outputs(model, X), rtol=1e-14)
        assert max(check_gradients(model, X, y).values()) < 1e-6

    @each_target
    @pytest.mark.parametrize("given", [np.float32, np.float64])
    def test_of_float32_stay_float32_and_are_checked_in_float64(self, target, given):
        model, y = fitted(target, dtype="float32")
        step = assert_is_the_next_step(model, y, rows=X.astype(given), tol=1e-6)
        for layer in step.layers:
            arrays = [array for array in vars(layer).values() if isinstance(array, np.ndarray)]
            assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
        assert step.target.dtype == np.float32
        assert max(check_gradients(model, X.astype(given), y).values()) < 1e-6

    @each_target
    @weighted_or_not
    @pytest.mark.parametrize("alpha", [0, 0.5])
    def test_have_right_gradients(self, target, weight, alpha):
        model, y = fitted(target, alpha=alpha)
        errors = check_gradients(model, X, y, weight)
        arrays = ("coefs_", "intercepts_")
        assert list(errors) == [f"{array}[{layer}]" for layer in range(3) for array in arrays]
        assert all(type(error) is float for error in errors.values())
        assert 0 < max(errors.values()) < 1e-6

    def test_that_have_learnt_all_there_is_still_have_right_gradients(self):
        corners, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), [0, 1, 1, 0]
        model = ScratchMLPClassifier((4,), "tanh", solver="lbfgs", alpha=0, max_iter=1000, random_state=0)
        model.fit(corners, y)
        step = explain_step(model, corners, y)
        assert np.abs(step.layers[0].bias_gradient).max() < 1e-6
        assert max(check_gradients(model, corners, y).values()) < 1e-5


@dataclass
class TanhWithoutTheSquare(Activation):
    """f'(z) is 1 - a^2, not 1 - a."""

    def forward(self, z, out):
        np.tanh(z, out=out)

    def backward(self, z, a, delta):
        delta *= 1 - a


def test_a_wrong_activation_is_found_and_placed():
    model, y = fitted("multiclass", activation=["tanh", TanhWithoutTheSquare()])
    errors = check_gradients(model, X, y)
    wrong = {name for name, error in errors.items() if error > 1e-2}
    right = {name for name, error in errors.items() if error < 1e-6}
    assert wrong == {"coefs_[0]", "intercepts_[0]", "coefs_[1]", "intercepts_[1]"}
    assert right == {"coefs_[2]", "intercepts_[2]"}


class TestData:
    @each_target
    def test_may_be_frames(self, target):
        frame = pd.DataFrame(X, columns=list("abcd"), index=ROWS + 100)
        (model, y), (of_arrays, _) = fitted(target, rows=frame), fitted(target)
        column = pd.DataFrame(y, index=frame.index)
        column = column if y.ndim > 1 else column[0]
        assert_same_step(explain_step(model, frame, column), explain_step(of_arrays, X, y))
        assert check_gradients(model, frame, column) == check_gradients(of_arrays, X, y)
        with pytest.raises(ValueError, match="feature names"):
            explain_step(model, frame[list("dcba")], column)

    @each_target
    @pytest.mark.parametrize("kind", [csr_matrix, csc_matrix, csr_array])
    def test_may_be_sparse(self, target, kind):
        model, y = fitted(target)
        zeros = np.where(np.abs(X) < 0.7, 0, X)
        step = explain_step(model, kind(zeros), y)
        assert_same_step(step, explain_step(model, zeros, y), tol=1e-12)
        np.testing.assert_array_equal(step.layers[0].input.toarray(), zeros)
        assert "input             x   (12 x 4)" in str(step)
        assert max(check_gradients(model, kind(zeros), y).values()) < 1e-6

    def test_may_have_sparse_labels(self):
        model, y = fitted("multilabel")
        assert_same_step(explain_step(model, X, csr_matrix(y)), explain_step(model, X, y))
        assert check_gradients(model, X, csr_matrix(y)) == check_gradients(model, X, y)
        assert isinstance(model.predict(X), np.ndarray)  # sparse only after training on sparse labels

    def test_may_be_lists(self):
        model, y = fitted("several targets")
        of_lists = explain_step(model, X.tolist(), y.tolist(), WEIGHT.tolist())
        assert_same_step(of_lists, explain_step(model, X, y, WEIGHT))

    @each_target
    @pytest.mark.parametrize("function", [explain_step, check_gradients])
    def test_and_the_estimator_are_not_changed(self, target, function):
        model, y = fitted(target, solver="adam", random_state=np.random.RandomState(3))
        model.partial_fit(X, y)
        untouched = copy.deepcopy(model)
        before = joblib.hash((vars(model), X, y, WEIGHT))
        result = function(model, X, y, WEIGHT)
        assert joblib.hash((vars(model), X, y, WEIGHT)) == before
        if function is explain_step:
            for layer in result.layers:
                for array in (layer.input, layer.weights, layer.bias, layer.weights_gradient):
                    array[...] = np.nan
            assert joblib.hash((vars(model), X, y, WEIGHT)) == before
        for going_on in (model, untouched):
            going_on.partial_fit(X, y)
            going_on.set_params(shuffle=True, batch_size=5).fit(X, y)
        for array, expected in zip(
            [*model.coefs_, *model.intercepts_], [*untouched.coefs_, *untouched.intercepts_], strict=True
        ):
            np.testing.assert_array_equal(array, expected)

    @pytest.mark.parametrize("function", [explain_step, check_gradients])
    @pytest.mark.parametrize(
        ("target", "change", "message"),
        [
            ("multiclass", lambda y: (X[:, :3], y), "X has 3 features, but .*Classifier is expecting 4"),
            ("one target", lambda y: (X[:, :3], y), "X has 3 features, but .*Regressor is expecting 4"),
            ("multiclass", lambda y: (X[:2], ["cat", "emu"]), "classes not in `self.classes_`.*'emu'"),
            ("binary", lambda y: (X[:2], ["cat", "emu"]), "classes not in `self.classes_`.*'emu'"),
            ("multiclass", lambda y: (X, y[:-1]), "inconsistent numbers of samples"),
            ("multiclass", lambda y: (X * np.nan, y), "X contains NaN"),
            ("multiclass", lambda y: (X[:0], y[:0]), "0 sample"),
            ("multiclass", lambda y: (X, y, np.zeros(N_ROWS)), "non-zero"),
            ("multiclass", lambda y: (X, TARGETS["multilabel"][1]), "from single-label to multilabel"),
            ("multilabel", lambda y: (X, np.hstack([y, y])), "y has 4 labels"),
            ("several targets", lambda y: (X, y[:, :2]), "y has 2 outputs, but the fitted network has 3"),
            ("counts", lambda y: (X, -y), "must not be negative"),
        ],
    )
    def test_that_do_not_fit_the_network_are_refused(self, function, target, change, message):
        model, y = fitted(target)
        before = joblib.hash(vars(model))
        with pytest.raises(ValueError, match=message):
            function(model, *change(y))
        assert joblib.hash(vars(model)) == before


class TestPipelines:
    def test_transform_the_rows_first(self):
        model, y = fitted("multiclass")
        scaler = StandardScaler().fit(3 * X + 1)
        expected = explain_step(model, scaler.transform(X), y, WEIGHT)
        network = ("network", model)
        for pipeline in (
            Pipeline([("scale", scaler), network]),
            Pipeline([("nothing", "passthrough"), ("scale", scaler), ("none", None), network]),
            Pipeline([("scale", scaler), ("inner", Pipeline([("scale", "passthrough"), network]))]),
        ):
            before = joblib.hash(vars(pipeline))
            assert_same_step(explain_step(pipeline, X, y, WEIGHT), expected)
            assert check_gradients(pipeline, X, y) == check_gradients(model, scaler.transform(X), y)
            assert joblib.hash(vars(pipeline)) == before
        assert_same_step(explain_step(make_pipeline(model), X, y), explain_step(model, X, y))

    def test_take_frames_and_give_frames(self):
        _, y = fitted("one target")
        frame = pd.DataFrame(X, columns=list("abcd"))
        network = ScratchMLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", max_iter=5, random_state=0)
        pipeline = make_pipeline(StandardScaler(), MinMaxScaler(), network).set_output(transform="pandas")
        pipeline.fit(frame, y)
        step = explain_step(pipeline, frame, y)
        np.testing.assert_allclose(step.layers[-1].activation.ravel(), pipeline.predict(frame), rtol=1e-14)

    def test_and_searches_may_hold_each_other(self):
        model, y = fitted("binary", batch_size=6)
        search = GridSearchCV(
            make_pipeline(StandardScaler(), model), {"scratchmlpclassifier__alpha": [0.3]}, cv=2
        )
        search.fit(X, y)
        scaler, found = search.best_estimator_
        assert found.alpha == 0.3
        expected = explain_step(found, scaler.transform(X), y)
        assert_same_step(explain_step(search, X, y), expected)
        assert check_gradients(search, X, y) == check_gradients(found, scaler.transform(X), y)

        pipeline = make_pipeline(StandardScaler(), GridSearchCV(model, {"alpha": [0.3]}, cv=2)).fit(X, y)
        assert_same_step(explain_step(pipeline, X, y), expected)


@pytest.mark.parametrize("function", [explain_step, check_gradients])
@pytest.mark.parametrize(
    ("unfitted", "name"),
    [
        (ScratchMLPClassifier(), "ScratchMLPClassifier"),
        (ScratchMLPRegressor(), "ScratchMLPRegressor"),
        (make_pipeline(StandardScaler(), ScratchMLPClassifier()), "ScratchMLPClassifier"),
        (GridSearchCV(ScratchMLPClassifier(), {"alpha": [0.1]}), "GridSearchCV"),
    ],
    ids=["classifier", "regressor", "pipeline", "search"],
)
def test_what_is_not_fitted_is_refused(function, unfitted, name):
    with pytest.raises(NotFittedError, match=f"This {name} instance is not fitted yet"):
        function(unfitted, X, ROWS % 2)


@pytest.mark.parametrize("function", [explain_step, check_gradients])
def test_what_is_no_network_of_ours_is_refused(function):
    y = ROWS % 2
    theirs = MLPClassifier(hidden_layer_sizes=(3,), max_iter=1).fit(X, y)
    pipeline = make_pipeline(StandardScaler(), theirs).fit(X, y)
    search = GridSearchCV(theirs, {"alpha": [0.1]}, cv=2).fit(X, y)
    for other in (theirs, pipeline, search, ScratchMLPClassifier, "ScratchMLPClassifier", None):
        with pytest.raises(TypeError, match="must be a ScratchMLPClassifier, a ScratchMLPRegressor, or a"):
            function(other, X, y)
