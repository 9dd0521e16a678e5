import pytest


@pytest.fixture(autouse=True)
def pyplot():
    """matplotlib without a window; what a test has drawn is gone after it."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    yield pyplot
    pyplot.close("all")
