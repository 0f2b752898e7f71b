"""Who leads are and since when they exist."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import NotFoundError
from leadlight.store.attributes import load_leads
from leadlight.store.events import load_events
from leadlight.store.history import LEADS
from leadlight.store.leads import get_lead, refresh_leads, touch_undated, without_lead
from leadlight.store.periods import rebuild
from leadlight.store.staged import Staged

Stage = Callable[..., Staged]
NOW, LATER = datetime(2026, 1, 1), datetime(2026, 2, 1)


def day(number: int) -> datetime:
    return datetime(2025, 1, number)


def settle(store: DuckDBEngine) -> None:
    touch_undated(store)
    refresh_leads(store)
    rebuild(store, LEADS)
    store.execute("DELETE FROM touched")


def created(store: DuckDBEngine) -> list[tuple[Any, ...]]:
    return store.rows("SELECT id, created_at FROM leads ORDER BY id")


def test_numbers_follow_first_appearance(store: DuckDBEngine, stage: Stage) -> None:
    load_events(store, stage("web", ["lead", "at"], {}, [("z", day(1)), ("m", day(2))]), "visit")
    load_leads(store, stage("crm", ["id"], {}, [("b",), ("m",), ("a",), ("b",)]), NOW)
    assert store.rows("SELECT id, key, lead FROM ids ORDER BY key") == [
        ("z", 1, 1), ("m", 2, 2), ("b", 3, 3), ("a", 4, 4),
    ]  # fmt: skip


def test_created_when_the_source_says_so_the_earliest(store: DuckDBEngine, stage: Stage) -> None:
    load_leads(store, stage("crm", ["id", "created_at"], {}, [("a", day(9)), ("a", day(4)), ("a", None)]), NOW)
    load_leads(store, stage("web", ["id", "created_at"], {}, [("a", day(6))]), NOW)
    load_events(store, stage("clicks", ["lead", "at"], {}, [("a", day(1))]), "visit")
    settle(store)
    assert created(store) == [("a", day(4))]
    assert store.rows("SELECT count(*) FROM events") == [(1,)]  # what came before it was created stays


def test_else_when_first_known(store: DuckDBEngine, stage: Stage) -> None:
    load_leads(store, stage("crm", ["id", "known_at"], {}, [("a", day(9)), ("a", day(4))]), NOW)
    settle(store)
    assert created(store) == [("a", day(4))]


def test_else_with_its_first_event_even_one_that_is_read_later(store: DuckDBEngine, stage: Stage) -> None:
    load_leads(store, stage("crm", ["id"], {}, [("a",), ("b",)]), NOW)
    settle(store)
    assert created(store) == [("a", NOW), ("b", NOW)]
    for number in (5, 3):
        load_events(store, stage("web", ["lead", "at"], {}, [("a", day(number))]), "visit")
        settle(store)
        assert created(store) == [("a", day(number)), ("b", NOW)]
        assert store.rows("SELECT known_at FROM attributes WHERE lead = 1") == [(day(number),)]


def test_a_source_puts_its_date_right(store: DuckDBEngine, stage: Stage) -> None:
    for number in (4, 7):
        load_leads(store, stage("crm", ["id", "created_at"], {}, [("a", day(number))]), NOW)
        settle(store)
        assert created(store) == [("a", day(number))]
    assert len(store.rows("FROM observations")) == 1


def test_another_first_version_is_known_since_its_own_creation(store: DuckDBEngine, stage: Stage) -> None:
    load_leads(store, stage("web", ["id", "created_at", "account"], {}, [("a", day(1), "x")]), NOW)
    load_leads(store, stage("crm", ["id", "created_at", "account"], {}, [("a", day(8), "y")]), NOW)
    settle(store)
    assert store.rows("SELECT known_at, account FROM attributes ORDER BY 1") == [(day(1), "x"), (day(8), "y")]


def test_events_of_nobody_are_counted(store: DuckDBEngine, stage: Stage) -> None:
    load_events(store, stage("web", ["lead", "at"], {}, [("a", day(1)), ("b", day(1)), ("b", day(2))]), "visit")
    load_leads(store, stage("crm", ["id"], {}, [("a",)]), NOW)
    settle(store)
    assert without_lead(store, "events", "web") == 2
    assert without_lead(store, "events", "app") == 0


def test_nearest_ids_are_named(store: DuckDBEngine, stage: Stage) -> None:
    with pytest.raises(NotFoundError, match="^there is no lead 'ann': the store has no leads$"):
        get_lead(store, "ann")
    load_leads(store, stage("crm", ["id"], {}, [("anna",), ("bob",), ("Hanna",), ("zzz",)]), NOW)
    settle(store)
    with pytest.raises(NotFoundError, match="^there is no lead 'ann'; the nearest are 'anna', 'Hanna', 'bob'$"):
        get_lead(store, "ann")


def test_hostile_ids_are_only_ids(store: DuckDBEngine, stage: Stage) -> None:
    hostile = ["'; DROP TABLE leads; --", '"', "{x}", "?", "%", "é\u0301", " ", "a" * 5000]
    load_leads(store, stage("crm", ["id"], {}, [(text,) for text in hostile]), NOW)
    settle(store)
    assert sorted(text for text, _ in created(store)) == sorted(hostile)
    assert get_lead(store, hostile[0]).id == hostile[0]
