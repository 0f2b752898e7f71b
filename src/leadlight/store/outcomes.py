"""What finally happened to leads."""

from __future__ import annotations

from collections.abc import Mapping

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.store import names
from leadlight.store.keys import Content, drop_repeats, key_of, keyed
from leadlight.store.leads import assign_keys
from leadlight.store.sql import Sql, fill, literal
from leadlight.store.staged import Counts, Staged
from leadlight.store.unscored import note_unscored


def load_outcomes(engine: Engine, rows: Staged, *, name: str, type_: Type) -> Counts:
    """Take the outcomes of a source: every file says what it knows of the leads in it.

    Identical rows of different files are one outcome; of one file, so many outcomes. With a message id (the deal's
    number, say), an outcome of a known id replaces the former one, and a row of such an id without lead or outcome
    takes it back. Without, what a file says about a lead replaces
    what the same file said about that lead before: so a deal that was open and is now won changes, and leads that a
    file no longer mentions keep what they have. `name` and `type_` are the outcome column's; its values are text
    that casts to the type.
    """
    erased = assign_keys(engine, rows.table, "_lead")
    names.record(engine, "outcome", rows.source, {name: type_})
    names.settle_types(engine, "outcome", name)
    _gather(engine, rows)
    _note_unscored(engine, rows)
    removed = _remove_replaced(engine, rows)
    before = _count(engine)
    engine.execute(
        "INSERT INTO outcomes BY NAME SELECT * FROM stated s WHERE NOT EXISTS "
        "(SELECT 1 FROM outcomes o WHERE o._source = s._source AND o._key = s._key)"
    )
    inserted = _count(engine) - before
    stated = int(engine.rows("SELECT count(*) FROM stated")[0][0])
    for table in ("stated", "taken_back"):
        engine.execute(fill("DROP TABLE {table}", table=table))
    new = max(inserted - removed, 0)
    return Counts(new=new, changed=removed, unchanged=stated - inserted, erased=erased)


def outcomes_of_leads(engine: Engine, rows: Staged, *, table: str) -> Staged:
    """Make a temporary table of the outcomes in a source of leads: of each id the last that is not blank."""
    engine.execute(
        fill(
            "CREATE TEMP TABLE {table} AS SELECT _id AS _lead, arg_max(_file, s._place) AS _file, "
            "arg_max(_outcome, s._place) AS _outcome, arg_max({value}, s._place) AS _value, "
            "arg_max({at}, s._place) AS _at, min(s._place) AS _place FROM {source} s WHERE _outcome IS NOT NULL "
            "GROUP BY _id",
            table=table,
            value=rows.role("value", "DOUBLE"),
            at=rows.role("at", "TIMESTAMP"),
            source=rows.table,
        )
    )
    return Staged(source=rows.source, table=table, roles=frozenset({"lead", "outcome", "value", "at"}))


def _gather(engine: Engine, rows: Staged) -> None:
    """Make `stated`: the outcomes that were read, as the store keeps them."""
    outcome = Sql("s._outcome")
    at, value = rows.role("at", "TIMESTAMP"), rows.role("value", "DOUBLE")
    content = Content.of(
        {
            "lead": (Sql("s._lead"), Type.TEXT),
            "at": (at, Type.TIME),
            "outcome": (outcome, Type.TEXT),
            "value": (value, Type.NUMBER),
        }
    )
    usable = Sql("s._lead IS NOT NULL AND s._outcome IS NOT NULL")
    taken = keyed(engine, rows, content, usable)
    engine.execute(
        fill(
            'CREATE TEMP TABLE stated AS SELECT i.lead, {at} AS "at", {outcome} AS outcome, {value} AS value, '
            "{source} AS _source, s._key, s._file::VARCHAR AS _file, i.key AS _said_of "
            "FROM ({taken}) s JOIN ids i ON i.id = s._lead ORDER BY s._place",
            at=at,
            outcome=outcome,
            value=value,
            source=literal(rows.source),
            taken=taken,
        )
    )
    drop_repeats(engine)
    back = Sql("s._message_id IS NOT NULL" if "message_id" in rows.roles else "false")
    engine.execute(
        fill(
            "CREATE TEMP TABLE taken_back AS SELECT {key} AS _key FROM {table} s WHERE {back} AND NOT ({usable})",
            key=key_of(rows, content),
            table=rows.table,
            back=back,
            usable=usable,
        )
    )


def _note_unscored(engine: Engine, rows: Staged) -> None:
    """Note whom the rows are about: also whose outcomes they take back, or give to somebody else."""
    note_unscored(
        engine,
        Sql(
            "SELECT lead FROM stated UNION ALL SELECT o.lead FROM outcomes o WHERE o._source = ? AND o._key IN "
            "(SELECT _key FROM stated UNION ALL SELECT _key FROM taken_back)"
        ),
        [rows.source],
    )


def _remove_replaced(engine: Engine, rows: Staged) -> int:
    """Remove what the rows read replace and do not say themselves."""
    same = (
        "EXISTS (SELECT 1 FROM stated s WHERE s._key = o._key AND s._said_of = o._said_of "
        'AND s."at" IS NOT DISTINCT FROM o."at" AND s.outcome = o.outcome AND s.value IS NOT DISTINCT FROM o.value)'
    )
    scope: Mapping[bool, str] = {
        True: "o._key IN (SELECT _key FROM stated UNION ALL SELECT _key FROM taken_back)",
        False: "EXISTS (SELECT 1 FROM stated s WHERE s._file = o._file AND s._said_of = o._said_of)",
    }
    before = _count(engine)
    engine.execute(
        fill(
            "DELETE FROM outcomes o WHERE o._source = ? AND {scope} AND NOT {same}",
            scope=Sql(scope["message_id" in rows.roles]),
            same=Sql(same),
        ),
        [rows.source],
    )
    return before - _count(engine)


def _count(engine: Engine) -> int:
    return int(engine.rows("SELECT count(*) FROM outcomes")[0][0])
