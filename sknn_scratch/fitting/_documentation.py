"""Where the documentation is, for the link in the HTML representation of an estimator."""

from __future__ import annotations

import functools
from importlib.metadata import PackageNotFoundError, metadata


@functools.cache
def documentation() -> str:
    """The address of the site, from the metadata of the installed package; "" where none is set.

    It is ``Documentation`` in ``[project.urls]`` of pyproject.toml, the one setting of all addresses.
    """
    try:
        urls = metadata("sknn-scratch").get_all("Project-URL") or []
    except PackageNotFoundError:  # used from a checkout that is not installed
        return ""
    addresses: dict[str, str] = dict(url.split(", ", 1) for url in urls)
    return addresses.get("Documentation", "").rstrip("/")


class HasAPage:
    """An estimator with a page in the site's API, as scikit-learn's HTML representation links to it."""

    _doc_link_module = "sknn_scratch"

    @property
    def _doc_link_template(self) -> str:
        site = documentation()
        return f"{site}/generated/sknn_scratch.{{estimator_name}}.html" if site else ""
