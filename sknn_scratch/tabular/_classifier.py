"""ScratchRealMLPClassifier."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils._param_validation import Interval, StrOptions

from sknn_scratch.core import LogLoss
from sknn_scratch.estimators._class_targets import ClassTargets
from sknn_scratch.fitting._arguments import explains_arguments
from sknn_scratch.fitting._parameters import SCORING_OF_CLASSES
from sknn_scratch.fitting._singletons import refuse_singletons
from sknn_scratch.tabular._base import BaseRealMLP
from sknn_scratch.tabular._presets import CLASSIFIER_PRESETS, chosen

if TYPE_CHECKING:
    from sknn_scratch._typing import (
        ActivationLike,
        Data,
        FloatArray,
        HiddenLayerSizes,
        RandomState,
        Scoring,
        TabularScheduleLike,
    )

_OF_PROBABILITIES = (
    *("loss", "neg_log_loss", "d2_log_loss_score", "neg_brier_score", "d2_brier_score", "average_precision"),
    *("roc_auc", "roc_auc_ovr", "roc_auc_ovo", "roc_auc_ovr_weighted", "roc_auc_ovo_weighted"),
)


class ScratchRealMLPClassifier(ClassTargets, ClassifierMixin, BaseRealMLP):
    """RealMLP classifier: a multi-layer perceptron for tables with well chosen defaults.

    It takes a table as it is: a frame of pandas or polars, or an array, with numbers, categories, strings,
    booleans and gaps; it predicts probabilities of classes. The defaults are tuned for all tables at once, so
    that they need no search of yours.

    Hyper-parameters that are None have the value of the preset, which is told with them. What they are for
    tells ``docs/tabular.md``.

    Parameters
    ----------
    preset : {'td', 'td-s'}, default='td'
        The published defaults: 'td' in full, or the simplified 'td-s', which has no embeddings, no dropout
        and no weight decay, and takes two thirds of the time.
    n_ens : int, default=1
        Members: networks trained at the same time on the same split with other first weights. Their
        probabilities or predictions are averaged, and the best epoch is that of all together.
    n_cv : int or 'auto', default='auto'
        Splits: with more than 1, `n_ens` members are trained for each of so many folds, each of which is the
        validation part once. More than 1 is not possible with `X_val`. 'auto' means 5 below 1,000 rows,
        where a fifth of them is too few to choose the best epoch by, unless `validation_fraction` or `X_val`
        is given, and else 1.
    refit : bool, default=False
        Whether `n_ens` more members are trained then, on all rows, for as many epochs as the best one was.
        They join those that chose it, as one more split would. With one split it takes up to 2.25 times the
        time, mostly one and a half times. It does not go with `X_val`.
    n_jobs : int or None, default=-1
        Members at work at the same time, in threads; -1 means one for each core, None means 1 unless a joblib
        backend says otherwise. The model does not depend on it.
    categorical_features : array-like of {bool, int, str}, 'from_dtype' or None, default='from_dtype'
        Which columns hold categories, as in :class:`TabularPreprocessor`: a mask, indices or names; with
        'from_dtype' the columns of a frame with a categorical, boolean or string dtype; with None there are
        none.
    hidden_layer_sizes : int, array-like of int or None, default=None
        Units of each hidden layer; (256, 256, 256).
    activation : str, Activation or None, default=None
        Function f of the hidden units, by a name that ScratchMLPClassifier knows or as an object; 'selu'.
    parametric_activation : bool or None, default=None
        Whether each unit learns an alpha in x + alpha (f(x) - x); True for 'td'.
    learning_rate_init : float or None, default=None
        The greatest learning rate; 0.04.
    learning_rate : str, Schedule, callable or None, default=None
        How it goes on, by step; 'coslog4', four waves down to 0 that grow longer. Also 'flat_cos' and what
        ScratchMLPClassifier takes.
    scale_rate, bias_rate, activation_rate : float or None, default=None, None, None
        Factors of the learning rate for the scale layer, the biases, and the alphas of activations; 6, 0.1,
        0.1.
    numerical_embedding_rate, category_embedding_rate : float or None, default=None, None
        Factors of the learning rate for the two embeddings; 0.1, 1.
    scale_layer : bool or None, default=None
        Whether there is a learnt factor for each input of the first hidden layer; True.
    numerical_embedding : bool or None, default=None
        Whether numbers are embedded by learnt waves (:class:`~sknn_scratch.core.PBLD`); True for 'td'.
    numerical_embedding_sigma : float or None, default=None
        Standard deviation of the first frequencies; 0.1. Of all settings that of the embedding most worth a
        search.
    n_frequencies, numerical_embedding_size : int or None, default=None, None
        Waves of each number, and columns that they become; 16, 4.
    max_one_hot : int, inf or None, default=None
        Levels up to which a category becomes 0/1 columns; above it is embedded; 8 for 'td', inf for 'td-s'.
    category_embedding_size : int or None, default=None
        Length of the vector of a level; 8.
    dropout : float or None, default=None
        Share of the hidden units that is left out in each step; 0.15 for 'td', 0 for 'td-s'.
    weight_decay, bias_decay : float or None, default=None, None
        Decoupled weight decay, and the factor of it for biases; 0.02 for 'td', 0 for 'td-s', and 0. It is
        multiplied by the square of the factor of the learning rate.
    regularization : str, Schedule, callable or None, default=None
        The course of dropout and weight decay, which both start from their full strength; 'flat_cos', half of
        the steps flat and then half a cosine down to 0.
    weight_init : {'std', 'normal'} or None, default=None
        First weights: N(0, 1), for 'std' divided by the standard deviation that each unit has on the data;
        'std' for 'td', 'normal' for 'td-s'.
    bias_init : {'he+5', 'normal'} or None, default=None
        First biases: minus a random mean of what 5 rows make of the unit, or N(0, 1); 'he+5' for 'td',
        'normal' for 'td-s'.
    zero_output : bool or None, default=None
        Whether the output layer starts at zero, but for what `weight_init` and `bias_init` do; True for
        'td-s'.
    label_smoothing : float or None, default=None
        Share of a label that is spread over all classes in training; 0.1, but 0 if `scoring` judges
        probabilities.
    beta_1, beta_2 : float or None, default=None, None
        Decay rates of Adam's averages; 0.9, 0.95.
    epsilon : float or None, default=None
        Keeps Adam's denominator from zero; 1e-8.
    batch_size : int or None, default=None
        Rows of a mini-batch; 256, or all if there are fewer. An epoch leaves out what does not fill a batch.
    max_iter : int or None, default=None
        Epochs; 256. The schedules are stretched over them.
    validation_fraction : float or None, default=None
        Share of the rows that is held out to choose the best epoch by; 0.2.
    early_stopping : bool, default=False
        Whether training ends after more epochs than ``patience_factor * best_epoch + n_iter_no_change``.
        Without, all epochs are run; the weights kept are in any case those of the best epoch, the last one of
        equals.
    n_iter_no_change : int, default=40
        As said there.
    patience_factor : float, default=3.0
        As said there.
    scoring : str, callable or None, default=None
        What chooses the best epoch: the name of one of scikit-learn's scorers, a callable ``(estimator, X, y)
        -> float`` of which greater is better, or 'loss'. None means accuracy. With 'loss', or the name of a
        score that is computed from probabilities, such as 'neg_log_loss' or 'roc_auc', it is the validation
        cross-entropy, and labels are not smoothed.
    class_weight : dict, 'balanced' or None, default=None
        Weight of each class, by which the weights of its samples are multiplied: a dict ``{label: weight}``,
        or 'balanced', which is ``n_samples / (n_classes * n_samples_of_class)``.
    random_state : int, RandomState instance or None, default=None
        Source of splits, first weights, order of rows and dropout. An int gives the same model each time.
    verbose : bool, default=False
        Whether to print a line per epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, in the order of the columns of probabilities.
    out_activation_ : str
        Function of the output layer: 'softmax', for two classes too.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if all are strings.
    n_outputs_ : int
        Raw scores of a row: one for each class.
    n_iter_ : int
        Epochs that were run, those of `refit` included.
    best_iter_ : int or None
        The epoch whose weights are kept, counted from 1.
    best_validation_score_ : float or None
        Its validation score.
    history_ : list of dict
        One row for each epoch, with 'epoch', 'loss', 'validation_loss', 'validation_score', 'learning_rate'
        (of the last step), 'gradient_norm' (of the first step) and 'seconds'; means over members. The
        training loss is that of smoothed labels.
    loss_ : float
        Training loss at the end.
    loss_curve_ : list of float
        Training loss at each epoch.
    validation_loss_curve_ : list of float
        Validation loss at each epoch, of labels that are not smoothed; nan for those of `refit`.
    validation_scores_ : list of float
        Validation score at each epoch; nan for those of `refit`, which come last.

    See Also
    --------
    ScratchRealMLPRegressor : The same for numbers.
    TabularPreprocessor : What is done to the table.

    References
    ----------
    Holzmüller, Grinsztajn & Steinwart (2024), "Better by default: strong pre-tuned MLPs and boosted trees on
    tabular data", NeurIPS 37.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sknn_scratch import ScratchRealMLPClassifier
    >>> rng = np.random.RandomState(0)
    >>> X = pd.DataFrame({"size": rng.gamma(2, 10, 500), "kind": rng.choice(["a", "b", "c"], 500)})
    >>> y = np.where((X["size"] > 20) ^ (X["kind"] == "b"), "yes", "no")
    >>> model = ScratchRealMLPClassifier(max_iter=30, random_state=0).fit(X[:400], y[:400])
    >>> model.score(X[400:], y[400:]) > 0.9
    True
    """

    _parameter_constraints: dict = {
        **BaseRealMLP._parameter_constraints,
        "label_smoothing": [Interval(Real, 0, 1, closed="left"), None],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "scoring": SCORING_OF_CLASSES,
    }
    _presets = CLASSIFIER_PRESETS
    loss = "log_loss"
    classes_: npt.NDArray[Any]

    @explains_arguments
    def __init__(
        self,
        preset: Literal["td", "td-s"] = "td",
        *,
        n_ens: int = 1,
        n_cv: int | Literal["auto"] = "auto",
        refit: bool = False,
        n_jobs: int | None = -1,
        categorical_features: npt.ArrayLike | None = "from_dtype",
        hidden_layer_sizes: HiddenLayerSizes | None = None,
        activation: ActivationLike | None = None,
        parametric_activation: bool | None = None,
        learning_rate_init: float | None = None,
        learning_rate: TabularScheduleLike | None = None,
        scale_rate: float | None = None,
        bias_rate: float | None = None,
        activation_rate: float | None = None,
        numerical_embedding_rate: float | None = None,
        category_embedding_rate: float | None = None,
        scale_layer: bool | None = None,
        numerical_embedding: bool | None = None,
        numerical_embedding_sigma: float | None = None,
        n_frequencies: int | None = None,
        numerical_embedding_size: int | None = None,
        max_one_hot: float | None = None,
        category_embedding_size: int | None = None,
        dropout: float | None = None,
        weight_decay: float | None = None,
        bias_decay: float | None = None,
        regularization: TabularScheduleLike | None = None,
        weight_init: Literal["std", "normal"] | None = None,
        bias_init: Literal["he+5", "normal"] | None = None,
        zero_output: bool | None = None,
        label_smoothing: float | None = None,
        beta_1: float | None = None,
        beta_2: float | None = None,
        epsilon: float | None = None,
        batch_size: int | None = None,
        max_iter: int | None = None,
        validation_fraction: float | None = None,
        early_stopping: bool = False,
        n_iter_no_change: int = 40,
        patience_factor: float = 3.0,
        scoring: Scoring = None,
        class_weight: dict[Any, Any] | Literal["balanced"] | None = None,
        random_state: RandomState = None,
        verbose: bool = False,
    ) -> None:
        self.preset = preset
        self.n_ens = n_ens
        self.n_cv = n_cv
        self.refit = refit
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

    def predict(self, X: Data) -> npt.NDArray[Any]:
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

    def predict_proba(self, X: Data) -> FloatArray:
        """Predict probabilities: the means of those of all members.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probability of each class, in the order of `classes_`; at least the smallest normal number.
        """
        loss, raw = self._raw_scores(X)
        loss.predict(raw, out=raw)
        return raw

    def predict_log_proba(self, X: Data) -> FloatArray:
        """Predict logarithms of probabilities: those of `predict_proba`.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probability of each class, in the order of `classes_`.
        """
        return np.log(self.predict_proba(X))

    def _encode_targets(self, y, weight, dtype, goes_on, incremental):
        self.out_activation_ = "softmax"
        encoded = super()._encode_targets(y, weight, dtype, goes_on, incremental)
        self.n_outputs_ = len(self.classes_)  # for two classes too
        return encoded

    def _kind_of(self, y, goes_on, incremental):
        kind = super()._kind_of(y, goes_on, incremental)
        if kind in ("multilabel", "multioutput"):
            raise ValueError(
                f"y must be one column of classes, got {kind} targets of shape {y.shape}: use "
                "ScratchMLPClassifier, or MultiOutputClassifier(ScratchRealMLPClassifier())."
            )
        return kind

    def _loss_for(self, kind):
        smoothing = self.label_smoothing
        if smoothing is None:
            of_preset = chosen(self, self._presets[self.preset]).label_smoothing
            smoothing = 0.0 if self.scoring in _OF_PROBABILITIES else of_preset
        return LogLoss(float(smoothing))

    def _target_scale(self, y, weight, loss):
        return None

    def _classes_of_rows(self, y):
        classes = y.ravel().astype(np.intp)
        refuse_singletons(self.classes_, classes, "X_val and y_val")
        return classes

    def _scores_by_loss(self, loss):
        return self.scoring in _OF_PROBABILITIES

    def _score_of_raw(self, raw, y, weight, loss):
        return accuracy_score(y.ravel(), raw.argmax(axis=1), sample_weight=weight)
