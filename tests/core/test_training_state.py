"""What training keeps between two epochs, and what it records of one."""

import copy

import numpy as np
import pytest

from sknn_scratch.core import (
    OPTIMIZERS,
    SGD,
    Batches,
    Constant,
    History,
    Network,
    Patience,
    Progress,
    SquaredError,
    Tanh,
    Training,
    Workspace,
    train_minibatch,
)

RNG = np.random.RandomState(0)
X = RNG.standard_normal((24, 2))
Y = X[:, :1] * X[:, 1:]
NETWORK = Network.mlp([2, 3, 1], Tanh(), SquaredError(), l2=0.1)


def beginning(rule):
    parameters = NETWORK.initialize(np.random.RandomState(1), float)
    state = rule.init(parameters.flat)
    return parameters, Training(rule, Constant(), state, Progress(0.05), Patience(0.0, 9))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_copy_goes_on_by_itself(name):
    parameters, training = beginning(OPTIMIZERS[name]())
    train_minibatch(NETWORK, parameters, Batches(X, Y, None, 6), training, History(), 2)
    before = copy.deepcopy(training)
    train_minibatch(NETWORK, parameters.copy(), Batches(X, Y, None, 6), training.copy(), History(), 3)
    assert (training.progress, training.patience) == (before.progress, before.patience)
    assert training.optimizer_state.n_steps == before.optimizer_state.n_steps == 8
    for average, expected in before.optimizer_state.averages.items():
        np.testing.assert_array_equal(training.optimizer_state.averages[average], expected)


def test_the_gradient_that_is_recorded_is_that_of_the_first_step():
    parameters, training = beginning(SGD())
    workspace = Workspace(NETWORK, parameters.copy(), 6)
    NETWORK.loss_and_gradient(X[:6], Y[:6], None, workspace)
    history = History()
    train_minibatch(NETWORK, parameters, Batches(X, Y, None, 6), training, history, 1)
    expected = np.linalg.norm(workspace.gradient.flat)
    assert history.epochs[0].gradient_norm == pytest.approx(expected, rel=1e-12)
