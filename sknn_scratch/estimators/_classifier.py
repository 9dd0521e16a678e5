"""ScratchMLPClassifier."""

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)

from sknn_scratch.core import BinaryLogLoss, LogLoss
from sknn_scratch.estimators._base import BaseScratchMLP, all_or_nothing, has_partial_fit
from sknn_scratch.estimators._holdout import split_rows


class ScratchMLPClassifier(ClassifierMixin, BaseScratchMLP):
    """DOC"""

    _y_numeric = False

    @available_if(has_partial_fit)
    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one epoch on the given data, going on from the model as it is.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample, at least 0; None means 1 for all.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur, ``np.arange(n_labels)`` for multilabel y. Needed on the first
            call only; a chunk of data need not hold all of them.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data are not as they must be, or if training diverges. The estimator is left as it was.
        """
        _check_partial_fit_first_call(self, classes)  # sets classes_
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X):
        """Predict the labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable class; for multilabel y 1 for each label with a probability above one half, as a
            sparse matrix if the estimator was fitted to one.
        """
        raw = self._forward(X)[1]
        if self._is_multilabel():
            labels = (raw > 0).astype(int)
            return csr_matrix(labels) if self._labels_are_sparse else labels
        return self.classes_[_class_numbers(raw)]

    def predict_proba(self, X):
        """Predict probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probability of each class, in the order of `classes_`; for multilabel y that of each label.
        """
        network, raw = self._forward(X)
        network.loss.predict(raw, out=raw)
        return np.hstack([1 - raw, raw]) if self._is_binary() else raw

    def predict_log_proba(self, X):
        """Predict logarithms of probabilities, exact even where a probability rounds to 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probability of each class, in the order of `classes_`; for multilabel y that of each label.
        """
        network, raw = self._forward(X)
        if self._is_binary():
            raw = np.hstack([-raw, raw])
        network.loss.predict_log(raw, out=raw)
        return raw

    def decision_function(self, X):
        """Raw scores: the output of the last layer, before the logistic function or softmax.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes one score a sample, positive where ``classes_[1]`` is predicted; otherwise one
            column per class or label.
        """
        raw = self._forward(X)[1]
        return raw.ravel() if self._is_binary() else raw

    def _is_binary(self):
        return self.out_activation_ == "logistic" and self.n_outputs_ == 1

    def _is_multilabel(self):
        return self.out_activation_ == "logistic" and self.n_outputs_ > 1

    def _encode_targets(self, y, dtype, goes_on, incremental):
        if y.ndim == 2 and y.shape[1] == 1 and not issparse(y):
            y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise ValueError(
                f"y has {y.shape[1]} columns of classes (multiclass-multioutput), which is not supported: "
                "give a single column or a 0/1 indicator per label, or use MultiOutputClassifier."
            )
        labels = unique_labels(y)
        if not (goes_on or incremental):
            self.classes_ = labels
        elif incremental and not set(labels) <= set(self.classes_):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'y' has {labels}."
            )
        elif not incremental and set(labels) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {labels}"
            )
        multilabel = kind == "multilabel-indicator"
        self._labels_are_sparse = issparse(y)
        if multilabel:
            y = y.toarray() if issparse(y) else y
            self.n_outputs_ = y.shape[1]
        else:
            y = LabelEncoder().fit(self.classes_).transform(y)[:, np.newaxis]
            self.n_outputs_ = 1 if len(self.classes_) == 2 else len(self.classes_)
        loss = BinaryLogLoss() if multilabel or len(self.classes_) == 2 else LogLoss()
        return y.astype(dtype), loss

    def _loss_scale(self, loss):
        return 1.0

    def _split(self, y, rng):
        classes = (self.classes_, y.ravel().astype(int)) if y.shape[1] == 1 else None
        return split_rows(len(y), self.validation_fraction, classes, rng)

    def _validation_score(self, loss, raw, y, weight):
        if y.shape[1] > 1:  # multilabel: the share of rows with all labels right is often 0, and no guide
            return -loss.value_and_gradient(raw, y, weight, np.empty_like(raw), np.empty_like(raw[:, 0]))
        return accuracy_score(y.ravel(), _class_numbers(raw), sample_weight=weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _class_numbers(raw):
    """The most probable class: the sign of a single score, the largest of several."""
    return raw.argmax(axis=1) if raw.shape[1] > 1 else (raw.ravel() > 0).astype(np.intp)
