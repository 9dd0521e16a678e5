import importlib.util

import pytest
from threadpoolctl import threadpool_limits

pytest.register_assert_rewrite("helpers")  # so that a failed assertion there shows its values


OPTIONAL = {"numba": ("sknn_scratch", "compiled"), "bokeh": ("playground", "page")}
"""Folders whose modules import a library that may be missing."""


class Without:
    """Where a library is missing, the modules that import it have no doctests."""

    def __init__(self, folder):
        self.folder = folder

    def pytest_ignore_collect(self, collection_path):
        return True if collection_path.parts[-2:] == self.folder else None


def pytest_configure(config):
    for library, folder in OPTIONAL.items():
        if importlib.util.find_spec(library) is None:
            config.pluginmanager.register(Without(folder))


@pytest.fixture(autouse=True, scope="session")
def one_blas_thread():
    # the networks are small, and the tests run in one process per core already
    with threadpool_limits(1):
        yield


@pytest.fixture
def numpy_engine(monkeypatch):
    """NumPy computes, even where numba is installed: the test looks into the core's own steps."""
    monkeypatch.setenv("SKNN_SCRATCH_ENGINE", "numpy")
