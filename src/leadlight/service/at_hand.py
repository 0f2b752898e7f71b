"""The events of leads that were scored lately, kept at hand: whoever does one thing soon does the next.

To find the events of some leads in the store is to read through the numbers of all leads there. So what was found stays
in a temporary table, and what is appended to the store since is added to it: scoring somebody again reads what is new.

It is never a second truth. Whose events change otherwise than by new ones is `touched`, and let go; where the store's
rows are laid out anew, the last row that was read is not in its place any more, and all is let go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leadlight.engines.base import Engine
from leadlight.expr import build
from leadlight.store.sql import Sql, fill

SMALL = 2_000_000
"""A store of so many events is read through in less time than it takes to look after what is at hand."""
LIMIT = 3_000_000
"""Events that are kept at most; where there are more, it is begun anew."""
EVENTS = "live_at_hand"
LEADS = "live_leads_at_hand"
"""The temporary tables: the events, and whose all are there."""
STATE = "live_hand"
"""That of one row: up to which row of the store's events all was looked at, that row's key, and what is kept."""


def gather_events(
    engine: Engine, to: str, columns: Sequence[str], *, of: str, types: Iterable[str] | None = None
) -> None:
    """Make the temporary table `to`: these columns of the events of the leads in table `of`.

    `types` are the only ones that are wanted. Columns have `lead` among them.
    """
    select = fill('SELECT {columns} FROM events WHERE "lead" IN (SELECT lead FROM ', columns=columns)
    wanted = Sql("") if types is None else _of_types(types)
    if int(engine.rows("SELECT count(*) FROM events")[0][0]) <= SMALL:
        _make(engine, to, fill("{select}{of}){wanted}", select=select, of=of, wanted=wanted))
        return
    kinds = engine.columns("events")
    shape = repr([[(name, kinds[name]) for name in columns], types if types is None else sorted(types)])
    if (upto := _upto(engine, shape)) is None:
        _begin(engine, columns, shape)
    else:
        _add_new(engine, select, wanted, upto)
    _fetch_missing(engine, select, wanted, of)
    _make(engine, to, fill("SELECT * FROM {events} WHERE lead IN (SELECT lead FROM {of})", events=EVENTS, of=of))
    if engine.rows(fill("SELECT count(*) FROM {events}", events=EVENTS))[0][0] > LIMIT:
        set_down(engine)


def let_go(engine: Engine) -> None:
    """Keep nothing of leads in `touched`; call it in the transaction that changes them."""
    if not _state(engine) or not engine.rows("SELECT 1 FROM touched LIMIT 1"):
        return
    for table in (EVENTS, LEADS):
        engine.execute(fill("DELETE FROM {table} WHERE lead IN (SELECT lead FROM touched)", table=table))


def set_down(engine: Engine) -> None:
    """Keep nothing: anything may have changed."""
    if _state(engine):
        engine.execute(fill("DELETE FROM {state}", state=STATE))
        for table in (EVENTS, LEADS):
            engine.execute(fill("DROP TABLE IF EXISTS {table}", table=table))


# -------------------------------------------------------------------------------------------------------- inside


def _make(engine: Engine, table: str, query: Sql) -> None:
    engine.execute(fill("CREATE OR REPLACE TEMP TABLE {table} AS {query}", table=table, query=query))


def _of_types(types: Iterable[str]) -> Sql:
    return Sql(f" AND {build.to_text(build.one_of(build.col('type'), sorted(types)), 'duckdb')}")


def _state(engine: Engine) -> list[tuple[int, int, str]]:
    if not engine.capabilities.one_file:
        return []
    engine.execute(
        fill("CREATE TEMP TABLE IF NOT EXISTS {state} (upto BIGINT, key UHUGEINT, shape VARCHAR)", state=STATE)
    )
    found = engine.rows(fill("SELECT upto, key, shape FROM {state}", state=STATE))
    return [(int(upto), int(key), str(shape)) for upto, key, shape in found]


def _upto(engine: Engine, shape: str) -> int | None:
    """Return up to which row all is at hand; None where nothing is, or the rows lie otherwise now."""
    for upto, key, kept in _state(engine):
        if kept == shape and engine.rows("SELECT _key FROM events WHERE rowid = ?", [upto]) == [(key,)]:
            return upto
    return None


def _begin(engine: Engine, columns: Sequence[str], shape: str) -> None:
    engine.execute(fill("CREATE OR REPLACE TEMP TABLE {leads} (lead INTEGER)", leads=LEADS))
    engine.execute(
        fill(
            "CREATE OR REPLACE TEMP TABLE {events} AS SELECT {columns} FROM events LIMIT 0",
            events=EVENTS,
            columns=columns,
        )
    )
    engine.execute(fill("DELETE FROM {state}", state=STATE))
    engine.execute(
        fill("INSERT INTO {state} SELECT rowid, _key, ? FROM events ORDER BY rowid DESC LIMIT 1", state=STATE), [shape]
    )


def _add_new(engine: Engine, select: Sql, wanted: Sql, upto: int) -> None:
    """Add what was appended since to what is kept of its leads."""
    engine.execute(
        fill(
            "INSERT INTO {events} {select}{leads}) AND rowid > ?{wanted}",
            events=EVENTS, select=select, leads=LEADS, wanted=wanted,
        ),
        [upto],
    )  # fmt: skip
    last = engine.rows("SELECT rowid, _key FROM events WHERE rowid >= ? ORDER BY rowid DESC LIMIT 1", [upto])[0]
    engine.execute(fill("UPDATE {state} SET upto = ?, key = ?", state=STATE), last)


def _fetch_missing(engine: Engine, select: Sql, wanted: Sql, of: str) -> None:
    """Read through the store for whoever's events are not at hand yet."""
    engine.execute(
        fill(
            "CREATE OR REPLACE TEMP TABLE live_missing AS SELECT lead FROM {of} WHERE lead NOT IN "
            "(SELECT lead FROM {leads})",
            of=of,
            leads=LEADS,
        )
    )
    if engine.rows("SELECT 1 FROM live_missing LIMIT 1"):
        engine.execute(
            fill("INSERT INTO {events} {select}live_missing){wanted}", events=EVENTS, select=select, wanted=wanted)
        )
        engine.execute(fill("INSERT INTO {leads} FROM live_missing", leads=LEADS))
