"""Targets that are numbers: checked, with their loss, and predicted in the units of y."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from sklearn.utils import check_array, column_or_1d

from sknn_scratch.core import LOSSES, GaussianNLL, Quantile
from sknn_scratch.core.configuration import NOT_NEGATIVE, POSITIVE
from sknn_scratch.fitting._available import available_if
from sknn_scratch.fitting._columns import kinds_of, refuse_dates
from sknn_scratch.fitting._parameters import resolved

if TYPE_CHECKING:
    from sknn_scratch._typing import Data, FloatArray


def _predicts_quantiles(estimator: Any) -> bool:
    loss = estimator._fitted_loss()  # a change of the parameter counts from the next fit
    loss = estimator.loss if loss is None else loss
    if loss == "quantile" or isinstance(loss, Quantile):
        return True
    raise AttributeError(
        f"predict_quantiles needs loss=Quantile([0.05, 0.5, 0.95]) or other levels, got loss={loss!r}: set "
        "it and fit again."
    )


class NumberTargets:
    """What both regressors know about their targets.

    Parameters and fitted attributes are those of the regressor, into which this is mixed. The regressor has
    `_fitted_loss`, which gives the loss or None, and `_predictions`, which gives an array of shape
    (n_samples, raw_per_target, n_targets) with the predictions in the units of y, and the loss.
    """

    loss: Any
    n_outputs_: int
    _fitted_loss: Callable[[], Any]
    _predictions: Callable[[Any], tuple[FloatArray, Any]]

    @overload
    def predict(self, X: Data, return_std: Literal[False] = False) -> FloatArray: ...

    @overload
    def predict(self, X: Data, return_std: Literal[True]) -> tuple[FloatArray, FloatArray]: ...

    def predict(self, X: Data, return_std: bool = False) -> FloatArray | tuple[FloatArray, FloatArray]:
        """Predict the target.

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Data of any kind that `fit` accepts.
        return_std : bool, default=False
            Whether to return the standard deviation too, which loss='gaussian_nll' predicts.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions; for several quantiles, the one nearest to the median.
        std : ndarray of the same shape
            Standard deviations; only with `return_std`.

        Raises
        ------
        ValueError
            If `return_std` is True and the network does not predict standard deviations.
        """
        kinds, loss = self._predictions(X)
        if return_std and not isinstance(loss, GaussianNLL):
            raise ValueError(f"return_std=True needs a network fitted with loss='gaussian_nll', not {loss}.")
        nearest: Any = 0
        if isinstance(loss, Quantile):
            kinds.sort(axis=1)
            nearest = np.abs(np.subtract(loss.levels, 0.5)).argmin()
        predicted = flat(kinds[:, nearest])
        return (predicted, flat(kinds[:, 1])) if return_std else predicted

    @available_if(_predicts_quantiles)
    def predict_quantiles(self, X: Data) -> FloatArray:
        """Predict the quantiles at the levels of ``loss=Quantile([0.05, 0.5, 0.95])``.

        They never cross: where the network's quantiles do, they are sorted, which never makes them worse
        (Chernozhukov, Fernandez-Val & Galichon, 2010).

        Parameters
        ----------
        X : array-like, sparse matrix or frame of shape (n_samples, n_features)
            Data of any kind that `fit` accepts.

        Returns
        -------
        ndarray of shape (n_samples, n_levels) or (n_samples, n_levels, n_outputs)
            Quantiles, in the order of the levels.
        """
        quantiles, _ = self._predictions(X)
        quantiles.sort(axis=1)
        return quantiles[:, :, 0] if quantiles.shape[2] == 1 else quantiles

    def _numbers(self, y: Any) -> tuple[FloatArray, Any]:
        """The targets as float64 numbers of shape (n_samples, n_targets), and the loss, which takes them."""
        classifier = type(self).__name__.replace("Regressor", "Classifier")
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        refuse_dates("y", kinds_of(y))
        try:
            y = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y", estimator=self)
        except (TypeError, ValueError) as error:
            if str(error).startswith(("could not convert", "float() argument")):
                raise ValueError(f"y must hold numbers: {error}. For labels use {classifier}.") from None
            raise
        y = y.reshape(len(y), -1)
        loss = resolved("loss", self.loss, LOSSES)
        if loss.link_inverse == "softmax":
            raise ValueError(f"loss={self.loss!r} is for classes: use {classifier}.")
        outside = [value for value in (y.min(), y.max()) if value not in loss.targets]
        if outside:
            known = {NOT_NEGATIVE: "not be negative", POSITIVE: "be positive"}
            allowed = known.get(loss.targets, f"be {loss.targets}")
            raise ValueError(f"y must {allowed} for loss={self.loss!r}, got a y of {outside[0]}.")
        return y, loss


def flat(y: FloatArray) -> FloatArray:
    """One column as a vector."""
    return y.ravel() if y.shape[1] == 1 else y
