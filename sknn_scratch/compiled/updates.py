"""The kernels of the update rules: penalty, clipping and rule in one pass over the parameters.

The formulas are those of :mod:`sknn_scratch.core.optimizers` and :mod:`sknn_scratch.core.grouped_adam`. Each
number comes from memory once and goes back once.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import types

from sknn_scratch.compiled.jit import inner, kernel, reduction, row
from sknn_scratch.core.parameters import FloatArray

SGD, ADAM, ADAMW, GROUPED_ADAM, RMSPROP = range(5)
"""The codes of the rules."""


@reduction
def _add_square(total: float, x: float) -> float:
    return total + x * x


# The gradient of the loss and of the penalty alpha / (2 n) ||W||^2, clipped:
# g <- clipping (g + strength W) with strength = alpha / n. Each rule computes it first, in the same loop, and
# returns the sum of the squares of its parameters before the step.


# v <- momentum v - lr g, then theta <- theta + v, or with Nesterov's momentum theta + momentum v - lr g
@inner
def _sgd(
    constants: npt.NDArray[np.float64],
    theta: FloatArray,
    gradient: FloatArray,
    velocity: FloatArray,
    strength: float,
    clipping: float,
    learning_rate: float,
) -> float:
    number, squares = theta.dtype.type, 0.0
    share, factor = number(strength), number(clipping)
    momentum, is_nesterov, rate = number(constants[0]), constants[1] != 0, number(learning_rate)
    for i in range(theta.size):
        squares = _add_square(squares, np.float64(theta[i]))
        step = -rate * (factor * (gradient[i] + share * theta[i]))
        velocity[i] = momentum * velocity[i] + step
        theta[i] += momentum * velocity[i] + step if is_nesterov else velocity[i]
    return squares


# v <- alpha v + (1 - alpha) g^2 and u <- momentum u + g / (sqrt(v) + epsilon), then theta <- theta - lr u
@inner
def _rmsprop(
    constants: npt.NDArray[np.float64],
    theta: FloatArray,
    gradient: FloatArray,
    v: FloatArray,
    velocity: FloatArray,
    strength: float,
    clipping: float,
    learning_rate: float,
) -> float:
    number, squares = theta.dtype.type, 0.0
    share, factor = number(strength), number(clipping)
    alpha, new = number(constants[0]), number(1.0 - constants[0])
    epsilon, momentum, rate = number(constants[1]), number(constants[2]), number(learning_rate)
    for i in range(theta.size):
        squares = _add_square(squares, np.float64(theta[i]))
        g = factor * (gradient[i] + share * theta[i])
        v[i] = alpha * v[i] + new * g * g
        velocity[i] = momentum * velocity[i] + g / (np.sqrt(v[i]) + epsilon)
        theta[i] -= rate * velocity[i]
    return squares


# m <- beta_1 m + g and v <- beta_2 v + g^2, both without the factors 1 - beta, then the step
# against m / (sqrt(v) + epsilon)
@inner
def _adam(
    constants: npt.NDArray[np.float64],
    theta: FloatArray,
    gradient: FloatArray,
    m: FloatArray,
    v: FloatArray,
    strength: float,
    clipping: float,
    step: float,
    decay: float,
    epsilon: float,
) -> float:
    number, squares = theta.dtype.type, 0.0
    share, factor = number(strength), number(clipping)
    beta_1, beta_2, added = number(constants[0]), number(constants[1]), number(epsilon)
    size, kept = number(step), number(1.0 - decay)
    for i in range(theta.size):
        squares = _add_square(squares, np.float64(theta[i]))
        g = factor * (gradient[i] + share * theta[i])
        m[i] = beta_1 * m[i] + g
        v[i] = beta_2 * v[i] + g * g
        theta[i] = kept * theta[i] - size * (m[i] / (np.sqrt(v[i]) + added))
    return squares


# the same with factors of the step and of the decay for each parameter; in two loops, because LLVM does not
# vectorise one loop over so many vectors that might overlap
@inner
def _adam_by_factors(
    constants: npt.NDArray[np.float64],
    theta: FloatArray,
    gradient: FloatArray,
    m: FloatArray,
    v: FloatArray,
    rate_factor: FloatArray,
    decay_factor: FloatArray,
    strength: float,
    clipping: float,
    step: float,
    decay: float,
    epsilon: float,
) -> float:
    number, squares = theta.dtype.type, 0.0
    share, factor, one = number(strength), number(clipping), number(1.0)
    beta_1, beta_2, added = number(constants[0]), number(constants[1]), number(epsilon)
    size, lost = number(step), number(decay)
    for i in range(theta.size):
        squares = _add_square(squares, np.float64(theta[i]))
        g = factor * (gradient[i] + share * theta[i])
        m[i] = beta_1 * m[i] + g
        v[i] = beta_2 * v[i] + g * g
        gradient[i] = m[i] / (np.sqrt(v[i]) + added)
    for i in range(theta.size):
        theta[i] = (one - lost * decay_factor[i]) * theta[i] - size * rate_factor[i] * gradient[i]
    return squares


@kernel(
    lambda number: (
        types.int64,
        row(types.float64),
        *[row(number)] * 6,
        *[types.int64] * 2,
        *[types.float64] * 3,
        types.int64,
        types.float64,
    )
)
def update(
    code: int,
    constants: npt.NDArray[np.float64],
    theta: FloatArray,
    gradient: FloatArray,
    first: FloatArray,
    second: FloatArray,
    rate_factor: FloatArray,
    decay_factor: FloatArray,
    n_alike: int,
    n_weights: int,
    strength: float,
    clipping: float,
    learning_rate: float,
    n_steps: int,
    regularization: float,
) -> float:
    """One step: g <- clipping (g + strength W), then the rule; returns ||W||^2 before it, 0 without penalty.

    All vectors may be parts of longer ones. `n_weights` and `n_alike` count from their start: below 0 means
    none, above their length means all.

    Parameters
    ----------
    code, constants
        From `RuleKernel`.
    theta, gradient : ndarray of shape (n_parameters,)
        The parameters, which are changed, and the gradient without penalty, which is used up.
    first, second, rate_factor, decay_factor, n_alike
        From `RuleKernel.arrays`.
    n_weights : int
        Parameters at the front that are penalised.
    strength : float
        Strength of the penalty, alpha / n.
    clipping : float
        Factor of the gradient, 1 where it is not clipped.
    learning_rate : float
        The learning rate of this step.
    n_steps : int
        Steps taken, this one included.
    regularization : float
        Share of the weight decay that is left, for rules whose decay fades.

    Returns
    -------
    float
        The sum of the squares of the weights.
    """
    step = epsilon = decay = 0.0
    if code in (ADAM, ADAMW, GROUPED_ADAM):
        # the exponents are floats: integers would become loops of products
        kept_1, kept_2 = constants[0] ** np.float64(n_steps), constants[1] ** np.float64(n_steps)
        corrected = math.sqrt((1.0 - kept_2) / (1.0 - constants[1]))
        step = learning_rate * (1.0 - constants[0]) / (1.0 - kept_1) * corrected
        if code == ADAM:
            epsilon = constants[2] / math.sqrt(1.0 - constants[1])
        else:  # epsilon is added to sqrt(v / (1 - beta_2^t))
            epsilon, decay = constants[2] * corrected, learning_rate * constants[3]
    # between two borders, all parameters are penalised or none, with the same factors or each with its own
    n_penalised, n_of_one = min(max(n_weights, 0), theta.size), min(max(n_alike, 0), theta.size)
    penalty, squares, start = strength, 0.0, 0
    for stop in (min(n_penalised, n_of_one), max(n_penalised, n_of_one), theta.size):
        if start >= n_penalised:
            penalty = 0.0
        x, g, a, b = theta[start:stop], gradient[start:stop], first[start:stop], second[start:stop]
        if code == SGD:
            of_part = _sgd(constants, x, g, a, penalty, clipping, learning_rate)
        elif code == RMSPROP:
            of_part = _rmsprop(constants, x, g, a, b, penalty, clipping, learning_rate)
        elif code != GROUPED_ADAM:
            of_part = _adam(constants, x, g, a, b, penalty, clipping, step, decay, epsilon)
        elif start < n_of_one:
            size, lost = step * rate_factor[start], decay * regularization * decay_factor[start]
            of_part = _adam(constants, x, g, a, b, penalty, clipping, size, lost, epsilon)
        else:
            factors, lost = (rate_factor[start:stop], decay_factor[start:stop]), decay * regularization
            of_part = _adam_by_factors(
                constants, x, g, a, b, *factors, penalty, clipping, step, lost, epsilon
            )
        if penalty != 0.0:
            squares += of_part
        start = stop
    return squares


@reduction
def _scaled_squares(theta: FloatArray, gradient: FloatArray, strength: float, scale: float) -> float:
    total = 0.0
    for i in range(gradient.size):
        g = (np.float64(gradient[i]) + strength * np.float64(theta[i])) * scale
        total += g * g
    return total


@kernel(lambda number: (row(number), row(number), types.int64, types.float64))
def gradient_norm(theta: FloatArray, gradient: FloatArray, n_weights: int, strength: float) -> float:
    """The Euclidean norm of the gradient with its penalty; neither is changed.

    Parameters
    ----------
    theta, gradient : ndarray of shape (n_parameters,)
        The parameters, and the gradient without penalty.
    n_weights : int
        Parameters at the front that are penalised, from 0 to all.
    strength : float
        Strength of the penalty.

    Returns
    -------
    float
        The norm, even if its square overflows.
    """
    weights, of_weights, of_rest = theta[:n_weights], gradient[:n_weights], gradient[n_weights:]
    for scale in (1.0, 2.0**-600, 2.0**600):
        squares = _scaled_squares(weights, of_weights, strength, scale)
        squares += _scaled_squares(of_rest, of_rest, 0.0, scale)
        if 1e-280 < squares < math.inf:  # else too large, or too small for an exact sum
            return math.sqrt(squares) / scale
    return math.sqrt(squares) / scale
