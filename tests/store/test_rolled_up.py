"""What was taken out is counted once, whose it was, whatever comes after."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.conftest import stage_rows

from leadlight.engines.base import Engine
from leadlight.spec.consent import ConsentSpec
from leadlight.store.access import held
from leadlight.store.archive import take_out
from leadlight.store.attributes import load_leads
from leadlight.store.consent import settle_consent
from leadlight.store.erase import erase, find_person
from leadlight.store.events import load_events
from leadlight.store.forget import forget_source, rename_source, row_count
from leadlight.store.known_keys import known_keys
from leadlight.store.leads import get_lead
from leadlight.store.merges import join_leads, list_merges, undo_merge
from leadlight.store.migrate import migrate
from leadlight.store.open import open_store
from leadlight.store.rolled_up import rolled_up
from leadlight.store.schema import MIGRATIONS
from leadlight.store.sql import Sql
from leadlight.store.staged import Staged
from leadlight.store.touched import changing

Stage = Callable[..., Staged]
NOW = datetime(2026, 1, 1)
EVERYBODY = Sql("SELECT lead FROM ids")
VISITS = [
    ("ann", "page", datetime(2024, 1, 1)), ("ann", "page", datetime(2024, 1, 31, 23, 59)),
    ("ann", "page", datetime(2024, 2, 1)), ("ann", "order", datetime(2024, 2, 2)),
    ("ann", "page", datetime(2025, 2, 1)), ("bob", "page", datetime(2024, 1, 5)),
]  # fmt: skip
OLD = "\"at\" < TIMESTAMP '2025-01-01'"
Short = list[tuple[str, str, int]]


def tell(engine: Engine, events: Sequence[tuple[str, str, datetime]], *, source: str = "web") -> None:
    """Load people and events, as a reading does; what an event says is all there is to know it by."""
    with changing(engine, None):
        people = [(lead, None) for lead in sorted({lead for lead, _, _ in events})]
        load_leads(engine, stage_rows(engine, "crm", ["id", "created_at"], {}, people), NOW)
        load_events(engine, stage_rows(engine, source, ["lead", "type", "at"], {}, events), None)


def out(engine: Engine, condition: str = OLD) -> int:
    with engine.transaction():
        return take_out(engine, Sql(condition), Path(), None, floor=NOW, now=NOW)


def short(engine: Engine, name: str, consent: ConsentSpec | None = None) -> Short:
    found = rolled_up(engine, get_lead(engine, name).lead, consent)
    return [(each.month, each.type, each.events) for each in found]


@pytest.fixture
def store(store: Engine) -> Engine:
    """Nothing is under way there."""
    store.execute("DROP TABLE touched")
    store.execute("DROP TABLE touched_accounts")
    return store


@pytest.fixture
def visited(store: Engine) -> Engine:
    tell(store, VISITS)
    return store


def test_by_lead_month_and_type(visited: Engine) -> None:
    assert short(visited, "ann") == []
    assert out(visited) == 5
    assert short(visited, "ann") == [("2024-01", "page", 2), ("2024-02", "order", 1), ("2024-02", "page", 1)]
    assert short(visited, "bob") == [("2024-01", "page", 1)]
    first = rolled_up(visited, get_lead(visited, "ann").lead, None)[0]
    assert (first.first_at, first.last_at) == (datetime(2024, 1, 1), datetime(2024, 1, 31, 23, 59))
    assert str(first) == "2024-01  page: 2 from 01 Jan to 31 Jan"
    assert visited.rows("SELECT count(*) FROM events") == [(1,)]


def test_up_to_a_moment(visited: Engine) -> None:
    out(visited)
    ann = get_lead(visited, "ann").lead
    assert [each.month for each in rolled_up(visited, ann, None, until=datetime(2024, 2, 1))] == ["2024-01", "2024-02"]
    assert rolled_up(visited, ann, None, until=datetime(2024, 1, 31)) == ()


def test_what_is_read_again_does_not_come_back(visited: Engine) -> None:
    out(visited)
    before = short(visited, "ann")
    tell(visited, VISITS)
    assert visited.rows("SELECT count(*) FROM events") == [(1,)]
    assert out(visited) == 0
    assert short(visited, "ann") == before


def test_nor_to_who_holds_the_keys_in_memory(store: Engine) -> None:
    tell(store, VISITS)
    out(store)
    known, again = known_keys(store, "web"), VISITS[:3]
    with changing(store, None):
        load_events(store, stage_rows(store, "web", ["lead", "type", "at"], {}, again), None, known=known)
    assert store.rows("SELECT count(*) FROM events") == [(1,)]


def test_what_comes_late_is_added(visited: Engine) -> None:
    out(visited)
    late = [("ann", "page", datetime(2023, 12, 31)), *(("ann", "order", datetime(2024, 2, day)) for day in (1, 9))]
    tell(visited, [*VISITS, *late])
    assert out(visited) == 3
    assert short(visited, "ann")[:2] == [("2023-12", "page", 1), ("2024-01", "page", 2)]
    orders = rolled_up(visited, get_lead(visited, "ann").lead, None)[2]
    assert (orders.events, orders.first_at, orders.last_at) == (3, datetime(2024, 2, 1), datetime(2024, 2, 9))


def test_of_each_source(visited: Engine) -> None:
    out(visited)
    tell(visited, VISITS[:1], source="app")
    out(visited)
    assert short(visited, "ann")[0] == ("2024-01", "page", 3)
    assert row_count(visited, "web") == len(VISITS)
    with changing(visited, None):
        rename_source(visited, "app", "site")
    tell(visited, VISITS[:1], source="site")
    assert visited.rows("SELECT count(*) FROM events") == [(1,)]
    with changing(visited, None):
        forget_source(visited, "web")
    assert short(visited, "ann") == [("2024-01", "page", 1)]
    tell(visited, VISITS)
    assert visited.rows("SELECT count(*) FROM events") == [(len(VISITS),)]


@pytest.mark.parametrize("first", ["joined", "taken out"])
def test_an_undone_merge_gives_back_what_was_said(visited: Engine, first: str) -> None:
    if first == "taken out":
        out(visited)
    with changing(visited, None):
        join_leads(visited, "bob", "ann", at=NOW)
    out(visited)
    assert short(visited, "ann") == [("2024-01", "page", 3), ("2024-02", "order", 1), ("2024-02", "page", 1)]
    with changing(visited, None):
        undo_merge(visited, list_merges(visited).merges[0].merge, {}, at=NOW)
    assert short(visited, "bob") == [("2024-01", "page", 1)]
    assert short(visited, "ann") == [("2024-01", "page", 2), ("2024-02", "order", 1), ("2024-02", "page", 1)]


def test_whoever_is_parted_begins_with_their_own_first_event(visited: Engine) -> None:
    """Whose beginning only events tell: the first of one who was merged could go, and is remembered."""
    born = get_lead(visited, "bob").created_at
    assert born == datetime(2024, 1, 5)
    with changing(visited, None):
        join_leads(visited, "ann", "bob", at=NOW)
    out(visited)
    with changing(visited, None):
        undo_merge(visited, list_merges(visited).merges[0].merge, {}, at=NOW)
    assert get_lead(visited, "bob").created_at == born
    assert get_lead(visited, "ann").created_at == datetime(2024, 1, 1)


def test_an_erased_person_leaves_nothing(visited: Engine) -> None:
    out(visited)
    person = find_person(visited, "ann")
    told = held(visited, person)
    assert [(row["month"], row["type"], row["events"]) for row in told["rolled_up"]] == [
        ("2024-01-01T00:00:00Z", "page", 2), ("2024-02-01T00:00:00Z", "page", 1), ("2024-02-01T00:00:00Z", "order", 1)
    ]  # fmt: skip
    assert len(told["taken_out"]) == 4
    rows = erase(visited, "ann", now=NOW).rows
    assert (rows["rolled_up"], rows["taken_out"]) == (3, 4)
    assert visited.rows("SELECT count(*) FROM rolled_up") == [(1,)]
    assert visited.rows("SELECT count(*) FROM taken_out") == [(1,)]
    assert short(visited, "bob") == [("2024-01", "page", 1)]


@pytest.mark.parametrize("seed", range(6))
def test_consent_is_heeded_as_of_events(store: Engine, fresh: Callable[[], tuple[Engine, Stage]], seed: int) -> None:
    """Events that are alone in their month are shown in short where they would not be set aside."""
    draw = random.Random(seed)
    spec = ConsentSpec.model_validate({
        "purposes": {"mail": ["open"], "ads": "all"} if draw.random() < 0.5 else {"mail": ["open", "click"]},
        "unsaid": draw.choice(["set_aside", "count"]), "retroactive": draw.random() < 0.5, "sources": ["web"],
    })  # fmt: skip
    events = [("ann", draw.choice(["open", "click"]), datetime(2024, month, 9)) for month in range(1, 13)]
    words = [(draw.choice(["mail", "ads"]), datetime(2024, month, 1), draw.random() < 0.6, f"m{month}")
             for month in draw.sample(range(2, 13), 4)]  # fmt: skip
    (there, _) = fresh()
    for name in ("touched", "touched_accounts"):
        there.execute(f"DROP TABLE {name}")
    for engine in (store, there):
        tell(engine, events)
        for word in words:
            engine.execute("INSERT INTO consents SELECT key, ?, ?, ?, ? FROM ids", list(word))
    with changing(there, None):
        settle_consent(there, spec, EVERYBODY, at=NOW)
    out(store)
    counted = there.rows('SELECT type::VARCHAR, "at" FROM events ORDER BY "at"')
    assert short(store, "ann", spec) == [(f"{at:%Y-%m}", kind, 1) for kind, at in counted]
    assert len(short(store, "ann")) == len(events)


def test_a_month_of_which_some_counts_is_shown(visited: Engine) -> None:
    visited.execute("INSERT INTO consents SELECT key, 'all', ?, FALSE, 'm' FROM ids WHERE id = 'ann'",
                    [datetime(2024, 1, 20)])  # fmt: skip
    out(visited)
    spec = ConsentSpec.model_validate({"purposes": {"all": "all"}, "unsaid": "count", "sources": ["web"]})
    assert short(visited, "ann", spec) == [("2024-01", "page", 2)]
    assert len(short(visited, "bob", spec)) == 1


def test_an_older_store_gets_it(visited: Engine, tmp_path: Path) -> None:
    del visited
    engine = open_store("duckdb::memory:", tmp_path)
    engine.execute("DROP TABLE rolled_up")
    engine.execute("DROP TABLE taken_out")
    engine.execute("DELETE FROM migrations WHERE number > 6")
    assert migrate(engine) == len(MIGRATIONS) - 6
    tell(engine, VISITS)
    out(engine)
    assert len(short(engine, "ann")) == 3


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from leadlight.store.archive import take_out
from leadlight.store.open import open_store
from leadlight.store.sql import Sql
engine, now = open_store(sys.argv[1], Path()), datetime(2026, 1, 1)
with engine.transaction():
    take_out(engine, Sql(sys.argv[2]), Path(), Path(sys.argv[3]) / "x.parquet", floor=now, now=now)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_a_run_that_is_killed_counts_nothing(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    file = f"duckdb:{tmp_path / 'store.duckdb'}"
    address = file if kind == "duckdb" else request.getfixturevalue("postgres_store")
    engine = open_store(address, Path(), create=True)
    tell(engine, VISITS)
    engine.close()
    run = subprocess.run([sys.executable, "-c", KILLED, address, OLD, str(tmp_path)], env=dict(os.environ), check=False)
    assert run.returncode == -signal.SIGKILL
    assert (tmp_path / "x.parquet").is_file()
    engine = open_store(address, Path())
    assert engine.rows("SELECT count(*) FROM events") == [(len(VISITS),)]
    assert short(engine, "ann") == []
    assert out(engine) == 5
    assert short(engine, "ann")[0] == ("2024-01", "page", 2)
    engine.close()


# ------------------------------------------------------------------------------------- whatever happens in what order

PEOPLE = ("ann", "bob", "cyd")
EVENTS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["page", "order"]), st.integers(0, 45)), min_size=1, max_size=12
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), EVENTS, st.sampled_from(["web", "app"])),
        st.tuples(st.just("out"), st.integers(0, 50)),
        st.tuples(st.just("join"), st.permutations(PEOPLE)),
        st.tuples(st.just("undo"), st.integers(0, 9)),
        st.tuples(st.just("erase"), st.sampled_from(PEOPLE)),
    ),
    min_size=3,
    max_size=12,
)
BEGIN = datetime(2024, 1, 1)


def play(engine: Engine, steps: Sequence[tuple[Any, ...]]) -> None:
    """Do it, and hold what the store tells of everybody against all that was ever said of them."""
    said = set[tuple[str, str, datetime, str]]()
    gone = set[str]()
    for kind, *more in [("tell", [(name, "page", 30) for name in PEOPLE], "web"), *steps]:
        match kind:
            case "tell":
                events = sorted({(who, what, BEGIN + timedelta(days=day)) for who, what, day in more[0]})
                tell(engine, events, source=more[1])
                said |= {(*event, more[1]) for event in events if event[0] not in gone}
            case "out":
                out(engine, f"\"at\" < TIMESTAMP '{BEGIN + timedelta(days=more[0])}'")
            case "join" if {more[0][0], more[0][1]}.isdisjoint(gone) and not same(engine, *more[0][:2]):
                with changing(engine, None):
                    join_leads(engine, more[0][0], more[0][1], at=NOW)
            case "undo" if live := [one.merge for one in list_merges(engine).merges if one.undone_at is None]:
                with changing(engine, None):
                    undo_merge(engine, live[more[0] % len(live)], {}, at=NOW)
            case "erase" if more[0] not in gone:
                gone |= set(erase(engine, more[0], now=NOW, rewrite=False).ids)
                said = {event for event in said if event[0] not in gone}
            case _:
                pass
        check(engine, said, gone)


def same(engine: Engine, first: str, second: str) -> bool:
    return get_lead(engine, first).lead == get_lead(engine, second).lead


def check(engine: Engine, said: set[tuple[str, str, datetime, str]], gone: set[str]) -> None:
    """All that was said of a lead's ids is in the store or rolled up, once."""
    left = engine.rows('SELECT lead, type::VARCHAR, "at" FROM events')
    for lead in {get_lead(engine, name).lead for name in PEOPLE if name not in gone}:
        ids = {name for (name,) in engine.rows("SELECT id FROM ids WHERE lead = ?", [lead])}
        went = Counter((kind, at) for who, kind, at, _ in said if who in ids)
        went.subtract((kind, at) for whose, kind, at in left if whose == lead)
        months = defaultdict[tuple[str, str], list[datetime]](list)
        for kind, at in went.elements():
            months[f"{at:%Y-%m}", kind].append(at)
        assert min(went.values(), default=0) >= 0
        assert [(one.month, one.type, one.events, one.first_at, one.last_at) for one in rolled_up(engine, lead, None)] \
            == [(*key, len(ats), min(ats), max(ats)) for key, ats in sorted(months.items())]  # fmt: skip
    leads = sorted({get_lead(engine, name).lead for name in PEOPLE if name not in gone})
    assert set(leads) >= {lead for (lead,) in engine.rows("SELECT DISTINCT lead FROM rolled_up")}


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_all_that_was_said_is_there_or_counted(steps: list[tuple[Any, ...]]) -> None:
    engine = open_store("duckdb::memory:", Path(), create=True)
    play(engine, steps)
    engine.close()


@pytest.mark.parametrize("seed", range(3))
def test_in_postgres_too(seed: int, postgres_store: str) -> None:
    draw = random.Random(seed)
    steps = list[tuple[Any, ...]]()
    for _ in range(14):
        events = [(draw.choice(PEOPLE), draw.choice(["page", "order"]), draw.randrange(90)) for _ in range(8)]
        steps.append(draw.choice([
            ("tell", events, draw.choice(["web", "app"])), ("out", draw.randrange(90)),
            ("join", draw.sample(PEOPLE, 3)), ("undo", draw.randrange(9)),
        ]))  # fmt: skip
    engine = open_store(postgres_store, Path(), create=True)
    play(engine, [*steps, ("erase", "bob"), ("out", 90)])
    engine.close()
