"""The benchmark's table, on figures made up by hand: no measuring, no times."""

import json

import numpy as np
import pytest
from benchmarks.realmlp import error_and_time
from sklearn.datasets import load_diabetes, load_iris


def figures(error, seconds):
    return {"error": error, "log_loss": 2 * error, "cpu_seconds": seconds}


@pytest.fixture
def data():
    return {
        "a": {"0": {"realmlp_td_numpy": figures(0.2, 1), "realmlp_td": figures(0.1, 10)}},
        "b": {
            "0": {"realmlp_td_numpy": figures(0.1, 1), "realmlp_td": figures(0.2, 40)},
            "1": {"realmlp_td_numpy": figures(0.3, 3), "realmlp_td": figures(0.6, 3)},
        },
    }


def test_ratios_are_taken_where_both_have_figures(data):
    means = error_and_time.geometric_means(data, "realmlp_td", "realmlp_td_numpy")
    # 1/2 and 2 of seed 0, 2 of seed 1
    assert means["error"] == pytest.approx((np.sqrt(2.0), np.log(2.0) / 2))
    assert means["log_loss"] == means["error"]
    assert means["cpu_seconds"][0] == pytest.approx(np.sqrt(20.0))
    assert error_and_time.geometric_means(data, "realmlp_td", "hgb") == {}


def test_the_table_compares_what_all_methods_have(data):
    data["a"]["0"]["hgb"] = figures(0.1, 1)  # not on b
    text = error_and_time.report(data)
    assert "| | td | td on NumPy |" in text
    assert "| b | 0.4000 (21.5) | 0.2000 (2) |" in text
    assert "| td | 1.414 ± 0.347 | 1.414 ± 0.347 | 4.5 |" in text
    assert "| HistGradientBoosting | 0.500 | 0.500 | 1 |" in text  # one seed has no standard error


def test_figures_measured_elsewhere_do_not_replace_those_of_the_run(data, tmp_path):
    theirs = {"data": {"a": {"0": {"realmlp": figures(0.11, 90)}}, "b": {"0": {"realmlp": figures(0.5, 9)}}}}
    file = tmp_path / "anchors.json"
    file.write_text(json.dumps(theirs))
    data["b"]["0"]["reference_td"] = figures(0.4, 20)
    error_and_time.add_anchors(data, file)
    assert data["a"]["0"]["reference_td"] == {"error": 0.11}  # seconds of another machine say nothing
    assert data["b"]["0"]["reference_td"] == figures(0.4, 20)
    assert "reference_td" not in data["b"]["1"]
    text = error_and_time.report(data)
    assert "| a | 0.1000 (10) | 0.2000 (1) | 0.1100 |" in text
    assert "| td / reference td | 0.674 | 0.500 | 2 |" in text


def test_the_table_goes_between_the_marks_of_the_page(data, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- table -->\nold\n<!-- end -->\nafter\n")
    monkeypatch.setattr(error_and_time, "PAGE", page)
    error_and_time.write_page({"about": error_and_time.about(), "data": data})
    text = page.read_text()
    assert text.startswith("before\n<!-- table -->\nGeometric means")
    assert text.endswith("\n<!-- end -->\nafter\n")
    assert "old" not in text
    root = error_and_time.pathlib.Path(error_and_time.__file__).parents[3]
    assert "<!-- table -->" in root.joinpath("docs/tabular.md").read_text()


def test_a_method_that_is_not_installed_is_left_out(monkeypatch):
    def missing(classify, seed):
        raise ImportError

    monkeypatch.setitem(error_and_time.METHODS, "hgb", missing)
    assert error_and_time.measure("hgb", (None, None, None, None, True), 0) is None


@pytest.mark.parametrize("is_regression", [False, True])
def test_a_fit_is_measured(is_regression, monkeypatch):
    monkeypatch.setenv("SKNN_SCRATCH_ENGINE", "")  # which measuring changes
    X, y = (
        load_diabetes(return_X_y=True, as_frame=True)
        if is_regression
        else load_iris(return_X_y=True, as_frame=True)
    )
    y = y.to_numpy() if is_regression else y.to_numpy().astype(str)
    measured = error_and_time.measure("hgb", (X, X, y, y, not is_regression), 0)
    assert measured["error"] < 0.5
    assert ("log_loss" in measured) is not is_regression
    assert measured["cpu_seconds"] >= 0


def test_the_picture_has_each_method(data, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(error_and_time, "PICTURE", tmp_path / "picture.png")
    error_and_time.draw(data)
    assert (tmp_path / "picture.png").stat().st_size > 0
