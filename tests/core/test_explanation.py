"""What `explain` keeps of a step is the step, and what it prints is true."""

import html
import itertools
import math
import re
from dataclasses import dataclass
from unittest import mock

import numpy as np
import pytest
import reference
from scipy.sparse import csr_matrix
from scipy.special import expit

from sknn_scratch.core import (
    ACTIVATIONS,
    LOSSES,
    Activate,
    Activation,
    Dense,
    Loss,
    Network,
    Parameters,
    SquaredError,
    Tanh,
    Workspace,
    explain,
)

N_ROWS = 5
ARRAYS = ["input", "weights", "bias", "pre_activation", "activation"]
GRADIENTS = ["delta", "weights_gradient", "bias_gradient", "input_gradient"]

each_activation = pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
each_loss = pytest.mark.parametrize("loss", sorted(LOSSES))
each_kind_of_rows = pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "sparse"])


every_network = pytest.mark.parametrize(
    ("activation", "loss", "depth", "fit_intercept", "weighted", "l2"),
    reference.networks(ACTIVATIONS, LOSSES),
)


def problem(activation, loss, depth, fit_intercept=True, weighted=False, l2=0.0, dtype=np.float64):
    """A network, and what `explain` takes besides."""
    rng = np.random.RandomState(0)
    sizes = [3, *[4, 6, 5][:depth], 2]
    network = Network.mlp(sizes, ACTIVATIONS[activation](), LOSSES[loss](), l2, fit_intercept=fit_intercept)
    X = rng.normal(size=(N_ROWS, 3)).astype(dtype)
    y = reference.draw_targets(rng, network.loss, N_ROWS, 2).astype(dtype)
    weight = rng.uniform(0.3, 2.0, N_ROWS).astype(dtype) if weighted else None
    return network, network.initialize(rng, dtype), X, y, weight


def by_layer(parameters):
    """What the dense layers have."""
    return [layer for layer in parameters.layers if layer]


def arrays(step):
    """All arrays of a step by layer and name."""
    named = {
        (i, name): getattr(layer, name) for i, layer in enumerate(step.layers) for name in ARRAYS + GRADIENTS
    }
    return {key: array for key, array in named.items() if array is not None} | {"target": step.target}


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


@every_network
def test_every_array_is_the_textbooks(activation, loss, depth, fit_intercept, weighted, l2):
    network, parameters, X, y, weight = problem(activation, loss, depth, fit_intercept, weighted, l2)
    step = explain(network, parameters, X, y, weight)

    weights = [layer["weights"] for layer in by_layer(parameters)]
    biases = [layer.get("bias", np.zeros(1)) for layer in by_layer(parameters)]
    textbook = (X, y, weights, biases, activation, loss, weight)
    zs, inputs = reference.forward(X, weights, biases, activation)
    deltas = reference.deltas(*textbook)
    of_weights, of_biases = reference.gradients(*textbook, l2)
    assert (step.loss, step.penalty) == pytest.approx(
        reference.objective(*textbook, l2), rel=1e-12, abs=1e-12
    )
    np.testing.assert_array_equal(step.target, y)
    assert len(step.layers) == depth + 1
    for i, layer in enumerate(step.layers):
        last = i == depth
        np.testing.assert_array_equal(layer.weights, weights[i])
        assert_close(layer.input, inputs[i])
        assert_close(layer.pre_activation, zs[i])
        assert_close(layer.activation, reference.LOSSES[loss].inverse_link(zs[i]) if last else inputs[i + 1])
        assert_close(layer.delta, deltas[i])
        assert_close(layer.weights_gradient, of_weights[i])
        if fit_intercept:
            np.testing.assert_array_equal(layer.bias, biases[i])
            assert_close(layer.bias_gradient, of_biases[i])
        else:
            assert layer.bias is layer.bias_gradient is None
        if i > 0:
            assert_close(layer.input_gradient, deltas[i] @ weights[i].T)
        else:
            assert layer.input_gradient is None


@every_network
def test_it_is_the_step_that_trains_bit_for_bit(activation, loss, depth, fit_intercept, weighted, l2):
    network, parameters, X, y, weight = problem(activation, loss, depth, fit_intercept, weighted, l2)
    workspace = Workspace(network, parameters, N_ROWS)
    objective = network.loss_and_gradient(X, y, weight, workspace)
    step = explain(network, parameters, X, y, weight)
    assert (step.loss, step.penalty) == objective
    np.testing.assert_array_equal(step.layers[-1].activation, network.predict(X, parameters.layers))
    for layer, gradient in zip(step.layers, by_layer(workspace.gradient), strict=True):
        np.testing.assert_array_equal(layer.weights_gradient, gradient["weights"])
        if fit_intercept:
            np.testing.assert_array_equal(layer.bias_gradient, gradient["bias"])


@each_activation
@each_loss
@each_kind_of_rows
def test_nothing_is_changed_and_no_two_arrays_share_memory(activation, loss, is_sparse):
    network, parameters, X, y, weight = problem(activation, loss, 2, weighted=True, l2=0.7)
    data = csr_matrix(X) if is_sparse else X
    before = [array.copy() for array in (X, y, weight, parameters.flat)]
    kept = arrays(explain(network, parameters, data, y, weight)).values()

    memory = [array.data if isinstance(array, csr_matrix) else array for array in (*kept, data)]
    for one, other in itertools.combinations([*memory, y, weight, parameters.flat], 2):
        assert not np.shares_memory(one, other)
    for array in memory[:-1]:
        array[...] = np.nan
    for array, copied in zip((X, y, weight, parameters.flat), before, strict=True):
        np.testing.assert_array_equal(array, copied)
    np.testing.assert_array_equal(data.toarray() if is_sparse else data, before[0])


@pytest.mark.parametrize("kind", [Dense, Activate])
@pytest.mark.parametrize("method", ["forward", "backward"])
def test_the_networks_own_layers_run_once_each(kind, method):
    network, *given = problem("tanh", "squared_error", 3)
    with mock.patch.object(kind, method, autospec=True, side_effect=getattr(kind, method)) as spy:
        explain(network, *given)
    ran = [call.args[0] for call in spy.call_args_list]
    own = [layer for layer in network.layers if isinstance(layer, kind)]
    assert len(ran) == len(own) >= 3
    assert all(a is b for a, b in zip(ran, own if method == "forward" else reversed(own), strict=True))


def test_what_was_explained_stays_when_the_parameters_move_on():
    network, parameters, X, y, _ = problem("relu", "log_loss", 2, l2=0.7)
    step = explain(network, parameters, X, y)
    before = {key: array.copy() for key, array in arrays(step).items()}
    for array in (parameters.flat, X, y):
        array += 1
    explain(network, parameters, X, y)
    for key, array in arrays(step).items():
        np.testing.assert_array_equal(array, before[key])


@each_activation
@each_loss
def test_float32_stays_float32(activation, loss):
    network, parameters, X, y, weight = problem(activation, loss, 2, True, True, 0.7, np.float32)
    step = explain(network, parameters, X, y, weight)
    assert {array.dtype for array in arrays(step).values()} == {np.dtype(np.float32)}
    wide = Parameters(parameters.shapes, parameters.flat.astype(float))
    exact = explain(network, wide, *(array.astype(float) for array in (X, y, weight)))
    for key, array in arrays(exact).items():
        np.testing.assert_allclose(arrays(step)[key], array, rtol=1e-4, atol=1e-5)


@each_activation
@each_loss
def test_sparse_rows_give_what_dense_rows_give(activation, loss):
    network, parameters, X, y, weight = problem(activation, loss, 1, weighted=True, l2=0.7)
    X[0] = X[:, 1] = 0
    of_dense, of_sparse = (
        arrays(explain(network, parameters, data, y, weight)) for data in (X, csr_matrix(X))
    )
    assert isinstance(of_sparse[0, "input"], csr_matrix)
    of_sparse[0, "input"] = of_sparse[0, "input"].toarray()
    assert of_dense.keys() == of_sparse.keys()
    for key, array in of_dense.items():
        assert_close(of_sparse[key], array)


def test_one_row_is_a_batch():
    network, parameters, X, y, _ = problem("tanh", "log_loss", 1)
    step = explain(network, parameters, X[:1], y[:1])
    assert [layer.delta.shape for layer in step.layers] == [(1, 4), (1, 2)]
    with_others = explain(network, parameters, X, y)
    # the rows of delta share in the mean: one alone has N_ROWS times its share
    assert_close(step.layers[0].delta, N_ROWS * with_others.layers[0].delta[:1])


@dataclass
class SiLU(Activation):
    """An activation of one's own whose derivative needs z, without formulas."""

    def forward(self, z, out):
        np.multiply(z, expit(z), out=out)

    def backward(self, z, a, delta):
        delta *= expit(z) * (1 + z * (1 - expit(z)))


def test_an_activation_of_ones_own_keeps_its_z():
    rng = np.random.RandomState(0)
    network = Network.mlp([3, 4, 2], SiLU(), SquaredError())
    parameters = network.initialize(rng, np.float64)
    step = explain(network, parameters, rng.normal(size=(5, 3)), rng.normal(size=(5, 2)))
    first, last = step.layers
    assert_close(first.pre_activation, first.input @ first.weights + first.bias)
    assert_close(first.activation, first.pre_activation * expit(first.pre_activation))
    slope = reference.derivative(lambda z: z * expit(z), first.pre_activation)
    np.testing.assert_allclose(first.delta, last.input_gradient * slope, rtol=1e-9)
    assert first.formulas["activation"] == "a = f(z)"
    assert first.formulas["delta"] == "dL/dz = dL/da * (f'(z))"


class DenseThatUsesUpDelta(Dense):
    """Backward of a layer may do with delta what it likes."""

    def backward(self, parameters, gradient, x, delta, buffers):
        delta_x = super().backward(parameters, gradient, x, delta, buffers)
        delta[...] = np.nan
        return delta_x


def test_delta_is_what_a_layer_was_given():
    network, *given = problem("tanh", "squared_error", 2)
    layers = [
        layer if isinstance(layer, Activate) else DenseThatUsesUpDelta(layer.n_inputs, layer.n_outputs)
        for layer in network.layers
    ]
    greedy = explain(Network(tuple(layers), SquaredError()), *given)
    for layer, expected in zip(greedy.layers, explain(network, *given).layers, strict=True):
        np.testing.assert_array_equal(layer.delta, expected.delta)


def test_each_hidden_layer_tells_of_its_own_activation():
    rng = np.random.RandomState(0)
    names = sorted(ACTIVATIONS)
    kinds = [ACTIVATIONS[name]() for name in names]
    network = Network.mlp([3, *[4] * len(names), 2], kinds, SquaredError())
    parameters = network.initialize(rng, np.float64)
    step = explain(network, parameters, rng.normal(size=(5, 3)), rng.normal(size=(5, 2)))
    for name, kind, layer in zip(names, kinds, step.layers[:-1], strict=True):
        assert layer.formulas["activation"] == f"a = {kind.formula}"
        assert_close(layer.activation, reference.ACTIVATIONS[name][0](layer.pre_activation))


def test_a_dense_layer_after_a_dense_layer_has_the_identity_between_them():
    rng = np.random.RandomState(0)
    network = Network((Dense(3, 4), Dense(4, 2)), SquaredError(), 0.7)
    parameters = network.initialize(rng, np.float64)
    step = explain(network, parameters, rng.normal(size=(5, 3)), rng.normal(size=(5, 2)))
    first, last = step.layers
    np.testing.assert_array_equal(first.activation, first.pre_activation)
    np.testing.assert_array_equal(first.activation, last.input)
    np.testing.assert_array_equal(first.delta, last.input_gradient)
    assert not np.shares_memory(first.activation, first.pre_activation)
    assert first.formulas["weights_gradient"] == "dL/dW = x^T dL/dz + 0.7 W / n"
    assert [title for title, _ in printed(step)] == TITLES_OF_TWO_LAYERS


# The formulas.


def evaluate(formula, **values):
    """A formula as it is printed, evaluated number by number; the columns of a pair side by side."""
    code = compile(formula.replace("^", "**"), formula, "eval")
    functions = {**vars(math), "sign": np.sign}

    def of_numbers(*numbers):
        result = eval(code, functions, dict(zip(values, numbers, strict=True)))
        return tuple(map(float, result)) if isinstance(result, tuple) else float(result)

    result = np.vectorize(of_numbers)(*values.values())
    return np.hstack(result) if isinstance(result, tuple) else result


def is_pointwise(formula):
    """Whether it has neither sums nor indices, such as p_y or [k = y]."""
    return not re.search(r"_|\[", formula)


def right_side(formula):
    return formula.partition(" = ")[2]


def names(loss, p, y):
    """What the formulas of a loss call its settings, predictions and targets."""
    columns = zip(("mu", "sigma"), reference.halves(p), strict=True) if "mu" in loss.formula else [("p", p)]
    return {**loss.get_params(), **dict(columns), "y": y}


def smooth_targets(loss, n_rows, n_outputs):
    """Targets for which the formula has a value: that of Poisson has the logarithm of y."""
    y = reference.draw_targets(np.random.RandomState(1), loss, n_rows, n_outputs)
    return y + 1 if loss.link_inverse == "exp" else y


@each_activation
def test_formulas_of_activations_are_what_they_compute(activation):
    function = ACTIVATIONS[activation]()
    z = np.linspace(-3.0, 3.0, 13)  # 0, where some have a kink, included
    a, slope = np.empty_like(z), np.ones_like(z)
    function.forward(z.copy(), out=a)
    called = {**function.get_params(), "z": z}
    assert_close(evaluate(function.formula, **called), a)
    function.backward(z.copy(), a.copy(), slope)
    assert_close(evaluate(function.derivative, **called, a=a), slope)


@each_loss
def test_formulas_of_losses_are_what_they_compute(loss):
    of_loss = LOSSES[loss]()
    assert of_loss.formula != Loss.formula
    assert of_loss.derivative != Loss.derivative
    raw, gradient = np.random.RandomState(0).normal(size=(7, 2)), np.empty((7, 2))
    y = smooth_targets(of_loss, 7, 2)
    called = names(of_loss, reference.LOSSES[loss].inverse_link(raw), y)
    if is_pointwise(of_loss.formula):
        value = of_loss.value_and_gradient(raw.copy(), y, None, gradient, np.empty(7))
        assert value == pytest.approx(evaluate(of_loss.formula, **called).sum() / 7, rel=1e-12)
        assert_close(gradient, evaluate(of_loss.derivative, **called) / 7)
    else:
        assert of_loss.link_inverse == "softmax"


@each_activation
@each_loss
def test_formulas_of_a_step_are_what_it_computes(activation, loss):
    network, parameters, X, _, _ = problem(activation, loss, 2, l2=0.7)
    step = explain(network, parameters, X, smooth_targets(network.loss, N_ROWS, 2))
    *hidden, last = step.layers
    for layer, after in zip(hidden, step.layers[1:], strict=True):
        z, a = layer.pre_activation, layer.activation
        called = {**ACTIVATIONS[activation]().get_params(), "z": z}
        assert_close(evaluate(right_side(layer.formulas["activation"]), **called), a)
        formula = right_side(layer.formulas["delta"]).replace("dL/da", "of_a")
        assert_close(evaluate(formula, **called, of_a=after.input_gradient, a=a), layer.delta)
    # sums over rows and outputs
    assert step.formulas["loss"] == f"sum of ({network.loss.formula}) / n"
    assert last.formulas["delta"] == f"dL/dz = ({network.loss.derivative}) / n"
    link = right_side(last.formulas["activation"])
    if is_pointwise(link):
        assert_close(evaluate(link, z=last.pre_activation), last.activation)
    if is_pointwise(network.loss.formula):
        called = names(network.loss, last.activation, step.target)
        assert evaluate(network.loss.formula, **called).sum() / N_ROWS == pytest.approx(step.loss, rel=1e-12)
        assert_close(evaluate(network.loss.derivative, **called) / N_ROWS, last.delta)


@pytest.mark.parametrize("fit_intercept", [False, True], ids=["unbiased", "biased"])
@pytest.mark.parametrize("l2", [0.0, 0.7])
def test_matrix_formulas_are_what_they_compute(fit_intercept, l2):
    step = explain(*problem("tanh", "squared_error", 2, fit_intercept=fit_intercept, l2=l2))
    meaning = {
        "z = x W": lambda layer: layer.input @ layer.weights,
        "z = x W + b": lambda layer: layer.input @ layer.weights + layer.bias,
        "dL/dW = x^T dL/dz": lambda layer: layer.input.T @ layer.delta,
        "dL/dW = x^T dL/dz + 0.7 W / n": lambda layer: (
            layer.input.T @ layer.delta + 0.7 * layer.weights / N_ROWS
        ),
        "dL/db = 1^T dL/dz": lambda layer: np.ones(N_ROWS) @ layer.delta,
        "dL/dx = dL/dz W^T": lambda layer: layer.delta @ layer.weights.T,
    }
    for layer in step.layers:
        for name in ("pre_activation", "weights_gradient", "bias_gradient", "input_gradient"):
            if getattr(layer, name) is not None:
                assert_close(meaning[layer.formulas[name]](layer), getattr(layer, name))
    norm = sum((layer.weights**2).sum() for layer in step.layers)
    assert step.formulas["penalty"] == f"{l2:g} ||W||^2 / (2 n)"
    assert step.penalty == pytest.approx(l2 * norm / (2 * N_ROWS), rel=1e-12)


# The text.

TITLES_OF_TWO_LAYERS = [
    *("input", "weights", "bias", "pre-activation", "activation") * 2,
    "target",
    *("delta", "weights gradient", "bias gradient", "input gradient"),
    *("delta", "weights gradient", "bias gradient"),
]


def printed(step):
    """The title of each array in the text, and the numbers below it."""
    blocks = re.findall(r"^  (\w[\w -]+?)  +(?:\S.*)\)\n((?:    .*\n?)+)", str(step), flags=re.MULTILINE)
    return [
        (title, [float(number) for number in re.sub(r"[][]", " ", text).split()]) for title, text in blocks
    ]


def test_the_text_goes_forward_and_back_again():
    text = str(explain(*problem("tanh", "squared_error", 2)))
    headings = re.findall(r"^\w.*$", text, flags=re.MULTILINE)
    layers = ["Layer 1", "Layer 2", "Layer 3"]
    assert headings == ["FORWARD", *layers, "LOSS", "BACKWARD, of L = loss + penalty", *reversed(layers)]


@each_activation
@each_loss
@pytest.mark.parametrize("fit_intercept", [False, True], ids=["unbiased", "biased"])
@pytest.mark.parametrize("l2", [0.0, 0.7])
def test_the_text_has_every_formula_and_both_parts_of_the_objective(activation, loss, fit_intercept, l2):
    step = explain(*problem(activation, loss, 1, fit_intercept=fit_intercept, l2=l2))
    text = str(step)
    for layer in step.layers:
        for name in ARRAYS + GRADIENTS:
            if getattr(layer, name) is not None:
                shape = " x ".join(map(str, getattr(layer, name).shape))
                assert f"{layer.formulas[name]}   ({shape})\n" in text + "\n"
    for name in ("loss", "penalty"):
        value = re.search(rf"^  {name} +{re.escape(step.formulas[name])} = (\S+)$", text, re.MULTILINE)[1]
        assert float(value) == pytest.approx(getattr(step, name), rel=1e-5)
    assert ("bias" in text) is fit_intercept


@each_kind_of_rows
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_text_has_the_numbers_of_every_array(is_sparse, dtype):
    network, parameters, X, y, _ = problem("tanh", "squared_error", 1, dtype=dtype)
    X[0, :2] = 0
    step = explain(network, parameters, csr_matrix(X) if is_sparse else X, y)
    first, last = step.layers
    forward = [getattr(layer, name) for layer in step.layers for name in ARRAYS]
    expected = [X, *forward[1:], y]
    expected += [getattr(last, name) for name in GRADIENTS]
    expected += [getattr(first, name) for name in GRADIENTS[:-1]]
    assert [title for title, _ in printed(step)] == TITLES_OF_TWO_LAYERS
    for (title, numbers), array in zip(printed(step), expected, strict=True):
        np.testing.assert_allclose(numbers, array.ravel(), rtol=1e-3, err_msg=title)


def test_gradients_that_all_but_vanish_are_not_printed_as_zero():
    network, parameters, X, y, _ = problem("tanh", "squared_error", 1)
    by_layer(parameters)[1]["weights"][...] *= 1e-12
    step = explain(network, parameters, X, y)
    assert 0 < np.abs(step.layers[0].delta).max() < 1e-11
    deltas = [numbers for title, numbers in printed(step) if title == "delta"]
    np.testing.assert_allclose(deltas[1], step.layers[0].delta.ravel(), rtol=1e-3)


def test_columns_of_small_negative_numbers_stand_below_each_other():
    network, parameters, X, y, _ = problem("tanh", "squared_error", 1)
    X *= -1e-12
    text = str(explain(network, parameters, X, y))
    rows = re.findall(r"^    (?:\[| )\[.*[^]](?=\]+$)", text.partition("weights")[0], flags=re.MULTILINE)
    assert len(rows) == N_ROWS
    assert len({len(row) for row in rows}) == 1


@each_kind_of_rows
def test_a_large_batch_is_abbreviated(is_sparse):
    rng = np.random.RandomState(0)
    network = Network.mlp([300, 100, 50], Tanh(), SquaredError())
    parameters = network.initialize(rng, np.float64)
    X, y = rng.normal(size=(200, 300)), rng.normal(size=(200, 50))
    text = str(explain(network, parameters, csr_matrix(X) if is_sparse else X, y))
    assert "x   (200 x 300)" in text
    assert "..." in text
    assert len(text.splitlines()) < 200
    assert max(map(len, text.splitlines())) <= 110


def test_in_a_notebook_the_same_text_folds_by_layer():
    step = explain(*problem("leaky_relu", "squared_error", depth=2))
    page = step._repr_html_()
    folds = re.findall(r"<details open><summary>(.*?)</summary><pre>(.*?)</pre></details>", page, re.S)
    assert [title for title, _ in folds] == [
        *("Layer 1", "Layer 2", "Layer 3", "LOSS"),
        *("Layer 3", "Layer 2", "Layer 1"),
    ]
    assert re.findall(r"<p><b>(.*?)</b></p>", page) == ["FORWARD", "BACKWARD, of L = loss + penalty"]
    text = html.unescape(re.sub(r"<[^>]*>", "\n", page))
    assert text.split() == str(step).split()
