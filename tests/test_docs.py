import pathlib
import re

import pytest

from sknn_scratch.core import ACTIVATIONS, OPTIMIZERS, SCHEDULES
from sknn_scratch.fitting._names import losses_of_numbers

ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = {page: re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S) for page in PAGES}


@pytest.mark.parametrize("page", [page for page in PAGES if BLOCKS[page]], ids=lambda page: page.name)
def test_python_blocks_run_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in BLOCKS[page]:
        exec(compile(block, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_readme_shows_python():
    assert BLOCKS[ROOT / "README.md"]


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ("Losses", losses_of_numbers()),
        ("Activations", ACTIVATIONS),
        ("Optimizers", ["lbfgs", *OPTIMIZERS]),
        ("Learning rates", SCHEDULES),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_the_guide_has_a_row_for_each_name(section, names):
    text = (
        (ROOT / "docs" / "guide.md")
        .read_text("utf-8")
        .partition(f"\n## {section}\n")[2]
        .partition("\n## ")[0]
    )
    first_cells = "".join(re.findall(r"^\|([^|]*)\|", text, re.M))
    told = set(re.findall(r"`\"?([a-z_]+)\"?`", first_cells)) - {"loss"}  # the title of the column
    assert told == set(names), (
        f"the table of docs/guide.md, section {section}, is to have a row for each name"
    )


def test_the_lint_commands_are_the_same_everywhere():
    hooks = re.findall(r"^ +entry: (.*)$", (ROOT / ".pre-commit-config.yaml").read_text("utf-8"), re.M)
    assert len(hooks) == 4
    assert "\n".join(hooks) in (ROOT / ".ci" / "run").read_text("utf-8")
    assert " && ".join(hooks) in (ROOT / "docs" / "contributing.md").read_text("utf-8")
