"""Take what a source says now into the observations, next to what it said before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.store.history import LEADS, History, value_columns
from leadlight.store.sql import Sql, each, fill, more


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
    _gather_changed(engine, names)
    if history is LEADS:
        _move_dates(engine, source)
    _touch(engine, history)
    counts = _counts(engine)
    _replace(engine, history, source, names, now, versioned=versioned)
    for table in ("prior", "differing"):
        engine.execute(fill("DROP TABLE {table}", table=table))
    return counts


def _gather_prior(engine: Engine, history: History, source: str, *, versioned: bool) -> None:
    """Make `prior`: what the speakers of the staged rows have said, of which each is held against one."""
    last = fill(
        "QUALIFY row_number() OVER (PARTITION BY {speaker} ORDER BY known_at DESC NULLS LAST) = 1",
        speaker=history.speaker,
    )
    engine.execute(
        fill(
            "CREATE TEMP TABLE prior AS SELECT * FROM {observations} WHERE _source = ? "
            "AND {speaker} IN (SELECT {speaker} FROM staged) {last}",
            speaker=history.speaker,
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


def _gather_changed(engine: Engine, names: list[str]) -> None:
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


def _move_dates(engine: Engine, source: str) -> None:
    """Put right the created_at that a source gives for an id, where it now gives another."""
    moved = Sql(
        "(SELECT _key, min(created_at) AS created_at FROM staged GROUP BY _key) s "
        "WHERE o._source = ? AND o._key = s._key AND s.created_at IS NOT NULL "
        "AND o._created_at IS DISTINCT FROM s.created_at"
    )
    for statement in (
        "INSERT INTO touched SELECT DISTINCT o.lead FROM observations o, {moved}",
        "UPDATE observations o SET _created_at = s.created_at FROM {moved}",
    ):
        engine.execute(fill(statement, moved=moved), [source])


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
    known_at = Sql("s.known_at" if versioned else "CASE WHEN d.is_new THEN NULL ELSE greatest(p.known_at, d.now) END")
    kept = [name for name in value_columns(engine, history) if name not in names]
    engine.execute(
        fill(
            "CREATE TEMP TABLE replacing AS SELECT {identity}, {known_at} AS known_at{values} "
            "FROM (SELECT *, ?::TIMESTAMP AS now FROM differing) d JOIN staged s ON s.rowid = d.row "
            "LEFT JOIN prior p ON p.rowid = d.prior_row ORDER BY d.row",
            identity=history.staged,
            known_at=known_at,
            values=more(each("s.{name}", names), each("p.{name}", kept)),
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
