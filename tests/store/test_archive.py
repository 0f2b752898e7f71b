from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from leadlight.engines.base import Engine
from leadlight.store.archive import (
    announce,
    archived,
    archives,
    complete_since,
    drop_unfinished,
    forget_archived,
    take_out,
)
from leadlight.store.erase import Person
from leadlight.store.open import open_store
from leadlight.store.sql import Sql

NOW, FLOOR = datetime(2026, 3, 1), datetime(2025, 3, 1)
OLD = Sql("\"at\" < TIMESTAMP '2025-01-01'")
ANN, BOB = Person(1, ("ann", "annie"), (1, 3)), Person(2, ("bob",), (2,))


@pytest.fixture
def engine() -> Engine:
    engine = open_store("duckdb::memory:", Path())
    engine.execute("INSERT INTO ids VALUES ('ann', 1, 1), ('bob', 2, 2), ('annie', 3, 1)")
    engine.execute("ALTER TABLE events ADD COLUMN path VARCHAR")
    engine.execute(
        'INSERT INTO events (lead, type, "at", _source, _key, _said_of, path) VALUES '
        "(1, 'page', TIMESTAMP '2024-01-01', 'web', 7, 1, '/a'), "
        "(1, 'page', TIMESTAMP '2024-01-02', 'web', 8, 3, '/b'), "
        "(2, 'page', TIMESTAMP '2024-01-03', 'web', 9, 2, '/c'), "
        "(2, 'page', TIMESTAMP '2026-01-03', 'web', 10, 2, '/d')"
    )
    return engine


def taken(engine: Engine, root: Path) -> Path:
    with engine.transaction():
        path = announce(engine, root, "old", floor=FLOOR, now=NOW)
    with engine.transaction():
        assert take_out(engine, OLD, root, path, floor=FLOOR, now=NOW) == 3
    return path


def test_events_go_into_a_file_with_all_they_say(engine: Engine, tmp_path: Path) -> None:
    assert complete_since(engine) is None
    path = taken(engine, tmp_path)
    rows = sorted(pq.read_table(path).to_pylist(), key=lambda row: str(row["path"]))
    assert [(row["_id"], row["type"], row["path"], row["_key"]) for row in rows] == [
        ("ann", "page", "/a", "7"), ("annie", "page", "/b", "8"), ("bob", "page", "/c", "9")
    ]  # fmt: skip
    assert engine.rows("SELECT path FROM events") == [("/d",)]
    assert complete_since(engine) == FLOOR
    assert archives(engine, tmp_path) == [path]


def test_without_a_folder_they_are_deleted(engine: Engine, tmp_path: Path) -> None:
    with engine.transaction():
        assert take_out(engine, OLD, tmp_path, None, floor=FLOOR, now=NOW) == 3
    assert list(tmp_path.iterdir()) == []
    assert archives(engine, tmp_path) == []


def test_nothing_is_deleted_that_could_not_be_written(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("no folder")
    with pytest.raises(OSError, match="old"), engine.transaction():
        take_out(engine, OLD, tmp_path, tmp_path / "old" / "a.parquet", floor=FLOOR, now=NOW)
    assert engine.rows("SELECT count(*) FROM events") == [(4,)]


def test_what_a_run_that_was_killed_left_goes(engine: Engine, tmp_path: Path) -> None:
    with engine.transaction():
        left = announce(engine, tmp_path, "old", floor=FLOOR, now=NOW)
    with suppress(InterruptedError), engine.transaction():
        take_out(engine, OLD, tmp_path, left, floor=FLOOR, now=NOW)
        raise InterruptedError
    left.with_suffix(".new").write_text("half of it")
    assert archives(engine, tmp_path) == [left]
    assert complete_since(engine) is None
    with engine.transaction():
        path = announce(engine, tmp_path, "old", floor=FLOOR, now=NOW + timedelta(days=1))
        assert list((tmp_path / "old").iterdir()) == []
        take_out(engine, OLD, tmp_path, path, floor=FLOOR, now=NOW + timedelta(days=1))
    assert archives(engine, tmp_path) == [path]
    with engine.transaction():
        drop_unfinished(engine, tmp_path)
    assert path.is_file()
    assert complete_since(engine) == FLOOR


def test_a_person_is_taken_out_of_the_files(engine: Engine, tmp_path: Path) -> None:
    path = taken(engine, tmp_path)
    assert {row["path"] for row in archived([path], ANN)} == {"/a", "/b"}
    assert forget_archived([path], ANN) == 2
    assert archived([path], ANN) == []
    assert b"annie" not in path.read_bytes()
    assert [row["path"] for row in archived([path], BOB)] == ["/c"]
    assert forget_archived([path], BOB) == 1
    assert archives(engine, tmp_path) == []
