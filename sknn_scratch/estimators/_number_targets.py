"""Targets that are numbers: to the units of training and back, with their loss and its units."""

from collections.abc import Callable
from typing import Any

from sklearn.preprocessing import StandardScaler
from sklearn.utils import column_or_1d

from sknn_scratch.core import LOSSES, SquaredError
from sknn_scratch.core.configuration import NOT_NEGATIVE, POSITIVE
from sknn_scratch.fitting._targets import numbers_of


class NumberTargets:
    """What the regressor knows of its targets.

    Parameters and fitted attributes are those of the regressor, into which this is mixed.
    """

    loss: Any
    scale_target: bool
    n_outputs_: int
    _configured: Callable[..., Any]
    _target_scaler: Any

    def _target_spread(self):
        return 1.0 if self._target_scaler is None else self._target_scaler.scale_

    def _in_units_of_y(self, y):
        return y if self._target_scaler is None else self._target_scaler.inverse_transform(y)

    def _encode_targets(self, y, weight, dtype, goes_on, incremental):
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        y = numbers_of(y, dtype, self)
        loss = self._configured("loss", LOSSES)
        if loss.link_inverse == "softmax":
            raise ValueError(f"loss={self.loss!r} is one of classes: use ScratchMLPClassifier.")
        outside = [value for value in (y.min(), y.max()) if value not in loss.targets]
        if outside:
            known = {NOT_NEGATIVE: "not be negative", POSITIVE: "be positive"}
            allowed = known.get(loss.targets, f"be {loss.targets}")
            raise ValueError(f"y must {allowed} for loss={self.loss!r}, got a y of {outside[0]}.")
        if self.scale_target and loss.link_inverse not in ("identity", "identity_exp"):
            raise ValueError(
                f"scale_target=True does not go with loss={self.loss!r}, whose predictions are positive."
            )
        if not goes_on:
            scaler = StandardScaler().set_output(transform="default")  # even with transform_output="pandas"
            self._target_scaler = scaler.fit(y, sample_weight=weight) if self.scale_target else None
        if self._target_scaler is not None:
            y = self._target_scaler.transform(y)
        self.n_outputs_ = y.shape[1] * loss.raw_per_target
        return y, weight, loss

    def _decoded(self, y):
        return flat(self._in_units_of_y(y))

    def _loss_scale(self, loss):
        # scikit-learn reports the mean over outputs, but follows the gradient of the sum over outputs
        return 1 / self.n_outputs_ if isinstance(loss, SquaredError) else 1.0

    def _units_of_loss(self, loss):
        # a sum over targets of different units means nothing
        if self._target_scaler is None or self.n_outputs_ > loss.raw_per_target:
            return 1.0, 0.0
        return loss.in_units(float(self._target_scaler.scale_[0]))


def flat(y):
    """One column as a vector."""
    return y.ravel() if y.shape[1] == 1 else y
