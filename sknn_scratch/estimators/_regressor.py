"""ScratchMLPRegressor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import check_array

from sknn_scratch._sklearn import StrOptions, fit_context
from sknn_scratch.core import LOSSES, Loss, Poisson, SquaredError
from sknn_scratch.core.configuration import FINITE
from sknn_scratch.estimators._base import BaseScratchMLP, has_partial_fit
from sknn_scratch.estimators._holdout import split_rows
from sknn_scratch.fitting._all_or_nothing import all_or_nothing
from sknn_scratch.fitting._arguments import explains_arguments
from sknn_scratch.fitting._available import available_if
from sknn_scratch.fitting._names import Names, losses_of_numbers
from sknn_scratch.fitting._number_targets import NumberTargets, flat
from sknn_scratch.fitting._parameters import SCORING_OF_NUMBERS
from sknn_scratch.fitting._target_scale import SCALED_LINKS, TargetScale, start_at_constant

if TYPE_CHECKING:
    from sknn_scratch._typing import (
        ActivationLike,
        Data,
        HiddenLayerSizes,
        InitializerLike,
        NumberLossName,
        RandomState,
        ScheduleLike,
        Scoring,
        SolverLike,
    )

# the losses that scikit-learn has: there, targets are not scaled
_OF_SKLEARN = SquaredError, Poisson


class ScratchMLPRegressor(NumberTargets, RegressorMixin, BaseScratchMLP):
    """Multi-layer perceptron regressor, trained by backpropagation.

    It minimises the squared error, or a loss for outliers, quantiles, counts, amounts, or noise that depends
    on X.

    Parameters
    ----------
    loss : {'squared_error', 'absolute_error', 'huber', 'quantile', 'poisson', 'gamma', 'gaussian_nll'} or \
            Loss, default='squared_error'
        Loss to minimise, by name or as an object with settings, which a search reaches as ``loss__delta``.

        - 'squared_error': half the squared error; predicts means.
        - 'absolute_error': the absolute error; predicts medians, which outliers hardly move.
        - 'huber', ``Huber(delta=1.0)``: half the squared error up to `delta`, linear beyond [9]_.
        - 'quantile', ``Quantile(level=0.5)``, ``Quantile([0.05, 0.5, 0.95])``: the pinball loss of one or
          several quantiles [10]_; see `predict_quantiles`.
        - 'poisson': half the Poisson deviance, for counts and rates y >= 0; predictions are positive.
        - 'gamma': half the gamma deviance, for amounts y > 0; predictions are positive.
        - 'gaussian_nll': the negative log-likelihood of normal targets; predicts a mean and a standard
          deviation for each row [11]_; see ``predict(X, return_std=True)``.
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
        validation loss. If rows have weights, a scorer receives `sample_weight` too. None means R^2 for the
        losses 'squared_error' and 'poisson', and 'loss' for all others.
    dropout : float in [0, 1) or list of float, default=0.0
        Share of the hidden units left out at random in each training step [8]_; a list has one share for each
        hidden layer. Predictions use all units. Not possible with lbfgs.
    scale_target : bool or 'auto', default='auto'
        Whether to train on scaled y: with mean 0 and standard deviation 1, or for the losses 'poisson' and
        'gamma', whose predictions are positive, with mean 1. Predictions and losses are scaled back, the
        output biases start at the constant that minimises the loss, and settings of a loss, such as `delta`,
        are in standard deviations. 'auto' scales for all losses except 'squared_error' and 'poisson', which
        give scikit-learn's model; for these, set it to True if y is not on the order of 1.

    Attributes
    ----------
    loss_ : float
        Final training loss, in the units of y, or in scaled units with `scale_target` and several targets.
        For several targets, the squared error is averaged over them, while the steps follow the gradient of
        their sum, as in scikit-learn.
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
        Units of the output layer: one for each target, times the number of quantiles, or two for
        loss='gaussian_nll'.
    out_activation_ : str
        Function of the output layer: 'identity', 'exp' for the losses 'poisson' and 'gamma', or
        'identity_exp' (mean and standard deviation) for 'gaussian_nll'.

    See Also
    --------
    ScratchMLPClassifier : Predicts classes.

    Notes
    -----
    The same parameters, data and `random_state` give the same model as scikit-learn's ``MLPRegressor``,
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
    .. [9] Huber (1964), "Robust estimation of a location parameter".
    .. [10] Koenker & Bassett (1978), "Regression quantiles".
    .. [11] Nix & Weigend (1994), "Estimating the mean and variance of the target probability
       distribution".

    Examples
    --------
    >>> from sklearn.compose import TransformedTargetRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn_scratch import ScratchMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> network = ScratchMLPRegressor(hidden_layer_sizes=(20,), alpha=1.0, max_iter=1000, random_state=0)
    >>> model = TransformedTargetRegressor(
    ...     make_pipeline(StandardScaler(), network), transformer=StandardScaler()
    ... ).fit(X_train, y_train)
    >>> model.score(X_test, y_test) > 0.3
    True
    """

    _parameter_constraints: dict = {
        **BaseScratchMLP._parameter_constraints,
        "loss": [StrOptions(Names(losses_of_numbers)), Loss],
        "scale_target": [StrOptions({"auto"}), "boolean"],
        "scoring": SCORING_OF_NUMBERS,
    }

    @explains_arguments
    def __init__(
        self,
        loss: NumberLossName | Loss = "squared_error",
        hidden_layer_sizes: HiddenLayerSizes = (100,),
        activation: ActivationLike | Sequence[ActivationLike] = "relu",
        *,
        solver: SolverLike = "adam",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: ScheduleLike = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dtype: Literal["float32", "float64"] | None = None,
        weight_init: InitializerLike = "auto",
        fit_intercept: bool = True,
        scoring: Scoring = None,
        dropout: float | Sequence[float] = 0.0,
        scale_target: bool | Literal["auto"] = "auto",
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
            dtype=dtype,
            weight_init=weight_init,
            fit_intercept=fit_intercept,
            scoring=scoring,
            dropout=dropout,
        )
        self.loss = loss
        self.scale_target = scale_target

    @available_if(has_partial_fit)
    @fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def partial_fit(self, X: Data, y: Data, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Train for one epoch on the given data, starting from the current model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample, at least 0; None means 1 for all.

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
        return self._fit_chunk(X, y, sample_weight)

    def _fitted_loss(self):
        return getattr(self, "_loss", None)

    def _predictions(self, X):
        network, raw = self._forward(X)
        loss, scale = network.loss, self._target_scale
        loss.predict(raw, out=raw)
        kinds = raw.reshape(len(raw), loss.raw_per_target, -1)
        if scale is not None:
            in_units, largest = kinds.astype(np.float64), np.finfo(kinds.dtype).max
            locations = in_units[:, :1] if loss.link_inverse == "identity_exp" else in_units
            with np.errstate(over="ignore"):  # what a float32 model cannot hold is its largest number
                in_units *= scale.scale
                locations += scale.offset
            kinds = np.clip(in_units, -largest, largest).astype(kinds.dtype)
            if loss.link_inverse == "identity_exp":  # positive, however small the scale
                np.maximum(kinds[:, 1:], np.finfo(kinds.dtype).tiny, out=kinds[:, 1:])
        return kinds, loss

    def _encode_targets(self, y, weight, dtype, purpose):
        y, loss = self._numbers(y.toarray() if issparse(y) else y)
        if not purpose.continues:
            self._target_scale = (
                TargetScale.of(y, weight, loss.link_inverse) if self._scales_targets(loss) else None
            )
        if self._target_scale is not None:
            y = self._target_scale.scaled(y)
        self.n_outputs_ = y.shape[1] * loss.raw_per_target
        with np.errstate(over="ignore", invalid="ignore"):  # what float32 cannot hold is refused
            y = check_array(y, dtype=dtype, input_name="y", estimator=self)
        return y, weight, loss

    def _scales_targets(self, loss):
        if self.scale_target == "auto":
            return loss.link_inverse in SCALED_LINKS and not isinstance(loss, _OF_SKLEARN)
        if self.scale_target and loss.link_inverse not in SCALED_LINKS:
            raise ValueError(
                f"scale_target=True cannot scale targets for loss={self.loss!r}, whose predictions have the "
                f"link {loss.link_inverse!r}: use scale_target=False."
            )
        return self.scale_target

    def _first_parameters(self, network, data, rng):
        parameters = super()._first_parameters(network, data, rng)
        if self._target_scale is not None:
            start_at_constant(parameters, network.loss, data.y, data.weight)
        return parameters

    def _decoded(self, y):
        return flat(y if self._target_scale is None else self._target_scale.restored(y))

    def _loss_scale(self, loss):
        # scikit-learn reports the mean over outputs, but follows the gradient of the sum over outputs
        return 1 / self.n_outputs_ if isinstance(loss, SquaredError) else 1.0

    def _units_of_loss(self, loss):
        # a sum over targets of different units means nothing
        if self._target_scale is None or self.n_outputs_ > loss.raw_per_target:
            return 1.0, 0.0
        return loss.in_units(float(self._target_scale.scale[0]))

    def _scores_by_loss(self, loss):
        # R^2 says little of a quantile
        has_r2 = isinstance(loss, SquaredError | Poisson)
        return self.scoring == "loss" or (self.scoring is None and not has_r2)

    def _split(self, y, rng):
        return split_rows(len(y), self.validation_fraction, None, rng)

    def _validation_score(self, loss, raw, y, weight):
        loss.predict(raw, out=raw)
        return r2_score(y, raw, sample_weight=weight) if len(y) > 1 else np.nan

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        loss = LOSSES.get(self.loss) if isinstance(self.loss, str) else self.loss
        tags.target_tags.positive_only = getattr(loss, "targets", FINITE).low >= 0
        return tags
