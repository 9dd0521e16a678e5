import importlib
import pathlib
import re
import tomllib

import pytest

from sknn_scratch.core import ACTIVATIONS, OPTIMIZERS, SCHEDULES
from sknn_scratch.fitting._names import losses_of_numbers

PUBLIC = ["callbacks", "core", "estimators", "export", "plotting", "tabular"]
ROOT = pathlib.Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FRONT_MATTER = re.compile(r"---\nneeds: \[(.*)\]\n---\n")
BLOCKS = {page: re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S) for page in PAGES}


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def anchors(page):
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def needs(page):
    """The libraries beyond the extra test that a recipe imports."""
    front_matter = FRONT_MATTER.match(page.read_text("utf-8"))
    return front_matter[1].split(", ") if front_matter else []


RECIPES = [page for page in PAGES if needs(page)]
OF_A_RECIPE = [  # others' libraries may use what is deprecated
    pytest.mark.full,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning"),
]


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=OF_A_RECIPE) if page in RECIPES else page for page in PAGES if BLOCKS[page]],
    ids=name_of,
)
def test_python_blocks_run_from_top_to_bottom(page, tmp_path, monkeypatch):
    for library in needs(page):
        pytest.importorskip(library)
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in BLOCKS[page]:
        exec(compile(block, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", RECIPES, ids=name_of)
def test_a_recipe_says_what_to_install(page):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    commands = re.findall(r'python -m pip install "\.\[(.*)\]"', page.read_text("utf-8"))
    named = {extra for command in commands for extra in command.split(",")}
    assert named
    assert named <= set(extras)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text("utf-8")):
        file = page.parent / target if target else page
        assert file.exists(), f"{name_of(page)} links to {target}"
        assert not anchor or anchor in anchors(file), f"{name_of(page)} links to {target}#{anchor}"


def test_readme_shows_python():
    assert BLOCKS[ROOT / "README.md"]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("losses", losses_of_numbers()),
        ("activations", ACTIVATIONS),
        ("optimizers", ["lbfgs", *OPTIMIZERS]),
        ("learning-rates", SCHEDULES),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_the_guide_has_a_row_for_each_name(page, names):
    text = (ROOT / "docs" / "guide" / f"{page}.md").read_text("utf-8").partition("\n## ")[0]
    first_cells = "".join(re.findall(r"^\|([^|]*)\|", text, re.M))
    told = set(re.findall(r"`\"?([a-z_]+)\"?`", first_cells)) - {"loss"}  # the title of the column
    assert told == set(names), f"the table of docs/guide/{page}.md is to have a row for each name"


def test_the_lint_commands_are_the_same_everywhere():
    hooks = re.findall(r"^ +entry: (.*)$", (ROOT / ".pre-commit-config.yaml").read_text("utf-8"), re.M)
    assert len(hooks) == 4
    assert "\n".join(hooks) in (ROOT / ".ci" / "run").read_text("utf-8")
    assert " && ".join(hooks) in (ROOT / "docs" / "contributing.md").read_text("utf-8")


@pytest.mark.parametrize("module", ["sknn_scratch", *(f"sknn_scratch.{name}" for name in PUBLIC)])
def test_the_api_has_a_page_for_each_public_name(module):
    listed = set()
    for page in (ROOT / "docs" / "api").glob("*.md"):
        for current, names in re.findall(
            r"currentmodule:: (\S+)\n\n.*?\n\n((?:   \w+\n)+)", page.read_text("utf-8"), re.S
        ):
            listed |= {f"{current}.{name}" for name in names.split()}
    public = importlib.import_module(module)
    documented = [name for name in public.__all__ if callable(getattr(public, name))]
    homes = {module, "sknn_scratch"}  # what both have is documented where it is imported from
    missing = [name for name in documented if not {f"{home}.{name}" for home in homes} & listed]
    assert missing == [], f"add {missing} to a page of docs/api"
