"""The naive implementation of what networks for tables are made of: layers by name, and their optimizer.

It is to the layers of `ScratchRealMLP*` what `reference.py` is to everything else: one line a formula.
"""

import numpy as np
from reference import ACTIVATIONS, LOSSES, loss_gradient, one_hot

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
    pointwise = LOSSES[loss].value(LOSSES[loss].inverse_link(raw), y, **of_loss).sum(axis=1)
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
