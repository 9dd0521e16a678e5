"""From raw scores to predictions: inverse links, members together, units of y."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sknn_scratch.core import Loss, PerColumn
from sknn_scratch.core.losses.links import LOG_SIGMA_RANGE
from sknn_scratch.export._graph import Graph
from sknn_scratch.fitting._target_scale import TargetScale


def predictions(graph: Graph, loss: Loss, raw: str) -> str:
    """Add the inverse link of a loss.

    Parameters
    ----------
    graph : Graph
        Is extended.
    loss : Loss
        Whose link counts.
    raw : str
        Name of the raw scores, of shape (n_rows, n_outputs).

    Returns
    -------
    str
        Name of the predictions, of the same shape.

    Raises
    ------
    ValueError
        If a loss of the user's own has a link of its own.
    """
    if isinstance(loss, PerColumn):
        parts = [graph.columns(raw, part.start, part.stop) for part in loss.parts()]
        return graph.side_by_side([predictions(graph, loss.loss, part) for part in parts])
    check_link(loss)
    return _INVERSE_LINKS[loss.link_inverse](graph, raw)


def check_link(loss: Loss) -> None:
    """Raise if a loss has a link of its own."""
    methods = type(loss).predict, type(loss).raw_in_units
    if methods != (Loss.predict, Loss.raw_in_units) or loss.link_inverse not in _INVERSE_LINKS:
        raise ValueError(
            f"The loss {loss!r} has a link of its own, which has no ONNX operators: train with a loss whose "
            f"link_inverse is one of {list(_INVERSE_LINKS)} to export the model."
        )


def _probabilities(graph: Graph, p: str) -> str:
    """Probabilities of at least the smallest normal number, so that they have logarithms."""
    return graph("Max", p, float(np.finfo(graph.dtype).tiny))


def halves(graph: Graph, raw: str) -> tuple[str, str]:
    """The first and the second half of the columns, such as mu and log sigma."""
    graph("Split", raw, axis=1, num_outputs=2, n_outputs=2)
    first, second = graph.nodes[-1].outputs
    return first, second


def _identity_exp(graph: Graph, raw: str) -> str:
    mu, log_sigma = halves(graph, raw)
    return graph.side_by_side([mu, graph("Exp", graph("Clip", log_sigma, *LOG_SIGMA_RANGE))])


_INVERSE_LINKS: dict[str, Callable[[Graph, str], str]] = {
    "identity": lambda graph, raw: raw,
    "exp": lambda graph, raw: graph("Exp", raw),
    "logistic": lambda graph, raw: _probabilities(graph, graph("Sigmoid", raw)),
    "softmax": lambda graph, raw: _probabilities(graph, graph("Softmax", raw, axis=1)),
    "identity_exp": _identity_exp,
}


def combined(graph: Graph, loss: Loss, raws: list[str]) -> str:
    """Add the raw scores whose predictions are the means of the members' predictions, as RealMLP does."""
    return raws[0] if len(raws) == 1 else _MEANS[loss.link_inverse](graph, raws)


# log mean_m exp(z_m)
def _log_mean_exp(graph: Graph, logs: list[str]) -> str:
    return graph("Sub", graph.reduced("ReduceLogSumExp", graph.stacked(logs)), math.log(len(logs)))


# log of the logistic function
def _log_expit(graph: Graph, z: str) -> str:
    return graph("Neg", graph("Softplus", graph("Neg", z)))


# softmax(log mean_m p_m) = mean_m p_m
def _mean_of_probabilities(graph: Graph, raws: list[str]) -> str:
    return _log_mean_exp(graph, [graph("LogSoftmax", raw, axis=1) for raw in raws])


# logit mean_m p_m = log mean_m p_m - log mean_m (1 - p_m)
def _mean_of_yes_or_no(graph: Graph, raws: list[str]) -> str:
    yes = [_log_expit(graph, raw) for raw in raws]
    no = [_log_expit(graph, graph("Neg", raw)) for raw in raws]
    return graph("Sub", _log_mean_exp(graph, yes), _log_mean_exp(graph, no))


def _mean(graph: Graph, raws: list[str]) -> str:
    return graph.reduced("ReduceMean", graph.stacked(raws))


# the mixture of the N(mu_m, s_m^2) has the variance mean(s_m^2) + var(mu_m)
def _mean_of_distributions(graph: Graph, raws: list[str]) -> str:
    mus, log_sigmas = zip(*[halves(graph, raw) for raw in raws], strict=True)
    mean = _mean(graph, list(mus))
    of_members = _log_mean_exp(graph, [graph("Mul", log_sigma, 2.0) for log_sigma in log_sigmas])
    deviations = [graph("Sub", mu, mean) for mu in mus]
    among_members = graph("Log", _mean(graph, [graph("Mul", d, d) for d in deviations]))
    log_variance = graph.reduced("ReduceLogSumExp", graph.stacked([of_members, among_members]))
    return graph.side_by_side([mean, graph("Mul", log_variance, 0.5)])


_MEANS: dict[str, Callable[[Graph, list[str]], str]] = {
    "softmax": _mean_of_probabilities,
    "logistic": _mean_of_yes_or_no,
    "identity": _mean,
    "exp": _log_mean_exp,
    "identity_exp": _mean_of_distributions,
}


def in_units(graph: Graph, loss: Loss, raw: str, target: TargetScale) -> str:
    """Add the way from raw scores of scaled targets to raw scores in the units of y."""
    if loss.link_inverse == "exp":
        return graph("Add", raw, np.log(target.scale))
    if loss.link_inverse == "identity_exp":
        mu, log_sigma = halves(graph, raw)
        log_sigma = graph("Add", graph("Clip", log_sigma, *LOG_SIGMA_RANGE), np.log(target.scale))
        return graph.side_by_side([graph("Add", graph("Mul", mu, target.scale), target.offset), log_sigma])
    scale, offset = (np.tile(array, loss.raw_per_target) for array in (target.scale, target.offset))
    return graph("Add", graph("Mul", raw, scale), offset)


def within_limits(graph: Graph, loss: Loss, raw: str, low: np.ndarray, high: np.ndarray) -> str:
    """Add the clipping of raw scores in the units of y to the range of y seen in training."""
    if loss.link_inverse == "identity_exp":
        mu, log_sigma = halves(graph, raw)
        with np.errstate(divide="ignore"):
            widest = np.where(high > low, np.log(high - low), np.inf)
        mu = graph("Min", graph("Max", mu, low), high)
        return graph.side_by_side([mu, graph("Min", log_sigma, widest)])
    if loss.link_inverse == "exp":
        with np.errstate(divide="ignore"):  # log(0) is no limit
            low, high = np.log(low), np.log(high)
    low, high = (np.tile(limit, loss.raw_per_target) for limit in (low, high))
    return graph("Min", graph("Max", raw, low), high)


def numbers_in_units(graph: Graph, loss: Loss, raw: str) -> str:
    """Add predictions from raw scores in the units of y, where log sigma has been clipped before."""
    if loss.link_inverse == "exp":
        return graph("Exp", raw)
    if loss.link_inverse == "identity_exp":
        mu, log_sigma = halves(graph, raw)
        return graph.side_by_side([mu, graph("Exp", log_sigma)])
    return raw
