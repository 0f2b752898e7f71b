"""What happened: appended once each, and kept in an order that is good to read."""

from __future__ import annotations

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.store import names
from leadlight.store.history import add_column
from leadlight.store.keys import Content, drop_repeats, keyed
from leadlight.store.known_keys import KnownKeys, hashes_of
from leadlight.store.leads import assign_keys
from leadlight.store.sizes import note_sizes
from leadlight.store.sql import Sql, each, fill, joined, literal
from leadlight.store.staged import Counts, Staged

LARGEST_TAIL = 0.2
"""The share of events that may lie behind the ordered ones before all are put in order again."""

ORDER = Sql('lead // 4096, type, lead, "at"')
"""Leads in blocks that fill about a row group, and inside one by type: a reader of one lead skips all other blocks, and
a pass over all events meets long runs of one type, which halves the work of its conditions."""

IDS = "ids"
"""The table that tells the numbers of ids; where rows bring another one, theirs have numbers already."""

NOT_NULL = ("lead", "type", "at", "_source", "_key")


def load_events(
    engine: Engine, rows: Staged, event: str | None, *, known: KnownKeys | None = None, counting: bool = True
) -> Counts:
    """Append the events that the store does not have from this source; `event` is the type where no column says it.

    Those that were taken out of it are known, too. What makes two events the same is said in `keys`. Appended events
    lie in order among themselves; `settle_events` puts all in order. Where `known` has the keys of all events of the
    source, those of the rows are only looked for in the store where it may have one; it is told of the new ones.
    Without `counting` nothing is counted, and the rows are taken for few among many: PostgreSQL would read all of a
    table to do so.
    """
    erased = assign_keys(engine, rows.table, "_lead") if rows.ids == IDS else 0
    _add_properties(engine, rows)
    names.record(engine, "property", rows.source, rows.columns)
    type_ = Sql(literal(event)) if event is not None else Sql("s._type")
    _add_types(engine, rows, type_)
    usable = fill("s._lead IS NOT NULL AND s._at IS NOT NULL AND {type} IS NOT NULL", type=type_)
    before = _count(engine) if counting else 0
    taken = keyed(engine, rows, _content(rows, type_), usable)
    if known is None and counting:
        _append(engine, rows, taken, type_, anew=True)
    else:
        _append_few(engine, rows, taken, type_, known)
    drop_repeats(engine)
    if not counting:
        return Counts()
    new = _count(engine) - before
    if not before:
        _note_order(engine, new)
    all_rows, good = engine.rows(
        fill("SELECT count(*), count(*) FILTER (WHERE {usable}) FROM {table} s", usable=usable, table=rows.table)
    )[0]
    return Counts(new=new, unchanged=good - erased - new, erased=erased, unusable=all_rows - good)


def _content(rows: Staged, type_: Sql) -> Content:
    """Return what an event says: who, what, when, and each property by its name."""
    head = {"lead": (Sql("s._lead"), Type.TEXT), "type": (type_, Type.TEXT), "at": (Sql("s._at"), Type.TIME)}
    properties = {name: (fill("s.{name}", name=name), rows.columns[name]) for name in sorted(rows.columns)}
    return Content.of(head | properties)


def _count(engine: Engine) -> int:
    return int(engine.rows("SELECT count(*) FROM events")[0][0])


def _add_properties(engine: Engine, rows: Staged) -> None:
    present = {name.lower() for name in engine.columns("events")}
    for name, type_ in rows.columns.items():
        if name.lower() not in present:
            engine.execute(add_column(engine, "events", name, type_))


def _add_types(engine: Engine, rows: Staged, type_: Sql) -> None:
    """Let the enum of types have those of these rows, behind those it has; without enums, note them."""
    labels = _types(engine)
    found = engine.rows(
        fill(
            "SELECT DISTINCT {type} AS type FROM {table} s WHERE {type} IS NOT NULL ORDER BY 1",
            type=type_,
            table=rows.table,
        )
    )
    if not engine.capabilities.enums:
        names.record(engine, "event", rows.source, {str(label): Type.TEXT for (label,) in found})
        return
    new = [label for (label,) in found if label not in set(labels)]
    if new:
        enum = joined(literal(label) for label in labels + new)
        engine.execute(fill("ALTER TABLE events ALTER type SET DATA TYPE ENUM({labels})", labels=enum))


def _types(engine: Engine) -> list[str]:
    """Return the labels of the enum, in its order; none where the column is no enum yet."""
    kind = engine.columns("events")["type"]
    if not kind.startswith("ENUM"):
        return []
    return [str(label) for (label,) in engine.rows(fill("SELECT unnest(enum_range(NULL::{kind}))", kind=Sql(kind)))]


def _append_few(engine: Engine, rows: Staged, taken: Sql, type_: Sql, known: KnownKeys | None) -> None:
    """Append the rows to take; the store's keys are read only where one of the rows' may be among them."""
    engine.execute(fill("CREATE TEMP TABLE taken AS {taken}", taken=taken))
    note_sizes(engine, "taken")
    anew = True
    if known is not None:
        hashes = hashes_of(engine, "SELECT _key FROM taken")
        anew = known.may_have(hashes)
        known.add(hashes)
    _append(engine, rows, Sql("SELECT * FROM taken"), type_, anew=anew)
    engine.execute("DROP TABLE taken")


def _append(engine: Engine, rows: Staged, taken: Sql, type_: Sql, *, anew: bool) -> None:
    """Append the rows to take; `anew` leaves out those that are in the store, or were."""
    # Each table by itself: where the rows are few, PostgreSQL looks them up in its indexes, and reads none through.
    tables = ("events", "set_aside", "taken_out")
    kept = [fill("SELECT _key FROM {table} WHERE _source = ?", table=table) for table in tables]
    looked_in = [one for one in kept if anew and engine.rows(f"{one} LIMIT 1", [rows.source])]
    unknown = "".join(f" ANTI JOIN ({one}) e{n} ON e{n}._key = s._key" for n, one in enumerate(looked_in))
    parameters = [rows.source] * (1 + len(looked_in))
    # The cast comes before the sort: an enum sorts faster than its text.
    engine.execute(
        fill(
            'INSERT INTO events BY NAME SELECT i.lead, {type}::{enum} AS type, s._at AS "at"{values}, ? AS _source, '
            "s._key, i.key AS _said_of "
            "FROM ({taken}) s JOIN {ids} i ON i.id = s._lead {unknown} ORDER BY {order}, s._place",
            ids=rows.ids,
            type=type_,
            enum=Sql(engine.columns("events")["type"]),
            values=Sql("".join(each(", s.{name}", [name]) for name in rows.columns)),
            taken=taken,
            unknown=Sql(unknown),
            order=ORDER,
        ),
        parameters,
    )


def settle_events(engine: Engine, *, tail: float = LARGEST_TAIL) -> bool:
    """Put all events in order when too many lie behind the ordered ones; return whether that was needed.

    `tail` is the share of all events that may lie there.
    """
    if not engine.capabilities.one_file:
        return False
    count = _count(engine)
    in_order = engine.rows("SELECT coalesce(max(in_order), 0) FROM layout WHERE name = 'events'")[0][0]
    if count - in_order <= tail * count:
        return False
    engine.execute(fill("CREATE TABLE ordered AS SELECT * FROM events ORDER BY {order}", order=ORDER))
    engine.execute("DROP TABLE events")
    engine.execute("ALTER TABLE ordered RENAME TO events")
    for name in NOT_NULL:
        engine.execute(fill("ALTER TABLE events ALTER {name} SET NOT NULL", name=name))
    _note_order(engine, count)
    return True


def _note_order(engine: Engine, count: int) -> None:
    engine.execute("DELETE FROM layout WHERE name = 'events'")
    engine.execute("INSERT INTO layout VALUES ('events', ?)", [count])
