"""ScratchMLPRegressor."""

import copy

import numpy as np
from scipy.sparse import issparse
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from sknn_scratch.core import LOSSES, Gamma, GaussianNLL, Loss, Poisson, Quantile, SquaredError
from sknn_scratch.estimators._base import BaseScratchMLP, all_or_nothing, has_partial_fit
from sknn_scratch.estimators._holdout import split_rows

_LOSSES = ("squared_error", "absolute_error", "huber", "quantile", "poisson", "gamma", "gaussian_nll")


def _predicts_quantiles(estimator):
    if estimator.loss == "quantile" or isinstance(estimator.loss, Quantile):
        return True
    raise AttributeError(f"predict_quantiles needs loss=Quantile([...]), got loss={estimator.loss!r}.")


class ScratchMLPRegressor(RegressorMixin, BaseScratchMLP):
    """Multi-layer perceptron regressor, trained by backpropagation.

    It minimises the squared error or, for counts and rates, the Poisson deviance.

    Parameters
    ----------
    loss : {'squared_error', 'poisson'}, default='squared_error'
        Half the squared error with predictions of any sign, or half the Poisson deviance with positive
        predictions and y >= 0.
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Units of each hidden layer; ``()`` is a linear model.
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
        Whether to hold out a part of the data, to stop when the score on it no longer improves, and
        to keep the weights of the best epoch. Not possible with lbfgs and `partial_fit`.
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
    weight_init : str, Initializer or callable, default='auto'
        How the first weights are drawn: by a name out of 'auto', 'glorot_uniform', 'he_normal',
        'lecun_normal', 'orthogonal', 'normal', 'uniform' and 'zeros', by an object such as ``Uniform(-1,
        1)``, or by a function ``(fan_in, fan_out, rng) -> array of shape (fan_in, fan_out)``. 'auto' is
        scikit-learn's way, which draws the biases too; else they start at zero.
    fit_intercept : bool, default=True
        Whether the layers have biases; without them `intercepts_` are zeros.

    Attributes
    ----------
    loss_ : float
        Training loss at the end. For several targets the squared error is their mean, while the steps follow
        the gradient of their sum, as in scikit-learn.
    best_loss_ : float or None
        Least training loss; None with `early_stopping`.
    loss_curve_ : list of float
        Training loss at each epoch, or at each iteration of lbfgs.
    validation_scores_ : list of float or None
        R^2 on the rows held out, at each epoch; None without `early_stopping`.
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
        Function of the output layer: 'identity', or 'exp' for loss='poisson'.

    See Also
    --------
    ScratchMLPClassifier : The same for classes.

    Notes
    -----
    The same parameters, data and `random_state` give the same model as scikit-learn's ``MLPRegressor``, but
    for a list of mended defects: see ``docs/differences.md``.

    References
    ----------
    Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors", Nature 323 (1986).
    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
    2010. Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015.

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
        "loss": [StrOptions(set(_LOSSES)), Loss],
        "scale_target": ["boolean"],
    }

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        dtype=None,
        weight_init="auto",
        fit_intercept=True,
        scoring=None,
        dropout=0.0,
        scale_target=False,
    ):
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
            loss=loss,
            weight_init=weight_init,
            fit_intercept=fit_intercept,
            scoring=scoring,
            dropout=dropout,
        )
        self.scale_target = scale_target

    @available_if(has_partial_fit)
    @_fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on the given data, going on from the model as it is.

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
            If the data are not as they must be, or if training diverges. The estimator is left as it was.
        """
        self._validate_params()  # scikit-learn leaves it out once the estimator is fitted
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X, return_std=False):
        """Predict the target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.
        return_std : bool, default=False
            Whether to return the standard deviation too, which loss='gaussian_nll' predicts.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions; of several quantiles the one nearest to the median.
        std : ndarray of the same shape
            Standard deviations; only with `return_std`.

        Raises
        ------
        ValueError
            If `return_std` is asked of a network that does not predict it.
        """
        predictions, loss = self._predictions(X)
        if return_std and not isinstance(loss, GaussianNLL):
            raise ValueError(f"return_std=True needs a network fitted with loss='gaussian_nll', not {loss}.")
        mean = self._point(predictions, loss)
        if not return_std:
            return _flat(self._in_units_of_y(mean))
        std = predictions[:, 1]
        return _flat(self._in_units_of_y(mean)), _flat(std * self._target_spread())

    @available_if(_predicts_quantiles)
    def predict_quantiles(self, X):
        """Predict the quantiles at the levels of ``loss=Quantile([0.05, 0.5, 0.95])``.

        They never cross: where the network's do, they are put in order, which never makes them worse
        (Chernozhukov, Fernandez-Val & Galichon, 2010).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_levels) or (n_samples, n_levels, n_outputs)
            Quantiles, in the order of the levels.
        """
        quantiles = np.sort(self._predictions(X)[0], axis=1)
        by_level = [self._in_units_of_y(quantiles[:, i]) for i in range(quantiles.shape[1])]
        stacked = np.stack(by_level, axis=1)
        return stacked[:, :, 0] if stacked.shape[2] == 1 else stacked

    def _predictions(self, X):
        """Predictions of shape (n_samples, raw_per_target, n_targets), in the units trained in; the loss."""
        network, raw = self._forward(X)
        network.loss.predict(raw, out=raw)
        return raw.reshape(len(raw), network.loss.raw_per_target, -1), network.loss

    def _point(self, predictions, loss):
        """The one number a target that `predict` gives."""
        nearest = np.abs(np.subtract(loss.levels, 0.5)).argmin() if isinstance(loss, Quantile) else 0
        return predictions[:, nearest]

    def _target_spread(self):
        return 1.0 if self._target_scaler is None else self._target_scaler.scale_

    def _in_units_of_y(self, y):
        return y if self._target_scaler is None else self._target_scaler.inverse_transform(y)

    def _encode_targets(self, y, weight, dtype, goes_on, incremental):
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        try:
            y = check_array(
                y.toarray() if issparse(y) else y,
                dtype=dtype,
                ensure_2d=False,
                input_name="y",
                estimator=self,
            )
        except ValueError as error:
            if "could not convert string" in str(error):
                raise ValueError(f"y must hold numbers: {error}.") from None
            raise
        y = y.reshape(len(y), -1)
        loss = copy.deepcopy(self._configured("loss", LOSSES))
        if y.min() not in loss.targets:
            allowed = "not be negative" if loss.targets.includes_low else "be positive"
            raise ValueError(f"y must {allowed} for loss={self.loss!r}, got a y of {y.min()}.")
        if self.scale_target and loss.link_inverse not in ("identity", "identity_exp"):
            raise ValueError(
                f"scale_target=True does not go with loss={self.loss!r}, whose predictions are positive."
            )
        if not goes_on:
            self._target_scaler = StandardScaler().fit(y, sample_weight=weight) if self.scale_target else None
        if self._target_scaler is not None:
            y = self._target_scaler.transform(y)
        self.n_outputs_ = y.shape[1] * loss.raw_per_target
        return y, weight, loss

    def _decoded(self, y):
        return _flat(self._in_units_of_y(y))

    def _units_of_loss(self, loss):
        n_targets = self.n_outputs_ // loss.raw_per_target
        # scikit-learn reports the mean over outputs, but follows the gradient of the sum over outputs
        factor = 1 / n_targets if isinstance(loss, SquaredError) else 1.0
        if (
            self._target_scaler is None or n_targets > 1
        ):  # a sum over targets of different units means nothing
            return factor, 0.0
        return loss.in_units(float(self._target_scaler.scale_[0]))

    def _split(self, y, rng):
        return split_rows(len(y), self.validation_fraction, None, rng)

    def _validation_score(self, loss, raw, y, weight, value):
        if not isinstance(loss, SquaredError | Poisson):  # R^2 says little of a quantile
            return -value
        loss.predict(raw, out=raw)
        return r2_score(y, raw, sample_weight=weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss == "gamma" or isinstance(self.loss, Gamma)
        return tags


def _flat(y):
    return y.ravel() if y.shape[1] == 1 else y
