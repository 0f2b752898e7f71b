"""What sources said, and the periods of values made of it: the same for leads and for accounts.

An *observation* is a row that a speaker gave at a moment. A speaker is a source together with the id it speaks of (a
merged lead has several ids). What a speaker says lasts until the same speaker says something else: a later blank takes
back the speaker's own value. Of several speakers the one whose value is the newest wins, value by value; a speaker who
says nothing, or repeats what it has said, takes nothing from another. At the same moment the greater (source, id) wins.
So the periods follow from the observations alone, in whatever order they came in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.expr.types import Type
from leadlight.store.schema import BEGINNING, FOREVER
from leadlight.store.sql import Sql, each, fill, joined


@dataclass(frozen=True, slots=True)
class History:
    """The two tables of a kind of history, and what tells whose it is."""

    observations: str
    periods: str
    owner: str
    """The column that says whose value it is."""
    speaker: str
    """The column that, with the source, says who speaks."""
    fixed: tuple[str, ...]
    """Columns of the observations that are no values."""
    moment: Sql
    """Since when an observation `o` holds."""
    context: Sql
    """What `moment` needs besides the observations."""
    identity: Sql
    """A text that orders the speakers `o` of one source."""
    staged: Sql
    """Whose a staged row `s` is (`p` is the observation before it)."""
    touched: str
    """The temporary table with the owners whose periods are to be made again."""


LEADS = History(
    observations="observations",
    periods="attributes",
    owner="lead",
    speaker="_key",
    fixed=("lead", "_source", "_key", "known_at", "_created_at", "_read_at"),
    moment=Sql("coalesce(o.known_at, o._created_at, l.created_at)"),
    context=Sql("JOIN leads l ON l.lead = o.lead JOIN ids i ON i.key = o._key"),
    identity=Sql("i.id"),
    staged=Sql("s.lead, s._key, coalesce(s.created_at, p._created_at) AS _created_at"),
    touched="touched",
)

ACCOUNTS = History(
    observations="account_observations",
    periods="account_attributes",
    owner="account",
    speaker="account",
    fixed=("account", "_source", "known_at", "_read_at"),
    moment=Sql(f"coalesce(o.known_at, TIMESTAMP '{BEGINNING}')"),
    context=Sql(""),
    identity=Sql("''"),
    staged=Sql("s.account"),
    touched="touched_accounts",
)


def value_columns(engine: Engine, history: History) -> list[str]:
    """Return the columns of the observations that hold values."""
    return [name for name in engine.columns(history.observations) if name not in history.fixed]


def add_columns(engine: Engine, history: History, columns: dict[str, Type]) -> None:
    """Give the tables the columns they lack; those they have stay as they are."""
    present = {name.lower() for name in engine.columns(history.observations)}
    for name, kind in columns.items():
        if name.lower() not in present:
            for table in (history.observations, history.periods):
                engine.execute(add_column(engine, table, name, kind))


def add_column(engine: Engine, table: str, name: str, kind: Type) -> Sql:
    """Return the statement that adds a column to a table."""
    sql_type = Sql(engine.capabilities.types[kind])
    return fill("ALTER TABLE {table} ADD COLUMN {name} {type}", table=table, name=name, type=sql_type)


# ---------------------------------------------------------------------------------------------------- observing


def observe(
    engine: Engine, history: History, source: str, values: Iterable[str], now: datetime, *, versioned: bool
) -> tuple[int, int, int]:
    """Take the rows of the temporary table `staged` into the observations: (new, changed, unchanged).

    `staged` has one row per speaker and known_at, and `values`. `versioned` rows bring their known_at: the row of that
    moment is new or put right. Other rows are the present state: the first is known since the start (known_at null),
    one that differs from what the speaker said last is known since `now`. Whoever is concerned is added to `touched`.
    """
    names = list(values)
    _gather_prior(engine, history, source, versioned=versioned)
    _gather_changed(engine, history, names)
    _move_dates(engine, history, source)
    _touch(engine, history)
    counts = _counts(engine)
    _replace(engine, history, source, names, now, versioned=versioned)
    for table in ("prior", "differing"):
        engine.execute(fill("DROP TABLE {table}", table=table))
    return counts


def _gather_prior(engine: Engine, history: History, source: str, *, versioned: bool) -> None:
    """Make `prior`: the observation that each staged row is held against."""
    last = fill(
        "QUALIFY row_number() OVER (PARTITION BY {speaker} ORDER BY known_at DESC NULLS LAST) = 1",
        speaker=history.speaker,
    )
    engine.execute(
        fill(
            "CREATE TEMP TABLE prior AS SELECT * FROM {observations} WHERE _source = ? {last}",
            observations=history.observations,
            last=Sql("") if versioned else last,
        ),
        [source],
    )
    match = Sql(" AND p.known_at IS NOT DISTINCT FROM s.known_at" if versioned else "")
    engine.execute(
        fill(
            "CREATE TEMP VIEW compared AS SELECT s.{speaker} AS speaker, s.rowid AS row, p.{speaker} AS before, "
            "p.known_at AS prior_at, p.rowid AS prior_row "
            "FROM staged s LEFT JOIN prior p ON p.{speaker} = s.{speaker}{match}",
            speaker=history.speaker,
            match=match,
        )
    )


def _gather_changed(engine: Engine, history: History, names: list[str]) -> None:
    """Make `differing`: the staged rows that say something new."""
    differs = each("s.{name} IS DISTINCT FROM p.{name}", names, " OR ") if names else Sql("false")
    engine.execute(
        fill(
            "CREATE TEMP TABLE differing AS SELECT c.row, c.prior_row, c.prior_at, c.before IS NULL AS is_new "
            "FROM compared c JOIN staged s ON s.rowid = c.row LEFT JOIN prior p ON p.rowid = c.prior_row "
            "WHERE c.before IS NULL OR {differs}",
            differs=differs,
        )
    )
    engine.execute("DROP VIEW compared")


def _move_dates(engine: Engine, history: History, source: str) -> None:
    """Put right the created_at that a source gives for an id, where it now gives another."""
    if "_created_at" not in history.fixed:
        return
    moved = (
        "FROM (SELECT _key, min(created_at) AS created_at FROM staged GROUP BY _key) s "
        "WHERE observations._source = ? AND observations._key = s._key AND s.created_at IS NOT NULL "
        "AND observations._created_at IS DISTINCT FROM s.created_at"
    )
    engine.execute(fill("INSERT INTO touched SELECT DISTINCT lead FROM observations, {moved}", moved=Sql(moved[5:])), [source])
    engine.execute(fill("UPDATE observations SET _created_at = s.created_at {moved}", moved=Sql(moved)), [source])


def _touch(engine: Engine, history: History) -> None:
    engine.execute(
        fill(
            "INSERT INTO {touched} SELECT DISTINCT s.{owner} FROM staged s JOIN differing d ON d.row = s.rowid",
            touched=history.touched,
            owner=history.owner,
        )
    )


def _counts(engine: Engine) -> tuple[int, int, int]:
    new, changed, all_rows = engine.rows(
        "SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new), "
        "(SELECT count(*) FROM staged) FROM differing"
    )[0]
    return int(new), int(changed), int(all_rows) - int(new) - int(changed)


def _replace(
    engine: Engine, history: History, source: str, names: list[str], now: datetime, *, versioned: bool
) -> None:
    """Write the differing rows; values that the reading has no column for stay what they were."""
    known_at = Sql(
        "s.known_at" if versioned else "CASE WHEN d.is_new THEN NULL ELSE greatest(p.known_at, d.now) END"
    )
    kept = [name for name in value_columns(engine, history) if name not in names]
    engine.execute(
        fill(
            "CREATE TEMP TABLE replacing AS SELECT {identity}, {known_at} AS known_at{values} "
            "FROM (SELECT *, ?::TIMESTAMP AS now FROM differing) d JOIN staged s ON s.rowid = d.row "
            "LEFT JOIN prior p ON p.rowid = d.prior_row ORDER BY d.row",
            identity=history.staged,
            known_at=known_at,
            values=Sql(_after_comma(each("s.{name}", names)) + _after_comma(each("p.{name}", kept))),
        ),
        [now],
    )
    engine.execute(
        fill(
            "DELETE FROM {observations} o USING replacing r WHERE o._source = ? AND o.{speaker} = r.{speaker} "
            "AND o.known_at IS NOT DISTINCT FROM r.known_at",
            observations=history.observations,
            speaker=history.speaker,
        ),
        [source],
    )
    engine.execute(
        fill(
            "INSERT INTO {observations} BY NAME SELECT *, ? AS _source, ?::TIMESTAMP AS _read_at FROM replacing",
            observations=history.observations,
        ),
        [source, now],
    )
    engine.execute("DROP TABLE replacing")


def _after_comma(piece: str) -> str:
    return f", {piece}" if piece else ""


# -------------------------------------------------------------------------------------------------- rebuilding


def rebuild(engine: Engine, history: History) -> int:
    """Make the periods of all touched owners again from the observations; return how many owners."""
    count = engine.rows(fill("SELECT count(DISTINCT {owner}) FROM {touched}", **_names(history)))[0][0]
    if not count:
        return 0
    columns = value_columns(engine, history)
    _gather_several(engine, history, columns)
    if engine.rows(fill("SELECT count(*) FROM (FROM {periods} LIMIT 1)", **_names(history)))[0][0]:
        engine.execute(
            fill("DELETE FROM {periods} WHERE {owner} IN (SELECT {owner} FROM {touched})", **_names(history))
        )
    engine.execute(
        fill(
            "INSERT INTO {periods} BY NAME SELECT * FROM ({alone} UNION ALL BY NAME {several}) ORDER BY {owner}, known_at",
            alone=_periods_of_one(history, columns),
            several=_periods_of_several(history, columns),
            **_names(history),
        )
    )
    for table in ("several", "said"):
        engine.execute(fill("DROP TABLE {table}", table=table))
    return int(count)


def _names(history: History) -> dict[str, str]:
    return {
        "owner": history.owner,
        "periods": history.periods,
        "observations": history.observations,
        "touched": history.touched,
    }


def _gather_several(engine: Engine, history: History, columns: list[str]) -> None:
    """Make `several`, the touched owners of whom more than one thing was said, and `said`, what that was.

    Of one speaker and moment only the last row is kept.
    """
    engine.execute(
        fill(
            "CREATE TEMP TABLE several AS SELECT {owner} FROM {observations} "
            "WHERE {owner} IN (SELECT {owner} FROM {touched}) GROUP BY {owner} HAVING count(*) > 1",
            **_names(history),
        )
    )
    engine.execute(
        fill(
            "CREATE TEMP TABLE said AS SELECT o.{owner}, o._source, {identity} AS _identity, {moment} AS known_at{values} "
            "FROM {observations} o {context} WHERE o.{owner} IN (SELECT {owner} FROM several) QUALIFY row_number() OVER "
            "(PARTITION BY o.{owner}, o._source, {identity}, {moment} ORDER BY o.known_at DESC NULLS LAST) = 1",
            identity=history.identity,
            moment=history.moment,
            context=history.context,
            values=Sql(_after_comma(each("o.{name}", columns))),
            **_names(history),
        )
    )


def _periods_of_one(history: History, columns: list[str]) -> Sql:
    """Return the query of owners of whom only one thing was ever said: it holds for ever."""
    return fill(
        "SELECT o.{owner}, {moment} AS known_at, {forever} AS known_until{values} FROM {observations} o {context} "
        "WHERE o.{owner} IN (SELECT {owner} FROM {touched}) AND o.{owner} NOT IN (SELECT {owner} FROM several)",
        moment=history.moment,
        context=history.context,
        forever=Sql(f"TIMESTAMP '{FOREVER}'"),
        values=Sql(_after_comma(each("o.{name}", columns))),
        **_names(history),
    )


def _periods_of_several(history: History, columns: list[str]) -> Sql:
    """Return the query of owners of whom several things were said, as the module's text has it."""
    return fill(
        """
        SELECT {owner}, known_at, lead(known_at, 1, {forever}) OVER (PARTITION BY {owner} ORDER BY known_at) AS known_until{values}
        FROM (
            WITH marked AS (
                SELECT *{changed} FROM said
                WINDOW w AS (PARTITION BY {owner}, _source, _identity ORDER BY known_at)
            ), dated AS (
                SELECT * {since} FROM marked WINDOW w AS (PARTITION BY {owner}, _source, _identity ORDER BY known_at)
            ), moments AS (
                SELECT DISTINCT {owner}, known_at AS moment FROM marked
            ), speakers AS (
                SELECT DISTINCT {owner}, _source, _identity FROM marked
            ), stated AS (
                SELECT m.moment, d.* FROM (SELECT * FROM moments JOIN speakers USING ({owner})) m
                ASOF JOIN dated d ON d.{owner} = m.{owner} AND d._source = m._source AND d._identity = m._identity
                AND d.known_at <= m.moment
            ), settled AS (
                SELECT {owner}, moment AS known_at{winners} FROM stated GROUP BY {owner}, moment
            )
            SELECT * FROM settled
            QUALIFY row_number() OVER (PARTITION BY {owner} ORDER BY known_at) = 1 OR {differs}
        )
        """,
        owner=history.owner,
        forever=Sql(f"TIMESTAMP '{FOREVER}'"),
        values=Sql(_after_comma(joined(columns))),
        changed=Sql(_after_comma(joined(_changed(name) for name in columns))),
        since=Sql(_replaced_by_since(columns)),
        winners=Sql(_after_comma(joined(_winner(name) for name in columns))),
        differs=joined((_differs(name, history.owner) for name in columns), " OR ") if columns else Sql("false"),
    )


def _since(name: str) -> str:
    return f"_since {name}"


def _changed(name: str) -> Sql:
    """Return the moment at which the speaker begins to say another value, else null."""
    return fill(
        "CASE WHEN {name} IS DISTINCT FROM lag({name}) OVER w THEN known_at END AS {since}",
        name=name,
        since=_since(name),
    )


def _replaced_by_since(columns: list[str]) -> str:
    if not columns:
        return ""
    return "REPLACE (" + ", ".join(fill("max({since}) OVER w AS {since}", since=_since(name)) for name in columns) + ")"


def _winner(name: str) -> Sql:
    """Return the newest value; arg_max passes over nulls."""
    return fill("arg_max({name}, ({since}, _source, _identity)) AS {name}", name=name, since=_since(name))


def _differs(name: str, owner: str) -> Sql:
    return fill(
        "{name} IS DISTINCT FROM lag({name}) OVER (PARTITION BY {owner} ORDER BY known_at)", name=name, owner=owner
    )

