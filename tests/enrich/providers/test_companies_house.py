"""Companies House: search and company profile in their shapes."""

from __future__ import annotations

import base64

import pytest

from internet import Answer
from leadlight.enrich.network import NetworkError, Why
from leadlight.enrich.provider import Clue, Query, Surroundings
from leadlight.enrich.providers.companies_house import CompaniesHouse, CompaniesHouseSettings

HOST = "api.company-information.service.gov.uk"


def result(title, number, status="active", locality="Leeds"):
    return {
        "kind": "searchresults#company", "title": title, "company_number": number, "company_status": status,
        "company_type": "ltd", "date_of_creation": "1920-05-01", "address_snippet": "1 Forge Lane, Leeds, LS1 1AA",
        "address": {"premises": "1", "address_line_1": "Forge Lane", "locality": locality, "postal_code": "LS1 1AA",
                    "country": "England"},
        "links": {"self": f"/company/{number}"}, "matches": {"title": [1, 5]}, "snippet": "",
    }  # fmt: skip


PROFILE = {
    "company_name": "ANVIL WORKS LTD", "company_number": "00000001", "company_status": "active", "type": "ltd",
    "date_of_creation": "1920-05-01", "jurisdiction": "england-wales", "sic_codes": ["62012", "62020"],
    "registered_office_address": {"address_line_1": "1 Forge Lane", "locality": "Leeds", "postal_code": "LS1 1AA"},
    "accounts": {}, "links": {}, "has_charges": False,
}  # fmt: skip


@pytest.fixture
def house(internet):
    """The register, which finds these, and who asked with which headers."""

    def of(*results):
        found = {"kind": "search#companies", "total_results": len(results), "items": list(results)}
        internet.handle(HOST, "*", 404)
        internet.handle(HOST, "/company/00000001", PROFILE)
        internet.handle(HOST, "/search/companies", lambda request: seen.append(request) or found)
        return CompaniesHouse(CompaniesHouseSettings(), Surroundings(environ={"COMPANIES_HOUSE_KEY": "s3cret-key"}))

    seen = of.seen = []
    return of


def test_company(house, ask):
    found = ask(house(result("ANVIL WORKS LTD", "00000001")), company="Anvil Works", country="GB", postal_code="ls11aa")
    assert {name: fact.value for name, fact in found.items()} == {
        "legal_name": "ANVIL WORKS LTD", "company_number": "companies_house:00000001", "company_status": "active",
        "company_form": "ltd", "founded": 1920, "industry_code": "nace:62012", "industry": "software", "country": "GB",
        "city": "Leeds", "postal_code": "LS1 1AA",
    }  # fmt: skip
    assert found["founded"].confidence == 0.95
    (request,) = house.seen
    assert dict(request.query) == {"q": "Anvil Works", "items_per_page": "20"}
    assert request.headers["authorization"] == f"Basic {base64.b64encode(b's3cret-key:').decode()}"


def test_dissolved_namesake_is_no_rival_where_it_is_elsewhere(house, ask):
    twins = [result("ANVIL WORKS LTD", "00000002", "dissolved"), result("ANVIL WORKS LIMITED", "00000001")]
    assert ask(house(*twins), company="Anvil Works", country="GB")["company_number"].value == (
        "companies_house:00000001"
    )


def test_two_alike(house, ask):
    twins = [result("ANVIL WORKS LTD", "00000002"), result("ANVIL WORKS LIMITED", "00000001")]
    assert ask(house(*twins), company="Anvil Works", country="GB") == {}


def test_profile_that_is_gone_leaves_what_the_search_said(house, ask):
    found = ask(house(result("ANVIL WORKS LTD", "SC/../7")), company="Anvil Works", country="GB")
    assert found["company_number"].value == "companies_house:SC/../7"
    assert "industry" not in found


@pytest.mark.parametrize(("country", "asked"), [("GB", True), (None, True), ("uk", True), ("DE", False)])
def test_companies_of_elsewhere_are_not_asked_for(country, asked, house):
    clues = {Clue.COMPANY: "Anvil", **({Clue.COUNTRY: country} if country else {})}
    assert (house().key(Query(clues)) is not None) is asked


def test_errors(house, internet, ask):
    asked = house()
    internet.handle(HOST, "/search/companies", Answer(status=401))
    with pytest.raises(NetworkError) as caught:
        ask(asked, company="Anvil")
    assert caught.value.why is Why.DENIED
    internet.handle(HOST, "/search/companies", Answer(status=418))
    with pytest.raises(NetworkError, match="Companies House answered with status 418"):
        ask(asked, company="Anvil")
