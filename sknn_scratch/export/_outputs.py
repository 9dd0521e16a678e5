"""From raw scores and predictions to what a model returns: labels and probabilities, or numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sknn_scratch.core import GaussianNLL, Loss, PerColumn, Quantile
from sknn_scratch.export._graph import Graph
from sknn_scratch.export._links import halves, predictions


class Output(NamedTuple):
    """A result: its name in the graph, its type, and its shape, in which None stands for rows."""

    tensor: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]


Outputs = dict[str, Output]
"""Results by the names that users know."""


def of_classes(graph: Graph, estimator: Any, loss: Loss, raw: str) -> Outputs:
    """Add labels and probabilities.

    Parameters
    ----------
    graph : Graph
        Is extended.
    estimator : estimator
        A fitted classifier.
    loss : Loss
        Its loss.
    raw : str
        Name of the raw scores.

    Returns
    -------
    dict of str -> Output
        ``label`` of shape (n_rows,) and ``probabilities`` of shape (n_rows, n_classes). For 0/1 labels both
        have the shape (n_rows, n_labels). For several columns of classes there are ``label_0``,
        ``probabilities_0`` and so on.
    """
    if isinstance(loss, PerColumn):
        p, outputs = predictions(graph, loss, raw), {}
        for i, (part, classes) in enumerate(zip(loss.parts(), estimator.classes_, strict=True)):
            scores, of_column = (graph.columns(x, part.start, part.stop) for x in (raw, p))
            outputs[f"label_{i}"] = _most_probable(graph, scores, classes)
            outputs[f"probabilities_{i}"] = Output(of_column, graph.dtype, (None, len(classes)))
        return outputs
    n_columns = len(estimator.classes_)
    if estimator._is_multilabel():
        is_positive = graph.cast(graph("Greater", raw, 0.0), np.int64)
        label = Output(is_positive, np.dtype(np.int64), (None, n_columns))
    elif estimator._is_binary():
        both = graph.side_by_side([graph("Neg", raw), raw])
        raw, label = both, _most_probable(graph, both, estimator.classes_)
    else:
        label = _most_probable(graph, raw, estimator.classes_)
    p = predictions(graph, loss, raw)
    return {"label": label, "probabilities": Output(p, graph.dtype, (None, n_columns))}


def _most_probable(graph: Graph, raw: str, classes: np.ndarray) -> Output:
    """The label of the class with the largest score, the first one of several."""
    labels = classes.astype(np.int64) if classes.dtype.kind in "iu" else classes
    if classes.dtype.kind not in "iubf" and not all(isinstance(label, str) for label in classes):
        raise ValueError(f"ONNX has no type for labels such as {classes[0]!r}: use strings or numbers.")
    numbers = graph("ArgMax", raw, axis=1, keepdims=0)
    dtypes = {"U": np.dtype(object), "f": graph.dtype}
    dtype = dtypes.get(labels.dtype.kind, labels.dtype)
    return Output(graph("Gather", labels, numbers, axis=0), dtype, (None,))


def of_numbers(graph: Graph, loss: Loss, kinds: str, n_targets: int) -> Outputs:
    """Add what a regressor returns.

    Parameters
    ----------
    graph : Graph
        Is extended.
    loss : Loss
        The loss.
    kinds : str
        Name of the predictions in the units of y, all targets of the first kind first.
    n_targets : int
        Columns of y.

    Returns
    -------
    dict of str -> Output
        ``variable`` of shape (n_rows, n_targets). With it ``std`` of the same shape for gaussian_nll, and for
        several levels ``quantiles`` of shape (n_rows, n_levels) or (n_rows, n_levels, n_targets).
    """
    shape = (None, n_targets)
    if isinstance(loss, GaussianNLL):
        mean, std = halves(graph, kinds)
        return {"variable": Output(mean, graph.dtype, shape), "std": Output(std, graph.dtype, shape)}
    if loss.raw_per_target == 1:
        return {"variable": Output(kinds, graph.dtype, shape)}
    if not isinstance(loss, Quantile):
        raise ValueError(
            f"The loss {loss!r} predicts {loss.raw_per_target} numbers for a target: of such losses, only "
            "GaussianNLL and Quantile can be exported."
        )
    n_levels = len(loss.levels)
    by_level = graph.reshaped(kinds, -1, n_levels, n_targets)
    k = np.array([n_levels], dtype=np.int64)
    ordered = graph("TopK", by_level, k, axis=1, largest=0, n_outputs=2)
    nearest = int(np.abs(np.subtract(loss.levels, 0.5)).argmin())
    variable = graph.reshaped(graph.take(ordered, [nearest]), -1, n_targets)
    outputs = {"variable": Output(variable, graph.dtype, shape)}
    if n_targets == 1:
        flat = graph.reshaped(ordered, -1, n_levels)
        return outputs | {"quantiles": Output(flat, graph.dtype, (None, n_levels))}
    return outputs | {"quantiles": Output(ordered, graph.dtype, (None, n_levels, n_targets))}
