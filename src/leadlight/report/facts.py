"""The facts a report shows, gathered from one run of a scorecard over everybody."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError
from leadlight.evaluate.fairness import Fairness
from leadlight.evaluate.rates import Rate, wilson
from leadlight.evaluate.uplift import CampaignFigures
from leadlight.insight.profile import Profile, profile
from leadlight.learn.evaluation import fairness_at
from leadlight.learn.training import past_rows
from leadlight.learn.uplift import campaign_figures
from leadlight.scorecards.compile import CAP, Options
from leadlight.scorecards.outcomes import Hindsight, hindsight, labelled, rules
from leadlight.scorecards.rank import Ranking, rank, scored
from leadlight.scorecards.scores_at import scores_at
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.words import USUAL, Words, words_of
from leadlight.store.coverage import Coverage, coverage
from leadlight.store.names import known_types
from leadlight.store.speakers import SPEAKERS
from leadlight.store.sql import each, fill

BINS = 40
TOP = 25


@dataclass(frozen=True, slots=True)
class CriterionFacts:
    """What a criterion gives across everybody."""

    name: str
    group: str
    fires: int
    """How many leads it gives points other than 0."""
    mean: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class Conversion:
    """Wins by grade; `timed` when grades are those of a past moment and wins came after it."""

    timed: bool
    as_of: datetime
    until: datetime
    rows: tuple[Rate, ...]

    @property
    def base_rate(self) -> float:
        """The share of all that were won."""
        total = sum(row.n for row in self.rows)
        return sum(row.won for row in self.rows) / total if total else 0.0


@dataclass(frozen=True, slots=True)
class AttributeFacts:
    """How well an attribute is known."""

    name: str
    type: str
    known: int
    total: int
    distinct: int


@dataclass(frozen=True, slots=True)
class EventFacts:
    """How often a type of event came, up to the as-of."""

    type: str
    count: int
    leads: int
    last: datetime


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """All that the page shows."""

    entity: str
    scorecard: str
    title: str
    version: str
    as_of: datetime
    ranking: Ranking
    mean: float | None
    bins: tuple[tuple[float, float, int], ...]
    criteria: tuple[CriterionFacts, ...]
    caps: tuple[tuple[str, int], ...]
    """(Group, how many leads its cap limits)."""
    gates: tuple[tuple[str, int], ...]
    conversion: Conversion | None
    hindsight: Hindsight | None
    attributes: tuple[AttributeFacts, ...]
    events: tuple[EventFacts, ...]
    without_events: int
    rejected: int
    future: int
    """Events after the as-of, which do not count."""
    profile: Profile | None
    """Who the ideal buyer is; None without past outcomes."""
    learned: Mapping[str, Any] | None
    """Where a learned scorecard's numbers come from."""
    fairness: tuple[Fairness, ...] = ()
    """For each protected attribute, how its groups were chosen and won."""
    campaign: CampaignFigures | None = None
    """What the ranking is worth to a randomised campaign."""
    looked_up: tuple[Coverage, ...] = ()
    """What each provider says of each attribute."""
    words: Words = field(default=USUAL, repr=False, compare=False)

    @property
    def silent(self) -> list[str]:
        """The criteria that give nobody any points."""
        return [item.name for item in self.criteria if not item.fires]


def gather(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    *,
    among: Sequence[int] | None = None,
) -> ReportFacts:
    """Score everybody (or the leads `among`) once and gather what the report shows; nothing is stored."""
    spec = scorecard.spec
    with scored(engine, workspace, scorecard, as_of, among=among) as table:
        mean = engine.rows(fill("SELECT avg(score) FROM {table}", table=table))[0][0]
        bins = _bins(engine, table)
        criteria = _criteria(engine, scorecard, table)
        caps = _caps(engine, scorecard, table)
        gates: list[tuple[str, int]] = []
        if spec.grades is not None:
            found = dict(engine.rows(fill("SELECT gate, count(*) FROM {table} GROUP BY gate", table=table)))
            gates = [(gate.spec.name, int(found.get(gate.spec.name, 0))) for gate in scorecard.gates]
    of_leads = spec.of == "lead"
    return ReportFacts(
        entity=workspace.spec.entity if of_leads else "account",
        scorecard=scorecard.name,
        title=spec.title or scorecard.name,
        version=scorecard.version,
        as_of=as_of,
        ranking=rank(engine, workspace, scorecard, as_of, limit=TOP, among=among),
        mean=mean,
        bins=bins,
        criteria=criteria,
        caps=caps,
        gates=tuple(gates),
        conversion=_conversion(engine, workspace, scorecard, as_of),
        hindsight=hindsight(engine, workspace, scorecard, as_of),
        attributes=_attributes(engine, workspace, as_of) if of_leads else (),
        events=_events(engine, as_of),
        without_events=_without_events(engine, as_of) if of_leads else 0,
        rejected=int(engine.rows("SELECT coalesce(sum(rejected), 0) FROM files")[0][0]),
        future=int(engine.rows('SELECT count(*) FROM events WHERE "at" > ?', [as_of])[0][0]),
        profile=_profile(engine, workspace, scorecard, as_of) if of_leads else None,
        learned=spec.learned,
        fairness=_fairness(engine, workspace, scorecard, as_of) if of_leads else (),
        campaign=_campaign(engine, workspace, scorecard, as_of) if of_leads else None,
        looked_up=coverage(engine, as_of) if of_leads else (),
        words=words_of(workspace.spec),
    )


def _fairness(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, as_of: datetime
) -> tuple[Fairness, ...]:
    """Compare the groups of protected attributes by past leads; nothing where there are none."""
    if not workspace.spec.learn.protected or workspace.spec.outcome is None:
        return ()
    try:
        rows = past_rows(engine, workspace, as_of)
    except NotFoundError:  # no outcome so far
        return ()
    found = scores_at(engine, workspace, scorecard, rows.lead, rows.as_of)
    return fairness_at(engine, workspace, scorecard, rows.take(found.scored), found.take(found.scored), None)


def _campaign(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, as_of: datetime
) -> CampaignFigures | None:
    """Say what the ranking is worth to the workspace's campaign, where there was one."""
    try:
        return campaign_figures(engine, workspace, scorecard, as_of)
    except NotFoundError:  # no outcome so far
        return None


def _profile(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, as_of: datetime
) -> Profile | None:
    """Return the profile, where there are outcomes that can tell one."""
    if workspace.spec.outcome is None:
        return None
    try:
        return profile(engine, workspace, scorecard, as_of)
    except NotFoundError:  # no win so far
        return None


def _bins(engine: Engine, table: str) -> tuple[tuple[float, float, int], ...]:
    """Count scores in bins of a round width."""
    low, high = engine.rows(fill("SELECT min(score), max(score) FROM {table}", table=table))[0]
    if low is None:
        return ()
    width = _round_width((high - low) / BINS)
    counted = fill("SELECT floor(score / ?) AS bin, count(*) FROM {table} GROUP BY bin ORDER BY bin", table=table)
    rows = engine.rows(counted, [width])
    return tuple((float(bin_ * width), float((bin_ + 1) * width), int(count)) for bin_, count in rows)


def _round_width(width: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten.

    >>> [_round_width(x) for x in (0.0, 0.9, 1.1, 3.0, 7.0)]
    [1.0, 1.0, 2.0, 5.0, 10.0]
    """
    if width <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(width))
    return next(float(step * power) for step in (1, 2, 5, 10) if step * power >= width * (1 - 1e-12))


def _criteria(engine: Engine, scorecard: ResolvedScorecard, table: str) -> tuple[CriterionFacts, ...]:
    if not scorecard.criteria:
        return ()
    columns = each(
        "count(*) FILTER (WHERE abs({name}) > 1e-9), avg({name}), min({name}), max({name})",
        [criterion.key for criterion in scorecard.criteria],
    )
    row = engine.rows(fill("SELECT {columns} FROM {table}", columns=columns, table=table))[0]
    return tuple(
        CriterionFacts(
            c.spec.name, c.group, int(row[4 * i]), row[4 * i + 1] or 0.0, row[4 * i + 2] or 0.0, row[4 * i + 3] or 0.0
        )
        for i, c in enumerate(scorecard.criteria)
    )


def _caps(engine: Engine, scorecard: ResolvedScorecard, table: str) -> tuple[tuple[str, int], ...]:
    groups = [name for name, group in scorecard.spec.groups.items() if group.cap != (None, None)]
    count = "SELECT count(*) FROM {table} WHERE abs({cap}) > 1e-9"
    return tuple((name, int(engine.rows(fill(count, table=table, cap=f"{name}{CAP}"))[0][0])) for name in groups)


def _conversion(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, until: datetime
) -> Conversion | None:
    """Count wins by grade: those that came after a past moment's grades; where outcomes have no time, all of them."""
    if workspace.win is None or workspace.spec.outcome is None or scorecard.spec.grades is None:
        return None
    if scorecard.spec.of != "lead" or not engine.rows("SELECT 1 FROM outcomes LIMIT 1"):
        return None
    outcome = rules(engine, workspace)
    timed = outcome.dated
    as_of = until - workspace.spec.outcome.horizon if timed else until
    with scored(engine, workspace, scorecard, as_of, options=Options(contributions=False), table="_then") as table:
        rows = engine.rows(
            fill(
                "SELECT grade, count(*), count(*) FILTER (WHERE won) FROM ({labelled}) GROUP BY grade",
                labelled=labelled(table, outcome, columns=["lead", "grade"]),
            ),
            [as_of, until, as_of],
        )
    found = {grade: (int(n), int(wins)) for grade, n, wins in rows}
    graded = [
        Rate(label, *found[label], *wilson(*reversed(found[label])))
        for label in scorecard.spec.grades.labels
        if label in found
    ]
    return Conversion(timed, as_of, until, tuple(graded)) if graded else None


def _attributes(engine: Engine, workspace: ResolvedWorkspace, as_of: datetime) -> tuple[AttributeFacts, ...]:
    types = workspace.catalog.attributes
    if not types:
        return ()
    row = engine.rows(
        fill(
            "SELECT count(*), {columns} FROM leads l LEFT JOIN attributes a "
            "ON a.lead = l.lead AND a.known_at <= ? AND a.known_until > ? WHERE l.created_at <= ?",
            columns=each("count(a.{name}), approx_count_distinct(a.{name})", types),
        ),
        [as_of, as_of, as_of],
    )[0]
    own = known_types(engine, "attribute", without=SPEAKERS)
    return tuple(
        AttributeFacts(name, str(kind), int(row[1 + 2 * i]), int(row[0]), int(row[2 + 2 * i]))
        for i, (name, kind) in enumerate(types.items())
        if name in own or row[1 + 2 * i]  # not all that could be looked up
    )


def _events(engine: Engine, as_of: datetime) -> tuple[EventFacts, ...]:
    rows = engine.rows(
        'SELECT type, count(*), count(DISTINCT lead), max("at") FROM events WHERE "at" <= ? GROUP BY type '
        "ORDER BY count(*) DESC, type LIMIT 50",
        [as_of],
    )
    return tuple(EventFacts(str(kind), int(count), int(leads), last) for kind, count, leads, last in rows)


def _without_events(engine: Engine, as_of: datetime) -> int:
    query = (
        "SELECT count(*) FROM leads l WHERE l.created_at <= ? "
        'AND NOT EXISTS (SELECT 1 FROM events e WHERE e.lead = l.lead AND e."at" <= ?)'
    )
    return int(engine.rows(query, [as_of, as_of])[0][0])


def as_json(facts: ReportFacts) -> dict[str, Any]:
    """Return the facts as plain JSON values."""
    conversion = facts.conversion
    return {
        "entity": facts.entity,
        "scorecard": facts.scorecard,
        "version": facts.version,
        "as_of": facts.as_of.isoformat() + "Z",
        "mean": facts.mean,
        "bins": [list(item) for item in facts.bins],
        "ranking": facts.ranking.as_dict(),
        "criteria": [
            {"name": c.name, "group": c.group, "fires": c.fires, "mean": c.mean, "min": c.lowest, "max": c.highest}
            for c in facts.criteria
        ],
        "never_fire": facts.silent,
        "caps": dict(facts.caps),
        "gates": dict(facts.gates),
        "conversion": None if conversion is None else {
            "timed": conversion.timed, "as_of": conversion.as_of.isoformat() + "Z",
            "until": conversion.until.isoformat() + "Z", "base_rate": conversion.base_rate,
            "grades": [
                {"grade": g.name, "n": g.n, "won": g.won, "low": g.low, "high": g.high} for g in conversion.rows
            ],
        },
        "hindsight": facts.hindsight.as_dict() if facts.hindsight else None,
        "attributes": _plain(facts.attributes),
        "events": _plain(facts.events),
        "without_events": facts.without_events,
        "future_events": facts.future,
        "rejected": facts.rejected,
        "profile": facts.profile.as_dict() if facts.profile else None,
        "learned": None if facts.learned is None else dict(facts.learned),
        "fairness": [item.as_dict() for item in facts.fairness],
        "campaign": None if facts.campaign is None else facts.campaign.as_dict(),
        "looked_up": [asdict(item) for item in facts.looked_up],
    }  # fmt: skip


def _plain(items: Sequence[AttributeFacts | EventFacts]) -> list[dict[str, Any]]:
    return [{name: _json(getattr(item, name)) for name in type(item).__dataclass_fields__} for item in items]


def _json(value: Any) -> Any:
    return value.isoformat() + "Z" if isinstance(value, datetime) else value
