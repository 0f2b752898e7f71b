"""Companies of some 140 registers: the API of OpenCorporates, https://api.opencorporates.com."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import Field

from leadlight.enrich.answer import at, items_at, json_from, text_at
from leadlight.enrich.convert import year_of
from leadlight.enrich.industries import industry_of
from leadlight.enrich.match import Candidate, choose, company_key, wanted_of
from leadlight.enrich.network import Network
from leadlight.enrich.provider import About, Clue, Fact, Offer, Query, Settings, Surroundings

URL = "https://api.opencorporates.com/v0.4/companies/search"
FOUND = 30
SCHEMES = {"uk_sic_2007": "nace", "nace": "nace", "eu_nace_2": "nace", "us_naics_2017": "naics", "us_sic_1987": "sic"}
"""Schemes of codes as OpenCorporates names them → ours."""

ABOUT = About(
    name="opencorporates",
    title="OpenCorporates",
    needs=(frozenset({Clue.COMPANY}),),
    gives=(
        "legal_name", "company_status", "company_number", "company_form", "founded", "industry", "industry_code",
        "country",
    ),
    ttl=timedelta(days=90),
    licence="ODbL 1.0, share-alike, to be named as the source (opencorporates.com/legal); a key (setting `key`)",
    per_second=1.0,
)  # fmt: skip


class OpenCorporatesSettings(Settings):
    """Settings of opencorporates."""

    key: str = Field("${OPENCORPORATES_KEY}", description="the API token, best as a ${VARIABLE}")


class OpenCorporates:
    """Finds a company by its name, as `leadlight.enrich.match` judges."""

    def __init__(self, settings: OpenCorporatesSettings, surroundings: Surroundings) -> None:
        self.about, self.settings = ABOUT, settings
        self._headers = {"X-API-TOKEN": surroundings.expand(settings.key)}

    def key(self, query: Query) -> str | None:
        """Return the company's name and all that it is judged by."""
        return company_key(query)

    async def ask(self, query: Query, network: Network) -> tuple[Fact, ...]:
        """Return what is registered of the company. Raises NetworkError."""
        wanted = wanted_of(query)
        if wanted is None:
            return ()
        params = {"q": wanted.name[:200], "normalise_company_name": "true", "per_page": str(FOUND)}
        if wanted.country:
            params["country_code"] = wanted.country.lower()
        answer = await json_from(
            network, URL, whose="OpenCorporates", at=query.at, params=params, headers=self._headers, ttl=ABOUT.ttl
        )
        companies = [at(item, "company") for item in items_at(answer, "results", "companies", most=FOUND)]
        match = choose(wanted, [_candidate(company) for company in companies])
        return () if match is None else tuple(_facts(companies[match.index], match.confidence, match.why))


PROVIDER = Offer(ABOUT, OpenCorporatesSettings, OpenCorporates)


def _candidate(company: Any) -> Candidate:
    former = (text_at(item, "company_name") for item in items_at(company, "previous_names"))
    names = [text_at(company, "name"), *former]
    address = at(company, "registered_address")
    return Candidate(
        tuple(name for name in names if name),
        _country(company),
        city=text_at(address, "locality"),
        postal_code=text_at(address, "postal_code"),
        active=at(company, "inactive") is not True and not text_at(company, "dissolution_date"),
    )


def _country(company: Any) -> str | None:
    """Return the country of a jurisdiction: `us_de` is Delaware's."""
    code = (text_at(company, "jurisdiction_code") or "").split("_")[0].upper()
    return code if len(code) == 2 and code.isalpha() else None


def _facts(company: Any, sure: float, why: str) -> Iterator[Fact]:
    name, number = text_at(company, "name"), text_at(company, "company_number")
    jurisdiction = text_at(company, "jurisdiction_code")
    coded = next(_codes(company), None)
    status = text_at(company, "current_status")
    found = {
        "legal_name": name,
        "company_number": number and jurisdiction and f"opencorporates:{jurisdiction}/{number}",
        "company_status": (status and status.lower()) or ("inactive" if at(company, "inactive") is True else None),
        "company_form": text_at(company, "company_type"),
        "founded": year_of(at(company, "incorporation_date")),
        "industry_code": coded and ":".join(coded),
        "industry": coded and industry_of(coded[1], scheme=coded[0]),
        "country": _country(company),
    }
    origin = text_at(company, "opencorporates_url") or URL
    yield from (
        Fact(attribute, value, sure, origin, f"{name} ({why})")
        for attribute, value in found.items()
        if value is not None
    )


def _codes(company: Any) -> Iterator[tuple[str, str]]:
    """Return the company's industry codes, of schemes that we know."""
    for item in items_at(company, "industry_codes"):
        scheme = SCHEMES.get(text_at(item, "industry_code", "code_scheme_id") or "")
        code = text_at(item, "industry_code", "code")
        if scheme and code:
            yield scheme, code
