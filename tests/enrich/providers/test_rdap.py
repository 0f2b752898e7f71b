"""What registries say of domains: answers shaped as in RFC 9083, servers found as in RFC 9224."""

from __future__ import annotations

from datetime import datetime

import pytest

from internet import Answer
from leadlight.enrich.network import NetworkError, Why
from leadlight.enrich.provider import Clue, Query, Surroundings
from leadlight.enrich.providers.rdap import PROVIDER, Rdap, RdapSettings

BOOTSTRAP = {
    "description": "RDAP bootstrap file for Domain Name System registrations",
    "publication": "2026-10-01T00:00:00Z",
    "services": [
        [["example", "test"], ["http://rdap.registry.example/", "https://rdap.registry.example/v1/"]],
        [["co.example"], ["https://rdap.second.example/"]],
        [["xn--p1ai"], ["https://rdap.registry.example/v1/"]],
        [["empty"], []],
    ],
    "version": "1.0",
}
DOMAIN = {
    "objectClassName": "domain",
    "handle": "MADE-UP",
    "ldhName": "anvil.example",
    "status": ["client transfer prohibited"],
    "events": [
        {"eventAction": "last changed", "eventDate": "2024-01-02T00:00:00Z"},
        {"eventAction": "registration", "eventDate": "1999-03-04T05:06:07Z"},
        {"eventAction": "expiration", "eventDate": "2027-03-04T05:06:07Z"},
    ],
    "entities": [
        {"objectClassName": "entity", "handle": "9", "roles": ["technical"],
         "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Somebody Else"]]]},
        {"objectClassName": "entity", "handle": "81", "roles": ["registrar"],
         "publicIds": [{"type": "IANA Registrar ID", "identifier": "81"}],
         "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["org", {}, "text", "Org"],
                                  ["fn", {}, "text", "Made-up Registrar SAS"]]]},
    ],
    "nameservers": [{"objectClassName": "nameserver", "ldhName": "ns1.anvil.example"}],
}  # fmt: skip


@pytest.fixture
def registry(internet):
    internet.handle("data.iana.org", "/rdap/dns.json", BOOTSTRAP)
    internet.handle("rdap.registry.example", "*", 404)
    internet.handle("rdap.registry.example", "/v1/domain/anvil.example", DOMAIN)
    internet.handle("rdap.second.example", "*", 404)
    return Rdap(RdapSettings(), Surroundings())


def test_domain(registry, ask):
    found = ask(registry, domain="Anvil.example.")
    assert found["domain_created_at"].value == datetime(1999, 3, 4, 5, 6, 7)
    assert found["domain_expires_at"].value == datetime(2027, 3, 4, 5, 6, 7)
    assert found["domain_registrar"].value == "Made-up Registrar SAS"
    assert found["domain_age_days"].value == (datetime(2026, 11, 28) - datetime(1999, 3, 4)).days
    assert found["domain_registrar"].origin == "https://rdap.registry.example/v1/domain/anvil.example"


def test_longest_ending_decides_who_is_asked(registry, internet, ask):
    assert ask(registry, domain="anvil.co.example") == {}
    assert (internet.begun("rdap.second.example"), internet.begun("rdap.registry.example")) == (1, 0)


def test_names_beyond_ascii_are_asked_in_ascii(registry, internet, ask):
    assert ask(registry, domain="наковальня.рф") == {}
    assert internet.begun("rdap.registry.example", "/v1/domain/xn--80aaf5ahhfe3k5a.xn--p1ai") == 1


@pytest.mark.parametrize("domain", ["anvil.nowhere", "anvil.empty"])
def test_registry_without_rdap(domain, registry, ask):
    assert ask(registry, domain=domain) == {}


def test_server_of_the_settings(internet, ask):
    internet.handle("own.example", "/domain/anvil.test", DOMAIN)
    asked = Rdap(RdapSettings(server="https://own.example/"), Surroundings())
    assert ask(asked, domain="anvil.test")["domain_registrar"].value == "Made-up Registrar SAS"


def test_registry_that_is_down(registry, internet, ask):
    internet.handle("rdap.registry.example", "/v1/domain/down.example", Answer(status=418))
    with pytest.raises(NetworkError, match="answered with status 418") as caught:
        ask(registry, domain="down.example")
    assert caught.value.why is Why.BROKEN


@pytest.mark.parametrize("domain", ["anvil", "an/vil.example", "anvil.example?x", "", None])
def test_what_is_no_domain_is_not_asked(domain):
    asked = PROVIDER.make(RdapSettings(), Surroundings())
    assert asked.key(Query({} if domain is None else {Clue.DOMAIN: domain})) is None


def test_registrar_by_its_handle_and_registration_to_come(registry, internet, ask):
    entities = [{"roles": ["registrar"], "handle": "81", "vcardArray": ["vcard", "odd"]}]
    events = [{"eventAction": "registration", "eventDate": "2030-01-01"}, {"eventAction": "expiration", "eventDate": 7}]
    internet.handle("rdap.registry.example", "/v1/domain/odd.example", {"entities": entities, "events": events})
    found = ask(registry, domain="odd.example")
    assert {name: fact.value for name, fact in found.items()} == {
        "domain_created_at": datetime(2030, 1, 1), "domain_registrar": "81",
    }  # fmt: skip
