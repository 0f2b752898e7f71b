"""What a page says of the organisation behind it: all that is read from it, in one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from leadlight.enrich.extract.addresses import Address, addresses
from leadlight.enrich.extract.dates import changed_at
from leadlight.enrich.extract.document import Document, Link, absolute, take_apart
from leadlight.enrich.extract.emails import emails
from leadlight.enrich.extract.found import Found
from leadlight.enrich.extract.items import Item, everything
from leadlight.enrich.extract.language import language
from leadlight.enrich.extract.organisation import organisations
from leadlight.enrich.extract.parked import parked
from leadlight.enrich.extract.phones import phones
from leadlight.enrich.extract.profiles import feeds, profiles
from leadlight.enrich.extract.regions import regions
from leadlight.enrich.extract.signs import demo, hiring, kinds_of, login, open_positions, pricing, trial
from leadlight.enrich.extract.technologies import Known, Technology, technologies

_NO_TIME = datetime(9000, 1, 1)  # noqa: DTZ001 - naive UTC


@dataclass(frozen=True, slots=True)
class Organisation:
    """What structured data states of an organisation besides its name; "" for what it does not."""

    legal_name: str = ""
    founded: str = ""
    employees: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page says. Lists are in the order of the page, unless said otherwise."""

    url: str
    title: str
    description: str
    kinds: frozenset[str]
    """about, contact, pricing, careers: what its address and title speak of."""
    language: Found | None
    names: tuple[Found, ...]
    """Names of the organisation, the likeliest first."""
    organisation: Organisation
    emails: tuple[Found, ...]
    phones: tuple[Found, ...]
    """E.164."""
    addresses: tuple[Address, ...]
    profiles: tuple[str, ...]
    feeds: tuple[str, ...]
    technologies: tuple[Technology, ...]
    hiring: Found | None
    open_positions: Found | None
    pricing: Found | None
    trial: Found | None
    demo: Found | None
    login: Found | None
    parked: Found | None
    changed_at: tuple[datetime, str] | None
    words: int
    links: tuple[Link, ...]
    refresh: str
    """Where a page sends its reader by itself, "" where it does not."""


def read_page(
    markup: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    fetched_at: datetime | None = None,
    fingerprints: Known | None = None,
) -> PageFacts:
    """Read a page; whatever the markup is, this fails for none.

    `headers` by names in lower case; `fetched_at` in naive UTC.

    >>> page = read_page("<title>Acme</title><p>Call 212-555-0123 or write to info@acme.com", "https://acme.com/")
    >>> [one.value for one in page.phones], [one.value for one in page.emails], page.names[0].value
    (['+12125550123'], ['info@acme.com'], 'Acme')
    """
    return facts_of(take_apart(markup, url), headers=headers, fetched_at=fetched_at, fingerprints=fingerprints)


def facts_of(
    document: Document,
    *,
    headers: Mapping[str, str] | None = None,
    fetched_at: datetime | None = None,
    fingerprints: Known | None = None,
) -> PageFacts:
    """Return what a page that was taken apart says."""
    headers = headers or {}
    countries = regions(document)
    words = sum(len(line.text.split()) for line in document.lines)
    return PageFacts(
        url=document.url,
        title=document.title,
        description=document.metas.get("description") or document.metas.get("og:description", ""),
        kinds=frozenset(kinds_of(document.url, document.title)),
        language=language(document),
        names=tuple(organisations(document)),
        organisation=_stated(document),
        emails=emails(document),
        phones=phones(document, countries=countries),
        addresses=addresses(document, countries=countries),
        profiles=profiles(document),
        feeds=feeds(document),
        technologies=technologies(document, headers, fingerprints=fingerprints),
        hiring=hiring(document),
        open_positions=open_positions(document),
        pricing=pricing(document),
        trial=trial(document),
        demo=demo(document),
        login=login(document),
        parked=parked(document, words=words),
        changed_at=changed_at(document, headers, fetched_at or _NO_TIME),
        words=words,
        links=tuple(document.links),
        refresh=_refresh(document),
    )


def _stated(document: Document) -> Organisation:
    for item in everything(document.items):
        if item.is_a("Organization", "Corporation", "LocalBusiness") or item.texts("numberOfEmployees") or item.inner("numberOfEmployees"):  # fmt: skip  # noqa: E501
            return Organisation(item.text("legalName"), _year(item.text("foundingDate")), _number(item), item.source)
    return Organisation()


def _year(text: str) -> str:
    return text[:4] if text[:4].isdigit() and 1000 <= int(text[:4]) <= 2100 else ""


def _number(item: Item) -> str:
    """Return how many people an organisation employs: a number, or the middle of a range."""
    for one in item.inner("numberOfEmployees"):
        low, high = one.text("minValue"), one.text("maxValue")
        if low.isdigit() and high.isdigit():
            return str((int(low) + int(high)) // 2)
        if one.text("value").isdigit():
            return one.text("value")
    text = item.text("numberOfEmployees")
    return text if text.isdigit() and len(text) < 9 else ""


def _refresh(document: Document) -> str:
    content = document.metas.get("refresh", "")
    delay, _, target = content.partition(";")
    if not target.strip().lower().startswith("url") or not delay.strip()[:2].isdigit() or int(delay.strip()[:2]) > 10:
        return ""
    return absolute(document.url, target.partition("=")[2].strip(" '\""))
