"""What Wikidata knows of a company: its public API, https://www.wikidata.org/w/api.php.

Items are looked up by web site where the lead's domain is known, and by name where that finds none; then what is said
of them, and the names of what that refers to (industries, country, parent company): three or four requests. Of a
property with several values, the one of preferred rank counts, else the newest by its point in time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import Field, field_validator

from leadlight.enrich.answer import at, items_at, json_from, text_at
from leadlight.enrich.convert import country_of, number_of, year_of
from leadlight.enrich.industry_names import industry_named
from leadlight.enrich.match import Candidate, Wanted, choose, company_key, host_of, wanted_of
from leadlight.enrich.network import Network, NetworkError, Why
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings
from leadlight.errors import shorten

URL = "https://www.wikidata.org/w/api.php"
FOUND = 7
LIMIT = 10_000_000
"""Bytes of an answer: well-known companies have thousands of claims."""
QUERY = 300
"""Characters of a search, at most."""
STARTS = ("https://www.", "https://", "http://www.", "http://")
REFERRED = 20
COMPANY, COUNTRY, SITE, FOUNDED, ENDED, EMPLOYEES = "P31", "P17", "P856", "P571", "P576", "P1128"
REVENUE, INDUSTRY, PARENT, OWNER, EXCHANGE, LEI, ISO = "P2139", "P452", "P749", "P127", "P414", "P1278", "P297"
AT_TIME, UNTIL, DOLLARS = "P585", "P582", "Q4917"
PERSON, DISAMBIGUATION = "Q5", "Q4167410"
_ITEM = re.compile(r"Q\d{1,12}")

ABOUT = About(
    name="wikidata",
    title="Wikidata",
    needs=(frozenset({Clue.COMPANY}), frozenset({Clue.DOMAIN})),
    gives=(
        "company_name", "company_website", "founded", "employees", "revenue", "industry", "country", "listed",
        "parent_company", "company_status", "company_number",
    ),
    clues=frozenset({Clue.WEBSITE, Clue.COUNTRY}),
    ttl=timedelta(days=90),
    licence="CC0 1.0; no key; one request at a time, with a contact (foundation.wikimedia.org, User-Agent policy)",
    per_second=2.0,
)  # fmt: skip


class WikidataSettings(Settings):
    """Settings of wikidata."""

    language: str = Field("en", description="the language in which names are looked up, as en or de")

    @field_validator("language")
    @classmethod
    def _check(cls, text: str) -> str:
        if not re.fullmatch("[a-z]{2,3}", text):
            raise ValueError(f"a language is two or three small letters, as en or de; found {shorten(text)}")
        return text


class Wikidata:
    """Finds a company by its web site or name, as `leadlight.enrich.match` judges."""

    def __init__(self, settings: WikidataSettings, _: Surroundings) -> None:
        self.about, self.settings = ABOUT, settings

    def key(self, query: Query) -> str | None:
        """Return the company's name and all that it is judged by, or its domain alone."""
        domain = _domain(query)
        return company_key(query) or (domain and f"|{country_of(query.get(Clue.COUNTRY)) or ''}|{domain}".lower())

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what is known of the company. Raises NetworkError."""
        wanted, domain = wanted_of(query), _domain(query)
        items = await self._of_site(domain, query, network) if domain else []
        if wanted is None and domain is not None:  # its items are of that web site, whatever they are called
            wanted = Wanted(domain.split(".")[0], country_of(query.get(Clue.COUNTRY)), domain)
        elif wanted is not None and not items:
            items = await self._of_name(wanted.name, query, network)
        if wanted is None or not items:
            return ()
        named = await self._named({country for item in items for country in _ids(item, COUNTRY)}, query, network)
        match = choose(wanted, [_candidate(item, named) for item in items])
        if match is None:
            return ()
        item = items[match.index]
        referred = [_best_id(item, name) for name in (PARENT, OWNER)] + list(_ids(item, INDUSTRY))
        named = {**named, **await self._named({each for each in referred if each}, query, network)}
        return tuple(_facts(item, named, match.confidence, match.why))

    async def _of_site(self, domain: str, query: Query, network: Network) -> list[Any]:
        """Return the items whose web site is the domain's home page, in one of the ways in which that is written."""
        search = {"action": "query", "list": "search", "srsearch": _search(domain), "srlimit": str(FOUND)}
        answer = await _get(search, query, network)
        found = [text_at(item, "title") or "" for item in items_at(answer, "query", "search", most=FOUND)]
        return await self._companies(found, query, network)

    async def _of_name(self, name: str, query: Query, network: Network) -> list[Any]:
        """Return the items of that name that could be companies."""
        language = self.settings.language
        search = {"action": "wbsearchentities", "search": name[:200], "language": language, "uselang": language,
                  "type": "item", "limit": str(FOUND)}  # fmt: skip
        answer = await _get(search, query, network)
        found = [text_at(item, "id") or "" for item in items_at(answer, "search", most=FOUND)]
        return await self._companies(found, query, network)

    async def _companies(self, found: list[str], query: Query, network: Network) -> list[Any]:
        wanted = [each for each in found if _ITEM.fullmatch(each)]
        entities = await self._entities(wanted, "labels|aliases|claims", query, network)
        return [entities[each] for each in wanted if each in entities and _could_be(entities[each])]

    async def _named(self, ids: set[str], query: Query, network: Network) -> dict[str, Any]:
        return await self._entities(sorted(ids)[:REFERRED], "labels|claims", query, network) if ids else {}

    async def _entities(self, ids: Iterable[str], props: str, query: Query, network: Network) -> dict[str, Any]:
        joined = "|".join(ids)
        if not joined:
            return {}
        languages = "|".join(dict.fromkeys([self.settings.language, "en", "mul"]))
        params = {"action": "wbgetentities", "ids": joined, "props": props, "languages": languages}
        entities = at(await _get(params, query, network), "entities")
        return {str(key): value for key, value in entities.items()} if isinstance(entities, dict) else {}


PROVIDER = Offer(ABOUT, WikidataSettings, Wikidata)


def _search(domain: str) -> str:
    """Return the search for a home page, in as many ways of writing it as a search may be long."""
    ways = [f"{SITE}={start}{domain}{end}" for start in STARTS for end in ("/", "")]
    found = "haswbstatement:" + "|".join(ways)
    return found if len(found) <= QUERY else found[: QUERY + 1].rpartition("|")[0]


def _domain(query: Query) -> str | None:
    domain = (query.get(Clue.DOMAIN) or "").strip().lower()
    return domain if re.fullmatch(r"[\w-]+(\.[\w-]+)+", domain) else None


async def _get(params: Mapping[str, str], query: Query, network: Network) -> Any:
    params = {**params, "format": "json", "formatversion": "2"}
    return await json_from(
        network, URL, whose="Wikidata", at=query.at, params=params, ttl=ABOUT.ttl, nothing=(), limit=LIMIT,
        check=_check,
    )  # fmt: skip


def _check(answer: Any) -> None:
    """Raise what the API says in the form of an answer."""
    if code := text_at(answer, "error", "code"):
        why = Why.RATE_LIMITED if code in ("maxlag", "ratelimited") else Why.BROKEN
        raise NetworkError(why, f"Wikidata answered with an error: {code[:60]}")


# ------------------------------------------------------------------------------------------------- claims of an item


def _claims(item: Any, name: str) -> list[Any]:
    """Return the claims of a property that count, the best first: preferred ones if any, then the newest."""
    claims = [each for each in items_at(item, "claims", name) if text_at(each, "rank") != "deprecated"]
    preferred = [each for each in claims if text_at(each, "rank") == "preferred"]
    current = [each for each in preferred or claims if not at(each, "qualifiers", UNTIL)]
    return sorted(current, key=lambda each: _time(each) or "", reverse=True)


def _time(claim: Any) -> str | None:
    return text_at(claim, "qualifiers", AT_TIME, 0, "datavalue", "value", "time")


def _value(claim: Any) -> Any:
    return at(claim, "mainsnak", "datavalue", "value")


def _ids(item: Any, name: str) -> Iterator[str]:
    for claim in _claims(item, name):
        found = text_at(_value(claim), "id")
        if found and _ITEM.fullmatch(found):
            yield found


def _best_id(item: Any, name: str) -> str | None:
    return next(_ids(item, name), None)


def _texts(item: Any, name: str) -> Iterator[str]:
    yield from (value for claim in _claims(item, name) if isinstance(value := _value(claim), str))


def _year(item: Any, name: str) -> float | None:
    return next((year for claim in _claims(item, name) if (year := year_of(text_at(_value(claim), "time")))), None)


def _amount(item: Any, name: str, unit: str | None = None) -> float | None:
    for claim in _claims(item, name):
        if unit is None or (text_at(_value(claim), "unit") or "").endswith(f"/{unit}"):
            return number_of((text_at(_value(claim), "amount") or "").lstrip("+"))
    return None


def _label(item: Any) -> str | None:
    labels = at(item, "labels")
    first = next(iter(labels.values()), None) if isinstance(labels, dict) else None
    return text_at(first, "value")


def _names(item: Any) -> Iterator[str]:
    for kind in ("labels", "aliases"):
        found = at(item, kind)
        for each in found.values() if isinstance(found, dict) else ():
            for name in each[:20] if isinstance(each, list) else [each]:
                if text := text_at(name, "value"):
                    yield text


def _could_be(item: Any) -> bool:
    """Say whether an item may be a company: no person, and something that companies have is said of it."""
    kinds = set(_ids(item, COMPANY))
    has = (SITE, EMPLOYEES, REVENUE, INDUSTRY, LEI, EXCHANGE, FOUNDED)
    return not kinds & {PERSON, DISAMBIGUATION} and any(_claims(item, name) for name in has)


def _country(item: Any, named: Mapping[str, Any]) -> str | None:
    for each in _ids(item, COUNTRY):
        code = next(_texts(named.get(each), ISO), None) or _label(named.get(each))
        if found := country_of(code):
            return found
    return None


def _candidate(item: Any, named: Mapping[str, Any]) -> Candidate:
    return Candidate(
        tuple(dict.fromkeys(_names(item))), _country(item, named), tuple(_texts(item, SITE)),
        active=not _claims(item, ENDED),
    )  # fmt: skip


def _facts(item: Any, named: Mapping[str, Any], sure: float, why: str) -> Iterator[Fact]:
    number, name = text_at(item, "id"), _label(item) or next(_names(item), None)
    parent = _best_id(item, PARENT) or _best_id(item, OWNER)
    site = next((each for each in _texts(item, SITE) if host_of(each)), None)
    industries = (_label(named.get(each)) for each in _ids(item, INDUSTRY))
    exchanges = _claims(item, EXCHANGE)
    found = {
        "company_name": name,
        "company_website": site,
        "founded": _year(item, FOUNDED),
        "employees": _amount(item, EMPLOYEES),
        "revenue": _amount(item, REVENUE, DOLLARS),
        "industry": next((ours for each in industries if each and (ours := industry_named(each))), None),
        "country": _country(item, named),
        "listed": True if exchanges else None,
        "parent_company": _label(named.get(parent)) if parent else None,
        "company_status": "dissolved" if _claims(item, ENDED) else None,
        "company_number": number and f"wikidata:{number}",
    }
    origin = f"https://www.wikidata.org/wiki/{number}"
    yield from (
        Fact(attribute, value, sure, origin, f"{name} ({why})")
        for attribute, value in found.items()
        if value is not None
    )
