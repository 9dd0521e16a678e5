"""The README as the page of the package shows it: links are absolute where [project.urls] has addresses."""

import pathlib
import re

from hatchling.metadata.plugin.interface import MetadataHookInterface


def absolute(text: str, urls: dict[str, str]) -> str:
    """Replace links to files: of pages by those of ``Documentation``, of all else by those of ``Source``."""

    def address(found: re.Match[str]) -> str:
        label, path, anchor = found["label"], found["path"], found["anchor"] or ""
        if path.startswith("docs/") and path.endswith(".md") and "Documentation" in urls:
            return f"{label}({urls['Documentation']}/{path[5:-3]}.html{anchor})"
        if "Source" in urls:
            kind = "raw" if label.startswith("!") else "blob"
            return f"{label}({urls['Source']}/{kind}/main/{path}{anchor})"
        return found[0]

    links = r"(?P<label>!?\[[^\]]*\])\((?!https?:|#)(?P<path>[^)#]+)(?P<anchor>#[^)]*)?\)"
    return re.sub(links, address, text)


class AbsoluteReadme(MetadataHookInterface):
    """Hatchling's hook: metadata as they are built."""

    def update(self, metadata: dict) -> None:
        """Put the README into the metadata."""
        text = pathlib.Path(self.root, "README.md").read_text("utf-8")
        text = absolute(text, metadata.get("urls", {}))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
