"""Update rules: how a gradient changes the parameters.

An optimizer holds hyper-parameters only. What it remembers from step to step is a state that :meth:`init`
makes and :meth:`step` changes in place; the learning rate comes from outside, where the schedules are. Rules
act on the flat vector of all parameters, and are written with in-place operations: at a size beyond the
processor's cache, an update costs as much as its passes over memory.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from sknn_scratch.core.configuration import CLOSED_FRACTION, FRACTION, POSITIVE, Configured, number
from sknn_scratch.core.parameters import FloatArray


@dataclass
class OptimizerState:
    """What an optimizer remembers: moving averages by name, and the number of steps taken.

    Attributes
    ----------
    averages : dict of str -> ndarray of shape (n_parameters,)
        Starts at zero.
    n_steps : int
        Steps taken so far.
    """

    averages: dict[str, FloatArray]
    n_steps: int = 0

    def copy(self) -> OptimizerState:
        """The same state in memory of its own."""
        return OptimizerState({name: a.copy() for name, a in self.averages.items()}, self.n_steps)


@dataclass
class Optimizer(Configured):
    """An update rule."""

    @abstractmethod
    def init(self, theta: FloatArray) -> OptimizerState:
        """The state before the first step, for parameters like `theta`."""

    @abstractmethod
    def step(
        self, theta: FloatArray, gradient: FloatArray, state: OptimizerState, learning_rate: float
    ) -> None:
        """Change `theta` and `state` in place; `gradient` is used up."""


@dataclass
class SGD(Optimizer):
    """Stochastic gradient descent with momentum (Polyak, 1964; Nesterov, 1983; Sutskever et al., 2013).

    v <- momentum v - lr g, then theta <- theta + v. With Nesterov's momentum the step is taken from where
    the momentum leads: theta <- theta + momentum v - lr g with the new v.

    Parameters
    ----------
    momentum : float in [0, 1], default=0.9
        Share of the last update that is kept.
    nesterovs_momentum : bool, default=True
        Whether to use Nesterov's momentum.

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
        return OptimizerState({"velocity": np.zeros_like(theta)})

    def step(
        self, theta: FloatArray, gradient: FloatArray, state: OptimizerState, learning_rate: float
    ) -> None:
        state.n_steps += 1
        velocity = state.averages["velocity"]
        momentum = float(self.momentum)  # a NumPy scalar would make float32 arithmetic float64
        gradient *= -float(learning_rate)
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
        Keeps the denominator from zero.

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
        return OptimizerState({"m": np.zeros_like(theta), "v": np.zeros_like(theta)})

    def step(
        self, theta: FloatArray, gradient: FloatArray, state: OptimizerState, learning_rate: float
    ) -> None:
        state.n_steps += 1
        # m and v are kept without their factors 1 - beta, which saves two passes over the parameters; the
        # factors come back in the two numbers `scale` and `epsilon`.
        m, v = state.averages["m"], state.averages["v"]
        beta_1, beta_2 = float(self.beta_1), float(self.beta_2)  # not NumPy scalars: they are float64
        m *= beta_1
        m += gradient
        np.multiply(gradient, gradient, out=gradient)
        v *= beta_2
        v += gradient
        scale = (1 - beta_1) / math.sqrt(1 - beta_2)
        scale *= math.sqrt(1 - beta_2**state.n_steps) / (1 - beta_1**state.n_steps)
        update = np.sqrt(v, out=gradient)
        update += float(self.epsilon) / math.sqrt(1 - beta_2)
        np.divide(m, update, out=update)
        update *= float(learning_rate) * scale
        theta -= update


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam}
