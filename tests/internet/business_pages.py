"""Real pages of small companies, from ../shared/data/html_business_pages, under the host of their own `<base href>`."""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from internet.answers import Page
from internet.internet import Internet

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "html_business_pages" / "business_pages.tar.xz"
ABSENT = None if ARCHIVE.exists() else f"{ARCHIVE.name} of ../shared/data is not here"
"""Why these pages cannot be used, None where they can."""
_BASE = re.compile(rb"<base\s+href=[\"']?([^\"'> ]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Saved:
    """A page as it was saved: its number in the corpus, its address, its bytes; `annotated` ones carry entities too."""

    number: int
    url: str
    html: bytes
    annotated: bool

    @property
    def host(self) -> str:
        """The host it came from."""
        return urlsplit(self.url).hostname or ""


@cache
def saved(*, annotated: bool = False) -> tuple[Saved, ...]:
    """Return the pages in order of their numbers: as they were (`source`), or with annotations in them (`wa`)."""
    found = []
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            path = Path(member.name)
            if path.suffix == ".html" and path.parent.name == ("wa" if annotated else "source"):
                taken = archive.extractfile(member)
                assert taken is not None
                found.append(_saved(int(path.stem), taken.read(), annotated))
    return tuple(sorted(found, key=lambda page: page.number))


def _saved(number: int, html: bytes, annotated: bool) -> Saved:
    base = _BASE.search(html)
    return Saved(number, base[1].decode("latin-1") if base else "", html, annotated)


def add(internet: Internet) -> dict[str, list[Saved]]:
    """Serve them by http and https; returns the pages by host (without `www.`).

    A page whose base is the site's root stands at `/`; the second such page of a host at `/page-NUMBER`.
    """
    by_host: dict[str, list[Saved]] = {}
    for page in saved():
        if page.host:
            by_host.setdefault(page.host.removeprefix("www."), []).append(page)
    for host, pages in by_host.items():
        internet.site(host, _places(pages))
    return by_host


def _places(pages: list[Saved]) -> dict[str, Page]:
    placed: dict[str, Page] = {}
    for page in pages:
        path = urlsplit(page.url).path or "/"
        placed[f"/page-{page.number}" if path in placed else path] = Page(page.html, kind="text/html")
    if "/" not in placed:
        placed["/"] = Page(pages[0].html, kind="text/html")
    return placed
