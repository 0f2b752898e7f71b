"""The naive reference scorer: plain loops over rows, written from the design's text and the docstrings of the spec.

It knows nothing of SQL. Conditions come as trees (`reference.conditions`), looked up by the text the spec has, so that
no parser is shared either. Slow on purpose: every value is computed anew, each time it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from leadlight.spec.models import (
    AccountFeature,
    AfterFeature,
    AgeFeature,
    AttributeFeature,
    AvgFeature,
    BandCriterion,
    CalibrationSpec,
    CategoryCriterion,
    CountFeature,
    Criterion,
    DecayedFeature,
    DistinctFeature,
    DistinctLeadsFeature,
    EventCriterion,
    ExprFeature,
    Feature,
    GradesSpec,
    IntervalFeature,
    LeadMaxFeature,
    LeadSumFeature,
    MaxFeature,
    MinFeature,
    PairCriterion,
    RecencyFeature,
    ScorecardSpec,
    SessionsFeature,
    ShareFeature,
    SinceFirstFeature,
    SumFeature,
    TrendFeature,
    UntilFeature,
    WhenCriterion,
    WorkspaceSpec,
)
from reference.conditions import Node, Value, evaluate, is_true

MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)

# ------------------------------------------------------------------------------------------------------------ rows


@dataclass(frozen=True, slots=True)
class Lead:
    """A row of `leads`."""

    lead: int
    id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Attributes:
    """A row of `attributes`: what was known of a lead from `known_at` until (excluding) `known_until`."""

    lead: int
    known_at: datetime
    known_until: datetime
    account: str | None
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class AccountAttributes:
    """A row of `account_attributes`."""

    account: str
    known_at: datetime
    known_until: datetime
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Event:
    """A row of `events`."""

    lead: int
    type: str
    at: datetime
    properties: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of `outcomes`."""

    lead: int
    at: datetime | None
    outcome: str
    value: float | None


@dataclass(frozen=True, slots=True)
class GradeChange:
    """A row of `grade_history`, of a lead or of an account; levels are one per axis."""

    scorecard: str
    at: datetime
    subject: int | str
    grade: str
    levels: tuple[str | None, ...]
    since: tuple[datetime | None, ...]
    silent: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """All tables of a store."""

    leads: Sequence[Lead] = ()
    attributes: Sequence[Attributes] = ()
    account_attributes: Sequence[AccountAttributes] = ()
    events: Sequence[Event] = ()
    outcomes: Sequence[Outcome] = ()
    grade_history: Sequence[GradeChange] = ()


# --------------------------------------------------------------------------------------------------------- results


@dataclass(slots=True)
class Scored:
    """What one lead (or account) is given: contributions by group, one per criterion in the file's order."""

    subject: int | str
    base: float
    contributions: dict[str, list[float]]
    caps: dict[str, float]
    groups: dict[str, float]
    score: float
    levels: tuple[str, ...] = ()
    since: tuple[datetime, ...] = ()
    grade: str | None = None
    gate: str | None = None
    probability: float | None = None


@dataclass(slots=True)
class Scores:
    """Everybody's scores as of one moment, and who was excluded."""

    scored: dict[int | str, Scored] = field(default_factory=dict)
    excluded: set[int | str] = field(default_factory=set)


# ---------------------------------------------------------------------------------------------------------- scorer


@dataclass(frozen=True, slots=True)
class Scorer:
    """A workspace over a world; `meanings` gives the tree of every condition and expression in the spec.

    `attribute_names` and `account_attribute_names` are the columns there are: a name that no row happens to have is
    missing, not unknown.
    """

    workspace: WorkspaceSpec
    world: World
    meanings: Mapping[str, Node]
    attribute_names: frozenset[str]
    account_attribute_names: frozenset[str]

    # -------------------------------------------------------------------------------------------- who is there

    def leads(self, moment: datetime) -> list[Lead]:
        """The leads that exist as of the moment."""
        return [lead for lead in self.world.leads if lead.created_at <= moment]

    def accounts(self, moment: datetime) -> list[str]:
        """The accounts that exist as of the moment: those that some lead belongs to, then."""
        found = {self.account_of(lead.lead, moment) for lead in self.leads(moment)}
        return sorted(account for account in found if account is not None)

    def members(self, account: str, moment: datetime) -> list[Lead]:
        """The leads that belong to the account as of the moment."""
        return [lead for lead in self.leads(moment) if self.account_of(lead.lead, moment) == account]

    def account_of(self, lead: int, moment: datetime) -> str | None:
        """The account of a lead as of the moment."""
        row = self._attributes(lead, moment)
        return None if row is None else row.account

    def _attributes(self, lead: int, moment: datetime) -> Attributes | None:
        for row in self.world.attributes:
            if row.lead == lead and row.known_at <= moment < row.known_until:
                return row
        return None

    def _account_attributes(self, account: str | None, moment: datetime) -> AccountAttributes | None:
        for row in self.world.account_attributes:
            if row.account == account and row.known_at <= moment < row.known_until:
                return row
        return None

    def _last_outcome(self, lead: int, moment: datetime) -> str | None:
        """The latest outcome known of a lead; of several at one moment, the one whose text comes last."""
        last: tuple[datetime, str] | None = None
        for row in self.world.outcomes:
            if row.lead == lead and row.at is not None and row.at <= moment:
                last = (row.at, row.outcome) if last is None else max(last, (row.at, row.outcome))
        return None if last is None else last[1]

    def _events_of(self, lead: int, moment: datetime) -> list[Event]:
        return [event for event in self.world.events if event.lead == lead and event.at <= moment]

    def _events_of_account(self, account: str, moment: datetime) -> list[Event]:
        return [event for lead in self.members(account, moment) for event in self._events_of(lead.lead, moment)]

    # --------------------------------------------------------------------------------------------------- names

    def lead_value(self, name: str, lead: Lead, moment: datetime) -> Value:
        """The value of a name for a lead: a feature, an attribute of its or of its account, or one of our own names."""
        spec = self._feature(name)
        if spec is not None:
            return self.lead_feature(spec, lead, moment)
        return self._lead_column(name, lead, moment)

    def account_value(self, name: str, account: str, moment: datetime) -> Value:
        """The value of a name for an account that is scored itself."""
        spec = self._feature(name)
        if spec is not None:
            return self.account_feature(spec, account, moment)
        return self._account_column(name, account, moment)

    def _feature(self, name: str) -> Feature | None:
        for known, spec in self.workspace.features.items():
            if known.lower() == name.lower():
                return spec
        return None

    def _lead_column(self, name: str, lead: Lead, moment: datetime) -> Value:
        name = name.lower()
        row = self._attributes(lead.lead, moment)
        account = None if row is None else row.account
        own: dict[str, Value] = {
            "created_at": lead.created_at, "id": lead.id, "account": account, "as_of": moment,
            "outcome": self._last_outcome(lead.lead, moment),
        }  # fmt: skip
        if name in own:
            return own[name]
        if name in self.attribute_names:
            return None if row is None else row.values.get(name)
        assert name in self.account_attribute_names, name
        account_row = self._account_attributes(account, moment)
        return None if account_row is None else account_row.values.get(name)

    def _account_column(self, name: str, account: str, moment: datetime) -> Value:
        name = name.lower()
        own: dict[str, Value] = {
            "account": account, "leads": float(len(self.members(account, moment))), "as_of": moment,
        }  # fmt: skip
        if name in own:
            return own[name]
        assert name in self.account_attribute_names, name
        row = self._account_attributes(account, moment)
        return None if row is None else row.values.get(name)

    # ------------------------------------------------------------------------------------------------ features

    def lead_feature(self, spec: Feature, lead: Lead, moment: datetime) -> Value:
        """The value of a feature for a lead as of the moment."""
        if isinstance(spec, AttributeFeature):
            return self._lead_column(spec.attribute, lead, moment)
        if isinstance(spec, ExprFeature):
            return evaluate(self.meanings[spec.expr], lambda name: self.lead_value(name, lead, moment))
        if isinstance(spec, AgeFeature):
            return _days(self._lead_column(spec.age, lead, moment), moment)
        if isinstance(spec, UntilFeature):
            at = self.lead_value(spec.until, lead, moment)
            return None if at is None else (at - moment) / DAY
        if isinstance(spec, AfterFeature):
            return self._after(spec, lead, moment)
        if isinstance(spec, AccountFeature):
            account = self.account_of(lead.lead, moment)
            return None if account is None else self._of_account(spec, account, moment)
        return self._of_events(spec, self._events_of(lead.lead, moment), moment)

    def _after(self, spec: AfterFeature, lead: Lead, moment: datetime) -> Value:
        at = self.lead_value(spec.after, lead, moment)
        if isinstance(spec.plus, timedelta):
            plus: timedelta | None = spec.plus
        else:
            value = self.lead_value(spec.by, lead, moment)
            plus = spec.other if value is None else spec.plus.get(value, spec.other)
        return None if at is None or plus is None else at + plus

    def account_feature(self, spec: Feature, account: str, moment: datetime) -> Value:
        """The value of a feature for an account: event features look at the events of all its leads."""
        if isinstance(spec, AttributeFeature):
            return self._account_column(spec.attribute, account, moment)
        if isinstance(spec, ExprFeature):
            return evaluate(self.meanings[spec.expr], lambda name: self.account_value(name, account, moment))
        if isinstance(spec, AgeFeature):
            return _days(self._account_column(spec.age, account, moment), moment)
        if isinstance(spec, AccountFeature):
            return self._of_account(spec, account, moment)
        return self._of_events(spec, self._events_of_account(account, moment), moment)

    def _of_account(self, feature: AccountFeature, account: str, moment: datetime) -> Value:
        spec = feature.account
        members = self.members(account, moment)
        if isinstance(spec, LeadSumFeature):
            return sum(_known(self.lead_value(spec.sum, lead, moment) for lead in members), 0.0)
        if isinstance(spec, LeadMaxFeature):
            return max(_known(self.lead_value(spec.max, lead, moment) for lead in members), default=None)
        if isinstance(spec, DistinctLeadsFeature):
            active = 0
            for lead in members:
                events = self._events_of(lead.lead, moment)
                active += bool(self._matching(spec.distinct_leads, spec.where, spec.within, events, moment))
            return float(active)
        return self._of_events(spec, self._events_of_account(account, moment), moment)

    def _of_events(self, spec: Feature, events: list[Event], moment: datetime) -> Value:
        if isinstance(spec, ShareFeature):
            every = self._matching(spec.share, None, spec.within, events, moment)
            some = self._matching(spec.share, spec.where, spec.within, events, moment)
            return len(some) / len(every) if every else None
        if isinstance(spec, TrendFeature):
            last = len(self._matching(spec.trend, spec.where, spec.within, events, moment))
            both = len(self._matching(spec.trend, spec.where, 2 * spec.within, events, moment))
            return (last - (both - last)) / both if both else None
        kinds = {
            CountFeature: "count", SumFeature: "sum", MinFeature: "min", MaxFeature: "max", AvgFeature: "avg",
            DistinctFeature: "distinct", RecencyFeature: "recency", DecayedFeature: "decayed",
            SinceFirstFeature: "since_first", IntervalFeature: "interval", SessionsFeature: "sessions",
        }  # fmt: skip
        kind = kinds[type(spec)]
        found = self._matching(getattr(spec, kind), spec.where, spec.within, events, moment)
        if kind == "count":
            return float(len(found))
        if kind == "recency":
            return _days(max((event.at for event in found), default=None), moment)
        if kind == "since_first":
            return _days(min((event.at for event in found), default=None), moment)
        if kind == "interval":
            return _mean_interval(sorted(event.at for event in found))
        if kind == "sessions":
            return float(_sessions(sorted(event.at for event in found), spec.gap))
        if kind == "decayed":
            return self._decayed(spec, found, moment)
        values = _known(event.properties.get(spec.property.lower()) for event in found)
        if kind == "sum":
            return sum(values, 0.0)
        if kind == "distinct":
            return float(len(set(values)))
        if not values:
            return None
        return sum(values) / len(values) if kind == "avg" else min(values) if kind == "min" else max(values)

    def _decayed(self, spec: DecayedFeature, events: list[Event], moment: datetime) -> float:
        total = 0.0
        for event in events:
            weight = decay(moment - event.at, spec.half_life)
            if spec.property is None:
                total += weight
            else:
                value = event.properties.get(spec.property.lower())
                total += 0.0 if value is None else weight * value
        return total

    def _matching(
        self, kind: str, where: str | None, within: timedelta | None, events: Iterable[Event], moment: datetime
    ) -> list[Event]:
        found = []
        for event in events:
            if event.at > moment or (within is not None and not moment - within < event.at):
                continue
            if kind not in ("*", event.type):
                continue
            if where is not None and not is_true(self.meanings[where], _property_of(event)):
                continue
            found.append(event)
        return found

    # --------------------------------------------------------------------------------------------------- score

    def score(self, name: str, scorecard: ScorecardSpec, moment: datetime) -> Scores:
        """Score everybody who exists as of the moment, with the scorecard of this name."""
        result = Scores()
        if scorecard.of == "account":
            for account in self.accounts(moment):
                events = self._events_of_account(account, moment)
                lookup = _lookup(self.account_value, account, moment)
                result.scored[account] = self._score(name, scorecard, account, lookup, events, moment)
            return result
        for lead in self.leads(moment):
            lookup = _lookup(self.lead_value, lead, moment)
            if self.workspace.exclude is not None and is_true(self.meanings[self.workspace.exclude], lookup):
                result.excluded.add(lead.lead)
                continue
            events = self._events_of(lead.lead, moment)
            result.scored[lead.lead] = self._score(name, scorecard, lead.lead, lookup, events, moment)
        return result

    def _score(
        self,
        name: str,
        scorecard: ScorecardSpec,
        subject: int | str,
        lookup: Callable[[str], Value],
        events: list[Event],
        moment: datetime,
    ) -> Scored:
        contributions: dict[str, list[float]] = {}
        caps: dict[str, float] = {}
        groups: dict[str, float] = {}
        for group, spec in scorecard.groups.items():
            points = [self._points(criterion, lookup, events, moment) for criterion in spec.criteria]
            total = sum(points, 0.0)
            contributions[group], groups[group] = points, clip(total, *spec.cap)
            caps[group] = groups[group] - total
        score = scorecard.base + sum(groups.values())
        scored = Scored(subject, scorecard.base, contributions, caps, groups, score)
        if scorecard.calibration is not None:
            scored.probability = probability(scorecard.calibration, score)
        if scorecard.grades is not None:
            previous = self._previous(name, subject, moment)
            _set_grade(scored, scorecard.grades, previous, moment)
        for gate in scorecard.gates:
            if is_true(self.meanings[gate.when], lookup):
                scored.gate, scored.grade = gate.name, gate.grade
                break
        return scored

    def _previous(self, scorecard: str, subject: int | str, moment: datetime) -> GradeChange | None:
        latest: GradeChange | None = None
        for row in self.world.grade_history:
            if row.scorecard != scorecard or row.subject != subject or row.at > moment:
                continue
            if latest is None or row.at >= latest.at:  # of two at one moment, what the later run wrote
                latest = row
        return latest

    def _points(
        self, criterion: Criterion, lookup: Callable[[str], Value], events: list[Event], moment: datetime
    ) -> float:
        if isinstance(criterion, CategoryCriterion):
            return category_points(criterion, lookup(criterion.feature))
        if isinstance(criterion, BandCriterion):
            return band_points(criterion, lookup(criterion.feature))
        if isinstance(criterion, PairCriterion):
            first, second = criterion.features
            return pair_points(criterion, lookup(first), lookup(second))
        if isinstance(criterion, WhenCriterion):
            return criterion.points if is_true(self.meanings[criterion.when], lookup) else 0.0
        assert isinstance(criterion, EventCriterion)
        found = self._matching(criterion.event, criterion.where, criterion.within, events, moment)
        return event_points(criterion, [moment - event.at for event in found])


def _lookup(value_of, subject, moment: datetime) -> Callable[[str], Value]:
    return lambda name: value_of(name, subject, moment)


def _property_of(event: Event) -> Callable[[str], Value]:
    return lambda name: event.properties.get(name.lower())


def _known(values: Iterable[Value]) -> list:
    return [value for value in values if value is not None]


def _days(since: Value, moment: datetime) -> float | None:
    return None if since is None else (moment - since) / DAY


def _mean_interval(times: Sequence[datetime]) -> float | None:
    gaps = [(later - earlier) / DAY for earlier, later in pairwise(times)]
    return sum(gaps) / len(gaps) if gaps else None


def _sessions(times: Sequence[datetime], gap: timedelta) -> int:
    """The first event begins a session, and so does each that comes later than the gap after the one before."""
    return sum(place == 0 or time - times[place - 1] > gap for place, time in enumerate(times))


# -------------------------------------------------------------------------------------------------- points by value


def decay(age: timedelta, half_life: timedelta) -> float:
    """The weight of an event of this age: 1 when new, a half after each half-life, 0 when too small for a float."""
    return 2.0 ** -(age / half_life)


def clip(value: float, low: float | None, high: float | None) -> float:
    """The value, brought up to `low` or down to `high` where it lies outside."""
    if low is not None and value < low:
        return low
    if high is not None and value > high:
        return high
    return value


def event_points(criterion: EventCriterion, ages: Sequence[timedelta]) -> float:
    """Points for matching events of these ages: the `first` ones only, each decayed, the total at most `max` large."""
    oldest = sorted(ages, reverse=True)
    counted = oldest if criterion.first is None else oldest[: criterion.first]
    total = 0.0
    for age in counted:
        total += criterion.points * (1.0 if criterion.half_life is None else decay(age, criterion.half_life))
    return total if criterion.max is None else clip(total, -criterion.max, criterion.max)


def category_points(criterion: CategoryCriterion, value: Value) -> float:
    """Points of a value in a map: its own, `other` when it has none, `missing` when there is no value."""
    if value is None:
        return criterion.missing
    for key, points in criterion.points.items():
        if _same(key, value):
            return points
    return criterion.other


def band_points(criterion: BandCriterion, value: Value) -> float:
    """Points of the half-open band that holds the value."""
    if value is None:
        return criterion.missing
    for low, high, points in criterion.bands:
        if (low is None or low <= value) and (high is None or value < high):
            return points
    return 0.0 if criterion.other is None else criterion.other


def pair_points(criterion: PairCriterion, first: Value, second: Value) -> float:
    """Points of the table's cell for two values."""
    if first is None or second is None:
        return criterion.missing
    row = _cell(criterion.table, first, criterion.bands.get(criterion.features[0]))
    if row is None:
        return criterion.other
    points = _cell(row, second, criterion.bands.get(criterion.features[1]))
    return criterion.other if points is None else points


def _cell(cells, value: Value, cuts: Sequence[float] | None):
    if cuts is not None:
        return cells[sum(cut <= value for cut in cuts)]
    for key, cell in cells.items():
        if _same(key, value):
            return cell
    return cells.get("other")


def _same(key: str | bool | float, value: Value) -> bool:
    kinds = [isinstance(key, kind) and isinstance(value, kind) for kind in (str, bool)]
    if any(kinds):
        return key == value
    numbers = all(isinstance(part, int | float) and not isinstance(part, bool) for part in (key, value))
    return numbers and key == value


def probability(calibration: CalibrationSpec, score: float) -> float:
    """Straight lines between the calibration's points, flat beyond its ends."""
    scores, probabilities = calibration.score, calibration.probability
    if score <= scores[0]:
        return probabilities[0]
    for i in range(1, len(scores)):
        if score <= scores[i]:
            share = (score - scores[i - 1]) / (scores[i] - scores[i - 1])
            return probabilities[i - 1] + share * (probabilities[i] - probabilities[i - 1])
    return probabilities[-1]


# ----------------------------------------------------------------------------------------------------------- grades


def _set_grade(scored: Scored, grades: GradesSpec, previous: GradeChange | None, moment: datetime) -> None:
    levels, since = [], []
    for i, (axis, bounds) in enumerate((grades.__pydantic_extra__ or {}).items()):
        value = scored.score if axis == "score" else scored.groups[axis]
        known = previous is not None and i < len(previous.levels)
        old = previous.levels[i] if known else None
        old_since = previous.since[i] if known else None
        level = next_level(bounds, value, grades.hysteresis, old, old_since, moment)
        levels.append(level)
        since.append(old_since if level == old and old_since is not None else moment)
    scored.levels, scored.since, scored.grade = tuple(levels), tuple(since), "".join(levels)


def next_level(bounds, value: float, hysteresis, old: str | None, since: datetime | None, moment: datetime) -> str:
    """The level on one axis: up at once, down only after `dwell` and by more than `margin` below the old threshold."""
    ordered = sorted(
        ((str(label), float("-inf") if bound is None else bound) for label, bound in bounds.items()),
        key=lambda item: item[1],
    )
    raw = [label for label, bound in ordered if bound <= value][-1]
    labels = [label for label, _ in ordered]
    if old is None or old not in labels or labels.index(raw) >= labels.index(old):
        return raw
    if hysteresis.dwell is not None and since is not None and moment - since < hysteresis.dwell:
        return old
    return old if value >= dict(ordered)[old] - hysteresis.margin else raw
