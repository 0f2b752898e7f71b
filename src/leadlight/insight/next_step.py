"""What those who were {self.words.won} did next and the others did not: suggestions for a lead, with their evidence.

As film services recommend films: among past leads in a like state, which action or content came in the next days, and
how often were those who had it won afterwards, against those who had it not? The evidence is of what went together,
not of what caused what: the keen do more of everything. Three things keep it from being worse than that. Past leads
are compared at the same age, with a like score and after a like last event, so that the keen are held against the
keen. Only leads still open when the days are over count, and only wins after that: nobody had less time for an action
because the deal was closed, and what only winners have after the win cannot come up. And lifts are drawn towards none
by what chance alone would spread them, so that rare actions do not lead the list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from leadlight.engines.base import Engine
from leadlight.errors import UsageError
from leadlight.expr.types import Type
from leadlight.insight.cases import (
    SAMPLE,
    WON,
    in_days,
    only_leads,
    past_cases,
    scored_cases,
    seen_at,
    temporary,
)
from leadlight.insight.ratio import Ratio, log_rate_ratio, shrunken
from leadlight.insight.similar import comparable_ages, ledger_of
from leadlight.scorecards.compile import Options
from leadlight.scorecards.outcomes import rules
from leadlight.scorecards.sentences import percent
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.words import USUAL, Words, words_of
from leadlight.store.sql import Sql, each, fill, joined, literal, more

WITHIN = timedelta(days=14)
"""How far ahead a next step is looked for, and how far back a lead's recent events reach."""
BAND = 0.2
"""The share of cases whose scores are nearest to the lead's: those with a like score."""
CONTENTS = 100
"""A property with more different values than this is an event's content only where there is no other."""
FEWEST, FEWEST_WINS = 200, 20
"""A state is narrow enough to be alike and wide enough to count when it has so many cases and wins."""
CAVEAT = "This is what went with being {won}, not what brought it about: the keen do more of everything."
SUPPORT = 10
"""The fewest cases that took a step, for it to be suggested."""


@dataclass(frozen=True, slots=True)
class Step:
    """An action, or an action with a content: how those ended who took it next, and those who did not."""

    event: str
    content: str | None
    """The value of the event's content (a path, a form, a campaign); None where the action itself is meant."""
    ours: bool
    """Whether it is something that we can do."""
    taken: int
    taken_won: int
    others: int
    others_won: int
    lift: Ratio
    """The rate of wins after it over the rate without it, drawn towards 1."""
    words: Words = field(default=USUAL, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The action, and its content."""
        return self.event if self.content is None else f"{self.event} {self.content}"

    @property
    def line(self) -> str:
        """The step with its evidence, for where there is one line."""
        return (
            f"{self.name}: {percent(self.taken_won / self.taken)} of those who had it were {self.words.won}, "
            f"{percent(self.others_won / self.others)} of the others"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the step as plain JSON values."""
        return {
            "event": self.event, "content": self.content, "ours": self.ours, "taken": self.taken,
            "taken_won": self.taken_won, "others": self.others, "others_won": self.others_won,
            "lift": self.lift.as_dict(),
        }  # fmt: skip

    def __str__(self) -> str:
        ours = " (ours to do)" if self.ours else ""
        return (
            f"{self.name}{ours}: {percent(self.taken_won / self.taken)} of {self.taken:,} who had it were "
            f"{self.words.won} afterwards, {percent(self.others_won / self.others)} of {self.others:,} who had not: "
            f"{self.lift}"
        )


@dataclass(frozen=True, slots=True)
class State:
    """Which past leads count as like a lead; each part may be given up where too few are left."""

    last: str | None
    """The type of the last event in the days before; None for none."""
    content: str | None
    by_content: bool
    by_event: bool
    by_score: bool

    def __str__(self) -> str:
        last = "no event lately" if self.last is None else f"{self.last} as the last event"
        if self.by_content and self.content is not None:
            last = f"{self.last} {self.content} as the last event"
        parts = [last] if self.by_event else []
        parts += ["a like score"] if self.by_score else []
        return " and ".join(parts) or "any score and any last event"


@dataclass(frozen=True, slots=True)
class NextStep:
    """Suggestions for a lead: what past leads in a like state did next who were won more often. 95 % intervals."""

    id: str
    entity: str
    scorecard: str
    version: str
    as_of: datetime
    score: float
    age: timedelta | None
    """The time after their creation at which past leads are compared; None where it is `every` instead."""
    every: timedelta | None
    """The step of the calendar grid on which past leads are compared."""
    within: timedelta
    horizon: timedelta
    state: State
    cases: int
    """Past leads in that state that were still open when the days were over."""
    won: int
    considered: int
    """How many actions and contents were weighed."""
    steps: tuple[Step, ...] = field(repr=False)
    words: Words = field(default=USUAL, repr=False, compare=False)

    @property
    def rule(self) -> str:
        """Whom the lead is compared with, in a sentence."""
        days = in_days(self.within)
        seen = f"{in_days(self.age):.3g} days after their creation" if self.age is not None else seen_at([], self.every)
        won = percent(self.won / self.cases) if self.cases else 0
        return (
            f"{self.cases:,} past {self.entity} cases with {self.state}, {seen} and still open {days:g} days later; "
            f"{won} {self.words.won} within {in_days(self.horizon):g} days after that"
        )

    @property
    def summary(self) -> str:
        """The answer in a sentence; it says what went together, not what causes what."""
        who, when = f"{self.id}: those who were {self.words.won}", f"in the next {in_days(self.within):g} days"
        if not self.steps:
            return f"{who} did nothing more often {when}"
        names = ", ".join(step.name for step in self.steps[:3])
        return f"{who} did more often {when}: {names}"

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "id": self.id,
            "entity": self.entity,
            "scorecard": self.scorecard,
            "version": self.version,
            "as_of": self.as_of.isoformat() + "Z",
            "score": self.score,
            "age_days": None if self.age is None else in_days(self.age),
            "every_days": None if self.every is None else in_days(self.every),
            "within_days": in_days(self.within),
            "horizon_days": in_days(self.horizon),
            "state": str(self.state),
            "cases": self.cases,
            "won": self.won,
            "considered": self.considered,
            "steps": [step.as_dict() for step in self.steps],
        }

    def __str__(self) -> str:
        lines = [self.summary, self.rule, *(f"  {step}" for step in self.steps)]
        return "\n".join([*lines, CAVEAT.format(won=self.words.won)] if self.steps else lines)


@dataclass(frozen=True, slots=True)
class _Count:
    """What a query counts of an action: cases that had it before, or next and not before.

    `acted` are those that had the action as such next, and this content before or then.
    """

    event: str
    content: str | None
    before: int
    before_won: int
    taken: int
    taken_won: int
    acted: int
    acted_won: int


def next_step(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    lead: int,
    as_of: datetime,
    *,
    within: timedelta = WITHIN,
    actions: Collection[str] = (),
    limit: int = 5,
    sample: int | None = SAMPLE,
) -> NextStep:
    """Suggest what could come next for a lead (its number in the store), from what came next for past leads.

    Past leads stand at the lead's age (see `cases.comparable_age`), with a score among the fifth nearest to the lead's
    and the same last event within `within` before; where fewer than 200 cases or 20 wins are so alike, first the
    event's content, then the event, then the score is given up. Steps are types of events, and types with a content:
    the text property that says most about the type. Those the lead had itself within `within`
    are left out, as are past leads who had just had them. `actions` names types that are ours to do. Only steps whose
    interval lies above 1 are returned, the surest first.

    Raises NotFoundError where the lead did not exist yet or there are no past wins, UsageError for a scorecard of
    accounts, a workspace without `outcome` or whose outcomes have no time, or an action that no event has.
    """
    only_leads(scorecard, "next")
    _check_actions(workspace, actions)
    if not rules(engine, workspace).dated:
        raise UsageError(
            "next needs to know when outcomes came, and those of this workspace have no time",
            fix="Say which column holds it: `at:` in the source of outcomes.",
        )
    mine = ledger_of(engine, workspace, scorecard, lead, as_of)
    ages = comparable_ages(engine, workspace, lead, as_of, ahead=within)
    later = [age + within for age in ages]
    with (
        past_cases(engine, workspace, as_of, later, ahead=within, without=lead, sample=sample) as cases,
        scored_cases(
            engine, workspace, scorecard, cases, options=Options(contributions=False), earlier=within
        ) as scores,
        _events_near(engine, workspace, scores, lead, as_of, within) as (events, states),
    ):
        state, count, won = _choose_state(engine, states, lead, mine.score)
        counts = _counts(engine, events, states)
        recent = _recent(engine, events, lead)
    steps = _steps(counts, count, won)
    passed = recent | _empty(counts)
    said = words_of(workspace.spec)
    fresh = [step for step in steps if (step.event, step.content) not in passed]
    wanted = [replace(step, ours=step.event in actions, words=said) for step in fresh]
    return NextStep(
        id=mine.id,
        entity=workspace.spec.entity,
        scorecard=scorecard.name,
        version=scorecard.version,
        as_of=as_of,
        score=mine.score,
        age=ages[0] if ages else None,
        every=cases.every,
        within=within,
        horizon=cases.horizon,
        state=state,
        cases=count,
        won=won,
        considered=len(steps),
        steps=tuple(_best(wanted)[:limit]),
        words=said,
    )


def _check_actions(workspace: ResolvedWorkspace, actions: Collection[str]) -> None:
    known = workspace.catalog.events
    unknown = sorted(set(actions) - known) if known is not None else []
    if unknown:
        listed = ", ".join(sorted(known or ()))
        raise UsageError(f"no event is of the type {unknown[0]!r}", fix=f"Types of events are: {listed}.")


# ---------------------------------------------------------------------------------------------------- events near by


@contextmanager
def _events_near(
    engine: Engine, workspace: ResolvedWorkspace, scores: str, lead: int, as_of: datetime, within: timedelta
) -> Iterator[tuple[str, str]]:
    """Make two temporary tables: the events around each case's moment (and the lead's own), and the cases' states.

    Events: lead, won, type, content, and whether it came before the moment or next. States: lead, won, score, and
    type and content of the last event before the moment.
    """
    texts = sorted(name for name, kind in workspace.catalog.properties.items() if kind is Type.TEXT)
    around = fill(
        'SELECT p.lead, p.won, p.score, e.type::VARCHAR AS type, e."at", e."at" <= p.as_of AS before{texts} FROM '
        "(SELECT lead, as_of, {won} AS won, score FROM {scores} UNION ALL SELECT ?, ?, NULL, NULL) p "
        'JOIN events e ON e.lead = p.lead AND e."at" > p.as_of - to_microseconds(?) '
        'AND e."at" <= p.as_of + to_microseconds(?) AND (e."at" <= p.as_of OR p.won IS NOT NULL)',
        texts=more(*(fill("e.{name}", name=name) for name in texts)),
        won=WON,
        scores=scores,
    )
    micros = within // timedelta(microseconds=1)
    with temporary(engine, "_around", around, [lead, as_of, micros, micros]):
        content = _content(engine, "_around", texts)
        events = fill('SELECT lead, won, type, {content} AS content, "at", before FROM _around', content=content)
        with temporary(engine, "_next_events", events), temporary(engine, "_next_states", _states(scores, lead)):
            yield "_next_events", "_next_states"


def _content(engine: Engine, table: str, texts: Sequence[str]) -> Sql:
    """Return what an event's content is: by type the text property of the most values, up to `CONTENTS`.

    A property of one value says nothing. Where all have more values than that, it is the one of the fewest.
    """
    if not texts:
        return Sql("NULL::VARCHAR")
    counts = each("count(DISTINCT {name})", texts)
    found = engine.rows(
        fill("SELECT type, {counts} FROM {table} GROUP BY type ORDER BY type", counts=counts, table=table)
    )
    chosen = {kind: _richest(sizes) for kind, *sizes in found}
    branches = [
        fill("WHEN {kind} THEN {name}", kind=literal(kind), name=texts[place])
        for kind, place in chosen.items()
        if place is not None
    ]
    return fill("CASE type {branches} END", branches=joined(branches, " ")) if branches else Sql("NULL::VARCHAR")


def _richest(sizes: Sequence[int]) -> int | None:
    """Return the place of the property that is an event's content, from how many values each has; None for none.

    >>> _richest([1, 4, 14, 5000]), _richest([1, 0]), _richest([900, 5000])
    (2, None, 0)
    """
    few = [(size, -place) for place, size in enumerate(sizes) if 1 < size <= CONTENTS]
    many = [(size, place) for place, size in enumerate(sizes) if size > CONTENTS]
    return -max(few)[1] if few else min(many)[1] if many else None


def _states(scores: str, lead: int) -> Sql:
    return fill(
        "SELECT p.lead, p.won, p.score, l.type, l.content, false AS alike FROM "
        "(SELECT lead, {won} AS won, score FROM {scores} UNION ALL SELECT {lead}, NULL, NULL) p LEFT JOIN "
        "(SELECT lead, type, content FROM _next_events WHERE before QUALIFY row_number() OVER "
        '(PARTITION BY lead ORDER BY "at" DESC, type, content) = 1) l ON l.lead = p.lead',
        won=WON,
        scores=scores,
        lead=Sql(str(int(lead))),
    )


def _choose_state(engine: Engine, states: str, lead: int, score: float) -> tuple[State, int, int]:
    """Mark the cases alike, by the narrowest state that has enough of them; return it, their count and their wins."""
    last, content = engine.rows(fill("SELECT type, content FROM {states} WHERE lead = ?", states=states), [lead])[0]
    near = engine.rows(
        fill("SELECT quantile_cont(abs(score - ?), ?) FROM {states} WHERE won IS NOT NULL", states=states),
        [score, BAND],
    )[0][0]
    tried = [
        State(last, content, by_content, by_event, by_score)
        for by_content, by_event, by_score in (
            (True, True, True), (False, True, True), (False, False, True), (False, False, False),
        )
    ]  # fmt: skip
    condition = Sql(
        "won IS NOT NULL AND (NOT ? OR abs(score - ?) <= ?) AND (NOT ? OR type IS NOT DISTINCT FROM ?) "
        "AND (NOT ? OR content IS NOT DISTINCT FROM ?)"
    )
    for state in tried:
        parameters = [state.by_score, score, near, state.by_event, last, state.by_content, content]
        counted = fill(
            "SELECT count(*), count(*) FILTER (WHERE won) FROM {states} WHERE {condition}",
            states=states,
            condition=condition,
        )
        count, won = engine.rows(counted, parameters)[0]
        if (count >= FEWEST and won >= FEWEST_WINS) or state is tried[-1]:
            marked = fill("UPDATE {states} SET alike = true WHERE {condition}", states=states, condition=condition)
            engine.execute(marked, parameters)
            return state, int(count), int(won)
    raise AssertionError("the last state is taken whatever it holds")


def _counts(engine: Engine, events: str, states: str) -> list[_Count]:
    """Count, of each action and each content, the cases alike that had it before, and those that had it next."""
    rows = engine.rows(
        fill(
            "WITH seen AS (SELECT e.lead, any_value(e.won) AS won, e.type, e.content, "
            "grouping(e.content) = 1 AS whole, bool_or(before) AS had, bool_or(NOT before) AS got "
            "FROM {events} e JOIN {states} s ON s.lead = e.lead WHERE s.alike "
            "GROUP BY GROUPING SETS ((e.lead, e.type), (e.lead, e.type, e.content))), "
            "acts AS (SELECT *, bool_or(got) OVER (PARTITION BY lead, type) AS acted FROM seen) "
            "SELECT type, content, count(*) FILTER (WHERE had), count(*) FILTER (WHERE had AND won), "
            "count(*) FILTER (WHERE NOT had), count(*) FILTER (WHERE NOT had AND won), "
            "count(*) FILTER (WHERE acted), count(*) FILTER (WHERE acted AND won) FROM acts "
            "WHERE whole OR content IS NOT NULL GROUP BY type, content, whole "
            "HAVING whole OR count(*) FILTER (WHERE NOT had) >= ? ORDER BY type, content NULLS FIRST",
            events=events,
            states=states,
        ),
        [SUPPORT],
    )
    return [_Count(kind, content, *map(int, counts)) for kind, content, *counts in rows]


def _recent(engine: Engine, events: str, lead: int) -> set[tuple[str, str | None]]:
    """Return what the lead had itself lately: actions, and contents."""
    rows = engine.rows(fill("SELECT DISTINCT type, content FROM {events} WHERE lead = ?", events=events), [lead])
    return {(kind, None) for kind, _ in rows} | {(kind, content) for kind, content in rows}


# -------------------------------------------------------------------------------------------------------- the ranking


def _steps(counts: Sequence[_Count], cases: int, won: int) -> list[Step]:
    """Weigh each step: those who took it next against those who did not, both without those who had it before."""
    kept = [item for item in counts if min(item.taken, cases - item.before - item.taken) >= SUPPORT]
    taken, taken_won = _column(kept, "taken"), _column(kept, "taken_won")
    others = cases - _column(kept, "before") - taken
    others_won = won - _column(kept, "before_won") - taken_won
    log, error = shrunken(*log_rate_ratio(taken_won, taken, others_won, others))
    return [
        Step(
            event=item.event, content=item.content, ours=False, taken=item.taken, taken_won=item.taken_won,
            others=int(others[i]), others_won=int(others_won[i]), lift=Ratio.of_log(float(log[i]), float(error[i])),
        )
        for i, item in enumerate(kept)
    ]  # fmt: skip


def _column(counts: Sequence[_Count], name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([getattr(item, name) for item in counts], np.float64)


def _empty(counts: Sequence[_Count]) -> set[tuple[str, str | None]]:
    """Return the contents that say no more than their action as such.

    Among those who acted next, those with this content must have been won more often than those with others only, by
    more than a standard error.
    """
    whole = {item.event: item for item in counts if item.content is None}
    contents = [item for item in counts if item.content is not None]
    others = _column([whole[item.event] for item in contents], "acted") - _column(contents, "acted")
    others_won = _column([whole[item.event] for item in contents], "acted_won") - _column(contents, "acted_won")
    log, error = log_rate_ratio(_column(contents, "taken_won"), _column(contents, "taken"), others_won, others)
    return {(item.event, item.content) for item, more in zip(contents, log > error, strict=True) if not more}


def _best(steps: Sequence[Step]) -> list[Step]:
    """Return the steps that went with more wins beyond chance, the surest first.

    An action gives way to its contents where they are surer.
    """
    sure = [step for step in steps if step.lift.low > 1]
    low = {step.event: step.lift.low for step in sure if step.content is None}
    contents = [s for s in sure if s.content is not None and s.lift.low > low.get(s.event, 0.0)]
    told = {step.event for step in contents}
    actions = [step for step in sure if step.content is None and step.event not in told]
    return sorted([*contents, *actions], key=lambda step: (-step.lift.low, step.event, step.content or ""))
