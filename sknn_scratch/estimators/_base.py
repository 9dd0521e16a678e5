"""What fit does in both estimators: validate, encode, build, train, store."""

from __future__ import annotations

import copy
from abc import abstractmethod
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sknn_scratch._sklearn import fit_context
from sknn_scratch.core import Batch, Network, Outcome, count_parameters
from sknn_scratch.estimators._fitted import FittedMLP
from sknn_scratch.estimators._lbfgs import LbfgsRun
from sknn_scratch.estimators._minibatch import MinibatchRun
from sknn_scratch.fitting._all_or_nothing import all_or_nothing
from sknn_scratch.fitting._data import OwnValidation, Purpose, checked_weights
from sknn_scratch.fitting._endings import check_ending
from sknn_scratch.fitting._memory import refuse_beyond_memory
from sknn_scratch.fitting._observer import FitObserver
from sknn_scratch.fitting._off_scale import are_far_outside, warn_if_nothing_was_learnt, warn_of_far_outside

if TYPE_CHECKING:
    from sknn_scratch._typing import Data


def has_partial_fit(estimator):
    """Whether training may go step by step; if not, raise the reason why there is no partial_fit."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
        )
    if estimator.early_stopping in (True,):  # what is neither true nor false is refused as a parameter
        raise AttributeError(
            "partial_fit does not support early_stopping=True: it trains for one epoch and holds nothing out."
        )
    if estimator.class_weight == "balanced":
        raise AttributeError(
            "class_weight='balanced' needs all data at once, which partial_fit does not have: give a dict of "
            "weights, for example from compute_class_weight('balanced', classes=classes, y=y)."
        )
    return True


class BaseScratchMLP(CallbackSupportMixin, FittedMLP):
    """The path from data to a fitted model; what differs between the two estimators is abstract."""

    trains_by_epochs = True
    has_dense_layers = True

    @abstractmethod
    def _encode_targets(self, y, weight, dtype, purpose):
        """Check y, and keep what predictions need from it.

        Returns
        -------
        y : ndarray of shape (n_samples, n_targets)
            Targets as the loss wants them.
        weight : ndarray of shape (n_samples,) or None
            Weights of samples, those of their classes included.
        loss : Loss
            The loss.
        """

    @abstractmethod
    def _decoded(self, y):
        """Encoded targets as the user gave them."""

    @abstractmethod
    def _loss_scale(self, loss):
        """Factor of the loss on the data in what training records, and patience watches."""

    @abstractmethod
    def _units_of_loss(self, loss):
        """Factor and offset that turn a recorded loss into one in the units of y."""

    @abstractmethod
    def _scores_by_loss(self, loss):
        """Whether the validation score is the negative validation loss."""

    @abstractmethod
    def _split(self, y, rng):
        """Row numbers of a training and a validation part, given encoded targets."""

    @abstractmethod
    def _validation_score(self, loss, raw, y, weight):
        """Score of raw scores on held-out rows; greater is better."""

    @fit_context(prefer_skip_nested_validation=True)
    @all_or_nothing
    def fit(
        self,
        X: Data,
        y: Data,
        sample_weight: npt.ArrayLike | None = None,
        *,
        X_val: Data | None = None,
        y_val: Data | None = None,
        sample_weight_val: npt.ArrayLike | None = None,
    ) -> Self:
        """Train the network, from scratch unless ``warm_start=True``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample, at least 0; None means 1 for all.
        X_val : {array-like, sparse matrix} of shape (n_validation_samples, n_features), default=None
            Validation data of your own. With `early_stopping`, they replace the part held out of X; without
            it, they only feed `validation_loss_curve_`, `validation_scores_` and `history_`.
        y_val : array-like of shape (n_validation_samples,) or (n_validation_samples, n_outputs)
            Their targets; needed with X_val.
        sample_weight_val : array-like of shape (n_validation_samples,), default=None
            Their weights; None means 1 for all.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are invalid, or if training diverges (with `early_stopping`, only if it
            diverges before the first epoch that could be kept). The estimator stays unchanged.
        """
        purpose = Purpose.WARM_START if self.warm_start and hasattr(self, "coefs_") else Purpose.NEW_FIT
        return self._fit(X, y, sample_weight, OwnValidation(X_val, y_val, sample_weight_val), purpose)

    def _fit_chunk(self, X, y, sample_weight):
        """One epoch on some data: partial_fit."""
        purpose = Purpose.NEXT_CHUNK if hasattr(self, "coefs_") else Purpose.FIRST_CHUNK
        return self._fit(X, y, sample_weight, OwnValidation(), purpose)

    def _fit(self, X, y, sample_weight, own_validation, purpose):
        """The steps of fit and partial_fit."""
        hidden_layers = self._hidden_layers()
        context = None if purpose.is_chunk else self._init_callback_context(max_subtasks=self.max_iter)
        observer = FitObserver(self, context, X, y, sample_weight)
        run = self._prepared(hidden_layers, X, y, sample_weight, own_validation, purpose)
        outcome = observer.watch(run)
        attributes = run.fitted_attributes()
        self._check_outcome(run, outcome, attributes["best_iter_"])
        self.__dict__.update(attributes)
        observer.fit_ends()
        return self

    def _prepared(self, hidden_layers, X, y, sample_weight, own_validation, purpose):
        """A run that is ready to train; what predictions need from the data is kept."""
        data, loss = self._check_data(X, y, sample_weight, self._dtypes(purpose), purpose)
        self.out_activation_ = loss.link_inverse
        validation_data = self._check_validation_data(own_validation, data.X)
        network = self._build(hidden_layers, loss, data.X.dtype, purpose)
        rng = self._generator(purpose)
        parameters = self._start(network, data, rng, purpose)
        kind = LbfgsRun if self.solver == "lbfgs" else MinibatchRun
        return kind(self, network, parameters, data, validation_data, rng, purpose)

    def _build(self, hidden_layers, loss, dtype, purpose):
        """The network for the data as they were checked."""
        sizes = [self.n_features_in_, *hidden_layers.sizes, self.n_outputs_]
        if purpose.continues:
            self._check_sizes(sizes)
        network = Network.mlp(
            sizes,
            hidden_layers.activation,
            loss,
            float(self.alpha),
            self._initializer(),
            self.fit_intercept,
            hidden_layers.dropout,
        )
        self._check_memory(network, dtype)
        self._keep(sizes, hidden_layers.activation, loss)
        return network

    def _start(self, network, data, rng, purpose):
        """The parameters that training starts from."""
        dtype = data.X.dtype
        with np.errstate(over="ignore"):
            if purpose.continues:
                parameters, source = self._packed(network, dtype), "coefs_ or intercepts_ hold"
            else:
                parameters = self._first_parameters(network, data, rng)
                source = f"weight_init={self.weight_init!r} draws"
        if not np.isfinite(parameters.flat).all():
            raise ValueError(f"{source} weights that are not finite in {dtype}.")
        return parameters

    def _check_outcome(self, run, outcome, best_epoch):
        """Warn of what the user should know about the training; raise if there is no model to keep."""
        check_ending(
            outcome,
            run.history_rows(),
            best_epoch,
            scoring=None if run.validation is None else run.validation.scoring,
            remedy=(
                f"Scale X (StandardScaler) and, in regression, y, or use another solver than {self.solver!r} "
                f"or a smaller learning_rate_init than {self.learning_rate_init}."
            ),
        )
        history, has_ended = run.history, outcome not in (Outcome.INTERRUPTED, Outcome.DIVERGED)
        if has_ended and history.epochs and not run.purpose.is_chunk:
            reached = history.losses[-1]
            warn_if_nothing_was_learnt(
                self._column_names(), run.data, run.network, reached, history.loss_scale
            )

    def _column_names(self):
        return getattr(self, "feature_names_in_", np.arange(self.n_features_in_))

    def _first_parameters(self, network, data, rng):
        """Where training starts."""
        return network.initialize(rng, data.X.dtype)

    def _why_no_checkpoint(self):
        """Why the state of a fit cannot be saved, and what to do; None if it can."""
        if self.solver == "lbfgs":
            return (
                "solver='lbfgs': SciPy does not expose the state of its search. Use another solver, or fit "
                "without Checkpoint."
            )
        if self.warm_start and hasattr(self, "coefs_"):
            return (
                "a fit that continues an earlier one, as warm_start=True does. Set warm_start=False, or fit "
                "a clone."
            )
        return None

    def _dtypes(self, purpose):
        """The precisions to train in that X may have."""
        if self.dtype is not None:
            return [np.dtype(self.dtype)]
        if purpose.continues:
            return [np.result_type(np.float32, *self.coefs_, *self.intercepts_)]
        return [np.float64, np.float32]

    def _check_data(self, X, y, sample_weight, dtypes, purpose):
        """The data in one dtype, the targets encoded; and their loss."""
        X, y = self._validated(
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            dtype=dtypes,
            reset=not purpose.continues,
        )
        sample_weight = checked_weights(sample_weight, X.shape[0], X.dtype)
        n_outputs = self.n_outputs_ if purpose.continues else None
        y, sample_weight, loss = self._encode_targets(y, sample_weight, X.dtype, purpose)
        if purpose.continues and self.n_outputs_ != n_outputs:
            raise ValueError(f"y has {self.n_outputs_} outputs, but the fitted network has {n_outputs}.")
        return Batch(X, y, sample_weight), loss

    def _check_validation_data(self, own_validation, X):
        """The user's own validation data, as those to train on; None if there are none."""
        if not own_validation.is_given:
            return None
        data, _ = own_validation.checked(partial(self._check_unseen, [X.dtype]))
        warn_of_far_outside(self._column_names(), are_far_outside(X, data.X))
        return data

    def _check_unseen(self, dtypes, X, y, sample_weight):
        """Data and loss that no fit trains on."""
        twin = copy.copy(self)  # it knows the features and the classes, and checking leaves traces
        return twin._check_data(X, y, sample_weight, dtypes, Purpose.VALIDATION)

    def _check_memory(self, network, dtype):
        n_parameters = count_parameters(network.shapes)
        refuse_beyond_memory(
            # the weights, their gradient, the penalty's, and two moving averages
            5 * n_parameters * dtype.itemsize,
            f"hidden_layer_sizes={self.hidden_layer_sizes} with {self.n_features_in_} features makes "
            f"{n_parameters:,} weights. Training them",
            "Use smaller layers or fewer features.",
        )

    def _generator(self, purpose):
        """The source of random numbers; partial_fit continues with that of the call before."""
        seeded = isinstance(self.random_state, Integral)
        if purpose.is_chunk and seeded and hasattr(self, "_random_state"):
            return self._random_state
        return check_random_state(self.random_state)

    def _check_sizes(self, sizes):
        """Whether training can go on with layers of these sizes."""
        fitted_sizes = self._fitted_sizes()
        if sizes != fitted_sizes:
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes} asks for layers of {sizes} units, but the "
                f"fitted network has {fitted_sizes}. To continue with it, set hidden_layer_sizes="
                f"{tuple(fitted_sizes[1:-1])}; to start over, use fit with warm_start=False."
            )

    def _next_step(self, X, y, sample_weight):
        """What a step of training on these rows would work with: the network, its parameters, the batch."""
        check_is_fitted(self)
        batch, loss = self._check_unseen(self._dtypes(Purpose.VALIDATION), X, y, sample_weight)
        activation = self._activation_functions(len(self.coefs_) - 1)
        network = Network.mlp(
            self._fitted_sizes(), activation, loss, float(self.alpha), fit_intercept=self.fit_intercept
        )
        return network, self._packed(network, batch.X.dtype), batch

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = (
            [self.dtype] if isinstance(self.dtype, str) else ["float64", "float32"]
        )
        return tags
