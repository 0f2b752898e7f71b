"""Who waits to be looked up: noted once, taken out when done, tried again later, within a day's budget."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from leadlight.engines.base import Engine
from leadlight.service import enrich_queue
from leadlight.service.enrich_queue import GENTLE, PAUSE, TRIES, Spent, Waiting
from leadlight.spec.enrich import EnrichSpec
from leadlight.store.open import open_store

NOW = datetime(2026, 3, 1, 12)
LATER = NOW + timedelta(minutes=1)
ON = EnrichSpec(ask=["email"], on_ingest=True)


@pytest.fixture(params=["duckdb", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    address = "duckdb::memory:" if request.param == "duckdb" else request.getfixturevalue("postgres_store")
    made = open_store(address, Path(), create=True)
    enrich_queue.prepare(made, ON)
    yield made
    made.close()


def note(engine: Engine, now: datetime, *, touched: list[int], named: list[int], spec: EnrichSpec | None = ON) -> None:
    """As a micro-batch does that tells something new of some, and names others too."""
    for table, leads in (("touched", touched), ("live_named", [*touched, *named])):
        engine.register(table, pa.table({"lead": pa.array(leads, pa.int32())}))
    with engine.transaction():
        enrich_queue.note_stored(engine, spec, now)
    for table in ("touched", "live_named"):
        engine.unregister(table)


def leads(engine: Engine, now: datetime) -> list[int]:
    return [one.lead for one in enrich_queue.due(engine, now, 100)]


def test_who_is_new_is_due_at_once_and_who_did_something_a_little_later(engine: Engine) -> None:
    note(engine, NOW, touched=[2, 1], named=[3])
    assert leads(engine, NOW) == [1, 2]
    assert leads(engine, NOW + GENTLE) == [1, 2, 3]
    assert enrich_queue.waiting(engine) == 3
    note(engine, LATER, touched=[3], named=[1, 3])
    assert enrich_queue.waiting(engine) == 3
    assert leads(engine, LATER) == [1, 2, 3]
    assert enrich_queue.due(engine, LATER, 1) == [Waiting(1, LATER)]


@pytest.mark.parametrize("spec", [None, EnrichSpec(ask=["email"])])
def test_without_on_ingest_nobody_is_noted(engine: Engine, spec: EnrichSpec | None) -> None:
    note(engine, NOW, touched=[1], named=[2], spec=spec)
    assert enrich_queue.waiting(engine) == 0


def test_who_was_noted_again_meanwhile_stays(engine: Engine) -> None:
    note(engine, NOW, touched=[1, 2], named=[])
    taken = enrich_queue.due(engine, NOW, 100)
    note(engine, LATER, touched=[2], named=[])
    enrich_queue.settle(engine, taken, LATER)
    assert leads(engine, LATER) == [2]


def test_what_is_put_off_waits_until_then(engine: Engine) -> None:
    note(engine, NOW, touched=[1], named=[])
    tomorrow = enrich_queue.next_day(NOW)
    enrich_queue.settle(engine, enrich_queue.due(engine, NOW, 100), LATER, put_off=tomorrow)
    assert leads(engine, tomorrow - timedelta(seconds=1)) == []
    assert leads(engine, tomorrow) == [1]


def failed(engine: Engine, lead: int, why: str, at: datetime, until: datetime) -> None:
    engine.execute("DELETE FROM ids WHERE key = ?", [lead])
    engine.execute("INSERT INTO ids (id, lead, key) VALUES (?, ?, ?)", [f"L{lead}", lead, lead])
    engine.execute(
        "INSERT INTO lookups (_key, provider, subject, outcome, why, cost, fetched_at, known_at, until, recorded_at) "
        "VALUES ($1, 'dns', 'x.com', 'failed', $2, 0, $3, $3, $4, $3)",
        [lead, why, at, until],
    )


def test_what_failed_is_tried_again_later_each_time_and_not_for_ever(engine: Engine) -> None:
    note(engine, NOW, touched=[1, 2, 3], named=[])
    at, pauses = NOW, []
    failed(engine, 2, "not_public", NOW, NOW + timedelta(days=1))
    for _ in range(TRIES + 1):
        failed(engine, 1, "unreachable", at, at + timedelta(minutes=30))
        enrich_queue.settle(engine, enrich_queue.due(engine, at, 100), at)
        left = engine.rows("SELECT lead, due_at FROM live_lookups")
        if not left:
            break
        assert [lead for lead, _ in left] == [1]
        pauses.append(left[0][1] - at)
        at = left[0][1]
    assert pauses == [PAUSE * 2**n for n in range(TRIES)]
    assert enrich_queue.waiting(engine) == 0


def test_what_is_spent_is_counted_by_day(engine: Engine) -> None:
    assert enrich_queue.spent(engine, NOW) == Spent()
    for _ in range(2):
        enrich_queue.spend(engine, Spent(0.25, 3), NOW)
    assert enrich_queue.spent(engine, NOW) == Spent(0.5, 6)
    assert enrich_queue.spent(engine, enrich_queue.next_day(NOW)) == Spent()
    enrich_queue.spend(engine, Spent(1.0, 1), enrich_queue.next_day(NOW))
    assert enrich_queue.spent(engine, enrich_queue.next_day(NOW)) == Spent(1.0, 1)


def test_who_was_read_last_waits_when_the_queue_is_first_made() -> None:
    made = open_store("duckdb::memory:", Path(), create=True)
    for lead, at, source in ((1, NOW, "crm"), (2, LATER, "crm"), (3, LATER, "(enrich)")):
        made.execute("INSERT INTO observations (lead, _source, _key, _read_at) VALUES (?, ?, ?, ?)",
                     [lead, source, lead, at])  # fmt: skip
    enrich_queue.prepare(made, ON)
    enrich_queue.prepare(made, ON)
    assert leads(made, LATER) == [2]
    made.close()
