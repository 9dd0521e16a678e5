"""The numbers of one unit."""

import numpy as np
import pytest

from sknn_scratch import explain_step
from sknn_scratch.playground.explanation import explain_unit
from sknn_scratch.playground.session import Session
from sknn_scratch.playground.settings import Settings


@pytest.mark.parametrize(
    ("layer", "name"), [(1, "hidden 1, unit 2"), (2, "hidden 2, unit 2"), (3, "output 2")]
)
def test_a_unit_has_the_numbers_of_explain_step(layer, name):
    session = Session(Settings().changed(dataset="blobs", features=("x1", "product")))
    session.train_epochs(2)
    unit = explain_unit(session, row=5, layer=layer, unit=1)
    step = explain_step(session.fitted(), session.train.batch.X[[5]], session.train.y[[5]])
    expected = step.layers[layer - 1]
    assert unit.title == name
    np.testing.assert_array_equal([term.weight for term in unit.terms[:-1]], expected.weights[:, 1])
    np.testing.assert_array_equal(
        [term.gradient for term in unit.terms[:-1]], expected.weights_gradient[:, 1]
    )
    assert unit.terms[-1][:3] == ("bias", 1.0, expected.bias[1])
    assert unit.delta == expected.delta[0, 1]
    assert unit.loss == step.loss
    z = sum(term.value * term.weight for term in unit.terms)
    assert unit.pre_activation == pytest.approx(z)
    for term in unit.terms:
        assert term.gradient == pytest.approx(unit.delta * term.value)


def test_names_of_inputs_are_those_of_the_features():
    session = Session(Settings().changed(features=("x1", "product"), fit_intercept=False))
    assert [term.name for term in explain_unit(session, 0, 1, 0).terms] == ["x₁", "x₁x₂"]
    assert explain_unit(session, 0, 2, 0).terms[0].name == "hidden 1, unit 1"
