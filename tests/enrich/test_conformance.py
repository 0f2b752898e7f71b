"""What every provider must be, whoever wrote it: parametrised over the catalog, so that a new one is in as it is named.

The network here is made up, from seeds of hypothesis: recorded answers with parts lost or replaced by something odd, or
nonsense in words that the provider's own source knows; and it says back every header and key it was sent. Real HTTP is
in each provider's own tests.
"""

from __future__ import annotations

import ast
import asyncio
import json
import random
import re
from contextlib import suppress
from datetime import datetime, timedelta
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from leadlight.enrich.catalog import make_providers, names, offer
from leadlight.enrich.network import NetworkError, Reply, Why
from leadlight.enrich.provider import Clue, Fact, Query, Surroundings
from leadlight.enrich.sound import sound
from leadlight.enrich.vendor import shipped
from leadlight.enrich.vocabulary import VOCABULARY
from leadlight.errors import LeadlightError
from leadlight.expr.types import Type
from leadlight.spec.enrich import EnrichSpec, NetworkSpec, ProviderSpec

NAMES = names()
SHAPES = Path(__file__).parent / "providers/shapes"
NOW = datetime(2026, 11, 28, 12)
SECRET = "s3cret-never-kept-0123456789"
SETTINGS = {
    "search": {"url": "https://searx.example"},
    "news": {"feeds": ["https://feeds.example/rss"], "search": "https://feeds.example/{company}"},
    "gravatar": {"key": "${KEY}"},
    "github": {"key": "${KEY}"},
    "geocoder": {"key": "${KEY}"},
    "llm": {"url": "https://llm.example/v1", "model": "small", "key": "${KEY}"},
}
"""What a provider needs to be asked at all, or to have a secret."""
CONTACT = NetworkSpec(contact="ops@anvil.example")
TYPICAL = {
    Clue.EMAIL: "ada@anvil.example",
    Clue.DOMAIN: "anvil.example",
    Clue.WEBSITE: "https://www.anvil.example/",
    Clue.PHONE: "+441134960000",
    Clue.COMPANY: "Anvil Works Ltd",
    Clue.PERSON: "Ada Example",
    Clue.TITLE: "VP Engineering",
    Clue.ADDRESS: "1 Forge Lane, Leeds LS1 1AA, UK",
    Clue.CITY: "Leeds",
    Clue.POSTAL_CODE: "LS1 1AA",
    Clue.COUNTRY: "GB",
    Clue.IP: "8.8.8.8",
    Clue.LINKS: "https://github.com/ada https://social.example/@ada https://bsky.app/profile/ada.example",
    Clue.TEXT: "We need a demo for 25 seats, urgently; our budget is $20,000.",
}
ANY_HOST = {"website", "mastodon", "dns", "rdap", "news"}
"""Providers that ask hosts which a clue names; all others ask hosts of their own only."""
KINDS = {Type.TEXT: str, Type.NUMBER: int | float, Type.BOOL: bool, Type.TIME: datetime}
FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


class Environ(dict):
    """An environment in which every variable is set."""

    def __contains__(self, _):
        return True

    def __getitem__(self, _):
        return SECRET


@cache
def provider(name):
    """Make a provider; one that lacks a file is made as it is where nobody is asked."""
    offered = offer(name)
    own = offered.settings(**SETTINGS.get(name, {}))
    surroundings = Surroundings(Path(), Environ(), "ops@anvil.example")
    try:
        return offered.make(own, surroundings)
    except LeadlightError:
        return offered.make(own, Surroundings(Path(), None, "ops@anvil.example"))


@cache
def words(name):
    """Return the words of a provider's own source, which are those its answers are made of."""
    if name in shipped():
        source = shipped()[name].read_text()
        return tuple(sorted({*re.findall(r"[a-zA-Z_]{2,40}", source)}))
    module = import_module(type(provider(name)).__module__)
    tree = ast.parse(Path(module.__file__).read_text())
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return tuple(sorted(text for text in texts if 0 < len(text) <= 40 and "\n" not in text))


@cache
def shapes(name):
    """Return recorded answers by the addresses they came from; none where a provider has none."""
    file = SHAPES / f"{name}.json"
    recorded = json.loads(file.read_text()) if file.exists() else {"answers": {}}
    return recorded.get("answers") or {"*": recorded["answer"]} if file.exists() else {}


class MadeUp:
    """A network that answers anything: recorded answers bent, or values in the words of a provider's source.

    It says back what it was sent.
    """

    def __init__(self, seed, name, *, allowed=True):
        self.rng, self.known, self.shapes, self.allowed = random.Random(seed), words(name), shapes(name), allowed
        self.hosts, self.asked, self.tired, self.left = set(), 0, 40, 0

    def _count(self, host):
        assert self.allowed, "a provider that says it asks nobody asks"
        self.hosts.add(host)
        self.asked += 1
        if self.asked > self.tired or self.rng.random() < 0.03:
            raise NetworkError(self.rng.choice(list(Why)), "made up")

    async def get(
        self, url, *, params=None, headers=None, secrets=None, **_
    ):  # fmt: skip
        assert isinstance(url, str)
        assert urlsplit(url).scheme in ("http", "https")
        assert all(isinstance(each, str) for pair in (params or {}).items() for each in pair)
        assert SECRET not in url + repr(params)
        assert all("\n" not in each and "\r" not in each for pair in (headers or {}).items() for each in pair)
        self._count(urlsplit(url).hostname)
        return self._reply(url, [url, dict(params or {}), dict(headers or {}), dict(secrets or {})])

    async def post(self, url, *, json, headers=None, secrets=None, **_):
        assert SECRET not in url + repr(json)
        self._count(urlsplit(url).hostname)
        return self._reply(url, [url, json, dict(headers or {}), dict(secrets or {})])

    async def dns(self, name, _, **__):
        self._count(name)
        return tuple(self._text() for _ in range(self.rng.randrange(4)))

    def _reply(self, url, sent):
        status = self.rng.choice([200] * 60 + [201, 202, 204, 304, 400, 404, 410, 418, 451, 422])
        kind = self.rng.choice(
            ["application/json", "text/html; charset=utf-8", "application/xml", "text/html; charset=odd"]
        )
        body = self.rng.choice([self._json] * 9 + [self._html, self._bytes])(sent)
        return Reply(url, status, {"content-type": kind}, body, NOW, self.rng.random() < 0.2)

    def _json(self, sent):
        self.left = 120
        recorded = self._recorded(sent)
        value = self._value(0, sent) if recorded is None or self.rng.random() < 0.2 else self._bent(recorded, sent)
        return json.dumps(value).encode() if self.rng.random() < 0.95 else json.dumps(value).encode()[:-3]

    def _recorded(self, sent):
        """Return the recorded answer to what was asked."""
        asked = f"{urlsplit(sent[0]).path}?{sent[1]}"
        return next((answer for pattern, answer in self.shapes.items() if fnmatch(asked, pattern)), None)

    def _bent(self, value, sent):
        """Return a recorded answer with some of its values lost, doubled, or replaced by something odd."""
        roll = self.rng.random()
        if roll < self.rng.choice([0, 0, 0.02, 0.1]):
            return self._value(4, sent)
        if isinstance(value, dict):
            return {key: self._bent(each, sent) for key, each in value.items() if self.rng.random() > 0.01}
        if isinstance(value, list):
            doubled = value * 2 if self.rng.random() < 0.03 else value
            return [self._bent(each, sent) for each in doubled if self.rng.random() > 0.01]
        return value

    def _html(self, sent):
        self.left = 40
        inside = " ".join(f"<{self._text()}>{self._text()}" for _ in range(10))
        linked = f"<script type='application/ld+json'>{json.dumps(self._value(0, sent))}</script>"
        return f"<html><title>{self._text()}</title>{linked}{inside} {json.dumps(sent)}".encode("utf-8", "replace")

    def _bytes(self, _):
        return self.rng.randbytes(self.rng.randrange(300))

    def _value(self, depth, sent):
        """Make a JSON value: mostly maps whose keys the provider knows, down to odd leaves; bounded in all."""
        self.left -= 1
        roll = self.rng.random()
        if depth < 7 and self.left > 0 and roll < 0.6:
            keys = self.rng.sample(self.known, min(len(self.known), self.rng.choice([1, 3, 12 if depth < 3 else 4])))
            return {key: self._value(depth + 1, sent) for key in keys}
        if depth < 7 and self.left > 0 and roll < 0.75:
            return [self._value(depth + 1, sent) for _ in range(self.rng.randrange(4))]
        return self._leaf(sent)

    def _leaf(self, sent):
        leaves = [
            None, True, False, 0, -1, 3, 1e308, 10**30, -(10**400), 2.5, "", " ", "Anvil Works Ltd", "anvil.example",
            "https://www.anvil.example/", "GB", "2020-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "51-200",
            "$1M-$2M",
            "\x00\u202e\ud800", "<b>bold</b>", "x" * 3000, json.dumps(sent), SECRET, f"a {SECRET} b", "Q42",
            "+1920-00-00T00:00:00Z", "{email}", "${KEY}", "10-K", "549300MADEUP00000001", sent,
        ]  # fmt: skip
        return self._text() if self.rng.random() < 0.2 else self.rng.choice(leaves)

    def _text(self):
        roll = self.rng.random()
        if roll < 0.6:
            return self.rng.choice(self.known)
        if roll < 0.8:
            return "".join(chr(self.rng.choice([*range(32, 127), 0, 10, 13, 0x202E, 0xE9, 0x1F600])) for _ in range(20))
        return self.rng.choice(
            [f"v=spf1 include:{self.rng.choice(self.known)} -all", "10 mx.anvil.example.", SECRET, ".", ""]
        )


def asked(name, query, seed, *, allowed=None):
    """Ask a provider; returns its facts, or the NetworkError it raised, and the network."""
    made = provider(name)
    network = MadeUp(seed, name, allowed=made.about.network if allowed is None else allowed)
    try:
        return asyncio.run(made.ask(query, network)), None, network
    except NetworkError as error:
        return (), error, network


def typical(name):
    """Return a query with all that a provider could take."""
    return Query(TYPICAL, {"website_feed": "https://feeds.example/own", "job_title": "VP Engineering"}, NOW)


# ----------------------------------------------------------------------------------------------- what it says it is


@pytest.mark.parametrize("name", NAMES)
def test_about_is_whole(name):
    about = offer(name).about
    assert about.name == name
    assert 3 <= len(about.title) <= 60
    assert about.needs
    assert all(about.needs)
    assert about.gives
    assert len(set(about.gives)) == len(about.gives)
    assert about.cost >= 0
    assert about.ttl > timedelta(0)
    assert about.nothing_ttl > timedelta(0)
    assert about.per_second is None or about.per_second > 0
    assert not about.network or about.licence, "who asks outside says on whose terms"
    assert about.network or not (about.cost or about.personal)


@pytest.mark.parametrize("name", NAMES)
def test_what_it_gives_has_a_meaning(name):
    about = offer(name).about
    own = dict(about.own)
    assert set(about.gives) <= set(VOCABULARY) | set(own)
    assert not set(own) & set(VOCABULARY), "a name that all share means the same for all"
    assert set(own) <= set(about.gives)
    assert all(
        re.fullmatch(r"[a-z][a-z0-9_]*", attribute) and about.meaning(attribute).means for attribute in about.gives
    )


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_described_and_closed(name):
    model = offer(name).settings
    assert all(field.description for field in model.model_fields.values())
    with pytest.raises(ValidationError):
        model(surely_no_such_key=1)
    assert not set(model.model_fields) & {"http", "cost", "ttl", "per_second", "since"}, "these are everybody's"


@pytest.mark.parametrize("name", NAMES)
def test_instance_is_what_the_offer_says(name):
    made = provider(name)
    about = offer(name).about
    assert (made.about.name, made.about.needs, made.about.network) == (about.name, about.needs, about.network)
    assert made.settings == offer(name).settings(**SETTINGS.get(name, {}))


# -------------------------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize("name", NAMES)
def test_key_is_there_with_what_it_needs_and_not_without(name):
    made = provider(name)
    assert made.key(Query({}, {}, NOW)) is None
    if name == "ip" and not made.settings.files:
        return
    assert isinstance(made.key(typical(name)), str)
    for need in made.about.needs:
        query = Query({clue: TYPICAL[clue] for clue in need}, typical(name).attributes, NOW)
        assert isinstance(made.key(query), str), need


@pytest.mark.parametrize("name", NAMES)
def test_same_query_same_key_at_any_time_and_without_secrets(name):
    made = provider(name)
    key = made.key(typical(name))
    later = Query(dict(reversed(list(TYPICAL.items()))), typical(name).attributes, NOW + timedelta(days=400))
    assert key == made.key(later)
    assert SECRET not in str(key)


@pytest.mark.parametrize("name", NAMES)
def test_free_mail_leads_to_no_look_up_of_its_provider(name):
    about = offer(name).about
    if about.network and not about.personal:
        assert provider(name).key(Query({Clue.EMAIL: "ada.example@gmail.com", Clue.PERSON: "Ada"}, {}, NOW)) is None


# ------------------------------------------------------------------------------------------------- hostile answers


@FEW
@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32))
def test_whatever_is_answered_costs_one_look_up_at_most(name, seed):
    facts, error, _ = asked(name, typical(name), seed)
    about = provider(name).about
    assert isinstance(facts, tuple)
    for fact in facts:
        assert isinstance(fact, Fact)
        assert fact.attribute in about.gives
        wanted = about.meaning(fact.attribute).type
        assert isinstance(fact.value, KINDS[wanted]), fact
        assert wanted is not Type.NUMBER or not isinstance(fact.value, bool)
        assert 0 <= fact.confidence <= 1
    assert {fact.attribute for fact in sound(facts, about)} <= {fact.attribute for fact in facts}
    assert error is None or 0 < len(error.message) <= 500


@FEW
@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32))
def test_same_question_same_answer(name, seed):
    first, error, _ = asked(name, typical(name), seed)
    again, other, _ = asked(name, typical(name), seed)
    assert first == again
    assert (error is None) == (other is None)


def in_leadlight_yaml(name):
    """Make a provider the way a workspace does."""
    spec = EnrichSpec(ask=[name], providers={name: ProviderSpec(**SETTINGS.get(name, {}))}, network=CONTACT)
    found = make_providers(spec, Surroundings(Path(), Environ()))
    return found.providers.get(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_is_said_back_is_not_kept(name):
    made = in_leadlight_yaml(name)
    assert SECRET not in repr(made)
    for seed in range(
        40 if made is not None and name in {*SETTINGS, *shipped(), "companies_house", "opencorporates"} else 0
    ):
        try:
            told = repr(asyncio.run(made.ask(typical(name), MadeUp(seed, name, allowed=made.about.network))))
        except NetworkError as error:
            told = f"{error} {error.message}"
        assert SECRET not in told


# -------------------------------------------------------------------------------------------------- hostile clues

odd = st.one_of(
    st.text(max_size=60),
    st.sampled_from([
        "", " ", ".", "..", "../../x", "a@b@c", "@", "http://127.0.0.1/", "https://user:pw@evil.example", "//evil",
        "javascript:alert(1)", "x\r\nHost: evil.example", "\x00", "{email}", "${KEY}", "%2e%2e%2f", "a" * 5000,
        "\ud800",
        "evil.example#@anvil.example", "https://[::1", "https://evil.example\\@anvil.example", "'; drop table x; --",
        "xn--", "é.example", "-", "1e999", "=cmd|' /C calc'!A0", "github.com/" * 50, "٣٤٥", "+" * 100, "gmail.com",
    ]),
)  # fmt: skip


@FEW
@pytest.mark.parametrize("name", NAMES)
@given(clues=st.dictionaries(st.sampled_from(list(Clue)), odd, max_size=14), seed=st.integers(0, 99))
def test_whatever_a_lead_says_of_itself_costs_one_look_up_at_most(name, clues, seed):
    made = provider(name)
    query = Query(clues, {}, NOW)
    key = made.key(query)
    assert key is None or (isinstance(key, str) and made.key(query) == key)
    facts, _, network = asked(name, query, seed)
    assert key is not None or (facts == () and not network.asked), "where there is nothing to ask, nobody is asked"
    sound(facts, made.about)
    if name not in ANY_HOST:
        assert network.hosts <= own_hosts(name), "a clue names no host to ask"


@cache
def own_hosts(name):
    """Return the hosts that a provider asks for a plain lead, whatever they answer."""
    hosts = set()
    for seed in range(40):
        with suppress(AssertionError):
            hosts |= asked(name, typical(name), seed)[2].hosts
    return hosts
