"""Wikidata: answers shaped as wbsearchentities and wbgetentities give them."""

from __future__ import annotations

import pytest

from internet import Answer
from leadlight.enrich.network import NetworkError, Why
from leadlight.enrich.provider import Clue, Query, Surroundings
from leadlight.enrich.providers.wikidata import Wikidata, WikidataSettings


def claim(value, *, rank="normal", at=None, until=None, snak="value"):
    qualifiers = {}
    if at:
        qualifiers["P585"] = [{"datavalue": {"value": {"time": f"+{at}-01-01T00:00:00Z"}, "type": "time"}}]
    if until:
        qualifiers["P582"] = [{"datavalue": {"value": {"time": f"+{until}-01-01T00:00:00Z"}, "type": "time"}}]
    main = (
        {"snaktype": snak, "datavalue": {"value": value, "type": "made-up"}} if snak == "value" else {"snaktype": snak}
    )
    return {"mainsnak": main, "type": "statement", "rank": rank, **({"qualifiers": qualifiers} if qualifiers else {})}


def ref(number):
    return {"entity-type": "item", "id": number, "numeric-id": int(number[1:])}


def amount(number, unit="1"):
    return {"amount": f"+{number}", "unit": unit if unit == "1" else f"http://www.wikidata.org/entity/{unit}"}


def item(number, label, claims=None, aliases=()):
    return {
        "type": "item",
        "id": number,
        "labels": {"en": {"language": "en", "value": label}},
        "aliases": {"en": [{"language": "en", "value": alias} for alias in aliases]},
        "claims": claims or {},
    }


ITEMS = {each["id"]: each for each in [
    item("Q100", "Anvil Works", {
        "P31": [claim(ref("Q4830453"))],
        "P17": [claim(ref("Q145"))],
        "P856": [claim("https://www.anvil.example/en/")],
        "P571": [claim({"time": "+1920-00-00T00:00:00Z", "precision": 9})],
        "P1128": [claim(amount(90), at=2010), claim(amount(250), at=2024), claim(amount(7), rank="deprecated")],
        "P2139": [claim(amount(9, "Q4916"), at=2025), claim(amount(12000000, "Q4917"), at=2024)],
        "P452": [claim(ref("Q300"), snak="somevalue"), claim(ref("Q300")), claim(ref("Q301"))],
        "P749": [claim(ref("Q401"), until=2001), claim(ref("Q400"))],
        "P414": [claim(ref("Q500"))],
    }, aliases=["Anvil Works plc"]),
    item("Q101", "Anvil Works", {"P31": [claim(ref("Q4830453"))], "P17": [claim(ref("Q30"))],
                                 "P856": [claim("https://anvilworks.example/")]}),
    item("Q102", "Anvil Works", {"P31": [claim(ref("Q4167410"))]}),
    item("Q103", "Ada Anvil", {"P31": [claim(ref("Q5"))], "P856": [claim("https://anvil.example")]}),
    item("Q104", "anvil", {"P279": [claim(ref("Q39546"))]}),
    item("Q145", "United Kingdom", {"P297": [claim("GB")]}),
    item("Q30", "United States", {"P297": [claim("US")]}),
    item("Q300", "a thing unheard of"),
    item("Q301", "machinery"),
    item("Q400", "Globex"),
    item("Q401", "Former Owner"),
]}  # fmt: skip


@pytest.fixture
def wiki(internet):
    """Wikidata that finds these items by any name; returns the parameters it was asked with."""
    asked = []

    def answer(request):
        asked.append(request.query)
        if request.query["action"] == "query":
            sites = request.query["srsearch"].removeprefix("haswbstatement:").split("|")
            said = {number: f"P856={each['claims']['P856'][0]['mainsnak']['datavalue']['value']}"
                    for number, each in ITEMS.items() if "P856" in each["claims"]}  # fmt: skip
            return {"query": {"search": [{"ns": 0, "title": number} for number, site in said.items() if site in sites]}}
        if request.query["action"] == "wbsearchentities":
            found = ["Q104", "Q102", "Q103", "Q101", "Q100"]
            return {"search": [{"id": number, "label": ITEMS[number]["labels"]["en"]["value"]} for number in found]}
        return {"entities": {number: ITEMS[number] for number in request.query["ids"].split("|")}, "success": 1}

    internet.handle("www.wikidata.org", "/w/api.php", answer)
    return asked


def provider():
    return Wikidata(WikidataSettings(), Surroundings())


def test_company_by_its_web_site(wiki, ask):
    found = ask(provider(), company="Anvil Works plc", domain="anvil.example")
    assert {name: fact.value for name, fact in found.items()} == {
        "company_name": "Anvil Works", "company_website": "https://www.anvil.example/en/", "founded": 1920,
        "employees": 250, "revenue": 12000000, "industry": "manufacturing", "country": "GB", "listed": True,
        "parent_company": "Globex", "company_number": "wikidata:Q100",
    }  # fmt: skip
    assert {fact.confidence for fact in found.values()} == {0.97}
    assert found["employees"].origin == "https://www.wikidata.org/wiki/Q100"
    assert [each["action"] for each in wiki] == [
        "query", "wbgetentities", "wbsearchentities", *["wbgetentities"] * 3,
    ], "the only item of that web site is a person"  # fmt: skip
    assert wiki[3]["ids"] == "Q104|Q102|Q103|Q101|Q100"


def test_company_by_its_domain_alone(wiki, ask):
    found = ask(provider(), domain="anvilworks.example")
    assert (found["company_name"].value, found["company_name"].confidence) == ("Anvil Works", 0.97)
    assert [each["action"] for each in wiki] == ["query", "wbgetentities", "wbgetentities"]
    assert wiki[0]["srsearch"].startswith("haswbstatement:P856=https://www.anvilworks.example/|P856=https://www.anv")
    assert ask(provider(), domain="quite-another.example") == {}


def test_a_long_domain_is_asked_for_in_fewer_ways(wiki, ask):
    assert ask(provider(), domain=f"{'anvil-works-' * 4}.example") == {}
    assert len(wiki[0]["srsearch"]) <= 300
    assert not wiki[0]["srsearch"].endswith("|")


@pytest.mark.parametrize("domain", ["anvil", "anvil.example|P31=Q5", "a.b haswbstatement:P31", 'a."b', ""])
def test_a_domain_that_is_none_is_not_searched_for(domain):
    assert provider().key(Query({Clue.DOMAIN: domain})) is None


def test_two_of_that_name_and_no_web_site_known(wiki, ask):
    assert ask(provider(), company="Anvil Works") == {}
    assert ask(provider(), company="Anvil Works", country="US")["company_number"].value == "wikidata:Q101"


def test_other_web_site_speaks_against_it(wiki, ask):
    assert ask(provider(), company="Anvil Works", country="US", domain="quite-another.example") == {}


def test_nobody_found(internet, ask):
    internet.handle("www.wikidata.org", "/w/api.php", {"searchinfo": {}, "search": [], "success": 1})
    assert ask(provider(), company="Nobody at all") == {}


@pytest.mark.parametrize(("code", "why"), [("maxlag", Why.RATE_LIMITED), ("badvalue", Why.BROKEN)])
def test_errors(code, why, internet, ask):
    internet.handle("www.wikidata.org", "/w/api.php", {"error": {"code": code, "info": "…"}})
    with pytest.raises(NetworkError, match=code) as caught:
        ask(provider(), company="Anvil")
    assert caught.value.why is why
    internet.handle("www.wikidata.org", "/w/api.php", Answer(status=418))
    with pytest.raises(NetworkError, match="status 418"):
        ask(provider(), company="Anvil")
