"""ScratchMLPRegressor."""

from scipy.sparse import issparse
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils import check_array, column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from sknn_scratch.core import LOSSES, SquaredError
from sknn_scratch.estimators._base import BaseScratchMLP, all_or_nothing, has_partial_fit
from sknn_scratch.estimators._holdout import split_rows


class ScratchMLPRegressor(RegressorMixin, BaseScratchMLP):
    """DOC"""

    _y_numeric = True
    _parameter_constraints: dict = {
        **BaseScratchMLP._parameter_constraints,
        "loss": [StrOptions({"squared_error", "poisson"})],
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
        )
        self.loss = loss

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
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X):
        """Predict the target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.
        """
        network, raw = self._forward(X)
        network.loss.predict(raw, out=raw)
        return raw.ravel() if raw.shape[1] == 1 else raw

    def _encode_targets(self, y, dtype, goes_on, incremental):
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        y = check_array(
            y.toarray() if issparse(y) else y, dtype=dtype, ensure_2d=False, input_name="y", estimator=self
        )
        y = y.reshape(len(y), -1)
        if self.loss == "poisson" and y.min() < 0:
            raise ValueError(f"y must not be negative for loss='poisson', got a y of {y.min()}.")
        self.n_outputs_ = y.shape[1]
        return y, LOSSES[self.loss]()

    def _loss_scale(self, loss):
        # scikit-learn reports the mean over outputs, but follows the gradient of the sum over outputs
        return 1 / self.n_outputs_ if isinstance(loss, SquaredError) else 1.0

    def _split(self, y, rng):
        return split_rows(len(y), self.validation_fraction, None, rng)

    def _validation_score(self, loss, raw, y, weight):
        loss.predict(raw, out=raw)
        return r2_score(y, raw, sample_weight=weight)
