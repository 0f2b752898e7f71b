"""Who the leads are: their ids, the dense numbers that stand for them, and since when they exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError
from leadlight.spec.entity import plural
from leadlight.store.rolled_up import first_events
from leadlight.store.speakers import OURS
from leadlight.store.sql import Sql, fill, literal

NEAREST_IDS = 3
LONGEST_ID_COMPARED = 200


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead: its number in the store, the id it is shown by, and since when it exists."""

    lead: int
    id: str
    created_at: datetime


def get_lead(engine: Engine, id: str, *, entity: str = "lead") -> Lead:  # noqa: A002 - the user's word
    """Return the lead that has this id, be it its own or that of a duplicate merged into it.

    Raises NotFoundError, naming the nearest ids; `entity` is what a lead is called there.
    """
    found = engine.rows(
        "SELECT l.lead, l.id, l.created_at FROM ids i JOIN leads l ON l.lead = i.lead WHERE i.id = ?", [id]
    )
    if not found:
        raise NotFoundError(f"there is no {entity} {id!r}{_nearest(engine, id, entity)}")
    return Lead(*found[0])


def aliases(engine: Engine, lead: int) -> tuple[str, ...]:
    """Return all ids of a lead, its own first, then those merged into it in the order they were first seen."""
    found = engine.rows("SELECT id FROM ids WHERE lead = ? ORDER BY key <> lead, key", [lead])
    return tuple(id for (id,) in found)  # noqa: A001


def _nearest(engine: Engine, id: str, entity: str) -> str:  # noqa: A002
    found = engine.rows(
        "SELECT id FROM leads ORDER BY jaro_winkler_similarity(lower(id), lower(?)) DESC, id LIMIT ?",
        [id[:LONGEST_ID_COMPARED], NEAREST_IDS],
    )
    names = ", ".join(repr(near) for (near,) in found)
    return f"; the nearest are {names}" if found else f": the store has no {plural(entity)}"


# ------------------------------------------------------------------------------------------------------- writing


def assign_keys(engine: Engine, table: str, column: str, *, known: str = "ids") -> int:
    """Give a number to each id in the column of a temporary table that has none, in order of first appearance.

    `known` is a table with the ids among them that have one.

    They are kept in the order of the ids, so that to look one up is to read few of them. Ids of erased people get no
    number; returns how many rows of the table are about them.
    """
    engine.execute(
        fill(
            "CREATE TEMP TABLE new_ids AS SELECT s.{column} AS id, min(s._place) AS first, count(*) AS rows "
            "FROM {table} s WHERE s.{column} IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM {known} i WHERE i.id = s.{column}) GROUP BY s.{column}",
            known=known,
            table=table,
            column=column,
        )
    )
    of_erased = was_erased(Sql("id"))
    erased = engine.rows(fill("SELECT sum(rows) FROM new_ids WHERE {of_erased}", of_erased=of_erased))[0][0] or 0
    engine.execute(
        fill(
            "INSERT INTO ids SELECT id, number, number FROM (SELECT id, {last} + "
            "row_number() OVER (ORDER BY first) AS number FROM new_ids WHERE NOT coalesce({of_erased}, false)) "
            "ORDER BY id",
            of_erased=of_erased,
            last=_LAST,
        )
    )
    engine.execute("DROP TABLE new_ids")
    return int(erased)


def was_erased(id: Sql) -> Sql:  # noqa: A002 - the user's word
    """Return the condition that an id is one of somebody who was erased; null where nobody was."""
    return fill("sha256((SELECT any_value(salt) FROM erased) || {id}) IN (SELECT hash FROM erased)", id=id)


_NUMBERS = "ids"
"""The row of `layout` with the last number that anybody had before somebody was erased."""
_LAST = fill(
    "greatest((SELECT coalesce(max(key), 0) FROM ids), "
    "(SELECT coalesce(max(in_order), 0) FROM layout WHERE name = {name}))",
    name=literal(_NUMBERS),
)


def keep_numbers(engine: Engine) -> None:
    """Let no number be given again that stands for somebody now; call it before anybody is erased.

    What is under way elsewhere (a score that is being written to another system, say) would else be the newcomer's.
    """
    last = engine.rows(fill("SELECT {last}", last=_LAST))[0][0]
    engine.execute("DELETE FROM layout WHERE name = ?", [_NUMBERS])
    engine.execute("INSERT INTO layout VALUES (?, ?)", [_NUMBERS, last])


_GIVEN_DATES = fill(
    "SELECT lead, min(_created_at) AS created_at, min(known_at) FILTER (WHERE known_at <> _read_at) AS known_at, "
    "min(_read_at) AS read_at FROM observations WHERE _source NOT IN {ours}",
    ours=OURS,
)
"""What sources say about a lead's beginning; a known_at that is the moment of reading is ours, not theirs."""

_UNDATED = "lead IN (SELECT lead FROM {given} WHERE created_at IS NULL AND known_at IS NULL)"
"""The condition for leads, of those that are `given`, whose beginning no source gives."""


def touch_undated(engine: Engine) -> None:
    """Add to `touched` the leads whose beginning no source gives, where their events now begin at another moment."""
    engine.execute(
        fill(
            "INSERT INTO touched SELECT l.lead FROM leads l JOIN ({first}) e ON e.lead = l.lead "
            "WHERE e.first <> l.created_at",
            first=first_events("lead", fill(_UNDATED, given=fill("({given} GROUP BY lead)", given=_GIVEN_DATES))),
        )
    )


def refresh_leads(engine: Engine) -> None:
    """Make the rows of all touched leads again: those that some source speaks of, with when they came to exist.

    That is the earliest created_at given, else the earliest known_at given, else the first event, else the moment the
    lead was first read.
    """
    engine.execute(
        fill(
            "CREATE TEMP TABLE given AS {given} AND lead IN (SELECT lead FROM touched) GROUP BY lead",
            given=_GIVEN_DATES,
        )
    )
    engine.execute("DELETE FROM leads WHERE lead IN (SELECT lead FROM touched)")
    engine.execute(
        fill(
            "INSERT INTO leads SELECT g.lead, i.id, coalesce(g.created_at, g.known_at, e.first, g.read_at) "
            "FROM given g JOIN ids i ON i.key = g.lead LEFT JOIN ({first}) e ON e.lead = g.lead ORDER BY g.lead",
            first=first_events("lead", fill(_UNDATED, given="given")),
        )
    )
    engine.execute("DROP TABLE given")


def without_lead(engine: Engine, table: str, source: str) -> int:
    """Count a source's rows of `events` or `outcomes` whose lead no source has described yet."""
    parameters: Sequence[Any] = [source]
    return int(
        engine.rows(
            fill(
                "SELECT count(*) FROM {table} t WHERE t._source = ? AND t.lead NOT IN (SELECT lead FROM leads)",
                table=table,
            ),
            parameters,
        )[0][0]
    )
