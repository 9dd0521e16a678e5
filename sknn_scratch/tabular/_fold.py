"""One split of the data: what is fitted on its training part, and the networks trained there."""

from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
from scipy.special import log_expit, log_softmax, logsumexp

from sknn_scratch.core import Network, Parameters
from sknn_scratch.fitting._engine import raw_scores
from sknn_scratch.fitting._target_scale import TargetScale
from sknn_scratch.tabular._preprocessing import TabularPreprocessor


@dataclass
class Fold:
    """A preprocessor, and the members that were trained on what it makes of the data.

    Attributes
    ----------
    preprocessor : TabularPreprocessor
        Fitted on the training part.
    network : Network
        The network of all members.
    target : TargetScale or None
        For numbers, how to get back to their units.
    limits : tuple of ndarray of shape (n_targets,) or None
        The least and the largest y of the training part, if predictions are clipped to them.
    members : list of sequence of mappings
        Parameters of each member, layer by layer.
    temperature : float
        What raw scores are divided by.
    """

    preprocessor: TabularPreprocessor
    network: Network
    target: TargetScale | None = None
    limits: tuple[np.ndarray, np.ndarray] | None = None
    members: list = field(default_factory=list)
    temperature: float = 1.0

    def raw_scores(self, table):
        """Raw scores of the members together, in the units of y.

        Parameters
        ----------
        table : Table
            Data.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs), float64
            Their inverse link is the prediction.
        """
        raw = self.scores_of_encoded(self.preprocessor.encode(table))
        return self.in_units(raw if self.temperature == 1.0 else raw / self.temperature)

    def scores_of_encoded(self, data):
        """Raw scores of the members together in the units of training, at the temperature 1."""
        raws = [raw_scores(self.network, data, layers) for layers in self._members_in_float64]
        return combined(self.network.loss, raws)

    # In float32, the last digits of a row would depend on the rows beside it: BLAS adds up in another order.
    # Kept, because copying the weights takes longer than the scores of one row.
    @cached_property
    def _members_in_float64(self):
        return [
            [{name: array.astype(np.float64) for name, array in layer.items()} for layer in layers]
            for layers in self.members
        ]

    def __getstate__(self):
        """All that a copy needs, without what is computed from it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def in_units(self, raw):
        """Raw scores in the units of y, clipped to where y was seen."""
        if self.target is None:
            return raw
        link = self.network.loss.link_inverse
        raw = self.network.loss.raw_in_units(raw, self.target.offset, self.target.scale)
        if self.limits is not None:
            low, high = self.limits
            kinds = raw.reshape(len(raw), -1, len(low))
            with np.errstate(divide="ignore"):  # log(0) is no limit
                if link == "exp":
                    low, high = np.log(low), np.log(high)
                elif link == "identity_exp":
                    np.minimum(kinds[:, 1], np.log(high - low), out=kinds[:, 1], where=high > low)
                    kinds = kinds[:, :1]
            np.clip(kinds, low, high, out=kinds)
        return raw

    def with_members(self, flats):
        """The same with members of these flat vectors."""
        shapes = self.network.shapes
        members = [Parameters(shapes, flat).layers for flat in flats]
        return Fold(self.preprocessor, self.network, self.target, self.limits, members)


def combined(loss, raws):
    """The raw scores whose predictions are the means of the members' predictions.

    Parameters
    ----------
    loss : Loss
        Whose link counts.
    raws : list of ndarray of shape (n_rows, n_outputs)
        Raw scores of each member.

    Returns
    -------
    ndarray of shape (n_rows, n_outputs), float64
        Raw scores.
    """
    in_float64 = [np.asarray(raw, dtype=np.float64) for raw in raws]
    return in_float64[0] if len(raws) == 1 else _MEANS[loss.link_inverse](np.stack(in_float64))


# softmax(log mean_m p_m) = mean_m p_m
def _mean_of_probabilities(raws):
    return logsumexp(log_softmax(raws, axis=2), axis=0) - np.log(len(raws))


# logit mean_m p_m = log mean_m p_m - log mean_m (1 - p_m)
def _mean_of_yes_or_no(raws):
    return logsumexp(log_expit(raws), axis=0) - logsumexp(log_expit(-raws), axis=0)


def _mean(raws):
    return raws.mean(axis=0)


# The mixture of normal distributions N(mu_m, s_m^2) has the mean of the mu_m as its mean, and the variance
# mean(s_m^2 + mu_m^2) - mean^2.
def _mean_of_distributions(raws):
    mu, log_std = np.split(raws, 2, axis=2)
    log_mean = logsumexp(2 * log_std, axis=0) - np.log(len(raws))
    with np.errstate(divide="ignore"):  # the log of 0, where members agree, adds nothing
        log_variance = np.logaddexp(log_mean, np.log(mu.var(axis=0)))
    return np.hstack([mu.mean(axis=0), 0.5 * log_variance])


# exp(log mean_m exp(z_m)) = mean_m exp(z_m)
def _mean_of_exponentials(raws):
    return logsumexp(raws, axis=0) - np.log(len(raws))


_MEANS = {
    "softmax": _mean_of_probabilities,
    "logistic": _mean_of_yes_or_no,
    "identity": _mean,
    "exp": _mean_of_exponentials,
    "identity_exp": _mean_of_distributions,
}
