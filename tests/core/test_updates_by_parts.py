"""An update of a long vector, part by part and by several threads, is the rule applied to each number."""

import contextlib

import numpy as np
import pytest

from sknn_scratch.core import OPTIMIZERS, GroupedAdam, Team

N_WEIGHTS, N_BIASES = 150_000, 80_001  # parts and threads end elsewhere
PIECE = 10_000
SHAPES = [{"weights": (N_WEIGHTS,)}, {"bias": (N_BIASES,)}]
RULES = {name: kind() for name, kind in OPTIMIZERS.items()} | {"grouped_adam": GroupedAdam(weight_decay=0.1)}


def state_for(rule, theta):
    state = rule.init(theta)
    if isinstance(rule, GroupedAdam):
        rule.set_factors(state, SHAPES, {"weights": 0.5, "bias": 0.1}, {"bias": 0.0})
    return state


@pytest.mark.parametrize("n_threads", [None, 1, 2, 3])
@pytest.mark.parametrize("name", RULES)
def test_it_does_not_depend_on_the_parts(name, n_threads):
    rng = np.random.RandomState(0)
    rule, theta = RULES[name], rng.standard_normal(N_WEIGHTS + N_BIASES).astype(np.float32)
    gradients = [rng.standard_normal(len(theta)).astype(np.float32) for _ in range(2)]
    state, expected = state_for(rule, theta), theta.copy()
    for start in range(0, len(theta), PIECE):
        piece = slice(start, start + PIECE)
        of_piece = rule.init(theta[piece])
        if isinstance(rule, GroupedAdam):
            of_piece.factors = {name: factor[piece] for name, factor in state.factors.items()}
        for gradient in gradients:
            rule.step(expected[piece], gradient[piece].copy(), of_piece, 0.01)

    with contextlib.nullcontext() if n_threads is None else Team(n_threads) as team:
        for gradient in gradients:
            rule.step(theta, gradient.copy(), state, 0.01, team)
    np.testing.assert_array_equal(theta, expected)
    assert state.n_steps == 2
