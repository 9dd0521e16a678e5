"""RealMLP as ONNX operators: preprocessing, folds, members."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn_scratch.export._graph import Graph
from sknn_scratch.export._inputs import Inputs
from sknn_scratch.export._layers import raw_scores
from sknn_scratch.export._links import combined, in_units, within_limits


def scores_of_table(graph: Graph, estimator: Any, inputs: Inputs) -> str:
    """Add the raw scores of all folds together, in the units of y.

    Parameters
    ----------
    graph : Graph
        Is extended.
    estimator : ScratchRealMLPClassifier or ScratchRealMLPRegressor
        Fitted.
    inputs : Inputs
        Where the columns come from.

    Returns
    -------
    str
        Name of the raw scores, of shape (n_rows, n_outputs).
    """
    numbers = np.flatnonzero(~estimator._folds[0].preprocessor.categorical_mask_)
    values = _numbers(inputs, numbers, estimator._orders) if len(numbers) else None
    raws = [_scores_of_fold(graph, fold, inputs, values) for fold in estimator._folds]
    return combined(graph, estimator._folds[0].network.loss, raws)


def _numbers(inputs: Inputs, features: np.ndarray, orders: dict) -> str:
    """Columns of numbers; those of ordered categories are positions."""
    if not any(i in orders for i in features):
        return inputs.numbers(features)
    parts = [
        inputs.positions(i, orders[i]) if i in orders else inputs.numbers(np.array([i])) for i in features
    ]
    return inputs.graph.side_by_side(parts)


def _scores_of_fold(graph: Graph, fold: Any, inputs: Inputs, values: str | None) -> str:
    loss, x = fold.network.loss, _encoded(graph, fold.preprocessor, inputs, values)
    raw = combined(graph, loss, [raw_scores(graph, fold.network, member, x) for member in fold.members])
    if fold.temperature != 1.0:
        raw = graph("Div", raw, fold.temperature)
    if fold.target is not None:
        raw = in_units(graph, loss, raw, fold.target)
        if fold.limits is not None:
            raw = within_limits(graph, loss, raw, *fold.limits)
    return raw


def _encoded(graph: Graph, preprocessor: Any, inputs: Inputs, values: str | None) -> str:
    """What TabularPreprocessor makes of the data: numbers, 0/1 columns, numbers of levels."""
    n_numbers, features = preprocessor.n_numbers_, np.flatnonzero(~preprocessor.categorical_mask_)
    center, factor = preprocessor._center, preprocessor._factor
    parts, where, embedded = [], [], []
    if values is not None:
        is_missing = graph("IsNaN", values)
        filled = graph("Where", is_missing, center[np.newaxis, :n_numbers], values)
        parts.append(_scaled(graph, filled, center[:n_numbers], factor[:n_numbers], preprocessor.clip))
    zero_one: list[str] = []
    gaps = np.flatnonzero(preprocessor._has_gaps[features])
    if len(gaps):
        zero_one.append(graph.take(graph.cast(is_missing, graph.dtype), gaps))
        where += preprocessor._first_one_hot[features[gaps]].tolist()
    for i in np.flatnonzero(preprocessor.categorical_mask_).tolist():
        levels = preprocessor._levels[i]
        if not levels:
            continue
        codes = inputs.codes(i, levels)
        if preprocessor._is_embedded[i]:
            embedded.append(graph.cast(codes, graph.dtype))
            continue
        # two levels are -1 and 1, more have a column each
        numbers = np.arange(1, len(levels) + 1)[np.newaxis]
        is_level = graph.cast(graph("Equal", codes, numbers), graph.dtype)
        if len(levels) == 2:
            is_level = graph("MatMul", is_level, np.array([[-1.0], [1.0]]))
        zero_one.append(is_level)
        n_columns = 1 if len(levels) == 2 else len(levels)
        where += range(preprocessor._first_one_hot[i], preprocessor._first_one_hot[i] + n_columns)
    if zero_one:
        columns, order = graph.side_by_side(zero_one), np.argsort(where)
        scaled = np.array(where)
        columns = _scaled(graph, columns, center[scaled], factor[scaled], preprocessor.clip)
        parts.append(columns if (np.diff(where) > 0).all() else graph.take(columns, order))
    return graph.side_by_side([*parts, *embedded])


# (x - center) factor, clipped smoothly, in the float32 in which the network was trained
def _scaled(graph: Graph, x: str, center: np.ndarray, factor: np.ndarray, clip: float) -> str:
    x = graph("Mul", graph("Sub", x, center), factor)
    share = graph("Div", x, float(clip))
    x = graph("Div", x, graph("Sqrt", graph("Add", graph("Mul", share, share), 1.0)))
    return graph.cast(graph.cast(x, np.float32), graph.dtype)
