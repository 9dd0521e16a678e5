"""To scikit-learn's own MLP and back; the only place that knows it."""

import copy
from numbers import Integral

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import is_classifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.validation import check_is_fitted

from sknn_scratch.core import ACTIVATIONS, LOSSES, OPTIMIZERS


def to_sklearn(estimator):
    """Scikit-learn's estimator with the same weights; see ``to_sklearn`` of the estimators."""
    check_is_fitted(estimator)
    classify = is_classifier(estimator)
    if classify and len(estimator.classes_) == 1:
        raise ValueError(
            f"scikit-learn's MLPClassifier has no equal of a model of one class, {estimator.classes_[0]!r}: "
            "it gives two columns of probabilities for it."
        )
    params = estimator.get_params(deep=False)
    kind = MLPClassifier if classify else MLPRegressor
    known = kind().get_params()
    params = {name: copy.deepcopy(value) for name, value in params.items() if name in known}
    functions = estimator._activation if isinstance(estimator._activation, list) else [estimator._activation]
    if any(function != functions[0] for function in functions):
        raise ValueError(f"scikit-learn's MLP has no equal of activation={estimator.activation!r}.")
    params["activation"] = _registered_name(ACTIVATIONS, functions[0], "activation")
    if not isinstance(estimator.solver, str):
        params["solver"] = _registered_name(OPTIMIZERS, estimator.solver, "solver")
        params.update(estimator.solver.get_params())
    mlp = kind(**params)
    _copy_fitted_attributes(estimator, mlp)
    if classify:
        mlp._label_binarizer = LabelBinarizer().fit(_labels_like_those_seen(estimator))
    # what a scikit-learn MLP reads when it goes on training
    mlp._no_improvement_count = 0
    mlp._best_coefs = [coef.copy() for coef in mlp.coefs_]
    mlp._best_intercepts = [intercept.copy() for intercept in mlp.intercepts_]
    return mlp


def from_sklearn(cls, mlp):
    """An estimator of ours with the weights of scikit-learn's; see ``from_sklearn`` of the estimators."""
    estimator = cls()
    expected = MLPClassifier if is_classifier(estimator) else MLPRegressor
    if not isinstance(mlp, expected):
        raise TypeError(f"from_sklearn of {cls.__name__} takes a fitted {expected.__name__}, got {mlp!r}.")
    check_is_fitted(mlp)
    if is_classifier(estimator) and len(mlp.classes_) == 1:
        raise ValueError(
            f"{cls.__name__} has no equal of an MLPClassifier fitted to one class, {mlp.classes_[0]!r}: "
            "fit it anew, to get one column of probabilities for one class."
        )
    known = estimator.get_params(deep=False)
    params = {name: value for name, value in mlp.get_params(deep=False).items() if name in known}
    estimator.set_params(**copy.deepcopy(params))
    _copy_fitted_attributes(mlp, estimator)
    estimator._activation = ACTIVATIONS[mlp.activation]()
    estimator._loss = next(loss for loss in LOSSES.values() if loss.link_inverse == mlp.out_activation_)()
    if is_classifier(estimator):
        estimator._labels_are_sparse = mlp._label_binarizer.sparse_input_
    if isinstance(mlp.random_state, Integral) and hasattr(mlp, "_random_state"):
        estimator._random_state = copy.deepcopy(mlp._random_state)
    return estimator


def _registered_name(registry, thing, parameter):
    for name, kind in registry.items():
        if type(thing) is kind:
            return name
    raise ValueError(f"scikit-learn's MLP has no equal of {parameter}={thing!r}; it has {sorted(registry)}.")


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
