"""Events that nobody did are found by their own times, and set aside."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.spec.bots import BotsSpec, RateSpec, ScannersSpec
from leadlight.store.archive import take_out
from leadlight.store.attributes import load_leads
from leadlight.store.bots import drop_watched, find_bots, set_found_aside, sweep, watch_near
from leadlight.store.events import load_events
from leadlight.store.leads import get_lead
from leadlight.store.set_aside import Which, judge_which, list_set_aside
from leadlight.store.sql import Sql
from leadlight.store.staged import Staged
from leadlight.store.touched import changing

Stage = Callable[..., Staged]
NOW = datetime(2026, 1, 1)
T0 = datetime(2025, 6, 1, 12)
SPEC = BotsSpec(rate=RateSpec(events=5, within=timedelta(seconds=10)), address_rate=None)


def seconds(number: float) -> datetime:
    return T0 + timedelta(seconds=number)


def load(store: Engine, stage: Stage, rows: Sequence[Sequence[Any]]) -> None:
    """Load (lead, type, seconds, message, url, honeypot) as calls would be."""
    columns = {"message": Type.TEXT, "url": Type.TEXT, "honeypot": Type.TEXT}
    placed = [(lead, type_, seconds(at), f"m{place}", *rest, *[None] * (3 - len(rest)))
              for place, (lead, type_, at, *rest) in enumerate(rows)]  # fmt: skip
    load_events(store, stage("live", ["lead", "type", "at", "message_id"], columns, placed), None)


def swept(store: Engine, stage: Stage, rows: Sequence[Sequence[Any]], spec: BotsSpec | None = SPEC) -> list[Any]:
    people = sorted({(row[0], T0 - timedelta(days=1)) for row in rows})
    load_leads(store, stage("crm", ["id", "created_at"], {}, people), NOW)
    load(store, stage, rows)
    store.execute("DROP TABLE touched")
    store.execute("DROP TABLE touched_accounts")
    with changing(store, None):
        store.execute("INSERT INTO touched SELECT lead FROM ids")
        sweep(store, spec, at=NOW)
    return aside(store)


def aside(store: Engine) -> list[Any]:
    return sorted(
        ((at - T0).total_seconds(), reason) for at, reason in store.rows('SELECT "at", _reason FROM set_aside')
    )


def test_a_whole_burst_and_not_what_is_near_it(store: Engine, stage: Stage) -> None:
    """Six within ten seconds are too many; the seventh lies in no such span."""
    rows = [("ann", "page", at) for at in (0, 2, 4, 6, 8, 10, 19, 30)]
    assert swept(store, stage, rows) == [(at, "rate") for at in (0, 2, 4, 6, 8, 10)]


def test_as_many_as_there_may_be(store: Engine, stage: Stage) -> None:
    rows = [("ann", "page", at) for at in (0, 2, 4, 6, 8, 11)] + [("bob", "page", at) for at in (1, 3)]
    assert swept(store, stage, rows) == []


def test_clicks_and_opens_with_the_delivery(store: Engine, stage: Stage) -> None:
    rows = [
        ("ann", "email_delivered", 0, "letter"), ("ann", "email_open", 2, "letter"),
        ("ann", "email_click", 4.9, "letter", "/a"), ("ann", "email_click", 5, "letter", "/b"),
        ("ann", "email_open", 3, "another"), ("bob", "email_open", 2, "letter"), ("ann", "email_open", -3, "letter"),
    ]  # fmt: skip
    assert swept(store, stage, rows) == [(-3, "scanner"), (2, "scanner"), (4.9, "scanner")]


def test_what_is_set_aside_stays_so_where_the_reason_was_taken_out(store: Engine, stage: Stage) -> None:
    """The delivery counts for nothing and goes; the click that came with it was no person's for all that."""
    rows = [("ann", "email_delivered", 0, "letter"), ("ann", "email_click", 2, "letter", "/a")]
    assert swept(store, stage, rows) == [(2, "scanner")]
    with store.transaction():
        take_out(store, Sql("type = 'email_delivered'"), Path(), None, floor=T0, now=NOW)
    with changing(store, None):
        sweep(store, SPEC, at=NOW)
    assert aside(store) == [(2, "scanner")]
    with changing(store, None):
        sweep(store, SPEC.model_copy(update={"scanners": None}), at=NOW)
    assert aside(store) == []


def test_many_links_of_a_message_within_seconds(store: Engine, stage: Stage) -> None:
    rows = [
        ("ann", "email_open", 99, "letter"), ("ann", "email_click", 100, "letter", "/a"),
        ("ann", "email_click", 103, "letter", "/b"), ("ann", "email_click", 110, "letter", "/c"),
        ("ann", "email_click", 300, "letter", "/a"), ("ann", "email_open", 400, "letter"),
        ("bob", "email_click", 100, "letter", "/a"), ("bob", "email_click", 101, "letter", "/a"),
        ("bob", "email_click", 102, "letter", "/b"), ("bob", "email_click", 103, "letter", "/a"),
    ]  # fmt: skip
    assert swept(store, stage, rows) == [(at, "scanner") for at in (99, 100, 103, 110)]


def test_crawlers_and_traps(store: Engine, stage: Stage) -> None:
    rows = [("ann", "form", 0, None, None, "x"), ("ann", "form", 50, None, None, "false"), ("ann", "page", 100)]
    swept(store, stage, rows)
    assert aside(store) == [(0, "honeypot")]
    store.execute(
        'INSERT INTO origins SELECT _source, _key, _said_of, "at", \'Googlebot\', NULL, "at" FROM events '
        "WHERE type = 'page'"
    )
    with changing(store, None):
        assert sweep(store, SPEC, at=NOW) == 1
    assert aside(store) == [(0, "honeypot"), (100, "crawler")]


def test_rules_that_are_off_bring_back_what_they_took(store: Engine, stage: Stage) -> None:
    rows = [("ann", "page", at) for at in range(8)]
    before = len(swept(store, stage, rows))
    assert before == 8
    kept = sorted(store.rows("SELECT _key, lead, _said_of FROM set_aside"))
    with changing(store, None):
        assert sweep(store, None, at=NOW) == 8
    assert aside(store) == []
    assert sorted(store.rows("SELECT _key, lead, _said_of FROM events")) == kept


def test_a_repeat_of_what_is_set_aside_is_none(store: Engine, stage: Stage) -> None:
    rows = [("ann", "page", at) for at in range(8)]
    swept(store, stage, rows)
    store.execute("CREATE TEMP TABLE touched (lead INTEGER)")
    load(store, stage, rows)
    assert store.rows("SELECT count(*) FROM events") == [(0,)]


def test_no_rule_overturns_a_person(store: Engine, stage: Stage) -> None:
    rows = [("ann", "page", at) for at in range(8)] + [("bob", "page", 0)]
    swept(store, stage, rows)
    ann, bob = get_lead(store, "ann").lead, get_lead(store, "bob").lead
    with changing(store, None):
        assert judge_which(store, Which(lead=ann, until=seconds(3)), aside=False, at=NOW, who="eve") == 3
        assert judge_which(store, Which(lead=bob), aside=True, at=NOW) == 1
    with changing(store, None):
        assert sweep(store, SPEC, at=NOW) == 0
    found = list_set_aside(store)
    assert found.reasons == (("rate", 5), ("hand", 1))
    assert found.as_dict()["total"] == 6
    assert {one.by for one in found.events} == {"bots", "hand"}
    one = found.events[0].event
    with changing(store, None):
        assert judge_which(store, Which(event=one), aside=False, at=NOW) == 1
    assert list_set_aside(store, Which(lead=ann), limit=2).reasons == (("rate", 4),)


@pytest.mark.parametrize("seed", range(4))
def test_bit_by_bit_in_any_order_is_all_at_once(
    seed: int, store: Engine, stage: Stage, fresh: Callable[[], tuple[Engine, Stage]]
) -> None:
    draw = random.Random(seed)
    types = ["page", "page", "email_open", "email_click", "email_delivered"]
    rows = [(draw.choice("ab"), draw.choice(types), draw.randrange(120) / 2, draw.choice("xy"), draw.choice("uvw"))
            for _ in range(90)]  # fmt: skip
    spec = SPEC.model_copy(update={"scanners": ScannersSpec(within=timedelta(seconds=2))})
    other, stage_other = fresh()
    expected = swept(other, stage_other, rows, spec)
    load_leads(store, stage("crm", ["id", "created_at"], {}, [("a", T0), ("b", T0)]), NOW)
    places = list(range(90))
    draw.shuffle(places)
    while places:
        part = [places.pop() for _ in range(min(len(places), draw.randrange(1, 20)))]
        columns = {"message": Type.TEXT, "url": Type.TEXT, "honeypot": Type.TEXT}
        told = [(rows[n][0], rows[n][1], seconds(rows[n][2]), f"m{n}", *rows[n][3:], None) for n in part]
        load_events(store, stage("live", ["lead", "type", "at", "message_id"], columns, told), None)
        store.execute("CREATE TEMP TABLE near (_said_of INTEGER, low TIMESTAMP, high TIMESTAMP)")
        for lead in {row[0] for row in told}:
            times = [row[2] for row in told if row[0] == lead]
            store.execute("INSERT INTO near SELECT key, ?, ? FROM ids WHERE id = ?", [min(times), max(times), lead])
        watch_near(store, spec)
        find_bots(store, spec)
        set_found_aside(store, at=NOW)
        drop_watched(store)
        store.execute("DROP TABLE near")
    assert 10 < len(expected) < 80
    assert aside(store) == expected
