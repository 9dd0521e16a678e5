"""Memory at the start of cache lines: all that a step of training works on."""

import numpy as np
import pytest

from sknn_scratch.core import OPTIMIZERS, LogLoss, Network, ReLU, Workspace
from sknn_scratch.core.machine.memory import CACHE_LINE, SMALL, aligned, aligned_copy, aligned_like

pytestmark = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def starts_a_line(array):
    return array.ctypes.data % CACHE_LINE == 0


@pytest.mark.parametrize("shape", [(), 0, 3, SMALL, (100, 77), (5, 30, 40)])
def test_an_array_has_its_shape_dtype_and_values(shape, dtype):
    array = aligned(shape, dtype, 2.0)
    assert array.shape == np.empty(shape).shape
    assert array.dtype == dtype
    assert (array == 2).all()
    assert array.flags.c_contiguous
    assert array.flags.writeable
    for other in (aligned_copy(array), aligned_like(array, 2.0)):
        assert not np.shares_memory(array, other)
        np.testing.assert_array_equal(array, other, strict=True)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values())
def test_what_a_step_works_on_starts_cache_lines(optimizer, dtype):
    network = Network.mlp([50, 80, 40], ReLU(), LogLoss())
    parameters = network.initialize(np.random.RandomState(0), dtype)
    workspace = Workspace(network, parameters, n_rows=64)
    (part,) = workspace.parts(64)
    state = optimizer().init(parameters.flat)
    buffers = [array for step in part.layers for array in step.buffers.values()]
    arrays = [parameters.flat, parameters.copy().flat, workspace.gradient.flat, *buffers]
    arrays += [*state.averages.values(), *state.copy().averages.values()]
    large = [array for array in arrays if array.nbytes > SMALL]
    assert len(large) >= 8
    assert all(map(starts_a_line, large))
