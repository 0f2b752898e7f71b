"""What stands between a provider and everything that believes it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.network import NetworkError, Why
from leadlight.enrich.provider import About, Fact, Query, Settings
from leadlight.enrich.sound import MAX_EVIDENCE, MAX_VALUE, Sound, clean_text, sound
from leadlight.enrich.vocabulary import Meaning
from leadlight.expr.types import Type

ABOUT = About(
    "test", "Test", (), ("city", "employees", "listed", "domain_created_at", "floors"),
    own=(("floors", Meaning(Type.NUMBER, "floors", "3")),),
)  # fmt: skip


def kept(*facts):
    return {fact.attribute: fact for fact in sound(facts, ABOUT)}


@pytest.mark.parametrize(
    "fact",
    [
        Fact("region", "not among what it gives"), Fact("city", 3.0), Fact("city", " \x00\u202e "),
        Fact("employees", "3"),
        Fact("employees", float("nan")), Fact("employees", float("inf")), Fact("employees", 1e18), Fact("listed", 1.0),
        Fact("employees", True), Fact("domain_created_at", "2020-01-01"), Fact("city", "x", confidence=float("nan")),
        Fact("city", "x", confidence=0), Fact("city", "x", confidence=-1), Fact("floors", "3"), Fact("city", None),
    ],
)  # fmt: skip
def test_unsound(fact):
    assert kept(fact) == {}


def test_sound_values():
    moment = datetime(2020, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    found = kept(
        Fact("city", " Al\x00bany\n", 3.0, "o\x1b[31m", "e" * 1000), Fact("employees", 3), Fact("listed", False),
        Fact("domain_created_at", moment), Fact("floors", 2),
    )  # fmt: skip
    assert (found["city"].value, found["city"].confidence, found["city"].origin) == ("Al bany", 1.0, "o [31m")
    assert len(found["city"].evidence) == MAX_EVIDENCE
    assert (found["employees"].value, found["listed"].value, found["floors"].value) == (3.0, False, 2.0)
    assert found["domain_created_at"].value == datetime(2020, 1, 1, 10)


def test_of_one_attribute_twice_the_surest_is_kept():
    assert kept(Fact("city", "a", 0.5), Fact("city", "b", 0.9), Fact("city", "c", 0.9))["city"].value == "b"


@given(st.text(max_size=3000), st.integers(2, 600))
def test_clean_text(text, limit):
    clean = clean_text(text, limit)
    assert len(clean) <= limit
    assert clean == clean.strip() == " ".join(clean.split())
    assert clean.isprintable() or not any(
        ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in clean
    )
    assert clean_text(clean, limit) == clean
    clean.encode()


@given(st.text(), st.floats(), st.text())
def test_whatever_comes_stays_within_bounds(value, confidence, evidence):
    for fact in kept(Fact("city", value, confidence, evidence, evidence)).values():
        assert 0 < fact.confidence <= 1
        assert len(str(fact.value)) <= MAX_VALUE
        assert len(fact.evidence) <= MAX_EVIDENCE


class Raising:
    """A provider that raises."""

    about, settings = ABOUT, Settings()

    def __init__(self, error):
        self.error = error

    def key(self, _):
        return "x"

    async def ask(self, *_):
        raise self.error


@pytest.mark.parametrize(
    "error", [ValueError("secret"), RecursionError(), KeyError("x"), UnicodeDecodeError("a", b"", 0, 1, "")]
)
def test_any_error_is_a_look_up_that_failed(error):
    with pytest.raises(NetworkError, match=r"the answer to test could not be read \(\w+Error\)") as caught:
        asyncio.run(Sound(Raising(error), ABOUT).ask(Query({}), None))
    assert caught.value.why is Why.BROKEN
    assert "secret" not in caught.value.message


def test_network_errors_pass_as_they_are():
    error = NetworkError(Why.RATE_LIMITED, "later", retry_at=datetime.now(UTC))
    with pytest.raises(NetworkError) as caught:
        asyncio.run(Sound(Raising(error), ABOUT).ask(Query({}), None))
    assert caught.value is error


def test_keys_are_left_out_of_facts_and_errors():
    class Echoing(Raising):
        async def ask(self, *_):
            return (Fact("city", "key k3y-k3y", 1.0, "at k3y-k3y", "k3y-k3y"), Fact("employees", 3.0))

    (city, employees) = asyncio.run(Sound(Echoing(None), ABOUT, ("k3y-k3y",)).ask(Query({}), None))
    assert (city.value, city.origin, city.evidence, employees.value) == ("key …", "at …", "…", 3.0)
    error = NetworkError(Why.DENIED, "no such key: k3y-k3y")
    with pytest.raises(NetworkError, match="no such key: …") as caught:
        asyncio.run(Sound(Raising(error), ABOUT, ("k3y-k3y",)).ask(Query({}), None))
    assert "k3y" not in repr(caught.value) + repr(Sound(Raising(error), ABOUT, ("k3y-k3y",)))
    assert caught.value.__cause__ is None


def test_about_and_settings_are_those_of_leadlight_yaml():
    provider = Sound(Raising(ValueError()), ABOUT)
    assert (provider.about, provider.settings, provider.key(Query({}))) == (ABOUT, Settings(), "x")
