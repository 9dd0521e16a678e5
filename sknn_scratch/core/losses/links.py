"""Inverse links, from raw scores to predictions.

All take ``(raw, out)`` and write to `out`, which may be `raw`. The names are those of scikit-learn's
`out_activation_`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import expit

from sknn_scratch.core.parameters import FloatArray

LOG_SIGMA_RANGE = math.log(1e-6), math.log(1e3)
"""Beyond it, standard deviations are clipped: 1 / sigma^2 stays far from overflow, in float32 too.

No row of a million lies further than 1e3 standard deviations of all from their mean.
"""

Link = Callable[[FloatArray, FloatArray], object]


def _identity(raw: FloatArray, out: FloatArray) -> None:
    if out is not raw:
        out[...] = raw


def _softmax(raw: FloatArray, out: FloatArray) -> None:
    np.subtract(raw, np.maximum.reduce(raw, axis=1, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= np.add.reduce(out, axis=1, keepdims=True)
    _floor(out)


def _logistic(raw: FloatArray, out: FloatArray) -> None:
    expit(raw, out=out)
    _floor(out)


def _floor(p: FloatArray) -> None:
    """Raise probabilities to the smallest normal number at least, so that they have logarithms."""
    np.maximum(p, np.finfo(p.dtype).tiny, out=p)


def _identity_exp(raw: FloatArray, out: FloatArray) -> None:
    n_targets = raw.shape[1] // 2
    out[:, :n_targets] = raw[:, :n_targets]
    sigma = np.clip(raw[:, n_targets:], *LOG_SIGMA_RANGE, out=out[:, n_targets:])
    np.exp(sigma, out=sigma)


INVERSE_LINKS: dict[str, Link] = {
    "identity": _identity,
    "exp": np.exp,
    "logistic": _logistic,
    "softmax": _softmax,
    "identity_exp": _identity_exp,
}


# Of a network that was trained on y' with y = offset + scale y': the scores that predict y.
def _location_in_units(raw: FloatArray, offset: FloatArray, scale: FloatArray) -> FloatArray:
    by_kind: FloatArray = raw.reshape(len(raw), -1, len(scale)) * scale + offset
    return by_kind.reshape(raw.shape)


# exp(z + log(scale)) = scale exp(z)
def _exp_in_units(raw: FloatArray, offset: FloatArray, scale: FloatArray) -> FloatArray:
    return raw + np.log(scale)


def _identity_exp_in_units(raw: FloatArray, offset: FloatArray, scale: FloatArray) -> FloatArray:
    mu, log_sigma = np.split(raw, 2, axis=1)
    return np.hstack([mu * scale + offset, np.clip(log_sigma, *LOG_SIGMA_RANGE) + np.log(scale)])


RAW_IN_UNITS: dict[str, Callable[[FloatArray, FloatArray, FloatArray], FloatArray]] = {
    "identity": _location_in_units,
    "exp": _exp_in_units,
    "identity_exp": _identity_exp_in_units,
}
LINK_FORMULAS = {
    "identity": "z",
    "exp": "exp(z)",
    "logistic": "1 / (1 + exp(-z))",
    "softmax": "exp(z_k) / sum_j exp(z_j)",
    "identity_exp": "(mu, sigma) = (z_1, exp(z_2))",
}
