"""Find links of the built site that lead nowhere: missing pages, images and anchors.

``python docs/check_links.py docs/_build/html`` prints them, and `make docs` runs it.
Links to other sites are not followed.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors of a page, and what it links to."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.targets = {""}, []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs[name] for name in ("id", "name") if attrs.get(name)}
        self.targets += [attrs[name] for name in ("href", "src") if attrs.get(name)]


def main() -> int:
    """Print each dead link, and return 1 if there is one."""
    root = Path(sys.argv[1]).resolve()
    paths = sorted(root.rglob("*.html"))
    # The theme keeps its templates in _static.
    pages = {path: Page(path) for path in paths if "_static" not in path.parts}
    dead = [
        f"{path.relative_to(root)}: {target}"
        for path, page in pages.items()
        for target in page.targets
        if not leads_somewhere(target, path, pages)
    ]
    print("\n".join(dead) or f"{len(pages)} pages have no dead link")
    return min(len(dead), 1)


def leads_somewhere(target, path, pages):
    """Say whether a link of the page at `path` is external, or has a target."""
    url = urlsplit(target)
    if url.scheme or url.netloc:
        return True
    file = (path.parent / unquote(url.path)).resolve() if url.path else path
    if file in pages:
        return unquote(url.fragment) in pages[file].anchors
    return file.is_file()


if __name__ == "__main__":
    sys.exit(main())
