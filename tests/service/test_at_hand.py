"""What is at hand is what the store has, and a micro-batch reads no more of a long history than of a short one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.service.shop import make_shop

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.service import at_hand
from leadlight.service.call import entries
from leadlight.service.live_tables import prepare
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.segment import read_batch
from leadlight.service.worker import Scored, Worker
from leadlight.store.open import open_store
from leadlight.workspace import Workspace

NOW = datetime(2026, 3, 1, 12)
COLUMNS = ["lead", "type", "at", "path"]


@pytest.fixture(autouse=True)
def every_store_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_hand, "SMALL", 0)


# ---------------------------------------------------------------------------------------------- the same as the store


@pytest.fixture
def store() -> Iterator[DuckDBEngine]:
    engine = open_store("duckdb::memory:", Path(), create=True)
    assert isinstance(engine, DuckDBEngine)
    engine.execute("ALTER TABLE events ADD COLUMN path VARCHAR")
    engine.execute("CREATE TEMP TABLE touched (lead INTEGER)")
    engine.execute("CREATE TEMP TABLE wanted (lead INTEGER)")
    append(engine, range(40))
    yield engine
    engine.close()


def append(engine: DuckDBEngine, numbers: Sequence[int]) -> None:
    """Append events: of ten leads, of two types."""
    engine.execute(
        "INSERT INTO events BY NAME SELECT n % 10 AS lead, CASE n % 3 WHEN 0 THEN 'page' ELSE 'order' END AS type, "
        "TIMESTAMP '2026-01-01' + to_hours(n) AS \"at\", 'web' AS _source, hash(n)::UHUGEINT AS _key, '/' || n AS path "
        "FROM (SELECT unnest(?::INTEGER[]) AS n)",
        [list(numbers)],
    )


def gathered(engine: DuckDBEngine, *leads: int, types: Sequence[str] | None = None) -> None:
    """Gather, and hold it against the store."""
    engine.execute("DELETE FROM wanted")
    engine.execute("INSERT INTO wanted SELECT unnest(?::INTEGER[])", [list(leads)])
    at_hand.gather_events(engine, "found", COLUMNS, of="wanted", types=types)
    query = 'SELECT lead, type, "at", path FROM {} WHERE lead IN (SELECT lead FROM wanted) AND type IN ? ORDER BY ALL'
    wanted = [list(types or ["page", "order", "visit"])]
    assert engine.rows(query.format("found"), wanted) == engine.rows(query.format("events"), wanted)
    assert types is not None or engine.rows("SELECT count(*) FROM found") == engine.rows(
        "SELECT count(*) FROM events WHERE lead IN (SELECT lead FROM wanted)"
    )


def test_others_new_events_and_those_who_were_there(store: DuckDBEngine) -> None:
    gathered(store, 1, 2)
    gathered(store, 2, 3)
    append(store, range(40, 60))
    gathered(store, 1, 2, 3)
    append(store, range(60, 70))
    gathered(store, 4)
    append(store, range(70, 80))
    gathered(store, 1, 2, 3, 4, 5)


def test_only_some_types(store: DuckDBEngine) -> None:
    gathered(store, 1, 2, types=["page"])
    append(store, range(40, 60))
    gathered(store, 1, 3, types=["page"])
    gathered(store, 1, 3, types=["page", "order"])  # another wish begins anew
    gathered(store, 1, 3)


def test_whoever_is_touched_is_let_go(store: DuckDBEngine) -> None:
    gathered(store, 1, 2, 3)
    store.execute("UPDATE events SET lead = 2 WHERE lead = 1 AND path IN ('/1', '/11')")
    store.execute("DELETE FROM events WHERE lead = 3 AND path = '/13'")
    store.execute("INSERT INTO touched VALUES (1), (2), (3)")
    at_hand.let_go(store)
    gathered(store, 1, 2, 3)


def change_layout(store: DuckDBEngine) -> None:
    store.execute("CREATE TABLE ordered AS SELECT * FROM events ORDER BY hash(path)")
    store.execute("DROP TABLE events")
    store.execute("ALTER TABLE ordered RENAME TO events")


def change_columns(store: DuckDBEngine) -> None:
    store.execute("ALTER TABLE events ALTER path SET DATA TYPE VARCHAR USING upper(path)")
    store.execute("ALTER TABLE events ALTER type SET DATA TYPE ENUM('page', 'order', 'visit')")


def lose_the_last(store: DuckDBEngine) -> None:
    store.execute("DELETE FROM events WHERE path = '/39'")
    store.execute("INSERT INTO touched VALUES (9)")
    at_hand.let_go(store)


@pytest.mark.parametrize("change", [change_layout, change_columns, lose_the_last, at_hand.set_down])
def test_what_lies_otherwise_is_read_anew(store: DuckDBEngine, change: Callable[[DuckDBEngine], None]) -> None:
    gathered(store, 1, 2, 9)
    change(store)
    append(store, range(50, 90))
    gathered(store, 1, 2, 9)


def test_too_much_is_not_kept(store: DuckDBEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_hand, "LIMIT", 10)
    gathered(store, 1, 2)
    gathered(store, 1, 2, 3)
    assert store.rows("SELECT count(*) FROM live_hand") == [(0,)]


def test_what_is_rolled_back_was_never_at_hand(store: DuckDBEngine) -> None:
    gathered(store, 1)

    def fail() -> None:
        with store.transaction():
            append(store, range(40, 60))
            gathered(store, 1, 2)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    append(store, range(70, 90))
    gathered(store, 1, 2)


# ----------------------------------------------------------------------------------------------- rows that are read


class Waiting:
    """An inbox of calls in memory."""

    limit, unscored, depth = 1_000, 0, 0

    def __init__(self) -> None:
        self.trouble: str | None = None
        self.written, self.calls = threading.Event(), list[tuple[int, bytes]]()

    def begin(self, engine: Any) -> None:
        """Nothing was taken before."""

    def append(self, given: Any) -> Any:
        raise AssertionError(f"a worker takes calls out and puts none in: {given}")

    def has_more(self, engine: Any) -> bool:
        del engine
        return bool(self.calls)

    def take(self, engine: Any, limit: int) -> list[tuple[int, bytes]]:
        del engine
        return self.calls[:limit]

    def settle(self, engine: Any, calls: Any) -> None:
        """They go when they are settled."""

    def settled(self, calls: Any) -> None:
        self.calls = self.calls[len(calls) :]

    def close(self) -> None:
        """Nothing is open."""


class Deaf:
    def stored(self, calls: int, seconds: float) -> None: ...
    def scored(self, scored: Scored) -> None: ...
    def refused(self, reason: str) -> None:
        raise AssertionError(reason)


class Reads:
    """Counts the rows that statements read, as the engine's own profile says."""

    def __init__(self, engine: DuckDBEngine, path: Path) -> None:
        self.engine, self.path, self.of = engine, path, dict[str, int]()
        self._real = {name: getattr(engine, name) for name in ("execute", "rows", "arrow")}
        for name, real in self._real.items():
            setattr(engine, name, self._counting(real))
        run = engine.connection.execute
        run("PRAGMA enable_profiling = 'json'")
        run(f"PRAGMA profiling_output = '{path}'")

    def _counting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(sql: str, *more: Any, **options: Any) -> Any:
            self.path.unlink(missing_ok=True)
            found = real(sql, *more, **options)
            if self.path.exists():
                read = json.loads(self.path.read_text())["query"]["total_rows_scanned"]
                self.of[str(sql)] = self.of.get(str(sql), 0) + read
            return found

        return call

    def taken(self) -> dict[str, int]:
        """Return the rows read by each statement since the last time."""
        taken, self.of = self.of, {}
        return taken


def rows_read(folder: Path, history: int) -> dict[str, int]:
    """Return the rows read by each statement of a micro-batch of known leads, over so many events from before."""
    Workspace(make_shop(folder)).ingest()
    engine = open_store(f"duckdb:{folder / 'store.duckdb'}", folder)
    assert isinstance(engine, DuckDBEngine)
    prepare(engine)
    workspace, inbox = LiveWorkspace(folder, engine, now=lambda: NOW), Waiting()
    for run in workspace.score():
        assert run.scored
    engine.execute(
        "INSERT INTO events BY NAME SELECT 1000 + n % 50 AS lead, 'page' AS type, "
        "TIMESTAMP '2026-01-01' + to_seconds(n) AS \"at\", 'live' AS _source, hash(n)::UHUGEINT AS _key "
        "FROM range(?) t(n)",
        [history],
    )
    worker = Worker(workspace, inbox, Deaf())
    reads = Reads(engine, folder / "profile.json")
    for number in range(3):
        batch = [{"type": "track", "event": "page", "userId": f"crm-{n % 3 + 1}", "messageId": f"{number}-{n}",
                  "properties": {"path": "/pricing"}} for n in range(20)]  # fmt: skip
        calls = read_batch({"batch": batch}, NOW).calls
        inbox.calls = [(number * 100 + place, body) for place, (_, body) in enumerate(entries(calls))]
        reads.taken()
        assert worker.drain() == 20
    engine.close()
    return reads.taken()


def test_a_micro_batch_reads_no_more_of_a_long_history(tmp_path: Path) -> None:
    short, long = (rows_read(tmp_path / str(history), history) for history in (20_000, 400_000))
    more = {sql: read - short.get(sql, 0) for sql, read in long.items() if read > short.get(sql, 0)}
    more.pop("SELECT count(*) FROM events", None)  # the table knows its count; the profile takes it for reading
    assert sum(short.values()) > 0
    assert sum(more.values()) < 20_000, "\n".join(f"{read:>9} {sql}" for sql, read in more.items())
