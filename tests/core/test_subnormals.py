"""Numbers that processors are slow with do not stay in training, however long an epoch is."""

import numpy as np

from sknn_scratch.core import (
    SGD,
    Batches,
    Constant,
    History,
    Network,
    Patience,
    Progress,
    ReLU,
    SquaredError,
    Training,
    train_minibatch,
)

TINY = np.finfo(np.float32).tiny


def smallest_velocities(n_steps):
    """The velocity of a unit that is never active: before each step of an epoch, and after the epoch."""
    # without a gradient it shrinks by a factor at each step
    X = np.ones((n_steps, 1), np.float32)
    network = Network.mlp([1, 4, 1], ReLU(), SquaredError())
    parameters = network.initialize(np.random.RandomState(0), np.float32)
    parameters.layers[0]["weights"][...] = parameters.layers[0]["bias"][...] = -1.0
    rule = SGD(momentum=0.9)
    state = rule.init(parameters.flat)
    of_unit = state.averages["velocity"][:4]
    of_unit[...] = 1e-30
    seen = []

    class Watched(Batches):
        def __iter__(self):
            for batch in super().__iter__():
                seen.append(of_unit.min())
                yield batch

    training = Training(rule, Constant(), state, Progress(0.01), Patience(0.0, np.inf))
    train_minibatch(network, parameters, Watched(X, X, None, 1), training, History(), max_epochs=1)
    return np.array([*seen, of_unit.min()])


def test_in_a_long_epoch_an_average_that_fades_is_soon_zero():
    velocities = smallest_velocities(1200)
    assert 0 < velocities[400] < TINY
    assert (velocities[800:] == 0).all()


def test_a_short_epoch_ends_without_subnormal_numbers():
    *before, last = smallest_velocities(300)
    assert 0 < before[-1] < TINY
    assert last == 0
