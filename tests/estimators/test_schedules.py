"""A schedule spans all steps that fit may take."""

import numpy as np
import pytest

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor
from sknn_scratch.core import Cosine, Progress

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.RandomState(0).standard_normal((70, 3))


@pytest.mark.parametrize("kind", [ScratchMLPClassifier, ScratchMLPRegressor])
@pytest.mark.parametrize(
    ("settings", "n_batches"),
    [
        ({}, 1),
        ({"batch_size": 20}, 4),
        ({"batch_size": 20, "early_stopping": True, "validation_fraction": 0.2}, 3),
    ],
    ids=str,
)
def test_the_last_step_of_the_last_epoch_ends_it(kind, settings, n_batches):
    n_epochs, schedule, rates = 6, Cosine(warmup=0.25), []
    settings = settings | {"max_iter": n_epochs, "n_iter_no_change": n_epochs, "random_state": 0}
    model = kind(hidden_layer_sizes=(4,), learning_rate=schedule, learning_rate_init=0.1, **settings)
    model.fit(X, X[:, 0] > 0)
    for epoch in range(1, n_epochs + 1):
        last_step = epoch * n_batches - 1
        rates.append(schedule(Progress(0.1, step=last_step, n_steps=n_epochs * n_batches)))
    assert [row["learning_rate"] for row in model.history_] == pytest.approx(rates)
