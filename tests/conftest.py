import importlib.util

import pytest
from threadpoolctl import threadpool_limits

pytest.register_assert_rewrite("helpers")  # so that a failed assertion there shows its values


OPTIONAL = {
    ("sknn_scratch", "compiled"): "numba",
    ("playground", "page"): "bokeh",
    ("benchmarks", "playground.py"): "bokeh",
}
"""The ends of paths of modules that import a library that may be missing."""


class Without:
    """Where a library is missing, the modules that import it have no doctests."""

    def __init__(self, end):
        self.end = end

    def pytest_ignore_collect(self, collection_path):
        return True if collection_path.parts[-2:] == self.end else None


def pytest_configure(config):
    for end, library in OPTIONAL.items():
        if importlib.util.find_spec(library) is None:
            config.pluginmanager.register(Without(end))


@pytest.fixture(autouse=True, scope="session")
def one_blas_thread():
    # the networks are small, and the tests run in one process per core already
    with threadpool_limits(1):
        yield


@pytest.fixture
def numpy_engine(monkeypatch):
    """NumPy computes, even where numba is installed: the test looks into the core's own steps."""
    monkeypatch.setenv("SKNN_SCRATCH_ENGINE", "numpy")
