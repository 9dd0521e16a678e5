"""The compiled form of the update rules: their codes and settings, and the step around the kernels.

The averages of a state hold the same numbers as in :mod:`sknn_scratch.core.optimizers` and
:mod:`sknn_scratch.core.grouped_adam`, so a state can go on in either engine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sknn_scratch.compiled import updates
from sknn_scratch.core.grouped_adam import GroupedAdam, GroupedState
from sknn_scratch.core.machine.threads import Team, parts_of
from sknn_scratch.core.optimizers import (
    PARAMETERS_OF_A_THREAD,
    SGD,
    Adam,
    AdamW,
    Optimizer,
    OptimizerState,
    RMSprop,
)
from sknn_scratch.core.parameters import FloatArray

_RULES: dict[type[Optimizer], tuple[int, tuple[str, ...], tuple[str, ...]]] = {
    SGD: (updates.SGD, ("momentum", "nesterovs_momentum"), ("velocity",)),
    Adam: (updates.ADAM, ("beta_1", "beta_2", "epsilon"), ("m", "v")),
    AdamW: (updates.ADAMW, ("beta_1", "beta_2", "epsilon", "weight_decay"), ("m", "v")),
    GroupedAdam: (updates.GROUPED_ADAM, ("beta_1", "beta_2", "epsilon", "weight_decay"), ("m", "v")),
    RMSprop: (updates.RMSPROP, ("alpha", "epsilon", "momentum"), ("v", "velocity")),
}
"""The code of each rule, the settings that are its constants, and its averages in the order of the kernel."""


@dataclass(frozen=True)
class RuleKernel:
    """The compiled form of an optimizer: what the kernel `update` reads.

    Attributes
    ----------
    code : int
        The code of the rule.
    constants : ndarray of float64
        Its settings.
    averages : tuple of str
        The names of the state's averages, one or two.
    max_grad_norm : float
        The largest norm of a gradient; infinite without clipping.
    """

    code: int
    constants: npt.NDArray[np.float64]
    averages: tuple[str, ...]
    max_grad_norm: float

    def arrays(self, state: OptimizerState) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, int]:
        """The state in the form that `update` reads; an array that the rule lacks has size 0.

        Parameters
        ----------
        state : OptimizerState
            The state.

        Returns
        -------
        first, second, rate_factor, decay_factor : ndarray of shape (n_parameters,) or (0,)
            Averages and factors.
        n_alike : int
            Parameters at the front that have the same factors.
        """
        first = state.averages[self.averages[0]]
        none = first[:0]
        second = state.averages[self.averages[1]] if len(self.averages) > 1 else none
        if not isinstance(state, GroupedState):
            return first, second, none, none, len(first)
        factors = state.factors
        return first, second, factors["rate"], factors.get("decay", factors["rate"]), state.n_alike


def kernel_of(optimizer: Optimizer) -> RuleKernel | None:
    """The compiled form of an optimizer; None for rules that are not the core's.

    Parameters
    ----------
    optimizer : Optimizer
        The rule.

    Returns
    -------
    RuleKernel or None
        Its code and constants.
    """
    if type(optimizer) not in _RULES:
        return None
    code, settings, averages = _RULES[type(optimizer)]
    constants = np.array([getattr(optimizer, name) for name in settings], np.float64)
    longest = optimizer.max_grad_norm
    return RuleKernel(code, constants, averages, math.inf if longest is None else float(longest))


class CompiledRule:
    """An optimizer's step with the penalty of a network, computed by the kernel.

    Parameters
    ----------
    rule : RuleKernel
        From `kernel_of`.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.compiled.rules import CompiledRule, kernel_of
    >>> from sknn_scratch.core import SGD
    >>> optimizer, theta = SGD(momentum=0.0), np.array([1.0])
    >>> rule, state = CompiledRule(kernel_of(optimizer)), optimizer.init(theta)
    >>> rule.step(theta, np.array([0.5]), state, learning_rate=0.1, n_weights=1, strength=1.0)
    1.0
    >>> theta
    array([0.85])
    """

    def __init__(self, rule: RuleKernel) -> None:
        self._rule = rule

    def step(
        self,
        theta: FloatArray,
        gradient: FloatArray,
        state: OptimizerState,
        learning_rate: float,
        n_weights: int,
        strength: float,
        team: Team | None = None,
    ) -> float:
        """Add the gradient of the penalty, clip, and take the step, in place.

        Parameters
        ----------
        theta, gradient : ndarray of shape (n_parameters,)
            The parameters, and the gradient of the loss, which is used up.
        state : OptimizerState
            The optimizer's state for them.
        learning_rate : float
            The learning rate of this step.
        n_weights : int
            Parameters at the front that are penalised.
        strength : float
            Strength of the penalty, alpha / n; 0 for none.
        team : Team or None, default=None
            Threads that share the work. The new `theta` and `state` do not depend on their number.

        Returns
        -------
        float
            ||W||^2 before the step, to multiply by strength / 2 for the penalty; 0 without a penalty.
        """
        state.n_steps += 1
        rule, clipping = self._rule, 1.0
        if rule.max_grad_norm < math.inf:
            length = updates.gradient_norm[theta.dtype](theta, gradient, n_weights, strength)
            if length > rule.max_grad_norm:
                clipping = rule.max_grad_norm / length
        first, second, rate_factor, decay_factor, n_alike = rule.arrays(state)
        compiled = updates.update[theta.dtype]

        def update_part(part: slice) -> float:
            squares = compiled(
                rule.code,
                rule.constants,
                theta[part],
                gradient[part],
                first[part],
                second[part],
                rate_factor[part],
                decay_factor[part],
                n_alike - part.start,
                n_weights - part.start,
                strength,
                clipping,
                learning_rate,
                state.n_steps,
                state.regularization,
            )
            return float(squares)

        n_threads = 1 if team is None else min(team.n_threads, theta.size // PARAMETERS_OF_A_THREAD)
        if team is None or n_threads < 2:
            return update_part(slice(0, theta.size))
        return sum(team.map(update_part, parts_of(theta.size, n_threads)))
