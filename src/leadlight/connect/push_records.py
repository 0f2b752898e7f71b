"""Which records of a system are a lead's, and who of all leads may have something new to be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.engines.desk import desk
from leadlight.expr.types import Type
from leadlight.scorecards.among import among
from leadlight.scorecards.compile import Options, chance_columns
from leadlight.scorecards.export import ranking_sql
from leadlight.scorecards.rank import scored
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.pushed import Mark
from leadlight.store.sql import Sql, fill, joined, quoted

LACKS = "~"
"""Stands behind the hash that is noted of a record that has all but the next step, for which there was no room."""
DELETED = "deleted"
"""The attribute that says that a record is gone."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What goes where."""

    connection: str
    object: str
    sources: Mapping[str, str]
    """The sources of leads that are read of this object → what stands before a record's id to make a lead's."""
    names: Mapping[str, str | None]
    """What is written → its field; None for the usual one."""
    when: str | None = None
    tasks: Mapping[str, str] = field(default_factory=dict)
    tasks_at_most: int = 50


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a lead, not gone as far as is known."""

    record: str
    key: int
    lead: int


@dataclass(frozen=True, slots=True)
class Due:
    """A record about which there may be something new to write."""

    record: str
    key: int
    lead: int
    hash: str


@dataclass(slots=True)
class Found:
    """Who is concerned: the best first."""

    due: list[Due] = field(default_factory=list)
    lacking: list[Due] = field(default_factory=list)
    """Records that have all but the next step: it was not looked for yet."""
    records: int = 0
    unchanged: int = 0
    waiting: int = 0
    """Records of which something went wrong and whose time to be tried again has not come."""
    refused: int = 0
    """Records that the system refused, and that would be written with the very same values."""


def records_of(engine: Engine, aim: Aim, leads: Sequence[int] | None = None) -> dict[int, list[Record]]:
    """Return the records that sources of the system speak of, by lead; a lead that was merged here has several.

    All of them have the score: people work in each that is there. Those that the system itself merged or deleted are
    gone, and have none.
    """
    deleted = engine.columns("observations").get(DELETED) == engine.capabilities.types[Type.BOOL]
    found = dict[int, list[Record]]()
    for source, prefix in aim.sources.items():
        query = fill(
            "SELECT i.id, o._key, i.lead FROM (SELECT _key, {gone} AS gone FROM observations WHERE _source = ? "
            "QUALIFY row_number() OVER (PARTITION BY _key ORDER BY known_at DESC NULLS LAST) = 1) o "
            "JOIN ids i ON i.key = o._key WHERE NOT o.gone AND starts_with(i.id, ?::VARCHAR){only} ORDER BY o._key",
            gone=Sql(f"coalesce({quoted(DELETED)}, false)" if deleted else "false"),
            only=Sql("" if leads is None else " AND i.lead IN (SELECT unnest(?::INTEGER[]))"),
        )
        told = [] if leads is None else [list(leads)]
        for id, key, lead in engine.rows(query, [source, prefix, *told]):  # noqa: A001 - the user's word
            found.setdefault(lead, []).append(Record(id.removeprefix(prefix), key, lead))
    return found


def find(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    aim: Aim,
    names: Mapping[str, str],
    as_of: datetime,
    marks: Mapping[str, Mark],
    *,
    leads: Sequence[int] | None = None,
    again: bool = False,
    sign: Any,
) -> Found:
    """Return the records that may have to be written, the best leads first; `again` looks at refused ones too.

    `sign` makes of names and a row of the ranking what is another text whenever something has changed.
    """
    records, found = records_of(engine, aim, leads), Found()
    wanted = None if aim.when is None else set(among(engine, workspace, as_of, where=aim.when))
    only = list(leads) if leads is not None else None
    for row in _ranking(engine, workspace, scorecard, as_of, only):
        lead = row["lead"]
        if wanted is not None and lead not in wanted:
            continue
        hash = sign(names, row) if lead in records else ""  # noqa: A001 - the store's word
        for record in records.get(lead, ()):
            found.records += 1
            _sort(found, Due(record.record, record.key, lead, hash), marks.get(record.record), as_of, again=again)
    return found


def _sort(found: Found, due: Due, mark: Mark | None, now: datetime, *, again: bool) -> None:
    if mark is None or (again and mark.error is not None):
        found.due.append(due)
    elif mark.again_at is not None and mark.again_at > now:
        found.waiting += 1
    elif mark.error is not None and mark.again_at is None and mark.tried in (due.hash, due.hash + LACKS):
        found.refused += 1
    elif mark.error is None and mark.hash == due.hash:
        found.unchanged += 1
    elif mark.error is None and mark.hash == due.hash + LACKS:
        found.lacking.append(due)
    else:
        found.due.append(due)


def _ranking(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    leads: Sequence[int] | None,
) -> Iterator[dict[str, Any]]:
    """Yield lead, score, grade, gate, probability and reasons in short of all who are scored, the best first."""
    spec = scorecard.spec
    graded, chance = spec.grades is not None, "probability" in chance_columns(spec)
    columns = joined(
        [
            Sql("lead, score, reasons"),
            Sql("grade, gate" if graded else "NULL::VARCHAR AS grade, NULL::VARCHAR AS gate"),
            Sql("probability" if chance else "NULL::DOUBLE AS probability"),
        ]
    )
    with (
        scored(engine, workspace, scorecard, as_of, options=Options(), among=leads) as table,
        desk(engine, table) as beside,
    ):
        ranking = ranking_sql(scorecard, table, beside=[quoted("lead")])
        rows = beside.arrow(fill("SELECT {columns} FROM ({ranking}) r ORDER BY rank", columns=columns, ranking=ranking))
    for batch in rows.to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()
