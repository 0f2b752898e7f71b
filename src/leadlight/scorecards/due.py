"""Whose score can change by time alone: the leads to score again between two moments in which nothing was stored.

A score as of T moves with T where an event comes to count or leaves a window, where points fade, where the days since
(or until) something pass a line that a scorecard draws, where what is known of a lead begins or ends to be known, and
where a grade that is only held for its dwell is let go. All of these follow from the scorecard; what does is gathered
here as spans of time in which an event, or a time that an attribute has, must lie. Whoever has none in them keeps the
score and the grade to the last digit. Some may be found whose score stays (an event of a criterion that is at its
maximum); none whose score moves may be missed.

Points that fade move all the time. An event counts as faded after 100 half-lives, when 1e-30 of it is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.build import Sql
from leadlight.expr.parse import Expression
from leadlight.expr.sql import to_sql
from leadlight.features.aggregates import ANY
from leadlight.features.compile import OUTCOME, build_table
from leadlight.spec import models
from leadlight.spec.criteria import points_of
from leadlight.spec.resolved import ResolvedCriterion, ResolvedFeature, ResolvedScorecard, ResolvedWorkspace

FADED = 100
"""Half-lives after which an event counts for nothing."""
EVER = timedelta.max
NEAR = timedelta(seconds=1)
"""How far beside a line days are looked for: they are doubles."""
NOW = timedelta(0)

Cuts = frozenset[float] | None
"""The values that a name is only compared with; None where any change of it may matter."""


@dataclass(frozen=True, slots=True)
class Span:
    """Events (of a type, that satisfy `where`) with since - oldest < at <= until - newest."""

    event: str
    condition: str | None
    newest: timedelta
    oldest: timedelta
    where: Expression | None = field(compare=False)


@dataclass(frozen=True, slots=True)
class Line:
    """Leads for whom a time attribute (or `created_at`) lies in since - days < time <= until - days."""

    attribute: str
    days: timedelta


@dataclass(slots=True)
class Causes:
    """What can move the scores of a scorecard: of a lead itself, or (`shared`) of all leads of its account."""

    spans: set[Span] = field(default_factory=set)
    lines: set[Line] = field(default_factory=set)
    everybody: bool = False
    outcomes: bool = False

    @property
    def none(self) -> bool:
        """Whether there is nothing that time alone could move, apart from what comes to be known."""
        return not (self.spans or self.lines or self.everybody or self.outcomes)


def due_statement(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, since: datetime, until: datetime) -> Sql:
    """Return the statement that yields `lead`: whose score by the scorecard may differ between two moments.

    Of a scorecard of accounts it yields leads of the accounts. Its tables are those of the store as it is.
    """
    walk = _Walk(workspace, scorecard)
    walk.look()
    return _Statement(workspace, scorecard, since, until).of(walk.own, walk.shared, spread=walk.spreads)


def moves_by_itself(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard) -> bool:
    """Return whether any points rest on time: windows, decay, days since something."""
    walk = _Walk(workspace, scorecard)
    walk.look()
    return not (walk.own.none and walk.shared.none)


class _Walk:
    """Goes through all that a scorecard rests on."""

    def __init__(self, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard) -> None:
        self.workspace = workspace.with_features(scorecard.features)
        self.scorecard = scorecard
        self.own, self.shared = Causes(), Causes()
        self.spreads = False
        """Whether what happens to a lead can move others of its account."""
        self._seen: set[tuple[str, Cuts, bool]] = set()
        self._causes = self.own

    def look(self) -> None:
        """Gather the causes."""
        for criterion in self.scorecard.criteria:
            self._criterion(criterion)
        for gate in self.scorecard.gates:
            self._condition(gate.condition)
        if self.workspace.exclude is not None and self.scorecard.spec.of == "lead":
            self._condition(self.workspace.exclude)
        worth = self.scorecard.spec.worth
        for factor in worth.criteria if worth is not None else ():
            self._by_value(points_of(factor))

    # --------------------------------------------------------------------------------------------------- criteria

    def _criterion(self, criterion: ResolvedCriterion) -> None:
        spec = criterion.spec
        match spec:
            case models.CategoryCriterion() | models.BandCriterion():
                self._by_value(spec)
            case models.PairCriterion():
                for name in spec.features:
                    self._name(name, frozenset(spec.bands[name]) if name in spec.bands else None)
            case models.WhenCriterion():
                assert criterion.condition is not None  # resolve parses it
                self._condition(criterion.condition)
            case models.EventCriterion():
                self._events(spec.event, criterion.condition, spec.within, half_life=spec.half_life)
            case _:
                assert_never(spec)

    def _by_value(self, spec: models.CategoryCriterion | models.BandCriterion) -> None:
        cuts = None
        if isinstance(spec, models.BandCriterion):
            cuts = frozenset(bound for low, high, _ in spec.bands for bound in (low, high) if bound is not None)
        self._name(spec.feature, cuts)

    def _condition(self, condition: Expression) -> None:
        for name in condition.names:
            self._name(name, _compared(condition.tree, name))

    # --------------------------------------------------------------------------------------------------- features

    def _name(self, name: str, cuts: Cuts) -> None:
        key = (name, cuts, self._causes is self.shared)
        if key in self._seen:
            return
        self._seen.add(key)
        feature = self.workspace.features.get(name)
        if name == "as_of":
            self._causes.everybody = True
        elif name == OUTCOME:
            self._causes.outcomes = True
        elif feature is not None:
            self._feature(feature, cuts)

    def _feature(self, feature: ResolvedFeature, cuts: Cuts) -> None:
        spec = feature.spec
        match spec:
            case models.AttributeFeature():
                self._name(spec.attribute, cuts) if spec.attribute != feature.name else None
            case models.ExprFeature():
                assert feature.expression is not None  # resolve parses it
                self._condition(feature.expression)
            case models.AgeFeature():
                self._days({(spec.age, NOW)}, cuts)
            case models.UntilFeature():
                self._name(spec.until, None)
                self._days(self._times(spec.until), None if cuts is None else frozenset(-cut for cut in cuts))
            case models.AfterFeature():
                self._name(spec.after, None)
                if spec.by is not None:
                    self._name(spec.by, None)
            case models.AccountFeature():
                self._over_account(feature, spec.account, cuts)
            case _:
                self._of_events(feature, spec, cuts)

    def _days(self, times: set[tuple[str, timedelta]] | None, cuts: Cuts) -> None:
        """Days from a time (so long after an attribute) to the as-of, which only matter at the cuts."""
        if times is None or cuts is None:
            self._causes.everybody = True
            return
        self._causes.lines |= {Line(name, _added(after, _days(cut))) for name, after in times for cut in cuts}

    def _times(self, name: str) -> set[tuple[str, timedelta]] | None:
        """Return the attributes a time lies a fixed duration after; None where it does not."""
        feature = self.workspace.features.get(name)
        if feature is None:
            return {(name, NOW)}
        match feature.spec:
            case models.AttributeFeature():
                return {(feature.spec.attribute, NOW)}
            case models.AfterFeature() as spec:
                durations = list(spec.plus.values()) if isinstance(spec.plus, dict) else [spec.plus]
                durations += [] if spec.other is None else [spec.other]
                found = self._times(spec.after)
                return None if found is None else {(at, _added(by, plus)) for at, by in found for plus in durations}
            case _:
                return None

    def _over_account(
        self,
        feature: ResolvedFeature,
        spec: models.EventFeature | models.DistinctLeadsFeature | models.LeadSumFeature | models.LeadMaxFeature,
        cuts: Cuts,
    ) -> None:
        self.spreads, before = True, self._causes
        self._causes = self.shared
        match spec:
            case models.LeadSumFeature():
                self._name(spec.sum, None)
            case models.LeadMaxFeature():
                self._name(spec.max, None)
            case _:
                self._of_events(feature, spec, cuts)
        self._causes = before

    # ----------------------------------------------------------------------------------------------------- events

    def _of_events(
        self, feature: ResolvedFeature, spec: models.EventFeature | models.DistinctLeadsFeature, cuts: Cuts
    ) -> None:
        where, within = feature.where, spec.within
        event = event_of(spec)
        match spec:
            case models.RecencyFeature() | models.SinceFirstFeature():
                self._events(event, where, within)
                for cut in cuts or ():
                    self._span(event, where, _days(cut), _days(cut), beside=NEAR)
                if cuts is None:
                    self._span(event, where, NOW, within or EVER)
            case models.DecayedFeature():
                self._events(event, where, within, half_life=spec.half_life)
            case models.TrendFeature():
                self._events(event, where, spec.within)
                self._events(event, where, spec.within * 2)
            case models.ShareFeature():
                self._events(event, None, within)
            case _:
                self._events(event, where, within)

    def _events(
        self, event: str, where: Expression | None, within: timedelta | None, *, half_life: timedelta | None = None
    ) -> None:
        """Events come to count, leave the window, and fade."""
        self._span(event, where, NOW, NOW)
        if within is not None:
            self._span(event, where, within, within)
        if half_life is not None:
            faded = half_life * FADED
            self._span(event, where, NOW, faded if within is None else min(faded, within))

    def _span(
        self, event: str, where: Expression | None, newest: timedelta, oldest: timedelta, *, beside: timedelta = NOW
    ) -> None:
        said = None if where is None else where.text
        self._causes.spans.add(Span(event, said, _added(newest, -beside), _added(oldest, beside), where))


_NOT_THE_EVENT = frozenset({"where", "within", "property", "half_life", "gap"})


def event_of(spec: models.EventFeature | models.DistinctLeadsFeature) -> str:
    """Return the type of the events that a feature is about; `*` is any.

    >>> event_of(models.CountFeature(count="visit"))
    'visit'
    """
    return str(getattr(spec, next(iter(type(spec).model_fields.keys() - _NOT_THE_EVENT))))


def _compared(tree: exp.Expr, name: str) -> Cuts:
    """Return the numbers that a name is compared with, where it is used for nothing else; else None.

    >>> from leadlight.expr.parse import parse_condition
    >>> from leadlight.expr.types import Type
    >>> types = {"days": Type.NUMBER}
    >>> sorted(_compared(parse_condition("days < 7 or days between 30 and 60", types).tree, "days"))
    [7.0, 30.0, 60.0]
    >>> _compared(parse_condition("days * 2 < 7", types).tree, "days") is None
    True
    """
    cuts: set[float] = set()
    for column in tree.find_all(exp.Column):
        if column.name != name:
            continue
        parent = column.parent
        if isinstance(parent, _COMPARISONS):
            others = [parent.args["expression"] if parent.this is column else parent.this]
        elif isinstance(parent, exp.Between) and parent.this is column:
            others = [parent.args["low"], parent.args["high"]]
        elif isinstance(parent, exp.Is) and isinstance(parent.args["expression"], exp.Null):
            others = []
        else:
            return None
        numbers = [_number(other) for other in others]
        if any(number is None for number in numbers):
            return None
        cuts |= {number for number in numbers if number is not None}
    return frozenset(cuts)


_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


def _number(node: exp.Expr) -> float | None:
    if isinstance(node, exp.Neg):
        inner = _number(node.this)
        return None if inner is None else -inner
    return float(node.name) if isinstance(node, exp.Literal) and not node.is_string else None


def _days(count: float) -> timedelta:
    try:
        return timedelta(days=count)
    except OverflowError:
        return timedelta.max if count > 0 else timedelta.min


def _added(one: timedelta, other: timedelta) -> timedelta:
    try:
        return one + other
    except OverflowError:
        return timedelta.max if other > NOW else timedelta.min


# ------------------------------------------------------------------------------------------------------- the statement


@dataclass(frozen=True, slots=True)
class _Statement:
    workspace: ResolvedWorkspace
    scorecard: ResolvedScorecard
    since: datetime
    until: datetime

    def of(self, own: Causes, shared: Causes, *, spread: bool) -> exp.Query:
        """Put the leads together that any of the causes is about."""
        if own.everybody or shared.everybody:
            return exp.select(build.col("lead")).from_(build_table("leads"))
        known = self._newly_known()
        parts = [
            *known,
            *self._of_causes(own),
            *self._in_accounts([self._accounts_newly_known(), *self._lines_of_accounts(own)]),
        ]
        if spread:
            moved = exp.union(*known, *self._of_causes(shared), distinct=False)
            parts += self._in_accounts([self._accounts_of(moved), *self._lines_of_accounts(shared)])
        if (held := self._held()) is not None:
            parts.append(held)
        return exp.union(*parts, distinct=True)

    def _of_causes(self, causes: Causes) -> list[exp.Select]:
        found = []
        if causes.spans:
            spans = sorted(causes.spans, key=lambda span: (span.event, span.newest, span.oldest, span.condition or ""))
            found.append(_leads("events").where(build.either(*map(self._in_span, spans)), copy=False))
        created = [self._within("created_at", line.days) for line in _sorted(causes.lines, {"created_at"})]
        if created:
            found.append(_leads("leads").where(build.either(*created), copy=False))
        lines = [
            self._within(line.attribute, line.days) for line in _sorted(causes.lines, self.workspace.catalog.attributes)
        ]
        if lines:
            found.append(_leads("attributes").where(build.either(*lines), copy=False))
        if causes.outcomes:
            found.append(_leads("outcomes").where(self._between("at", NOW, NOW), copy=False))
        return found

    def _newly_known(self) -> list[exp.Select]:
        """Leads that come to exist, and those of whom something begins or ends to be known."""
        known = build.either(self._between("known_at", NOW, NOW), self._between("known_until", NOW, NOW))
        return [
            _leads("leads").where(self._between("created_at", NOW, NOW), copy=False),
            _leads("attributes").where(known, copy=False),
        ]

    def _held(self) -> exp.Select | None:
        """Leads (or those of accounts) whose grade was only held for its dwell."""
        grades = self.scorecard.spec.grades
        if grades is None or grades.hysteresis.dwell is None:
            return None
        over = build.either(
            *(self._between(f"since_{axis}", grades.hysteresis.dwell, grades.hysteresis.dwell)
              for axis in range(1, len(grades.axes) + 1))
        )  # fmt: skip
        ours = build.equals(build.col("scorecard"), build.text(self.scorecard.name))
        key = self.scorecard.spec.of
        held = exp.select(build.col(key)).from_(build_table("grade_history"))
        held = held.where(build.both(ours, over), copy=False)
        if key == "lead":
            return held
        here = exp.In(this=build.col("account"), query=held.subquery())
        return _leads("attributes").where(here, copy=False)

    # --------------------------------------------------------------------------------------------------- accounts

    def _accounts_newly_known(self) -> exp.Select:
        known = build.either(self._between("known_at", NOW, NOW), self._between("known_until", NOW, NOW))
        return _accounts("account_attributes").where(known, copy=False)

    def _lines_of_accounts(self, causes: Causes) -> list[exp.Select]:
        lines = _sorted(causes.lines, self.workspace.catalog.account_attributes)
        if not lines:
            return []
        over = build.either(*(self._within(line.attribute, line.days) for line in lines))
        return [_accounts("account_attributes").where(over, copy=False)]

    def _accounts_of(self, leads: exp.Query) -> exp.Select:
        """The accounts that leads belong to at one of the moments, or in between."""
        among = exp.In(this=build.col("lead"), query=leads.subquery())
        return _accounts("attributes").where(build.both(among, self._known_meanwhile()), copy=False)

    def _in_accounts(self, accounts: Iterable[exp.Select]) -> list[exp.Select]:
        among = [exp.In(this=build.col("account"), query=each.subquery()) for each in accounts]
        return [_leads("attributes").where(build.both(build.either(*among), self._known_meanwhile()), copy=False)]

    def _known_meanwhile(self) -> Sql:
        begun = exp.LTE(this=build.col("known_at"), expression=build.moment(self.until))
        return exp.And(
            this=begun, expression=exp.GT(this=build.col("known_until"), expression=build.moment(self.since))
        )

    # ------------------------------------------------------------------------------------------------------- times

    def _in_span(self, span: Span) -> Sql:
        kind = None if span.event == ANY else build.equals(build.col("type"), build.text(span.event))
        where = None if span.where is None else to_sql(span.where, build.col)
        found = build.both(kind, self._between("at", span.newest, span.oldest), where)
        assert found is not None
        return found

    def _within(self, column: str, days: timedelta) -> Sql:
        return self._between(column, _added(days, -NEAR), _added(days, NEAR))

    def _between(self, column: str, newest: timedelta, oldest: timedelta) -> Sql:
        """since - oldest < column <= until - newest."""
        after = exp.GT(this=build.col(column), expression=build.moment(_before(self.since, oldest)))
        upto = exp.LTE(this=build.col(column), expression=build.moment(_before(self.until, newest)))
        return exp.And(this=after, expression=upto)


def _sorted(lines: Iterable[Line], names: Iterable[str]) -> list[Line]:
    return sorted((line for line in lines if line.attribute in names), key=lambda line: (line.attribute, line.days))


def _leads(table: str) -> exp.Select:
    return exp.select(build.col("lead")).from_(build_table(table))


def _accounts(table: str) -> exp.Select:
    return exp.select(build.col("account")).from_(build_table(table))


def _before(moment: datetime, by: timedelta) -> datetime:
    """Return a moment so much earlier, as far as there are any.

    >>> _before(datetime(2026, 1, 2), timedelta.max)
    datetime.datetime(1, 1, 1, 0, 0)
    """
    try:
        return moment - by
    except OverflowError:
        return datetime.min if by > NOW else datetime.max  # noqa: DTZ901
