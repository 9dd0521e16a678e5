"""ScratchMLPClassifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from sknn_scratch._sklearn import StrOptions, fit_context
from sknn_scratch.core import Loss, PerColumn
from sknn_scratch.estimators._base import BaseScratchMLP, has_partial_fit
from sknn_scratch.estimators._holdout import split_rows
from sknn_scratch.fitting._all_or_nothing import all_or_nothing
from sknn_scratch.fitting._available import available_if
from sknn_scratch.fitting._class_targets import ClassTargets
from sknn_scratch.fitting._names import Names, losses_of_classes
from sknn_scratch.fitting._parameters import SCORING_OF_CLASSES

if TYPE_CHECKING:
    from sknn_scratch._typing import ArrayOrAny, Data


class ScratchMLPClassifier(ClassTargets, ClassifierMixin, BaseScratchMLP):
    """Multi-layer perceptron classifier, trained by backpropagation.

    It minimises the log-loss, or the squared error of probabilities. Targets may be binary, multiclass,
    multilabel, or several columns of classes.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Units of each hidden layer; ``()`` is a linear model.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'leaky_relu', 'elu', 'selu', 'gelu', 'silu', \
            'mish', 'softplus'}, Activation or list of these, default='relu'
        Function of the hidden units, by name or as an object such as ``LeakyReLU(0.1)``; a list has one for
        each hidden layer. ``sknn_scratch.core`` has the formula and source of each.
    solver : {'lbfgs', 'sgd', 'adam', 'adamw', 'rmsprop'} or Optimizer, default='adam'
        How the weights are found: by L-BFGS on all rows at once, which suits small data; by stochastic
        gradient descent with momentum; by Adam [3]_; by AdamW, which is Adam with decoupled weight decay
        [4]_; or by RMSprop [5]_. An object such as ``AdamW(weight_decay=0.1)`` carries its own settings,
        which replace `momentum`, `nesterovs_momentum`, `beta_1`, `beta_2` and `epsilon`, and
        which a search reaches as ``solver__weight_decay``. All objects take `max_grad_norm`, the norm to
        which longer gradients are clipped (Pascanu, Mikolov & Bengio, 2013).
    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights. It is divided by the sum of the batch's sample weights, so
        its effect depends on `batch_size`.
    batch_size : int or 'auto', default='auto'
        Rows of a mini-batch; 'auto' is ``min(200, n_samples)``. Not used by lbfgs.
    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine', 'one_cycle', 'exponential', 'plateau'}, \
            Schedule or callable, default='constant'
        How the learning rate changes, starting from `learning_rate_init`. Not used by lbfgs. As in
        scikit-learn, the names 'invscaling' and 'adaptive' affect solver='sgd' only; all others affect every
        solver.

        - 'constant': `learning_rate_init` throughout.
        - 'invscaling': ``learning_rate_init / (t_ + 1) ** power_t``, updated after each epoch.
        - 'adaptive': divided by 5 each time patience (`n_iter_no_change`) runs out; training ends when it is
          1e-6 or less.
        - 'cosine': half a cosine down to 0 over `max_iter` epochs [6]_.
        - 'one_cycle': up from 1/25, then down to nearly 0, over `max_iter` epochs [7]_.
        - 'exponential': multiplied by 0.95 after each epoch (Senior, Heigold, Ranzato & Yang, 2013).
        - 'plateau': divided by 10 each time patience runs out, down to 1/1000.

        An object carries its own settings, such as ``Cosine(warmup=0.1)`` or ``Exponential(decay=0.9)``,
        which a search reaches as ``learning_rate__warmup``. A function ``progress -> float`` is called before
        every step; ``progress.fraction`` is the share of the planned steps done so far. Patience may end
        training before a schedule is complete; ``n_iter_no_change=np.inf`` prevents that.
    learning_rate_init : float, default=0.001
        Initial learning rate; for 'cosine' and 'one_cycle', the highest. Not used by lbfgs.
    power_t : float, default=0.5
        Exponent of learning_rate='invscaling'.
    max_iter : int, default=200
        Maximum number of epochs, or of lbfgs iterations.
    shuffle : bool, default=True
        Whether to shuffle the rows before each epoch. Not used by lbfgs.
    random_state : int, RandomState instance, default=None
        Determines the initial weights, the split for early stopping, the order of rows, and dropout. An int
        gives the same model each time.
    tol : float, default=1e-4
        An epoch counts as stagnant if its loss (with `early_stopping`, its validation score) is not better
        than the best so far by `tol`. With lbfgs, training ends when no entry of the gradient exceeds `tol`;
        stagnant iterations count only with `early_stopping`.
    verbose : bool, default=False
        Whether to print a line per epoch.
    warm_start : bool, default=False
        Whether `fit` continues from the fitted model.
    momentum : float, default=0.9
        Momentum of solver='sgd', in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether solver='sgd' uses Nesterov's momentum.
    early_stopping : bool, default=False
        Whether to stop when the score on validation data no longer improves, and to keep the weights of the
        best epoch. Validation data are `X_val` and `y_val` of `fit`; without them, a part of the data is held
        out, stratified if y is one column of classes. It works with all solvers, but not with `partial_fit`.
    validation_fraction : float, default=0.1
        Share of the rows that early stopping holds out, in [0, 1); not used if `X_val` is given.
    beta_1 : float, default=0.9
        Decay rate of the average of gradients for solver='adam', in [0, 1); optimizer objects have their own.
    beta_2 : float, default=0.999
        Decay rate of the average of squared gradients for solver='adam', in [0, 1); optimizer objects have
        their own.
    epsilon : float, default=1e-8
        Keeps the denominator of solver='adam' away from zero.
    n_iter_no_change : int or inf, default=10
        Patience: training stops after more stagnant epochs in a row than this.
    max_fun : int, default=15000
        Maximum number of times that lbfgs evaluates the loss.
    dtype : {None, 'float32', 'float64'}, default=None
        Precision of weights and arithmetic. None follows the data: float32 data give a float32 model, all
        other data a float64 model. 'float32' takes half the memory and about half the time.
    loss : {'log_loss', 'squared_error'} or Loss, default='log_loss'
        Loss to minimise: the log-loss, or half the squared error of the probabilities (half the Brier score).
        For several columns of classes, it is their sum. ``LogLoss(label_smoothing=0.1)`` moves targets of any
        kind towards equal probabilities [9]_; a search reaches it as ``loss__label_smoothing``.
    weight_init : str, Initializer or callable, default='auto'
        How the initial weights are drawn: by name ('auto', 'glorot_uniform', 'he_normal', 'lecun_normal',
        'orthogonal', 'normal', 'uniform' or 'zeros'), by an object such as ``Uniform(-1, 1)``, or by a
        function ``(fan_in, fan_out, rng) -> array of shape (fan_in, fan_out)``. 'auto' is scikit-learn's
        method, which draws the biases too; with all others, biases start at zero.
    fit_intercept : bool, default=True
        Whether the layers have biases; without them `intercepts_` are zeros.
    scoring : str, callable or None, default=None
        What `validation_scores_` holds and `early_stopping` watches: the name of one of scikit-learn's
        scorers, a callable ``(estimator, X, y) -> float`` (greater is better), or 'loss', the negative
        validation loss. If rows have weights, a scorer receives `sample_weight` too. None means accuracy, or
        'loss' for multilabel y.
    dropout : float in [0, 1) or list of float, default=0.0
        Share of the hidden units left out at random in each training step [8]_; a list has one share for each
        hidden layer. Predictions use all units. Not possible with lbfgs.
    class_weight : dict, list of dict, 'balanced' or None, default=None
        Weight of each class, which multiplies the weights of its samples: a dict ``{label: weight}``, in
        which a missing label weighs 1; 'balanced', for ``n_samples / (n_classes * n_samples_of_class)``
        [10]_; None means 1 for all. For multilabel y and several columns of classes, a list has one dict for
        each column, and a row gets the product. Validation data are weighted the same way. `partial_fit` does
        not accept 'balanced'.

    Attributes
    ----------
    classes_ : ndarray or list of ndarray of shape (n_classes,)
        The classes, in the order of the columns of probabilities; for several columns of classes, a list with
        one array for each column.
    loss_ : float
        Final training loss.
    best_loss_ : float or None
        The lowest training loss; None with `early_stopping`.
    loss_curve_ : list of float
        Training loss at each epoch, or at each iteration of lbfgs.
    validation_loss_curve_ : list of float or None
        Loss on the validation rows, without the penalty, at each epoch; None without `early_stopping` and
        `X_val`.
    validation_scores_ : list of float or None
        Score on the validation rows, as `scoring` says, at each epoch; None without `early_stopping` and
        `X_val`.
    best_validation_score_ : float or None
        The best of `validation_scores_`; None without `early_stopping`.
    best_iter_ : int or None
        The epoch that reached `best_validation_score_`, counted from 1. The model has its weights. None
        without `early_stopping`.
    history_ : list of dict
        One row for each epoch, with 'epoch', 'loss', 'validation_loss', 'validation_score', 'learning_rate'
        (of the last step), 'gradient_norm' (of the first step) and 'seconds'; values not measured are None.
        ``pandas.DataFrame(model.history_)`` turns it into a table.
    t_ : int
        Rows trained on so far.
    coefs_ : list of ndarray of shape (n_inputs, n_outputs)
        Weights of each layer. Predictions use them even if you change them.
    intercepts_ : list of ndarray of shape (n_outputs,)
        Biases of each layer.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all are strings.
    n_iter_ : int
        Epochs, or iterations of lbfgs, of the last fit.
    n_layers_ : int
        Number of layers, including inputs and outputs.
    n_outputs_ : int
        Units of the output layer.
    out_activation_ : str
        Function of the output layer: 'logistic' for two classes or several labels, 'softmax' for several
        classes or several columns of classes.

    See Also
    --------
    ScratchMLPRegressor : Predicts numbers.

    Notes
    -----
    The same parameters, data and `random_state` give the same model as scikit-learn's ``MLPClassifier``,
    except for the defects fixed here, which ``docs/differences.md`` lists.

    References
    ----------
    .. [1] Rumelhart, Hinton & Williams (1986), "Learning representations by back-propagating errors".
    .. [2] Glorot & Bengio (2010), "Understanding the difficulty of training deep feedforward neural
       networks".
    .. [3] Kingma & Ba (2015), "Adam: a method for stochastic optimization".
    .. [4] Loshchilov & Hutter (2019), "Decoupled weight decay regularization".
    .. [5] Tieleman & Hinton (2012), "Lecture 6.5: RMSprop".
    .. [6] Loshchilov & Hutter (2017), "SGDR: stochastic gradient descent with warm restarts".
    .. [7] Smith & Topin (2018), "Super-convergence: very fast training of neural networks using large
       learning rates".
    .. [8] Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov (2014), "Dropout: a simple way to
       prevent neural networks from overfitting".
    .. [9] Szegedy, Vanhoucke, Ioffe, Shlens & Wojna (2016), "Rethinking the Inception architecture for
       computer vision".
    .. [10] King & Zeng (2001), "Logistic regression in rare events data".

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

    classes_: ArrayOrAny  # a list of arrays where y has several columns of classes

    _parameter_constraints: dict = {
        **BaseScratchMLP._parameter_constraints,
        "loss": [StrOptions(Names(losses_of_classes)), Loss],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "scoring": SCORING_OF_CLASSES,
    }

    @available_if(has_partial_fit)
    @fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def partial_fit(
        self,
        X: Data,
        y: Data,
        sample_weight: npt.ArrayLike | None = None,
        classes: npt.ArrayLike | list[npt.ArrayLike] | None = None,
    ) -> Self:
        """Train for one epoch on the given data, starting from the current model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample, at least 0; None means 1 for all.
        classes : array-like of shape (n_classes,) or list of array-like, default=None
            All labels that will ever occur; for several columns of classes, a list with one array for each
            column. Needed on the first call only, and not for multilabel y. A chunk need not hold all labels.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data are invalid, or if training diverges. The estimator stays unchanged.
        """
        self._validate_params()  # scikit-learn leaves it out once the estimator is fitted
        self._set_classes(y, classes)
        return self._fit_chunk(X, y, sample_weight)

    def predict(self, X: Data) -> ArrayOrAny:
        """Predict the labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable class; for multilabel y, 1 for each label with a probability above one half, as
            a sparse matrix if the estimator was fitted on one.
        """
        network, raw = self._forward(X)
        if self._is_multilabel():
            labels = (raw > 0).astype(int)
            return csr_matrix(labels) if self._labels_are_sparse else labels
        return self._labels(_class_numbers(raw, network.loss))

    def predict_proba(self, X: Data) -> ArrayOrAny:
        """Predict probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probability of each class, in the order of `classes_`, or of each label for multilabel y. It is at
            least the smallest normal number of its dtype.
        """
        network, raw = self._forward(X)
        if self._is_binary():
            raw = np.concatenate([-raw, raw], axis=1)
        network.loss.predict(raw, out=raw)
        return _by_column(raw, network.loss)

    def predict_log_proba(self, X: Data) -> ArrayOrAny:
        """Predict the logarithms of the probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probability of each class, in the order of `classes_`, or of each label for multilabel y.
        """
        probabilities = self.predict_proba(X)
        several_columns = isinstance(probabilities, list)
        return [np.log(p) for p in probabilities] if several_columns else np.log(probabilities)

    def decision_function(self, X: Data) -> ArrayOrAny:
        """Raw scores: the output of the last layer, before the logistic function or softmax.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes, one score per sample, positive where ``classes_[1]`` is predicted; otherwise one
            column per class or label.
        """
        network, raw = self._forward(X)
        return raw.ravel() if self._is_binary() else _by_column(raw, network.loss)

    def score(self, X: Data, y: Data, sample_weight: npt.ArrayLike | None = None) -> float:
        """Accuracy: the share of samples with all labels predicted correctly.

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
        labels, predicted = np.asarray(y), self.predict(X)
        if labels.shape != predicted.shape:
            raise ValueError(
                f"y must have the shape of the predictions, {predicted.shape}, got {labels.shape}."
            )
        is_right = (predicted == labels).all(axis=1)
        return float(np.average(is_right, weights=cast("Any", sample_weight)))

    def _loss_scale(self, loss):
        return 1.0

    def _units_of_loss(self, loss):
        return 1.0, 0.0

    def _scores_by_loss(self, loss):
        # multilabel: the share of rows with all labels right is often 0, and no guide
        return self.scoring == "loss" or (self.scoring is None and self._is_multilabel())

    def _split(self, y, rng):
        classes = (self.classes_, y.ravel().astype(int)) if y.shape[1] == 1 else None
        return split_rows(len(y), self.validation_fraction, classes, rng)

    def _validation_score(self, loss, raw, y, weight):
        if isinstance(self.classes_, list):
            return float(np.average((_class_numbers(raw, loss) == y).all(axis=1), weights=weight))
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
