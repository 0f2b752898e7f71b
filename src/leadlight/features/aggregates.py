"""Sums over events: each feature or criterion asks for aggregates, each distinct one is computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.build import Sql
from leadlight.expr.parse import Expression
from leadlight.expr.sql import to_sql

ANY = "*"
"""The event type that stands for all of them."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which events: of a type, satisfying `where`, with as_of - within < at <= as_of - `until`."""

    event: str
    where: Expression | None = None
    within: timedelta | None = None
    until: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A column of the pass: what each event that matches gives (and each other one), and how that is put together."""

    column: str
    condition: Sql
    given: Sql
    otherwise: Sql | None
    over: Callable[[Sql], Sql]
    of_parts: tuple[Callable[[Sql], Sql], Callable[[Sql], Sql]] | None = None
    """How it is put together for each lead first, and then over leads; None where that cannot be."""
    is_distinct: bool = False

    @property
    def value(self) -> Sql:
        """What each event gives."""
        return self.value_where(self.condition)

    def value_where(self, condition: Sql) -> Sql:
        """Return what each event gives, with its condition said in other words."""
        otherwise = None if self.otherwise is None else self.otherwise.copy()
        return build.case([(condition.copy(), self.given.copy())], otherwise)


@dataclass(slots=True)
class Aggregates:
    """Gathers the aggregates one pass over the events has to yield, each under a column name of its own.

    `as_of` is the moment as seen from the events' scope; `prefix` keeps the columns of two passes apart.
    """

    as_of: Sql
    prefix: str
    age: Sql
    """Days from the event at hand to the as-of, as seen from the same scope."""
    columns: dict[str, Aggregate] = field(default_factory=dict)
    matches: list[Match] = field(default_factory=list)
    ranked: list[tuple[str, Match, Sql, int]] = field(default_factory=list)
    """Sums over the n earliest events only: (column, match, value, n); each needs a pass of its own."""
    runs: list[tuple[str, Match, timedelta]] = field(default_factory=list)
    """Counts of runs: (column, match, the longest silence within one); each needs a pass of its own."""

    @property
    def asked(self) -> bool:
        """Whether anything is asked of the events."""
        return bool(self.columns or self.ranked or self.runs)

    def count(self, match: Match) -> exp.Column:
        """How many events; missing or 0 when none."""
        # COUNT and not a SUM of ones: a state of half the size, which most events of another type need not touch.
        return self._add(match, exp.true(), _count, parts=(_count, _sum))

    def sum(self, match: Match, value: Sql) -> exp.Column:
        """The sum of a value over events; missing or 0 when none."""
        return self._add(match, value, _sum, build.NONE.copy(), parts=(_sum, _sum))

    def least(self, match: Match, value: Sql) -> exp.Column:
        """The least value over events; missing when none."""
        return self._add(match, value, _least, parts=(_least, _least))

    def greatest(self, match: Match, value: Sql) -> exp.Column:
        """The greatest value over events; missing when none."""
        return self._add(match, value, _greatest, parts=(_greatest, _greatest))

    def mean(self, match: Match, value: Sql) -> exp.Column:
        """The mean of a value over events; missing when none."""
        return self._add(match, value, lambda each: exp.Avg(this=each))

    def distinct(self, match: Match, value: Sql) -> exp.Column:
        """How many different values over events; 0 or missing when none."""
        return self._add(match, value, _distinct, is_distinct=True)

    def leads(self, match: Match) -> exp.Column:
        """How many leads have such events; 0 or missing when none."""
        return self._add(match, build.col("lead", "e"), _distinct, parts=(_count, _how_many), is_distinct=True)

    def first(self, match: Match, value: Sql, n: int) -> exp.Column:
        """The sum of a value over the n earliest events; missing when none."""
        column = f"{self.prefix}first{len(self.ranked) + 1}"
        self.ranked.append((column, match, value, n))
        return build.col(column)

    def sessions(self, match: Match, gap: timedelta) -> exp.Column:
        """How many runs of events without a silence longer than the gap; missing when no events."""
        column = f"{self.prefix}runs{len(self.runs) + 1}"
        self.runs.append((column, match, gap))
        return build.col(column)

    def decay(self, half_life: timedelta) -> Sql:
        """2^(-age / half-life) of the event at hand."""
        return build.decay(self.age.copy(), half_life)

    def property(self, name: str) -> Sql:
        """A property of the event at hand."""
        return build.col(name, "e")

    def condition(self, match: Match) -> Sql:
        """Return whether the event at hand matches, apart from being no later than the as-of."""
        at = build.col("at", "e")
        after = None if match.within is None else exp.GT(this=at, expression=self._back(match.within))
        upto = None if match.until is None else exp.LTE(this=at.copy(), expression=self._back(match.until))
        where = None if match.where is None else to_sql(match.where, lambda name: build.col(name, "e"))
        kind = None if match.event == ANY else build.equals(build.col("type", "e"), build.text(match.event))
        return build.both(kind, after, upto, where) or exp.true()

    def relevant(self) -> Sql | None:
        """Return what any event that counts satisfies, cheap to check; None where any event may."""
        types = sorted({match.event for match in self.matches})
        kind = None if not types or ANY in types else build.one_of(build.col("type", "e"), types)
        windows = [match.within for match in self.matches]
        if not windows or any(window is None for window in windows):
            return kind
        longest = max(window for window in windows if window is not None)
        return build.both(kind, exp.GT(this=build.col("at", "e"), expression=self._back(longest)))

    def _back(self, by: timedelta) -> Sql:
        return build.earlier(self.as_of.copy(), by)

    def in_parts(self) -> bool:
        """Return whether to put all together lead by lead first: so nothing has to be sorted to tell leads apart."""
        asked = self.columns.values()
        return any(one.is_distinct for one in asked) and all(one.of_parts is not None for one in asked)

    def _add(
        self,
        match: Match,
        value: Sql,
        over: Callable[[Sql], Sql],
        otherwise: Sql | None = None,
        *,
        parts: tuple[Callable[[Sql], Sql], Callable[[Sql], Sql]] | None = None,
        is_distinct: bool = False,
    ) -> exp.Column:
        column = f"{self.prefix}{len(self.columns) + 1}"
        found = Aggregate(column, self.condition(match), value, otherwise, over, parts, is_distinct)
        text = over(found.value).sql()
        if text not in self.columns:
            self.columns[text] = found
            self.matches.append(match)
        return build.col(self.columns[text].column)


def _count(each: Sql) -> Sql:
    return exp.Count(this=each)


def _sum(each: Sql) -> Sql:
    return exp.Sum(this=each)


def _least(each: Sql) -> Sql:
    return exp.Min(this=each)


def _greatest(each: Sql) -> Sql:
    return exp.Max(this=each)


def _distinct(each: Sql) -> Sql:
    return exp.Count(this=exp.Distinct(expressions=[each]))


def _how_many(counts: Sql) -> Sql:
    """Count those that are not 0."""
    return exp.Count(this=exp.Nullif(this=counts, expression=build.number(0)))
