"""The numbers of one unit for one point: forward, delta and gradient, each with its formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sknn_scratch.playground.features import FEATURES
from sknn_scratch.playground.session import Session


class Term(NamedTuple):
    """One input of a unit: what comes in, its weight, and the slope of the loss along that weight."""

    name: str
    value: float
    weight: float
    gradient: float


@dataclass(frozen=True)
class UnitExplanation:
    """What one unit computed for one row, forward and backward.

    Attributes
    ----------
    title : str
        Which unit.
    terms : list of Term
        Its inputs; the bias is the last, with the input 1, if there is one.
    pre_activation, activation, delta : float
        z, a = f(z) or the prediction, and dL/dz.
    target, prediction, loss : float
        Of the row.
    formulas : dict of str to str
        How `pre_activation`, `activation`, `delta` and `weights_gradient` were computed.
    """

    title: str
    terms: list[Term]
    pre_activation: float
    activation: float
    delta: float
    target: float
    prediction: list[float]
    loss: float
    formulas: dict[str, str]


def unit_name(session: Session, layer: int, unit: int) -> str:
    """How a unit is called; layer 0 are the features.

    Parameters
    ----------
    session : Session
        The network in training.
    layer, unit : int
        Numbers, from 0.

    Returns
    -------
    str
        Such as "hidden 1, unit 2".
    """
    if layer == 0:
        return FEATURES[session.settings.features[unit]].title
    if layer <= len(session.settings.hidden_layer_sizes):
        return f"hidden {layer}, unit {unit + 1}"
    n_outputs = session.run.network.n_outputs
    return "output" if n_outputs == 1 else f"output {unit + 1}"


def explain_unit(session: Session, row: int, layer: int, unit: int) -> UnitExplanation:
    """Lay open what one unit computes for one of the rows to train on.

    Parameters
    ----------
    session : Session
        The network in training.
    row : int
        Number of the row.
    layer : int
        1 is the first hidden layer, or the output if there is none.
    unit : int
        Number of the unit in its layer, from 0.

    Returns
    -------
    UnitExplanation
        Its numbers. The gradient is that of the loss of this row alone, with the penalty.

    Examples
    --------
    >>> from sknn_scratch.playground.explanation import explain_unit
    >>> from sknn_scratch.playground.session import Session
    >>> unit = explain_unit(Session(), row=0, layer=1, unit=0)
    >>> round(unit.pre_activation - sum(term.value * term.weight for term in unit.terms), 12)
    0.0
    """
    step = session.explained(row)
    explained = step.layers[layer - 1]
    terms = [
        Term(
            unit_name(session, layer - 1, i),
            float(explained.input[0, i]),
            float(explained.weights[i, unit]),
            float(explained.weights_gradient[i, unit]),
        )
        for i in range(len(explained.weights))
    ]
    if explained.bias is not None and explained.bias_gradient is not None:
        terms.append(Term("bias", 1.0, float(explained.bias[unit]), float(explained.bias_gradient[unit])))
    return UnitExplanation(
        unit_name(session, layer, unit),
        terms,
        float(explained.pre_activation[0, unit]),
        float(explained.activation[0, unit]),
        float(explained.delta[0, unit]),
        float(step.target[0, 0]),
        [float(p) for p in step.layers[-1].activation[0]],
        step.loss,
        dict(explained.formulas),
    )
