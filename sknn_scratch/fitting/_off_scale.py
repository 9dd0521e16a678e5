"""Warnings about data whose size a network cannot fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.sparsefuncs import csc_median_axis_0, min_max_axis

from sknn_scratch.fitting._user_line import warn_user

if TYPE_CHECKING:
    from sknn_scratch._typing import FloatArray
    from sknn_scratch.core import Batch, Loss, Network

    ColumnNames = Sequence[Any] | npt.NDArray[Any]

FAR = 100.0
"""Orders of magnitude begin here: networks expect numbers of size 1."""

N_ROWS_LOOKED_AT = 10_000
"""Rows that tell the size of the columns of X."""


def warn_if_nothing_was_learnt(
    names: ColumnNames, data: Batch, network: Network, reached: float, scale_of_loss: float
) -> None:
    """Warn where X or y are off by orders of magnitude and the model is no better than a constant.

    Parameters
    ----------
    names : sequence
        Names of the columns, or their numbers.
    data : Batch
        What was trained on, with targets in the units of training.
    network : Network
        What was trained.
    reached : float
        The training loss at the end.
    scale_of_loss : float
        Factor of the loss on the data in `reached`.
    """
    (X, y, weight), loss = data, network.loss
    remedies = [*_remedy_for_columns(names, X), *_remedy_for_y(y, loss)]
    if not remedies:
        return
    constant = np.tile(loss.best_constant(y, weight, network.n_outputs), (len(y), 1)).astype(y.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        of_constant = scale_of_loss * loss.value_and_gradient(
            constant, y, weight, np.empty_like(constant), np.empty_like(constant[:, 0])
        )
    if not reached < of_constant - 0.01 * abs(of_constant):
        warn_user(
            f"The model is no better than a constant: its training loss is {reached:.4g}, that of a constant "
            f"{of_constant:.4g}. {' '.join(remedies)}",
            ConvergenceWarning,
        )


def _remedy_for_columns(names: ColumnNames, X: Any) -> Iterator[str]:
    rows = X[:: -(-X.shape[0] // N_ROWS_LOOKED_AT)]
    if issparse(rows):
        squares = rows.astype(np.float64).power(2).sum(axis=0)
    else:
        squares = np.einsum("ij,ij->j", rows, rows, dtype=np.float64)
    size = np.sqrt(np.asarray(squares, dtype=np.float64).ravel() / rows.shape[0])
    scale_them = "put a StandardScaler in front of the network."
    if size.max() > FAR:
        far = _some(np.asarray(names)[size > FAR])
        yield f"Columns {far} of X hold numbers of size {size.max():.0e}: {scale_them}"
    elif np.sqrt(np.square(size).sum()) < 1 / FAR:
        yield f"The columns of X hold numbers of size {size.max():.0e} and less: {scale_them}"


def _remedy_for_y(y: FloatArray, loss: Loss) -> Iterator[str]:
    if loss.link_inverse in ("logistic", "softmax"):
        return
    size, spread = np.sqrt(np.mean(np.square(y, dtype=np.float64), axis=0)).max(), y.std(axis=0).max()
    if size > FAR:
        yield f"y holds numbers of size {size:.0e}: set scale_target=True."
    elif 0 < spread < 1 / FAR:
        yield f"y has a standard deviation of {spread:.0e}: set scale_target=True."


def are_far_outside(X: Any, X_val: Any) -> npt.NDArray[np.bool_]:
    """Which columns of validation data have their median far outside the range to train on.

    Parameters
    ----------
    X, X_val : ndarray or CSR of shape (n_samples, n_features)
        The numbers; NaN where they are missing.

    Returns
    -------
    ndarray of bool of shape (n_features,)
        True for those whose median is farther outside than the range is wide.
    """
    low, high = (
        min_max_axis(X, axis=0) if issparse(X) else (np.fmin.reduce(X, axis=0), np.fmax.reduce(X, axis=0))
    )
    if issparse(X_val):
        middle = csc_median_axis_0(X_val.tocsc())
    else:
        middle = np.median(np.where(np.isnan(X_val), low, X_val), axis=0)
    width = high - low
    outside: npt.NDArray[np.bool_] = (width > 0) & ((middle < low - width) | (middle > high + width))
    return outside


def warn_of_far_outside(names: ColumnNames, outside: npt.NDArray[np.bool_]) -> None:
    """Warn where validation data lie far outside the data to train on.

    In a pipeline, `X_val` skips the steps before the network unless it is routed through them.

    Parameters
    ----------
    names : sequence
        Names of the columns, or their numbers.
    outside : ndarray of bool
        What `are_far_outside` says of each.
    """
    if outside.any():
        warn_user(
            f"X_val lies far outside the range of X in columns {_some(np.asarray(names)[outside])}. In a "
            "pipeline, X_val skips the steps before the network unless Pipeline(transform_input=['X_val']) "
            "routes it through them. This needs set_config(enable_metadata_routing=True) and "
            "network.set_fit_request(X_val=True, y_val=True)."
        )


def _some(names: ColumnNames) -> str:
    shown = ", ".join(map(str, names[:5]))
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")
