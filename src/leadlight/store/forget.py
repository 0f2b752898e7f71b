"""Take a source's rows out of the store, or give them another source's name."""

from __future__ import annotations

from collections.abc import Iterable

from leadlight.engines.base import Engine
from leadlight.store.sql import fill
from leadlight.store.unscored import note_unscored

OF_EVENTS = ("events", "set_aside", "taken_out")
TABLES = ("observations", "account_observations", "outcomes", "rolled_up", *OF_EVENTS)
NAMED = ("source", "names"), ("source", "files"), *(("_source", table) for table in TABLES)


def row_count(engine: Engine, source: str) -> int:
    """Count what the store has, or had, from a source: observations, events, outcomes (the largest of them)."""
    counts = {
        table: int(engine.rows(fill("SELECT count(*) FROM {table} WHERE _source = ?", table=table), [source])[0][0])
        for table in TABLES
    }
    return max(sum(counts.pop(table) for table in OF_EVENTS), *counts.values())


def forget_source(engine: Engine, source: str) -> None:
    """Remove all that a source has said, with the columns that no other source gives; note who is touched."""
    engine.execute("INSERT INTO touched SELECT DISTINCT lead FROM observations WHERE _source = ?", [source])
    engine.execute(
        "INSERT INTO touched_accounts SELECT DISTINCT account FROM account_observations WHERE _source = ?", [source]
    )
    for table in ("events", "set_aside", "outcomes"):
        said_of = fill("SELECT lead FROM {table} WHERE _source = ?", table=table)
        note_unscored(engine, said_of, [source])
    events = engine.rows("SELECT count(*) FROM events WHERE _source = ?", [source])[0][0]
    engine.execute("UPDATE layout SET in_order = greatest(in_order - ?, 0) WHERE name = 'events'", [events])
    for column, table in NAMED[1:]:
        engine.execute(fill("DELETE FROM {table} WHERE {column} = ?", table=table, column=column), [source])
    _drop_columns(engine, source, "attribute", ("observations", "attributes"))
    _drop_columns(engine, source, "account_attribute", ("account_observations", "account_attributes"))
    _drop_columns(engine, source, "property", ("events",))
    engine.execute("DELETE FROM names WHERE source = ?", [source])


def _drop_columns(engine: Engine, source: str, kind: str, tables: Iterable[str]) -> None:
    found = engine.rows(
        "SELECT name FROM names WHERE kind = ? GROUP BY name HAVING bool_and(source = ?)", [kind, source]
    )
    for (name,) in found:
        for table in tables:
            engine.execute(fill("ALTER TABLE {table} DROP COLUMN {name}", table=table, name=name))


def rename_source(engine: Engine, old: str, new: str) -> None:
    """Let all that the source `old` has said be said by `new`; whoever is concerned keeps his values."""
    for column, table in NAMED:
        engine.execute(
            fill("UPDATE {table} SET {column} = ? WHERE {column} = ?", table=table, column=column), [new, old]
        )
