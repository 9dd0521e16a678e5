"""The naive oracle: networks as textbooks and papers write them.

One line a formula, float64, lists of arrays, no speed tricks. It shares no code with the package.
"""

import itertools

import numpy as np
from scipy.special import erfc

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

# Inverse links: from raw scores to predictions p.

INVERSE_LINKS = {
    "squared_error": lambda raw: raw,
    "poisson": lambda raw: np.exp(raw),
    "binary_log_loss": lambda raw: 1 / (1 + np.exp(-raw)),
    "log_loss": lambda raw: np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True),
    "gaussian_nll": lambda raw: np.hstack([halves(raw)[0], np.exp(halves(raw)[1])]),
}
INVERSE_LINKS["binary_squared_error"] = INVERSE_LINKS["binary_log_loss"]
INVERSE_LINKS["class_squared_error"] = INVERSE_LINKS["log_loss"]
INVERSE_LINKS["absolute_error"] = INVERSE_LINKS["huber"] = INVERSE_LINKS["squared_error"]
INVERSE_LINKS["quantile"] = INVERSE_LINKS["squared_error"]
INVERSE_LINKS["gamma"] = INVERSE_LINKS["poisson"]

# Losses of predictions p and targets y, one number for each row and output.


def squared_error(p, y):
    return (p - y) ** 2 / 2


def poisson(p, y):
    return np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / p), 0) - y + p


def absolute_error(p, y):
    return abs(p - y)


def huber(p, y, delta=1.0):
    e = abs(p - y)
    return np.where(e <= delta, e**2 / 2, delta * (e - delta / 2))


def quantile(p, y, level=0.5):
    q, y = at_each_level(level, y)
    return np.maximum(q * (y - p), (q - 1) * (y - p))


def gamma(p, y):
    return y / p - np.log(y / p) - 1


def gaussian_nll(p, y):
    mu, sigma = halves(p)
    return np.log(sigma) + (y - mu) ** 2 / (2 * sigma**2) + np.log(2 * np.pi) / 2


def binary_log_loss(p, y, label_smoothing=0.0):
    y = y * (1 - label_smoothing) + label_smoothing / 2
    return -y * np.log(p) - (1 - y) * np.log(1 - p)


def log_loss(p, y, label_smoothing=0.0):
    return -smooth_one_hot(p, y, label_smoothing) * np.log(p)


def class_squared_error(p, y):
    return (p - one_hot(p, y)) ** 2 / 2


LOSSES = {
    "squared_error": squared_error,
    "binary_squared_error": squared_error,
    "class_squared_error": class_squared_error,
    "poisson": poisson,
    "absolute_error": absolute_error,
    "huber": huber,
    "quantile": quantile,
    "gamma": gamma,
    "gaussian_nll": gaussian_nll,
    "binary_log_loss": binary_log_loss,
    "log_loss": log_loss,
}


def one_hot(p, y):
    return (y == np.arange(p.shape[1])).astype(float)


def smooth_one_hot(p, y, smoothing):
    return one_hot(p, y) * (1 - smoothing) + smoothing / p.shape[1]


def halves(columns):
    """The two kinds of columns: mu or its raw scores, and sigma or its raw scores."""
    return np.split(columns, 2, axis=1)


def at_each_level(level, y):
    """The level and the target of each column of predictions: all targets at the first level, and so on."""
    return np.repeat(level, y.shape[1]), np.tile(y, np.size(level))


def loss_gradient(loss, raw, y, **settings):
    """dl / d raw, for each row and raw score."""
    return LOSS_GRADIENTS[loss](INVERSE_LINKS[loss](raw), y, **settings)


def class_squared_error_gradient(p, y):
    # sum_j (p_j - y_j) dp_j / d raw_k, dp_j / d raw_k = p_j ([j = k] - p_k)
    error = p - one_hot(p, y)
    return p * (error - (error * p).sum(axis=1, keepdims=True))


def quantile_gradient(p, y, level=0.5):
    q, y = at_each_level(level, y)
    return np.heaviside(p - y, 1 / 2) - q


def gaussian_nll_gradient(p, y):
    mu, sigma = halves(p)
    return np.hstack([(mu - y) / sigma**2, 1 - ((mu - y) / sigma) ** 2])


# where a loss meets its own link, p - y
LOSS_GRADIENTS = {
    "squared_error": lambda p, y: p - y,
    "binary_squared_error": lambda p, y: (p - y) * p * (1 - p),
    "class_squared_error": class_squared_error_gradient,
    "poisson": lambda p, y: p - y,
    "absolute_error": lambda p, y: np.sign(p - y),
    "huber": lambda p, y, delta=1.0: np.clip(p - y, -delta, delta),
    "quantile": quantile_gradient,
    "gamma": lambda p, y: 1 - y / p,
    "gaussian_nll": gaussian_nll_gradient,
    "binary_log_loss": lambda p, y, label_smoothing=0.0: p - y * (1 - label_smoothing) - label_smoothing / 2,
    "log_loss": lambda p, y, label_smoothing=0.0: p - smooth_one_hot(p, y, label_smoothing),
}


# The multi-layer perceptron.


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


# Layers of networks for tables: z of x and the parameters p by name; dL/dx and dL/dp, given delta = dL/dz.


def neural_tangent_gradient(x, p, delta):
    c = 1 / np.sqrt(x.shape[1])
    return c * delta @ p["weights"].T, {"weights": c * x.T @ delta, "bias": delta.sum(axis=0)}


def parametric_activate_gradient(x, p, delta, activation):
    f, f_prime = ACTIVATIONS[activation]
    slope = 1 - p["alpha"] + p["alpha"] * f_prime(x)
    return delta * slope, {"alpha": (delta * (f(x) - x)).sum(axis=0)}


def pbld(x, p):
    w, b, V, c = (p[name] for name in ("frequencies", "phases", "mixture", "offset"))
    waves = [np.cos(2 * np.pi * np.outer(x_i, w[i]) + b[i]) for i, x_i in enumerate(x.T)]
    return np.hstack([np.column_stack([waves[i] @ V[i] + c[i], x_i]) for i, x_i in enumerate(x.T)])


def pbld_gradient(x, p, delta):
    delta_x, found = np.zeros_like(x), {name: np.zeros_like(array) for name, array in p.items()}
    for i, delta_i in enumerate(np.split(delta, x.shape[1], axis=1)):
        mixed, w, V = delta_i[:, :-1], p["frequencies"][i], p["mixture"][i]  # the last output is x_i itself
        h = 2 * np.pi * np.outer(x[:, i], w) + p["phases"][i]
        delta_h = -np.sin(h) * (mixed @ V.T)
        found["frequencies"][i] = 2 * np.pi * x[:, i] @ delta_h
        found["phases"][i] = delta_h.sum(axis=0)
        found["mixture"][i] = np.cos(h).T @ mixed
        found["offset"][i] = mixed.sum(axis=0)
        delta_x[:, i] = 2 * np.pi * delta_h @ w + delta_i[:, -1]
    return delta_x, found


def columns(x, p, groups):
    """The outputs of groups: a number of columns each, and the name of their layer or None."""
    parts = zip(split_columns(x, [width for width, _ in groups]), groups, strict=True)
    return [LAYERS[layer][0](part, of_group(p, i)) for i, (part, (_, layer)) in enumerate(parts)]


def columns_gradient(x, p, delta, groups):
    parts = split_columns(x, [width for width, _ in groups])
    deltas = split_columns(delta, [z.shape[1] for z in columns(x, p, groups)])
    delta_x, found = [], {}
    for i, (_, layer) in enumerate(groups):
        delta_part, of_layer = LAYERS[layer][1](parts[i], of_group(p, i), deltas[i])
        delta_x.append(delta_part)
        found |= {f"{i}.{name}": array for name, array in of_layer.items()}
    return np.hstack(delta_x), found


def split_columns(x, widths):
    return np.split(x, np.cumsum(widths)[:-1], axis=1)


def of_group(p, i):
    """The parameters of group i by the names of its layer: "2.vectors" of group 2 is "vectors"."""
    return {name.split(".")[1]: array for name, array in p.items() if name.split(".")[0] == str(i)}


LAYERS = {
    None: (lambda x, p: x, lambda x, p, delta: (delta, {})),
    "neural_tangent": (
        lambda x, p: x @ p["weights"] / np.sqrt(x.shape[1]) + p["bias"],
        neural_tangent_gradient,
    ),
    "scale": (
        lambda x, p: x * p["scale"],
        lambda x, p, delta: (delta * p["scale"], {"scale": (delta * x).sum(axis=0)}),
    ),
    "activate": (
        lambda x, p, activation: ACTIVATIONS[activation][0](x),
        lambda x, p, delta, activation: (delta * ACTIVATIONS[activation][1](x), {}),
    ),
    "parametric_activate": (
        lambda x, p, activation: (1 - p["alpha"]) * x + p["alpha"] * ACTIVATIONS[activation][0](x),
        parametric_activate_gradient,
    ),
    "pbld": (pbld, pbld_gradient),
    # the row of the level in a table, and the rows of a level together in its row
    "category_embedding": (
        lambda x, p: one_hot(p["vectors"].T, x) @ p["vectors"],
        lambda x, p, delta: (np.zeros_like(x), {"vectors": one_hot(p["vectors"].T, x).T @ delta}),
    ),
    "columns": (lambda x, p, groups: np.hstack(columns(x, p, groups)), columns_gradient),
}

# The network of such layers: each is a tuple of its name and its settings, and has a dict of parameters.


def layer_inputs(X, layers, parameters):
    """The input of each layer, and behind them the raw scores."""
    found = [X]
    for (layer, *settings), p in zip(layers, parameters, strict=True):
        found.append(LAYERS[layer][0](found[-1], p, *settings))
    return found


def layer_objective(X, y, layers, parameters, loss, sample_weight=None, l2=0.0, **of_loss):
    """The mean loss and the penalty, on what is called weights."""
    w = np.ones(len(X)) if sample_weight is None else sample_weight
    raw = layer_inputs(X, layers, parameters)[-1]
    pointwise = LOSSES[loss](INVERSE_LINKS[loss](raw), y, **of_loss).sum(axis=1)
    squares = sum((p["weights"] ** 2).sum() for p in parameters if "weights" in p)
    return (w * pointwise).sum() / w.sum(), l2 / 2 * squares / w.sum()


def layer_gradients(X, y, layers, parameters, loss, sample_weight=None, l2=0.0, **of_loss):
    """The gradients of loss + penalty for each layer, by backpropagation."""
    w = np.ones(len(X)) if sample_weight is None else sample_weight
    *inputs, raw = layer_inputs(X, layers, parameters)
    delta, found = w[:, None] / w.sum() * loss_gradient(loss, raw, y, **of_loss), []
    for (layer, *settings), x, p in reversed([*zip(layers, inputs, parameters, strict=True)]):
        delta, of_layer = LAYERS[layer][1](x, p, delta, *settings)
        if "weights" in p:
            of_layer["weights"] = of_layer["weights"] + l2 * p["weights"] / w.sum()
        found.insert(0, of_layer)
    return found


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


def adamw_step(thetas, gradients, ms, vs, t, learning_rate, weight_decay, beta_1, beta_2, epsilon):
    """AdamW (Loshchilov & Hutter, 2019, algorithm 2), where the learning rate scales the decay too."""
    ms = [beta_1 * m + (1 - beta_1) * g for m, g in zip(ms, gradients, strict=True)]
    vs = [beta_2 * v + (1 - beta_2) * g**2 for v, g in zip(vs, gradients, strict=True)]
    steps = [
        (m / (1 - beta_1**t)) / (np.sqrt(v / (1 - beta_2**t)) + epsilon) + weight_decay * theta
        for theta, m, v in zip(thetas, ms, vs, strict=True)
    ]
    return [theta - learning_rate * step for theta, step in zip(thetas, steps, strict=True)], ms, vs


def grouped_adam_step(
    thetas, gradients, ms, vs, t, learning_rate, weight_decay, beta_1, beta_2, epsilon, rates, decays
):
    """AdamW where each array has a factor f of the learning rate and d of the decay.

    In the code that Holzmüller et al. (2024) published, f scales the decay once more than AdamW does.
    """
    ms = [beta_1 * m + (1 - beta_1) * g for m, g in zip(ms, gradients, strict=True)]
    vs = [beta_2 * v + (1 - beta_2) * g**2 for v, g in zip(vs, gradients, strict=True)]
    steps = [
        (m / (1 - beta_1**t)) / (np.sqrt(v / (1 - beta_2**t)) + epsilon) + f * d * weight_decay * theta
        for theta, m, v, f, d in zip(thetas, ms, vs, rates, decays, strict=True)
    ]
    return [theta - f * learning_rate * s for theta, s, f in zip(thetas, steps, rates, strict=True)], ms, vs


def rmsprop_step(thetas, gradients, vs, velocities, learning_rate, alpha, epsilon, momentum):
    """RMSprop (Tieleman & Hinton, 2012, lecture 6e), with momentum of the steps."""
    vs = [alpha * v + (1 - alpha) * g**2 for v, g in zip(vs, gradients, strict=True)]
    velocities = [
        momentum * u + g / (np.sqrt(v) + epsilon) for u, g, v in zip(velocities, gradients, vs, strict=True)
    ]
    return [theta - learning_rate * u for theta, u in zip(thetas, velocities, strict=True)], vs, velocities


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


def distance_to_kink(loss, raw, y):
    """The least distance of a raw score from where the loss, or its derivative, has a kink."""
    kinks = {"AbsoluteError": 0.0, "Quantile": 0.0, "Huber": getattr(loss, "delta", None)}
    kink = kinks.get(type(loss).__name__)
    if kink is None:
        return np.inf
    return abs(abs(raw - np.tile(y, loss.raw_per_target)) - kink).min()


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
