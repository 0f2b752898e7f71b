"""Companies of the United Kingdom: the API of Companies House, https://developer.company-information.service.gov.uk."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from pydantic import Field

from leadlight.enrich.answer import at, items_at, json_from, text_at
from leadlight.enrich.convert import year_of
from leadlight.enrich.industries import industry_of
from leadlight.enrich.match import Candidate, choose, company_key, wanted_of
from leadlight.enrich.network import Network
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings

URL = "https://api.company-information.service.gov.uk"
FOUND = 20
INACTIVE = frozenset({"dissolved", "converted-closed", "closed", "removed"})

ABOUT = About(
    name="companies_house",
    title="UK Companies House",
    needs=(frozenset({Clue.COMPANY}),),
    gives=(
        "legal_name", "company_status", "company_number", "company_form", "founded", "industry", "industry_code",
        "country", "city", "postal_code",
    ),
    ttl=timedelta(days=30),
    licence="Crown copyright, free to use; a key (setting `key`); 600 requests in five minutes",
    per_second=2.0,
)  # fmt: skip


class CompaniesHouseSettings(Settings):
    """Settings of companies_house."""

    key: str = Field("${COMPANIES_HOUSE_KEY}", description="the API key, best as a ${VARIABLE}")


class CompaniesHouse:
    """Finds a company by its name, as `leadlight.enrich.match` judges; asks nothing of leads known to be elsewhere."""

    def __init__(self, settings: CompaniesHouseSettings, surroundings: Surroundings) -> None:
        self.about, self.settings = ABOUT, settings
        pair = base64.b64encode(f"{surroundings.expand(settings.key)}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {pair}"}

    def key(self, query: Query) -> str | None:
        """Return the company's name and all that it is judged by; None for companies of other countries."""
        wanted = wanted_of(query)
        return company_key(query) if wanted is not None and wanted.country in (None, "GB") else None

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what is registered of the company. Raises NetworkError."""
        wanted = wanted_of(query)
        if wanted is None or self.key(query) is None:
            return ()
        params = {"q": wanted.name[:160], "items_per_page": str(FOUND)}
        found = await self._get("/search/companies", params, query, network)
        items = list(items_at(found, "items", most=FOUND))
        match = choose(wanted, [_candidate(item) for item in items])
        number = None if match is None else text_at(items[match.index], "company_number")
        if match is None or number is None:
            return ()
        profile = await self._get(f"/company/{quote(number, safe='')}", None, query, network)
        return tuple(_facts(profile or items[match.index], number, match.confidence, match.why))

    async def _get(self, path: str, params: dict[str, str] | None, query: Query, network: Network) -> Any:
        return await json_from(
            network, URL + path, whose="Companies House", at=query.at, params=params, headers=self._headers,
            ttl=ABOUT.ttl,
        )  # fmt: skip


PROVIDER = Offer(ABOUT, CompaniesHouseSettings, CompaniesHouse)


def _candidate(item: Any) -> Candidate:
    return Candidate(
        tuple(name for name in (text_at(item, "title"),) if name),
        "GB",
        city=text_at(item, "address", "locality"),
        postal_code=text_at(item, "address", "postal_code"),
        active=text_at(item, "company_status") not in INACTIVE,
    )


def _facts(profile: Any, number: str, sure: float, why: str) -> Iterator[Fact]:
    address = at(profile, "registered_office_address") or at(profile, "address")
    code = text_at(profile, "sic_codes", 0)
    name = text_at(profile, "company_name") or text_at(profile, "title")
    found = {
        "legal_name": name,
        "company_number": f"companies_house:{number}",
        "company_status": text_at(profile, "company_status"),
        "company_form": text_at(profile, "type") or text_at(profile, "company_type"),
        "founded": year_of(at(profile, "date_of_creation")),
        "industry_code": code and f"nace:{code}",
        "industry": code and industry_of(code, scheme="nace"),  # UK SIC 2007 is NACE with a fifth digit
        "country": "GB",
        "city": text_at(address, "locality"),
        "postal_code": text_at(address, "postal_code"),
    }
    origin = f"https://find-and-update.company-information.service.gov.uk/company/{number}"
    yield from (
        Fact(attribute, value, sure, origin, f"{name} ({why})")
        for attribute, value in found.items()
        if value is not None
    )
