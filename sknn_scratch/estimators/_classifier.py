"""ScratchMLPClassifier."""

import copy

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import column_or_1d, compute_class_weight, compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import check_is_fitted

from sknn_scratch.core import BinaryLogLoss, BinarySquaredError, ClassSquaredError, LogLoss, Loss, PerColumn
from sknn_scratch.estimators._base import BaseScratchMLP, all_or_nothing, has_partial_fit
from sknn_scratch.estimators._holdout import split_rows

# for each name: the loss of one or several yes / no outputs, and that of one class out of several
_LOSSES = {
    "log_loss": (BinaryLogLoss, LogLoss),
    "squared_error": (BinarySquaredError, ClassSquaredError),
}

# scikit-learn's names of kinds of targets, as far as they are supported, and ours
_KINDS = {
    "binary": "single-label",
    "multiclass": "single-label",
    "multilabel-indicator": "multilabel",
    "multiclass-multioutput": "multioutput",
}


class ScratchMLPClassifier(ClassifierMixin, BaseScratchMLP):
    """Multi-layer perceptron classifier, trained by backpropagation.

    It minimises the log-loss, or the squared error of probabilities. Binary, multiclass and multilabel
    targets are supported.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Units of each hidden layer; ``()`` is logistic regression.
    activation : {'identity', 'logistic', 'tanh', 'relu'}, Activation or list of these, default='relu'
        Function of the hidden units, by name or as an object; a list has one for each hidden layer.
    solver : {'lbfgs', 'sgd', 'adam'} or Optimizer, default='adam'
        How the weights are found: by L-BFGS on all data at once, which suits small data; by stochastic
        gradient descent with momentum; or by Adam. An object such as ``Adam(beta_1=0.8)`` carries its own
        settings, which then count instead of `momentum`, `nesterovs_momentum`, `beta_1`, `beta_2` and
        `epsilon`, and which a search reaches as ``solver__beta_1``.
    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights. It is divided by the sum of the batch's sample weights, so
        that its effect depends on `batch_size`.
    batch_size : int or 'auto', default='auto'
        Rows of a mini-batch; 'auto' is ``min(200, n_samples)``. Not used by lbfgs.
    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        Learning-rate policy of solver='sgd'; the other solvers keep it constant.

        - 'constant': `learning_rate_init` throughout.
        - 'invscaling': ``learning_rate_init / (t_ + 1) ** power_t``, updated after each epoch.
        - 'adaptive': a fifth each time `n_iter_no_change` epochs were not enough to improve by `tol`;
          training ends when it is 1e-6 or less.
    learning_rate_init : float, default=0.001
        Learning rate to start from. Not used by lbfgs.
    power_t : float, default=0.5
        Exponent of learning_rate='invscaling'.
    max_iter : int, default=200
        Epochs, or iterations of lbfgs, at most.
    shuffle : bool, default=True
        Whether to shuffle the rows before each epoch. Not used by lbfgs.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, of the split for early stopping and of the order of rows. An int gives
        the same model each time.
    tol : float, default=1e-4
        An epoch counts as stagnant if the loss, or with `early_stopping` the validation score, is not better
        than the best one by `tol`. With lbfgs, training ends when no entry of the gradient is larger.
    verbose : bool, default=False
        Whether to print a line per epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the model as it is.
    momentum : float in [0, 1], default=0.9
        Momentum of sgd.
    nesterovs_momentum : bool, default=True
        Whether sgd uses Nesterov's momentum.
    early_stopping : bool, default=False
        Whether to hold out a part of the data, stratified by class, to stop when the score on it no longer
        improves, and to keep the weights of the best epoch. Not possible with lbfgs and `partial_fit`.
    validation_fraction : float in [0, 1), default=0.1
        Share of the rows that early stopping holds out.
    beta_1, beta_2 : float in [0, 1), default=0.9, 0.999
        Decay rates of the averages of Adam.
    epsilon : float, default=1e-8
        Keeps the denominator of Adam from zero.
    n_iter_no_change : int or inf, default=10
        Training stops after more stagnant epochs in a row than this.
    max_fun : int, default=15000
        Evaluations of the loss by lbfgs at most.
    dtype : {None, 'float32', 'float64'}, default=None
        Precision of weights and arithmetic. None takes that of the data: float32 data give a float32 model,
        all others a float64 model. 'float32' takes half the memory and about half the time.
    loss : {'log_loss', 'squared_error'}, default='log_loss'
        What is minimised: the log-loss, or half the squared error of the probabilities (half the Brier
        score).
    weight_init : str, Initializer or callable, default='auto'
        How the first weights are drawn: by a name out of 'auto', 'glorot_uniform', 'he_normal',
        'lecun_normal', 'orthogonal', 'normal', 'uniform' and 'zeros', by an object such as ``Uniform(-1,
        1)``, or by a function ``(fan_in, fan_out, rng) -> array of shape (fan_in, fan_out)``. 'auto' is
        scikit-learn's way, which draws the biases too; else they start at zero.
    fit_intercept : bool, default=True
        Whether the layers have biases; without them `intercepts_` are zeros.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, in the order of the columns of probabilities.
    loss_ : float
        Training loss at the end.
    best_loss_ : float or None
        Least training loss; None with `early_stopping`.
    loss_curve_ : list of float
        Training loss at each epoch, or at each iteration of lbfgs.
    validation_scores_ : list of float or None
        Accuracy (for multilabel y the negative loss) on the rows held out, at each epoch; None without
        `early_stopping`.
    best_validation_score_ : float or None
        The best of these.
    t_ : int
        Rows trained on so far.
    coefs_ : list of ndarray of shape (n_inputs, n_outputs)
        Weights of each layer. Predictions follow what is put there.
    intercepts_ : list of ndarray of shape (n_outputs,)
        Biases of each layer.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if all are strings.
    n_iter_ : int
        Epochs, or iterations of lbfgs, of the last fit.
    n_layers_ : int
        Number of layers, that of the inputs and that of the outputs included.
    n_outputs_ : int
        Units of the output layer.
    out_activation_ : str
        Function of the output layer: 'logistic' for two classes or several labels, 'softmax' for several
        classes.

    See Also
    --------
    ScratchMLPRegressor : The same for numbers.

    Notes
    -----
    The same parameters, data and `random_state` give the same model as scikit-learn's ``MLPClassifier``, but
    for a list of mended defects: see ``docs/differences.md``.

    References
    ----------
    Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors", Nature 323 (1986).
    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
    2010. Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn_scratch import ScratchMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    >>> network = ScratchMLPClassifier(max_iter=500, random_state=0)
    >>> model = make_pipeline(StandardScaler(), network).fit(X_train, y_train)
    >>> model.score(X_test, y_test) > 0.9
    True
    """

    _parameter_constraints: dict = {
        **BaseScratchMLP._parameter_constraints,
        "loss": [StrOptions(set(_LOSSES)), Loss],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

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
        classes : array-like of shape (n_classes,) or list of array-like, default=None
            All labels that will ever occur; a list of them, one for each column, where y has several columns
            of classes. Needed on the first call only, and not for multilabel y; a chunk need not hold all.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data are not as they must be, or if training diverges. The estimator is left as it was.
        """
        self._validate_params()  # scikit-learn leaves it out once the estimator is fitted
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all data at once, which partial_fit does not have: give a "
                "dict of weights, such as compute_class_weight('balanced', classes=classes, y=y) finds."
            )
        self._set_classes(y, classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def _set_classes(self, y, classes):
        """All labels that will ever occur, in the first call of partial_fit."""
        if classes is None and not hasattr(self, "classes_") and type_of_target(y) == "multilabel-indicator":
            classes = np.arange(y.shape[1] if hasattr(y, "shape") else len(y[0]))
        if classes is None or np.ndim(classes[0]) == 0:
            _check_partial_fit_first_call(self, classes)  # sets classes_
            return
        classes = [unique_labels(column) for column in classes]  # one array for each column of y
        if not hasattr(self, "classes_"):
            self.classes_ = classes
        elif not all(np.array_equal(*pair) for pair in zip(classes, self.classes_, strict=True)):
            raise ValueError(f"classes={classes!r} is not the same as on the first call: {self.classes_!r}.")

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
        network, raw = self._forward(X)
        if self._is_multilabel():
            labels = (raw > 0).astype(int)
            return csr_matrix(labels) if self._labels_are_sparse else labels
        return self._labels(_class_numbers(raw, network.loss))

    def _labels(self, class_numbers):
        """Labels of the numbers of classes, of shape (n_samples,) or (n_samples, n_columns)."""
        if not isinstance(self.classes_, list):
            return self.classes_[class_numbers]
        columns = zip(self.classes_, class_numbers.T, strict=True)
        return np.column_stack([classes[numbers] for classes, numbers in columns])

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
        return np.hstack([1 - raw, raw]) if self._is_binary() else _by_column(raw, network.loss)

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
        return _by_column(raw, network.loss)

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
        network, raw = self._forward(X)
        return raw.ravel() if self._is_binary() else _by_column(raw, network.loss)

    def score(self, X, y, sample_weight=None):
        """Accuracy: the share of samples whose labels are all predicted right.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            True labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample; None means 1 for all.

        Returns
        -------
        float
            The accuracy.
        """
        check_is_fitted(self)
        if not isinstance(self.classes_, list):
            return super().score(X, y, sample_weight)
        return float(np.average((self.predict(X) == np.asarray(y)).all(axis=1), weights=sample_weight))

    def _is_binary(self):
        return self.out_activation_ == "logistic" and self.n_outputs_ == 1

    def _is_multilabel(self):
        return self.out_activation_ == "logistic" and self.n_outputs_ > 1

    def _encode_targets(self, y, weight, dtype, goes_on, incremental):
        if y.ndim == 2 and y.shape[1] == 1 and not issparse(y):
            y = column_or_1d(y, warn=True)
        try:
            kind = type_of_target(y, input_name="y")
        except TypeError as error:
            raise ValueError(f"The labels in y must all be of one kind, and none missing: {error}") from None
        kind = _KINDS.get(kind)
        if issparse(y) and kind != "multilabel":
            raise ValueError("A sparse y must be a 0/1 indicator of several labels; use y.toarray().ravel().")
        if kind is None:
            check_classification_targets(y)  # raises
        if goes_on and kind != self._kind_of_targets():
            raise ValueError(
                f"Training cannot go on from {self._kind_of_targets()} to {kind} targets: use fit with "
                "warm_start=False."
            )
        self._labels_are_sparse = issparse(y)
        if kind == "multioutput":
            codes = self._encode_columns(y, goes_on, incremental)
            self.n_outputs_ = sum(len(classes) for classes in self.classes_)
        else:
            self._check_labels(unique_labels(y), kind, goes_on, incremental)
            if kind == "multilabel":
                codes = y.toarray() if issparse(y) else y
                self.n_outputs_ = codes.shape[1]
            else:
                codes = LabelEncoder().fit(self.classes_).transform(y)[:, np.newaxis]
                self.n_outputs_ = 1 if len(self.classes_) == 2 else len(self.classes_)
        weight = self._with_class_weight(weight, y, codes, kind, dtype)
        return codes.astype(dtype), weight, self._loss_for(kind)

    def _check_labels(self, labels, kind, goes_on, incremental):
        """Keep the labels as the classes, or see whether they are among those known."""
        if not (goes_on or incremental):
            self.classes_ = labels
        elif kind == "multilabel" and len(labels) != len(self.classes_):
            raise ValueError(f"y has {len(labels)} labels, but classes has {len(self.classes_)}.")
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

    def _encode_columns(self, y, goes_on, incremental):
        """Numbers of classes, column by column."""
        columns = [y[:, i] for i in range(y.shape[1])]
        labels = [unique_labels(column) for column in columns]
        known = labels if not (goes_on or incremental) else self.classes_
        if len(known) != len(labels):
            raise ValueError(f"y has {len(labels)} columns, but classes has {len(known)}.")
        for i, (new, old) in enumerate(zip(labels, known, strict=True)):
            if not set(new) <= set(old):
                raise ValueError(f"Column {i} of y has classes {new} that are not all in {old}.")
        self.classes_ = known
        encoders = [LabelEncoder().fit(classes) for classes in known]
        pairs = zip(encoders, columns, strict=True)
        return np.column_stack([encoder.transform(column) for encoder, column in pairs])

    def _with_class_weight(self, weight, y, codes, kind, dtype):
        """Weights of samples times those of their classes."""
        if self.class_weight is None:
            return weight
        if kind == "single-label":
            labels, codes = self.classes_[codes.ravel()], codes.ravel()
            of_class = compute_class_weight(self.class_weight, classes=self.classes_, y=labels)[codes]
        else:
            of_class = compute_sample_weight(self.class_weight, codes if issparse(y) else y)
        of_class = of_class.astype(dtype, copy=False)
        return of_class if weight is None else weight * of_class

    def _loss_for(self, kind):
        """The loss of one or several yes / no outputs, of one class out of several, or of several such."""
        independent = kind == "multilabel" or (kind == "single-label" and len(self.classes_) == 2)
        loss = self.loss
        if isinstance(loss, str):
            loss = _LOSSES[loss][not independent]()
        else:
            pair = next((pair for pair in _LOSSES.values() if isinstance(loss, pair)), None)
            loss = copy.deepcopy(loss) if pair is None else pair[not independent](**loss.get_params())
        if kind != "multioutput":
            return loss
        return PerColumn(tuple(len(classes) for classes in self.classes_), loss)

    def _kind_of_targets(self):
        if isinstance(self.classes_, list):
            return "multioutput"
        return "multilabel" if self._is_multilabel() else "single-label"

    def _decoded(self, y):
        codes = y.astype(int)
        if not isinstance(self.classes_, list) and codes.shape[1] > 1:
            return codes
        return self._labels(codes if isinstance(self.classes_, list) else codes.ravel())

    def _units_of_loss(self, loss):
        return 1.0, 0.0

    def _split(self, y, rng):
        classes = (self.classes_, y.ravel().astype(int)) if y.shape[1] == 1 else None
        return split_rows(len(y), self.validation_fraction, classes, rng)

    def _validation_score(self, loss, raw, y, weight, value):
        if isinstance(self.classes_, list):
            return float(np.average((_class_numbers(raw, loss) == y).all(axis=1), weights=weight))
        if y.shape[1] > 1:  # multilabel: the share of rows with all labels right is often 0, and no guide
            return -value
        return accuracy_score(y.ravel(), _class_numbers(raw, loss), sample_weight=weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags


def _class_numbers(raw, loss):
    """The most probable class: by the sign of the one score of two classes, or the largest of several."""
    if isinstance(loss, PerColumn):
        return loss.class_numbers(raw)
    return (raw.ravel() > 0).astype(np.intp) if loss.link_inverse == "logistic" else raw.argmax(axis=1)


def _by_column(scores, loss):
    """A list with the scores of the classes for each column of y, where it has several."""
    return [scores[:, part] for part in loss.parts()] if isinstance(loss, PerColumn) else scores
