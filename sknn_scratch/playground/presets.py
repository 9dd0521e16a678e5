"""The classic first networks of the examples, as settings."""

from __future__ import annotations

from sknn_scratch.playground.settings import Settings

_PLAIN = Settings(solver="sgd", momentum=0.0)
"""Gradient descent and nothing else."""

_FOUR_ROWS = _PLAIN.changed(test_size=0.0, shuffle=False, loss="squared_error")

_BITS = _FOUR_ROWS.changed(
    features=("x1", "x2", "one"),
    fit_intercept=False,
    weight_init="uniform",
    batch_size=4,
    max_iter=10_000,
)

PRESETS: dict[str, Settings] = {
    "one neuron": _PLAIN.changed(
        dataset="blobs",
        n_classes=2,
        noise=0.3,
        hidden_layer_sizes=(),
        batch_size=20,
        learning_rate_init=0.1,
    ),
    "perceptron": _BITS.changed(dataset="first_bit", hidden_layer_sizes=(), learning_rate_init=4.0),
    "one sample at a time": _FOUR_ROWS.changed(
        dataset="four_people",
        hidden_layer_sizes=(2,),
        activation=("logistic",),
        weight_init="normal",
        batch_size=1,
        learning_rate_init=0.2,
        max_iter=1000,
    ),
    "exclusive or with 3-4-1": _BITS.changed(
        dataset="exclusive_or_of_bits",
        hidden_layer_sizes=(4,),
        activation=("logistic",),
        learning_rate_init=8.0,
    ),
    "deep sigmoids that don't learn": _PLAIN.changed(
        dataset="moons",
        hidden_layer_sizes=(8,) * 8,
        activation=("logistic",) * 8,
        weight_init="glorot_uniform",
        batch_size=20,
        learning_rate_init=0.3,
    ),
    "circles": _PLAIN.changed(
        n_rows=1000,
        noise=0.09,
        test_size=0.5,
        hidden_layer_sizes=(8, 16, 32, 16, 8),
        loss="squared_error",
        weight_init="uniform",
        batch_size=500,
        learning_rate_init=0.06,
    ),
}
