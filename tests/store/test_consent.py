"""Which events count by what people said of a purpose, by the times of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.spec.consent import ConsentSpec
from leadlight.store.attributes import load_leads
from leadlight.store.consent import settle_consent
from leadlight.store.events import load_events
from leadlight.store.set_aside import Which, judge_which
from leadlight.store.sql import Sql
from leadlight.store.staged import Staged
from leadlight.store.touched import changing

Stage = Callable[..., Staged]
NOW = datetime(2026, 1, 1)
EVERYBODY = Sql("SELECT lead FROM ids")


def day(number: int) -> datetime:
    return datetime(2025, 1, number)


def spec(**more: Any) -> ConsentSpec:
    return ConsentSpec.model_validate({"purposes": {"mail": ["open", "click"]}, **more})


def load(store: Engine, stage: Stage, events: Sequence[tuple[str, str, int]]) -> None:
    """Load (lead, type, day)."""
    people = sorted({(lead, day(1)) for lead, _, _ in events})
    load_leads(store, stage("crm", ["id", "created_at"], {}, people), NOW)
    rows = [(lead, type_, day(at), f"{place}", None) for place, (lead, type_, at) in enumerate(events)]
    load_events(store, stage("live", ["lead", "type", "at", "message_id"], {"url": Type.TEXT}, rows), None)
    store.execute("DROP TABLE touched")
    store.execute("DROP TABLE touched_accounts")


def say(store: Engine, lead: str, at: int, given: bool, *, purpose: str = "mail", message: str = "m") -> None:
    store.execute(
        "INSERT INTO consents SELECT key, ?, ?, ?, ? FROM ids WHERE id = ?", [purpose, day(at), given, message, lead]
    )


def settled(store: Engine, rules: ConsentSpec | None) -> list[tuple[str, int]]:
    """Return what is set aside: type and day."""
    with changing(store, None):
        settle_consent(store, rules, EVERYBODY, at=NOW)
    found = store.rows('SELECT type, "at" FROM set_aside ORDER BY "at", type')
    return [(str(type_), at.day) for type_, at in found]


WEEK = [("ann", type_, at) for at in (2, 4, 6) for type_ in ("open", "page")]


def test_without_a_word(store: Engine, stage: Stage) -> None:
    load(store, stage, WEEK)
    assert settled(store, spec()) == [("open", 2), ("open", 4), ("open", 6)]
    assert settled(store, spec(unsaid="count")) == []
    assert settled(store, spec(purposes={"all": "all"})) == [
        (type_, at) for at in (2, 4, 6) for type_ in ("open", "page")
    ]
    assert settled(store, None) == []
    assert store.rows("SELECT count(*) FROM events") == [(6,)]


def test_a_word_holds_from_then_on(store: Engine, stage: Stage) -> None:
    load(store, stage, WEEK)
    say(store, "ann", 3, True)
    assert settled(store, spec()) == [("open", 2)]  # a yes brings nothing back from before it
    say(store, "ann", 5, False)
    assert settled(store, spec()) == [("open", 2), ("open", 6)]
    say(store, "ann", 4, False, purpose="another")
    assert settled(store, spec(unsaid="count")) == [("open", 6)]


def test_a_no_in_hindsight_until_the_next_yes(store: Engine, stage: Stage) -> None:
    load(store, stage, WEEK)
    say(store, "ann", 5, False)
    assert settled(store, spec(unsaid="count")) == [("open", 6)]
    assert settled(store, spec(unsaid="count", retroactive=True)) == [("open", 2), ("open", 4), ("open", 6)]
    say(store, "ann", 7, True)
    assert settled(store, spec(unsaid="count", retroactive=True)) == [("open", 6)]


def test_of_words_at_once_the_greater_message_counts(store: Engine, stage: Stage) -> None:
    load(store, stage, WEEK)
    say(store, "ann", 1, False, message="m2")
    say(store, "ann", 1, True, message="m1")
    assert settled(store, spec()) == [("open", 2), ("open", 4), ("open", 6)]
    say(store, "ann", 1, True, message="m3")
    assert settled(store, spec()) == []


def test_what_people_judged_stays(store: Engine, stage: Stage) -> None:
    load(store, stage, WEEK)
    settled(store, spec())
    with changing(store, None):
        assert judge_which(store, Which(until=day(3)), aside=False, at=NOW) == 1
    assert settled(store, spec()) == [("open", 4), ("open", 6)]


def test_all_ids_of_a_lead_speak_for_it(store: Engine, stage: Stage) -> None:
    load(store, stage, [*WEEK, ("bob", "page", 2)])
    say(store, "bob", 1, True)
    assert len(settled(store, spec())) == 3
    with changing(store, None):
        store.execute("UPDATE ids SET lead = (SELECT min(lead) FROM ids)")
    assert settled(store, spec()) == []
