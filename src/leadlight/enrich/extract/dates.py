"""When a page last changed, by its own account. The year of a copyright line is no such account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from leadlight.enrich.extract.document import Document
from leadlight.enrich.extract.items import everything

EARLIEST = datetime(1995, 1, 1)  # noqa: DTZ001 - naive UTC, as everywhere
_METAS = (
    "article:modified_time", "article:published_time", "og:updated_time", "last-modified", "date", "dc.date.modified",
    "dcterms.modified", "revised", "last-update",
)  # fmt: skip
_PROPERTIES = ("dateModified", "datePublished", "uploadDate", "datePosted")


def changed_at(document: Document, headers: Mapping[str, str], fetched_at: datetime) -> tuple[datetime, str] | None:
    """Return the latest moment that a page gives for itself or one of its articles, and where it says so.

    A Last-Modified that is the moment of fetching says nothing: the page is made for each who asks.

    >>> from leadlight.enrich.extract.document import take_apart
    >>> page = take_apart('<time datetime="2026-03-12">12 March</time>', "")
    >>> changed_at(page, {}, datetime(2026, 11, 1))
    (datetime.datetime(2026, 3, 12, 0, 0), 'time')
    """
    latest: tuple[datetime, str] | None = None
    for text, where in _said(document, headers):
        at = moment(text)
        if at is None or not EARLIEST <= at <= fetched_at + timedelta(days=1):
            continue
        if where == "last-modified" and abs(fetched_at - at) < timedelta(hours=1):
            continue
        if latest is None or at > latest[0]:
            latest = at, where
    return latest


def _said(document: Document, headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield headers.get("last-modified", ""), "last-modified"
    for name in _METAS:
        yield document.metas.get(name, ""), name
    for item in everything(document.items):
        for name in _PROPERTIES:
            yield item.text(name), name
    for text in document.times:
        yield text, "time"


def moment(text: str) -> datetime | None:
    """Read a moment as naive UTC, None where it is none.

    >>> moment("2026-03-12T10:00:00+02:00"), moment("Wed, 21 Oct 2015 07:28:00 GMT"), moment("soon")
    (datetime.datetime(2026, 3, 12, 8, 0), datetime.datetime(2015, 10, 21, 7, 28), None)
    """
    text = text.strip()
    if not 8 <= len(text) <= 40:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    except (OverflowError, ValueError):
        return None
