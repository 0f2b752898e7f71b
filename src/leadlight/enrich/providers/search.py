"""What a search engine finds of a company: any SearXNG with JSON answers, https://docs.searxng.org/dev/search_api.html.

Its home page is the first result whose host is made of the company's name; directories, networks and news sites are
left out. Whose domain is known needs none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import Field

from leadlight.enrich.answer import items_at, json_from, number_at, text_at
from leadlight.enrich.match import company_key, folded, host_of, likeness, wanted_of
from leadlight.enrich.network import Network
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings
from leadlight.errors import UsageError

OTHERS = frozenset(
    [
        "wikipedia", "wikidata", "linkedin", "facebook", "instagram", "twitter", "x", "youtube", "tiktok", "crunchbase",
        "bloomberg", "glassdoor", "indeed", "yelp", "trustpilot", "reddit", "medium", "github", "apple", "google",
        "amazon", "opencorporates", "dnb", "zoominfo", "pitchbook", "reuters", "forbes", "yahoo", "northdata", "owler",
        "companieshouse", "sec", "gov", "craft", "g2", "capterra", "kununu", "xing", "pinterest", "quora",
    ]
)  # fmt: skip
"""Names of sites that write about companies."""
FOUND = 20

ABOUT = About(
    name="search",
    title="Search (SearXNG)",
    needs=(frozenset({Clue.COMPANY}),),
    gives=("search_results", "company_website", "social_profiles"),
    clues=frozenset({Clue.WEBSITE, Clue.LINKS}),
    ttl=timedelta(days=30),
    licence="that of the engines behind it; run a SearXNG of your own (setting `url`), with `json` among its formats",
    per_second=1.0,
)
_PROFILES = re.compile(
    r"https://(?:www\.)?(?:linkedin\.com/company/|github\.com/|x\.com/|twitter\.com/|facebook\.com/|bsky\.app/profile/)"
    r"[\w.-]{2,80}/?",
    re.ASCII,
)


class SearchSettings(Settings):
    """Settings of search."""

    url: str = Field("", description="the address of a SearXNG, as in https://search.example.com")
    language: str = Field("all", max_length=10, description="language of the results, as de or en-GB")
    engines: list[str] = Field(
        default_factory=list, description="engines to ask, as SearXNG names them; its own choice"
    )


class Search:
    """Asks a SearXNG for a company's name."""

    def __init__(self, settings: SearchSettings, surroundings: Surroundings) -> None:
        if not settings.url.startswith(("http://", "https://")) and surroundings.environ is not None:
            raise UsageError("search needs the address of a SearXNG", fix="Set `url: https://…` under its settings.")
        self.about, self.settings = ABOUT, settings

    def key(self, query: Query) -> str | None:
        """Return the company's name and what it is judged by."""
        return company_key(query) if self.settings.url else None

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return how much is found, and what looks like its home page. Raises NetworkError."""
        wanted = wanted_of(query)
        if wanted is None or self.key(query) is None:
            return ()
        said = wanted.name.replace('"', " ")[:150]
        params = {"q": f'"{said}"', "format": "json", "language": self.settings.language}
        if self.settings.engines:
            params["engines"] = ",".join(self.settings.engines)
        url = f"{self.settings.url.rstrip('/')}/search"
        whose = f"the search at {host_of(url)}"
        answer = await json_from(network, url, whose=whose, at=query.at, params=params, ttl=ABOUT.ttl, nothing=())
        return tuple(_facts(answer, wanted.name, has_domain=wanted.domain is not None))


PROVIDER = Offer(ABOUT, SearchSettings, Search)


def _facts(answer: Any, name: str, *, has_domain: bool) -> Iterator[Fact]:
    results = list(items_at(answer, "results", most=FOUND))
    total = number_at(answer, "number_of_results") or float(len(results))
    if results:
        yield Fact("search_results", total, 0.6, "SearXNG", text_at(results[0], "title") or "")
    site = None if has_domain else _site(results, name)
    if site is not None:
        yield site
    links = [url for each in results if (url := text_at(each, "url")) and _PROFILES.fullmatch(url)]
    ours = [url for url in links if likeness(url.rstrip("/").rsplit("/", 1)[-1].replace("-", " "), name) >= 0.85]
    if ours:
        yield Fact("social_profiles", " ".join(dict.fromkeys(ours)), 0.6, "SearXNG", ours[0])


def _site(results: list[Any], name: str) -> Fact | None:
    """Return the first result whose host is the company's name: surest where it is first, and exactly so called."""
    wanted = folded(name).replace(" ", "")
    for place, result in enumerate(results):
        url = text_at(result, "url") or ""
        labels = host_of(url).split(".")
        if not url.startswith(("https://", "http://")) or len(labels) < 2 or set(labels) & OTHERS:
            continue
        label = max(labels[:-1], key=len).replace("-", "")
        alike = 1.0 if label == wanted else likeness(label, wanted)
        if alike >= 0.9 and len(wanted) >= 3:
            scheme = url.split("//", 1)[0]
            sure = round((0.75 if alike == 1.0 else 0.55) - 0.03 * min(place, 5), 2)
            return Fact(
                "company_website", f"{scheme}//{host_of(url)}", sure, "SearXNG", text_at(result, "title") or url
            )
    return None
