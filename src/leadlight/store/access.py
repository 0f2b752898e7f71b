"""Everything that the store holds about a person, table by table: the same list that `erase` removes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from leadlight.engines.base import Engine
from leadlight.store.archive import archived, archives
from leadlight.store.erase import Person, about
from leadlight.store.schema import FOREVER
from leadlight.store.sql import fill, joined

MOMENTS = ("at", "as_of", "known_at", "created_at", "_read_at", "first_at")
"""The columns by which rows are put in order, the first that a table has."""

Row = Mapping[str, Any]
"""A row's values by column, as plain JSON values; those that are not told are left out."""


def held(engine: Engine, person: Person) -> dict[str, tuple[Row, ...]]:
    """Return the rows about a person by table; tables that hold nothing about it are left out."""
    found = {table: _rows(engine, table, condition, told) for table, condition, told in about(engine, person)}
    return {table: rows for table, rows in found.items() if rows}


def out_of_store(engine: Engine, root: Path, person: Person) -> dict[str, tuple[Row, ...]]:
    """Return a person's events that were moved out of the store into files, as one more table; empty without any."""
    rows = sorted(archived(archives(engine, root), person), key=lambda row: str(row["at"]))
    shown = ({name: plain(value) for name, value in row.items() if value is not None} for row in rows)
    return {"archived_events": tuple(shown)} if rows else {}


def _rows(engine: Engine, table: str, condition: str, told: list[Any]) -> tuple[Row, ...]:
    names = list(engine.columns(table))
    query = fill(
        "SELECT {columns} FROM {table} WHERE {condition}",
        columns=joined([fill("{name}", name=name) for name in names]),
        table=table,
        condition=condition,
    )
    rows = [dict(zip(names, map(plain, row), strict=True)) for row in engine.rows(query, [told])]
    moment = next((name for name in MOMENTS if name in names), "")
    rows.sort(key=lambda row: str(row.get(moment) or ""))
    return tuple({name: value for name, value in row.items() if value is not None} for row in rows)


def plain(value: Any) -> Any:
    """Return a value of the store as JSON has it: moments with their zone, what is known for ever without an end.

    >>> plain(datetime(2026, 1, 31, 12)), plain(2**70), plain(datetime(9999, 12, 31))
    ('2026-01-31T12:00:00Z', '1180591620717411303424', None)
    """
    if isinstance(value, datetime):
        return None if value.isoformat(" ") == FOREVER else value.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, Mapping):
        return {str(name): plain(inside) for name, inside in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inside) for inside in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)
    return str(value) if isinstance(value, Decimal | date) else value
