"""The naive oracle: networks as textbooks and papers write them.

One line a formula, float64, lists of arrays, no speed tricks. It shares no code with the package.
"""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import erfc, expit, log_softmax, xlogy
from scipy.special import softmax as stable_softmax

# Activations: f(z) and f'(z).

ACTIVATIONS = {
    "identity": (lambda z: z, lambda z: np.ones_like(z)),
    "logistic": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (lambda z: np.tanh(z), lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.where(z > 0, z, 0.0), lambda z: np.where(z > 0, 1.0, 0.0)),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1.0, 0.01)),
    "elu": (
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))),
    ),
    "selu": (
        lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0))),
        lambda z: SELU_SCALE * np.where(z > 0, 1.0, SELU_ALPHA * np.exp(np.minimum(z, 0))),
    ),
    # the normal distribution function is erfc(-z / sqrt(2)) / 2, where 1 + erf would cancel
    "gelu": (
        lambda z: z * erfc(-z * np.sqrt(0.5)) / 2,
        lambda z: erfc(-z * np.sqrt(0.5)) / 2 + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi),
    ),
    "silu": (
        lambda z: z / (1 + np.exp(-z)),
        lambda z: (1 + np.exp(-z) + z * np.exp(-z)) / (1 + np.exp(-z)) ** 2,
    ),
    "mish": (
        lambda z: z * np.tanh(np.log1p(np.exp(z))),
        lambda z: np.tanh(np.log1p(np.exp(z))) + z / np.cosh(np.log1p(np.exp(z))) ** 2 / (1 + np.exp(-z)),
    ),
    "softplus": (lambda z: np.log1p(np.exp(z)), lambda z: 1 / (1 + np.exp(-z))),
}

# Klambauer et al. (2017), equation 14
SELU_ALPHA = -np.sqrt(2 / np.pi) / (erfc(1 / np.sqrt(2)) * np.exp(1 / 2) - 1)
SELU_SCALE = (1 - erfc(1 / np.sqrt(2)) * np.sqrt(np.e)) * np.sqrt(2 * np.pi)
SELU_SCALE /= np.sqrt(
    2 * erfc(np.sqrt(2)) * np.e**2
    + np.pi * erfc(1 / np.sqrt(2)) ** 2 * np.e
    - 2 * (2 + np.pi) * erfc(1 / np.sqrt(2)) * np.sqrt(np.e)
    + np.pi
    + 2
)

# Losses. Raw scores give predictions p by the inverse link; values and gradients are pointwise.


class Loss(NamedTuple):
    """A loss by its formulas.

    Attributes
    ----------
    inverse_link : callable
        From raw scores to predictions p.
    value : callable
        The loss of p and targets y, one number for each row and output. Settings go by name.
    gradient : callable
        dl / d raw of p and y, one number for each row and raw score.
    of_any_scores : callable or None
        Value and gradient of raw scores and y, by formulas that hold for scores of any size. None where those
        above do.
    scores : tuple of float
        The least and the largest score for which the loss is no larger than what float32 holds.
    kink : callable
        The |p - y| at which the loss or its derivative has a kink, or None.
    kinds : callable
        Raw scores per target.
    targets : str
        "any", "not negative" or "positive".
    """

    inverse_link: Callable
    value: Callable
    gradient: Callable
    of_any_scores: Callable | None = None
    scores: tuple[float, float] = (-1e4, 1e4)
    kink: Callable = lambda **settings: None
    kinds: Callable = lambda **settings: 1
    targets: str = "any"


def identity(raw):
    return raw


def logistic(raw):
    return 1 / (1 + np.exp(-raw))


def softmax(raw):
    return np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)


def halves(columns):
    """The two kinds of columns: mu or its raw scores, and sigma or its raw scores."""
    return np.split(columns, 2, axis=1)


def mean_and_sigma(raw):
    return np.hstack([halves(raw)[0], np.exp(halves(raw)[1])])


def squared_error(p, y):
    return (p - y) ** 2 / 2


def binary_squared_error_of_any_scores(raw, y):
    p, q = expit(raw), expit(-raw)
    return (p - y) ** 2 / 2, (p - y) * p * q


def one_hot(p, y):
    return (y == np.arange(p.shape[1])).astype(float)


def class_squared_error(p, y):
    return (p - one_hot(p, y)) ** 2 / 2


def class_squared_error_gradient(p, y):
    # sum_j (p_j - y_j) dp_j / d raw_k, dp_j / d raw_k = p_j ([j = k] - p_k)
    error = p - one_hot(p, y)
    return p * (error - (error * p).sum(axis=1, keepdims=True))


def class_squared_error_of_any_scores(raw, y):
    p = stable_softmax(raw, axis=1)
    return class_squared_error(p, y), class_squared_error_gradient(p, y)


def poisson(p, y):
    return np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / p), 0) - y + p


def poisson_of_any_scores(raw, y):
    return xlogy(y, y) - y - y * raw + np.exp(raw), np.exp(raw) - y


def absolute_error(p, y):
    return abs(p - y)


def huber(p, y, delta=1.0):
    e = abs(p - y)
    return np.where(e <= delta, e**2 / 2, delta * (e - delta / 2))


def at_each_level(level, y):
    """The level and the target of each column of predictions: all targets at the first level, and so on."""
    return np.repeat(level, y.shape[1]), np.tile(y, np.size(level))


def quantile(p, y, level=0.5):
    q, y = at_each_level(level, y)
    return np.maximum(q * (y - p), (q - 1) * (y - p))


def quantile_gradient(p, y, level=0.5):
    q, y = at_each_level(level, y)
    return np.heaviside(p - y, 1 / 2) - q


def gamma(p, y):
    return y / p - np.log(y / p) - 1


def gamma_of_any_scores(raw, y):
    return y * np.exp(-raw) - np.log(y) + raw - 1, 1 - y * np.exp(-raw)


def gaussian_nll(p, y):
    mu, sigma = halves(p)
    return np.log(sigma) + (y - mu) ** 2 / (2 * sigma**2) + np.log(2 * np.pi) / 2


def gaussian_nll_gradient(p, y):
    mu, sigma = halves(p)
    return np.hstack([(mu - y) / sigma**2, 1 - ((mu - y) / sigma) ** 2])


def gaussian_nll_of_any_scores(raw, y):
    mu, log_sigma = halves(raw)
    clipped = np.clip(log_sigma, np.log(1e-6), np.log(1e3))
    u = (mu - y) * np.exp(-clipped)
    gradient = np.hstack([u * np.exp(-clipped), (1 - u**2) * (clipped == log_sigma)])
    return clipped + u**2 / 2 + np.log(2 * np.pi) / 2, gradient


def smooth(y, smoothing):
    return y * (1 - smoothing) + smoothing / 2


def binary_log_loss(p, y, label_smoothing=0.0):
    y = smooth(y, label_smoothing)
    return -y * np.log(p) - (1 - y) * np.log(1 - p)


def binary_log_loss_of_any_scores(raw, y, label_smoothing=0.0):
    y = smooth(y, label_smoothing)
    return y * np.logaddexp(0, -raw) + (1 - y) * np.logaddexp(0, raw), expit(raw) - y


def smooth_one_hot(p, y, smoothing):
    return one_hot(p, y) * (1 - smoothing) + smoothing / p.shape[1]


def log_loss(p, y, label_smoothing=0.0):
    return -smooth_one_hot(p, y, label_smoothing) * np.log(p)


def log_loss_of_any_scores(raw, y, label_smoothing=0.0):
    log_p, targets = log_softmax(raw, axis=1), smooth_one_hot(raw, y, label_smoothing)
    return -targets * log_p, np.exp(log_p) - targets


# where a loss meets its own link, the gradient is p - y
LOSSES = {
    "squared_error": Loss(identity, squared_error, lambda p, y: p - y),
    "absolute_error": Loss(
        identity, absolute_error, lambda p, y: np.sign(p - y), kink=lambda **settings: 0.0
    ),
    "huber": Loss(
        identity,
        huber,
        lambda p, y, delta=1.0: np.clip(p - y, -delta, delta),
        kink=lambda delta=1.0: delta,
    ),
    "quantile": Loss(
        identity,
        quantile,
        quantile_gradient,
        kink=lambda **settings: 0.0,
        kinds=lambda level=0.5: np.size(level),
    ),
    "poisson": Loss(
        np.exp,
        poisson,
        lambda p, y: p - y,
        poisson_of_any_scores,
        scores=(-1e4, 50.0),
        targets="not negative",
    ),
    "gamma": Loss(
        np.exp,
        gamma,
        lambda p, y: 1 - y / p,
        gamma_of_any_scores,
        scores=(-50.0, 1e4),
        targets="positive",
    ),
    "gaussian_nll": Loss(
        mean_and_sigma, gaussian_nll, gaussian_nll_gradient, gaussian_nll_of_any_scores, kinds=lambda: 2
    ),
    "binary_log_loss": Loss(
        logistic,
        binary_log_loss,
        lambda p, y, label_smoothing=0.0: p - smooth(y, label_smoothing),
        binary_log_loss_of_any_scores,
    ),
    "log_loss": Loss(
        softmax,
        log_loss,
        lambda p, y, label_smoothing=0.0: p - smooth_one_hot(p, y, label_smoothing),
        log_loss_of_any_scores,
    ),
    "binary_squared_error": Loss(
        logistic,
        squared_error,
        lambda p, y: (p - y) * p * (1 - p),
        binary_squared_error_of_any_scores,
    ),
    "class_squared_error": Loss(
        softmax,
        class_squared_error,
        class_squared_error_gradient,
        class_squared_error_of_any_scores,
    ),
}


def loss_gradient(loss, raw, y, **settings):
    """dl / d raw, for each row and raw score."""
    return LOSSES[loss].gradient(LOSSES[loss].inverse_link(raw), y, **settings)


def loss_of_any_scores(loss, raw, y, **settings):
    """The loss and its gradient, by formulas that hold for scores of any size."""
    naive = LOSSES[loss]
    if naive.of_any_scores is not None:
        value, gradient = naive.of_any_scores(raw, y, **settings)
    else:
        p = naive.inverse_link(raw)
        value, gradient = naive.value(p, y, **settings), naive.gradient(p, y, **settings)
    return value.sum(), gradient


# The network.


def forward(X, weights, biases, activation):
    """The pre-activations z and the activations a of each layer; z of the last one are the raw scores."""
    f, _ = ACTIVATIONS[activation]
    zs, activations = [], [X]
    for W, b in zip(weights, biases, strict=True):
        zs.append(activations[-1] @ W + b)
        activations.append(f(zs[-1]))
    return zs, activations[:-1]


def objective(X, y, weights, biases, activation, loss, sample_weight=None, l2=0.0):
    """The mean loss and the penalty."""
    w = np.ones(len(X)) if sample_weight is None else sample_weight
    raw = forward(X, weights, biases, activation)[0][-1]
    pointwise = LOSSES[loss].value(LOSSES[loss].inverse_link(raw), y).sum(axis=1)
    return (w * pointwise).sum() / w.sum(), l2 / 2 * sum((W**2).sum() for W in weights) / w.sum()


def deltas(X, y, weights, biases, activation, loss, sample_weight=None):
    """dL/dz of each layer, by backpropagation."""
    w = np.ones(len(X)) if sample_weight is None else sample_weight
    _, f_prime = ACTIVATIONS[activation]
    zs, _ = forward(X, weights, biases, activation)
    found = [w[:, None] / w.sum() * loss_gradient(loss, zs[-1], y)]
    for layer in reversed(range(1, len(weights))):
        found.insert(0, (found[0] @ weights[layer].T) * f_prime(zs[layer - 1]))
    return found


def gradients(X, y, weights, biases, activation, loss, sample_weight=None, l2=0.0):
    """The gradients of loss + penalty with respect to weights and biases."""
    w = np.ones(len(X)) if sample_weight is None else sample_weight
    _, inputs = forward(X, weights, biases, activation)
    found = deltas(X, y, weights, biases, activation, loss, sample_weight)
    of_weights = [a.T @ d + l2 * W / w.sum() for a, d, W in zip(inputs, found, weights, strict=True)]
    return of_weights, [d.sum(axis=0) for d in found]


def flatten(weights, biases):
    """One vector: all weights, then all biases."""
    return np.concatenate([array.ravel() for array in [*weights, *biases]])


def unflatten(flat, sizes):
    """The weights and the biases in one vector, for a network with layers of these sizes."""
    shapes = [*itertools.pairwise(sizes), *((n,) for n in sizes[1:])]
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    parts = np.split(np.asarray(flat, dtype=float), ends[:-1])
    arrays = [part.reshape(shape).copy() for part, shape in zip(parts, shapes, strict=True)]
    return arrays[: len(sizes) - 1], arrays[len(sizes) - 1 :]


# Optimizers: lists of arrays in, lists of arrays out. Each gets the parameters, the gradients, its averages,
# the number of the step from 1 on, the learning rate, and its settings by name.


def sgd_step(thetas, gradients, velocities, t, learning_rate, momentum=0.9, nesterovs_momentum=True):
    """Momentum (Polyak, 1964) and Nesterov's (Sutskever et al., 2013, as Bengio et al. rewrite it)."""
    velocities = [momentum * v - learning_rate * g for v, g in zip(velocities, gradients, strict=True)]
    steps = velocities
    if nesterovs_momentum:
        steps = [momentum * v - learning_rate * g for v, g in zip(velocities, gradients, strict=True)]
    return [theta + step for theta, step in zip(thetas, steps, strict=True)], velocities


def adam_step(thetas, gradients, ms, vs, t, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """Adam (Kingma & Ba, 2015), in the order of computation at the end of their section 2."""
    ms = [beta_1 * m + (1 - beta_1) * g for m, g in zip(ms, gradients, strict=True)]
    vs = [beta_2 * v + (1 - beta_2) * g**2 for v, g in zip(vs, gradients, strict=True)]
    rate = learning_rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    thetas = [theta - rate * m / (np.sqrt(v) + epsilon) for theta, m, v in zip(thetas, ms, vs, strict=True)]
    return thetas, ms, vs


def adamw_step(
    thetas, gradients, ms, vs, t, learning_rate, weight_decay=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-8
):
    """AdamW (Loshchilov & Hutter, 2019, algorithm 2), where the learning rate scales the decay too."""
    ms = [beta_1 * m + (1 - beta_1) * g for m, g in zip(ms, gradients, strict=True)]
    vs = [beta_2 * v + (1 - beta_2) * g**2 for v, g in zip(vs, gradients, strict=True)]
    steps = [
        (m / (1 - beta_1**t)) / (np.sqrt(v / (1 - beta_2**t)) + epsilon) + weight_decay * theta
        for theta, m, v in zip(thetas, ms, vs, strict=True)
    ]
    return [theta - learning_rate * step for theta, step in zip(thetas, steps, strict=True)], ms, vs


def rmsprop_step(thetas, gradients, vs, velocities, t, learning_rate, alpha=0.99, epsilon=1e-8, momentum=0.0):
    """RMSprop (Tieleman & Hinton, 2012, lecture 6e), with momentum of the steps."""
    vs = [alpha * v + (1 - alpha) * g**2 for v, g in zip(vs, gradients, strict=True)]
    velocities = [
        momentum * u + g / (np.sqrt(v) + epsilon) for u, g, v in zip(velocities, gradients, vs, strict=True)
    ]
    return [theta - learning_rate * u for theta, u in zip(thetas, velocities, strict=True)], vs, velocities


OPTIMIZERS = {
    "sgd": sgd_step,
    "adam": adam_step,
    "adamw": adamw_step,
    "rmsprop": rmsprop_step,
}


# Initializers: the standard deviation of weights for fan_in and fan_out. The variance of a uniform
# distribution on [-b, b] is b^2 / 3.

INITIALIZERS = {
    "scikit-learn": lambda fan_in, fan_out: np.sqrt(2 / (fan_in + fan_out) / 3),
    "glorot_uniform": lambda fan_in, fan_out: np.sqrt(6 / (fan_in + fan_out) / 3),
    "he_normal": lambda fan_in, fan_out: np.sqrt(2 / fan_in),
    "lecun_normal": lambda fan_in, fan_out: np.sqrt(1 / fan_in),
    "orthogonal": lambda fan_in, fan_out: np.sqrt(1 / max(fan_in, fan_out)),
    "normal": lambda fan_in, fan_out: 1.0,
    "uniform": lambda fan_in, fan_out: np.sqrt(1 / 3),
    "zeros": lambda fan_in, fan_out: 0.0,
}


# Schedules: the factor of the learning rate at the beginning of a step, at the defaults of the schedule.

SCHEDULES = {
    "constant": lambda progress: 1.0,
    "invscaling": lambda progress: 1 / np.sqrt(progress.samples_seen + 1),
    "adaptive": lambda progress: 1 / 5**progress.plateaus,
    "cosine": lambda progress: (1 + np.cos(np.pi * progress.step / progress.n_steps)) / 2,
    "one_cycle": lambda progress: one_cycle(progress.step, progress.n_steps),
    "exponential": lambda progress: 0.95**progress.epoch,
    "plateau": lambda progress: 0.1**progress.plateaus,
}


def one_cycle(step, n_steps):
    """Half a cosine from 1/25 to 1 over 0.3 of the steps, and one from there to 1/25e4."""
    peak = 0.3 * n_steps - 1
    t, low = (1 - step / peak, 1 / 25) if step < peak else ((step - peak) / (n_steps - 1 - peak), 1 / 25e4)
    return low + (1 - low) * (1 + np.cos(np.pi * t)) / 2


# What tests of the core share.


def draw_targets(rng, loss, n_rows, n_outputs):
    """Targets that suit a loss, for a network with so many outputs."""
    shape = (n_rows, n_outputs // loss.raw_per_target)
    draw = {
        "softmax": lambda: rng.randint(n_outputs, size=(n_rows, 1)),
        "logistic": lambda: rng.randint(2, size=shape),
        "exp": lambda: rng.poisson(2.0, size=shape) + (0.0 not in loss.targets),
    }.get(loss.link_inverse, lambda: rng.normal(size=shape))
    return draw().astype(float)


def networks(activations, losses):
    """Activation, loss, hidden layers, fit_intercept, whether rows are weighted, penalty.

    Activations and losses meet in delta only: each meets each once, and everything else at one of the others.
    """
    pairs = sorted({*((name, "squared_error") for name in activations), *(("tanh", name) for name in losses)})
    options = list(itertools.product(range(4), [False, True], [False, True], [0.0, 0.7]))
    rest = itertools.product(sorted(activations), sorted(losses), [2], [True], [True], [0.7])
    return sorted({*((*pair, *option) for pair in pairs for option in options), *rest})


def evaluate(loss, raw, y, weight=None):
    """Value and gradient of a loss, with `raw` left as it is."""
    gradient, per_row = np.full_like(raw, np.nan), np.full(len(raw), np.nan, raw.dtype)
    return loss.value_and_gradient(raw.copy(), y, weight, gradient, per_row), gradient


def distance_to_kink(loss, raw, y, **settings):
    """The least distance of a raw score from where the loss, or its derivative, has a kink."""
    kink = LOSSES[loss].kink(**settings)
    if kink is None:
        return np.inf
    return abs(abs(raw - np.tile(y, LOSSES[loss].kinds(**settings))) - kink).min()


def crosses_kink(activation, z, reach=0.02):
    """Whether the derivative of an activation jumps within `reach` of some z."""
    _, f_prime = ACTIVATIONS[activation]
    return abs(f_prime(z + reach) - f_prime(z - reach)).max() > 0.1


def derivative(function, x, h=1e-3):
    """The derivative of a function of one number, by central differences with an error of order h^4."""
    return (8 * (function(x + h) - function(x - h)) - function(x + 2 * h) + function(x - 2 * h)) / (12 * h)


class Float32Only(np.ndarray):
    """An array that fails the test when it meets a float64, scalars of NumPy included, in a ufunc."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **kwargs):
        for operand in [*inputs, *out]:
            if isinstance(operand, np.ndarray | np.generic):
                assert operand.dtype in (np.float32, np.bool_), f"{ufunc.__name__} met {operand.dtype}"
        if out:
            kwargs["out"] = tuple(array.view(np.ndarray) for array in out)
        inputs = [x.view(np.ndarray) if isinstance(x, np.ndarray) else x for x in inputs]
        result = getattr(ufunc, method)(*inputs, **kwargs)
        if out:
            return out[0]
        return result.view(Float32Only) if isinstance(result, np.ndarray) else result


def float32_only(array):
    return np.array(array, dtype=np.float32).view(Float32Only)
