"""Leads that share an address are one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr.types import Type
from leadlight.store.attributes import load_leads
from leadlight.store.events import load_events
from leadlight.store.history import LEADS
from leadlight.store.leads import aliases, get_lead, refresh_leads
from leadlight.store.merge import Merged, merge_duplicates
from leadlight.store.outcomes import load_outcomes
from leadlight.store.periods import rebuild
from leadlight.store.staged import Staged

Stage = Callable[..., Staged]
NOW = datetime(2026, 1, 1)
ROLES = ["id", "created_at"]
COLUMNS = {"email": Type.TEXT, "phone": Type.TEXT}


def day(number: int) -> datetime:
    return datetime(2025, 1, number)


def tell(store: DuckDBEngine, stage: Stage, rows: Sequence[Sequence[Any]], source: str = "crm") -> None:
    load_leads(store, stage(source, ROLES, COLUMNS, rows), NOW)


def merged(store: DuckDBEngine, merge_by: dict[str, str | None] | None = None) -> list[tuple[str, str]]:
    count, examples = merge_duplicates(store, merge_by or {})
    assert count == len(examples)
    refresh_leads(store)
    rebuild(store, LEADS)
    store.execute("DELETE FROM touched")
    return [(one.id, one.into) for one in examples]


def test_the_one_created_first_stays(store: DuckDBEngine, stage: Stage) -> None:
    tell(store, stage, [("b", day(5), "x@a.com", None), ("a", day(9), " X@A.com ", None), ("c", day(1), None, None)])
    assert merged(store) == [("a", "b")]
    assert aliases(store, get_lead(store, "a").lead) == ("b", "a")
    assert store.rows("SELECT id, created_at FROM leads ORDER BY id") == [("b", day(5)), ("c", day(1))]


def test_of_those_created_at_once_the_smaller_id(store: DuckDBEngine, stage: Stage) -> None:
    tell(store, stage, [("b", day(5), "x@a.com", None), ("a", day(5), "x@a.com", None)])
    assert merged(store) == [("b", "a")]


def test_those_without_a_date_come_last(store: DuckDBEngine, stage: Stage) -> None:
    tell(store, stage, [("a", None, "x@a.com", None), ("b", day(5), "x@a.com", None)])
    assert merged(store) == [("a", "b")]


def test_blank_addresses_never_merge(store: DuckDBEngine, stage: Stage) -> None:
    tell(store, stage, [("a", day(1), "", None), ("b", day(2), "  ", None), ("c", day(3), None, None)])
    assert merged(store) == []
    assert len(store.rows("FROM leads")) == 3


def test_chains_merge_as_a_whole(store: DuckDBEngine, stage: Stage) -> None:
    """Each of forty leads shares one address with the next (from another source)."""
    tell(store, stage, [(f"l{n:02d}", day(1), f"e{n}@a.com", None) for n in range(40)], "crm")
    tell(store, stage, [(f"l{n:02d}", day(1), f"e{n + 1}@a.com", None) for n in range(40)], "web")
    count, examples = merge_duplicates(store, {})
    assert count == 39
    assert examples[0] == Merged(id="l01", into="l00")
    assert {one.into for one in examples} == {"l00"}
    assert len(examples) == 20
    assert store.rows("SELECT DISTINCT lead FROM ids") == [(1,)]


def test_merge_by_another_attribute_or_by_none(store: DuckDBEngine, stage: Stage) -> None:
    tell(store, stage, [("a", day(1), "x@a.com", "1"), ("b", day(2), "x@a.com", "2"), ("c", day(3), "y@a.com", "2")])
    assert merged(store, {"crm": None}) == []
    assert merged(store, {"crm": "nothing_of_that_name"}) == []
    assert merged(store, {"crm": "phone"}) == [("c", "b")]


def test_an_address_and_a_phone_number_that_look_the_same(store: DuckDBEngine, stage: Stage) -> None:
    tell(store, stage, [("a", day(1), "123", None)], "crm")
    tell(store, stage, [("b", day(1), None, "123")], "web")
    assert merged(store, {"web": "phone"}) == []


def test_a_pair_found_later_takes_events_and_outcomes_along(store: DuckDBEngine, stage: Stage) -> None:
    tell(store, stage, [("a", day(1), "x@a.com", None), ("b", day(2), None, "7")])
    assert merged(store) == []
    load_events(store, stage("web", ["lead", "at"], {}, [("b", day(3)), ("a", day(4))]), "visit")
    load_outcomes(store, stage("deals", ["lead", "outcome"], {}, [("b", "won")]), name="stage", type_=Type.TEXT)
    store.execute(
        "INSERT INTO scores (run, scorecard, version, as_of, lead, score) SELECT 1, 'house', 'v', ?, lead, 5 FROM ids",
        [day(9)],
    )
    tell(store, stage, [("b", day(2), "x@a.com", None)], "web")
    assert merged(store) == [("b", "a")]
    assert store.rows('SELECT lead, "at" FROM events ORDER BY 2') == [(1, day(3)), (1, day(4))]
    assert store.rows("SELECT lead, outcome FROM outcomes") == [(1, "won")]
    assert store.rows("SELECT in_order FROM layout") == [(1,)]  # the event that moved may lie out of order
    # What was given to the duplicate stays under its number: it was not given to the person.
    assert store.rows("SELECT lead, score FROM scores ORDER BY lead") == [(1, 5), (2, 5)]


def test_both_keep_speaking_for_themselves(store: DuckDBEngine, stage: Stage) -> None:
    rows = [("a", day(1), "x@a.com", None), ("b", day(2), "x@a.com", "7")]
    tell(store, stage, rows)
    merged(store)
    before = store.rows("FROM observations")
    tell(store, stage, rows)
    assert merged(store) == []
    assert store.rows("FROM observations") == before
    assert store.rows("SELECT known_at, phone FROM attributes ORDER BY known_at") == [(day(1), None), (day(2), "7")]


def test_a_third_one_joins_those_merged_before(store: DuckDBEngine, stage: Stage) -> None:
    tell(store, stage, [("b", day(2), "x@a.com", None), ("c", day(3), "x@a.com", None)])
    merged(store)
    tell(store, stage, [("a", day(1), "x@a.com", None)])
    assert merged(store) == [("b", "a")]
    assert aliases(store, 3) == ("a", "b", "c")
    assert get_lead(store, "c").id == "a"
