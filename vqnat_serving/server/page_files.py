"""The page: a few files of the package, read once, each at one fixed address."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

ADDRESSES = {
    "/": ("index.html", "text/html"),
    "/docs": ("docs.html", "text/html"),
    "/page/style.css": ("style.css", "text/css"),
    "/page/theme.js": ("theme.js", "text/javascript"),
    "/page/page.js": ("page.js", "text/javascript"),
    "/page/views.js": ("views.js", "text/javascript"),
    "/page/how.js": ("how.js", "text/javascript"),
    "/page/docs.js": ("docs.js", "text/javascript"),
    "/favicon.ico": ("icon.svg", "image/svg+xml"),
    "/page/icon.svg": ("icon.svg", "image/svg+xml"),
}


@dataclass(frozen=True)
class PageFile:
    """Content, its type, and a tag that changes with it."""

    content: bytes
    media_type: str
    tag: str


def page_files() -> dict[str, PageFile]:
    """Address -> file. No other file can be asked for."""
    folder = files("vqnat_serving.server") / "page"
    found = {}
    for address, (name, media_type) in ADDRESSES.items():
        content = (folder / name).read_bytes()
        found[address] = PageFile(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:16]}"')
    return found
