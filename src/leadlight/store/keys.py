"""What makes two rows of events, or of outcomes, the same: a 128-bit key made of what they say."""

from __future__ import annotations

from collections.abc import Iterable

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.store.sql import Sql, fill, joined, literal
from leadlight.store.staged import Staged


def key_of(rows: Staged, content: Iterable[Sql]) -> Sql:
    """Return the key of a staged row: of its message id where it has one, else of its content."""
    whole = fill("md5_number(concat_ws('|', {content}))", content=joined(content))
    if "message_id" not in rows.roles:
        return whole
    return fill("coalesce(md5_number({message}), {whole})", message=said("m", Sql("s._message_id")), whole=whole)


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


def gather_repeats(engine: Engine, rows: Staged, key: Sql, usable: Sql) -> None:
    """Make `repeated` (keys that occur more than once) and `kept` (which of those rows stay, and under which key).

    Rows of one file with the same content are so many different events, numbered; in another file the same numbers
    are the same events again. Rows with the same message id are one.
    """
    # hex, not ::VARCHAR: DuckDB takes a quarter of a millisecond to write one UHUGEINT as decimal digits.
    engine.execute(
        fill(
            "CREATE TEMP TABLE repeated AS SELECT key FROM (SELECT {key} AS key FROM {table} s WHERE {usable}) "
            "GROUP BY key HAVING count(*) > 1",
            key=key,
            table=rows.table,
            usable=usable,
        )
    )
    has_message = Sql("s._message_id IS NOT NULL" if "message_id" in rows.roles else "false")
    engine.execute(
        fill(
            "CREATE TEMP TABLE kept AS WITH found AS (SELECT s._place AS place, s._file, {key} AS key, "
            "{has_message} AS has_message FROM {table} s WHERE {usable}), numbered AS (SELECT *, row_number() OVER "
            "(PARTITION BY _file, key ORDER BY place) AS n FROM found SEMI JOIN repeated USING (key)), "
            "renamed AS (SELECT place, CASE WHEN has_message OR n = 1 THEN key "
            "ELSE md5_number(hex(key) || '#' || n) END AS key FROM numbered) "
            "SELECT * FROM renamed QUALIFY row_number() OVER (PARTITION BY key ORDER BY place) = 1",
            key=key,
            has_message=has_message,
            table=rows.table,
            usable=usable,
        )
    )


def keyed(engine: Engine, rows: Staged, key: Sql, usable: Sql) -> Sql:
    """Return the query of the staged rows to take, `s.*` with `_key`, each key once."""
    gather_repeats(engine, rows, key, usable)
    parts = {"key": key, "table": rows.table, "usable": usable}
    if not engine.rows("SELECT count(*) FROM repeated")[0][0]:
        return fill("SELECT s.*, {key} AS _key FROM {table} s WHERE {usable}", **parts)
    return fill(
        "SELECT s.*, {key} AS _key FROM {table} s "
        "WHERE {usable} AND {key} NOT IN (SELECT key FROM repeated) "
        "UNION ALL SELECT s.*, k.key AS _key FROM {table} s JOIN kept k ON k.place = s._place",
        **parts,
    )


def drop_repeats(engine: Engine) -> None:
    """Forget the tables that `keyed` made."""
    engine.execute("DROP TABLE repeated")
    engine.execute("DROP TABLE kept")
