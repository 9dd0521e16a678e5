"""A network that memory cannot hold is refused before it is built."""

import os

import numpy as np
import pytest

from sknn_scratch import ScratchMLPClassifier, ScratchMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.RandomState(0).standard_normal((20, 10))
Y = (X[:, 0] > 0).astype(float)
N_WEIGHTS = 10 * 100 + 100 + 100 + 1
both = pytest.mark.parametrize("kind", [ScratchMLPClassifier, ScratchMLPRegressor])


def with_memory(monkeypatch, n_bytes):
    """A machine that has so much."""
    of_system = os.sysconf
    values = {"SC_PHYS_PAGES": n_bytes, "SC_PAGE_SIZE": 1}
    monkeypatch.setattr(
        os, "sysconf", lambda name: values[name] if name in values else of_system(name), raising=False
    )


@both
@pytest.mark.parametrize(("dtype", "n_bytes"), [(np.float64, 8), (np.float32, 4)])
def test_it_counts_what_training_needs_besides_the_weights(kind, dtype, n_bytes, monkeypatch):
    model = kind(hidden_layer_sizes=(100,), max_iter=2)
    with_memory(monkeypatch, 2 * n_bytes * N_WEIGHTS)  # besides, there are a gradient and averages
    with pytest.raises(MemoryError, match=rf"hidden_layer_sizes=\(100,\) with 10 features .* {N_WEIGHTS:,}"):
        model.fit(X.astype(dtype), Y)
    assert not hasattr(model, "coefs_")
    with_memory(monkeypatch, 10 * n_bytes * N_WEIGHTS)
    assert model.fit(X.astype(dtype), Y).coefs_[0].dtype == dtype


@both
@pytest.mark.parametrize("error", [AttributeError, ValueError, OSError])
def test_where_a_system_does_not_tell_its_memory_any_network_is_tried(kind, error, monkeypatch):
    def sysconf(name):
        raise error(name)

    monkeypatch.setattr(os, "sysconf", sysconf, raising=False)
    assert kind(hidden_layer_sizes=(100,), max_iter=2).fit(X, Y).n_iter_ == 2
