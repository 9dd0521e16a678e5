import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import reference
from helpers.memory import peak_memory
from helpers.pairs import each_pair
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from sknn_scratch.core import (
    ACTIVATIONS,
    LOSSES,
    Activate,
    Adam,
    Dense,
    Network,
    Parameters,
    ReLU,
    SquaredError,
    Tanh,
    Workspace,
    prediction,
)

each_loss = pytest.mark.parametrize("loss", sorted(LOSSES))


def build(activation, loss, sizes, l2=0.0):
    return Network.mlp(sizes, ACTIVATIONS[activation](), LOSSES[loss](), l2)


def problem(network, n_rows, seed, dtype=np.float64):
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_rows, network.layers[0].n_inputs)).astype(dtype)
    y = reference.draw_targets(rng, network.loss, n_rows, network.n_outputs).astype(dtype)
    weight = rng.uniform(0.3, 2.0, n_rows).astype(dtype)
    return X, y, weight, network.initialize(rng, dtype)


def distance_to_kink(activation, loss, network, X, y, parameters):
    """The least distance from 0 of a pre-activation: there ReLU and its like have no derivative.

    Or that of a raw score from a kink of the loss. It is 0 if the activation has a kink elsewhere, which a
    pre-activation is near to.
    """
    raw = network.raw_scores(X, parameters.layers)
    distances, x = [reference.distance_to_kink(loss, raw, y)], X
    for layer, theta in zip(network.layers[:-1], parameters.layers[:-1], strict=True):
        x = layer.forward(theta, x.copy(), layer.forward_buffers(len(X), X.dtype))
        if isinstance(layer, Dense):
            distances.append(0.0 if reference.crosses_kink(activation, x, 0.02) else np.abs(x).min())
    return min(distances)


@each_pair
@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("l2", [0.0, 0.7])
def test_the_gradient_is_that_of_the_objective(activation, loss, depth, weighted, l2):
    network = build(activation, loss, [3, *[4] * depth, 2], l2)
    for seed in itertools.count():
        X, y, weight, parameters = problem(network, 5, seed)
        weight = weight if weighted else None
        workspace = Workspace(network, parameters, 5)
        network.loss_and_gradient(X, y, weight, workspace)
        of_layers = [array for layer in workspace.gradient.layers for array in layer.values()]
        # neither near a kink nor with a layer that learns nothing, which would prove nothing
        is_alive = all(np.linalg.norm(array) > 1e-4 for array in of_layers)
        if distance_to_kink(activation, loss, network, X, y, parameters) > 0.02 and is_alive:
            break
        assert seed < 2000
    analytic = workspace.gradient.flat.copy()

    numeric = np.empty_like(analytic)
    for i in range(analytic.size):

        def total(value, i=i):
            theta = parameters.copy()
            theta.flat[i] = value
            return network.loss_and_gradient(X, y, weight, Workspace(network, theta, 5)).total

        numeric[i] = reference.derivative(total, parameters.flat[i])

    assert np.linalg.norm(analytic - numeric) < 1e-6 * np.linalg.norm(numeric)
    for layer, expected in zip(
        Parameters(network.shapes, analytic).layers, Parameters(network.shapes, numeric).layers, strict=True
    ):
        for name in layer:
            error = np.linalg.norm(layer[name] - expected[name])
            assert error < 1e-6 * np.linalg.norm(expected[name]), name


@each_pair
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(
    n_rows=st.integers(1, 20),
    hidden=st.lists(st.integers(1, 8), max_size=3),
    n_inputs=st.integers(1, 8),
    n_outputs=st.integers(1, 5),
    l2=st.sampled_from([0.0, 0.3]),
    weighted=st.booleans(),
    is_sparse=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
    spare_rows=st.integers(0, 3),
    seed=st.integers(0, 2**20),
)
def test_loss_gradient_and_predictions_are_the_textbooks(
    activation, loss, n_rows, hidden, n_inputs, n_outputs, l2, weighted, is_sparse, dtype, spare_rows, seed
):
    sizes = [n_inputs, *hidden, n_outputs * LOSSES[loss]().raw_per_target]
    network = build(activation, loss, sizes, l2)
    X, y, weight, parameters = problem(network, n_rows, seed, dtype)
    weight = weight if weighted else None
    workspace = Workspace(network, parameters, n_rows + spare_rows)
    data = csr_matrix(X) if is_sparse else X

    weights, biases = reference.unflatten(parameters.flat, sizes)
    wide = (X.astype(float), y.astype(float), weights, biases, activation, loss)
    wide_weight = None if weight is None else weight.astype(float)
    expected_loss, expected_penalty = reference.objective(*wide, wide_weight, l2)
    expected = reference.flatten(*reference.gradients(*wide, wide_weight, l2))
    raw = reference.forward(X.astype(float), weights, biases, activation)[0][-1]
    tol = 1e-10 if dtype is np.float64 else 3e-5

    for _ in range(2):  # the second time with used buffers
        # as in training: now and then BLAS raises the flag for what lies beside an array
        with np.errstate(invalid="ignore"):
            objective = network.loss_and_gradient(data, y, weight, workspace)
        assert objective.loss == pytest.approx(expected_loss, rel=tol, abs=tol)
        assert objective.penalty == pytest.approx(expected_penalty, rel=tol)
        gradient = workspace.gradient.flat
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, expected, rtol=tol, atol=tol * max(1, np.abs(expected).max()))

    scores, predictions = (
        network.raw_scores(data, parameters.layers),
        network.predict(data, parameters.layers),
    )
    assert scores.dtype == predictions.dtype == dtype
    np.testing.assert_allclose(scores, raw, rtol=tol, atol=tol * max(1, np.abs(raw).max()))
    np.testing.assert_allclose(
        predictions, reference.LOSSES[loss].inverse_link(raw), rtol=10 * tol, atol=10 * tol
    )


def test_the_objective_knows_its_parts():
    network = build("tanh", "squared_error", [3, 2, 2], l2=0.5)
    X, y, _, parameters = problem(network, 6, 0)
    objective = network.loss_and_gradient(X, y, None, Workspace(network, parameters, 6))
    assert objective.total == objective.loss + objective.penalty


def test_a_batch_is_left_as_it_was():
    for activation, loss in itertools.product(ACTIVATIONS, LOSSES):
        network = build(activation, loss, [3, 4, 2], l2=0.1)
        X, y, weight, parameters = problem(network, 6, 0)
        before = [array.copy() for array in (X, y, weight, parameters.flat)]
        network.loss_and_gradient(X, y, weight, Workspace(network, parameters, 6))
        network.predict(X, parameters.layers)
        for array, copied in zip((X, y, weight, parameters.flat), before, strict=True):
            np.testing.assert_array_equal(array, copied)


def test_a_penalty_given_as_a_numpy_scalar_does_not_widen_float32():
    gradients = []
    for l2 in (0.3, np.float64(0.3)):
        network = build("relu", "squared_error", [20, 30, 1], l2)
        X, y, _, parameters = problem(network, 7, 0, np.float32)
        workspace = Workspace(network, parameters, 7)
        network.loss_and_gradient(X, y, None, workspace)
        gradients.append(workspace.gradient.flat)
    np.testing.assert_array_equal(*gradients)


@each_pair
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_training_step_allocates_nothing_that_grows(activation, loss, weighted, dtype):
    # NumPy's ufuncs buffer up to 8192 numbers when they broadcast, or work on some of the columns, and
    # activations of many passes work on 2**16 at a time. The first case has that many already, in half of its
    # outputs too; in the others an array as long as the batch, even of bool, or as long as the parameters
    # would take more.
    peaks = []
    for n_rows, width in [(2**14, 8), (2**17, 2), (256, 256)]:
        network = build(activation, loss, [5, width, width, 4], l2=0.1)
        X, y, weight, parameters = problem(network, n_rows, 0, dtype)
        workspace, adam = Workspace(network, parameters, n_rows), Adam()
        state = adam.init(parameters.flat)

        def step(
            network=network,
            batch=(X, y, weight if weighted else None),
            workspace=workspace,
            adam=adam,
            state=state,
        ):
            network.loss_and_gradient(*batch, workspace)
            adam.step(workspace.parameters.flat, workspace.gradient.flat, state, 1e-6)

        with threadpool_limits(1):  # threads of several test processes would wait for each other
            peaks.append(peak_memory(step))
    assert max(peaks) - peaks[0] < 2**14, peaks  # objects of Python come and go; a bool a row would be 2**17


@each_loss
@pytest.mark.parametrize("block", [1, 240, 400, 10**9])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_predictions_do_not_depend_on_the_block_of_rows(monkeypatch, loss, block, is_sparse):
    network = build("relu", loss, [3, 4, 2])
    X, _, _, parameters = problem(network, 11, 0)
    expected = network.predict(X, parameters.layers)
    monkeypatch.setattr(prediction, "BYTES_OF_A_BLOCK", block)
    actual = network.predict(csr_matrix(X) if is_sparse else X, parameters.layers)
    np.testing.assert_allclose(actual, expected, rtol=1e-13)


def test_no_rows_give_no_predictions():
    network = build("relu", "squared_error", [3, 4, 2])
    parameters = network.initialize(np.random.RandomState(0), np.float64)
    assert network.predict(np.empty((0, 3)), parameters.layers).shape == (0, 2)


@pytest.mark.parametrize("of_weights", [np.float32, np.float64])
@pytest.mark.parametrize("of_data", [np.float32, np.float64, np.int8, np.int64, np.bool_])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_dtypes_are_promoted_as_by_numpy(of_weights, of_data, is_sparse):
    network = build("relu", "squared_error", [3, 4, 2])
    parameters = network.initialize(np.random.RandomState(0), of_weights)
    X = np.random.RandomState(1).randint(0, 2, size=(5, 3)).astype(of_data)
    raw = network.raw_scores(csr_matrix(X) if is_sparse else X, parameters.layers)
    assert raw.dtype == (X @ parameters.layers[0]["weights"]).dtype
    weights, biases = reference.unflatten(parameters.flat, [3, 4, 2])
    expected = reference.forward(X.astype(float), weights, biases, "relu")[0][-1]
    np.testing.assert_allclose(raw, expected, rtol=1e-5, atol=1e-6)


def test_eight_threads_predict_what_one_does(monkeypatch):
    monkeypatch.setattr(prediction, "BYTES_OF_A_BLOCK", 4000)
    network = build("tanh", "log_loss", [5, 20, 3])
    parameters = network.initialize(np.random.RandomState(0), np.float64)
    batches = [np.random.RandomState(seed).normal(size=(100 + seed, 5)) for seed in range(8)]
    alone = [network.predict(X, parameters.layers) for X in batches]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            together = pool.map(lambda X: network.predict(X, parameters.layers), batches)
            for actual, expected in zip(together, alone, strict=True):
                np.testing.assert_array_equal(actual, expected)


def test_a_multi_layer_perceptron_has_an_activation_between_any_two_dense_layers():
    kinds = [type(layer).__name__ for layer in Network.mlp([3, 4, 5, 2], ReLU(), SquaredError()).layers]
    assert kinds == ["Dense", "Activate", "Dense", "Activate", "Dense"]
    assert [type(layer).__name__ for layer in Network.mlp([3, 2], ReLU(), SquaredError()).layers] == ["Dense"]


@pytest.mark.parametrize(
    "layers",
    [
        (),
        (Activate(Tanh(), 2), Dense(2, 1)),
        (Dense(2, 1), Activate(Tanh(), 1)),
        (Dense(2, 3), Activate(Tanh(), 3), Activate(Tanh(), 3), Dense(3, 1)),
    ],
)
def test_layers_that_would_share_memory_wrongly_are_refused(layers):
    with pytest.raises(ValueError, match="must have weights"):
        Network(layers, SquaredError())
