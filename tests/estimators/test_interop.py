"""To scikit-learn's own MLP and back, and through it to ONNX."""

import copy
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import SGD, Adam, Tanh

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COMMON = {"hidden_layer_sizes": (8, 5), "max_iter": 15, "learning_rate_init": 0.01, "random_state": 0}


@dataclass
class Case:
    """A kind of target, and both estimators for it."""

    ours: type
    theirs: type
    X: np.ndarray
    y: object
    params: dict

    def new(self, of, **params):
        return of(**{**COMMON, **self.params, **params})

    def fitted(self, of, **params):
        return self.new(of, **params).fit(self.X, self.y)


def classifier_case(X, y, **params):
    return Case(ScratchMLPClassifier, MLPClassifier, X, y, params)


def regressor_case(X, y, **params):
    return Case(ScratchMLPRegressor, MLPRegressor, X, y, params)


def cases():
    X, y = make_classification(80, 6, n_informative=4, n_classes=3, random_state=0)
    X_labels, labels = make_multilabel_classification(80, 6, n_classes=4, random_state=0)
    X_numbers, numbers = make_regression(80, 6, n_targets=2, random_state=0)
    numbers = numbers / numbers.std()
    return {
        "binary": classifier_case(X, y > 0),
        "multiclass": classifier_case(X, y * 10, activation="tanh"),
        "strings": classifier_case(X, np.array(["no", "maybe", "yes"])[y], activation="logistic"),
        "two strings": classifier_case(X, np.array(["no", "yes"])[y % 2], solver="sgd"),
        "multilabel": classifier_case(X_labels, labels, hidden_layer_sizes=()),
        "sparse multilabel": classifier_case(X_labels, csr_matrix(labels)),
        "lbfgs": classifier_case(X, y, solver="lbfgs"),
        "early stopping": classifier_case(X, y > 0, early_stopping=True),
        "regression": regressor_case(X_numbers, numbers[:, 0]),
        "several targets": regressor_case(X_numbers, numbers, activation="identity"),
        "counts": regressor_case(X_numbers, np.exp(numbers[:, 0]).round(), loss="poisson"),
        "lbfgs regression": regressor_case(X_numbers, numbers[:, 0], solver="lbfgs"),
    }


CASES = cases()
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
trained_by_lbfgs = [name for name, case in CASES.items() if case.params.get("solver") == "lbfgs"]
takes_partial_fit = [
    "binary",
    "multiclass",
    "strings",
    "two strings",
    "regression",
    "several targets",
    "counts",
]


def dense(y):
    return y.toarray() if hasattr(y, "toarray") else y


def assert_same_predictions(one, other, X):
    predicted, expected = one.predict(X), other.predict(X)
    assert type(predicted) is type(expected)
    assert predicted.dtype.kind == expected.dtype.kind
    if hasattr(one, "classes_"):
        np.testing.assert_array_equal(dense(predicted), dense(expected))
        np.testing.assert_array_equal(one.classes_, other.classes_)
        np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=0, atol=1e-12)
    else:
        np.testing.assert_allclose(predicted, expected, rtol=1e-12, atol=1e-12)


def arrays_of(estimator):
    """All arrays among the fitted attributes."""
    values = [value for name, value in vars(estimator).items() if name.endswith("_")]
    values += [item for value in values if isinstance(value, list) for item in value]
    return [value for value in values if isinstance(value, np.ndarray)]


def convert(case, direction):
    """A fitted estimator, and what it is converted to."""
    if direction == "to_sklearn":
        ours = case.fitted(case.ours)
        return ours, ours.to_sklearn()
    theirs = case.fitted(case.theirs)
    return theirs, case.ours.from_sklearn(theirs)


both_directions = pytest.mark.parametrize("direction", ["to_sklearn", "from_sklearn"])


class TestConversion:
    @every_case
    @both_directions
    def test_predictions_are_the_same(self, case, direction):
        source, converted = convert(case, direction)
        assert type(converted) is (case.theirs if direction == "to_sklearn" else case.ours)
        assert_same_predictions(converted, source, case.X)
        assert_same_predictions(converted, source, case.X * 3 + 1)

    @every_case
    @both_directions
    def test_parameters_and_fitted_attributes_are_the_same(self, case, direction):
        source, converted = convert(case, direction)
        ours, theirs = sorted((converted.get_params(), source.get_params()), key=len, reverse=True)
        defaults = case.ours().get_params()
        assert theirs.items() <= ours.items()
        assert {name: ours[name] for name in ours.keys() - theirs} == {
            name: defaults[name] for name in ours.keys() - theirs
        }
        shared = ["n_iter_", "loss_", "best_loss_", "t_", "n_layers_", "n_outputs_", "out_activation_"]
        for name in [*shared, "n_features_in_", "validation_scores_", "best_validation_score_"]:
            assert getattr(converted, name, None) == getattr(source, name, None), name

    @every_case
    def test_round_trip_gives_the_same_model(self, case):
        ours = case.fitted(case.ours)
        again = case.ours.from_sklearn(ours.to_sklearn())
        for name in ("coefs_", "intercepts_"):
            for array, expected in zip(getattr(again, name), getattr(ours, name), strict=True):
                np.testing.assert_array_equal(array, expected)
        assert again.get_params() == ours.get_params()
        assert_same_predictions(again, ours, case.X)

    @both_directions
    def test_feature_names_come_along(self, direction):
        pd = pytest.importorskip("pandas")
        case = copy.copy(CASES["multiclass"])
        case.X = pd.DataFrame(case.X, columns=list("abcdef"))
        source, converted = convert(case, direction)
        assert converted.feature_names_in_.tolist() == list("abcdef")
        assert_same_predictions(converted, source, case.X)
        with pytest.raises(ValueError, match="feature names"):
            converted.predict(case.X.rename(columns={"a": "z"}))

    @both_directions
    def test_float32_weights_stay_float32(self, direction):
        case = copy.copy(CASES["multiclass"])
        case.X = case.X.astype(np.float32)
        source, converted = convert(case, direction)
        assert {coef.dtype for coef in [*source.coefs_, *converted.coefs_]} == {np.dtype(np.float32)}
        np.testing.assert_allclose(
            converted.predict_proba(case.X), source.predict_proba(case.X), rtol=1e-4, atol=1e-6
        )

    def test_solver_object_becomes_its_name_and_settings(self):
        case = CASES["binary"]
        mlp = case.fitted(case.ours, solver=Adam(beta_1=0.8, epsilon=1e-7), beta_1=0.1).to_sklearn()
        assert (mlp.solver, mlp.beta_1, mlp.beta_2, mlp.epsilon) == ("adam", 0.8, 0.999, 1e-7)
        mlp = case.fitted(case.ours, solver=SGD(momentum=0.5, nesterovs_momentum=False)).to_sklearn()
        assert (mlp.solver, mlp.momentum, mlp.nesterovs_momentum) == ("sgd", 0.5, False)

    def test_activation_object_becomes_its_name(self):
        case = CASES["binary"]
        ours = case.fitted(case.ours, activation=Tanh())
        assert ours.to_sklearn().activation == "tanh"
        assert_same_predictions(ours.to_sklearn(), ours, case.X)

    def test_subclasses_of_the_mlp_are_taken(self):
        class Special(MLPClassifier):
            pass

        case = CASES["binary"]
        theirs = case.fitted(Special)
        assert_same_predictions(ScratchMLPClassifier.from_sklearn(theirs), theirs, case.X)

    def test_of_a_subclass_of_ours_comes_that_subclass(self):
        class Special(ScratchMLPClassifier):
            pass

        case = CASES["binary"]
        assert type(Special.from_sklearn(case.fitted(case.theirs))) is Special


class TestIndependence:
    @every_case
    @both_directions
    def test_no_array_is_shared(self, case, direction):
        source, converted = convert(case, direction)
        assert len(arrays_of(converted)) >= 2 * len(source.coefs_)
        for array in arrays_of(converted):
            for other in arrays_of(source):
                assert not np.shares_memory(array, other)

    @every_case
    @both_directions
    @pytest.mark.parametrize("edited", ["source", "converted"])
    def test_editing_one_does_not_change_the_other(self, case, direction, edited):
        source, converted = convert(case, direction)
        untouched = converted if edited == "source" else source
        expected = copy.deepcopy(untouched)
        for estimator in [source if edited == "source" else converted]:
            for array in arrays_of(estimator):
                array[...] = array[::-1].copy() if array.dtype.kind in "OU" else 0
            estimator.loss_curve_.append(0.0) if hasattr(estimator, "loss_curve_") else None
        assert_same_predictions(untouched, expected, case.X)
        assert getattr(untouched, "loss_curve_", None) == getattr(expected, "loss_curve_", None)

    @both_directions
    def test_training_one_does_not_change_the_other(self, direction):
        case = CASES["multiclass"]
        source, converted = convert(case, direction)
        expected = copy.deepcopy(source)
        for _ in range(3):
            converted.partial_fit(case.X, case.y)
        assert_same_predictions(source, expected, case.X)
        assert np.abs(converted.predict_proba(case.X) - expected.predict_proba(case.X)).max() > 1e-3


class TestFurtherTraining:
    @every_case
    @both_directions
    def test_warm_start_goes_on_from_the_weights(self, case, direction):
        converted = convert(case, direction)[1]
        anew = case.fitted(type(converted), max_iter=3)
        converted.set_params(warm_start=True, max_iter=3).fit(case.X, case.y)
        assert converted.n_iter_ == 3
        assert converted.loss_ < anew.loss_

    @pytest.mark.parametrize(
        "name",
        [n for n in CASES if n not in trained_by_lbfgs and "multilabel" not in n and n != "early stopping"],
    )
    @both_directions
    def test_partial_fit_goes_on_from_the_weights(self, name, direction):
        case = CASES[name]
        source, converted = convert(case, direction)
        for _ in range(10):
            converted.partial_fit(case.X, case.y)
        assert len(converted.loss_curve_) == len(source.loss_curve_) + 10
        assert converted.loss_curve_[:-10] == source.loss_curve_
        assert converted.loss_ < source.loss_
        assert converted.t_ == source.t_ + 10 * len(case.X)

    @pytest.mark.parametrize("solver", ["adam", "sgd"])
    @pytest.mark.parametrize("name", ["binary", "multiclass", "regression"])
    def test_both_sides_go_on_alike(self, solver, name):
        case = CASES[name]
        theirs = case.fitted(case.ours, solver=solver, shuffle=False).to_sklearn()
        ours = case.ours.from_sklearn(theirs)
        for _ in range(5):
            theirs.partial_fit(case.X, case.y)
            ours.partial_fit(case.X, case.y)
        for coef, expected in zip(ours.coefs_, theirs.coefs_, strict=True):
            np.testing.assert_allclose(coef, expected, rtol=1e-8, atol=1e-10)

    @pytest.mark.parametrize("name", trained_by_lbfgs)
    def test_both_sides_go_on_alike_with_lbfgs(self, name):
        case = CASES[name]
        theirs = case.fitted(case.ours).to_sklearn().set_params(warm_start=True, max_iter=5)
        ours = case.ours.from_sklearn(theirs)
        theirs.fit(case.X, case.y)
        ours.fit(case.X, case.y)
        for coef, expected in zip(ours.coefs_, theirs.coefs_, strict=True):
            np.testing.assert_allclose(coef, expected, rtol=1e-6, atol=1e-8)

    def test_early_stopping_goes_on_with_its_best_score(self):
        case = CASES["early stopping"]
        for direction in ("to_sklearn", "from_sklearn"):
            source, converted = convert(case, direction)
            converted.set_params(warm_start=True, max_iter=3).fit(case.X, case.y)
            assert converted.best_validation_score_ >= source.best_validation_score_
            assert converted.validation_scores_[: len(source.validation_scores_)] == source.validation_scores_


@dataclass
class Squashing(Tanh):
    """An activation that scikit-learn does not have."""


@dataclass
class Careful(SGD):
    """A solver that scikit-learn does not have."""


class TestErrors:
    @pytest.mark.parametrize("estimator", [ScratchMLPClassifier(), ScratchMLPRegressor()])
    def test_unfitted_estimator_cannot_be_converted(self, estimator):
        with pytest.raises(NotFittedError, match=type(estimator).__name__):
            estimator.to_sklearn()

    @pytest.mark.parametrize(
        ("ours", "theirs"), [(ScratchMLPClassifier, MLPClassifier), (ScratchMLPRegressor, MLPRegressor)]
    )
    def test_unfitted_mlp_cannot_be_converted(self, ours, theirs):
        with pytest.raises(NotFittedError, match=theirs.__name__):
            ours.from_sklearn(theirs())

    @pytest.mark.parametrize(
        ("ours", "wrong"),
        [
            (ScratchMLPClassifier, MLPRegressor()),
            (ScratchMLPRegressor, MLPClassifier()),
            (ScratchMLPClassifier, LogisticRegression()),
            (ScratchMLPClassifier, ScratchMLPClassifier()),
        ],
    )
    def test_wrong_class_is_named_and_so_is_the_right_one(self, ours, wrong):
        expected = "MLPClassifier" if ours is ScratchMLPClassifier else "MLPRegressor"
        with pytest.raises(TypeError, match=f"fitted {expected}, got {type(wrong).__name__}"):
            ours.from_sklearn(wrong)

    def test_model_of_one_class_has_no_equal_there(self):
        estimator = ScratchMLPClassifier(**COMMON).fit(CASES["binary"].X, ["only"] * 80)
        with pytest.raises(ValueError, match="one class, .*only"):
            estimator.to_sklearn()

    def test_model_of_one_class_has_no_equal_here(self):
        mlp = MLPClassifier(**COMMON).fit(CASES["binary"].X, ["only"] * 80)
        with pytest.raises(ValueError, match="one class, .*only"):
            ScratchMLPClassifier.from_sklearn(mlp)

    def test_activation_of_ones_own_has_no_equal_there(self):
        case = CASES["binary"]
        estimator = case.fitted(case.ours, activation=Squashing())
        with pytest.raises(ValueError, match="activation=Squashing"):
            estimator.to_sklearn()

    @pytest.mark.parametrize(
        "training",
        [{"solver": Careful()}, {"solver": "adamw"}, {"learning_rate": "cosine"}, {"loss": "squared_error"}],
    )
    def test_what_only_training_needs_gets_the_defaults_there(self, training):
        case = CASES["binary"]
        ours = case.fitted(case.ours, **training)
        mlp = ours.to_sklearn()
        np.testing.assert_allclose(mlp.predict_proba(case.X), ours.predict_proba(case.X), rtol=1e-12)
        (name,) = training
        assert name == "loss" or mlp.get_params()[name] == case.theirs().get_params()[name]
        clone(mlp).set_params(max_iter=2).fit(case.X, case.y)

    def test_scaled_targets_are_folded_into_the_last_layer(self):
        case = CASES["several targets"]
        ours = case.fitted(case.ours, scale_target=True)
        np.testing.assert_allclose(ours.to_sklearn().predict(case.X), ours.predict(case.X), rtol=1e-10)

    def test_several_predictions_a_target_have_no_equal_there(self):
        case = CASES["regression"]
        with pytest.raises(ValueError, match="gaussian_nll"):
            case.fitted(case.ours, loss="gaussian_nll").to_sklearn()


@pytest.mark.parametrize(
    "name", ["binary", "multiclass", "strings", "multilabel", "regression", "several targets"]
)
def test_onnx_runtime_gives_the_same_predictions(name):
    skl2onnx = pytest.importorskip("skl2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    case = CASES[name]
    ours = case.fitted(case.ours)
    X = case.X.astype(np.float32)
    options = {"zipmap": False} if hasattr(ours, "classes_") else None
    model = skl2onnx.to_onnx(ours.to_sklearn(), X[:1], options=options)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: X})
    if not hasattr(ours, "classes_"):
        np.testing.assert_allclose(
            outputs[0].reshape(ours.predict(X).shape), ours.predict(X), atol=1e-5, rtol=1e-5
        )
        return
    labels, probabilities = outputs
    np.testing.assert_array_equal(labels, ours.predict(X))
    np.testing.assert_allclose(probabilities, ours.predict_proba(X), rtol=0, atol=1e-5)
