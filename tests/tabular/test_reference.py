"""Networks for tables and their optimizer are what the papers say, in the words of the naive reference."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import reference
import reference_layers
from hypothesis import given, settings
from hypothesis import strategies as st

from sknn_scratch.core import ACTIVATIONS, GroupedAdam, LogLoss, Parameters, Scale, SquaredError, Workspace
from sknn_scratch.tabular._network import factors, make_network
from sknn_scratch.tabular._presets import Preset

LOSSES = {"squared_error": (SquaredError(), {}), "log_loss": (LogLoss(0.1), {"label_smoothing": 0.1})}


@st.composite
def problems(draw):
    """A network for a table, how the reference describes it, and data for both."""
    n_numbers, n_one_hot = draw(st.integers(0, 4)), draw(st.integers(0, 3))
    n_levels = draw(st.lists(st.integers(1, 5), min_size=0 if n_numbers + n_one_hot else 1, max_size=2))
    activation, loss = draw(st.sampled_from(sorted(ACTIVATIONS))), draw(st.sampled_from(sorted(LOSSES)))
    preset = Preset(
        hidden_layer_sizes=draw(st.lists(st.integers(1, 6), max_size=3)),
        activation=ACTIVATIONS[activation](),
        parametric_activation=draw(st.booleans()),
        scale_layer=draw(st.booleans()),
        numerical_embedding=draw(st.booleans()),
        n_frequencies=draw(st.integers(1, 5)),
        numerical_embedding_size=draw(st.integers(2, 4)),
        category_embedding_size=draw(st.integers(1, 4)),
        dropout=0.0,
    )
    n_outputs, n_rows = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    columns = SimpleNamespace(n_numbers_=n_numbers, n_one_hot_=n_one_hot, n_levels_=n_levels)
    network = make_network(preset, columns, n_outputs, LOSSES[loss][0])
    network = replace(network, l2=draw(st.sampled_from([0.0, 0.3])))

    embedding = "pbld" if preset.numerical_embedding else None
    groups = [(n_numbers, embedding), (n_one_hot, None), *((1, "category_embedding") for _ in n_levels)]
    groups = [group for group in groups if group[0]]
    layers = [("columns", groups)] if any(layer for _, layer in groups) else []
    layers += [("scale",)] if preset.scale_layer else []
    kind = "parametric_activate" if preset.parametric_activation else "activate"
    layers += [("neural_tangent",), (kind, activation)] * len(preset.hidden_layer_sizes)
    layers += [("neural_tangent",)]
    if not n_levels and draw(st.booleans()):  # the layers after the first hand gradients back
        network = replace(network, layers=(Scale(n_numbers + n_one_hot), *network.layers))
        layers = [("scale",), *layers]

    rng = np.random.RandomState(draw(st.integers(0, 2**20)))
    parameters = network.initialize(rng, np.float64)
    parameters.flat += rng.normal(scale=0.1, size=parameters.flat.size)  # so that no factor is 1
    levels = [rng.randint(n, size=n_rows) for n in n_levels]
    X = np.column_stack([rng.normal(size=(n_rows, n_numbers + n_one_hot)), *levels])
    y = reference.draw_targets(rng, network.loss, n_rows, n_outputs)
    weight = rng.uniform(0.3, 2.0, n_rows) if draw(st.booleans()) else None
    return preset, network, parameters, (layers, loss, LOSSES[loss][1]), (X, y, weight)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(problem=problems(), spare_rows=st.integers(0, 3))
def test_loss_gradient_and_predictions_are_the_papers(dtype, problem, spare_rows):
    _, network, parameters, (layers, loss, of_loss), data = problem
    parameters = Parameters(network.shapes, parameters.flat.astype(dtype))
    X, y, weight = (None if array is None else array.astype(dtype) for array in data)
    workspace = Workspace(network, parameters, len(X) + spare_rows)

    wide = [None if array is None else array.astype(float) for array in (X, y, weight)]
    thetas = [{name: array.astype(float) for name, array in p.items()} for p in parameters.layers]
    textbook = {"sample_weight": wide[2], "l2": network.l2, **of_loss}
    expected_loss, penalty = reference_layers.layer_objective(*wide[:2], layers, thetas, loss, **textbook)
    expected = reference_layers.layer_gradients(*wide[:2], layers, thetas, loss, **textbook)
    raw = reference_layers.layer_inputs(wide[0], layers, thetas)[-1]
    tol = 1e-10 if dtype is np.float64 else 5e-5

    for _ in range(2):  # the second time with used buffers
        objective = network.loss_and_gradient(X, y, weight, workspace)
        assert objective.loss == pytest.approx(expected_loss, rel=tol, abs=tol)
        assert objective.penalty == pytest.approx(penalty, rel=tol)
        for actual, of_layer in zip(workspace.gradient.layers, expected, strict=True):
            assert actual.keys() == of_layer.keys()
            for name, array in of_layer.items():
                atol = tol * max(1, np.abs(array).max())
                np.testing.assert_allclose(actual[name], array, rtol=tol, atol=atol, err_msg=name)
    scores = network.raw_scores(X, parameters.layers)
    np.testing.assert_allclose(scores, raw, rtol=tol, atol=tol * max(1, np.abs(raw).max()))


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    problem=problems(),
    weight_decay=st.sampled_from([0.0, 0.1]),
    bias_decay=st.sampled_from([0.0, 2.0]),
    strength=st.sampled_from([1.0, 0.25]),
)
def test_steps_of_grouped_adam_are_the_papers(problem, weight_decay, bias_decay, strength):
    preset, network, parameters, (layers, loss, of_loss), (X, y, weight) = problem
    preset = replace(preset, bias_decay=bias_decay, category_embedding_rate=0.5)
    rates, decays = factors(preset)
    rule = GroupedAdam(weight_decay, 0.8, 0.9, 1e-3)
    state, workspace = rule.init(parameters.flat), Workspace(network, parameters, len(X))
    rule.set_factors(state, network.shapes, rates, decays)
    state.regularization = strength

    thetas = [{name: array.copy() for name, array in p.items()} for p in parameters.layers]
    names = [name.rpartition(".")[2] for p in thetas for name in p]
    of_arrays = [rates.get(name, 1.0) for name in names], [decays.get(name, 1.0) for name in names]
    ms = vs = [np.zeros_like(array) for p in thetas for array in p.values()]
    for t in range(1, 6):
        network.loss_and_gradient(X, y, weight, workspace)
        rule.step(parameters.flat, workspace.gradient.flat, state, learning_rate=0.01)

        gradients = reference_layers.layer_gradients(
            X, y, layers, thetas, loss, sample_weight=weight, l2=network.l2, **of_loss
        )
        arrays = [array for p in thetas for array in p.values()]
        of_gradients = [found[name] for p, found in zip(thetas, gradients, strict=True) for name in p]
        arrays, ms, vs = reference_layers.grouped_adam_step(
            *(arrays, of_gradients, ms, vs, t, 0.01, strength * weight_decay, 0.8, 0.9, 1e-3), *of_arrays
        )
        stepped = iter(arrays)
        thetas = [{name: next(stepped) for name in p} for p in thetas]
    for actual, expected in zip(parameters.layers, thetas, strict=True):
        for name, array in expected.items():
            np.testing.assert_allclose(actual[name], array, rtol=1e-7, atol=1e-9, err_msg=name)
