"""Companies with a Legal Entity Identifier: GLEIF's public API, https://www.gleif.org/lei-data/gleif-api."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from leadlight.enrich.answer import at, items_at, json_from, text_at
from leadlight.enrich.convert import country_of, year_of
from leadlight.enrich.match import Candidate, choose, company_key, wanted_of
from leadlight.enrich.network import Network
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings

URL = "https://api.gleif.org/api/v1/lei-records"
HEADERS = {"Accept": "application/vnd.api+json"}
FOUND = 20
"""Companies that are looked at."""

ABOUT = About(
    name="gleif",
    title="Register of Legal Entity Identifiers (GLEIF)",
    needs=(frozenset({Clue.COMPANY}),),
    gives=("legal_name", "company_status", "company_number", "founded", "country", "region", "city", "postal_code"),
    clues=frozenset({Clue.COUNTRY, Clue.CITY}),
    ttl=timedelta(days=90),
    licence="CC0 1.0 (gleif.org/en/meta/lei-data-terms-of-use); no key; 60 requests a minute",
    per_second=1.0,
)


class GleifSettings(Settings):
    """Settings of gleif: none."""


class Gleif:
    """Finds a company by its name, as `leadlight.enrich.match` judges."""

    def __init__(self, settings: GleifSettings, _: Surroundings) -> None:
        self.about, self.settings = ABOUT, settings

    def key(self, query: Query) -> str | None:
        """Return the company's name and all that it is judged by."""
        return company_key(query)

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what is registered of the company. Raises NetworkError."""
        wanted = wanted_of(query)
        if wanted is None:
            return ()
        params = {"filter[entity.names]": wanted.name[:200], "page[size]": str(FOUND)}
        if wanted.country:
            params["filter[entity.legalAddress.country]"] = wanted.country
        answer = await json_from(
            network, URL, whose="GLEIF", at=query.at, params=params, headers=HEADERS, ttl=ABOUT.ttl, nothing=(400, 404)
        )
        records = list(items_at(answer, "data", most=FOUND))
        match = choose(wanted, [_candidate(record) for record in records])
        return () if match is None else tuple(_facts(records[match.index], match.confidence, match.why))


PROVIDER = Offer(ABOUT, GleifSettings, Gleif)


def _candidate(record: Any) -> Candidate:
    entity = at(record, "attributes", "entity")
    others = [*items_at(entity, "otherNames"), *items_at(entity, "transliteratedOtherNames")]
    names = [text_at(entity, "legalName", "name"), *(text_at(other, "name") for other in others)]
    return Candidate(
        tuple(name for name in names if name),
        text_at(entity, "legalAddress", "country"),
        city=text_at(entity, "legalAddress", "city"),
        postal_code=text_at(entity, "legalAddress", "postalCode"),
        active=text_at(entity, "status") != "INACTIVE",
    )


def _facts(record: Any, sure: float, why: str) -> Iterator[Fact]:
    entity, lei = at(record, "attributes", "entity"), text_at(record, "attributes", "lei") or text_at(record, "id")
    address = at(entity, "headquartersAddress") or at(entity, "legalAddress")
    status = text_at(entity, "status")
    found = {
        "legal_name": text_at(entity, "legalName", "name"),
        "company_number": lei and f"gleif:{lei}",
        "company_status": status and status.lower(),
        "founded": year_of(at(entity, "creationDate")),
        "country": country_of(at(address, "country")),
        "region": text_at(address, "region"),
        "city": text_at(address, "city"),
        "postal_code": text_at(address, "postalCode"),
    }
    origin = f"{URL}/{lei}" if lei else URL
    name = found["legal_name"] or ""
    yield from (
        Fact(attribute, value, sure, origin, f"{name} ({why})")
        for attribute, value in found.items()
        if value is not None
    )
