"""Training that pauses between steps: the same model, whenever it pauses."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sknn_scratch.core import (
    NUMPY,
    Adam,
    Batches,
    Constant,
    History,
    Network,
    Outcome,
    Patience,
    Progress,
    SquaredError,
    Stepwise,
    Tanh,
    Training,
    train_minibatch,
)

RNG = np.random.RandomState(0)
X = RNG.standard_normal((24, 2))
Y = X[:, :1] * X[:, 1:]
N_EPOCHS = 3


class Fit:
    """A training with shuffled batches and dropout."""

    def __init__(self, batch_size):
        self.rng = np.random.RandomState(1)
        self.network = Network.mlp([2, 4, 1], Tanh(), SquaredError(), l2=0.1, dropout=[0.25])
        self.parameters = self.network.initialize(self.rng, float)
        adam = Adam()
        state = adam.init(self.parameters.flat)
        self.training = Training(adam, Constant(), state, Progress(0.05), Patience(0.0, 9))
        self.batches = Batches(X, Y, None, batch_size, rng=self.rng)
        self.history = History()

    def train(self, engine, n_epochs=N_EPOCHS):
        return train_minibatch(
            self.network,
            self.parameters,
            self.batches,
            self.training,
            self.history,
            n_epochs - len(self.history.epochs),
            rng=self.rng,
            engine=engine,
        )


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 30))
@settings(max_examples=20, deadline=None)
def test_the_model_is_the_same_wherever_training_pauses(pauses, batch_size):
    straight, paused = Fit(batch_size), Fit(batch_size)
    straight.train(NUMPY)
    engine = Stepwise(lambda: bool(pauses) and pauses.pop())
    while paused.train(engine) is Outcome.PAUSED:
        assert engine.is_within_epoch
    assert not engine.is_within_epoch
    np.testing.assert_array_equal(paused.parameters.flat, straight.parameters.flat)
    assert paused.history.losses == straight.history.losses
    assert paused.training.progress == straight.training.progress
    assert [epoch.gradient_norm for epoch in paused.history.epochs] == [
        epoch.gradient_norm for epoch in straight.history.epochs
    ]


def test_the_last_step_of_an_epoch_ends_it():
    fit, engine = Fit(batch_size=8), Stepwise(lambda: True)
    outcomes = [fit.train(engine, n_epochs=1) for _ in range(3)]
    assert outcomes == [Outcome.PAUSED, Outcome.PAUSED, Outcome.MAX_ITER]
    assert fit.training.progress.step == 3


def test_penalty_and_learning_rate_may_change_between_two_steps():
    fit, engine = Fit(batch_size=8), Stepwise(lambda: True)
    fit.train(engine, n_epochs=1)
    weights = fit.parameters.flat[: fit.parameters.n_weights]
    before = np.abs(weights).sum()
    fit.network = replace(fit.network, l2=1e6)
    fit.train(engine, n_epochs=1)
    after = np.abs(weights).sum()
    assert after < 0.95 * before  # the gradient of so strong a penalty has the sign of the weights
    fit.training.progress.learning_rate_init = 0.0
    fit.train(engine, n_epochs=1)
    assert np.abs(weights).sum() == after
    assert fit.training.progress.step == 3


def test_an_epoch_that_an_exception_ends_leaves_nothing():
    def fail():
        raise RuntimeError("in the hook")

    fit, engine = Fit(batch_size=8), Stepwise(fail)
    with pytest.raises(RuntimeError, match="in the hook"):
        fit.train(engine)
    assert not engine.is_within_epoch
    engine.pause = lambda: False
    assert fit.train(engine) is Outcome.MAX_ITER
    assert len(fit.history.epochs) == N_EPOCHS
