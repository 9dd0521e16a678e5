import importlib.util

import pytest
from threadpoolctl import threadpool_limits

pytest.register_assert_rewrite("helpers")  # so that a failed assertion there shows its values


class WithoutKernels:
    """Where there is no numba, the modules that import it have no doctests."""

    @staticmethod
    def pytest_ignore_collect(collection_path):
        return True if collection_path.parts[-2:] == ("sknn_scratch", "compiled") else None


def pytest_configure(config):
    if importlib.util.find_spec("numba") is None:
        config.pluginmanager.register(WithoutKernels())


@pytest.fixture(autouse=True, scope="session")
def one_blas_thread():
    # the networks are small, and the tests run in one process per core already
    with threadpool_limits(1):
        yield


@pytest.fixture
def numpy_engine(monkeypatch):
    """NumPy computes, even where numba is installed: the test looks into the core's own steps."""
    monkeypatch.setenv("SKNN_SCRATCH_ENGINE", "numpy")
