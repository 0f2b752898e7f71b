"""Make the periods of values (`attributes`, `account_attributes`) from the observations, as `history` says."""

from __future__ import annotations

from leadlight.engines.base import Engine
from leadlight.store.history import History, spoken_columns
from leadlight.store.schema import FOREVER
from leadlight.store.sql import Sql, each, fill, joined, more


def rebuild(engine: Engine, history: History) -> int:
    """Make the periods of all touched owners again from the observations; return how many owners."""
    count = engine.rows(fill("SELECT count(DISTINCT {owner}) FROM {touched}", **_names(history)))[0][0]
    if not count:
        return 0
    columns = spoken_columns(engine, history)
    _gather_several(engine, history, columns)
    if engine.rows(fill("SELECT count(*) FROM (SELECT 1 FROM {periods} LIMIT 1)", **_names(history)))[0][0]:
        engine.execute(
            fill("DELETE FROM {periods} WHERE {owner} IN (SELECT {owner} FROM {touched})", **_names(history))
        )
    engine.execute(
        fill(
            "INSERT INTO {periods} BY NAME SELECT * FROM ({alone} UNION ALL {several}) ORDER BY {owner}, known_at",
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
            "CREATE TEMP TABLE said AS SELECT o.{owner}, o._source, {identity} AS _identity, {moment} AS known_at, "
            "{rank} AS _rank"
            "{values} FROM {observations} o {context} WHERE o.{owner} IN (SELECT {owner} FROM several) "
            "QUALIFY row_number() OVER (PARTITION BY o.{owner}, o._source, {identity}, {moment} "
            "ORDER BY o.known_at DESC NULLS LAST) = 1",
            identity=history.identity,
            rank=history.rank,
            moment=history.moment,
            context=history.context,
            values=more(each("o.{name}", columns)),
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
        values=more(each("o.{name}", columns)),
        **_names(history),
    )


def _periods_of_several(history: History, columns: list[str]) -> Sql:
    """Return the query of owners of whom several things were said, as the module's text has it."""
    return fill(
        """
        SELECT {owner}, known_at,
            lead(known_at, 1, {forever}) OVER (PARTITION BY {owner} ORDER BY known_at) AS known_until{values}
        FROM (
            WITH marked AS (
                SELECT *{changed} FROM said
                WINDOW w AS (PARTITION BY {owner}, _source, _identity ORDER BY known_at)
            ), dated AS (
                SELECT {owner}, _source, _identity, _rank, known_at{values}{since} FROM marked
                WINDOW w AS (PARTITION BY {owner}, _source, _identity ORDER BY known_at)
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
        values=more(joined(columns)),
        changed=more(joined(_changed(name) for name in columns)),
        since=_replaced_by_since(columns),
        winners=more(joined(_winner(name) for name in columns)),
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


def _replaced_by_since(columns: list[str]) -> Sql:
    """Return the columns that carry the moment of the last change on to the rows after it."""
    return more(*(fill("max({since}) OVER w AS {since}", since=_since(name)) for name in columns))


def _winner(name: str) -> Sql:
    """Return the newest value of the highest rank; arg_max passes over nulls."""
    return fill("arg_max({name}, (_rank, {since}, _source, _identity)) AS {name}", name=name, since=_since(name))


def _differs(name: str, owner: str) -> Sql:
    return fill(
        "{name} IS DISTINCT FROM lag({name}) OVER (PARTITION BY {owner} ORDER BY known_at)", name=name, owner=owner
    )
