"""What a search varies: the space that the paper searches, as far as its parts are here."""

from __future__ import annotations

from typing import Any

from scipy.stats import loguniform


def search_space() -> dict[str, Any]:
    """The distributions that both estimators share, by parameter.

    A value that is listed twice is drawn twice as often.

    Returns
    -------
    dict of str -> list or distribution
        What scikit-learn's searches at random take.
    """
    return {
        "numerical_embedding": [True, True, True, False],  # of its four kinds, three embed
        "numerical_embedding_sigma": loguniform(0.05, 0.5),
        "scale_layer": [True, True, True, False, False],
        "hidden_layer_sizes": [(256,) * 3, (256,) * 3, (256,) * 3, (64,) * 5, (512,)],
        "activation": ["relu", "selu", "mish"],
        "learning_rate_init": loguniform(0.02, 0.3),
        "dropout": [0.0] * 3 + [0.15] * 5 + [0.3] * 2,
        "weight_decay": [0.0, 0.02],
    }
