"""The benchmark suite on figures made up by hand: no measuring, no times."""

import json

import matplotlib.image
import pytest
from benchmarks.speed import measuring, peers, report, run, targets, workloads


def spread(median):
    return {"median": median, "range": [0.9 * median, 1.1 * median]}


def versus(theirs, ours):
    return measuring.versus([0.9 * theirs, theirs, 1.2 * theirs], [ours] * 3)


@pytest.fixture
def figures():
    """A run of which every target is met but that of one row's prediction in float64."""
    prediction = {
        "one row": [
            {
                "workload": "digits",
                "dtype": dtype,
                **{
                    who: spread(us) for who, us in (("validation", 50), ("sklearn", 90), ("ours", 50 + above))
                },
                "above": spread(above),
            }
            for dtype, above in (("float64", 21), ("float32", 19))
        ],
        "many rows": [
            {
                "dtype": "float32",
                "n_rows": 1_000_000,
                **versus(2.0, 1.0),
                "data_bytes": 160e6,
                "peak_bytes": {"sklearn": 4e9, "ours": 8e6},
            }
        ],
        "many callers": [
            {
                "dtype": "float32",
                "callers": 8,
                "n_rows": 1000,
                "largest_difference": 0.0,
                "one thread": versus(1.8, 1.0),
                "sklearn": versus(3.0, 1.0),
            }
        ],
    }
    growth = [
        {
            "axis": axis,
            "size": size,
            "seconds": spread(1e-3 * size),
            "peak_bytes": 1.5e6 * size,
            "needed_bytes": 1e6 * size,
            "data_bytes": 3e6,
        }
        for axis in ("n", "depth")
        for size in (1, 10, 100)
    ]
    figures = {
        "date": "2026-01-01",
        "machine": {
            "cpu": "Abacus",
            "cores": 2,
            "system": "Linux x86_64",
            "python": "3.11.0",
            "versions": {"numpy": "2.0.0"},
            "blas": [{"internal_api": "openblas", "version": "0.3", "architecture": "Zen", "num_threads": 2}],
        },
        "peers": ["sklearn", "jax"],
        "repeats": 3,
        "quick": False,
        "fit": [
            {
                "peer": peer,
                "dtype": "float32",
                "workload": name,
                **versus(ms, 1.0),
                "losses": {"theirs": 0.5, "ours": 0.25},
            }
            for peer, ms in (("sklearn", 9.0), ("numpy", 4.0), ("jax", 1.5))
            for name in workloads.WORKLOADS
        ],
        "variants": [
            {
                "variant": "sparse X",
                "peer": "sklearn",
                "dtype": "float64",
                **versus(3.0, 1.0),
                "losses": {"theirs": 0.5, "ours": 0.25},
            }
        ],
        "compilation": [{"workload": "tiny", **versus(9.0, 1.0)}],
        "limit": [
            {
                "workload": "image",
                "dtype": "float32",
                "threads": 2,
                "products": {"BLAS threads": spread(90.0), "Python threads": spread(80.0)},
                "limit": "Python threads",
                "ours": spread(100.0),
                "share": 0.8,
                "share_range": [0.7, 0.9],
            }
        ],
        "prediction": prediction,
        "search": {
            "candidates": 24,
            "folds": 5,
            "n_jobs": 2,
            "cores_per_worker": 1,
            **versus(30.0, 10.0),
            "threads": versus(30.0, 9.0),
            "best": {who: {"params": "{}", "score": 0.9} for who in ("sklearn", "ours")},
            "workers": [
                {"process": i, "blas_threads": 1, "python_threads": 1, "computing_threads": 1} for i in (1, 2)
            ],
        },
        "growth": growth,
    }
    return json.loads(json.dumps(figures))


def test_verdicts_say_which_target_is_missed(figures):
    verdicts = targets.verdicts(figures)
    assert [v.what for v in verdicts if not v.met] == ["predict of one row above validation, digits, float64"]
    assert len(verdicts) == 18


def test_a_workload_below_the_least_ratio_is_named(figures):
    online = [row for row in figures["fit"] if row["workload"] == "online"]
    for row in online:
        row["ratio"] = 0.5
    missed = {v.what: v for v in targets.of_fit(figures["fit"]) if not v.met}
    # a batch of one has a target of its own beside JAX's compiled loop
    assert "fit, scikit-learn, float32: least (online)" in missed
    assert [what for what in missed if "JAX" in what] == ["fit, JAX, float32: online"]


def test_the_page_shows_every_section(figures):
    page = report.page(figures, "images/growth.png")
    assert "Abacus, 2 cores" in page
    assert "| predict of one row above validation, digits, float64 | ≤ 20 µs | 21.0 µs | **no** |" in page
    assert "| tiny | 9.00 | 1.00 | **9.00** (8.10-10.80) | 0.5000 / 0.2500 |" in page
    assert "| image | float32 | 90.0 (81.0-99.0) | 80.0 (72.0-88.0) |" in page
    for title in ("Fit", "Other settings", "JAX with compilation", "The limit", "Prediction", "Grid search"):
        assert f"\n## {title}" in page
    assert "](images/growth.png)" in page
    assert "| 10 | 10.0 (9.00-11.0) | 1.00 | 15.0 | 10.0 | 1.50 |" in page


def test_a_part_of_a_run_makes_a_page_too(figures):
    page = report.page({**{k: figures[k] for k in ("date", "machine", "repeats")}, "quick": True}, "")
    assert "quick run" in page
    assert "## Growth" not in page


def test_the_picture_fits_a_page_of_800_pixels(figures, tmp_path, monkeypatch):
    file = tmp_path / "figures.json"
    file.write_text(json.dumps(figures), "utf-8")
    monkeypatch.setattr("sys.argv", ["report.py", str(file), "--output", str(tmp_path / "page.md")])
    report.main()
    assert matplotlib.image.imread(tmp_path / "images" / "growth.png").shape[:2] == (500, 800)
    assert (tmp_path / "page.md").read_text("utf-8").startswith("# Performance")


def test_a_peer_that_is_not_installed_is_left_out(monkeypatch, capsys):
    monkeypatch.setitem(peers.NEEDS, "jax", ["no_such_module"])
    assert run.installed(("sklearn", "jax")) == ("sklearn",)
    assert "jax is not installed and left out. To compare with it: pip install jax" in capsys.readouterr().out


def test_unknown_peers_are_an_error(capsys):
    with pytest.raises(SystemExit):
        run.parse_arguments(["--peers", "sklearn,keras"])
    assert "unknown peers ['keras']" in capsys.readouterr().err


def test_every_section_can_be_chosen():
    assert list(run.SECTIONS) == run.parse_arguments([]).only
    assert run.parse_arguments(["--only", "fit", "--quick"]).repeats == 2
