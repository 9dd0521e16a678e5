"""ScratchRealMLPRegressor."""

import copy

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import mean_squared_error
from sklearn.utils import check_array
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from sknn_scratch.core import LOSSES, GaussianNLL, Loss, Quantile, SquaredError
from sknn_scratch.tabular._base import BaseRealMLP
from sknn_scratch.tabular._fold import TargetScale
from sknn_scratch.tabular._presets import REGRESSOR_PRESETS

_LOSSES = ("squared_error", "absolute_error", "huber", "quantile", "gaussian_nll")


def _predicts_quantiles(estimator):
    loss = estimator._folds[0].network.loss if hasattr(estimator, "_folds") else estimator.loss
    if loss == "quantile" or isinstance(loss, Quantile):
        return True
    raise AttributeError(f"predict_quantiles needs loss=Quantile([...]), got loss={loss!r}.")


class ScratchRealMLPRegressor(RegressorMixin, BaseRealMLP):
    """TODO."""

    _parameter_constraints: dict = {
        **BaseRealMLP._parameter_constraints,
        "loss": [StrOptions(set(_LOSSES)), Loss],
        "clip_predictions": ["boolean", None],
    }
    _presets = REGRESSOR_PRESETS

    def __init__(
        self,
        preset="td",
        *,
        loss="squared_error",
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
        clip_predictions=None,
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
        random_state=None,
        verbose=False,
    ):
        self.preset = preset
        self.loss = loss
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
        self.clip_predictions = clip_predictions
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
        self.random_state = random_state
        self.verbose = verbose

    def predict(self, X, return_std=False):
        """Predict the target.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
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
        kinds, loss = self._kinds(X)
        if return_std and not isinstance(loss, GaussianNLL):
            raise ValueError(f"return_std=True needs a network fitted with loss='gaussian_nll', not {loss}.")
        nearest = np.abs(np.subtract(loss.levels, 0.5)).argmin() if isinstance(loss, Quantile) else 0
        predicted = _flat(kinds[:, nearest])
        return (predicted, _flat(np.exp(kinds[:, 1]))) if return_std else predicted

    @available_if(_predicts_quantiles)
    def predict_quantiles(self, X):
        """Predict the quantiles at the levels of ``loss=Quantile([0.05, 0.5, 0.95])``, in order.

        Parameters
        ----------
        X : frame or array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_levels) or (n_samples, n_levels, n_outputs)
            Quantiles, in the order of the levels; they never cross.
        """
        kinds, _ = self._kinds(X)
        return kinds[:, :, 0] if kinds.shape[2] == 1 else kinds

    def _kinds(self, X):
        """Raw scores of shape (n_samples, raw_per_target, n_targets), in the units of y; the loss."""
        loss, raw = self._raw_scores(X)
        kinds = raw.reshape(len(raw), loss.raw_per_target, -1)
        if isinstance(loss, Quantile):
            kinds.sort(axis=1)
        return kinds, loss

    def _encode_targets(self, y, weight, dtype, goes_on, incremental):
        y = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y", estimator=self).reshape(len(y), -1)
        loss = copy.deepcopy(LOSSES[self.loss]() if isinstance(self.loss, str) else self.loss)
        if loss.link_inverse not in ("identity", "identity_exp"):
            raise ValueError(
                f"loss={self.loss!r} has the link {loss.link_inverse!r}, which does not go with targets that are "
                "standardised: use ScratchMLPRegressor."
            )
        n_outputs = y.shape[1] * loss.raw_per_target
        if goes_on and self.n_outputs_ != n_outputs:
            raise ValueError(f"y has {y.shape[1]} columns, not as many as the y to train on.")
        self.n_outputs_ = n_outputs
        return y, weight, loss

    def _target_scale(self, y, settings):
        scale = y.std(axis=0)
        scale[scale == 0] = 1.0
        ends = (y.min(axis=0), y.max(axis=0)) if settings.clip_predictions else np.multiply.outer([-np.inf, np.inf], scale)
        return TargetScale(y.mean(axis=0), scale, *ends)

    def _classes_of_rows(self, y):
        return None

    def _decoded(self, y):
        return _flat(y)

    def _scores_by_loss(self, loss):
        return self.scoring == "loss" or (self.scoring is None and not isinstance(loss, SquaredError))

    def _score_of_raw(self, raw, y, weight, loss):
        return -float(np.sqrt(mean_squared_error(y, raw, sample_weight=weight)))


def _flat(y):
    return y.ravel() if y.shape[1] == 1 else y
