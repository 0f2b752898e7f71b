"""GLEIF: records shaped as its API gives them (type lei-records, attributes.entity …)."""

from __future__ import annotations

import pytest

from internet import Answer
from leadlight.enrich.network import NetworkError
from leadlight.enrich.provider import Surroundings
from leadlight.enrich.providers.gleif import Gleif, GleifSettings

LEI = "549300MADEUP00000001"


def record(name, *, lei=LEI, country="GB", others=(), status="ACTIVE", city="Leeds"):
    address = {"language": "en", "addressLines": ["1 Forge Lane"], "city": city, "region": "GB-ENG", "country": country,
               "postalCode": "LS1 1AA"}  # fmt: skip
    entity = {
        "legalName": {"name": name, "language": "en"},
        "otherNames": [{"name": other, "language": "en", "type": "TRADING_OR_OPERATING_NAME"} for other in others],
        "transliteratedOtherNames": [],
        "legalAddress": address,
        "headquartersAddress": address,
        "registeredAt": {"id": "RA000585", "other": None},
        "registeredAs": "00000001",
        "jurisdiction": country,
        "category": "GENERAL",
        "legalForm": {"id": "H0PO", "other": None},
        "status": status,
        "creationDate": "1920-05-01T00:00:00Z",
    }
    registration = {"initialRegistrationDate": "2015-01-01T00:00:00Z", "status": "ISSUED"}
    attributes = {"lei": lei, "entity": entity, "registration": registration}
    return {"type": "lei-records", "id": lei, "attributes": attributes}


@pytest.fixture
def found(internet, ask):
    """Ask for a company where the register finds these."""

    def of(records, company="Anvil Works Ltd", **clues):
        asked = {"meta": {"pagination": {"total": len(records)}}, "data": records}
        internet.handle("api.gleif.org", "/api/v1/lei-records", lambda request: seen.append(request.query) or asked)
        return ask(Gleif(GleifSettings(), Surroundings()), company=company, **clues)

    seen = of.seen = []
    return of


def test_company(found):
    facts = found([record("ANVIL WORKS LIMITED")], country="GB")
    assert {name: fact.value for name, fact in facts.items()} == {
        "legal_name": "ANVIL WORKS LIMITED", "company_number": f"gleif:{LEI}", "company_status": "active",
        "founded": 1920, "country": "GB", "region": "GB-ENG", "city": "Leeds", "postal_code": "LS1 1AA",
    }  # fmt: skip
    assert {fact.confidence for fact in facts.values()} == {0.9}
    assert facts["founded"].origin.endswith(LEI)
    assert facts["founded"].evidence == "ANVIL WORKS LIMITED (name 1.00, same country)"
    assert found.seen == [{"filter[entity.names]": "Anvil Works Ltd", "page[size]": "20",
                           "filter[entity.legalAddress.country]": "GB"}]  # fmt: skip


def test_the_same_name_in_two_countries_is_nothing_and_the_country_decides(found):
    two = [record("Anvil Works GmbH", country="DE", lei="A"), record("Anvil Works Inc.", country="US", lei="B")]
    assert found(two) == {}
    assert found(two, country="US")["company_number"].value == "gleif:B"


def test_city_decides_between_twins(found):
    two = [record("Anvil Works Ltd", lei="A", city="York"), record("Anvil Works Ltd", lei="B", city="Leeds")]
    assert found(two, country="GB") == {}
    assert found(two, country="GB", city="Leeds", postal_code="") == {}, "a city alone is too little: it is within .1"


def test_trading_name_counts_and_another_company_does_not(found):
    assert found([record("Forge Holdings plc", others=["Anvil Works"])])["legal_name"].value == "Forge Holdings plc"
    assert found([record("Anvil Workshops and Partners LLP"), record("Hammer Works Ltd")]) == {}
    assert found([]) == {}


def test_closed_company_is_less_sure(found):
    facts = found([record("Anvil Works Ltd", status="INACTIVE")], country="GB")
    assert (facts["company_status"].value, facts["company_status"].confidence) == ("inactive", 0.72)


def test_errors(internet, ask):
    asked = Gleif(GleifSettings(), Surroundings())
    internet.handle("api.gleif.org", "/api/v1/lei-records", Answer('{"errors": []}', status=400))
    assert ask(asked, company="Anvil") == {}
    internet.handle("api.gleif.org", "/api/v1/lei-records", Answer(status=418))
    with pytest.raises(NetworkError, match="GLEIF answered with status 418"):
        ask(asked, company="Anvil")
