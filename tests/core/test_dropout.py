"""Dropout: what a mask does to a layer and to a network, and where masks come from."""

import itertools
import tracemalloc

import numpy as np
import pytest
import reference
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from sknn_scratch.core import ELU, Adam, Dropout, Network, ReLU, SquaredError, Tanh, Workspace

each_rate = pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def drawn(layer, n_rows, dtype=np.float64, seed=0):
    """Buffers with a mask in them."""
    buffers = layer.forward_buffers(n_rows, dtype) | layer.backward_buffers(n_rows, dtype)
    layer.draw(np.random.RandomState(seed), buffers)
    return buffers


@each_rate
@each_dtype
def test_a_share_of_the_units_is_left_out_and_the_mean_is_kept(rate, dtype):
    layer, x = Dropout(rate, n_outputs=50), np.full((2000, 50), 3.0, dtype)
    seen = layer.forward({}, x, drawn(layer, 2000, dtype))
    assert seen.dtype == dtype
    np.testing.assert_allclose(np.unique(seen), [0, 3 / (1 - rate)], rtol=1e-6)
    # five standard errors of the mean of 100,000 draws
    spread = np.sqrt(rate * (1 - rate) / seen.size)
    assert np.mean(seen == 0) == pytest.approx(rate, abs=5 * spread)
    assert seen.mean() == pytest.approx(3, abs=5 * spread * 3 / (1 - rate))
    # no two units and few rows are alike
    assert np.unique(seen, axis=1).shape == (2000, 50)
    assert len(np.unique(seen, axis=0)) > 1900


@pytest.mark.parametrize("rate", [0.1, 0.5])
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_a_unit_is_left_out_if_its_16_bits_are_below_the_faded_rate(rate, strength):
    # so many units that the number on the threshold itself is among them
    layer, source = Dropout(rate, n_outputs=64), np.random.RandomState(0)
    buffers = layer.backward_buffers(2**14, np.float64)
    layer.draw(source, buffers, strength)
    draws = np.random.Generator(np.random.RandomState(0)._bit_generator)
    bits = draws.integers(2**64 - 1, size=2**18, dtype=np.uint64, endpoint=True).view(np.uint16)
    threshold, faded = round(strength * rate * 2**16), strength * rate
    assert (bits == threshold).any()
    np.testing.assert_array_equal(buffers["mask"].ravel(), (bits >= threshold) / (1 - faded))


def test_a_workspace_hands_the_share_of_full_strength_to_its_layers():
    network, parameters, X, y = problem([0.5, 0.2], n_rows=50)
    workspace = Workspace(network, parameters, 50, np.random.RandomState(0))
    for strength in (1.0, 0.5, 0.0):
        workspace.regularization = strength
        network.loss_and_gradient(X, y, None, workspace)
        masks = [step.buffers["mask"] for step in workspace.parts(50)[0].layers if "mask" in step.buffers]
        assert [mask.max() for mask in masks] == [1 / (1 - strength * rate) for rate in (0.5, 0.2)]


@each_rate
def test_backward_is_the_gradient_of_forward_for_a_fixed_mask(rate):
    generator, layer = np.random.RandomState(1), Dropout(rate, n_outputs=3)
    x, upstream = generator.normal(size=(4, 3)), generator.normal(size=(4, 3))
    buffers = drawn(layer, 4)
    numeric = np.empty_like(x)
    for index in np.ndindex(x.shape):

        def scalar(value, index=index):
            changed = x.copy()
            changed[index] = value
            return (upstream * layer.forward({}, changed, buffers)).sum()

        numeric[index] = reference.derivative(scalar, x[index])
    kept = x.copy()
    layer.forward({}, kept, buffers)
    np.testing.assert_array_equal(kept, x)  # the layer before needs it
    delta = layer.backward({}, {}, x, upstream.copy(), buffers)
    np.testing.assert_allclose(delta, numeric, atol=1e-10)
    np.testing.assert_array_equal(delta == 0, buffers["mask"] == 0)


def test_without_a_mask_it_hands_everything_on():
    layer, x = Dropout(0.5, n_outputs=3), np.ones((4, 3))
    buffers = layer.forward_buffers(4, np.float64)
    assert layer.forward({}, x, buffers) is x
    assert layer.backward({}, {}, x, x, buffers) is x
    np.testing.assert_array_equal(x, np.ones((4, 3)))


@each_dtype
def test_masks_are_reproduced_by_their_source_and_move_it_on(dtype):
    layer, source = Dropout(0.5, n_outputs=20), np.random.RandomState(0)
    buffers, masks = layer.backward_buffers(30, dtype), []
    state = source.get_state()
    for _ in range(2):
        layer.draw(source, buffers)
        masks.append(buffers["mask"].copy())
    assert not np.array_equal(*masks)
    source.set_state(state)
    layer.draw(source, buffers)
    np.testing.assert_array_equal(buffers["mask"], masks[0])
    np.testing.assert_array_equal(drawn(layer, 30, dtype, seed=0)["mask"], masks[0])
    assert not np.array_equal(drawn(layer, 30, dtype, seed=1)["mask"], masks[0])


def problem(dropout, activation=None, n_rows=6, dtype=np.float64, seed=0):
    generator = np.random.RandomState(seed)
    network = Network.mlp([3, 8, 8, 2], activation or Tanh(), SquaredError(), l2=0.3, dropout=dropout)
    X, y = (generator.normal(size=(n_rows, n)).astype(dtype) for n in (3, 2))
    return network, network.initialize(generator, dtype), X, y


def test_a_layer_of_dropout_follows_each_activation_with_a_rate():
    def kinds(dropout):
        return [type(layer).__name__ for layer in problem(dropout)[0].layers]

    assert kinds([0.0, 0.0]) == kinds([]) == ["Dense", "Activate", "Dense", "Activate", "Dense"]
    assert kinds([0.5, 0.0]) == ["Dense", "Activate", "Dropout", "Dense", "Activate", "Dense"]
    assert problem([0.2, 0.5])[0].layers[2::3] == (Dropout(0.2, 8), Dropout(0.5, 8))


def test_no_two_masks_share_memory_or_draws():
    network, parameters, X, y = problem([0.5, 0.5])
    workspaces = [Workspace(network, parameters, 6, np.random.RandomState(seed)) for seed in (0, 1)]
    masks = []
    for workspace in workspaces:
        network.loss_and_gradient(X, y, None, workspace)
        masks += [step.buffers["mask"] for step in workspace.parts(6)[0].layers if "mask" in step.buffers]
    assert len(masks) == 4
    for first, second in itertools.combinations(masks, 2):
        assert not np.shares_memory(first, second)
        assert not np.array_equal(first, second)


@each_dtype
@pytest.mark.parametrize("activation", [Tanh(), ReLU(), ELU()], ids=lambda f: type(f).__name__)
def test_without_a_source_of_random_numbers_there_is_no_dropout(activation, dtype):
    gradients = []
    for dropout in ([0.5, 0.5], []):
        network, parameters, X, y = problem(dropout, activation, dtype=dtype)
        workspace = Workspace(network, parameters, 6)
        objective = network.loss_and_gradient(X, y, None, workspace)
        gradients.append([*objective, *workspace.gradient.flat])
        assert workspace.gradient.flat.dtype == dtype
    np.testing.assert_array_equal(*gradients)


@pytest.mark.parametrize("dropout", [[0.5, 0.0], [0.0, 0.5], [0.3, 0.6]])
@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("activation", [Tanh(), ELU()], ids=lambda f: type(f).__name__)
def test_the_gradient_is_that_of_the_objective_for_the_masks_drawn(dropout, is_sparse, activation):
    network, parameters, X, y = problem(dropout, activation)
    X = csr_matrix(X) if is_sparse else X
    weight = np.random.RandomState(2).uniform(0.3, 2, 6)

    def step(theta):
        workspace = Workspace(network, theta, 6, np.random.RandomState(7))
        return network.loss_and_gradient(X, y, weight, workspace).total, workspace.gradient.flat

    total, gradient = step(parameters)
    numeric = np.empty_like(gradient)
    for i in range(gradient.size):

        def changed(value, i=i):
            theta = parameters.copy()
            theta.flat[i] = value
            return step(theta)[0]

        numeric[i] = reference.derivative(changed, parameters.flat[i])
    np.testing.assert_allclose(gradient, numeric, rtol=1e-7, atol=1e-9)
    certain = network.loss_and_gradient(X, y, weight, Workspace(network, parameters, 6))
    assert abs(certain.total - total) > 1e-3  # the masks did something


def test_units_left_out_learn_nothing():
    network, parameters, X, y = problem([0.5, 0.0], n_rows=1)
    network = Network(network.layers, network.loss)  # no penalty
    workspace = Workspace(network, parameters, 1, np.random.RandomState(0))
    network.loss_and_gradient(X, y, None, workspace)
    left_out = workspace.parts(1)[0].layers[2].buffers["mask"][0] == 0
    of_first, *_ = [layer for layer in workspace.gradient.layers if layer]
    assert left_out.any()
    assert not left_out.all()
    assert not of_first["weights"][:, left_out].any()
    assert of_first["weights"][:, ~left_out].all()


def test_the_mean_over_many_masks_is_the_network_at_prediction():
    # of a network that is linear after its dropout
    network = Network.mlp([3, 8, 2], Tanh(), SquaredError(), dropout=[0.5])
    generator = np.random.RandomState(0)
    parameters, X = network.initialize(generator, np.float64), generator.normal(size=(1, 3))
    rows = np.repeat(X, 50_000, axis=0)
    workspace = Workspace(network, parameters, len(rows), generator)
    targets = np.zeros((len(rows), 2))
    network.loss_and_gradient(rows, targets, None, workspace)
    steps = workspace.parts(len(rows))[0].layers
    last = steps[-1]
    raw = steps[2].buffers["kept"] @ last.parameters["weights"] + last.parameters["bias"]
    errors = 5 * raw.std(axis=0) / np.sqrt(len(rows))
    assert (abs(raw.mean(axis=0) - network.predict(X, parameters.layers)[0]) < errors).all()


def test_prediction_knows_no_dropout():
    certain, parameters, X, _ = problem([])
    uncertain, same, _, _ = problem([0.5, 0.5])
    np.testing.assert_array_equal(same.flat, parameters.flat)
    np.testing.assert_array_equal(
        uncertain.predict(X, same.layers), certain.predict(X, parameters.layers), strict=True
    )
    pairs = zip(
        uncertain.hidden_activations(X, same.layers),
        certain.hidden_activations(X, parameters.layers),
        strict=True,
    )
    for actual, expected in pairs:
        np.testing.assert_array_equal(actual, expected)


def test_a_short_batch_has_masks_of_its_own_length():
    network, parameters, X, y = problem([0.5, 0.5])
    gradients = []
    for n_rows in (6, 4):
        workspace = Workspace(network, parameters, n_rows, np.random.RandomState(3))
        network.loss_and_gradient(X[:4], y[:4], None, workspace)
        gradients.append(workspace.gradient.flat)
    np.testing.assert_array_equal(*gradients)


def peak_of_a_step(n_rows, width, dtype):
    """The most memory that a step of training needs at any time, once it has been taken before."""
    generator = np.random.RandomState(0)
    network = Network.mlp([5, width, width, 2], ReLU(), SquaredError(), dropout=[0.2, 0.5])
    parameters = network.initialize(generator, dtype)
    X, y = (generator.normal(size=(n_rows, n)).astype(dtype) for n in (5, 2))
    workspace, adam, peaks = Workspace(network, parameters, n_rows, generator), Adam(), []
    state = adam.init(parameters.flat)
    for _ in range(4):  # the least of them: other threads of the test runner allocate now and then
        tracemalloc.start()
        network.loss_and_gradient(X, y, None, workspace)
        adam.step(parameters.flat, workspace.gradient.flat, state, 1e-6)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return min(peaks[1:])


@each_dtype
def test_a_training_step_allocates_nothing_that_grows(dtype):
    with threadpool_limits(1):
        # NumPy's own buffers, of up to 8192 numbers, are full in the first already
        small, *larger = (peak_of_a_step(*size, dtype) for size in [(4096, 8), (2**16, 4), (512, 128)])
    assert max(larger) - small < 4096, (small, larger)
