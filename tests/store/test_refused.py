"""Calls put aside: listed, counted, paged, found by whom they are about, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError
from leadlight.service import live_tables
from leadlight.service.call import Call
from leadlight.store import refused
from leadlight.store.erase import about, erase, find_person
from leadlight.store.open import open_store

NOW = datetime(2026, 3, 1, 12)


@pytest.fixture(params=["duckdb", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    postgres = request.param == "postgres"
    address = request.getfixturevalue("postgres_store") if postgres else "duckdb::memory:"
    engine = open_store(address, Path(), create=True)
    live_tables.prepare(engine)
    yield engine
    engine.close()


def put(engine: Engine, name: str, reason: str = "too odd", *, at: datetime = NOW, **parts: object) -> str:
    """Put a call aside; return its text."""
    call = Call(name, NOW, NOW, **parts).encode().decode()  # type: ignore[arg-type]
    live_tables.refuse(engine, at, call, reason)
    return call


def test_nothing_where_nothing_was_ever_served() -> None:
    engine = open_store("duckdb::memory:", Path(), create=True)
    assert refused.count(engine) == 0
    assert str(refused.listing(engine)) == "no call was refused"
    assert refused.about_person(engine, ["ann"]) == []
    with pytest.raises(NotFoundError, match="no refused call 'x' to drop"):
        refused.drop(engine, ["x"])
    engine.close()


def test_the_list_names_nobody_and_the_full_one_says_all(engine: Engine) -> None:
    reason = "Conversion Error: Could not convert string 'ann' to INT32\nLINE 1: ann"
    put(engine, "m1", reason, user_id="ann", event="Called ann@x.example", properties={"ann": "ann"})
    put(
        engine, "m2", reason.replace("ann", "bob"), at=NOW + timedelta(minutes=1), anonymous_id="d", traits={"a": "ann"}
    )
    live_tables.refuse(engine, NOW, "ann, and no call", "kafka:topic:0:7: ann@x.example is no JSON")
    found = refused.listing(engine)
    assert "ann" not in str(found)
    assert found.counts == {
        "Conversion Error: Could not convert string … to INT…": 2,
        "kafka:topic:…:…: … is no JSON": 1,
    }
    assert found.rows[0].what == "traits of a device, 2026-03-01 12:00"
    assert {row.what for row in found.rows[1:]} == {"event of a user, 2026-03-01 12:00", "no call, 16 characters"}
    assert "Called ann@x.example" in str(refused.listing(engine, full=True))
    assert {row["call"] for row in found.as_dict()["calls"]} == {row.call for row in found.rows}


def test_pages_have_each_call_once(engine: Engine) -> None:
    for number in range(7):
        put(engine, f"m{number}", at=NOW + timedelta(minutes=number // 3), user_id="ann")
    put(engine, "m6", at=NOW + timedelta(minutes=2), user_id="ann")  # put aside twice, and one
    seen, after = list[str](), None
    while rows := refused.refused(engine, after=after, limit=2):
        seen += [row.id for row in rows]
        after = (rows[-1].at, rows[-1].id)
    assert len(seen) == len(set(seen)) == 7 == refused.count(engine)


def test_dropped_are_all_that_are_named_or_none(engine: Engine) -> None:
    for name in ("m1", "m2", "m3"):
        put(engine, name, user_id="ann")
    first, second, _ = [row.id for row in refused.refused(engine)]
    with pytest.raises(NotFoundError):
        refused.drop(engine, [first, "nothing"])
    assert refused.count(engine) == 3
    assert set(refused.drop(engine, [first, second]).did) == {first, second}
    dropped = refused.drop(engine, "all")
    assert (len(dropped.did), refused.count(engine), str(dropped)) == (1, 0, "1 call dropped")


def test_a_persons_calls_are_found_by_every_id_and_address_and_nobody_elses(engine: Engine) -> None:
    engine.execute("INSERT INTO ids VALUES ('1', 1, 1), ('anonymous:d1', 2, 1), ('email:ann@x.example', 3, 1)")
    engine.execute("INSERT INTO ids VALUES ('11', 4, 4), ('d1', 5, 5)")
    mine = [
        put(engine, "m1", user_id="1", event="order"),
        put(engine, "m2", anonymous_id="d1", event="page"),
        put(engine, "m3", user_id="7", previous="1"),
        put(engine, "m4", user_id="8", traits={"email": " Ann@X.example"}),
    ]
    live_tables.refuse(engine, NOW, '{"m": "broken", "u": "1", ', "no JSON")
    others = [
        put(engine, "m5", user_id="11", event="order", properties={"n": 1.0, "said": "1"}),
        put(engine, "m6", user_id="d1", event="order"),
    ]
    person = find_person(engine, "1")
    told = {table: parameter for table, _, parameter in about(engine, person)}["live_refused"]
    assert {row.call for row in refused.refused(engine, told)} == {*mine, '{"m": "broken", "u": "1", '}
    assert erase(engine, "1", now=NOW).rows["live_refused"] == 5
    assert {row.call for row in refused.refused(engine)} == set(others)


def test_whom_only_refused_calls_name_can_be_erased_and_does_not_come_back(engine: Engine) -> None:
    put(engine, "m1", user_id="new", event="order")
    assert find_person(engine, "new").ids == ("new",)
    assert erase(engine, "new", now=NOW).rows["live_refused"] == 1
    assert engine.rows("SELECT count(*) FROM erased") == [(1,)]
    with pytest.raises(NotFoundError):
        erase(engine, "new", now=NOW)


@pytest.mark.parametrize(
    ("reason", "plain"),
    [
        ('invalid input syntax for type double precision: "ann"', "invalid input syntax for type double precision: …"),
        ('Malformed JSON: "{"a": "ann"}" at byte 7', "Malformed JSON: … at byte …"),
        ("unterminated 'ann and what follows", "unterminated …"),
        ("no value for ann@x.example here", "no value for … here"),
        ("first line\nDETAIL: (id)=(ann)", "first line"),
        ("", ""),
    ],
)
def test_reasons_without_values(reason: str, plain: str) -> None:
    assert refused.without_values(reason) == plain
