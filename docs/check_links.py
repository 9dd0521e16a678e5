"""Whether all links of the built site lead somewhere inside of it: python docs/check_links.py docs/_build

Sphinx checks the links of the pages; this checks what browsers get, those of the theme and to anchors
included, and that no page loads anything from elsewhere.
"""

import html.parser
import pathlib
import sys
import urllib.parse

LOADED = {"link": "href", "script": "src", "img": "src", "source": "src", "iframe": "src"}


class Page(html.parser.HTMLParser):
    """The links and anchors of a page, and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.loaded = set(), set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        if tag == "a" and attributes.get("href"):
            self.links.add(attributes["href"])
        if attributes.get(LOADED.get(tag, "")):
            self.loaded.add(attributes[LOADED[tag]])


def main(folder):
    """Print what leads nowhere; return whether there is such."""
    files = [file for file in pathlib.Path(folder).resolve().rglob("*.html") if "_static" not in file.parts]
    pages = {file: Page(file.read_text("utf-8")) for file in files}
    broken = []
    for file, page in pages.items():
        for link in page.links | page.loaded:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    broken.append(f"{file} loads {link}")
                continue
            target = (file.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else file
            anchor = urllib.parse.unquote(parts.fragment)
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].anchors):
                broken.append(f"{file} links to {link}")
    print(*broken, f"{len(pages)} pages, {len(broken)} broken links", sep="\n")
    return bool(broken or not pages)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
