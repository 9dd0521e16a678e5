"""The table: what the example says, on a local file."""

import pathlib
import runpy

import numpy as np
import pandas as pd
import pytest

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "plot_7_tabular.py"


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    rng = np.random.RandomState(0)
    table = pd.DataFrame({"age": rng.randint(18, 80, 600), "job": rng.choice(["a", "b", "c"], 600)})
    table["target"] = np.where((table["age"] > 40) ^ (table["job"] == "b"), "rich", "poor")
    table.loc[::20, "job"] = None
    file = tmp_path_factory.mktemp("data") / "table.csv"
    table.to_csv(file, index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyplot, "show", lambda: None)
        patch.setattr("sys.argv", [EXAMPLE.name, "--data", str(file), "--epochs", "24", "--candidates", "2"])
        pyplot.switch_backend("agg")
        variables = runpy.run_path(str(EXAMPLE))
    pyplot.close("all")
    return variables


def test_a_table_is_learnt_as_it_is(example):
    assert example["accuracy"] > 0.9
    assert example["loss"] < 0.4
    assert example["X"]["job"].isna().any()


def test_the_history_and_the_search_are_those_shown(example):
    assert len(example["history"]) == 24
    assert example["search"].best_params_["max_iter"] in (2, 4)
    assert set(example["importance"].importances_mean.argsort()) == {0, 1}
