"""Libraries that train the same network, each behind the same three methods.

Each does as many epochs of Adam as it is told, on the same rows in the same batches, with the same L2 penalty
(for PyTorch and skorch also on the biases). ``fit`` returns seconds, from arrays to a trained model; ``loss``
is the mean log-loss of the trained model on the data: the proof that all did the same work.
"""

import importlib.util
import itertools
import os
import time

import numpy as np
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from sknn_scratch import ScratchMLPClassifier

TORCH = "pip install torch --index-url https://download.pytorch.org/whl/cpu"
INSTALL = {
    "numpy": "pip install numpy",
    "sklearn": "pip install scikit-learn",
    "torch": TORCH,
    "skorch": f"{TORCH} && pip install skorch",
    "jax": "pip install jax",
}
NEEDS = {
    "numpy": ["numpy"],
    "sklearn": ["sklearn"],
    "torch": ["torch"],
    "skorch": ["skorch", "torch"],
    "jax": ["jax"],
}


def missing(peers):
    """Peers that are not installed, with the line that installs them."""
    return {
        peer: INSTALL[peer]
        for peer in peers
        if any(importlib.util.find_spec(module) is None for module in NEEDS[peer])
    }


class Estimator:
    """scikit-learn's estimator, or ours: their parameters are the same."""

    def __init__(self, kind, workload, **settings):
        self.model = kind(
            **{
                "hidden_layer_sizes": workload.hidden,
                "activation": workload.activation,
                "batch_size": workload.batch_size,
                "alpha": workload.alpha,
                "n_iter_no_change": np.inf,
                "random_state": 0,
            }
            | settings
        )

    def fit(self, X, y, n_epochs, **fit_parameters):
        self.model.set_params(max_iter=n_epochs)
        start = time.perf_counter()
        self.model.fit(X, y, **fit_parameters)
        return time.perf_counter() - start

    def loss(self, X, y):
        return mean_log_loss(y, self.model.predict_proba(X))


def ours(workload, **settings):
    return Estimator(ScratchMLPClassifier, workload, **settings)


class WithoutNumba(Estimator):
    """Ours on NumPy alone, as where numba is not installed."""

    def fit(self, X, y, n_epochs, **fit_parameters):
        before = os.environ.get("SKNN_SCRATCH_ENGINE", "")
        os.environ["SKNN_SCRATCH_ENGINE"] = "numpy"
        try:
            return super().fit(X, y, n_epochs, **fit_parameters)
        finally:
            os.environ["SKNN_SCRATCH_ENGINE"] = before


def without_numba(workload, **settings):
    return WithoutNumba(ScratchMLPClassifier, workload, **settings)


def sklearn(workload, **settings):
    return Estimator(MLPClassifier, workload, **settings)


def mean_log_loss(y, probabilities):
    """In float64, because the rows of float32 probabilities do not sum to 1 exactly enough for log_loss."""
    probabilities = np.asarray(probabilities, np.float64)
    return float(log_loss(y, probabilities / probabilities.sum(axis=1, keepdims=True)))


def probabilities_of(scores):
    """Of one or several scores a row, by the logistic function or softmax."""
    scores = np.asarray(scores, np.float64)
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def torch_module(workload):
    """The layers, with scikit-learn's (Glorot's) first weights."""
    from torch import nn

    activations = {"relu": nn.ReLU, "tanh": nn.Tanh}
    layers = []
    for fan_in, fan_out in itertools.pairwise(workload.sizes):
        layers += [nn.Linear(fan_in, fan_out), activations[workload.activation]()]
        nn.init.xavier_uniform_(layers[-2].weight)
    return nn.Sequential(*layers[:-1])


def torch_criterion(workload):
    from torch import nn

    return nn.BCEWithLogitsLoss if workload.n_outputs == 1 else nn.CrossEntropyLoss


def torch_adam(workload):
    """Settings of the optimizer: our penalty alpha / (2 batch) ||W||^2 is a weight decay of alpha / batch."""
    return {"lr": 1e-3, "weight_decay": workload.alpha / workload.batch_size, "fused": True}


class Torch:
    """PyTorch at its best on a CPU: fused Adam, tensors in memory, batches by index, no DataLoader."""

    def __init__(self, workload, threads):
        self.workload, self.threads = workload, threads

    def fit(self, X, y, n_epochs):
        import torch

        workload = self.workload
        torch.set_num_threads(self.threads)
        torch.manual_seed(0)
        start = time.perf_counter()
        module = torch_module(workload)
        criterion = torch_criterion(workload)()
        adam = torch.optim.Adam(module.parameters(), **torch_adam(workload))
        X = torch.from_numpy(X)
        y = torch.from_numpy(y.astype(np.float32)[:, None] if workload.n_outputs == 1 else y)
        for _ in range(n_epochs):
            for rows in torch.randperm(len(X)).split(workload.batch_size):
                adam.zero_grad()
                criterion(module(X[rows]), y[rows]).backward()
                adam.step()
        self.module = module
        return time.perf_counter() - start

    def loss(self, X, y):
        import torch

        with torch.no_grad():
            scores = self.module(torch.from_numpy(X)).numpy()
        return mean_log_loss(y, probabilities_of(scores))


class Skorch:
    """skorch as its users run it: its own DataLoader and history; without its validation and its prints."""

    def __init__(self, workload, threads):
        self.workload, self.threads = workload, threads

    def fit(self, X, y, n_epochs):
        import torch
        from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier

        workload = self.workload
        torch.set_num_threads(self.threads)
        torch.manual_seed(0)
        start = time.perf_counter()
        kind = NeuralNetBinaryClassifier if workload.n_outputs == 1 else NeuralNetClassifier
        self.net = kind(
            torch_module(workload),
            criterion=torch_criterion(workload),
            optimizer=torch.optim.Adam,
            **{f"optimizer__{name}": value for name, value in torch_adam(workload).items()},
            batch_size=workload.batch_size,
            iterator_train__shuffle=True,
            max_epochs=n_epochs,
            train_split=None,
            verbose=0,
        )
        self.net.fit(X, y.astype(np.float32) if workload.n_outputs == 1 else y)
        return time.perf_counter() - start

    def loss(self, X, y):
        scores = self.net.forward(X).numpy()
        return mean_log_loss(y, probabilities_of(scores.reshape(len(X), -1)))


class Jax:
    """JAX with a whole epoch in one jitted scan, Adam written inside.

    Scans need batches of equal size, so the last one is filled up with rows from the epoch's start. The order
    of rows comes from NumPy, which draws it faster.

    Parameters
    ----------
    fresh : bool
        Whether each fit compiles anew, as the first one of a session does; else the first call compiles once
        and for all.
    """

    def __init__(self, workload, fresh):
        self.workload, self.fresh = workload, fresh
        self.epoch = None

    def fit(self, X, y, n_epochs):
        import jax

        workload = self.workload
        if self.fresh:
            jax.clear_caches()
        start = time.perf_counter()
        if self.fresh or self.epoch is None:
            self.epoch = jax.jit(jax_epoch(workload), donate_argnums=0)
        rng = np.random.default_rng(0)
        state = jax_initial_state(workload, rng)
        X, y = jax.numpy.asarray(X), jax.numpy.asarray(y)
        n_batches = -(-len(X) // workload.batch_size)
        for _ in range(n_epochs):
            order = np.resize(rng.permutation(len(X)), (n_batches, workload.batch_size))
            state = self.epoch(state, X, y, order)
        jax.block_until_ready(state)
        self.parameters = state[0]
        return time.perf_counter() - start

    def loss(self, X, y):
        return mean_log_loss(y, probabilities_of(jax_scores(self.workload, self.parameters, X)))


def jax_initial_state(workload, rng):
    """Glorot's weights, two averages of zeros, no step yet."""
    parameters = []
    for fan_in, fan_out in itertools.pairwise(workload.sizes):
        bound = np.sqrt(6 / (fan_in + fan_out))
        weights = rng.uniform(-bound, bound, (fan_in, fan_out)).astype(np.float32)
        parameters.append((weights, np.zeros(fan_out, np.float32)))
    zeros = [(np.zeros_like(W), np.zeros_like(b)) for W, b in parameters]
    return parameters, zeros, [(W.copy(), b.copy()) for W, b in zeros], np.float32(0)


def jax_scores(workload, parameters, X):
    import jax

    activation = {"relu": jax.nn.relu, "tanh": jax.numpy.tanh}[workload.activation]
    for W, b in parameters[:-1]:
        X = activation(X @ W + b)
    W, b = parameters[-1]
    return X @ W + b


def jax_epoch(workload):
    """A new function of one epoch: (state, X, y, order of rows) -> state."""
    import jax
    import jax.numpy as jnp

    def objective(parameters, X, y):
        scores = jax_scores(workload, parameters, X)
        if workload.n_outputs == 1:
            loss = jnp.mean(jnp.logaddexp(0, scores[:, 0]) - y * scores[:, 0])
        else:
            picked = jnp.take_along_axis(scores, y[:, None], axis=1)[:, 0]
            loss = jnp.mean(jax.nn.logsumexp(scores, axis=1) - picked)
        penalty = sum(jnp.sum(W * W) for W, _ in parameters)
        return loss + 0.5 * workload.alpha / workload.batch_size * penalty

    def epoch(state, X, y, order):
        def step(state, rows):
            parameters, mean, square, t = state
            gradient = jax.grad(objective)(parameters, X[rows], y[rows])
            t = t + 1
            mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
            square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, gradient)
            rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            parameters = jax.tree.map(
                lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-8), parameters, mean, square
            )
            return (parameters, mean, square, t), None

        return jax.lax.scan(step, state, order)[0]

    return epoch
