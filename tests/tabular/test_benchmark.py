"""The benchmark's table, on figures made up by hand: no measuring, no times."""

import json

import numpy as np
import pytest
from benchmarks.realmlp import error_and_time


def figures(error, seconds):
    return {"error": error, "fit_seconds": seconds}


@pytest.fixture
def data():
    return {
        "a": {"0": {"realmlp_td": figures(0.1, 10), "mlp_skl": figures(0.2, 1)}},
        "b": {
            "0": {"realmlp_td": figures(0.2, 40), "mlp_skl": figures(0.1, 1)},
            "1": {"mlp_skl": figures(0.3, 3)},
        },
    }


def test_ratios_are_taken_where_both_have_figures(data):
    means = error_and_time.geometric_means(data, "realmlp_td", "mlp_skl")
    assert means["error"] == pytest.approx(1.0)
    assert means["fit_seconds"] == pytest.approx(20.0)
    assert means["n_fits"] == 2
    assert means["standard_error"] == pytest.approx(np.log(2.0))  # of log 2 and -log 2
    assert error_and_time.geometric_means(data, "realmlp_td", "hgb") is None


def test_the_table_compares_what_all_methods_have(data):
    data["a"]["0"]["hgb"] = figures(0.1, 1)  # not on b
    text = error_and_time.report(data)
    assert "| | scikit-learn's MLP | td |" in text
    assert "| b | 0.1000 (1) | 0.2000 (40) |" in text
    assert "| td / scikit-learn's MLP | 2 | 1.000 ± 0.693 | 20 |" in text
    assert "| td / gradient boosting | 1 | 1.000 | 10 |" in text


def test_figures_measured_elsewhere_do_not_replace_those_of_the_run(data, tmp_path):
    theirs = {"data": {"a": {"0": {"realmlp": figures(0.11, 90)}}, "b": {"0": {"realmlp": figures(0.5, 9)}}}}
    file = tmp_path / "anchors.json"
    file.write_text(json.dumps(theirs))
    data["b"]["0"]["reference_td"] = figures(0.4, 9)
    error_and_time.add_anchors(data, file)
    assert data["a"]["0"]["reference_td"] == {"error": 0.11}  # seconds of another machine say nothing
    assert data["b"]["0"]["reference_td"] == figures(0.4, 9)
    assert "reference_td" not in data["b"]["1"]
    text = error_and_time.report(data)
    assert "| a | 0.2000 (1) | 0.1000 (10) | 0.1100 |" in text
    assert "| td / reference td | 2 | 0.674 ± 0.299 | 4.44 |" in text


def test_the_table_goes_between_the_marks_of_the_page(data, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- table -->\nold\n<!-- end -->\nafter\n")
    monkeypatch.setattr(error_and_time, "PAGE", page)
    error_and_time.write_page({"about": error_and_time.about(), "data": data})
    text = page.read_text()
    assert text.startswith("before\n<!-- table -->\nMean error")
    assert text.endswith("\n<!-- end -->\nafter\n")
    assert "old" not in text
    root = error_and_time.pathlib.Path(error_and_time.__file__).parents[3]
    assert "<!-- table -->" in root.joinpath("docs/tabular.md").read_text()


def test_a_method_that_is_not_installed_is_left_out():
    def missing(classify, seed):
        raise ImportError

    assert error_and_time.measure(missing, (None, None, None, None, True), 0) is None
