"""Pairs of an activation and a loss for tests of whole networks.

A layer knows nothing of the loss, so each activation with two losses, each loss with two activations and the
whole product of scikit-learn's own run by default; the rest of the product with ``-m full``.
"""

import itertools

import pytest

from sknn_scratch.core import ACTIVATIONS, LOSSES

SCIKIT_LEARNS_ACTIVATIONS = {"identity", "logistic", "tanh", "relu"}
SCIKIT_LEARNS_LOSSES = {"squared_error", "poisson", "binary_log_loss", "log_loss"}


def is_run_by_default(activation, loss):
    return (
        activation in ("tanh", "relu")
        or loss in ("squared_error", "log_loss")
        or (activation in SCIKIT_LEARNS_ACTIVATIONS and loss in SCIKIT_LEARNS_LOSSES)
    )


each_pair = pytest.mark.parametrize(
    ("activation", "loss"),
    [
        pytest.param(*pair, marks=[] if is_run_by_default(*pair) else [pytest.mark.full])
        for pair in itertools.product(sorted(ACTIVATIONS), sorted(LOSSES))
    ],
)
