"""The naive oracle: a multi-layer perceptron as textbooks and papers write it.

One line a formula, float64, lists of arrays, no speed tricks. It shares no code with the package.
"""

import itertools

import numpy as np

# Activations: f(z) and f'(z).

ACTIVATIONS = {
    "identity": (lambda z: z, lambda z: np.ones_like(z)),
    "logistic": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (lambda z: np.tanh(z), lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.where(z > 0, z, 0.0), lambda z: np.where(z > 0, 1.0, 0.0)),
}

# Inverse links: from raw scores to predictions p.

INVERSE_LINKS = {
    "squared_error": lambda raw: raw,
    "poisson": lambda raw: np.exp(raw),
    "binary_log_loss": lambda raw: 1 / (1 + np.exp(-raw)),
    "log_loss": lambda raw: np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True),
}
INVERSE_LINKS["binary_squared_error"] = INVERSE_LINKS["binary_log_loss"]
INVERSE_LINKS["class_squared_error"] = INVERSE_LINKS["log_loss"]

# Losses of predictions p and targets y, one number for each row and output.


def squared_error(p, y):
    return (p - y) ** 2 / 2


def poisson(p, y):
    return np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / p), 0) - y + p


def binary_log_loss(p, y):
    return -y * np.log(p) - (1 - y) * np.log(1 - p)


def log_loss(p, y):
    return -one_hot(p, y) * np.log(p)


def class_squared_error(p, y):
    return (p - one_hot(p, y)) ** 2 / 2


LOSSES = {
    "squared_error": squared_error,
    "binary_squared_error": squared_error,
    "class_squared_error": class_squared_error,
    "poisson": poisson,
    "binary_log_loss": binary_log_loss,
    "log_loss": log_loss,
}


def one_hot(p, y):
    return (y == np.arange(p.shape[1])).astype(float)


def loss_gradient(loss, raw, y):
    """dl / d raw, for each row and output: p - y where a loss meets its own link."""
    p = INVERSE_LINKS[loss](raw)
    if loss == "binary_squared_error":
        return (p - y) * p * (1 - p)
    if (
        loss == "class_squared_error"
    ):  # sum_j (p_j - y_j) dp_j / d raw_k, dp_j / d raw_k = p_j ([j = k] - p_k)
        error = p - one_hot(p, y)
        return p * (error - (error * p).sum(axis=1, keepdims=True))
    return p - (one_hot(p, y) if loss == "log_loss" else y)


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
    pointwise = LOSSES[loss](INVERSE_LINKS[loss](raw), y).sum(axis=1)
    return (w * pointwise).sum() / w.sum(), l2 / 2 * sum((W**2).sum() for W in weights) / w.sum()


def gradients(X, y, weights, biases, activation, loss, sample_weight=None, l2=0.0):
    """The gradients of loss + penalty with respect to weights and biases, by backpropagation."""
    w = np.ones(len(X)) if sample_weight is None else sample_weight
    _, f_prime = ACTIVATIONS[activation]
    zs, activations = forward(X, weights, biases, activation)
    delta = w[:, None] / w.sum() * loss_gradient(loss, zs[-1], y)
    of_weights, of_biases = [], []
    for layer in reversed(range(len(weights))):
        of_weights.insert(0, activations[layer].T @ delta + l2 * weights[layer] / w.sum())
        of_biases.insert(0, delta.sum(axis=0))
        if layer > 0:
            delta = (delta @ weights[layer].T) * f_prime(zs[layer - 1])
    return of_weights, of_biases


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


# Optimizers: lists of arrays in, lists of arrays out.


def sgd_step(thetas, gradients, velocities, learning_rate, momentum, nesterov):
    """Momentum (Polyak, 1964) and Nesterov's (Sutskever et al., 2013, as Bengio et al. rewrite it)."""
    velocities = [momentum * v - learning_rate * g for v, g in zip(velocities, gradients, strict=True)]
    steps = velocities
    if nesterov:
        steps = [momentum * v - learning_rate * g for v, g in zip(velocities, gradients, strict=True)]
    return [theta + step for theta, step in zip(thetas, steps, strict=True)], velocities


def adam_step(thetas, gradients, ms, vs, t, learning_rate, beta_1, beta_2, epsilon):
    """Adam (Kingma & Ba, 2015), in the order of computation at the end of their section 2."""
    ms = [beta_1 * m + (1 - beta_1) * g for m, g in zip(ms, gradients, strict=True)]
    vs = [beta_2 * v + (1 - beta_2) * g**2 for v, g in zip(vs, gradients, strict=True)]
    rate = learning_rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    thetas = [theta - rate * m / (np.sqrt(v) + epsilon) for theta, m, v in zip(thetas, ms, vs, strict=True)]
    return thetas, ms, vs


# What tests of the core share.


def draw_targets(rng, link_inverse, n_rows, n_outputs):
    """Targets that suit a loss with this inverse link."""
    draw = {
        "softmax": lambda: rng.randint(n_outputs, size=(n_rows, 1)),
        "logistic": lambda: rng.randint(2, size=(n_rows, n_outputs)),
        "exp": lambda: rng.poisson(2.0, size=(n_rows, n_outputs)),
    }.get(link_inverse, lambda: rng.normal(size=(n_rows, n_outputs)))
    return draw().astype(float)


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
