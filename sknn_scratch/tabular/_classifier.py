"""ScratchRealMLPClassifier."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils._param_validation import Interval, StrOptions
from numbers import Real

from sknn_scratch.core import LogLoss
from sknn_scratch.estimators._class_targets import ClassTargets
from sknn_scratch.tabular._base import BaseRealMLP
from sknn_scratch.tabular._presets import CLASSIFIER_PRESETS, chosen

_OF_PROBABILITIES = (
    *("loss", "neg_log_loss", "d2_log_loss_score", "neg_brier_score", "d2_brier_score", "average_precision"),
    *("roc_auc", "roc_auc_ovr", "roc_auc_ovo", "roc_auc_ovr_weighted", "roc_auc_ovo_weighted"),
)


class ScratchRealMLPClassifier(ClassTargets, ClassifierMixin, BaseRealMLP):
    """TODO."""

    _parameter_constraints: dict = {
        **BaseRealMLP._parameter_constraints,
        "label_smoothing": [Interval(Real, 0, 1, closed="left"), None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    _presets = CLASSIFIER_PRESETS
    loss = "log_loss"

    def __init__(
        self,
        preset="td",
        *,
        n_ens=1,
        n_cv=1,
        n_jobs=-1,
        categorical_features="from_dtype",
        hidden_layer_sizes=None,
        activation=None,
        parametric_activation=None,
        learning_rate_init=None,
        learning_rate=None,
        scale_rate=None,
        bias_rate=None,
        activation_rate=None,
        numerical_embedding_rate=None,
        category_embedding_rate=None,
        scale_layer=None,
        numerical_embedding=None,
        numerical_embedding_sigma=None,
        n_frequencies=None,
        numerical_embedding_size=None,
        max_one_hot=None,
        category_embedding_size=None,
        dropout=None,
        weight_decay=None,
        bias_decay=None,
        regularization=None,
        weight_init=None,
        bias_init=None,
        zero_output=None,
        label_smoothing=None,
        beta_1=None,
        beta_2=None,
        epsilon=None,
        batch_size=None,
        max_iter=None,
        validation_fraction=None,
        early_stopping=False,
        n_iter_no_change=40,
        patience_factor=3.0,
        scoring=None,
        class_weight=None,
        random_state=None,
        verbose=False,
    ):
        self.preset = preset
        self.n_ens = n_ens
        self.n_cv = n_cv
        self.n_jobs = n_jobs
        self.categorical_features = categorical_features
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.parametric_activation = parametric_activation
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.scale_rate = scale_rate
        self.bias_rate = bias_rate
        self.activation_rate = activation_rate
        self.numerical_embedding_rate = numerical_embedding_rate
        self.category_embedding_rate = category_embedding_rate
        self.scale_layer = scale_layer
        self.numerical_embedding = numerical_embedding
        self.numerical_embedding_sigma = numerical_embedding_sigma
        self.n_frequencies = n_frequencies
        self.numerical_embedding_size = numerical_embedding_size
        self.max_one_hot = max_one_hot
        self.category_embedding_size = category_embedding_size
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.bias_decay = bias_decay
        self.regularization = regularization
        self.weight_init = weight_init
        self.bias_init = bias_init
        self.zero_output = zero_output
        self.label_smoothing = label_smoothing
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.patience_factor = patience_factor
        self.scoring = scoring
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose

    def predict(self, X):
        """Predict the labels.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,)
            The most probable class.
        """
        _, raw = self._raw_scores(X)
        return self._labels(raw.argmax(axis=1))

    def predict_proba(self, X):
        """Predict probabilities: the means of those of all members.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probability of each class, in the order of `classes_`.
        """
        loss, raw = self._raw_scores(X)
        loss.predict(raw, out=raw)
        return raw

    def predict_log_proba(self, X):
        """Predict logarithms of probabilities, exact even where a probability rounds to 0.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probability of each class, in the order of `classes_`.
        """
        loss, raw = self._raw_scores(X)
        loss.predict_log(raw, out=raw)
        return raw

    def _encode_targets(self, y, weight, dtype, goes_on, incremental):
        self.out_activation_ = "softmax"
        encoded = super()._encode_targets(y, weight, dtype, goes_on, incremental)
        self.n_outputs_ = len(self.classes_)  # for two classes too
        return encoded

    def _kind_of(self, y, goes_on, incremental):
        kind = super()._kind_of(y, goes_on, incremental)
        if kind in ("multilabel", "multioutput"):
            raise ValueError(
                f"y must be one column of classes, got {kind} targets of shape {y.shape}: use ScratchMLPClassifier, or "
                "one ScratchRealMLPClassifier for each column (MultiOutputClassifier)."
            )
        return kind

    def _loss_for(self, kind):
        smoothing = self.label_smoothing
        if smoothing is None:
            of_preset = chosen(self, self._presets[self.preset]).label_smoothing
            smoothing = 0.0 if self.scoring in _OF_PROBABILITIES else of_preset
        return LogLoss(float(smoothing))

    def _target_scale(self, y, settings):
        return None

    def _classes_of_rows(self, y):
        return y.ravel().astype(np.intp)

    def _scores_by_loss(self, loss):
        return self.scoring in _OF_PROBABILITIES

    def _score_of_raw(self, raw, y, weight, loss):
        return accuracy_score(y.ravel(), raw.argmax(axis=1), sample_weight=weight)
