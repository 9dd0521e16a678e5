"""Adam with separate learning rates and weight decays for groups of parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from sknn_scratch.core.configuration import FRACTION, NOT_NEGATIVE, POSITIVE, number
from sknn_scratch.core.machine.memory import aligned_like
from sknn_scratch.core.optimizers import Optimizer, OptimizerState, move_moments, zero_moments
from sknn_scratch.core.parameters import WEIGHTS, FloatArray, Parameters, Shapes


@dataclass
class GroupedState(OptimizerState):
    """Adam's state, and the factors of each parameter, which steps do not change.

    Attributes
    ----------
    factors : dict of str -> ndarray of shape (n_parameters,)
        ``"rate"`` for the learning rate, and ``"decay"`` for the weight decay if there is any.
    n_alike : int
        Number of parameters at the front that share their factors: the weights of all layers.
    """

    factors: dict[str, FloatArray] = field(default_factory=dict)
    n_alike: int = 0

    def astype(self, dtype: npt.DTypeLike) -> Self:
        """The same state for parameters of another precision."""
        factors = {name: factor.astype(dtype, copy=False) for name, factor in self.factors.items()}
        return replace(super().astype(dtype), factors=factors)

    def part(self, part: slice) -> Self:
        """The state of some of the parameters; if they are alike, with one number for all as factor."""
        state = super().part(part)
        if part.stop <= self.n_alike:
            part = slice(1)
        return replace(state, factors={name: factor[part] for name, factor in self.factors.items()})


@dataclass
class GroupedAdam(Optimizer):
    """AdamW with a learning-rate factor and a decay factor for each parameter.

    With the factors f and d of a parameter,

        theta <- theta (1 - s lr weight_decay f^2 d), then theta <- theta - lr f m' / (sqrt(v') + epsilon)

    with Adam's averages corrected, m' = m / (1 - beta_1^t) and v' = v / (1 - beta_2^t), and the share s of
    the decay given by ``state.regularization``. Squaring f in the decay follows the published recipe
    (Holzmüller, Grinsztajn & Steinwart, 2024).

    All factors are 1 until `set_factors` changes them.

    Parameters
    ----------
    weight_decay : float >= 0, default=0.0
        Times the learning rate, the share of each parameter that a step removes.
    beta_1 : float in [0, 1), default=0.9
        Decay rate of the average of gradients.
    beta_2 : float in [0, 1), default=0.95
        Decay rate of the average of squared gradients.
    epsilon : float > 0, default=1e-8
        Keeps the denominator away from zero.
    max_grad_norm : float > 0 or None, default=None
        Gradients are clipped to this norm, as in :class:`Optimizer`. By keyword only.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import GroupedAdam
    >>> rule, theta = GroupedAdam(), np.array([1.0, 1.0])
    >>> state = rule.init(theta)
    >>> state.factors["rate"][:] = 1.0, 0.1
    >>> rule.step(theta, np.array([5.0, 5.0]), state, learning_rate=0.1)
    >>> theta.round(6)
    array([0.9 , 0.99])
    """

    weight_decay: float = number(0.0, NOT_NEGATIVE)
    beta_1: float = number(0.9, FRACTION)
    beta_2: float = number(0.95, FRACTION)
    epsilon: float = number(1e-8, POSITIVE)

    def init(self, theta: FloatArray) -> GroupedState:
        names = ("rate", "decay") if self.weight_decay else ("rate",)
        factors = {name: aligned_like(theta, 1.0) for name in names}
        return GroupedState(zero_moments(theta), factors=factors)

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
            The factors f and d by the last part of a parameter's name, such as ``"bias"``; a missing name
            means 1.
        """
        rates = {name: learning_rate.get(name, 1.0) for name in _names(shapes)}
        decays = {name: rate * rate * weight_decay.get(name, 1.0) for name, rate in rates.items()}
        given = {"rate": rates, "decay": decays}
        with np.errstate(over="ignore"):  # training will diverge
            # new arrays: copies of the state share those that it had
            state.factors = {name: _filled(old, shapes, given[name]) for name, old in state.factors.items()}
        state.n_alike = sum(math.prod(layer.get(WEIGHTS, (0,))) for layer in shapes)

    def _update(
        self, theta: FloatArray, gradient: FloatArray, state: OptimizerState, learning_rate: float
    ) -> None:
        assert isinstance(state, GroupedState)  # `init` made it
        beta_1, beta_2 = float(self.beta_1), float(self.beta_2)
        # with v as it is kept, sqrt(v') + epsilon = (sqrt(v) + epsilon corrected) / corrected
        corrected = math.sqrt((1 - beta_2**state.n_steps) / (1 - beta_2))
        scale = (1 - beta_1) / (1 - beta_1**state.n_steps) * corrected
        update = move_moments(state, gradient, beta_1, beta_2, float(self.epsilon) * corrected)
        update *= learning_rate * scale * state.factors["rate"]
        decay = learning_rate * state.regularization * float(self.weight_decay)
        if decay:  # of theta as it was before the step
            theta *= 1.0 - decay * state.factors["decay"]
        theta -= update


def _names(shapes: Shapes) -> set[str]:
    return {name.rpartition(".")[2] for layer in shapes for name in layer}


def _filled(like: FloatArray, shapes: Shapes, values: Mapping[str, float]) -> FloatArray:
    flat = aligned_like(like)
    for layer in Parameters(shapes, flat).layers:
        for name, view in layer.items():
            view[...] = values[name.rpartition(".")[2]]
    return flat
