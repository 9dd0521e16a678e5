"""Real rows with targets of many sizes and shapes, and the loss that a model must beat on held-out ones."""

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from sknn_scratch.core import Huber


def targets():
    """The y of diabetes, and targets made of it, by name."""
    X, y = load_diabetes(return_X_y=True)
    rng = np.random.RandomState(0)
    skewed = np.exp(y / 100 + 0.5 * rng.standard_normal(len(y)))
    skewed /= skewed.mean()
    made = {
        "diabetes": y,
        "skewed, 2,000": 2000 * skewed,
        "skewed, 1e6": 1e6 * skewed,
        "skewed, 1e-6": 1e-6 * skewed,
        "count": rng.poisson(y / 50).astype(float),
        "outliers": np.where(np.arange(len(y)) % 20 == 0, 20 * y, y),
    }
    return X, made


def parts(name):
    """Three quarters to train on and a quarter held out."""
    X, made = targets()
    return train_test_split(X, made[name], random_state=0)


def in_units_of(loss, spread):
    """The same loss, with settings that count in standard deviations of y turned into units of y."""
    return Huber(loss.delta * spread) if isinstance(loss, Huber) else loss


def loss_of(loss, predictions, y):
    """The loss of predictions of shape (n_rows, raw_per_target), as `predict` and its like give them."""
    raw = np.array(predictions, dtype=float)
    if loss.link_inverse == "exp":
        raw = np.log(raw)
    elif loss.link_inverse == "identity_exp":
        raw[:, 1] = np.log(raw[:, 1])
    return loss.value_and_gradient(raw, y[:, np.newaxis], None, np.empty_like(raw), np.empty(len(raw)))


def constant_prediction(loss, y, n_rows):
    """What predicts the best constant of y, for so many rows."""
    n_outputs = loss.raw_per_target
    raw = loss.best_constant(y[:, np.newaxis], None, n_outputs)[np.newaxis]
    if loss.link_inverse == "exp":
        raw = np.exp(raw)
    elif loss.link_inverse == "identity_exp":
        raw = np.array([[raw[0, 0], np.exp(raw[0, 1])]])
    return np.tile(raw, (n_rows, 1))
