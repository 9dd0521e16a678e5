"""The two families as graphs: from data to outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier

from sknn_scratch.export._graph import Graph
from sknn_scratch.export._inputs import Inputs
from sknn_scratch.export._layers import raw_scores
from sknn_scratch.export._links import check_link, numbers_in_units, predictions
from sknn_scratch.export._outputs import Outputs, of_classes, of_numbers
from sknn_scratch.export._tables import scores_of_table


def mlp(graph: Graph, estimator: Any, x: str) -> Outputs:
    """Add a fitted ScratchMLPClassifier or ScratchMLPRegressor.

    Parameters
    ----------
    graph : Graph
        Is extended.
    estimator : estimator
        The network.
    x : str
        Name of the data, of shape (n_rows, n_features), in the precision of the graph.

    Returns
    -------
    dict of str -> Output
        The results by the names that users know.
    """
    network = estimator._fitted_network()
    loss, raw = network.loss, raw_scores(graph, network, estimator._by_layer(network), x)
    if is_classifier(estimator):
        return of_classes(graph, estimator, loss, raw)
    kinds, target = predictions(graph, loss, raw), estimator._target_scale
    n_targets = network.n_outputs // loss.raw_per_target
    if target is not None:
        # of the kinds, (mu, sigma) or quantiles, only sigma has no offset
        offset = np.tile(target.offset, loss.raw_per_target)
        if loss.link_inverse == "identity_exp":
            offset[n_targets:] = 0.0
        kinds = graph("Add", graph("Mul", kinds, np.tile(target.scale, loss.raw_per_target)), offset)
    return of_numbers(graph, loss, kinds, n_targets)


def realmlp(graph: Graph, estimator: Any, inputs: Inputs) -> Outputs:
    """Add a fitted ScratchRealMLPClassifier or ScratchRealMLPRegressor.

    Parameters
    ----------
    graph : Graph
        Is extended.
    estimator : estimator
        The networks with their preprocessing.
    inputs : Inputs
        The data.

    Returns
    -------
    dict of str -> Output
        The results by the names that users know.
    """
    network = estimator._folds[0].network
    check_link(network.loss)
    raw = scores_of_table(graph, estimator, inputs)
    if is_classifier(estimator):
        return of_classes(graph, estimator, network.loss, raw)
    kinds = numbers_in_units(graph, network.loss, raw)
    return of_numbers(graph, network.loss, kinds, network.n_outputs // network.loss.raw_per_target)
