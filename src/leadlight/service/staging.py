"""Calls from the inbox into temporary tables of the shape that the store loads: all of it in SQL.

`live_calls` has one row per call; from it come events, the history of traits of whoever a call speaks of, and that of
accounts. JSON is read at a desk, which is the store itself where that is a DuckDB: `live_bodies` there has all that the
calls say. A value takes the type its name has in the store; one that does not fit is left out, as a blank. The type of
a new name is that of its first values: text where they differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.engines.desk import bring
from leadlight.expr.types import Type
from leadlight.service.call import ANONYMOUS, CREATED_AT
from leadlight.service.live_tables import LIVE
from leadlight.store.leads import assign_keys, was_erased
from leadlight.store.names import Kind, known_types
from leadlight.store.sql import Sql, fill, literal, more
from leadlight.store.staged import Staged

MAX_NAMES = 1_000
"""Names of one kind, beyond which calls make no new ones: whoever has a write key could make columns without end."""
ACCOUNT = "$account"
"""Stands among the traits of a person for the account."""

STAGED = ("live_bodies", "live_calls", "live_ids", "live_events", "live_heard", "live_speaking",
          "live_said", "live_said_of_accounts", "live_reowned")  # fmt: skip
"""The temporary tables."""

_SHAPE = {
    "m": "VARCHAR", "t": "TIMESTAMP", "r": "TIMESTAMP", "u": "VARCHAR", "a": "VARCHAR", "e": "VARCHAR", "p": "JSON",
    "i": "JSON", "g": "VARCHAR", "gt": "JSON", "v": "VARCHAR", "ua": "VARCHAR",
    "ip": "VARCHAR", "c": "JSON",
}  # fmt: skip


def stage_calls(engine: Engine, desk: Engine, calls: Sequence[tuple[int, bytes]]) -> list[datetime]:
    """Make `live_calls`: position, the parts of each call, and `_id`, the id of the lead it is of.

    `said` is whether it speaks of a person or an account. Returns when the calls were received.
    """
    positions = pa.array([position for position, _ in calls], pa.int64())
    bodies = pa.array([body for _, body in calls], pa.binary()).cast(pa.string())
    desk.register("_bodies", pa.table({"position": positions, "body": bodies}))
    try:
        desk.execute(
            fill(
                "CREATE TEMP TABLE live_bodies AS SELECT position AS _place, c.*, "
                "coalesce(c.u, {anonymous} || c.a) AS _id "
                "FROM (SELECT position, from_json(body, {shape}) AS c FROM _bodies) ORDER BY position",
                anonymous=literal(ANONYMOUS),
                shape=literal(json.dumps(_SHAPE)),
            )
        )
    finally:
        desk.unregister("_bodies")
    desk.execute(
        "CREATE TEMP TABLE live_calls AS SELECT _place, m, t, u, a, e, g, v, _id, "
        "i IS NOT NULL OR g IS NOT NULL AS said FROM live_bodies ORDER BY _place"
    )
    bring("live_calls", desk, engine)
    number_ids(engine)
    _leave_out_erased(engine)
    return [at for (at,) in desk.rows("SELECT r FROM live_bodies")]


def number_ids(engine: Engine) -> None:
    """See to it that every id of the calls has a number; make `live_ids`, the numbers, and the view `live_named`.

    The store's ids are text and many: they are read through once, and from then on few numbers stand for them. The
    view says whose lead each id is at the moment, as the store's own table does.
    """
    engine.execute(
        "CREATE TEMP TABLE live_ids AS SELECT i.id, i.key FROM ids i WHERE i.id IN (SELECT _id FROM live_calls)"
    )
    last = engine.rows("SELECT coalesce(max(key), 0) FROM ids")[0][0]
    assign_keys(engine, "live_calls", "_id", known="live_ids")
    engine.execute("INSERT INTO live_ids SELECT id, key FROM ids WHERE key > ?", [last])
    engine.execute(
        "CREATE OR REPLACE TEMP VIEW live_named AS "
        "SELECT l.id, l.key, i.lead FROM live_ids l JOIN ids i ON i.key = l.key"
    )


def _leave_out_erased(engine: Engine) -> None:
    """Leave out of `live_calls` those that are of people who were erased, and out of others the ids of such people."""
    if not engine.rows("SELECT 1 FROM erased LIMIT 1"):
        return
    engine.execute("DELETE FROM live_calls WHERE _id NOT IN (SELECT id FROM live_ids)")
    for column, id_ in (("v", Sql("v")), ("a", fill("{device} || a", device=literal(ANONYMOUS)))):
        engine.execute(
            fill("UPDATE live_calls SET {column} = NULL WHERE {column} IS NOT NULL AND {erased}",
                 column=column, erased=was_erased(id_))
        )  # fmt: skip


def drop_calls(engine: Engine) -> None:
    """Forget what was staged."""
    engine.execute("DROP VIEW IF EXISTS live_named")
    for table in STAGED:
        engine.execute(fill("DROP TABLE IF EXISTS {table}", table=table))


# -------------------------------------------------------------------------------------------------------- events


def stage_events(engine: Engine, desk: Engine) -> Staged | None:
    """Make `live_events` of the calls that are events; None where none is."""
    if not desk.rows("SELECT 1 FROM live_bodies WHERE e IS NOT NULL LIMIT 1"):
        return None
    types = _types(engine, desk)
    columns = {"anonymous_id": Type.TEXT, **types}
    shape = literal(json.dumps(dict.fromkeys(types, "JSON")))
    desk.execute(
        fill(
            "CREATE TEMP TABLE live_events AS SELECT _id AS _lead, e AS _type, t AS _at, m AS _message_id, _place, "
            "'' AS _file, CASE WHEN u IS NULL THEN a END AS anonymous_id{values} "
            "FROM (SELECT *, {said} AS said FROM live_bodies WHERE e IS NOT NULL)",
            values=more(*(_typed(fill("said.{name}", name=name), type_, name) for name, type_ in types.items())),
            said=fill("from_json(p, {shape})", shape=shape) if types else Sql("NULL"),
        )
    )
    bring("live_events", desk, engine)
    return Staged(LIVE, "live_events", frozenset({"lead", "type", "at", "message_id"}), columns, "live_named")


# -------------------------------------------------------------------------------------------------------- traits


def keep_traits(engine: Engine, desk: Engine) -> None:
    """Put what the calls say of people and accounts into `live_traits`."""
    each = fill(
        "SELECT id, account, \"at\", message, name, json_extract(said, '$.\"' || name || '\"')::VARCHAR AS value "
        'FROM (SELECT id, account, "at", message, said, unnest(json_keys(said)) AS name FROM ('
        'SELECT _id AS id, NULL::VARCHAR AS account, t AS "at", m AS message, i AS said FROM live_bodies '
        "WHERE i IS NOT NULL AND _id IS NOT NULL UNION ALL "
        "SELECT NULL, g, t, m, gt FROM live_bodies WHERE gt IS NOT NULL AND g IS NOT NULL)) UNION ALL "
        "SELECT _id, NULL, t, m, {account}, to_json(g)::VARCHAR FROM live_bodies WHERE g IS NOT NULL",
        account=literal(ACCOUNT),
    )
    desk.execute(fill("CREATE TEMP TABLE live_heard AS {each}", each=each))
    bring("live_heard", desk, engine)
    engine.execute(
        'INSERT INTO live_traits SELECT i.key, h.account, h."at", h.message, h.name, h.value '
        "FROM live_heard h LEFT JOIN live_ids i ON i.id = h.id WHERE h.id IS NULL OR i.key IS NOT NULL"
    )


def stage_traits(engine: Engine, desk: Engine, features: frozenset[str]) -> Staged | None:
    """Make `live_said`: for everybody whom a call speaks of, all that was said so far, moment by moment.

    What was said on a device is its owner's word; whoever is in `live_reowned` is said anew too.
    Names that features have, or attributes of accounts, cannot be attributes of leads too: they are left out.
    """
    _gather_words(engine)
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE live_speaking AS SELECT t.*, w.owner FROM live_traits t "
        "JOIN live_words w ON w.key = t._key"
    )
    engine.execute("DROP TABLE live_words")
    names = _heard(engine, desk)
    if not names:
        return None
    roles = {"id", "known_at"}
    special: list[Sql] = []
    if CREATED_AT in names:
        roles.add("created_at")
        special.append(_typed(fill("{name}", name=CREATED_AT), Type.TIME, "_created_at"))
    if ACCOUNT in names:
        roles.add("account")
        special.append(_typed(fill("{name}", name=ACCOUNT), Type.TEXT, "_account"))
    taken = features | set(known_types(engine, "account_attribute")) | {CREATED_AT, ACCOUNT}
    types = _types_of(engine, desk, "attribute", [name for name in names if name not in taken])
    _carry_on(desk, "live_said", "_id", names, [*special, *_columns(types)])
    bring("live_said", desk, engine)
    return Staged(LIVE, "live_said", frozenset(roles), types)


def _gather_words(engine: Engine) -> None:
    """Make `live_words`: the keys under which words of those may stand whom the calls speak of, and whose they are."""
    engine.execute(
        fill(
            'CREATE TEMP TABLE live_owning AS SELECT DISTINCT coalesce(o."user", s.id) AS owner FROM ('
            "SELECT _id AS id FROM live_calls WHERE said AND _id IS NOT NULL "
            "UNION SELECT i.id FROM ids i WHERE i.key IN (SELECT key FROM live_reowned)) s "
            "LEFT JOIN live_owners o ON s.id = {anonymous} || o.anonymous",
            anonymous=literal(ANONYMOUS),
        )
    )
    engine.execute(
        fill(
            "CREATE TEMP TABLE live_words AS SELECT i.key, n.owner FROM ids i JOIN ("
            "SELECT g.owner AS id, g.owner FROM live_owning g "
            "LEFT JOIN live_owners d ON g.owner = {anonymous} || d.anonymous WHERE d.anonymous IS NULL UNION "
            'SELECT {anonymous} || o.anonymous, o."user" FROM live_owners o WHERE o."user" IN '
            "(SELECT owner FROM live_owning)) n ON n.id = i.id",
            anonymous=literal(ANONYMOUS),
        )
    )
    engine.execute("DROP TABLE live_owning")


def stage_accounts(engine: Engine, desk: Engine, features: frozenset[str]) -> Staged | None:
    """Make `live_said_of_accounts`, the same for accounts; names of attributes of leads are left out."""
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE live_speaking AS SELECT *, account AS owner FROM live_traits "
        "WHERE account IN (SELECT g FROM live_calls)"
    )
    names = _heard(engine, desk)
    if not names:
        return None
    taken = features | set(known_types(engine, "attribute"))
    types = _types_of(engine, desk, "account_attribute", [name for name in names if name not in taken])
    _carry_on(desk, "live_said_of_accounts", "_account", names, _columns(types))
    bring("live_said_of_accounts", desk, engine)
    return Staged(LIVE, "live_said_of_accounts", frozenset({"account", "known_at"}), types)


def _heard(engine: Engine, desk: Engine) -> list[str]:
    """Bring `live_speaking` to the desk; return the names in it."""
    bring("live_speaking", engine, desk)
    return [str(name) for (name,) in desk.rows("SELECT DISTINCT name FROM live_speaking ORDER BY name")]


def _carry_on(desk: Engine, table: str, owner: str, names: Iterable[str], columns: Sequence[Sql]) -> None:
    """Make the table: at each moment what was said last of every name; of one moment the greater message id wins."""
    said = [fill("arg_max(value, message) FILTER (name = {text}) AS {name}", text=literal(name), name=name)
            for name in names]  # fmt: skip
    last = [fill("last_value({name} IGNORE NULLS) OVER w AS {name}", name=name) for name in names]
    desk.execute(
        fill(
            'CREATE TEMP TABLE {table} AS SELECT owner AS {owner}, "at" AS _known_at, '
            "row_number() OVER (ORDER BY owner, \"at\") AS _place, '' AS _file{columns} "
            'FROM (SELECT owner, "at"{last} FROM (SELECT owner, "at"{said} FROM live_speaking GROUP BY ALL) '
            'WINDOW w AS (PARTITION BY owner ORDER BY "at"))',
            table=table,
            owner=owner,
            columns=more(*columns),
            last=more(*last),
            said=more(*said),
        )
    )


def _columns(types: Mapping[str, Type]) -> list[Sql]:
    return [_typed(fill("{name}", name=name), type_, name) for name, type_ in types.items()]


# --------------------------------------------------------------------------------------------------------- types


def _types(engine: Engine, desk: Engine) -> dict[str, Type]:
    """Return the types of the events' properties: those of the store, else what their values are."""
    said = Sql("SELECT p AS said FROM live_bodies WHERE e IS NOT NULL")
    names = [str(name) for (name,) in desk.rows(
        fill("SELECT DISTINCT unnest(json_keys(said)) FROM ({said}) ORDER BY 1", said=said)
    )]  # fmt: skip
    known = known_types(engine, "property")
    new = [name for name in names if name not in known]
    if new:
        found = desk.rows(
            fill(
                "SELECT name, list_sort(list(DISTINCT json_type(json_extract(said, '$.\"' || name || '\"')))) "
                "FROM (SELECT said, unnest(json_keys(said)) AS name FROM ({said})) "
                "WHERE list_contains(?::VARCHAR[], name) GROUP BY name ORDER BY name",
                said=said,
            ),
            [new],
        )
        known |= _admitted(known, found)
    return {name: known[name] for name in names if name in known}


def _types_of(engine: Engine, desk: Engine, kind: Kind, names: Sequence[str]) -> dict[str, Type]:
    """Return the types of the names in `live_speaking`."""
    known = known_types(engine, kind)
    new = [name for name in names if name not in known]
    if new:
        found = desk.rows(
            "SELECT name, list_sort(list(DISTINCT json_type(value))) FROM live_speaking "
            "WHERE list_contains(?::VARCHAR[], name) GROUP BY name ORDER BY name",
            [new],
        )
        known |= _admitted(known, found)
    return {name: known[name] for name in names if name in known}


def _admitted(known: Mapping[str, Type], found: Iterable[tuple[str, Sequence[str]]]) -> dict[str, Type]:
    """Return the types of new names, as far as there is room for them; one that has no value yet is none yet."""
    new = {name: _type_of(kinds) for name, kinds in found if set(kinds) - {"NULL"}}
    return dict(list(new.items())[: max(MAX_NAMES - len(known), 0)])


def _type_of(kinds: Sequence[str]) -> Type:
    """Return the type of values of these kinds of JSON.

    >>> _type_of(["DOUBLE", "NULL"]), _type_of(["DOUBLE", "VARCHAR"]), _type_of(["BOOLEAN"])
    (<Type.NUMBER: 'number'>, <Type.TEXT: 'text'>, <Type.BOOL: 'bool'>)
    """
    has = set(kinds) - {"NULL"}
    if has == {"BOOLEAN"}:
        return Type.BOOL
    return Type.NUMBER if has and not has & {"BOOLEAN", "VARCHAR"} else Type.TEXT


_TYPED = {
    Type.NUMBER: "CASE WHEN json_type({v}) <> 'BOOLEAN' AND isfinite(TRY_CAST({v} ->> '$' AS DOUBLE)) "
    "THEN TRY_CAST({v} ->> '$' AS DOUBLE) END",
    Type.BOOL: "CASE lower({v} ->> '$') WHEN 'true' THEN true WHEN 'false' THEN false END",
    Type.TIME: "CASE WHEN json_type({v}) = 'VARCHAR' THEN TRY_CAST({v} ->> '$' AS TIMESTAMPTZ)::TIMESTAMP END",
    Type.TEXT: "CASE WHEN json_type({v}) = 'DOUBLE' AND TRY_CAST({v} ->> '$' AS DOUBLE) = "
    "floor(TRY_CAST({v} ->> '$' AS DOUBLE)) AND abs(TRY_CAST({v} ->> '$' AS DOUBLE)) < 1e15 "
    "THEN CAST(CAST({v} ->> '$' AS DOUBLE)::BIGINT AS VARCHAR) ELSE nullif({v} ->> '$', '') END",
}


def _typed(value: Sql, type_: Type, name: str) -> Sql:
    """Return a JSON value as the type its column has; null where it is none of that type."""
    return fill("{value} AS {name}", value=fill(_TYPED[type_], v=fill("({value})::JSON", value=value)), name=name)
