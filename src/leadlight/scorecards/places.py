"""The places of a ranking: in which order, and within which groups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, UsageError, did_you_mean
from leadlight.expr.types import Type
from leadlight.scorecards.compile import carried, name_types
from leadlight.scorecards.in_time import MOST, in_time
from leadlight.spec.deadline import deadline_name
from leadlight.spec.entity import many, plural
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.scopes import account_scope
from leadlight.store.sql import Sql, fill, literal, more, quoted

Order = Literal["score", "deadline", "rescue"]
ORDERS: tuple[Order, ...] = ("score", "deadline", "rescue")

NONE = "(none)"
"""The group of those for whom the value is missing, as in `threshold`."""
RESCUED = "_rescued"


@dataclass(frozen=True, slots=True)
class Way:
    """How leads are put in order.

    `order` is by score (or expected value), by `deadline` (the earliest first, ties by score), or `rescue`: first those
    that can still be done in time when `per_day` is done a day, in order of their deadlines, then the rest by score.
    `effort` is what a lead takes of `per_day`, an attribute or feature; 1 unless told. `per` ranks within the values of
    an attribute or feature.
    """

    order: Order = "score"
    per: str | None = None
    per_day: float | None = None
    effort: str | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for what does not go together."""
        if self.order not in ORDERS:
            raise UsageError(f"there is no order {self.order!r}", fix=did_you_mean(self.order, ORDERS))
        if (self.order == "rescue") != (self.per_day is not None):
            raise UsageError(
                "to say which can still be saved takes how much can be done a day",
                fix="Write --order rescue --per-day N together.",
            )
        if self.effort is not None and self.order != "rescue":
            raise UsageError("an effort matters for --order rescue only", fix="Add --order rescue --per-day N.")


BY_SCORE = Way()
"""All leads in one list, by score or expected value."""


def order_by(scorecard: ResolvedScorecard) -> Sql:
    """Return the ORDER BY of a ranking over a table of scores; ties go by id, so that it is always the same."""
    return _ordered(scorecard, Sql(""))


def order_with_ties(scorecard: ResolvedScorecard) -> Sql:
    """Return the same ORDER BY without the id: whom the scorecard does not tell apart is level."""
    return _levels(scorecard, Sql(""))


def _ordered(scorecard: ResolvedScorecard, first: Sql) -> Sql:
    key = "account" if scorecard.spec.of == "account" else "id"
    return fill("{levels}, {key}", levels=_levels(scorecard, first), key=key)


def _levels(scorecard: ResolvedScorecard, first: Sql) -> Sql:
    """Gates that give the best grade first, other gated ones last; `first` goes before the score."""
    by = Sql("expected DESC, score DESC" if by_value(scorecard) else "score DESC")
    if scorecard.spec.grades is None:
        return fill("{first}{by}", first=first, by=by)
    return fill("{tier}, {first}{by}", tier=tier(scorecard), first=first, by=by)


def tier(scorecard: ResolvedScorecard) -> Sql:
    """Return 0 for those whose gate gives the best grade, 1 for those without a gate, 2 for other gated ones."""
    if scorecard.spec.grades is None:
        return Sql("1")
    best = literal(scorecard.spec.grades.labels[0])
    return fill("CASE WHEN gate IS NULL THEN 1 WHEN grade = {best} THEN 0 ELSE 2 END", best=best)


def by_value(scorecard: ResolvedScorecard) -> bool:
    """Return whether leads are ranked by expected value: a probability (or uplift) times the worth of a win."""
    return scorecard.spec.worth is not None and (scorecard.spec.calibration or scorecard.spec.effect) is not None


def value_of(scorecard: ResolvedScorecard) -> tuple[Sql, str]:
    """Return what serving a lead is worth, never negative, and what it is counted in.

    It is the expected value where worth is known, else the probability, else the points above 0.
    """
    if by_value(scorecard):
        return Sql("greatest(expected, 0)"), "expected value"
    if scorecard.spec.effect is not None:
        return Sql("greatest(uplift, 0)"), "expected gain"
    if scorecard.spec.calibration is not None:
        return Sql("probability"), "expected number"
    return Sql("greatest(score, 0)"), "points"


# --------------------------------------------------------------------------------------------------- names carried


def known_types(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard) -> dict[str, Type]:
    """Return the names that may be carried along with the scores, each with its type."""
    ours = workspace.with_features(scorecard.features)
    if scorecard.spec.of == "account":
        return dict(account_scope(ours.catalog, ours.features, frozenset()).types)
    return dict(name_types(ours))


def type_of(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, name: str, *, number: bool = False) -> Type:
    """Return the type of an attribute or feature. Raises NotFoundError for none, UsageError for no number."""
    known = known_types(workspace, scorecard)
    if name not in known:
        raise NotFoundError(f"there is no attribute or feature {name!r}: {did_you_mean(name, known)}")
    if number and known[name] is not Type.NUMBER:
        raise UsageError(f"{name} is {known[name].value}, not a number", fix="Name an attribute or feature of numbers.")
    return known[name]


def due(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard) -> str | None:
    """Return the name that says when a lead is due, where the workspace has one and the scorecard is about leads."""
    return deadline_name(workspace.spec) if scorecard.spec.of == "lead" else None


def names_of(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, way: Way) -> tuple[str, ...]:
    """Return which names a ranking has carried along: the deadline, the group, the effort."""
    deadline = due(workspace, scorecard)
    if way.order != "score" and deadline is None:
        raise UsageError(
            f"there is no deadline to rank {plural(workspace.spec.entity)} by",
            fix="Say in leadlight.yaml when each is due: `deadline: due_at`, or `{after: created_at, plus: 5d}`.",
        )
    if way.per is not None:
        type_of(workspace, scorecard, way.per)
    if way.effort is not None:
        type_of(workspace, scorecard, way.effort, number=True)
    return tuple(dict.fromkeys(name for name in (deadline, way.per, way.effort) if name is not None))


def group_text(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, name: str) -> Sql:
    """Return the value of an attribute or feature as the name of a group."""
    kind = type_of(workspace, scorecard, name)
    column = quoted(carried(name))
    text = fill("printf('%.15g', {column})", column=column) if kind is Type.NUMBER else fill(
        "CAST({column} AS VARCHAR)", column=column
    )  # fmt: skip
    return fill("coalesce({text}, {none})", text=text, none=literal(NONE))


def _named_group(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, name: str) -> Sql:
    return fill('{group} AS "group"', group=group_text(workspace, scorecard, name))


def days_left(deadline: str) -> Sql:
    """Return the days until a lead is due, negative once that has passed."""
    return fill("date_diff('microsecond', as_of, {due}) / 86400000000.0", due=carried(deadline))


def due_columns(deadline: str) -> list[Sql]:
    """Return the columns `deadline` and `days_left`."""
    left = days_left(deadline)
    return [fill("{due} AS deadline", due=carried(deadline)), fill("{left} AS days_left", left=left)]


# ------------------------------------------------------------------------------------------------------ the places


@contextmanager
def placed(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, table: str, way: Way
) -> Iterator[tuple[Sql, tuple[str, ...]]]:
    """Yield a query over a table of scores that gives each lead its place, and notes on how they came about.

    Its columns: `key`, `rank`, `grade`; `deadline` and `days_left` where there is a deadline; `in_time` where that was
    asked for; `group` and `rank_in_group` with `per`.
    """
    deadline = due(workspace, scorecard)
    columns = [Sql("grade") if scorecard.spec.grades is not None else Sql("NULL::VARCHAR AS grade")]
    notes: tuple[str, ...] = ()
    if deadline is not None:
        columns += due_columns(deadline)
    source, order = quoted(table), order_by(scorecard)
    if way.order == "deadline" and deadline is not None:
        order = _ordered(scorecard, fill("{due} NULLS LAST, ", due=carried(deadline)))
    if way.order == "rescue" and deadline is not None:
        notes = _rescue(engine, workspace, scorecard, table, way, deadline)
        source = fill("{table} LEFT JOIN {rescued} USING ({key})", table=table, rescued=RESCUED, key=scorecard.spec.of)
        columns.append(Sql("coalesce(in_time, false) AS in_time"))
        order = fill(
            "coalesce(in_time, false) DESC, CASE WHEN in_time THEN {due} END, {order}",
            due=carried(deadline), order=order,
        )  # fmt: skip
    rank = fill("row_number() OVER (ORDER BY {order}) AS rank", order=order)
    query = fill(
        "SELECT {key} AS key, {rank}, {columns}{group} FROM {source}", key=scorecard.spec.of, rank=rank,
        columns=columns, source=source,
        group=more("" if way.per is None else _named_group(workspace, scorecard, way.per)),
    )  # fmt: skip
    if way.per is not None:
        within = 'row_number() OVER (PARTITION BY "group" ORDER BY rank) AS rank_in_group'
        query = fill("SELECT *, {within} FROM ({query})", within=Sql(within), query=query)
    try:
        yield query, notes
    finally:
        engine.execute(fill("DROP TABLE IF EXISTS {table}", table=RESCUED))


def _rescue(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, table: str, way: Way, deadline: str
) -> tuple[str, ...]:
    """Put who can still be done in time into a table; return what to say of it."""
    value, _ = value_of(scorecard)
    effort = Sql("1.0::DOUBLE") if way.effort is None else fill("{effort}::DOUBLE", effort=carried(way.effort))
    found = engine.arrow(
        fill(
            "SELECT {key} AS key, {left} AS days_left, {effort} AS effort, ({value})::DOUBLE AS value FROM {table} "
            "WHERE {left} > 0 AND {effort} <= {left} * ? AND {tier} < 2 ORDER BY {order} LIMIT ?",
            key=scorecard.spec.of, left=days_left(deadline), effort=effort, value=value, table=table,
            tier=tier(scorecard), order=order_by(scorecard),
        ),
        [way.per_day, MOST],
    )  # fmt: skip
    assert way.per_day is not None
    numbers = {name: found.column(name).to_numpy() for name in ("days_left", "effort", "value")}
    if (numbers["effort"] < 0).any():
        raise UsageError(f"{way.effort} is negative for some: an effort is 0 or more")
    taken = in_time(numbers["days_left"], numbers["effort"], numbers["value"], way.per_day)
    keys = found.column("key").filter(pa.array(taken))
    engine.register("_in_time", pa.table({"key": keys}))
    try:
        engine.execute(
            fill(
                "CREATE OR REPLACE TEMPORARY TABLE {rescued} AS SELECT key AS {key}, true AS in_time FROM _in_time",
                rescued=RESCUED, key=scorecard.spec.of,
            )
        )  # fmt: skip
    finally:
        engine.unregister("_in_time")
    late = engine.rows(
        fill("SELECT count(*) FILTER ({left} > 0), count(*) FILTER ({left} <= 0), count(*) FILTER ({left} IS NULL) "
             "FROM {table} WHERE {tier} < 2", left=days_left(deadline), tier=tier(scorecard),
            table=table)
    )[0]  # fmt: skip
    entity = workspace.spec.entity
    cut = (f"only the first {MOST:,} in rank were looked at",) if found.num_rows == MOST else ()
    return (_told(entity, int(np.count_nonzero(taken)), way, late), *cut)


def _told(entity: str, saved: int, way: Way, counts: tuple[Any, ...]) -> str:
    unit = "" if way.effort is None else f" of {way.effort}"
    ahead, overdue, undated = (int(count) for count in counts)
    undone = f", without a deadline: {undated:,}" if undated else ""
    return (
        f"at {way.per_day:g}{unit} a day {many(saved, entity)} can be done in time: these come first, the earliest due "
        f"first; late all the same: {ahead - saved:,}, overdue already: {overdue:,}{undone}"
    )


def count_groups(engine: Engine, places: Sql, limit: int) -> tuple[int, list[tuple[str, int, int]]]:
    """Count the members of each group: how many groups there are, and (name, members, best rank) of the first ones."""
    counted = fill('SELECT "group", count(*) AS n, min(rank) AS best FROM ({places}) GROUP BY 1', places=places)
    total = int(engine.rows(fill("SELECT count(*) FROM ({counted})", counted=counted))[0][0])
    rows = engine.rows(fill("SELECT * FROM ({counted}) ORDER BY best LIMIT ?", counted=counted), [limit])
    return total, [(str(name), int(count), int(best)) for name, count, best in rows]
