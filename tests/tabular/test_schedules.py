"""A schedule spans all steps that fit may take."""

import pytest

from sknn_scratch import ScratchRealMLPClassifier, ScratchRealMLPRegressor
from sknn_scratch.core import Cosine, Progress


@pytest.mark.parametrize("kind", [ScratchRealMLPClassifier, ScratchRealMLPRegressor])
@pytest.mark.parametrize(("fraction", "n_batches"), [(0.2, 7), (0.5, 4)])  # of 32 rows each
def test_the_last_step_of_the_last_epoch_ends_it(kind, fraction, n_batches, table, labels, small):
    schedule = Cosine(warmup=0.25)
    model = kind(**small, learning_rate=schedule, learning_rate_init=0.01, validation_fraction=fraction)
    model.fit(table[0], labels if kind is ScratchRealMLPClassifier else table[1])
    n_epochs, rates = small["max_iter"], []
    for epoch in range(1, n_epochs + 1):
        last_step = epoch * n_batches - 1
        rates.append(schedule(Progress(0.01, step=last_step, n_steps=n_epochs * n_batches)))
    assert [row["learning_rate"] for row in model.history_] == pytest.approx(rates)
