"""Parquet: columns with types of their own; structs are flattened, lists become JSON text, bytes are not read."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import DataError, Fault
from leadlight.sources.locate import Located
from leadlight.sources.part import Cell, Kind, Part, named, quoted

NO_PARQUET = "is not a Parquet file, or is damaged"

_KINDS = {
    "BOOLEAN": Kind.BOOL, "VARCHAR": Kind.STRING, "JSON": Kind.STRING, "UUID": Kind.FIXED, "TIME": Kind.FIXED,
    "TIME WITH TIME ZONE": Kind.FIXED, "INTERVAL": Kind.FIXED, "ENUM": Kind.STRING,
    "TINYINT": Kind.INTEGER, "SMALLINT": Kind.INTEGER, "INTEGER": Kind.INTEGER, "BIGINT": Kind.INTEGER,
    "HUGEINT": Kind.INTEGER, "UTINYINT": Kind.INTEGER, "USMALLINT": Kind.INTEGER, "UINTEGER": Kind.INTEGER,
    "UBIGINT": Kind.INTEGER, "UHUGEINT": Kind.INTEGER, "FLOAT": Kind.NUMBER, "DOUBLE": Kind.NUMBER,
    "DECIMAL": Kind.NUMBER, "DATE": Kind.TIME, "TIMESTAMP": Kind.TIME, "TIMESTAMP_S": Kind.TIME,
    "TIMESTAMP_MS": Kind.TIME, "TIMESTAMP_NS": Kind.TIME, "TIMESTAMP WITH TIME ZONE": Kind.ZONED,
}  # fmt: skip


def open_parquet(engine: DuckDBEngine, located: Located) -> Part:
    """Open a Parquet file. Raises DataError when it is none, or is damaged."""
    relation = f"read_parquet([{quoted(str(located.path))}], file_row_number = true)"
    try:
        found = engine.rows(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {relation}")  # noqa: S608
    except (duckdb.Error, OSError) as error:
        why = f"cannot be opened: {error.strerror}" if isinstance(error, OSError) else NO_PARQUET
        raise DataError([Fault(why, file=located.shown)]) from None
    columns, notes = typed_columns([(str(name), str(kind)) for name, kind, *_ in found], located.shown)
    size = located.path.stat().st_size
    return Part(located.shown, size, columns, relation, "file_row_number + 1", notes=notes)


def typed_columns(found: list[tuple[str, str]], shown: str) -> tuple[dict[str, Cell], tuple[str, ...]]:
    """Turn DuckDB's column types into cells, flattening structs; the notes name the columns that cannot be read."""
    cells: dict[str, Cell] = {}
    notes: list[str] = []
    for name, kind in found:
        for header, type_name, sql in _flat(name, kind, named(name)):
            cell = _cell(type_name, sql)
            if cell is None:
                notes.append(f"{shown}: column {header} holds {type_name.lower()} values: not read")
            else:
                cells[header] = cell
    return cells, tuple(notes)


def _cell(type_name: str, sql: str) -> Cell | None:
    if type_name.endswith("]") or type_name.startswith(("MAP", "STRUCT", "UNION")):
        return Cell(Kind.FIXED, f"CAST(to_json({sql}) AS VARCHAR)")
    base = type_name.split("(")[0].strip('"')
    if base == "NULL":
        return Cell(Kind.ANY, f"CAST({sql} AS VARCHAR)")
    kind = _KINDS.get(base)
    if base in {"ENUM", "JSON", "UUID", "TIME", "INTERVAL", "TIME WITH TIME ZONE"} and kind is not None:
        return Cell(kind, f"CAST({sql} AS VARCHAR)")
    if kind is None:
        return None
    if kind is Kind.TIME:
        return Cell(kind, f"CAST({sql} AS TIMESTAMP)")
    return Cell(kind, f"CAST({sql} AS DOUBLE)" if kind is Kind.NUMBER else sql)


def _flat(header: str, type_name: str, sql: str) -> Iterator[tuple[str, str, str]]:
    """Yield a column, or the fields of a struct as columns `a.b`."""
    if not type_name.startswith("STRUCT(") or type_name.endswith("]"):
        yield header, type_name, sql
        return
    for field, kind in _fields(type_name[len("STRUCT(") : -1]):
        yield from _flat(f"{header}.{field}", kind, f"{sql}.{named(field)}")


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Split `a INTEGER, "b c" STRUCT(x DOUBLE)` into names and types."""
    depth, quoted_now, start = 0, False, 0
    for at, letter in enumerate(f"{text},"):
        if letter == '"':
            quoted_now = not quoted_now
        if not quoted_now:
            depth += (letter in "([") - (letter in ")]")
            if letter == "," and depth == 0:
                yield _field(text[start:at].strip())
                start = at + 1


def _field(text: str) -> tuple[str, str]:
    if not text.startswith('"'):
        name, _, kind = text.partition(" ")
        return name, kind
    end = 1
    while text[end] != '"' or text[end + 1 : end + 2] == '"':
        end += 2 if text[end] == '"' else 1
    return text[1:end].replace('""', '"'), text[end + 1 :].strip()
