"""How Sphinx builds the site: python -m sphinx -W docs docs/_build

It needs no internet access. The pages stay plain Markdown, which reads as well in the repository; myst-nb
takes their python blocks for cells, runs each page from top to bottom, and puts what comes out under them.
"""

import importlib.util
import inspect
import os
import pathlib
import re
import tomllib

import sphinx_gallery.sorting
from sklearn.experimental import enable_halving_search_cv  # noqa: F401, the gallery looks up names of examples

import sknn_scratch

ROOT = pathlib.Path(__file__).parents[1]
URLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"].get("urls", {})
"""The one setting of all addresses."""

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the same figures on every machine
# widgets are not drawn here: rich and tqdm, whose words these are, need not say so
os.environ["PYTHONWARNINGS"] = 'ignore:install "ipywidgets" for Jupyter support,ignore:IProgress not found'

project = "sknn_scratch"
author = "the sknn_scratch developers"
copyright = "the sknn_scratch developers, BSD-3-Clause"
version = release = sknn_scratch.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "**/*.ipynb", "**/*.json", "**/*.codeobj"]
templates_path = ["_templates"]

# --- pages
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nb_custom_formats = {
    ".md": [
        "myst_nb.core.read.read_myst_markdown_notebook",
        {"code_directive": "python", "add_source_map": True},
    ]
}
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True  # lines that one block prints stand together
nb_output_stderr = "warn"  # an error: warnings are shown to no reader

# --- API
autosummary_generate = True
autodoc_typehints = "none"  # docstrings state the types
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the template lists them
viewcode_line_numbers = True

# --- gallery
STEPS = sorted(path.name for path in (ROOT / "examples").glob("plot_[1-9]*.py"))
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/(?!plot_7)[^/]*$",  # which downloads its table
    "within_subsection_order": sphinx_gallery.sorting.ExplicitOrder(["quickstart.py", *STEPS, "*"]),
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "abort_on_example_error": True,
    "capture_repr": (),
    "write_computation_times": False,
    "default_thumb_file": str(ROOT / "docs" / "images" / "network.png"),
}

# --- theme
html_theme = "pydata_sphinx_theme"
toc_object_entries_show_parents = "hide"

html_title = f"sknn_scratch {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_show_search_summary = False  # browsers refuse to fetch pages that are opened as files
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "sknn_scratch"},
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "icon_links": [],
}
WITHOUT_SUBPAGES = ["index", "start", "which", "tabular", "from-scratch", "performance", "differences"]
WITHOUT_SUBPAGES += ["extending", "architecture", "contributing", "changelog"]
html_sidebars = {page: [] for page in WITHOUT_SUBPAGES}


def own_members(app, what, name, member, skip, options):
    """Leave out what a class has from scikit-learn or Python."""
    home = getattr(inspect.unwrap(getattr(member, "fget", member)), "__module__", None) or "sknn_scratch"
    return True if not home.startswith("sknn_scratch") else None


def lead_on(app, page, text):
    """Links that leave this folder: to pages of examples, and to the repository where it has an address."""
    text[0] = re.sub(r"\]\((?:\.\./)+examples/(\w+)\.py\)", r"](/gallery/\1.rst)", text[0])
    if "Source" in URLS:
        text[0] = re.sub(r"\]\((?:\.\./)+(?=\w+/)", f"]({URLS['Source']}/blob/main/", text[0])


def show_only(app, page, text):
    """A recipe that needs libraries which are not installed here: its code is shown and not run."""
    front_matter = re.match(r"---\nneeds: \[(.*)\]\n---\n", text[0])
    needed = front_matter[1].split(", ") if front_matter else []
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        note = f":::{{note}}\nThis site was built without {', '.join(missing)}: no output is shown.\n:::"
        title, rest = re.match(r"(.*?^# .*?\n)(.*)", text[0], re.M | re.S).groups()
        text[0] = f"{title}\n{note}\n" + re.sub(r"^```python$", "```py", rest, flags=re.M)


def quote_names(app, what, name, member, options, lines):
    """A name that ends in an underscore, as in "of shape (n_outputs_,)", is no reference."""
    lines[:] = [re.sub(r"(?<![`\w])(\w+_)(?=[,)])", r"``\1``", line) for line in lines]


def setup(app):
    """Sphinx calls it."""
    app.connect("autodoc-process-docstring", quote_names, priority=400)  # before numpydoc
    app.connect("source-read", lead_on)
    app.connect("source-read", show_only)
    app.connect("autodoc-skip-member", own_members)
