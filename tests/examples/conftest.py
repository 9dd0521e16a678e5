import functools
import pathlib
import runpy

import pytest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def run_example():
    """Run an example once, without a window; return its variables."""
    pyplot = pytest.importorskip("matplotlib.pyplot")

    @functools.cache
    def run(name):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pyplot, "show", lambda: None)
            patch.setattr("sys.argv", [name])
            pyplot.switch_backend("agg")
            variables = runpy.run_path(str(EXAMPLES / f"{name}.py"))
        pyplot.close("all")
        return variables

    return run
