"""One setting, [project.urls], makes the links of README, site and estimators absolute: with made-up ones."""

import email.message
import importlib.util
import pathlib
import re
from importlib import metadata

import pytest

from sknn_scratch import (
    ScratchMLPClassifier,
    ScratchMLPRegressor,
    ScratchRealMLPClassifier,
    ScratchRealMLPRegressor,
)
from sknn_scratch.fitting import _documentation

ROOT = pathlib.Path(__file__).parents[1]
URLS = {"Documentation": "https://docs.example.org", "Source": "https://example.org/code"}
ESTIMATORS = [ScratchMLPClassifier, ScratchMLPRegressor, ScratchRealMLPClassifier, ScratchRealMLPRegressor]


def module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def urls_of_package(monkeypatch):
    def install(urls):
        message = email.message.Message()
        for name, address in urls.items():
            message["Project-URL"] = f"{name}, {address}"
        monkeypatch.setattr(_documentation, "metadata", lambda name: message)
        _documentation.documentation.cache_clear()

    yield install
    _documentation.documentation.cache_clear()


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_an_estimator_links_to_its_page_where_an_address_is_set(kind, urls_of_package):
    urls_of_package(URLS)
    assert f"https://docs.example.org/generated/sknn_scratch.{kind.__name__}.html" in kind()._repr_html_()
    listed = (ROOT / "docs" / "api" / "estimators.md").read_text("utf-8")  # from which Sphinx makes that page
    assert re.search(rf"^   {kind.__name__}$", listed, re.M)


@pytest.mark.parametrize("urls", [{}, {"Source": URLS["Source"]}], ids=["none", "no site"])
def test_an_estimator_links_nowhere_without_an_address(urls, urls_of_package):
    urls_of_package(urls)
    assert ScratchMLPClassifier()._get_doc_link() == ""


def test_an_estimator_links_nowhere_without_an_installation(monkeypatch, urls_of_package):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(_documentation, "metadata", missing)
    _documentation.documentation.cache_clear()
    assert ScratchMLPClassifier()._get_doc_link() == ""


def test_links_of_the_readme_become_absolute():
    pytest.importorskip("hatchling")
    absolute = module(ROOT / ".ci" / "hatch_build.py").absolute
    text = "![a](docs/images/a.png) [b](docs/guide/b.md#c) [d](examples/d.py) [e](#f) [g](https://g.org)"
    assert absolute(text, {}) == text
    assert absolute(text, URLS) == (
        "![a](https://example.org/code/raw/main/docs/images/a.png) "
        "[b](https://docs.example.org/guide/b.html#c) "
        "[d](https://example.org/code/blob/main/examples/d.py) [e](#f) [g](https://g.org)"
    )
    readme = absolute((ROOT / "README.md").read_text("utf-8"), URLS)
    assert re.findall(r"\]\((?!https?:|#)", readme) == []


def test_links_of_the_site_to_files_become_absolute(monkeypatch):
    pytest.importorskip("sphinx_gallery")
    conf = module(ROOT / "docs" / "conf.py")
    text = "[a](../core/a.py) [b](../../examples/plot_1_b.py) [c](guide.md#d)"
    for urls, expected in [
        ({}, "[a](../core/a.py) [b](/gallery/plot_1_b.rst) [c](guide.md#d)"),
        (
            URLS,
            "[a](https://example.org/code/blob/main/core/a.py) [b](/gallery/plot_1_b.rst) [c](guide.md#d)",
        ),
    ]:
        monkeypatch.setattr(conf, "URLS", urls)
        page = [text]
        conf.lead_on(None, "page", page)
        assert page == [expected]
