"""ScratchRealMLPClassifier."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score

from sknn_scratch._sklearn import Interval, StrOptions
from sknn_scratch.core import BinaryLogLoss, LogLoss
from sknn_scratch.fitting._arguments import explains_arguments
from sknn_scratch.fitting._class_targets import ClassTargets
from sknn_scratch.fitting._labels import refuse_singletons
from sknn_scratch.fitting._parameters import SCORING_OF_CLASSES
from sknn_scratch.tabular._base import BaseRealMLP
from sknn_scratch.tabular._presets import CLASSIFIER_PRESETS, chosen

if TYPE_CHECKING:
    from sknn_scratch._typing import (
        ActivationLike,
        ArrayOrAny,
        Data,
        FloatArray,
        HiddenLayerSizes,
        RandomState,
        Scoring,
        Splitter,
        TabularScheduleLike,
    )

_OF_PROBABILITIES = (
    *("loss", "neg_log_loss", "d2_log_loss_score", "neg_brier_score", "d2_brier_score", "average_precision"),
    *("roc_auc", "roc_auc_ovr", "roc_auc_ovo", "roc_auc_ovr_weighted", "roc_auc_ovo_weighted"),
)


class ScratchRealMLPClassifier(ClassTargets, ClassifierMixin, BaseRealMLP):
    """RealMLP classifier: a multi-layer perceptron for tables with well-chosen defaults.

    X is a table: a pandas or polars frame, or an array, with numbers, categories, strings, booleans and
    missing values. The defaults were tuned on many tables at once, so they need no search. A y with several
    columns of 0 and 1 is multilabel: each label gets a probability.

    A hyper-parameter of None takes the value of the preset; its entry below names that value.
    ``docs/tabular.md`` explains the recipe.

    Parameters
    ----------
    What to train
        The preset, the number of networks, and what their predictions are for.
    preset : {'td', 'td-s', 'fast', 'best'}, default='td'
        The source of all hyper-parameters that are None. 'td' and 'td-s' are published: the whole recipe, and
        a simplified one without embeddings, dropout and weight decay. 'fast' and 'best' are this library's
        own: 'td' with half the units, a quarter of the epochs, and `refit`; 'best' also has eight members.
    n_ens : int or None, default=None
        Number of members: networks trained together on the same split, each from its own initial weights.
        Their probabilities or predictions are averaged, and one best epoch is chosen for all of them. None
        means 1, 8 in 'best'.
    n_cv : int, 'auto' or splitter, default='auto'
        Number of splits. An int above 1 divides the rows into that many folds; each fold serves once as
        validation data, and `n_ens` members are trained for it. This excludes `X_val`. 'auto' means 5 below
        1,000 rows, where a fifth of the rows is too few to choose an epoch by. It means 1 for more rows, and
        with `validation_fraction` or `X_val`. A scikit-learn splitter chooses the held-out rows itself, such
        as ``GroupKFold(5)`` or ``GroupShuffleSplit(1)``, for which `fit` takes `groups`.
    refit : bool or None, default=None
        Whether to train `n_ens` more members at the end, on all rows, for as many epochs as the best epoch
        took. They join the members that chose it. With one split, a fit then takes about one and a half times
        as long, at most 2.25 times. This excludes `X_val`, with which no rows of X are held out. None means
        False, True in 'fast' and 'best' (but not with `X_val`).
    class_weight : dict, list of dict, 'balanced' or None, default=None
        Weight of each class, which multiplies the weights of its samples: a dict ``{label: weight}``, or
        'balanced', which means ``n_samples / (n_classes * n_samples_of_class)``. For multilabel y, a list has
        one dict for each label, and a row gets the product.
    calibrate : bool or None, default=None
        Whether to divide raw scores by one temperature, the one with the least cross-entropy on the held-out
        rows. Probabilities become better; predicted classes do not change. It needs no second fit. None means
        False, True in 'fast' and 'best'.
    n_jobs : int or None, default=-1
        Number of members trained at the same time, in threads; -1 means one for each core, None means 1
        unless a joblib backend sets another number. The model does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Determines the splits, the initial weights, the order of rows, and dropout. An int gives the same
        model each time.
    verbose : bool, default=False
        Whether to print a line for each epoch.

    Table
        How columns become inputs.
    categorical_features : array-like of {bool, int, str}, 'from_dtype' or None, default='from_dtype'
        Which columns hold categories, as in :class:`TabularPreprocessor`: a mask, indices or names.
        'from_dtype' means the columns of a frame with a categorical, boolean or string dtype; None means no
        column.
    ordered_as_numbers : bool or None, default=None
        Whether an ordered categorical column of pandas becomes a number, the position of its level. It
        applies if `categorical_features` is 'from_dtype'. None means False, True in 'td-s'.
    max_one_hot : int, inf or None, default=None
        Largest number of levels for which a category becomes 0/1 columns; with more levels it is embedded.
        None means 8, inf in 'td-s'.
    category_embedding_size : int or None, default=None
        Length of the vector that embeds a level. None means 8 in all presets.
    numerical_embedding : bool or None, default=None
        Whether numbers are embedded by learnt waves (:class:`~sknn_scratch.core.PBLD`). None means True,
        False in 'td-s'.
    n_frequencies : int or None, default=None
        Number of waves for each number. None means 16 in all presets.
    numerical_embedding_size : int or None, default=None
        Number of columns into which the waves of a number are mixed. None means 4 in all presets.
    numerical_embedding_sigma : float or None, default=None
        Standard deviation of the first frequencies. Of the embedding's settings, it is the one most worth
        tuning. None means 0.1 in all presets.

    Network
        Its layers and initial weights.
    hidden_layer_sizes : int, array-like of int or None, default=None
        Units in each hidden layer. None means (256, 256, 256), (128, 128, 128) in 'fast' and 'best'.
    activation : str, Activation or None, default=None
        Function f of the hidden units, by any name that ScratchMLPClassifier accepts or as an object. None
        means 'selu' in all presets.
    parametric_activation : bool or None, default=None
        Whether each unit learns an alpha in x + alpha (f(x) - x). None means True, False in 'td-s'.
    scale_layer : bool or None, default=None
        Whether to learn a factor for each input of the first hidden layer. None means True in all presets.
    weight_init : {'std', 'normal'} or None, default=None
        Initial weights: 'normal' draws them from N(0, 1); 'std' then divides them by the standard deviation
        of each unit's output on the data. None means 'std', 'normal' in 'td-s'.
    bias_init : {'he+5', 'normal'} or None, default=None
        Initial biases: 'normal' draws them from N(0, 1); 'he+5' takes minus a random mean of the unit's
        output on 5 rows. None means 'he+5', 'normal' in 'td-s'.
    zero_output : bool or None, default=None
        Whether the output layer starts at zero, before `weight_init` and `bias_init` apply to it. None means
        False, True in 'td-s'.

    Optimizer and regularization
        How the weights change in a step.
    learning_rate_init : float or None, default=None
        The highest learning rate. None means 0.04 in all presets.
    learning_rate : str, Schedule, callable or None, default=None
        Schedule of the learning rate, step by step: 'coslog4' (four waves of growing length, each down to 0),
        'flat_cos', or any schedule of ScratchMLPClassifier. None means 'coslog4' in all presets.
    scale_rate : float or None, default=None
        Learning-rate factor for the scale layer. None means 6.0 in all presets.
    bias_rate : float or None, default=None
        Learning-rate factor for the biases. None means 0.1 in all presets.
    activation_rate : float or None, default=None
        Learning-rate factor for the alphas of activations. None means 0.1 in all presets.
    numerical_embedding_rate : float or None, default=None
        Learning-rate factor for the embedding of numbers. None means 0.1 in all presets.
    category_embedding_rate : float or None, default=None
        Learning-rate factor for the embedding of categories. None means 1.0 in all presets.
    batch_size : int or None, default=None
        Number of rows in a mini-batch, or all rows if there are fewer. An epoch leaves out the rows that do
        not fill a batch. None means 256 in all presets.
    beta_1 : float or None, default=None
        Decay rate of Adam's average of gradients. None means 0.9 in all presets.
    beta_2 : float or None, default=None
        Decay rate of Adam's average of squared gradients. None means 0.95 in all presets.
    epsilon : float or None, default=None
        Keeps Adam's denominator away from zero. None means 1e-8 in all presets.
    dropout : float or None, default=None
        Share of the hidden units left out in each step. None means 0.15, 0.0 in 'td-s'.
    weight_decay : float or None, default=None
        Decoupled weight decay. It is multiplied by the square of the learning-rate factor. None means 0.02,
        0.0 in 'td-s'.
    bias_decay : float or None, default=None
        Weight-decay factor for the biases. None means 0.0 in all presets.
    regularization : str, Schedule, callable or None, default=None
        Schedule of dropout and weight decay, both of which start at full strength. None means 'flat_cos' in
        all presets: flat for half of the steps, then half a cosine down to 0.
    label_smoothing : float or None, default=None
        Share of a label that is spread over all classes in training. None means 0.1 in all presets, but 0 if
        `scoring` evaluates probabilities.

    Stopping
        How long training lasts, and which epoch is kept.
    max_iter : int or None, default=None
        Number of epochs, over which the schedules extend. None means 256, 64 in 'fast' and 'best'.
    time_limit : float or None, default=None
        Seconds that `fit` may take, including all members, splits and `refit`. If the first epochs are too
        slow for `max_iter` of them, the schedules extend over as many as there is time for, at least one. The
        number of epochs depends on the machine and its load, and so does the model. None means no limit.
    early_stopping : bool, default=False
        Whether to stop after ``patience_factor * best_epoch + n_iter_no_change`` epochs. Otherwise all epochs
        are run. Either way the weights of the best epoch are kept; among equal scores the last epoch wins.
    n_iter_no_change : int, default=40
        Number of epochs that training continues beyond ``patience_factor * best_epoch``, with
        `early_stopping`.
    patience_factor : float, default=3.0
        Factor of the best epoch in the rule of `early_stopping`.
    validation_fraction : float or None, default=None
        Share of the rows held out to choose the best epoch by. None means 0.2 in all presets.
    scoring : str, callable or None, default=None
        Score that chooses the best epoch: the name of a scikit-learn scorer, a callable
        ``(estimator, X, y) -> float`` (greater is better), or 'loss'. None means accuracy, and for
        multilabel y the negative validation cross-entropy. 'loss', or the name of any score of probabilities,
        such as 'neg_log_loss' or 'roc_auc', means the negative validation cross-entropy, without label
        smoothing.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, in the order of the columns of probabilities.
    out_activation_ : str
        Function of the output layer: 'softmax', for two classes too, and 'logistic' for multilabel y.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if all are strings.
    n_outputs_ : int
        Raw scores per row: one for each class or label.
    n_iter_ : int
        Number of epochs run, including those of `refit`.
    temperature_ : float
        Temperature that divides the raw scores; 1.0 without `calibrate`.
    best_iter_ : int or None
        The epoch whose weights are kept, counted from 1.
    best_validation_score_ : float or None
        The validation score of `best_iter_`.
    history_ : list of dict
        One row for each epoch, with 'epoch', 'loss', 'validation_loss', 'validation_score', 'learning_rate'
        (of the last step), 'gradient_norm' (of the first step) and 'seconds'; means over members. The
        training loss uses smoothed labels.
    loss_ : float
        Final training loss.
    loss_curve_ : list of float
        Training loss at each epoch.
    validation_loss_curve_ : list of float
        Validation loss at each epoch, with labels not smoothed; nan for epochs of `refit`.
    validation_scores_ : list of float
        Validation score at each epoch; nan for epochs of `refit`, which come last.

    See Also
    --------
    ScratchRealMLPRegressor : Predicts numbers.
    TabularPreprocessor : Prepares the table for the network.

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
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "calibrate": ["boolean", None],
        "scoring": SCORING_OF_CLASSES,
    }
    _presets = CLASSIFIER_PRESETS
    _also_searched = {"label_smoothing": [0.0] * 3 + [0.1] * 7}
    loss = "log_loss"
    classes_: npt.NDArray[Any]
    temperature_: float

    @explains_arguments
    def __init__(
        self,
        preset: Literal["td", "td-s", "fast", "best"] = "td",
        *,
        n_ens: int | None = None,
        n_cv: int | Literal["auto"] | Splitter = "auto",
        refit: bool | None = None,
        class_weight: dict[Any, Any] | list[Any] | Literal["balanced"] | None = None,
        calibrate: bool | None = None,
        n_jobs: int | None = -1,
        random_state: RandomState = None,
        verbose: bool = False,
        categorical_features: npt.ArrayLike | None = "from_dtype",
        ordered_as_numbers: bool | None = None,
        max_one_hot: float | None = None,
        category_embedding_size: int | None = None,
        numerical_embedding: bool | None = None,
        n_frequencies: int | None = None,
        numerical_embedding_size: int | None = None,
        numerical_embedding_sigma: float | None = None,
        hidden_layer_sizes: HiddenLayerSizes | None = None,
        activation: ActivationLike | None = None,
        parametric_activation: bool | None = None,
        scale_layer: bool | None = None,
        weight_init: Literal["std", "normal"] | None = None,
        bias_init: Literal["he+5", "normal"] | None = None,
        zero_output: bool | None = None,
        learning_rate_init: float | None = None,
        learning_rate: TabularScheduleLike | None = None,
        scale_rate: float | None = None,
        bias_rate: float | None = None,
        activation_rate: float | None = None,
        numerical_embedding_rate: float | None = None,
        category_embedding_rate: float | None = None,
        batch_size: int | None = None,
        beta_1: float | None = None,
        beta_2: float | None = None,
        epsilon: float | None = None,
        dropout: float | None = None,
        weight_decay: float | None = None,
        bias_decay: float | None = None,
        regularization: TabularScheduleLike | None = None,
        label_smoothing: float | None = None,
        max_iter: int | None = None,
        time_limit: float | None = None,
        early_stopping: bool = False,
        n_iter_no_change: int = 40,
        patience_factor: float = 3.0,
        validation_fraction: float | None = None,
        scoring: Scoring = None,
    ) -> None:
        self.preset = preset
        self.n_ens = n_ens
        self.n_cv = n_cv
        self.refit = refit
        self.class_weight = class_weight
        self.calibrate = calibrate
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.categorical_features = categorical_features
        self.ordered_as_numbers = ordered_as_numbers
        self.max_one_hot = max_one_hot
        self.category_embedding_size = category_embedding_size
        self.numerical_embedding = numerical_embedding
        self.n_frequencies = n_frequencies
        self.numerical_embedding_size = numerical_embedding_size
        self.numerical_embedding_sigma = numerical_embedding_sigma
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.parametric_activation = parametric_activation
        self.scale_layer = scale_layer
        self.weight_init = weight_init
        self.bias_init = bias_init
        self.zero_output = zero_output
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.scale_rate = scale_rate
        self.bias_rate = bias_rate
        self.activation_rate = activation_rate
        self.numerical_embedding_rate = numerical_embedding_rate
        self.category_embedding_rate = category_embedding_rate
        self.batch_size = batch_size
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.bias_decay = bias_decay
        self.regularization = regularization
        self.label_smoothing = label_smoothing
        self.max_iter = max_iter
        self.time_limit = time_limit
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.patience_factor = patience_factor
        self.validation_fraction = validation_fraction
        self.scoring = scoring

    def predict(self, X: Data) -> ArrayOrAny:
        """Predict the labels.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable class; for multilabel y, 1 for each label with a probability above one half, as
            a sparse matrix if the estimator was fitted on one.
        """
        _, raw = self._raw_scores(X)
        if self._is_multilabel():
            labels = (raw > 0).astype(int)
            return csr_matrix(labels) if self._labels_are_sparse else labels
        return self._labels(raw.argmax(axis=1))

    def predict_proba(self, X: Data) -> FloatArray:
        """Predict probabilities, averaged over all members.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probability of each class, in the order of `classes_`, or of each label for multilabel y. It is at
            least the smallest normal number.
        """
        loss, raw = self._raw_scores(X)
        loss.predict(raw, out=raw)
        return raw

    def predict_log_proba(self, X: Data) -> FloatArray:
        """Predict the logarithms of the probabilities.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probability of each class, in the order of `classes_`, or of each label for multilabel y.
        """
        return np.log(self.predict_proba(X))

    def _encode_targets(self, y, weight, dtype, purpose):
        codes, weight, loss = super()._encode_targets(y, weight, dtype, purpose)
        self.out_activation_ = loss.link_inverse
        if loss.link_inverse == "softmax":
            self.n_outputs_ = len(self.classes_)  # for two classes too
        return codes, weight, loss

    def _kind_of(self, y, purpose):
        kind = super()._kind_of(y, purpose)
        if kind == "multioutput":
            raise ValueError(
                "y must be one column of classes or 0/1 labels, got several columns of classes of shape "
                f"{y.shape}: use ScratchMLPClassifier, or MultiOutputClassifier(ScratchRealMLPClassifier())."
            )
        return kind

    def _loss_for(self, kind):
        smoothing = self.label_smoothing
        if smoothing is None:
            of_preset = chosen(self, self._presets[self.preset]).label_smoothing
            smoothing = 0.0 if self.scoring in _OF_PROBABILITIES else of_preset
        return (BinaryLogLoss if kind == "multilabel" else LogLoss)(float(smoothing))

    def _target_scale(self, y, weight, loss):
        return None

    def _classes_of_rows(self, y):
        if self._is_multilabel():
            return None
        classes = y.ravel().astype(np.intp)
        refuse_singletons(self.classes_, classes, "X_val and y_val")
        return classes

    def _scores_by_loss(self, loss):
        # multilabel: the share of rows with all labels right is often 0, and no guide
        return self.scoring in _OF_PROBABILITIES or (self.scoring is None and self._is_multilabel())

    def _score_of_raw(self, raw, y, weight, loss):
        return accuracy_score(y.ravel(), raw.argmax(axis=1), sample_weight=weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
