"""Rows that come as Python values (Excel, SQLite, PostgreSQL): into a table of texts, noting what kinds they are."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from uuid import UUID

import pyarrow as pa

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.sources.form import MAX_EXACT
from leadlight.sources.part import Cell, Kind, named

BATCH = 20_000

Value = object


@dataclass(slots=True)
class Loaded:
    """A table of texts `c0 … cn` with `_line`, and which kinds of values each column had."""

    table: str
    kinds: list[set[Kind]]
    rows: int = 0
    _wrote: bool = field(default=False, repr=False)

    def cell(self, index: int) -> Cell:
        """Return the column as what all of its values are."""
        kinds, sql = self.kinds[index], f"c{index}"
        if kinds <= {Kind.INTEGER, Kind.NUMBER} and kinds:
            return Cell(Kind.NUMBER, f"CAST({sql} AS DOUBLE)")
        if kinds == {Kind.BOOL}:
            return Cell(Kind.BOOL, f"CAST({sql} AS BOOLEAN)")
        if kinds == {Kind.TIME}:
            return Cell(Kind.TIME, f"CAST({sql} AS TIMESTAMP)")
        if kinds == {Kind.ZONED}:
            return Cell(Kind.ZONED, f"CAST({sql} || '+00' AS TIMESTAMPTZ)")
        if kinds and kinds <= {Kind.FIXED}:
            return Cell(Kind.FIXED, sql)
        return Cell(Kind.STRING if kinds <= {Kind.STRING} and kinds else Kind.ANY, sql)


def load_rows(
    engine: DuckDBEngine, table: str, width: int, rows: Iterable[Sequence[Value]], *, first_line: int = 1
) -> Loaded:
    """Write rows into a new temporary table, batch by batch; wholly empty rows are left out but counted as lines."""
    columns = ", ".join(f"c{index} VARCHAR" for index in range(width))
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {named(table)} ({columns}, _line BIGINT)")
    loaded = Loaded(table, [set() for _ in range(width)])
    numbered = enumerate(rows, start=first_line)
    for batch in iter(lambda: list(islice(numbered, BATCH)), []):
        _write(engine, loaded, width, batch)
    return loaded


def _write(engine: DuckDBEngine, loaded: Loaded, width: int, batch: list[tuple[int, Sequence[Value]]]) -> None:
    kept = [(line, row) for line, row in batch if any(value is not None and value != "" for value in row)]
    texts = [list(_texts(loaded.kinds[index], [row[index] for _, row in kept])) for index in range(width)]
    arrays = [pa.array(column, pa.string()) for column in texts] + [pa.array([line for line, _ in kept], pa.int64())]
    batch_table = pa.table(arrays, names=[*(f"c{index}" for index in range(width)), "_line"])
    name = f"{loaded.table}_batch"
    engine.register(name, batch_table)
    try:
        engine.execute(f"INSERT INTO {named(loaded.table)} SELECT * FROM {named(name)}")  # noqa: S608
    finally:
        engine.unregister(name)
    loaded.rows += len(kept)


def _texts(kinds: set[Kind], values: Iterable[Value]) -> Iterator[str | None]:
    for value in values:
        if value is None or value == "":
            yield None
            continue
        kind, text = as_text(value)
        kinds.add(kind)
        yield text


def as_text(value: Value) -> tuple[Kind, str | None]:
    """Write a value as text that reads back exactly, and say what kind it is.

    >>> as_text(3.0), as_text(datetime(2026, 1, 31, 10, 15))
    ((<Kind.NUMBER: 'number'>, '3'), (<Kind.TIME: 'time'>, '2026-01-31T10:15:00'))
    """
    if isinstance(value, str):
        return Kind.STRING, value.replace("\x00", "")
    if isinstance(value, bool):
        return Kind.BOOL, "true" if value else "false"
    if isinstance(value, int):
        return (Kind.INTEGER if abs(value) <= MAX_EXACT else Kind.FIXED), str(value)
    if isinstance(value, float | Decimal):
        return Kind.NUMBER, _number(value)
    return _other(value)


def _number(value: float | Decimal) -> str | None:
    """Write a number; whole ones without a point, as an id of Excel is 7 and not 7.0."""
    if math.isnan(value):
        return None
    if math.isinf(value):
        return str(value)
    whole = int(value)
    return str(whole) if value == whole and abs(whole) <= MAX_EXACT else str(value)


def _other(value: Value) -> tuple[Kind, str | None]:
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return Kind.ZONED, value.astimezone(UTC).replace(tzinfo=None).isoformat()
        return Kind.TIME, value.isoformat()
    if isinstance(value, date):
        return Kind.TIME, value.isoformat()
    if isinstance(value, time | timedelta | UUID):
        return Kind.FIXED, str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return Kind.FIXED, bytes(value).hex()
    return Kind.FIXED, json.dumps(value, default=str, ensure_ascii=False)
