"""A scorecard as one SQL statement: score, group totals, every contribution, probability and grade.

Behind the tables that yield the features (see `features.compile`) come

    points      one column per criterion, and the gate that is true, if any; what rests on attributes alone is
                worked out in `known`, before the sums over events are joined: numbers travel lighter than texts
    totals      each group's sum, limited by its cap; what the cap took is a contribution of its own
    scored      base + totals, the probability with its interval, the expected value
    graded      the level on each axis, with the past counted in where it is asked for

Columns of the result: `lead` and `id` (or `account`), `as_of`, `score`, `probability` with `probability_low` and
`probability_high` (where calibrated), `worth` and `expected` (where the worth of a win is known), `grade`, `gate`,
`level_1` … (where graded), `GROUP__total` and `GROUP__cap` for each group, then one column per criterion, named by its
key. base + criteria + caps = score, within 1e-9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.build import Sql
from leadlight.expr.sql import to_sql
from leadlight.expr.types import Type
from leadlight.features.compile import OUTCOME, Cte, FeaturePlan, build_table, with_ctes
from leadlight.features.moment import Moment
from leadlight.scorecards.grades import held_level, raw_level
from leadlight.scorecards.points import factor, match_of, points
from leadlight.spec import models
from leadlight.spec.criteria import points_of
from leadlight.spec.resolved import ResolvedCriterion, ResolvedScorecard, ResolvedWorkspace

TOTAL, CAP = "__total", "__cap"
EVENTS, LAST, VALUE = "__events", "__last", "__value"
"""Suffixes of the evidence columns: how many events matched, when the last one was, the feature's value."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a statement yields beside the scores.

    `grade_history` counts the past in (hysteresis, dwell) from the store's table of that name; `evidence` adds what
    each criterion saw; `contributions` false leaves out the criteria's columns; `excluded` keeps excluded leads in and
    adds a column `excluded` that tells which they are. `carry` names attributes and features whose values come along
    (see `carried` for the columns' names).
    """

    grade_history: bool = False
    evidence: bool = False
    contributions: bool = True
    excluded: bool = False
    carry: tuple[str, ...] = ()


def carried(name: str) -> str:
    """Name the column of an attribute or feature that comes along with the scores."""
    return f"{name}__carried"


def score_statement(
    workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, moment: Moment, options: Options | None = None
) -> exp.Select:
    """Return the statement that scores every lead (or account) that exists as of the moment and is not excluded."""
    return _Compiler(workspace, scorecard, moment, options or Options()).statement()


def name_types(workspace: ResolvedWorkspace) -> Mapping[str, Type]:
    """Return the type of every name a criterion may use."""
    built_in = {
        "created_at": Type.TIME, "as_of": Type.TIME, "account": Type.TEXT, "id": Type.TEXT, "leads": Type.NUMBER,
    }  # fmt: skip
    features = {name: feature.type for name, feature in workspace.features.items()}
    if workspace.catalog.outcome is not None:
        built_in[OUTCOME] = workspace.catalog.outcome[1]
    return {**built_in, **workspace.catalog.account_attributes, **workspace.catalog.attributes, **features}


def chance_columns(spec: models.ScorecardSpec) -> list[str]:
    """Name the columns of probability and uplift, their intervals, worth and expected value, as far as there are any.

    Of an uplift scorecard the expected value is what the treatment is expected to bring.
    """
    calibration, effect, worth = spec.calibration, spec.effect, spec.worth
    names = ["probability"] if calibration is not None else []
    names += ["probability_low", "probability_high"] if calibration is not None and calibration.low else []
    names += ["uplift"] if effect is not None else []
    names += ["uplift_low", "uplift_high"] if effect is not None and effect.low else []
    names += ["worth"] if worth is not None else []
    return names + (["expected"] if worth is not None and (calibration or effect) is not None else [])


class _Compiler:
    def __init__(
        self, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, moment: Moment, options: Options
    ) -> None:
        workspace = workspace.with_features(scorecard.features)
        self.workspace, self.scorecard, self.moment, self.options = workspace, scorecard, moment, options
        self.spec = scorecard.spec
        self.key: Literal["lead", "account"] = self.spec.of
        self.features = FeaturePlan(workspace, moment, self.key)
        self.types = name_types(workspace)
        self.carried = [self.key, *([] if self.key == "account" else ["id"]), "as_of"]

    def statement(self) -> exp.Select:
        points_table = self._points()  # asks for features first, so that the tables before it are complete
        ctes = [*self.features.ctes(), ("points", points_table), ("totals", self._totals()), ("scored", self._scored())]
        if self.spec.grades is not None:
            ctes += self._grading(self.spec.grades)
        source = "scored" if self.spec.grades is None else "graded"
        select = exp.select(*(build.col(name) for name in self.columns())).from_(build_table(source))
        return with_ctes(select, ctes)

    def columns(self) -> list[str]:
        """Name the result's columns, in order."""
        names = [*self.carried, "score"]
        names += ["excluded"] if self.options.excluded else []
        names += chance_columns(self.spec)
        if self.spec.grades is not None:
            names += ["grade", "gate"]
            for axis in range(1, len(self.spec.grades.axes) + 1):
                names += [f"level_{axis}", f"since_{axis}"]
        for group in self.spec.groups:
            names += [f"{group}{TOTAL}", f"{group}{CAP}"]
        if self.options.contributions:
            names += [criterion.key for criterion in self.scorecard.criteria]
        return names + self._evidence_names() + [carried(name) for name in self.options.carry]

    # ----------------------------------------------------------------------------------------------------- points

    def _points(self) -> exp.Select:
        columns = [
            _named(self._early(self._criterion(criterion), _names(criterion)), criterion.key)
            for criterion in self.scorecard.criteria
        ]
        if self.spec.worth is not None:
            columns.append(_named(self._worth(self.spec.worth), "worth"))
        if self.options.evidence:
            columns += [
                _named(value, name)
                for criterion in self.scorecard.criteria
                for name, value in self._evidence(criterion)
            ]
        for name in self.options.carry:
            self.features.need(name)
            columns.append(_named(build.col(name), carried(name)))
        if self.scorecard.gates:
            branches: list[tuple[Sql, Sql]] = []
            for number, gate in enumerate(self.scorecard.gates):
                self.features.need_all(gate.condition.names)
                branches.append((to_sql(gate.condition, build.col), build.number(number)))
            names = frozenset[str]().union(*(gate.condition.names for gate in self.scorecard.gates))
            columns.append(_named(self._early(build.case(branches), names), "_gate"))
        excluded = self._excluded()
        keep = build.both(self.features.asked, exp.Not(this=excluded) if excluded is not None else None)
        if self.options.excluded:
            keep = self.features.asked
            columns.append(_named(excluded or exp.false(), "excluded"))
        select = exp.select(*(build.col(name) for name in self.carried), *columns)
        select = select.from_(build_table(self.features.table))
        return select.where(keep, copy=False) if keep is not None else select

    def _criterion(self, criterion: ResolvedCriterion) -> Sql:
        spec = criterion.spec
        if isinstance(spec, models.CategoryCriterion | models.BandCriterion):
            self.features.need(spec.feature)
        elif isinstance(spec, models.PairCriterion):
            self.features.need_all(spec.features)
        elif isinstance(spec, models.WhenCriterion) and criterion.condition is not None:
            self.features.need_all(criterion.condition.names)
        return points(criterion, self.features.events, self.types)

    def _worth(self, worth: models.WorthSpec) -> Sql:
        """The base times the factor of each criterion."""
        factors: list[Sql] = [build.number(worth.base)]
        for criterion in worth.criteria:
            self.features.need(criterion.feature)
            factors.append(exp.Paren(this=factor(points_of(criterion), self.types)))
        return build.double(build.product(factors))

    def _early(self, value: Sql, names: frozenset[str] | None) -> Sql:
        """Have a value worked out before the joins where the attributes it needs are known; return how to name it."""
        early = names is not None and not self.options.evidence and self.features.knows(names)
        return self.features.early(value) if early else value

    def _excluded(self) -> Sql | None:
        """Return whether the workspace excludes a lead from scoring; None where it excludes nobody."""
        if self.workspace.exclude is None or self.key != "lead":
            return None
        self.features.need_all(self.workspace.exclude.names)
        condition = to_sql(self.workspace.exclude, build.col)
        return exp.Coalesce(this=condition, expressions=[exp.false()])

    def _evidence(self, criterion: ResolvedCriterion) -> list[tuple[str, Sql]]:
        spec, events = criterion.spec, self.features.events
        if isinstance(spec, models.EventCriterion):
            match = match_of(criterion, spec)
            count = build.or_zero(build.double(events.count(match)))
            last = events.greatest(match, build.col("at", "e"))
            return [(f"{criterion.key}{EVENTS}", count), (f"{criterion.key}{LAST}", last)]
        if isinstance(spec, models.PairCriterion):
            names: tuple[str, ...] = spec.features
        elif isinstance(spec, models.WhenCriterion):
            names = ()
        else:
            names = (spec.feature,)
        return [(f"{criterion.key}{VALUE}{number or ''}", build.col(name)) for number, name in enumerate(names)]

    def _evidence_names(self) -> list[str]:
        if not self.options.evidence:
            return []
        return [name for criterion in self.scorecard.criteria for name, _ in self._evidence(criterion)]

    # ------------------------------------------------------------------------------------------- totals and scores

    def _totals(self) -> exp.Select:
        columns: list[Sql] = []
        for group, spec in self.spec.groups.items():
            raw = build.total(
                build.col(criterion.key) for criterion in self.scorecard.criteria if criterion.group == group
            )
            limited = build.double(build.clip(exp.Paren(this=raw), *spec.cap))
            columns.append(_named(limited, f"{group}{TOTAL}"))
            taken: Sql = exp.Sub(this=limited.copy(), expression=exp.Paren(this=raw.copy()))
            columns.append(
                _named(build.double(build.number(0) if spec.cap == (None, None) else taken), f"{group}{CAP}")
            )
        return _more("points", columns)

    def _scored(self) -> exp.Select:
        parts = [build.number(self.spec.base), *(build.col(f"{group}{TOTAL}") for group in self.spec.groups)]
        score = build.double(build.total(parts))
        columns: list[exp.Alias] = [_named(score, "score")]
        calibration, effect = self.spec.calibration, self.spec.effect
        if calibration is not None:
            lines = _curves("probability", calibration.probability, calibration.low, calibration.high)
            columns += [_line(name, score, calibration.score, to) for name, to in lines.items()]
        if effect is not None:
            lines = _curves("uplift", effect.uplift, effect.low, effect.high)
            columns += [_line(name, score, effect.score, to) for name, to in lines.items()]
        if self.spec.worth is not None and (calibration or effect) is not None:
            what = "probability" if effect is None else "uplift"
            share = next(column.this for column in columns if column.alias == what)
            expected = exp.Mul(this=exp.Paren(this=share.copy()), expression=build.col("worth"))
            columns.append(_named(expected, "expected"))
        return _more("totals", columns)

    # ----------------------------------------------------------------------------------------------------- grades

    def _grading(self, grades: models.GradesSpec) -> list[Cte]:
        past = self.options.grade_history
        ctes: list[Cte] = [("before", levels_before(self.scorecard, self.moment))] if past else []
        ctes.append(("leveled", self._leveled(grades)))
        level_columns = [build.col(f"level_{number}") for number in range(1, len(grades.axes) + 1)]
        grade: Sql = level_columns[0]
        if len(level_columns) == 2:
            grade = exp.DPipe(this=level_columns[0], expression=level_columns[1], safe=True)
        gate: Sql = exp.cast(exp.Null(), exp.DType.TEXT)
        if self.scorecard.gates:
            gate = _by_gate({number: item.spec.name for number, item in enumerate(self.scorecard.gates)}, None)
            grade = _by_gate({number: item.spec.grade for number, item in enumerate(self.scorecard.gates)}, grade)
        return [*ctes, ("graded", _more("leveled", [_named(grade, "grade"), _named(gate, "gate")]))]

    def _leveled(self, grades: models.GradesSpec) -> exp.Select:
        columns: list[Sql] = []
        for number, (axis, levels) in enumerate(grades.axes.items(), start=1):
            value = build.col("score" if axis == "score" else f"{axis}{TOTAL}", "s")
            as_of = self.moment.sql("s")
            if not self.options.grade_history:
                columns += [_named(raw_level(value, levels), f"level_{number}"), _named(as_of, f"since_{number}")]
                continue
            before, since = build.col(f"level_{number}", "b"), build.col(f"since_{number}", "b")
            level = held_level(value, levels, grades.hysteresis, before=before, since=since, as_of=as_of)
            entered = build.case([(build.equals(level.copy(), before.copy()), since.copy())], as_of.copy())
            columns += [_named(level, f"level_{number}"), _named(entered, f"since_{number}")]
        select = exp.select(exp.Column(this=exp.Star(), table=exp.to_identifier("s", quoted=True)), *columns)
        select = select.from_(build_table("scored", "s"))
        if not self.options.grade_history:
            return select
        keys = [self.key, *self.moment.keys]
        on = build.both(*(build.equals(build.col(key, "b"), build.col(key, "s")) for key in keys))
        return select.join(build_table("before", "b"), on=on, join_type="left")


def levels_before(scorecard: ResolvedScorecard, moment: Moment) -> exp.Select:
    """Return the levels each lead (or account) held last, up to the as-of; with several moments, of those `scored`."""
    assert scorecard.spec.grades is not None
    of, axes = scorecard.spec.of, len(scorecard.spec.grades.axes)
    keys = [build.col(of, "h"), *(build.col(key, "s") for key in moment.keys)]
    names = [f"{what}_{number}" for number in range(1, axes + 1) for what in ("level", "since")]
    latest = [exp.Ordered(this=build.col(name, "h"), desc=True, nulls_first=False) for name in ("at", "run")]
    rank = exp.Window(this=exp.RowNumber(), partition_by=keys, order=exp.Order(expressions=latest))
    upto = exp.LTE(this=build.col("at", "h"), expression=moment.sql("s"))
    ours = build.equals(build.col("scorecard", "h"), build.text(scorecard.name))
    inner = exp.select(*(key.copy() for key in keys), *(build.col(name, "h") for name in names), _named(rank, "_n"))
    inner = inner.from_(build_table("grade_history", "h"))
    if moment.single:
        asked = moment.among(build.col(of, "h")) if moment.limited else None
        inner = inner.where(build.both(ours, upto, asked), copy=False)
    else:
        same = build.equals(build.col(of, "h"), build.col(of, "s"))
        inner = inner.join(build_table("scored", "s"), on=build.both(same, upto)).where(ours, copy=False)
    outer = exp.select(*(build.col(name) for name in [of, *moment.keys, *names]))
    return outer.from_(inner.subquery("r")).where(build.equals(build.col("_n"), build.number(1)), copy=False)


def _names(criterion: ResolvedCriterion) -> frozenset[str] | None:
    """Return the names a criterion's points rest on; None where they rest on events."""
    spec = criterion.spec
    if isinstance(spec, models.PairCriterion):
        return frozenset(spec.features)
    if isinstance(spec, models.WhenCriterion):
        return None if criterion.condition is None else criterion.condition.names
    return None if isinstance(spec, models.EventCriterion) else frozenset({spec.feature})


def _by_gate(values: Mapping[int, str], otherwise: Sql | None) -> Sql:
    branches = [(build.equals(build.col("_gate"), build.number(n)), build.text(value)) for n, value in values.items()]
    return build.case(branches, otherwise)


def _more(source: str, columns: Sequence[Sql]) -> exp.Select:
    """Select all of a table, and more."""
    return exp.select(exp.Star(), *columns).from_(build_table(source))


def _curves(
    name: str, middle: list[float], low: list[float] | None, high: list[float] | None
) -> dict[str, list[float]]:
    """Return a curve and the ends of its interval by the names of their columns."""
    ends = {f"{name}_low": low, f"{name}_high": high}
    return {name: middle, **{end: values for end, values in ends.items() if values is not None}}


def _line(name: str, score: Sql, at: list[float], to: list[float]) -> exp.Alias:
    return _named(build.interpolate(exp.Paren(this=score.copy()), at, to), name)


def _named(value: Sql, name: str) -> exp.Alias:
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))
