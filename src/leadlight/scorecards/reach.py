"""How far back events count: for every feature of the workspace and every criterion of its scorecards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.build import Sql
from leadlight.expr.expression import Expression
from leadlight.expr.sql import to_sql
from leadlight.features.aggregates import ANY
from leadlight.features.compile import build_table
from leadlight.scorecards.due import FADED, event_of
from leadlight.spec import models
from leadlight.spec.durations import format_duration
from leadlight.spec.resolved import ResolvedFeature, ResolvedScorecard, ResolvedWorkspace


@dataclass(frozen=True, slots=True)
class Reach:
    """Events of a type (`*` is any) that satisfy `where` count for so long; None is for ever."""

    event: str
    where: Expression | None
    back: timedelta | None
    whose: str
    """Who looks at them, for people: `feature visits`, `Demo of house`."""

    @property
    def why(self) -> str:
        """Why such events stay, for people."""
        if self.back is None:
            return f"{self.whose} looks at all the past"
        return f"{self.whose} looks back {format_duration(self.back)}"


def reaches(workspace: ResolvedWorkspace) -> list[Reach]:
    """Return how far back every feature and criterion looks, the farthest first."""
    found = list(_of_features({**workspace.features, **workspace.beside}.values(), ""))
    for card in workspace.scorecards.values():
        found += [*_of_features(card.features.values(), f" of {card.name}"), *_of_criteria(card)]
    return sorted(found, key=lambda reach: (reach.back is not None, -(reach.back or timedelta(0)), reach.whose))


def counts(reach: Reach, floor: datetime) -> Sql:
    """Return the condition under which an event (of a table of that shape) counts at the floor, or ever after."""
    kind = None if reach.event == ANY else build.equals(build.col("type"), build.text(reach.event))
    since = None if reach.back is None else build.earlier(build.moment(floor), reach.back)
    young = None if since is None else exp.GT(this=build.col("at"), expression=since)
    where = None if reach.where is None else to_sql(reach.where, build.col)
    return exp.Coalesce(this=build.both(kind, young, where) or exp.true(), expressions=[exp.false()])


def going(found: Sequence[Reach], floor: datetime) -> Sql:
    """Return the condition under which an event counts for no score as of the floor, or of any later moment.

    The event by which a lead came to exist stays, and the first one of somebody whom no source has described yet.
    """
    old = exp.LTE(this=build.col("at"), expression=build.moment(floor))
    begin = exp.Tuple(expressions=[build.col("lead"), build.col("at")])
    described = exp.select(build.col("lead"), build.col("created_at")).from_(build_table("leads"))
    known = exp.In(this=build.col("lead"), query=exp.select(build.col("lead")).from_(build_table("leads")).subquery())
    first = exp.select(build.col("lead"), exp.Min(this=build.col("at"))).from_(build_table("events"))
    first = first.where(exp.Not(this=known), copy=False).group_by(build.col("lead"))
    begins = build.either(
        exp.In(this=begin, query=described.subquery()), exp.In(this=begin.copy(), query=first.subquery())
    )
    stays = build.either(*(counts(reach, floor) for reach in found), begins)
    made = build.both(old, exp.Not(this=exp.Paren(this=stays)))
    assert made is not None
    return made


def _of_criteria(card: ResolvedScorecard) -> Iterator[Reach]:
    for criterion in card.criteria:
        spec = criterion.spec
        if isinstance(spec, models.EventCriterion):
            back = _shorter(spec.within, spec.half_life)
            yield Reach(spec.event, criterion.condition, back, f"{spec.name} of {card.name}")


def _of_features(features: Iterable[ResolvedFeature], whose: str) -> Iterator[Reach]:
    for feature in features:
        spec = feature.spec.account if isinstance(feature.spec, models.AccountFeature) else feature.spec
        if not isinstance(spec, models.EventFeature | models.DistinctLeadsFeature):
            continue
        back = spec.within
        match spec:
            case models.TrendFeature():
                back = spec.within * 2
            case models.DecayedFeature():
                back = _shorter(spec.within, spec.half_life)
            case _:
                pass
        where = None if isinstance(spec, models.ShareFeature) else feature.where
        yield Reach(event_of(spec), where, back, f"feature {feature.name}{whose}")


def _shorter(within: timedelta | None, half_life: timedelta | None) -> timedelta | None:
    faded = None if half_life is None else half_life * FADED
    known = [each for each in (within, faded) if each is not None]
    return min(known) if known else None
