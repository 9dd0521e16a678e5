"""Update rules: how a gradient changes the parameters.

An optimizer holds hyper-parameters only. What it remembers from step to step is a state that :meth:`init`
makes and :meth:`step` changes in place. The learning rate comes from the schedules. Rules act on the flat
vector of all parameters, with in-place operations: beyond the size of the processor's cache, an update costs
as much as its passes over memory. So rules are applied to one part of the vector after another, with all
passes over a part while it is in the cache, and in large networks to several parts at once.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import norm

from sknn_scratch.core.configuration import (
    CLOSED_FRACTION,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    POSITIVE_OR_NONE,
    Configured,
    number,
)
from sknn_scratch.core.machine.blocks import blocks
from sknn_scratch.core.machine.memory import aligned_copy, aligned_like
from sknn_scratch.core.machine.threads import Team, parts_of
from sknn_scratch.core.parameters import FloatArray

BYTES_OF_A_PART = 2**18
"""Of each vector, what an update works on at a time."""

PARAMETERS_OF_A_THREAD = 2**16
"""From so many on, a thread for their update pays."""


@dataclass
class OptimizerState:
    """What an optimizer remembers: moving averages by name, and the number of steps taken.

    Attributes
    ----------
    averages : dict of str -> ndarray of shape (n_parameters,)
        Starts at zero.
    n_steps : int
        Steps taken so far.
    regularization : float
        Share of the full weight decay in the next step, for rules whose decay fades.
    """

    averages: dict[str, FloatArray]
    n_steps: int = 0
    regularization: float = 1.0

    def copy(self) -> Self:
        """A copy of the state with its own memory."""
        averages = {name: aligned_copy(a) for name, a in self.averages.items()}
        return replace(self, averages=averages)

    def astype(self, dtype: npt.DTypeLike) -> Self:
        """The same state for parameters of another precision."""
        averages = {name: a.astype(dtype, copy=False) for name, a in self.averages.items()}
        return replace(self, averages=averages)

    def part(self, part: slice) -> Self:
        """The state of some of the parameters, a view."""
        return replace(self, averages={name: a[part] for name, a in self.averages.items()})


@dataclass
class Optimizer(Configured):
    """An update rule, applied to gradients that may be clipped.

    A gradient g longer than `max_grad_norm` is scaled to that length, g <- g max_grad_norm / ||g||, before
    the rule sees it (Pascanu, Mikolov & Bengio, 2013). The norm is taken over all weights and biases at once.

    Parameters
    ----------
    max_grad_norm : float > 0 or None, default=None
        The largest norm of a gradient; None means no clipping.
    """

    max_grad_norm: float | None = number(None, POSITIVE_OR_NONE, kw_only=True)

    @abstractmethod
    def init(self, theta: FloatArray) -> OptimizerState:
        """The state before the first step, for parameters like `theta`."""

    def step(
        self,
        theta: FloatArray,
        gradient: FloatArray,
        state: OptimizerState,
        learning_rate: float,
        team: Team | None = None,
    ) -> None:
        """Change `theta` and `state` in place; `gradient` is used up.

        Parameters
        ----------
        theta, gradient : ndarray of shape (n_parameters,)
            Parameters and gradient.
        state : OptimizerState
            Made by :meth:`init` for these parameters.
        learning_rate : float
            The learning rate of this step.
        team : Team or None, default=None
            Threads that share the work. The result does not depend on them.
        """
        state.n_steps += 1
        if self.max_grad_norm is not None:
            length = float(norm(gradient, check_finite=False))  # by BLAS, whose squares do not overflow
            if length > self.max_grad_norm:
                gradient *= float(self.max_grad_norm) / length
        learning_rate = float(learning_rate)
        if theta.nbytes <= BYTES_OF_A_PART:
            self._update(theta, gradient, state, learning_rate)
            return

        def update(share: slice) -> None:
            size = BYTES_OF_A_PART // theta.itemsize
            for start in range(share.start, share.stop, size):
                part = slice(start, min(start + size, share.stop))
                self._update(theta[part], gradient[part], state.part(part), learning_rate)

        n_threads = 1 if team is None else min(team.n_threads, theta.size // PARAMETERS_OF_A_THREAD)
        shares = parts_of(theta.size, n_threads)
        if team is None:
            update(shares[0])
        else:
            team.map(update, shares)

    @abstractmethod
    def _update(
        self, theta: FloatArray, gradient: FloatArray, state: OptimizerState, learning_rate: float
    ) -> None:
        """The rule itself, number by number.

        It gets the clipped gradient, and `n_steps` counts this step. In large networks it gets one part of
        all vectors after another: anything that needs a whole vector, such as a norm, belongs in `step`.
        """


@dataclass
class SGD(Optimizer):
    """Stochastic gradient descent with momentum (Polyak, 1964; Nesterov, 1983; Sutskever et al., 2013).

    v <- momentum v - lr g, then theta <- theta + v. With Nesterov's momentum the step is taken from where
    the momentum leads: theta <- theta + momentum v - lr g with the new v.

    Parameters
    ----------
    momentum : float in [0, 1], default=0.9
        Share of the last update to keep.
    nesterovs_momentum : bool, default=True
        Whether to use Nesterov's momentum.
    max_grad_norm : float > 0 or None, default=None
        Gradients are clipped to this norm, as in :class:`Optimizer`. By keyword only.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import SGD
    >>> rule, theta = SGD(momentum=0.0), np.array([1.0])
    >>> rule.step(theta, np.array([0.5]), rule.init(theta), learning_rate=0.1)
    >>> theta
    array([0.95])
    """

    momentum: float = number(0.9, CLOSED_FRACTION)
    nesterovs_momentum: bool = True

    def init(self, theta: FloatArray) -> OptimizerState:
        return OptimizerState({"velocity": aligned_like(theta, 0.0)})

    def _update(
        self, theta: FloatArray, gradient: FloatArray, state: OptimizerState, learning_rate: float
    ) -> None:
        velocity = state.averages["velocity"]
        momentum = float(self.momentum)  # a NumPy scalar would make float32 arithmetic float64
        gradient *= -learning_rate
        velocity *= momentum
        velocity += gradient
        if self.nesterovs_momentum:
            theta += gradient
            np.multiply(velocity, momentum, out=gradient)
            theta += gradient
        else:
            theta += velocity


@dataclass
class Adam(Optimizer):
    """Adaptive moments (Kingma & Ba, 2015, with the bias correction folded into the learning rate).

    m <- beta_1 m + (1 - beta_1) g and v <- beta_2 v + (1 - beta_2) g^2, then
    theta <- theta - lr_t m / (sqrt(v) + epsilon) with lr_t = lr sqrt(1 - beta_2^t) / (1 - beta_1^t).

    Parameters
    ----------
    beta_1 : float in [0, 1), default=0.9
        Decay rate of the average of gradients.
    beta_2 : float in [0, 1), default=0.999
        Decay rate of the average of squared gradients.
    epsilon : float > 0, default=1e-8
        Keeps the denominator away from zero.
    max_grad_norm : float > 0 or None, default=None
        Gradients are clipped to this norm, as in :class:`Optimizer`. By keyword only.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Adam
    >>> rule, theta = Adam(), np.array([1.0])
    >>> rule.step(theta, np.array([123.0]), rule.init(theta), learning_rate=0.1)
    >>> theta.round(6)
    array([0.9])
    """

    beta_1: float = number(0.9, FRACTION)
    beta_2: float = number(0.999, FRACTION)
    epsilon: float = number(1e-8, POSITIVE)

    def init(self, theta: FloatArray) -> OptimizerState:
        return OptimizerState(zero_moments(theta))

    def _update(
        self, theta: FloatArray, gradient: FloatArray, state: OptimizerState, learning_rate: float
    ) -> None:
        beta_1, beta_2 = float(self.beta_1), float(self.beta_2)  # not NumPy scalars: they are float64
        _adapt_moments(theta, gradient, state, learning_rate, beta_1, beta_2, float(self.epsilon))


@dataclass
class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019), as PyTorch computes it.

    theta <- theta - lr weight_decay theta, then theta <- theta - lr m' / (sqrt(v') + epsilon) with Adam's
    averages corrected, m' = m / (1 - beta_1^t) and v' = v / (1 - beta_2^t). Here epsilon is added to
    sqrt(v'), in `Adam` to sqrt(v).

    All parameters decay, including biases. A network's penalty `l2` acts as well, through the gradient, which
    is divided by sqrt(v'). To decay weights by this rule alone, set `l2` to 0.

    Parameters
    ----------
    weight_decay : float >= 0, default=0.01
        Times the learning rate, the share of each parameter that a step removes.
    beta_1 : float in [0, 1), default=0.9
        Decay rate of the average of gradients.
    beta_2 : float in [0, 1), default=0.999
        Decay rate of the average of squared gradients.
    epsilon : float > 0, default=1e-8
        Keeps the denominator away from zero.
    max_grad_norm : float > 0 or None, default=None
        Gradients are clipped to this norm, as in :class:`Optimizer`. By keyword only.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import AdamW
    >>> rule, theta = AdamW(weight_decay=0.5), np.array([1.0])
    >>> rule.step(theta, np.array([0.0]), rule.init(theta), learning_rate=0.1)
    >>> theta.round(6)
    array([0.95])
    """

    weight_decay: float = number(0.01, NOT_NEGATIVE)
    beta_1: float = number(0.9, FRACTION)
    beta_2: float = number(0.999, FRACTION)
    epsilon: float = number(1e-8, POSITIVE)

    def init(self, theta: FloatArray) -> OptimizerState:
        return OptimizerState(zero_moments(theta))

    def _update(
        self, theta: FloatArray, gradient: FloatArray, state: OptimizerState, learning_rate: float
    ) -> None:
        theta *= 1 - learning_rate * float(self.weight_decay)
        beta_1, beta_2 = float(self.beta_1), float(self.beta_2)
        # sqrt(v') + epsilon = (sqrt(v) + epsilon sqrt(1 - beta_2^t)) / sqrt(1 - beta_2^t)
        epsilon = float(self.epsilon) * math.sqrt(1 - beta_2**state.n_steps)
        _adapt_moments(theta, gradient, state, learning_rate, beta_1, beta_2, epsilon)


# theta <- theta - lr_t m / (sqrt(v) + epsilon), as in the docstring of Adam
def _adapt_moments(
    theta: FloatArray,
    gradient: FloatArray,
    state: OptimizerState,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    scale = (1 - beta_1) / math.sqrt(1 - beta_2)
    scale *= math.sqrt(1 - beta_2**state.n_steps) / (1 - beta_1**state.n_steps)
    update = move_moments(state, gradient, beta_1, beta_2, epsilon / math.sqrt(1 - beta_2))
    update *= learning_rate * scale
    theta -= update


def zero_moments(theta: FloatArray) -> dict[str, FloatArray]:
    """Adam's averages before the first step: m of gradients and v of their squares.

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,)
        The parameters.

    Returns
    -------
    dict of str -> ndarray of shape (n_parameters,)
        Zeros.
    """
    return {"m": aligned_like(theta, 0.0), "v": aligned_like(theta, 0.0)}


def move_moments(
    state: OptimizerState, gradient: FloatArray, beta_1: float, beta_2: float, epsilon: float
) -> FloatArray:
    """Move Adam's averages towards a gradient; returns the direction of the step.

    m <- beta_1 m + g and v <- beta_2 v + g^2, then m / (sqrt(v) + epsilon).

    m and v are kept without their factors 1 - beta, which saves two passes over the parameters. The caller
    puts the factors back into two numbers: epsilon is divided by sqrt(1 - beta_2), and the direction is
    multiplied by (1 - beta_1) / sqrt(1 - beta_2).

    Parameters
    ----------
    state : OptimizerState
        The state, whose averages are changed in place.
    gradient : ndarray of shape (n_parameters,)
        The gradient; its memory is overwritten.
    beta_1, beta_2, epsilon : float
        Python numbers, since NumPy's would turn float32 arithmetic into float64.

    Returns
    -------
    ndarray of shape (n_parameters,)
        The direction, in the memory of the gradient.
    """
    m, v = state.averages["m"], state.averages["v"]
    m *= beta_1
    m += gradient
    np.multiply(gradient, gradient, out=gradient)
    v *= beta_2
    v += gradient
    direction = np.sqrt(v, out=gradient)
    direction += epsilon
    return np.divide(m, direction, out=direction)


@dataclass
class RMSprop(Optimizer):
    """Gradients divided by their root mean square (Tieleman & Hinton, 2012), as PyTorch computes it.

    v <- alpha v + (1 - alpha) g^2 and u <- momentum u + g / (sqrt(v) + epsilon), then theta <- theta - lr u.

    Parameters
    ----------
    alpha : float in [0, 1), default=0.99
        Decay rate of the average of squared gradients.
    epsilon : float > 0, default=1e-8
        Keeps the denominator away from zero.
    momentum : float in [0, 1], default=0.0
        Share of the last update to keep.
    max_grad_norm : float > 0 or None, default=None
        Gradients are clipped to this norm, as in :class:`Optimizer`. By keyword only.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import RMSprop
    >>> rule, theta = RMSprop(alpha=0.75), np.array([1.0])
    >>> rule.step(theta, np.array([123.0]), rule.init(theta), learning_rate=0.1)
    >>> theta.round(6)
    array([0.8])
    """

    alpha: float = number(0.99, FRACTION)
    epsilon: float = number(1e-8, POSITIVE)
    momentum: float = number(0.0, CLOSED_FRACTION)

    def init(self, theta: FloatArray) -> OptimizerState:
        return OptimizerState({"v": aligned_like(theta, 0.0), "velocity": aligned_like(theta, 0.0)})

    def _update(
        self, theta: FloatArray, gradient: FloatArray, state: OptimizerState, learning_rate: float
    ) -> None:
        alpha, epsilon, momentum = float(self.alpha), float(self.epsilon), float(self.momentum)
        averages = state.averages
        for part, g, v, velocity in blocks(theta, gradient, averages["v"], averages["velocity"]):
            v *= alpha
            v += (1 - alpha) * g * g
            velocity *= momentum
            velocity += g / (np.sqrt(v) + epsilon)
            part -= learning_rate * velocity


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": RMSprop,
}
