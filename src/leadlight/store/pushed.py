"""What was last written into each record of a system, and what is being written: so that ours is known as ours.

A row is written twice: before a batch goes out (`writing`), and when it has gone (`said`). Whoever is killed in between
finds its own values in the system the next time and knows them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.store.sql import fill

Said = str | float | bool | datetime | None
"""A value of a field."""

COLUMNS = ("connection", "object", "record", "_key", "said", "because", "writing", "hash", "at", "tried", "error",
           "tries", "again_at")  # fmt: skip
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in COLUMNS[:3]),
        ("_key", pa.int32()),
        *((name, pa.string()) for name in ("said", "because", "writing", "hash")),
        ("at", pa.timestamp("us")),
        *((name, pa.string()) for name in ("tried", "error")),
        ("tries", pa.int32()),
        ("again_at", pa.timestamp("us")),
    ]
)
FRESH = "_pushed"
MOMENT = "at"
"""Under which name a moment stands in JSON."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells whether a record is to be looked at at all."""

    hash: str | None
    """Of all that was written when it was last written whole; None where something is left to do."""
    tried: str | None
    """Of what was refused."""
    error: str | None
    again_at: datetime | None
    """When to try again what went wrong; None: not before it is another thing that is written."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What is known of a record: `said` is what we wrote last, field by field, `writing` what we were about to."""

    record: str
    key: int
    said: Mapping[str, Said] = field(default_factory=dict)
    because: Sequence[tuple[str, float]] = ()
    """The items and points that the reasons told of."""
    writing: Mapping[str, Said] = field(default_factory=dict)
    hash: str | None = None
    at: datetime | None = None
    tried: str | None = None
    error: str | None = None
    tries: int = 0
    again_at: datetime | None = None


def marks(engine: Engine, connection: str, object: str) -> dict[str, Mark]:  # noqa: A002 - the protocol's word
    """Return of every record of an object whether there is something to do about it."""
    found = engine.rows(
        "SELECT record, hash, tried, error, again_at FROM pushed WHERE connection = ? AND object = ?",
        [connection, object],
    )
    return {record: Mark(*rest) for record, *rest in found}


def pushed(engine: Engine, connection: str, object: str, records: Sequence[str]) -> dict[str, Pushed]:  # noqa: A002
    """Return what is known of some records."""
    found = engine.rows(
        'SELECT record, _key, said, because, writing, hash, "at", tried, error, tries, again_at FROM pushed '
        "WHERE connection = ? AND object = ? AND record IN (SELECT unnest(?::VARCHAR[]))",
        [connection, object, list(records)],
    )
    return {row[0]: _read(row) for row in found}


def _read(row: Sequence[Any]) -> Pushed:
    record, key, said, because, writing, *rest = row
    return Pushed(
        record, key, loads(said), tuple((str(name), float(points)) for name, points in json.loads(because or "[]")),
        loads(writing), *rest,
    )  # fmt: skip


def keep(engine: Engine, connection: str, object: str, rows: Sequence[Pushed]) -> None:  # noqa: A002
    """Put what is known of records in the place of what was known before; those who were erased meanwhile have none."""
    if not rows:
        return
    table = pa.Table.from_pylist([_written(connection, object, row) for row in rows], schema=_SCHEMA)
    with engine.transaction():
        forget(engine, connection, object, [row.record for row in rows])
        engine.register(FRESH, table)
        try:
            statement = (
                "INSERT INTO pushed ({columns}) SELECT {columns} FROM {fresh} WHERE _key IN (SELECT key FROM ids)"
            )
            engine.execute(fill(statement, columns=COLUMNS, fresh=FRESH))
        finally:
            engine.unregister(FRESH)


def _written(connection: str, object: str, row: Pushed) -> dict[str, Any]:  # noqa: A002
    return {
        "connection": connection, "object": object, "record": row.record, "_key": row.key, "said": dumps(row.said),
        "because": json.dumps(list(row.because), ensure_ascii=False), "writing": dumps(row.writing), "hash": row.hash,
        "at": row.at, "tried": row.tried, "error": row.error, "tries": row.tries, "again_at": row.again_at,
    }  # fmt: skip


def forget(engine: Engine, connection: str, object: str, records: Iterable[str]) -> None:  # noqa: A002
    """Forget records, those that are gone say."""
    engine.execute(
        "DELETE FROM pushed WHERE connection = ? AND object = ? AND record IN (SELECT unnest(?::VARCHAR[]))",
        [connection, object, list(records)],
    )


def dumps(values: Mapping[str, Said]) -> str | None:
    """Write values as JSON; None for none.

    >>> dumps({"score": 1.5, "on": datetime(2026, 1, 31)})
    '{"score": 1.5, "on": {"at": "2026-01-31T00:00:00"}}'
    """
    told = {
        name: {MOMENT: value.isoformat()} if isinstance(value, datetime) else value for name, value in values.items()
    }
    return json.dumps(told, ensure_ascii=False) if told else None


def loads(text: str | None) -> dict[str, Said]:
    """Read what `dumps` wrote.

    >>> loads(dumps({"on": datetime(2026, 1, 31), "text": None})), loads(None)
    ({'on': datetime.datetime(2026, 1, 31, 0, 0), 'text': None}, {})
    """
    return {
        name: datetime.fromisoformat(value[MOMENT]) if isinstance(value, dict) else value
        for name, value in json.loads(text or "{}").items()
    }
