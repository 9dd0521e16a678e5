"""Initial values of weights and biases.

Weights of variance 1 / fan_in preserve the size of values on their way forward through a layer; weights of
variance 1 / fan_out preserve that of gradients on their way back. Each rule below is a compromise.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sknn_scratch.core.configuration import FINITE, NOT_NEGATIVE, POSITIVE, Configured, number
from sknn_scratch.core.parameters import FloatArray


@dataclass
class Initializer(Configured):
    """Draws the initial weights of a dense layer."""

    @abstractmethod
    def __call__(self, fan_in: int, fan_out: int, rng: np.random.RandomState) -> FloatArray:
        """Draw the weights, of shape (fan_in, fan_out)."""

    def bias(self, fan_in: int, fan_out: int, rng: np.random.RandomState) -> FloatArray:
        """Draw the biases, of shape (fan_out,): zeros, unless a rule says otherwise."""
        return np.zeros(fan_out)


@dataclass
class ScikitLearn(Initializer):
    """Weights and biases uniform in [-b, b] with b = sqrt(factor / (fan_in + fan_out)), as in scikit-learn.

    Parameters
    ----------
    factor : float > 0, default=6.0
        6 is Glorot's factor; scikit-learn uses 2 for the logistic function.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import ScikitLearn
    >>> bool(abs(ScikitLearn().bias(3, 3, np.random.RandomState(0))).max() <= 1.0)
    True
    """

    factor: float = number(6.0, POSITIVE)

    def __call__(self, fan_in: int, fan_out: int, rng: np.random.RandomState) -> FloatArray:
        return _uniform(self.factor, fan_in, fan_out, (fan_in, fan_out), rng)

    def bias(self, fan_in: int, fan_out: int, rng: np.random.RandomState) -> FloatArray:
        return _uniform(self.factor, fan_in, fan_out, (fan_out,), rng)


@dataclass
class GlorotUniform(Initializer):
    """Weights uniform in [-b, b] with b = sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio, 2010).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import GlorotUniform
    >>> bool(abs(GlorotUniform()(3, 3, np.random.RandomState(0))).max() <= 1.0)
    True
    """

    def __call__(self, fan_in: int, fan_out: int, rng: np.random.RandomState) -> FloatArray:
        return _uniform(6.0, fan_in, fan_out, (fan_in, fan_out), rng)


@dataclass
class HeNormal(Initializer):
    """Normal weights of variance 2 / fan_in, for relu (He, Zhang, Ren & Sun, 2015).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import HeNormal
    >>> HeNormal()(50, 2000, np.random.RandomState(0)).std().round(2)
    np.float64(0.2)
    """

    def __call__(self, fan_in: int, fan_out: int, rng: np.random.RandomState) -> FloatArray:
        return rng.normal(0.0, math.sqrt(2.0 / fan_in), (fan_in, fan_out))


@dataclass
class LecunNormal(Initializer):
    """Normal weights of variance 1 / fan_in (LeCun, Bottou, Orr & Müller, 1998).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import LecunNormal
    >>> LecunNormal()(100, 2000, np.random.RandomState(0)).std().round(2)
    np.float64(0.1)
    """

    def __call__(self, fan_in: int, fan_out: int, rng: np.random.RandomState) -> FloatArray:
        return rng.normal(0.0, math.sqrt(1.0 / fan_in), (fan_in, fan_out))


@dataclass
class Orthogonal(Initializer):
    """Weights with orthonormal columns, or rows if these are fewer (Saxe, McClelland & Ganguli, 2014).

    Parameters
    ----------
    gain : float > 0, default=1.0
        Length of the columns or rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Orthogonal
    >>> weights = Orthogonal()(3, 2, np.random.RandomState(0))
    >>> np.allclose(weights.T @ weights, np.eye(2))
    True
    """

    gain: float = number(1.0, POSITIVE)

    def __call__(self, fan_in: int, fan_out: int, rng: np.random.RandomState) -> FloatArray:
        tall = rng.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out)))
        q, r = np.linalg.qr(tall)
        q *= self.gain * np.sign(np.diag(r))  # makes the distribution uniform over orthogonal matrices
        return q if fan_in >= fan_out else q.T


@dataclass
class Normal(Initializer):
    """Normal weights of mean 0.

    Parameters
    ----------
    scale : float >= 0, default=1.0
        Standard deviation.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Normal
    >>> Normal(0.01)(100, 100, np.random.RandomState(0)).std().round(4)
    np.float64(0.0099)
    """

    scale: float = number(1.0, NOT_NEGATIVE)

    def __call__(self, fan_in: int, fan_out: int, rng: np.random.RandomState) -> FloatArray:
        return rng.normal(0.0, self.scale, (fan_in, fan_out))


@dataclass
class Uniform(Initializer):
    """Weights uniform in [low, high).

    Parameters
    ----------
    low, high : float, default=-1.0, 1.0
        The ends of the interval.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Uniform
    >>> bool(Uniform(0, 1)(100, 100, np.random.RandomState(0)).min() >= 0)
    True
    """

    low: float = number(-1.0, FINITE)
    high: float = number(1.0, FINITE)

    def __call__(self, fan_in: int, fan_out: int, rng: np.random.RandomState) -> FloatArray:
        return rng.uniform(self.low, self.high, (fan_in, fan_out))


@dataclass
class Zeros(Initializer):
    """All weights zero, for networks without hidden layers: hidden units that start equal stay equal.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import Zeros
    >>> Zeros()(1, 2, np.random.RandomState(0))
    array([[0., 0.]])
    """

    def __call__(self, fan_in: int, fan_out: int, rng: np.random.RandomState) -> FloatArray:
        return np.zeros((fan_in, fan_out))


@dataclass
class FromFunction(Initializer):
    """Weights drawn by your own function.

    Parameters
    ----------
    function : callable
        ``function(fan_in, fan_out, rng)`` returns an array of shape (fan_in, fan_out).

    Raises
    ------
    ValueError
        If the result has another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn_scratch.core import FromFunction
    >>> ones = FromFunction(lambda fan_in, fan_out, rng: np.ones((fan_in, fan_out)))
    >>> ones(1, 2, np.random.RandomState(0))
    array([[1., 1.]])
    """

    function: Callable[[int, int, np.random.RandomState], FloatArray]

    def __call__(self, fan_in: int, fan_out: int, rng: np.random.RandomState) -> FloatArray:
        weights = np.asarray(self.function(fan_in, fan_out, rng))
        if weights.shape != (fan_in, fan_out):
            raise ValueError(
                f"weight_init={self.function!r} must return an array of shape (fan_in, fan_out) = "
                f"{(fan_in, fan_out)}, got {weights.shape}."
            )
        return weights


def _uniform(
    factor: float, fan_in: int, fan_out: int, shape: tuple[int, ...], rng: np.random.RandomState
) -> FloatArray:
    bound = math.sqrt(factor / (fan_in + fan_out))
    return rng.uniform(-bound, bound, shape)


INITIALIZERS: dict[str, type[Initializer]] = {
    "glorot_uniform": GlorotUniform,
    "he_normal": HeNormal,
    "lecun_normal": LecunNormal,
    "orthogonal": Orthogonal,
    "normal": Normal,
    "uniform": Uniform,
    "zeros": Zeros,
}
