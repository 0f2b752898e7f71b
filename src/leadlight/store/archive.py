"""Events that were taken out of the store: Parquet files in a folder of the workspace, and what is left to know of it.

A file has all columns of `events`, and `_id`, the id the event was said of. Its rows are a person's as much as the
store's are: who is erased is taken out of the files too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from leadlight.engines.base import Engine
from leadlight.store.rolled_up import roll_up
from leadlight.store.sql import Sql, fill, joined

if TYPE_CHECKING:
    from leadlight.store.erase import Person

TABLE = (
    'CREATE TABLE IF NOT EXISTS retained ("at" TIMESTAMP NOT NULL, floor TIMESTAMP NOT NULL, events BIGINT NOT NULL, '
    "archive VARCHAR)"
)
GOING = "events_going"
AS_TEXT = ("type", "_key", "_source")


def complete_since(engine: Engine) -> datetime | None:
    """Return the moment since when scores can be computed from what is in the store; None where all is there."""
    if "retained" not in engine.tables():
        return None
    found: datetime | None = engine.rows("SELECT max(floor) FROM retained WHERE events > 0")[0][0]
    return found


def announce(engine: Engine, root: Path, folder: str, *, floor: datetime, now: datetime) -> Path:
    """Note the file that events will be moved to, and return it; what a run that was killed has left there goes.

    Call it in a transaction before that of `take_out`: then no file is left that the store does not know of.
    """
    engine.execute(TABLE)
    drop_unfinished(engine, root)
    path = root / folder / f"events-{now:%Y%m%dT%H%M%S%f}.parquet"
    engine.execute("INSERT INTO retained VALUES (?, ?, 0, ?)", [now, floor, os.path.relpath(path, root)])
    return path


def drop_unfinished(engine: Engine, root: Path) -> None:
    """Remove files of runs that were killed; their events are all in the store. Call it in a transaction."""
    if "retained" not in engine.tables():
        return
    for (name,) in engine.rows("SELECT archive FROM retained WHERE events = 0"):
        for path in (root / name, _fresh(root / name)):
            path.unlink(missing_ok=True)
    engine.execute("DELETE FROM retained WHERE events = 0")


def take_out(engine: Engine, condition: Sql, root: Path, path: Path | None, *, floor: datetime, now: datetime) -> int:
    """Move the events that satisfy a condition into a file that was announced; None deletes them for good.

    Call it in a transaction. They are rolled up. The file is on disk before the events are deleted; where the
    transaction fails, they are in both, until the next run or erasure. Returns how many.
    """
    rows = fill(
        "SELECT {columns}, i.id AS _id FROM (SELECT * FROM events WHERE {condition}) e "
        "LEFT JOIN ids i ON i.key = e._said_of",
        columns=joined(_columns(engine)),
        condition=condition,
    )
    engine.execute(fill("CREATE TEMP TABLE {going} AS {rows}", going=GOING, rows=rows))
    count = int(engine.rows(fill("SELECT count(*) FROM {going}", going=GOING))[0][0])
    if count:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with engine.batches(GOING) as batches:  # closed, also where the disk is full: the engine goes on then
                _write(batches, path)
        roll_up(engine, condition)
        engine.execute(fill("DELETE FROM events WHERE {condition}", condition=condition))
        engine.execute("UPDATE layout SET in_order = greatest(in_order - ?, 0) WHERE name = 'events'", [count])
        engine.execute(TABLE)
        engine.execute('DELETE FROM retained WHERE events = 0 AND "at" = ?', [now])
        name = None if path is None else os.path.relpath(path, root)
        engine.execute("INSERT INTO retained VALUES (?, ?, ?, ?)", [now, floor, count, name])
    engine.execute(fill("DROP TABLE {going}", going=GOING))
    return count


def _columns(engine: Engine) -> Iterator[Sql]:
    for name in engine.columns("events"):
        text = name in AS_TEXT
        yield fill("e.{name}::VARCHAR AS {name}" if text else "e.{name}", name=name)


def _fresh(path: Path) -> Path:
    return path.with_suffix(".new")


def _write(rows: pa.RecordBatchReader, path: Path) -> None:
    """Write a file that is there as a whole or not at all."""
    import pyarrow.parquet as pq

    fresh = _fresh(path)
    with fresh.open("wb") as file:
        with pq.ParquetWriter(file, rows.schema, compression="zstd") as writer:
            for batch in rows:
                writer.write_batch(batch)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


# ---------------------------------------------------------------------------------------------------------- people


def archives(engine: Engine, root: Path) -> list[Path]:
    """Return the files that events of the store were moved to, as far as they are there."""
    if "retained" not in engine.tables():
        return []
    names = engine.rows("SELECT archive FROM retained WHERE archive IS NOT NULL ORDER BY 1")
    return [path for (name,) in names if (path := root / name).is_file()]


def archived(paths: Sequence[Path], person: Person) -> list[dict[str, Any]]:
    """Return the archived events of a person."""
    import pyarrow.parquet as pq

    tables = [pq.read_table(path, filters=_theirs(person)) for path in paths]
    return [row for table in tables for row in table.to_pylist()]


def forget_archived(paths: Sequence[Path], person: Person) -> int:
    """Remove a person's events from archives; return how many. A file with nobody else in it goes."""
    import pyarrow.parquet as pq

    gone, whose = 0, _theirs(person)
    for path in paths:
        theirs = pq.read_table(path, columns=["lead"], filters=whose).num_rows
        if not theirs:
            continue
        gone += theirs
        with pq.ParquetFile(path) as source:
            if theirs == source.metadata.num_rows:
                path.unlink()
                continue
            rest = (pa.Table.from_batches([batch]).filter(~whose) for batch in source.iter_batches())
            batches = (batch for table in rest for batch in table.to_batches())
            _write(pa.RecordBatchReader.from_batches(source.schema_arrow, batches), path)
    return gone


def _theirs(person: Person) -> pc.Expression:
    keys = pa.array(person.keys, pa.int32())
    return pc.field("lead").isin(keys) | pc.coalesce(pc.field("_said_of").isin(keys), pc.scalar(value=False))
