"""Past cases: leads as they stood at one moment of their past, and what came of them within the horizon after it.

The rule, which keeps it honest: a lead is looked at a fixed time after its creation. It is a case if it was still open
then and the horizon after that moment has passed by now; it was won if a win came within the horizon. Whoever is too
young to know is left out, not counted as lost. Where there are several times (`ages`), which of them a lead is looked
at is drawn from its id and not from what became of it, so that every lead counts once and at no moment that its
outcome chose. Where `learn: every` looks at leads on a calendar grid, the moment is one of the grid's, drawn from the
id too. Where outcomes have no time they came some time after creation: that is the only honest moment then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, UsageError
from leadlight.expr import build
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import Options, score_statement
from leadlight.scorecards.outcomes import Rules, rules
from leadlight.spec.durations import format_duration
from leadlight.spec.models import OutcomeSpec
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import Sql, fill

SAMPLE = 200_000
"""How many cases are looked at, at most, unless told: drawn by their ids."""
ENOUGH = 200
"""A lead is compared at an age at which so many cases were open, if there is one."""
AGES = tuple(timedelta(days=days) for days in (90, 30, 7, 1, 0))
"""The ages that are tried, beside the lead's own."""

WON, ENDED, WORTH = "_won", "_ended", "_worth"
"""Columns of a table of scored cases beside those of the scores: whether it was won within the horizon, the outcome
that came within it (null for none), and what the win was worth."""


@dataclass(frozen=True, slots=True)
class Cases:
    """A temporary table (lead, as_of, won, ended, worth), and the rule it was made by."""

    table: str
    count: int
    won: int
    ages: tuple[timedelta, ...]
    """How long after their creation leads are looked at."""
    horizon: timedelta
    dated: bool
    """Whether outcomes have a time; else a win counts whenever it came."""
    every: timedelta | None = None
    """The step of the calendar grid they are looked at on, instead of at ages."""


@contextmanager
def past_cases(
    engine: Engine,
    workspace: ResolvedWorkspace,
    as_of: datetime,
    ages: Sequence[timedelta],
    *,
    ahead: timedelta = timedelta(0),
    without: int | None = None,
    sample: int | None = SAMPLE,
    table: str = "_cases",
) -> Iterator[Cases]:
    """Make the table of past cases as far as they are known as of a moment, and drop it afterwards.

    Leads are looked at at one of the ages, or on the calendar grid of `learn: every` where there is one, and then not
    before they are `ahead` old. `without` leaves one lead out. Raises UsageError where the workspace does not say what
    a win is, NotFoundError where there is no case or none that was won.
    """
    horizon, outcome = _outcome(workspace).horizon, rules(engine, workspace)
    every = workspace.spec.learn.every if outcome.dated else None
    ages = () if every is not None else tuple(ages) if outcome.dated else (timedelta(0),)
    moments = _at_ages(ages, as_of) if every is None else _on_grid(every, as_of - horizon, ahead)
    query, parameters = _cases(moments, outcome, horizon, as_of, without, sample)
    with temporary(engine, table, query, parameters):
        count, won = engine.rows(fill("SELECT count(*), count(*) FILTER (WHERE won) FROM {table}", table=table))[0]
        if not won:
            raise _nothing(workspace, int(count), as_of)
        yield Cases(table, int(count), int(won), ages, horizon, outcome.dated, every)


@contextmanager
def scored_cases(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    cases: Cases,
    *,
    options: Options | None = None,
    earlier: timedelta = timedelta(0),
    table: str = "_scored_cases",
) -> Iterator[str]:
    """Score the cases, each as of its own moment (or `earlier` than that), into a temporary table.

    Whom the workspace excludes has no row. Columns: those of the scores, and `_won`, `_ended`, `_worth`.
    """
    moments = fill("SELECT lead, as_of - to_microseconds(?) AS as_of FROM {cases}", cases=cases.table)
    with temporary(engine, f"{table}_moments", moments, [_micros(earlier)]) as pairs:
        statement = score_statement(workspace, scorecard, Moment(table=pairs), options or Options())
        query = fill(
            "SELECT s.*, c.won AS _won, c.ended AS _ended, c.worth AS _worth FROM ({statement}) s "
            "JOIN {cases} c ON c.lead = s.lead ORDER BY s.id",
            statement=Sql(build.to_text(statement, engine.capabilities.dialect)),
            cases=cases.table,
        )
        with temporary(engine, table, query):
            yield table


@contextmanager
def temporary(engine: Engine, table: str, query: Sql, parameters: Sequence[Any] = ()) -> Iterator[str]:
    """Make a temporary table of a query, and drop it afterwards."""
    engine.execute(fill("DROP TABLE IF EXISTS {table}", table=table))
    engine.execute(fill("CREATE TEMPORARY TABLE {table} AS {query}", table=table, query=query), parameters)
    try:
        yield table
    finally:
        engine.execute(fill("DROP TABLE IF EXISTS {table}", table=table))


def comparable_age(
    engine: Engine,
    workspace: ResolvedWorkspace,
    as_of: datetime,
    age: timedelta,
    *,
    ahead: timedelta = timedelta(0),
) -> timedelta:
    """Return the age to compare a lead of this age at: its own, at most 90 days, or less where too few got so old.

    That is the first of its own age, 90, 30, 7, 1 and 0 days (those below it) at which at least `ENOUGH` cases were
    open and stayed so for the time `ahead`.
    """
    horizon, outcome = _outcome(workspace).horizon, rules(engine, workspace)
    tried = [age] if age <= AGES[0] else []
    tried += [other for other in AGES if other < age]
    for candidate in tried[:-1]:
        moments = _at_ages((candidate + ahead,), as_of)
        query, parameters = _cases(moments, outcome, horizon, as_of, None, None)
        if engine.rows(fill("SELECT count(*) FROM ({query})", query=query), parameters)[0][0] >= ENOUGH:
            return candidate
    return tried[-1]


def only_leads(scorecard: ResolvedScorecard, what: str) -> None:
    """Refuse scorecards of accounts, whose outcomes nobody records. Raises UsageError."""
    if scorecard.spec.of != "lead":
        raise UsageError(
            f"{what} is about leads, and {scorecard.name} scores accounts",
            fix="Name a scorecard of leads with --scorecard.",
        )


def in_days(age: timedelta) -> float:
    """Return a duration in days."""
    return age / timedelta(days=1)


def seen_at(ages: Sequence[timedelta], every: timedelta | None = None) -> str:
    """Say when cases are looked at.

    >>> seen_at([timedelta(0), timedelta(days=7), timedelta(days=30)]), seen_at([timedelta(days=12.5)])
    ('on its creation, 7 or 30 days after', '12.5 days after its creation')
    >>> seen_at([], timedelta(days=30))
    'at one of the moments that are 30 days apart'
    """
    if every is not None:
        return f"at one of the moments that are {in_days(every):.3g} days apart"
    *earlier, last = [f"{in_days(age):.3g}" if age else "on its creation" for age in ages]
    first = f"{', '.join(earlier)} or " if earlier else ""
    if ages[-1] == timedelta(0):
        return first + last
    return f"{first}{last} days after" + ("" if timedelta(0) in ages else " its creation")


def after_that(horizon: timedelta, *, dated: bool) -> str:
    """Say in which time a win counts."""
    return f"within {in_days(horizon):g} days after that" if dated else "at any time after that"


Query = tuple[Sql, list[Any]]
"""A query and its parameters."""


def _at_ages(ages: Sequence[timedelta], as_of: datetime) -> Query:
    """Return the query (lead, as_of, lot) of everybody at one of the ages, drawn from the id."""
    query = Sql(
        "SELECT lead, created_at + to_microseconds(list_extract(?::BIGINT[], (md5_number_lower(id) % ?)::BIGINT + 1)) "
        "AS as_of, md5_number_upper(id) AS lot FROM leads WHERE created_at <= ?"
    )
    return query, [[_micros(age) for age in ages], len(ages), as_of]


def _on_grid(every: timedelta, last: datetime, ahead: timedelta) -> Query:
    """Return the query (lead, as_of, lot) of everybody at one moment of the grid that ends at `last`, drawn so too."""
    query = Sql(
        "SELECT lead, ?::TIMESTAMP - to_microseconds((md5_number_lower(id) % n)::BIGINT * ?) AS as_of, "
        "md5_number_upper(id) AS lot FROM (SELECT lead, id, (epoch_us(?::TIMESTAMP) - epoch_us(created_at)) // ? + 1 "
        "AS n FROM leads WHERE created_at <= ?::TIMESTAMP)"
    )
    step, start = _micros(every), last - ahead
    return query, [last, step, start, step, start]


def _cases(
    moments: Query, outcome: Rules, horizon: timedelta, as_of: datetime, without: int | None, sample: int | None
) -> Query:
    looked_at, parameters = moments
    micros, dated = _micros(horizon), outcome.dated
    ends = fill(
        'SELECT m.lead, m.as_of, m.lot, o.outcome, o.value, o."at", '
        'o.lead IS NOT NULL AND o."at" IS NULL AND ({closes} OR {won}) AS undated, '
        'coalesce(o."at" <= m.as_of AND {closes}, false) AS early, {won} AS is_win, coalesce(({closes} OR {won}) '
        'AND (o."at" IS NULL OR (o."at" > m.as_of AND o."at" <= m.as_of + to_microseconds(?))), false) AS counts '
        'FROM m LEFT JOIN outcomes o ON o.lead = m.lead AND (o."at" <= ? OR o."at" IS NULL) '
        "WHERE m.lead IS DISTINCT FROM ?",
        won=outcome.won,
        closes=outcome.closing,
    )
    query = fill(
        "WITH m AS ({moments}), o AS ({ends}) SELECT lead, as_of, bool_or(counts AND is_win) AS won, "
        'arg_min(outcome, (NOT is_win, coalesce("at", as_of), outcome)) FILTER (WHERE counts) AS ended, '
        "{brought}(value) FILTER (WHERE counts AND is_win) AS worth FROM o GROUP BY lead, as_of, lot "
        "HAVING NOT bool_or(early) AND CASE WHEN ? THEN NOT bool_or(undated) AND as_of + to_microseconds(?) <= ? "
        "ELSE bool_or(undated) END ORDER BY lot, lead LIMIT ?",
        moments=looked_at,
        ends=ends,
        brought=outcome.brought,
    )
    limit = 2**62 if sample is None else sample
    return query, [*parameters, micros, as_of, without, dated, micros, as_of, limit]


def _outcome(workspace: ResolvedWorkspace) -> OutcomeSpec:
    if workspace.spec.outcome is None:
        raise UsageError("the workspace does not say what a win is", fix="Add `outcome: {win: …}` to leadlight.yaml.")
    return workspace.spec.outcome


def _nothing(workspace: ResolvedWorkspace, count: int, as_of: datetime) -> NotFoundError:
    span = format_duration(_outcome(workspace).horizon)
    if count:
        return NotFoundError(
            f"none of {count:,} past cases was won within {span} as of {as_of:%Y-%m-%d}: nothing to compare with",
            fix="Where wins are missing, look at `outcome: win:` in leadlight.yaml and at the file of outcomes.",
        )
    return NotFoundError(
        f"there are no past cases as of {as_of:%Y-%m-%d}: no {workspace.spec.entity} was open at the moments that are "
        f"looked at and has {span}, the horizon, behind it",
        fix="Name a shorter `outcome: horizon:` in leadlight.yaml, or wait.",
    )


def _micros(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
