"""What is new about a company: RSS and Atom, of its own site, of feeds of the trade, or of a search by name.

Items of a feed that is not the company's own count only where its name stands in title or summary.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import islice
from typing import Any

from pydantic import Field, field_validator

from leadlight.enrich.convert import text_of
from leadlight.enrich.match import folded
from leadlight.enrich.network import Network, NetworkError
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings
from leadlight.enrich.template import fill_path, host_problem, problems

FRESH = timedelta(days=30)
KEPT = timedelta(hours=12)
LIMIT = 1_000_000
MOST_ITEMS = 100
MOST_TAGS = 20_000
"""What has more tags and entities than this in its first items is no feed, and would take seconds to take apart."""
_END = re.compile(rb"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
TOPICS = {
    "funding": r"funding|raises?|raised|series [a-e]|seed round|venture capital|investment round|ipo|valuation",
    "acquisition": r"acqui(?:res?|red|sition)|merger|merges? with|buys|takeover|bought by",
    "hiring": r"hir(?:es?|ed|ing)|appoint(?:s|ed|ment)|names? new|joins? as|new (?:ceo|cto|cfo|cmo)|recruit(?:s|ing)",
    "layoffs": r"lay(?:s|ing)? ?-?offs?|laid off|job cuts?|cuts? jobs|redundanc(?:y|ies)|insolven(?:t|cy)|bankruptcy",
    "product": r"launch(?:es|ed)?|releas(?:es|ed)|unveils?|introduc(?:es|ed|ing)|announces? (?:the )?availability",
    "lawsuit": r"lawsuit|sue[sd]?|suing|fined?|court|settle(?:s|ment)|antitrust|data breach",
    "expansion": r"expand(?:s|ed|ing)?|expansion|opens? (?:a )?new|new (?:office|plant|factory|site)",
    "partnership": r"partner(?:s|ed|ship)|teams? up|collaborat(?:es|ion)|signs? (?:a )?(?:deal|contract)",
}
"""Topic → the words that it is known by, in English."""
_TOPICS = {topic: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for topic, words in TOPICS.items()}

ABOUT = About(
    name="news",
    title="News by RSS and Atom",
    needs=(frozenset({Clue.COMPANY}), frozenset({Clue.DOMAIN})),
    gives=("news_30d", "news_last_at", "news_headline", "news_topics"),
    ttl=timedelta(days=2),
    nothing_ttl=timedelta(days=2),
    licence="each feed's terms; headlines and dates are kept, texts are not",
)


class NewsSettings(Settings):
    """Settings of news; without any, the feed of the company's own site is read (attribute `website_feed`)."""

    feeds: list[str] = Field(default_factory=list, max_length=20, description="addresses of feeds of the trade")
    search: str | None = Field(
        None, description="the address of a feed by name, with {company} or {domain} in its path"
    )
    own: bool = Field(True, description="whether the feed of the company's own site is read")

    @field_validator("search")
    @classmethod
    def _check(cls, text: str | None) -> str | None:
        for problem in () if text is None else (*problems(text), host_problem(text.replace("?", "/", 1))):
            if problem:
                raise ValueError(problem)
        return text


@dataclass(frozen=True, slots=True)
class _Item:
    title: str
    at: datetime
    topics: tuple[str, ...]
    link: str


class News:
    """Reads feeds."""

    def __init__(self, settings: NewsSettings, _: Surroundings) -> None:
        self.about, self.settings = ABOUT, settings

    def key(self, query: Query) -> str | None:
        """Return company, domain and own feed; None where there is no feed to read."""
        name, own = folded(query.get(Clue.COMPANY) or ""), self._own(query)
        searched = self.settings.search and fill_path(self.settings.search, query)
        if not (name or own) or not (own or searched or (self.settings.feeds and name)):
            return None
        return "|".join([name, (query.get(Clue.DOMAIN) or "").lower(), own or ""])

    def _own(self, query: Query) -> str | None:
        feed = query.attributes.get("website_feed")
        return (
            feed if self.settings.own and isinstance(feed, str) and feed.startswith(("http://", "https://")) else None
        )

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return how much is new, and what is newest. Raises NetworkError where no feed could be read."""
        if self.key(query) is None:
            return ()
        found, failed, read = [], None, 0
        for url, own in self._feeds(query):
            try:
                body = await _body(url, network, crawl=own)
            except NetworkError as error:
                failed = error
                continue
            read += 1
            found += _items(body, None if own else folded(query.get(Clue.COMPANY) or ""), query.at)
        if failed is not None and not read:
            raise failed
        return tuple(_facts(found, query.at)) if read else ()

    def _feeds(self, query: Query) -> Iterator[tuple[str, bool]]:
        if own := self._own(query):
            yield own, True
        if self.settings.search and (url := fill_path(self.settings.search, query)):
            yield url, False
        yield from ((url, False) for url in self.settings.feeds if query.get(Clue.COMPANY))


PROVIDER = Offer(ABOUT, NewsSettings, News)


async def _body(url: str, network: Network, *, crawl: bool) -> bytes:
    reply = await network.get(url, ttl=KEPT, limit=LIMIT, crawl=crawl)
    return reply.body if reply.ok else b""


def _items(body: bytes, name: str | None, now: datetime) -> list[_Item]:
    """Return the dated items of a feed that are not of the future; with a name, those that hold it."""
    import feedparser

    head = _head(body)
    if not head.strip() or head.count(b"<") + head.count(b"&") > MOST_TAGS:
        return []
    parsed = feedparser.parse(BytesIO(head), sanitize_html=False, resolve_relative_uris=False)
    items = []
    for entry in parsed.get("entries", [])[:MOST_ITEMS]:
        item = _item(entry)
        if item is not None and item.at <= now and (name is None or _about(name, entry)):
            items.append(item)
    return items


def _head(body: bytes) -> bytes:
    """Return a feed up to the last of the first items, which are the newest; feedparser minds no missing end."""
    ends = (match.end() for match in _END.finditer(body))
    last = next(islice(ends, MOST_ITEMS - 1, None), None)
    return body if last is None else body[:last]


def _item(entry: Any) -> _Item | None:
    moment = dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed")  # without feedparser's fallbacks
    title = text_of(entry.get("title"))
    try:
        at = None if moment is None else datetime.fromtimestamp(timegm(moment), UTC).replace(tzinfo=None)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    if at is None or title is None:
        return None
    topics = tuple(topic for topic, words in _TOPICS.items() if words.search(title[:500]))
    return _Item(title, at, topics, text_of(entry.get("link")) or "")


def _about(name: str, entry: Any) -> bool:
    said = folded_text(f"{entry.get('title', '')} {entry.get('summary', '')}")
    return bool(name) and f" {name} " in f" {said} "


def folded_text(text: str) -> str:
    """Return text the way names are folded, in pieces, so that a name can be found in it.

    >>> folded_text("News: ACME Inc. raises $10M")
    'news acme inc raises 10m'
    """
    return " ".join(folded(piece) for piece in re.sub(r"<[^<>]*>", " ", text[:3000]).split() if folded(piece))


def _facts(items: list[_Item], now: datetime) -> Iterator[Fact]:
    recent = [item for item in items if item.at > now - FRESH]
    yield Fact("news_30d", float(len({item.title for item in recent})), 0.8, "", f"{len(items)} items were dated")
    newest = max(items, key=lambda item: item.at, default=None)
    if newest is not None:
        yield Fact("news_last_at", newest.at, 0.8, newest.link, newest.title)
        yield Fact("news_headline", newest.title, 0.8, newest.link, newest.title)
    topics = dict.fromkeys(
        topic for item in sorted(recent, key=lambda item: item.at, reverse=True) for topic in item.topics
    )
    if topics:
        yield Fact("news_topics", ", ".join(topics), 0.7, "", "; ".join(item.title for item in recent if item.topics))
