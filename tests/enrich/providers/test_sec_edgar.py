"""EDGAR: company_tickers.json, submissions and companyconcept in their shapes."""

from __future__ import annotations

import pytest

from internet import Answer
from leadlight.enrich.network import NetworkError
from leadlight.enrich.provider import Surroundings
from leadlight.enrich.providers.sec_edgar import SecEdgar, SecEdgarSettings
from leadlight.errors import UsageError

TICKERS = {
    "0": {"cik_str": 1234567, "ticker": "ANV", "title": "ANVIL WORKS INC"},
    "1": {"cik_str": 1234567, "ticker": "ANV-PA", "title": "ANVIL WORKS INC"},
    "2": {"cik_str": 42, "ticker": "HAM", "title": "HAMMER & TONGS CORP"},
    "3": {"cik_str": "odd", "ticker": None, "title": 7},
}
SUBMISSIONS = {
    "cik": "1234567", "entityType": "operating", "sic": "7372", "sicDescription": "Services-Prepackaged Software",
    "name": "ANVIL WORKS INC", "tickers": ["ANV"], "exchanges": ["NYSE"], "ein": "000000000", "website": "",
    "category": "Large accelerated filer", "fiscalYearEnd": "1231", "stateOfIncorporation": "DE",
    "addresses": {
        "mailing": {"street1": "1 FORGE LANE", "city": "ALBANY", "stateOrCountry": "NY", "zipCode": "12207"},
        "business": {"street1": "1 FORGE LANE", "street2": None, "city": "ALBANY", "stateOrCountry": "NY",
                     "zipCode": "12207", "stateOrCountryDescription": "NY"},
    },
    "phone": "518-555-0123", "formerNames": [{"name": "OLD FORGE CO", "from": "1990-01-01", "to": "2001-01-01"}],
    "filings": {"recent": {"form": ["10-K"]}, "files": []},
}  # fmt: skip


def row(start, end, value, form="10-K"):
    return {"start": start, "end": end, "val": value, "accn": "0", "fy": 2025, "fp": "FY", "form": form, "filed": end}


CONCEPT = {"cik": 1234567, "taxonomy": "us-gaap", "tag": "Revenues", "units": {"USD": [
    row("2024-01-01", "2024-12-31", 11_000_000),
    row("2025-01-01", "2025-12-31", 12_000_000),
    row("2025-10-01", "2025-12-31", 3_000_000),
    row("2026-01-01", "2026-09-30", 9_000_000, "10-Q"),
    {"end": "2026-12-31", "val": 1},
]}}  # fmt: skip


@pytest.fixture
def sec(internet):
    internet.handle("www.sec.gov", "/files/company_tickers.json", TICKERS)
    internet.handle("data.sec.gov", "*", 404)
    internet.handle("data.sec.gov", "/submissions/CIK0001234567.json", SUBMISSIONS)
    internet.handle("data.sec.gov", "/api/xbrl/companyconcept/CIK0001234567/us-gaap/Revenues.json", CONCEPT)
    return SecEdgar(SecEdgarSettings(), Surroundings(contact="ops@anvil.example"))


def test_company(sec, internet, ask):
    found = ask(sec, company="Anvil Works, Inc.", country="US", times=2)
    assert {name: fact.value for name, fact in found.items()} == {
        "legal_name": "ANVIL WORKS INC", "listed": True, "industry_code": "sic:7372", "industry": "software",
        "company_number": "cik:1234567", "company_phone": "518-555-0123", "city": "ALBANY", "region": "NY",
        "postal_code": "12207", "country": "US", "revenue": 12_000_000,
    }  # fmt: skip
    assert found["listed"].confidence == 0.9
    assert found["revenue"].evidence == "year to 2025-12-31"
    assert internet.begun("www.sec.gov") == 1, "the list is fetched once"


def test_like_a_name_but_not_it(sec, internet, ask):
    assert ask(sec, company="Anvil Workshop Services") == {}
    assert ask(sec, company="Hammer and Tongs") == {}, "in the list, but nothing is filed"
    assert ask(sec, company="Anvil Works", country="DE") == {}


def test_former_name(sec, internet, ask):
    internet.handle("www.sec.gov", "/files/company_tickers.json", {"0": {**TICKERS["0"], "title": "OLD FORGE CO"}})
    assert ask(sec, company="Old Forge")["legal_name"].value == "ANVIL WORKS INC"


def test_foreign_address(sec, internet, ask):
    business = {"city": "LONDON", "stateOrCountry": "X0", "stateOrCountryDescription": "United Kingdom"}
    internet.handle(
        "data.sec.gov", "/submissions/CIK0001234567.json", {**SUBMISSIONS, "addresses": {"business": business}}
    )
    found = ask(sec, company="Anvil Works", country="GB")
    assert found["country"].value == "GB"
    assert "region" not in found


def test_contact_is_needed():
    with pytest.raises(UsageError, match="say how to reach them"):
        SecEdgar(SecEdgarSettings(), Surroundings())


def test_errors(sec, internet, ask):
    internet.handle("data.sec.gov", "/submissions/CIK0001234567.json", Answer(status=418))
    with pytest.raises(NetworkError, match="the SEC answered with status 418"):
        ask(sec, company="Anvil Works")
    internet.handle("www.sec.gov", "/files/company_tickers.json", Answer(status=418))
    with pytest.raises(NetworkError, match="list of companies answered with status 418"):
        ask(sec, company="Anvil Works")
