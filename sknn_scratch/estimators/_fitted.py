"""The methods of a fitted network that do not depend on what it predicts."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from sknn_scratch.core import Dense, Network, Parameters
from sknn_scratch.estimators._columns import explained, refuse_dates_in
from sknn_scratch.estimators._settings import MLPSettings
from sknn_scratch.fitting._available import available_if
from sknn_scratch.fitting._engine import raw_scores

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: TID251

    from sknn_scratch._typing import Data, FloatArray, HistoryRow


def has_hidden_layers(estimator):
    """Whether there is something to transform with; if not, raise the reason why there is no transform."""
    sizes = estimator._fitted_sizes()[1:-1] if hasattr(estimator, "coefs_") else estimator.hidden_layer_sizes
    if np.size(sizes) == 0:
        raise AttributeError(
            "transform gives the activations of the last hidden layer, and hidden_layer_sizes="
            f"{sizes} asks for none."
        )
    return True


class FittedMLP(ClassNamePrefixFeaturesOutMixin, TransformerMixin, MLPSettings):
    """The network of `coefs_` and `intercepts_` as they are at that moment, and what runs through it."""

    coefs_: list[FloatArray]
    intercepts_: list[FloatArray]
    n_layers_: int
    n_outputs_: int
    out_activation_: str
    n_features_in_: int
    feature_names_in_: npt.NDArray[np.object_]
    n_iter_: int
    t_: int
    loss_: float
    best_loss_: float | None
    loss_curve_: list[float]
    validation_loss_curve_: list[float] | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    best_iter_: int | None
    history_: list[HistoryRow]

    def _fitted_sizes(self):
        return [len(self.coefs_[0]), *(coef.shape[1] for coef in self.coefs_)]

    def _hidden_activations(self):
        """The function of each hidden layer of the fitted network."""
        n_hidden_layers = len(self.coefs_) - 1
        per_layer = isinstance(self._activation, list | tuple)
        return list(self._activation) if per_layer else [self._activation] * n_hidden_layers

    def _packed(self, network, dtype):
        """A copy of coefs_ and intercepts_ in one flat vector."""
        parameters = Parameters.empty(network.shapes, dtype)
        for packed, fitted in zip(parameters.layers, self._by_layer(network), strict=True):
            for name, values in packed.items():
                values[...] = fitted[name]
        return parameters

    def _by_layer(self, network):
        """coefs_ and intercepts_, as they are now, for each layer of the network."""
        dense = iter([{"weights": w, "bias": b} for w, b in zip(self.coefs_, self.intercepts_, strict=True)])
        return [next(dense) if isinstance(layer, Dense) else {} for layer in network.layers]

    def _keep(self, sizes, activation, loss):
        """Keep what predictions need in addition to coefs_ and intercepts_."""
        self._activation, self._loss = activation, loss
        self._network = sizes, Network.mlp(sizes, activation, loss)

    def _fitted_network(self):
        """The network of coefs_ and intercepts_: users may have put arrays of other shapes there."""
        sizes, network = self._network
        fitted = self._fitted_sizes()
        return network if fitted == sizes else Network.mlp(fitted, self._activation, self._loss)

    def _forward(self, X):
        """The fitted network, and its raw scores for X."""
        X = self._checked(X)
        network = self._fitted_network()
        return network, raw_scores(network, X, self._by_layer(network))

    def _checked(self, X):
        """Data to predict from: numbers as they come, or in the precision that `dtype` asks for."""
        check_is_fitted(self)
        checked = self._validated(X, accept_sparse="csr", dtype=self.dtype or "numeric", reset=False)
        if checked.dtype == object:  # of pandas' extension dtypes scikit-learn makes objects, of any kind
            checked = self._validated(X, dtype=np.float64, reset=False)
        if checked.dtype.itemsize > np.dtype(np.float64).itemsize:  # SciPy does not compute with long doubles
            checked = checked.astype(np.float64)
        return checked

    def hidden_activations(self, X: Data) -> list[FloatArray]:
        """Return the outputs of the hidden layers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        list of ndarray of shape (n_samples, n_units)
            Activations of each hidden layer, from the first to the last.
        """
        X = self._checked(X)
        network = self._fitted_network()
        return network.hidden_activations(X, self._by_layer(network))

    def transform(self, X: Data) -> FloatArray:
        """Return the activations of the last hidden layer: the features that the network has learnt.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_units)
            Activations.

        Raises
        ------
        AttributeError
            If the network has no hidden layer.
        """
        return self.hidden_activations(X)[-1]

    @property
    def _n_features_out(self):
        return self.coefs_[-1].shape[0]

    def _validated(self, X, *y, **options):
        """scikit-learn's validate_data, with the refusal of dates and words that name the columns."""
        refuse_dates_in(X)
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # what float32 cannot hold is refused
                return validate_data(self, X, *y, **options)
        except (TypeError, ValueError, OverflowError) as error:
            raise explained(error, X, self) from None

    def to_sklearn(self) -> MLPClassifier | MLPRegressor:
        """Convert to scikit-learn's own MLP with the same predictions.

        Tools for that class (ONNX converters, explainers) can then work with the model. Training can continue
        there with scikit-learn's losses, solvers and learning rates, with intercepts, and with a fresh
        optimizer state.

        Returns
        -------
        sklearn.neural_network.MLPClassifier or sklearn.neural_network.MLPRegressor
            A fitted estimator that shares nothing with this one.

        Raises
        ------
        ValueError
            If scikit-learn cannot represent the model: one class, your own activation, or several predictions
            for a target.
        """
        from sknn_scratch.estimators._interop import to_sklearn

        return to_sklearn(self)

    @classmethod
    def from_sklearn(cls, mlp: MLPClassifier | MLPRegressor) -> Self:
        """Convert from scikit-learn's own MLP, with the same predictions.

        Parameters
        ----------
        mlp : sklearn.neural_network.MLPClassifier or sklearn.neural_network.MLPRegressor
            A fitted estimator. Training can continue here, with a fresh optimizer state.

        Returns
        -------
        estimator : object
            A fitted estimator of this class that shares nothing with `mlp`.

        Raises
        ------
        TypeError
            If `mlp` is not an MLP of the same kind.
        ValueError
            If it was fitted to one class.
        """
        from sknn_scratch.estimators._interop import from_sklearn

        return from_sklearn(cls, mlp)

    def __copy__(self) -> Self:
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        for name, value in vars(self).items():
            if name in ("coefs_", "intercepts_"):
                setattr(other, name, [array.copy() for array in value])
            elif name.endswith("_") and isinstance(value, list):
                setattr(other, name, value.copy())
            elif name == "_random_state":
                other._random_state = copy.deepcopy(value)
        return other

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coefs_")


# as a decorator it would be lost: for set_output, scikit-learn wraps both when the class is made
for _name in ("transform", "fit_transform"):
    setattr(FittedMLP, _name, available_if(has_hidden_layers)(getattr(FittedMLP, _name)))
