"""OpenCorporates: companies/search of version 0.4 in its shape."""

from __future__ import annotations

import pytest

from internet import Answer
from leadlight.enrich.network import NetworkError
from leadlight.enrich.provider import Surroundings
from leadlight.enrich.providers.opencorporates import OpenCorporates, OpenCorporatesSettings

HOST = "api.opencorporates.com"


def company(name, number="1", jurisdiction="us_ny", **more):
    return {"company": {
        "name": name, "company_number": number, "jurisdiction_code": jurisdiction, "incorporation_date": "1920-05-01",
        "dissolution_date": None, "company_type": "DOMESTIC BUSINESS CORPORATION", "registry_url": None, "branch": None,
        "branch_status": None, "inactive": False, "current_status": "Active", "created_at": "2010-01-01T00:00:00+00:00",
        "retrieved_at": "2026-01-01T00:00:00+00:00", "previous_names": [], "source": {"publisher": "made up"},
        "registered_address": {"street_address": "1 Forge Lane", "locality": "Albany", "region": "NY",
                               "postal_code": "12207", "country": "United States"},
        "registered_address_in_full": "1 Forge Lane, Albany, NY, 12207", "restricted_for_marketing": None,
        "industry_codes": [
            {"industry_code": {"code": "x", "description": "…", "code_scheme_id": "unheard_of", "uid": "x"}},
            {"industry_code": {"code": "62.01", "description": "…", "code_scheme_id": "eu_nace_2", "uid": "…"}},
        ],
        "native_company_number": None, "alternate_registration_entities": [],
        "opencorporates_url": f"https://opencorporates.com/companies/{jurisdiction}/{number}", **more,
    }}  # fmt: skip


@pytest.fixture
def register(internet):
    def of(*companies):
        results = {"companies": list(companies), "page": 1, "per_page": 30, "total_pages": 1, "total_count": 1}
        answer = {"api_version": "0.4", "results": results}
        internet.handle(HOST, "/v0.4/companies/search", lambda request: seen.append(request) or answer)
        return OpenCorporates(OpenCorporatesSettings(key="${OC}"), Surroundings(environ={"OC": "s3cret-key"}))

    seen = of.seen = []
    return of


def test_company(register, ask):
    found = ask(register(company("ANVIL WORKS, INC.")), company="Anvil Works", country="US")
    assert {name: fact.value for name, fact in found.items()} == {
        "legal_name": "ANVIL WORKS, INC.", "company_number": "opencorporates:us_ny/1", "company_status": "active",
        "company_form": "DOMESTIC BUSINESS CORPORATION", "founded": 1920, "industry_code": "nace:62.01",
        "industry": "software", "country": "US",
    }  # fmt: skip
    assert found["founded"].origin == "https://opencorporates.com/companies/us_ny/1"
    (request,) = register.seen
    assert request.headers["x-api-token"] == "s3cret-key"
    assert dict(request.query) == {
        "q": "Anvil Works", "normalise_company_name": "true", "per_page": "30", "country_code": "us",
    }  # fmt: skip


def test_former_name_and_closed(register, ask):
    gone = company(
        "GLOBEX INC", previous_names=[{"company_name": "Anvil Works Inc"}], inactive=True, current_status=None
    )
    found = ask(register(gone), company="Anvil Works", country="US")
    assert (found["company_status"].value, found["legal_name"].confidence) == ("inactive", 0.72)


def test_three_states_three_companies(register, ask):
    states = [company("Anvil Works Inc", jurisdiction=f"us_{state}") for state in ("de", "ny", "ca")]
    assert ask(register(*states), company="Anvil Works", country="US") == {}


def test_errors(register, internet, ask):
    asked = register()
    internet.handle(HOST, "/v0.4/companies/search", 404)
    assert ask(asked, company="Anvil") == {}
    internet.handle(HOST, "/v0.4/companies/search", Answer(status=418))
    with pytest.raises(NetworkError, match="OpenCorporates answered with status 418"):
        ask(asked, company="Anvil")
