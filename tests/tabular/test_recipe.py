"""The network, its first weights, and the rules of its training are those of the published recipe."""

import numpy as np
import pandas as pd
import pytest

from sknn_scratch.core import (
    PBLD,
    Activate,
    CategoryEmbedding,
    Dropout,
    GroupedAdam,
    LogLoss,
    NeuralTangent,
    Parameters,
    ParametricActivate,
    Scale,
    SquaredError,
    fit_first_weights,
)
from sknn_scratch.tabular import ScratchRealMLPClassifier, ScratchRealMLPRegressor, TabularPreprocessor
from sknn_scratch.tabular._network import factors, make_network
from sknn_scratch.tabular._presets import CLASSIFIER_PRESETS, REGRESSOR_PRESETS, chosen, with_objects


def table(n_rows=600):
    rng = np.random.RandomState(0)
    return pd.DataFrame(
        {
            "a": rng.gamma(1.0, 3.0, n_rows),
            "b": rng.normal(size=n_rows),
            "few": rng.choice(list("uvw"), n_rows),
            "many": rng.randint(20, size=n_rows).astype(str),
        }
    )


def network_of(preset, n_outputs=3, loss=None):
    limit = None if preset.max_one_hot == float("inf") else preset.max_one_hot
    preprocessor = TabularPreprocessor(max_one_hot=limit).fit(table())
    return make_network(
        with_objects(preset), preprocessor, n_outputs, loss or LogLoss()
    ), preprocessor.transform(table())


def test_td_is_the_published_network():
    network, X = network_of(CLASSIFIER_PRESETS["td"])
    first, scale, *hidden, output = network.layers
    assert [type(part.layer) for part in first.parts] == [PBLD, type(None), CategoryEmbedding]
    assert [part.n_outputs for part in first.parts] == [2 * 4, 3, 8]
    assert first.parts[2].layer.n_levels == 21
    assert scale == Scale(19)
    assert [type(layer) for layer in hidden] == [NeuralTangent, ParametricActivate, Dropout] * 3
    assert [layer.n_outputs for layer in hidden] == [256] * 9
    assert {layer.rate for layer in hidden[2::3]} == {0.15}
    assert (output.n_inputs, output.n_outputs) == (256, 3)
    assert type(hidden[1].activation).__name__ == "SELU"
    regressor, _ = network_of(REGRESSOR_PRESETS["td"], 1, SquaredError())
    assert type(regressor.layers[3].activation).__name__ == "Mish"
    assert X.dtype == np.float32


def test_td_s_is_the_published_network():
    network, _ = network_of(CLASSIFIER_PRESETS["td-s"])
    scale, *hidden, output = network.layers
    assert scale == Scale(2 + 3 + 20)
    assert [type(layer) for layer in hidden] == [NeuralTangent, Activate] * 3
    parameters = network.initialize(np.random.RandomState(0), np.float32)
    assert not parameters.layers[-1]["weights"].any()
    assert not parameters.layers[-1]["bias"].any()
    for name in ("weights", "bias"):
        assert parameters.layers[3][name].std() == pytest.approx(1.0, abs=0.1)
    assert output.n_outputs == 3


@pytest.mark.parametrize(
    ("presets", "rates"),
    [(CLASSIFIER_PRESETS, {"td": 0.04, "td-s": 0.04}), (REGRESSOR_PRESETS, {"td": 0.2, "td-s": 0.07})],
)
def test_settings_are_those_of_the_table(presets, rates):
    for name, rate in rates.items():
        preset = presets[name]
        assert preset.learning_rate_init == rate
        assert (preset.n_ens, preset.refit, preset.hidden_layer_sizes) == (1, False, (256, 256, 256))
        assert (preset.learning_rate, preset.regularization) == ("coslog4", "flat_cos")
        assert (preset.beta_1, preset.beta_2, preset.epsilon) == (0.9, 0.95, 1e-8)
        assert (preset.batch_size, preset.max_iter, preset.validation_fraction) == (256, 256, 0.2)
        assert (preset.dropout, preset.weight_decay) == ((0.15, 0.02) if name == "td" else (0, 0))
        assert preset.clip_predictions is (name == "td")
        assert preset.label_smoothing == 0.1


def test_groups_have_their_learning_rates_and_biases_no_decay():
    network, _ = network_of(CLASSIFIER_PRESETS["td"])
    rule, parameters = (
        GroupedAdam(weight_decay=0.02),
        network.initialize(np.random.RandomState(0), np.float32),
    )
    state = rule.init(parameters.flat)
    rule.set_factors(state, network.shapes, *factors(CLASSIFIER_PRESETS["td"]))
    rates, decays = (Parameters(network.shapes, state.factors[name]).layers for name in ("rate", "decay"))
    expected = {"weights": 1, "bias": 0.1, "scale": 6, "alpha": 0.1, "2.vectors": 1}
    for rate, decay in zip(rates, decays, strict=True):
        for name in rate:
            f = expected.get(name, 0.1)  # else one of the four of the numerical embedding
            np.testing.assert_allclose(rate[name], f, rtol=1e-6)
            np.testing.assert_allclose(decay[name], 0 if name == "bias" else f**2, rtol=1e-6)


def test_activations_start_with_the_variance_1_in_all_layers():
    """The distribution that the data-driven first weights aim at: no layer is louder than another."""
    network, X = network_of(CLASSIFIER_PRESETS["td"])
    rng = np.random.RandomState(0)
    parameters = network.initialize(rng, np.float32)
    fit_first_weights(network, parameters, X, rng)
    x = X
    for layer, of_layer in zip(network.layers, parameters.layers, strict=True):
        x = layer.forward(of_layer, x, layer.forward_buffers(len(X), np.float32))
        if isinstance(layer, NeuralTangent):
            np.testing.assert_allclose(x.std(axis=0), 1.0, rtol=1e-4)
        if isinstance(layer, NeuralTangent) and layer.n_outputs == 256:
            assert abs(x.mean()) < 0.2  # he+5 puts the units' kinks among the data


def test_none_is_the_presets_value_and_all_else_counts():
    preset = CLASSIFIER_PRESETS["td"]
    assert chosen(ScratchRealMLPClassifier(), preset) == preset
    other = chosen(ScratchRealMLPClassifier(dropout=0.3, hidden_layer_sizes=[7], scale_layer=False), preset)
    assert (other.dropout, other.hidden_layer_sizes, other.scale_layer) == (0.3, [7], False)
    assert other.weight_decay == preset.weight_decay


@pytest.mark.parametrize("estimator", [ScratchRealMLPClassifier, ScratchRealMLPRegressor])
def test_every_setting_of_a_preset_is_a_parameter(estimator):
    fields = set(vars(estimator._presets["td"]))
    not_of_it = (
        {"clip_predictions"} if estimator is ScratchRealMLPClassifier else {"label_smoothing", "calibrate"}
    )
    assert fields - not_of_it <= estimator().get_params().keys()
