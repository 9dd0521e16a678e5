"""Adam with learning rates and weight decays of their own for groups of parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sknn_scratch.core.configuration import FRACTION, NOT_NEGATIVE, POSITIVE, number
from sknn_scratch.core.machine.memory import aligned_like
from sknn_scratch.core.optimizers import Optimizer, OptimizerState
from sknn_scratch.core.parameters import WEIGHTS, FloatArray, Parameters, Shapes


@dataclass
class GroupedState(OptimizerState):
    """Adam's state, and among its arrays the factors ``"rate"`` and ``"decay"`` of each parameter.

    Attributes
    ----------
    n_alike : int
        Parameters at the front that have the same factors: the weights of all layers.
    """

    n_alike: int = 0

    def part(self, part: slice) -> OptimizerState:
        """The state of some of the parameters; if they are alike, with one number for all as factor."""
        state = super().part(part)
        if part.stop <= self.n_alike:
            for name in {"rate", "decay"} & state.averages.keys():
                state.averages[name] = state.averages[name][:1]
        return state


@dataclass
class GroupedAdam(Optimizer):
    """AdamW with a factor of the learning rate and one of the decay for each parameter.

    With the factors f and d of a parameter,

        theta <- theta (1 - s lr weight_decay f^2 d), then theta <- theta - lr f m' / (sqrt(v') + epsilon)

    with Adam's averages corrected, m' = m / (1 - beta_1^t) and v' = v / (1 - beta_2^t), and the share s of
    the decay that ``state.regularization`` says. That f is squared in the decay is the published recipe's
    (Holzmüller, Grinsztajn & Steinwart, 2024).

    The factors are 1 until `set_factors` writes others into the state.

    Parameters
    ----------
    weight_decay : float >= 0, default=0.0
        Share of each parameter that a step takes away, times the learning rate.
    beta_1 : float in [0, 1), default=0.9
        Decay rate of the average of gradients.
    beta_2 : float in [0, 1), default=0.95
        Decay rate of the average of squared gradients.
    epsilon : float > 0, default=1e-8
        Keeps the denominator from zero.
    max_grad_norm : float > 0 or None, default=None
        Gradients are clipped to this norm, as in :class:`Optimizer`. By keyword only.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import GroupedAdam
    >>> rule, theta = GroupedAdam(), np.array([1.0, 1.0])
    >>> state = rule.init(theta)
    >>> state.averages["rate"][:] = 1.0, 0.1
    >>> rule.step(theta, np.array([5.0, 5.0]), state, learning_rate=0.1)
    >>> theta.round(6)
    array([0.9 , 0.99])
    """

    weight_decay: float = number(0.0, NOT_NEGATIVE)
    beta_1: float = number(0.9, FRACTION)
    beta_2: float = number(0.95, FRACTION)
    epsilon: float = number(1e-8, POSITIVE)

    def init(self, theta: FloatArray) -> GroupedState:
        averages = {
            "m": aligned_like(theta, 0.0),
            "v": aligned_like(theta, 0.0),
            "rate": aligned_like(theta, 1.0),
        }
        if self.weight_decay:
            averages["decay"] = aligned_like(theta, 1.0)
        return GroupedState(averages)

    def set_factors(
        self,
        state: GroupedState,
        shapes: Shapes,
        learning_rate: Mapping[str, float],
        weight_decay: Mapping[str, float],
    ) -> None:
        """Write the factors of parameters into a state, by their names in the layers.

        Parameters
        ----------
        state : GroupedState
            A state that `init` made for parameters of these shapes.
        shapes : sequence of mappings
            For each layer, the shape of each of its arrays by name.
        learning_rate, weight_decay : mapping of str -> float
            The factors f and d by the last part of a parameter's name, such as ``"bias"``; where a name is
            not in them the factor is 1.
        """
        given = {name: learning_rate.get(name, 1.0) for name in _names(shapes)}
        with np.errstate(over="ignore"):  # training will diverge
            _fill(state.averages["rate"], shapes, given)
            if "decay" in state.averages:
                decays = {name: rate * rate * weight_decay.get(name, 1.0) for name, rate in given.items()}
                _fill(state.averages["decay"], shapes, decays)
        state.n_alike = sum(math.prod(layer.get(WEIGHTS, (0,))) for layer in shapes)

    def _update(
        self, theta: FloatArray, gradient: FloatArray, state: OptimizerState, learning_rate: float
    ) -> None:
        # m and v are kept without their factors 1 - beta, as in Adam: they are in `scale` and `epsilon`
        m, v = state.averages["m"], state.averages["v"]
        beta_1, beta_2 = float(self.beta_1), float(self.beta_2)
        m *= beta_1
        m += gradient
        np.multiply(gradient, gradient, out=gradient)
        v *= beta_2
        v += gradient
        corrected = math.sqrt((1 - beta_2**state.n_steps) / (1 - beta_2))
        scale = (1 - beta_1) / (1 - beta_1**state.n_steps) * corrected
        update = np.sqrt(v, out=gradient)
        update += float(self.epsilon) * corrected
        np.divide(m, update, out=update)
        update *= learning_rate * scale * state.averages["rate"]
        decay = learning_rate * state.regularization * float(self.weight_decay)
        if decay:  # of theta as it was before the step
            theta *= 1.0 - decay * state.averages["decay"]
        theta -= update


def _names(shapes: Shapes) -> set[str]:
    return {name.rpartition(".")[2] for layer in shapes for name in layer}


def _fill(flat: FloatArray, shapes: Shapes, values: Mapping[str, float]) -> None:
    for layer in Parameters(shapes, flat).layers:
        for name, view in layer.items():
            view[...] = values[name.rpartition(".")[2]]
