"""`facts LEAD`: the value in use, who says otherwise, since when, from where and by what right."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from tests.enrich.fakes import NOW, Fake, Shop
from tests.enrich.fakes import shop as shop

from leadlight.cli.render_facts import facts as drawn
from leadlight.enrich.facts import Facts, Known
from leadlight.enrich.network import NetworkError, Why
from leadlight.enrich.provider import Clue
from leadlight.enrich.record import canonical
from leadlight.errors import NotFoundError
from leadlight.store.coverage import Coverage, coverage

Make = Callable[..., Shop]
RULES = {
    "industry": {"ask": ["firms", "sites", "cards"], "rule": "majority"},
    "size": {"ask": ["firms", "sites"], "rule": "confidence", "at_least": 0.3, "use": "prefer"},
}


def fakes() -> list[Fake]:
    return [
        Fake("firms", ("industry", "size"), says={"acme.com": {"industry": "farming", "size": (700, 0.6)}}, cost=0.2),
        Fake("sites", ("industry", "size"), says={"acme.com": {"industry": "software", "size": (900, 0.2)}}),
        Fake("cards", ("industry", "size"), says={"acme.com": {"industry": "Software", "size": 5}}),
    ]


@pytest.fixture
def asked(shop: Make) -> Shop:
    made = shop(*fakes(), attributes=RULES, always=True, basis="legitimate interest")
    for provider in ("firms", "sites", "cards"):
        made.workspace.enrich(providers=[provider])
    return made


def known(found: Facts, attribute: str) -> Known:
    return next(one for one in found.attributes if one.attribute == attribute)


def test_rivals_stand_side_by_side_in_the_order_of_the_rule(asked: Shop) -> None:
    found = asked.workspace.facts("L1")
    industry = known(found, "industry")
    assert industry.value == "software"
    assert industry.is_disputed
    assert [(one.source, one.value, one.used) for one in industry.sayings] == [
        ("sites", "software", True),
        ("cards", "Software", False),
        ("firms", "farming", False),
    ]
    size = known(found, "size")
    assert (size.value, size.rule, size.use) == (700.0, "confidence", "prefer")
    assert [(one.source, one.value, one.own, one.used, one.note) for one in size.sayings] == [
        ("firms", "700", False, True, ""),
        ("leads", "500", True, False, ""),
        ("cards", "5", False, False, "not asked for this"),
        ("sites", "900", False, False, "less sure than 0.3"),
    ]


def test_what_is_marked_as_used_is_what_the_store_uses(asked: Shop) -> None:
    for lead in ("L1", "L2", "L3", "L4"):
        for one in asked.workspace.facts(lead).attributes:
            used = [saying.value for saying in one.sayings if saying.used]
            value = asked.value(lead, one.attribute)
            assert used == ([] if value is None else [canonical(value)[0]])


def test_who_was_asked_and_by_what_right(asked: Shop) -> None:
    found = asked.workspace.facts("L1")
    assert {(one.provider, one.subject, one.outcome) for one in found.asked} == {
        (name, "acme.com", "found") for name in ("firms", "sites", "cards")
    }
    both = [*found.asked, *asked.workspace.facts("L2").asked]
    assert sum(one.cost for one in both) == 0.2, "leads with the same question share what it cost"
    assert {one.basis for one in found.asked} == {"legitimate interest"}
    saying = known(found, "size").sayings[0]
    assert (saying.basis, saying.since, saying.until) == ("legitimate interest", NOW, NOW + timedelta(days=30))


def test_as_of_a_day_before_nobody_had_said_anything(asked: Shop) -> None:
    found = asked.workspace.facts("L1", as_of=NOW - timedelta(days=1))
    assert {one.source for known in found.attributes for one in known.sayings} == {"leads"}
    assert found.asked == ()
    assert known(found, "size").value == 500.0


def test_age_and_failures(shop: Make) -> None:
    broken = Fake("broken", ("cms",), otherwise=NetworkError(Why.BROKEN, "acme's server has an error"))
    made = shop(Fake("sites", says={"acme.com": {"industry": "software"}}), broken, always=True)
    made.workspace.enrich()
    made.at += timedelta(days=40)
    found = made.workspace.facts("L1")
    (saying,) = known(found, "industry").sayings
    assert saying.age(found.as_of) == 40
    text = render(found)
    assert "40d, old" in text
    assert "acme's server has an error" in text


def render(found: Facts) -> str:
    console = Console(width=400, color_system=None, file=StringIO())
    with console.capture() as captured:
        console.print(drawn(found))
    return captured.get()


def test_drawn_and_as_json(asked: Shop) -> None:
    found = asked.workspace.facts("L1")
    text = render(found)
    assert "• software" in text
    assert "industry: of several answers what most say is used; an own value goes first" in text
    assert "size: of several answers the surest is used; an own value yields to it" in text
    assert "basis: legitimate interest" in text
    document: dict[str, Any] = json.loads(json.dumps(found.as_dict()))
    said = {one["attribute"]: one for one in document["attributes"]}
    assert said["industry"]["value"] == "software"
    assert said["industry"]["disputed"]
    assert said["size"]["said"][0]["fetched_at"] == "2026-03-01T12:00:00Z"
    assert len(document["asked"]) == 3
    assert "= software  (sites)" in str(found)


def test_hostile_values_are_shown_and_do_nothing(shop: Make) -> None:
    made = shop(Fake("sites", says={"acme.com": {"industry": "a\x1b[31m[bold]b\u202e"}}), always=True)
    made.workspace.enrich()
    text = render(made.workspace.facts("L1"))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]" in text


def test_a_lead_that_nobody_was_asked_about(shop: Make) -> None:
    made = shop(Fake("sites"))
    text = render(made.workspace.facts("L3"))
    assert "cy@gmail.com" in text
    assert "nobody was asked about it" in text
    with pytest.raises(NotFoundError, match="nearest"):
        made.workspace.facts("L")


def test_what_follows_from_a_value_found_in_the_same_run_is_known_since_then(shop: Make) -> None:
    """A number that was looked up today says since today which country it is of, not since the lead exists."""
    book = Fake("book", ("phone_e164",), says={"acme.com": {"phone_e164": "+491234567"}})
    phone = Fake("phone", ("phone_country",), Clue.PHONE, otherwise={"phone_country": "DE"}, network=False)
    made = shop(book, phone, always=True, card=None)
    made.workspace.enrich()
    assert made.value("L1", "phone_country") == "DE"
    assert made.value("L1", "phone_country", NOW - timedelta(seconds=1)) is None


def seen(made: Shop) -> tuple[Coverage, ...]:
    with made.workspace.store() as engine:
        return coverage(engine, NOW + timedelta(days=1))


@pytest.mark.slow
def test_a_store_in_postgresql_says_the_same(shop: Make, postgres_store: str) -> None:
    made = shop(*fakes(), attributes=RULES, always=True, score=False)
    made.workspace.enrich()
    expected, covered = made.workspace.facts("L1"), seen(made)
    spec = json.loads((made.folder / "leadlight.yaml").read_text())
    (made.folder / "leadlight.yaml").write_text(json.dumps({**spec, "store": postgres_store}))
    made.workspace.ingest()
    made.workspace.enrich()
    assert str(made.workspace.facts("L1")) == str(expected)
    assert seen(made) == covered
    assert made.workspace.forget_provider("sites").facts == 4
    assert known(made.workspace.facts("L1"), "industry").value == "farming"
    assert made.workspace.erase("L1").rows["facts"] == 4
