"""Conversion to scikit-learn's own MLP and back; the only module that knows it."""

import copy
from numbers import Integral

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import is_classifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.validation import check_is_fitted

from sknn_scratch.core import ACTIVATIONS, LOSSES, OPTIMIZERS, Identity, Logistic, ReLU, Tanh

# What only matters to further training, and has no equal there, gets the defaults there.
_TAKEN_OVER = {
    "solver": ("sgd", "adam", "lbfgs"),
    "learning_rate": ("constant", "invscaling", "adaptive"),
    "loss": ("squared_error", "poisson"),
}


def to_sklearn(estimator):
    """Scikit-learn's estimator with the same weights; see ``to_sklearn`` of the estimators."""
    check_is_fitted(estimator)
    _refuse_what_has_no_equal(estimator)
    classify = is_classifier(estimator)
    mlp = _unfitted_equal(estimator, MLPClassifier if classify else MLPRegressor)
    _copy_fitted_attributes(estimator, mlp)
    if classify:
        mlp._label_binarizer = LabelBinarizer().fit(_labels_like_those_seen(estimator))
    elif estimator._target_scale is not None:
        _fold_scale(estimator._target_scale, mlp)
    # what a scikit-learn MLP reads when it goes on training
    mlp._no_improvement_count = 0
    mlp._best_coefs = [coef.copy() for coef in mlp.coefs_]
    mlp._best_intercepts = [intercept.copy() for intercept in mlp.intercepts_]
    return mlp


def _refuse_what_has_no_equal(estimator):
    """Raise if scikit-learn's MLP cannot predict the same."""
    if is_classifier(estimator):
        if len(estimator.classes_) == 1:
            raise ValueError(
                "scikit-learn's MLPClassifier cannot represent a model of one class, "
                f"{estimator.classes_[0]!r}: it gives two columns of probabilities for it."
            )
        if isinstance(estimator.classes_, list):
            raise ValueError(
                "scikit-learn's MLPClassifier cannot represent a model of several columns of classes."
            )
    functions = _functions(estimator)
    there = (Identity, Logistic, Tanh, ReLU)
    if any(function != functions[0] or type(function) not in there for function in functions):
        raise ValueError(f"scikit-learn's MLP does not support activation={estimator.activation!r}.")
    if not is_classifier(estimator) and estimator._loss.raw_per_target > 1:
        raise ValueError(f"scikit-learn's MLP does not support loss={estimator.loss!r}.")


def _unfitted_equal(estimator, kind):
    """Scikit-learn's estimator with the parameters that it knows."""
    params = estimator.get_params(deep=False)
    function = type(_functions(estimator)[0])
    params["activation"] = next(name for name, known in ACTIVATIONS.items() if known is function)
    solver = estimator.solver
    if not isinstance(solver, str):
        params["solver"] = next((name for name, rule in OPTIMIZERS.items() if type(solver) is rule), None)
        params.update(solver.get_params())
    for name, values in _TAKEN_OVER.items():
        if params.get(name) not in values:
            params.pop(name, None)
    known = kind().get_params()
    return kind(**{name: copy.deepcopy(value) for name, value in params.items() if name in known})


def _functions(estimator):
    """The activation of all hidden layers, or one for each."""
    functions = estimator._activation
    return (functions if isinstance(functions, list) else [functions]) or [Identity()]


def from_sklearn(cls, mlp):
    """Our estimator with the weights of scikit-learn's; see ``from_sklearn`` of the estimators."""
    estimator = cls()
    expected = MLPClassifier if is_classifier(estimator) else MLPRegressor
    if not isinstance(mlp, expected):
        raise TypeError(f"from_sklearn of {cls.__name__} takes a fitted {expected.__name__}, got {mlp!r}.")
    check_is_fitted(mlp)
    if is_classifier(estimator) and len(mlp.classes_) == 1:
        raise ValueError(
            f"{cls.__name__} cannot represent an MLPClassifier fitted to one class, {mlp.classes_[0]!r}: "
            f"fit a {cls.__name__} instead, which gives one column of probabilities for one class."
        )
    known = estimator.get_params(deep=False)
    params = {name: value for name, value in mlp.get_params(deep=False).items() if name in known}
    estimator.set_params(**copy.deepcopy(params))
    _copy_fitted_attributes(mlp, estimator)
    loss = next(loss for loss in LOSSES.values() if loss.link_inverse == mlp.out_activation_)()
    estimator._keep(estimator._fitted_sizes(), ACTIVATIONS[mlp.activation](), loss)
    estimator._target_scale = None
    if is_classifier(estimator):
        estimator._labels_are_sparse = mlp._label_binarizer.sparse_input_
    if isinstance(mlp.random_state, Integral) and hasattr(mlp, "_random_state"):
        estimator._random_state = copy.deepcopy(mlp._random_state)
    return estimator


def _fold_scale(target, mlp):
    """Make the output layer predict in the units of y."""
    if mlp.out_activation_ == "exp":  # exp(z + log(scale)) = scale exp(z)
        mlp.intercepts_[-1] = mlp.intercepts_[-1] + np.log(target.scale)
    else:
        mlp.coefs_[-1] = mlp.coefs_[-1] * target.scale
        mlp.intercepts_[-1] = target.restored(mlp.intercepts_[-1])


def _copy_fitted_attributes(source, target):
    for name, value in vars(source).items():
        if name.endswith("_") and not name.startswith("_"):
            setattr(target, name, copy.deepcopy(value))


def _labels_like_those_seen(estimator):
    """Targets from which a LabelBinarizer learns the same kind of y and the same classes."""
    if not estimator._is_multilabel():
        return estimator.classes_
    labels = np.eye(estimator.n_outputs_, dtype=int)
    return csr_matrix(labels) if estimator._labels_are_sparse else labels
