"""What makes two rows of events, or of outcomes, the same: a 128-bit key made of what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.store.sql import Sql, fill, joined, literal
from leadlight.store.staged import Staged


@dataclass(frozen=True, slots=True)
class Content:
    """What a row says: pieces of text for its key, and the plain columns, whose quick hash finds what may repeat."""

    pieces: tuple[Sql, ...]
    columns: tuple[Sql, ...]

    @classmethod
    def of(cls, values: Mapping[str, tuple[Sql, Type]]) -> Content:
        """Make it of name → (expression, type)."""
        pieces = tuple(said(name, value, type_) for name, (value, type_) in values.items())
        return cls(pieces=pieces, columns=tuple(value for value, _ in values.values()))


def key_of(rows: Staged, content: Content) -> Sql:
    """Return the key of a staged row: of its message id where it has one, else of its content."""
    whole = fill("md5_number(concat_ws('|', {pieces}))", pieces=joined(content.pieces))
    if "message_id" not in rows.roles:
        return whole
    return fill("coalesce(md5_number({message}), {whole})", message=said("m", Sql("s._message_id")), whole=whole)


def mark_of(rows: Staged, content: Content) -> Sql:
    """Return a hash that is the same wherever the key is, and takes a tenth of its time."""
    whole = fill("hash({columns})", columns=joined(content.columns))
    if "message_id" not in rows.roles:
        return whole
    return fill("CASE WHEN s._message_id IS NULL THEN {whole} ELSE hash(s._message_id) END", whole=whole)


def said(name: str, value: Sql, type_: Type = Type.TEXT) -> Sql:
    """Return a piece of content: a name and a value, or null for no value (which adds nothing to the key).

    A text carries its length, so that no text can pass for two values. A missing value counts like a missing column:
    a source that gets a new column does not make its old rows new.
    """
    if type_ is Type.TEXT:
        return fill("{name} || strlen({value}) || ':' || {value}", name=literal(f"{name}="), value=value)
    if type_ is Type.TIME:
        value = fill("epoch_us({value})", value=value)
    return fill("{name} || {value}::VARCHAR", name=literal(f"{name}="), value=value)


def gather_repeats(engine: Engine, rows: Staged, content: Content, usable: Sql) -> bool:
    """Make `repeated` (marks that occur more than once); return whether any does.

    Then `kept` is made too: which of those rows stay, and under which key.

    Rows of one file with the same content are so many different events, numbered; in another file the same numbers
    are the same events again. Rows with the same message id are one.
    """
    parts = {"mark": mark_of(rows, content), "table": rows.table, "usable": usable}
    engine.execute(
        fill(
            "CREATE TEMP TABLE repeated AS SELECT mark FROM (SELECT {mark} AS mark FROM {table} s WHERE {usable}) "
            "GROUP BY mark HAVING count(*) > 1",
            **parts,
        )
    )
    if not engine.rows("SELECT 1 FROM repeated LIMIT 1"):
        return False
    # hex, not ::VARCHAR: DuckDB takes a quarter of a millisecond to write one UHUGEINT as decimal digits.
    engine.execute(
        fill(
            "CREATE TEMP TABLE kept AS WITH found AS (SELECT s._place AS place, s._file, {key} AS key, "
            "{has_message} AS has_message FROM {table} s WHERE {usable} AND {mark} IN (SELECT mark FROM repeated)), "
            "numbered AS (SELECT *, row_number() OVER (PARTITION BY _file, key ORDER BY place) AS n FROM found), "
            "renamed AS (SELECT place, CASE WHEN has_message OR n = 1 THEN key "
            "ELSE md5_number(hex(key) || '#' || n) END AS key FROM numbered) "
            "SELECT * FROM renamed QUALIFY row_number() OVER (PARTITION BY key ORDER BY place) = 1",
            key=key_of(rows, content),
            has_message=Sql("s._message_id IS NOT NULL" if "message_id" in rows.roles else "false"),
            **parts,
        )
    )
    return True


def keyed(engine: Engine, rows: Staged, content: Content, usable: Sql) -> Sql:
    """Return the query of the staged rows to take, `s.*` with `_key`, each key once."""
    repeated = gather_repeats(engine, rows, content, usable)
    parts = {"key": key_of(rows, content), "mark": mark_of(rows, content), "table": rows.table, "usable": usable}
    if not repeated:
        return fill("SELECT s.*, {key} AS _key FROM {table} s WHERE {usable}", **parts)
    return fill(
        "SELECT s.*, {key} AS _key FROM {table} s "
        "WHERE {usable} AND {mark} NOT IN (SELECT mark FROM repeated) "
        "UNION ALL SELECT s.*, k.key AS _key FROM {table} s JOIN kept k ON k.place = s._place",
        **parts,
    )


def drop_repeats(engine: Engine) -> None:
    """Forget the tables that `keyed` made."""
    engine.execute("DROP TABLE repeated")
    engine.execute("DROP TABLE IF EXISTS kept")
