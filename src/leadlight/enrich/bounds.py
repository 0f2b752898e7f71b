"""Whose grade an answer could still change: exact bounds of what each lead could come to, for many leads at once.

For each lead some attributes are open: a provider may still say what they are. Every criterion that rests on them has
a least and a most it could give (see `ranges`); these go through the caps, the thresholds with their hysteresis, the
gates and `exclude`, as the points do. An attribute *matters* where the grade is not settled, and what rests on the
attribute has a part in it. Without grades it matters where the score could rise.

An attribute that is said not to matter cannot change the grade, whatever it turns out to be and whatever the other
open attributes turn out to be. Where each open attribute has a criterion of its own, the bounds are reached, so that
one that matters can change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import pyarrow as pa
from sqlglot import exp

from leadlight.engines.base import Engine
from leadlight.enrich.ranges import NOTHING, Rests, range_of, reached, rests_on
from leadlight.expr import build
from leadlight.expr.build import Sql
from leadlight.expr.sql import to_sql
from leadlight.features.compile import Cte, FeaturePlan, build_table, with_ctes
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import levels_before, name_types
from leadlight.scorecards.grades import held_level, raw_level
from leadlight.scorecards.past import continues
from leadlight.scorecards.points import points
from leadlight.spec import models
from leadlight.spec.resolved import ResolvedCriterion, ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import Sql as Text
from leadlight.store.sql import each, fill, joined, more

OPEN = "_open"
"""The table of what is open: lead, and a truth value for each attribute."""
STEPS, RISE = "_steps", "_rise"
"""By how many grades, and by how many points, a lead could rise."""
ENDS = ("now", "low", "high")


def reach(
    engine: Engine,
    workspace: ResolvedWorkspace,
    cards: Iterable[ResolvedScorecard],
    as_of: datetime,
    opened: pa.Table,
) -> pa.Table:
    """Return which of the open attributes matter to some scorecard.

    `opened` has a column `lead` and one of truth values for each attribute; so has the answer, with `_steps` and
    `_rise` besides: by how many grades and points the lead could rise by some scorecard.
    """
    attributes = [name for name in opened.column_names if name != "lead"]
    nothing = fill("SELECT lead{rest}, 0 AS _steps, 0.0::DOUBLE AS _rise FROM {open}", open=OPEN,
                   rest=Text("".join(each(", false AS {name}", [name]) for name in attributes)))  # fmt: skip
    engine.register(OPEN, opened)
    try:
        parts = [nothing, *(_of_card(engine, workspace, card, as_of, opened, attributes) for card in cards)]
        found = fill(
            "SELECT lead{matters}, max(_steps) AS _steps, max(_rise) AS _rise FROM ({parts}) GROUP BY lead "
            "ORDER BY lead",
            matters=Text("".join(each(", bool_or({name}) AS {name}", [name]) for name in attributes)),
            parts=joined([part for part in parts if part is not None], " UNION ALL "),
        )  # fmt: skip
        return engine.arrow(found)
    finally:
        engine.unregister(OPEN)


def _of_card(
    engine: Engine, workspace: ResolvedWorkspace, card: ResolvedScorecard, as_of: datetime, opened: pa.Table,
    attributes: Sequence[str],
) -> Text | None:  # fmt: skip
    """Return the query of what matters to one scorecard; None where nothing does."""
    leads = opened.column("lead").to_pylist()
    only: list[int | str] = leads
    if card.spec.of == "account":
        only = _accounts(engine, as_of)
    moment = Moment(as_of=as_of, only=only)
    made = _Reach(workspace, card, moment, attributes, past=continues(engine, card, as_of))
    statement = made.statement()
    if statement is None:
        return None
    text = Text(build.to_text(statement, engine.capabilities.dialect))
    rest = [name for name in attributes if name not in made.relevant]
    if card.spec.of == "lead":
        matters = more(*(fill("false AS {name}" if name in rest else "{name}", name=name) for name in attributes))
        return fill("SELECT lead{matters}, _steps, _rise FROM ({text}) r", text=text, matters=matters)
    return fill(
        "SELECT o.lead{matters}, _steps, _rise FROM ({text}) r JOIN attributes x ON x.account = r.account "
        "AND x.known_at <= {at} AND x.known_until > {at} JOIN {open} o ON o.lead = x.lead",
        text=text, open=OPEN, at=_moment(as_of),
        matters=more(*(
            fill("false AS {name}" if name in rest else "r.{name} AND o.{name} AS {name}", name=name)
            for name in attributes
        )),
    )  # fmt: skip


def _accounts(engine: Engine, as_of: datetime) -> list[int | str]:
    found = engine.rows(
        fill(
            "SELECT DISTINCT account FROM attributes x JOIN {open} o ON o.lead = x.lead "
            "WHERE account IS NOT NULL AND known_at <= ? AND known_until > ? ORDER BY 1",
            open=OPEN,
        ),
        [as_of, as_of],
    )
    return [account for (account,) in found]


def _moment(at: datetime) -> Text:
    return Text(build.moment(at).sql("duckdb"))


def used_attributes(workspace: ResolvedWorkspace, cards: Iterable[ResolvedScorecard], names: Iterable[str]) -> set[str]:
    """Return which of these attributes some scorecard, gate or `exclude` rests on, directly or through features."""
    wanted = frozenset(names)
    return {name for card in cards for name in _Names(workspace, card, wanted).used}


def rests_on_colleagues(workspace: ResolvedWorkspace, card: ResolvedScorecard) -> bool:
    """Return whether what a scorecard gives a lead rests on attributes of the other leads of its account."""
    return bool(_Names(workspace, card, frozenset(workspace.catalog.attributes)).wide)


# ------------------------------------------------------------------------------------------------- what rests on what


class _Names:
    """Which attributes each part of a scorecard rests on."""

    def __init__(self, workspace: ResolvedWorkspace, card: ResolvedScorecard, attributes: frozenset[str]) -> None:
        self.workspace, self.card = workspace.with_features(card.features), card
        self.attributes = attributes
        self._known: dict[str, Rests] = {}

    def rests(self, name: str) -> Rests:
        """Return what a name rests on."""
        if name not in self._known:
            self._known[name] = rests_on(self.workspace, name, self.attributes, of=self.card.spec.of)
        return self._known[name]

    def all_rest(self, names: Iterable[str]) -> Rests:
        """Return what several names rest on."""
        found = NOTHING
        for name in names:
            found = found | self.rests(name)
        return found

    def criterion(self, criterion: ResolvedCriterion) -> Rests:
        """Return what a criterion rests on."""
        spec = criterion.spec
        if isinstance(spec, models.EventCriterion):
            return NOTHING
        if isinstance(spec, models.WhenCriterion):
            return self.all_rest(criterion.condition.names if criterion.condition is not None else ())
        return self.all_rest(spec.features if isinstance(spec, models.PairCriterion) else (spec.feature,))

    @property
    def gates(self) -> list[Rests]:
        """What each gate rests on; nothing counts where there are no grades."""
        graded = self.card.spec.grades is not None
        return [self.all_rest(gate.condition.names) for gate in self.card.gates] if graded else []

    @property
    def exclude(self) -> Rests:
        """What `exclude` rests on."""
        condition = self.workspace.exclude
        return NOTHING if condition is None or self.card.spec.of != "lead" else self.all_rest(condition.names)

    @property
    def used(self) -> frozenset[str]:
        """All attributes that the scorecard rests on."""
        return self._everything.all

    @property
    def wide(self) -> frozenset[str]:
        """Those of which it takes the values of all leads of an account."""
        return self._everything.wide

    @property
    def _everything(self) -> Rests:
        found = self.exclude
        for rests in (*self.gates, *(self.criterion(criterion) for criterion in self.card.criteria)):
            found = found | rests
        return found


# ------------------------------------------------------------------------------------------------------ the statement


class _Reach:
    def __init__(
        self,
        workspace: ResolvedWorkspace,
        card: ResolvedScorecard,
        moment: Moment,
        attributes: Iterable[str],
        *,
        past: bool,
    ) -> None:
        self.names = _Names(workspace, card, frozenset(attributes))
        self.workspace, self.card, self.moment, self.past = self.names.workspace, card, moment, past
        self.spec, self.of = card.spec, card.spec.of
        self.plan = FeaturePlan(self.workspace, moment, self.of)
        self.types = name_types(self.workspace)
        used = self.names.used
        self.relevant = [name for name in attributes if name in used]
        wide = self.names.wide
        self.wide = [name for name in self.relevant if name in wide]

    def statement(self) -> exp.Select | None:
        """Return the statement: the key, whether each attribute matters, and how far the lead could rise."""
        if not self.relevant:
            return None
        given = self._given()  # asks for features first, so that the tables before it are complete
        ctes: list[Cte] = [*self.plan.ctes(), *self._flagged(), ("given", given), ("sums", self._sums())]
        ctes.append(("scored", self._scored()))
        if self.spec.grades is not None:
            ctes += self._leveled(self.spec.grades)
            ctes.append(("settled", self._settled(self.spec.grades)))
        else:
            ctes.append(("settled", _more("scored", [])))
        ctes.append(("mattering", self._mattering()))
        return with_ctes(self._result(), ctes)

    # ------------------------------------------------------------------------------------------------- what is open

    def _flag(self, name: str, *, wide: bool) -> exp.Column:
        return build.col(f"_{'wide' if wide else 'own'}_{self.relevant.index(name)}")

    def _opened(self, rests: Rests) -> Sql | None:
        flags = [self._flag(name, wide=False) for name in sorted(rests.own)]
        flags += [self._flag(name, wide=True) for name in sorted(rests.wide)]
        return exp.Paren(this=build.either(*flags)) if flags else None

    def _open(self, name: str) -> Sql | None:
        return self._opened(self.names.rests(name))

    def _flagged(self) -> list[Cte]:
        return self._flags_of_accounts() if self.of == "account" else self._flags_of_leads()

    def _flags_of_leads(self) -> list[Cte]:
        """What is open of each lead; of a colleague that is not asked about, what is missing may be filled."""
        columns = []
        for name in self.relevant:
            otherwise = exp.Is(this=build.col(name, "f"), expression=exp.Null()) if self.wide else exp.false()
            known = exp.Coalesce(this=build.col(name, "o"), expressions=[otherwise])
            columns.append(_named(known, self._flag(name, wide=False).name))
        here = exp.Not(this=exp.Is(this=build.col("lead", "o"), expression=exp.Null()))
        table = exp.select(_all_of("f"), *columns, _named(here, "_here")).from_(build_table(self.plan.table, "f"))
        on = build.equals(build.col("lead", "o"), build.col("lead", "f"))
        table = table.join(build_table(OPEN, "o"), on=on, join_type="left")
        if not self.wide:
            return [("flagged", table)]
        shared = [
            _named(_in_account(self._flag(name, wide=False)), self._flag(name, wide=True).name) for name in self.wide
        ]
        return [("owned", table), ("flagged", _more("owned", shared))]

    def _flags_of_accounts(self) -> list[Cte]:
        """What is open of any lead of an account; those that are not asked about may be asked at another time."""
        columns = [
            _named(exp.LogicalOr(this=exp.Coalesce(this=build.col(name, "o"), expressions=[exp.true()])),
                   self._flag(name, wide=True).name)
            for name in self.wide
        ]  # fmt: skip
        key = build.col("account", "m")
        theirs = exp.select(_named(key, "_account"), *columns).from_(build_table("members", "m"))
        on = build.equals(build.col("lead", "o"), build.col("lead", "m"))
        theirs = theirs.join(build_table(OPEN, "o"), on=on, join_type="left").group_by(key.copy())
        on = build.equals(build.col("_account", "t"), build.col("account", "f"))
        flagged = exp.select(exp.Star()).from_(build_table(self.plan.table, "f"))
        return [("theirs", theirs), ("flagged", flagged.join(build_table("theirs", "t"), on=on))]

    # ------------------------------------------------------------------------------------------------------- points

    def _given(self) -> exp.Select:
        """What each criterion gives, and the least and the most that it could give; the same for gates."""
        for name in self.relevant:
            if self.of == "lead":
                self.plan.need(name)
        columns: list[Sql] = []
        for criterion in self.card.criteria:
            columns += self._ends_of(criterion)
        gates = self.card.gates if self.spec.grades is not None else ()
        for number, gate in enumerate(gates):
            self.plan.need_all(gate.condition.names)
            now = exp.Coalesce(this=to_sql(gate.condition, build.col), expressions=[exp.false()])
            columns += [
                _named(now, f"_gate_{number}"),
                _named(reached(gate.condition, self._open, most=True), f"_could_{number}"),
                _named(reached(gate.condition, self._open, most=False), f"_must_{number}"),
            ]
        condition = self.workspace.exclude if self.of == "lead" else None
        if condition is not None:
            self.plan.need_all(condition.names)
            out = exp.Coalesce(this=to_sql(condition, build.col), expressions=[exp.false()])
            columns += [
                _named(out, "_out"),
                _named(reached(condition, self._open, most=True), "_could_go"),
                _named(reached(condition, self._open, most=False), "_must_go"),
            ]
        kept = [build.col(self.of), *([build.col("account"), build.col("_here")] if self.of == "lead" else [])]
        flags = [self._flag(name, wide=False) for name in self.relevant if self.of == "lead"]
        flags += [self._flag(name, wide=True) for name in self.wide]
        return exp.select(*kept, *flags, *columns).from_(build_table("flagged"))

    def _ends_of(self, criterion: ResolvedCriterion) -> list[Sql]:
        spec = criterion.spec
        if isinstance(spec, models.CategoryCriterion | models.BandCriterion):
            self.plan.need(spec.feature)
        elif isinstance(spec, models.PairCriterion):
            self.plan.need_all(spec.features)
        elif isinstance(spec, models.WhenCriterion) and criterion.condition is not None:
            self.plan.need_all(criterion.condition.names)
        now = points(criterion, self.plan.events, self.types)
        columns: list[Sql] = [_named(now, _end(criterion.key, "now"))]
        ends = range_of(criterion, now, self.types, self._open)
        if ends is not None:
            columns += [_named(ends[0], _end(criterion.key, "low")), _named(ends[1], _end(criterion.key, "high"))]
        return columns

    def _col(self, criterion: ResolvedCriterion, end: str) -> exp.Column:
        return build.col(_end(criterion.key, end if self._spreads(criterion) else "now"))

    def _spreads(self, criterion: ResolvedCriterion) -> bool:
        return bool(self.names.criterion(criterion).all)

    def _sums(self) -> exp.Select:
        columns: list[Sql] = []
        for group, spec in self.spec.groups.items():
            ours = [criterion for criterion in self.card.criteria if criterion.group == group]
            for end in ENDS:
                total = build.total(self._col(criterion, end) for criterion in ours)
                columns.append(_named(build.double(build.clip(exp.Paren(this=total), *spec.cap)), _end(group, end)))
        return _more("given", columns)

    def _scored(self) -> exp.Select:
        columns: list[Sql] = []
        for end in ENDS:
            parts = [build.number(self.spec.base), *(build.col(_end(group, end)) for group in self.spec.groups)]
            columns.append(_named(build.double(build.total(parts)), _end("score", end)))
        return _more("sums", columns)

    # ------------------------------------------------------------------------------------------------------- grades

    def _leveled(self, grades: models.GradesSpec) -> list[Cte]:
        """The level on each axis now, and at both ends: a level never falls as the points rise."""
        columns: list[Sql] = []
        for number, (axis, levels) in enumerate(grades.axes.items(), start=1):
            for end in ENDS:
                value = build.col(_end(axis, end), "s")
                level: Sql = raw_level(value, levels)
                if self.past:
                    before, since = build.col(f"level_{number}", "b"), build.col(f"since_{number}", "b")
                    as_of = self.moment.sql("s")
                    level = held_level(value, levels, grades.hysteresis, before=before, since=since, as_of=as_of)
                columns.append(_named(level, f"_level_{number}_{end}"))
        leveled = exp.select(_all_of("s"), *columns).from_(build_table("scored", "s"))
        if not self.past:
            return [("leveled", leveled)]
        on = build.equals(build.col(self.of, "b"), build.col(self.of, "s"))
        past = levels_before(self.card, self.moment)
        return [("before", past), ("leveled", leveled.join(build_table("before", "b"), on=on, join_type="left"))]

    def _settled(self, grades: models.GradesSpec) -> exp.Select:
        """Whether the grade could be another than it is, its place among all grades, and the best it could be."""
        labels = {label: place for place, label in enumerate(grades.labels)}
        places = [labels[gate.spec.grade] for gate in self.card.gates]
        branches: list[tuple[Sql, Sql]] = [
            (build.col(f"_gate_{number}"), build.number(place)) for number, place in enumerate(places)
        ]
        now = build.case(branches, _place(grades, "now"))
        free, worst = self._no_gate(len(places)), build.number(len(labels))
        moves = [self._level_moves(number) for number in range(1, len(grades.axes) + 1)]
        levels_change = build.either(*moves, exp.NEQ(this=_place(grades, "now"), expression=_paren(now)))
        changes = [_and(free, _paren(levels_change))]
        best = [build.case([(free.copy(), _place(grades, "high"))], worst)]
        for number, place in enumerate(places):
            decides = _and(build.col(f"_could_{number}"), self._no_gate(number))
            changes.append(_and(decides, exp.NEQ(this=build.number(place), expression=_paren(now))))
            best.append(build.case([(decides.copy(), build.number(place))], worst.copy()))
        end = exp.Least(this=best[0], expressions=best[1:], ignore_nulls=True) if places else best[0]
        named = {"_place": now, "_best": end, "_changes": build.either(*changes), "_free": free.copy()}
        return _more("leveled", [_named(value, name) for name, value in named.items()])

    def _no_gate(self, upto: int) -> Sql:
        """Return whether none of the first gates is true whatever is answered."""
        musts = [build.col(f"_must_{number}") for number in range(upto)]
        return exp.Paren(this=exp.Not(this=exp.Paren(this=build.either(*musts)))) if musts else exp.true()

    def _level_moves(self, number: int) -> Sql:
        return exp.NEQ(this=build.col(f"_level_{number}_low"), expression=build.col(f"_level_{number}_high"))

    # ----------------------------------------------------------------------------------------------- what matters

    def _mattering(self) -> exp.Select:
        """Whether each attribute has a part in what is not settled: the lead's own, and that of its colleagues."""
        columns: list[Sql] = []
        for name in self.relevant:
            if self.of == "lead":
                columns.append(_named(self._matters(name, wide=False), f"_matters_{self.relevant.index(name)}"))
            if name in self.wide:
                columns.append(_named(self._matters(name, wide=True), f"_shared_{self.relevant.index(name)}"))
        return _more("settled", columns)

    def _matters(self, name: str, *, wide: bool) -> Sql:
        def concerns(rests: Rests) -> bool:
            return name in (rests.wide if wide else rests.own)

        parts = [part for criterion in self.card.criteria if concerns(self.names.criterion(criterion))
                 for part in self._moved_by(criterion)]  # fmt: skip
        for number, rests in enumerate(self.names.gates):
            if concerns(rests):
                unsure = exp.NEQ(this=build.col(f"_could_{number}"), expression=build.col(f"_must_{number}"))
                parts.append(_and(self._no_gate(number), unsure, build.col("_changes")))
        has_exclude = self.workspace.exclude is not None and self.of == "lead"
        if has_exclude:
            parts = [_and(exp.Not(this=build.col("_must_go")), exp.Paren(this=build.either(*parts)))] if parts else []
            if concerns(self.names.exclude):
                parts.append(exp.NEQ(this=build.col("_could_go"), expression=build.col("_must_go")))
        return _and(self._flag(name, wide=wide), exp.Paren(this=build.either(*parts))) if parts else exp.false()

    def _moved_by(self, criterion: ResolvedCriterion) -> list[Sql]:
        """Return the ways in which a criterion has a part in what is not settled."""
        group, key = criterion.group, criterion.key
        if self.spec.grades is None:
            return [_and(_less(_end(key, "now"), _end(key, "high")), _less(_end(group, "now"), _end(group, "high")))]
        spreads = _and(_less(_end(key, "low"), _end(key, "high")), _less(_end(group, "low"), _end(group, "high")))
        return [
            _and(spreads.copy(), self._level_moves(number), build.col("_free"), build.col("_changes"))
            for number, axis in enumerate(self.spec.grades.axes, start=1)
            if axis in ("score", group)
        ]  # fmt: skip

    def _result(self) -> exp.Select:
        columns: list[Sql] = [build.col(self.of)]
        for number, name in enumerate(self.relevant):
            columns.append(_named(self._whether(number, name), name))
        rise = exp.Sub(this=build.col(_end("score", "high")), expression=build.col(_end("score", "now")))
        steps: Sql = build.number(0)
        if self.spec.grades is not None:
            place: Sql = build.col("_place")
            if self.workspace.exclude is not None and self.of == "lead":
                place = build.case([(build.col("_out"), build.number(len(self.spec.grades.labels)))], place)
            steps = exp.Sub(this=exp.Paren(this=place), expression=build.col("_best"))
        for value, alias in ((steps, STEPS), (rise, RISE)):
            end = exp.Greatest(this=exp.Paren(this=value), expressions=[build.number(0)], ignore_nulls=True)
            columns.append(_named(_in_account(end, how=exp.Max) if self.wide and self.of == "lead" else end, alias))
        select = exp.select(*columns).from_(build_table("mattering"))
        if self.of == "account":
            return select
        inner = select.select(build.col("_here")).subquery("r")
        outer = exp.select(*(build.col(name) for name in ("lead", *self.relevant, STEPS, RISE)))
        return outer.from_(inner).where(build.col("_here"), copy=False)

    def _whether(self, number: int, name: str) -> Sql:
        if self.of == "account":
            return build.col(f"_shared_{number}")
        own = build.col(f"_matters_{number}")
        if name not in self.wide:
            return own
        theirs = _and(self._flag(name, wide=False), _in_account(build.col(f"_shared_{number}")))
        return exp.Paren(this=exp.Or(this=own, expression=theirs))


def _place(grades: models.GradesSpec, end: str) -> Sql:
    """Return the place of the grade that the levels make, 0 for the best."""
    axes = list(grades.axes.values())
    place: Sql = build.number(0)
    for number, levels in enumerate(axes, start=1):
        size = len(axes[1]) if number == 1 and len(axes) == 2 else 1
        column = build.col(f"_level_{number}_{end}")
        branches = [
            (build.equals(column.copy(), build.text(label)), build.number(size * step))
            for step, (label, _) in enumerate(reversed(levels))
        ]
        place = exp.Add(this=place, expression=build.case(branches, build.number(0)))
    return exp.Paren(this=place)


def _in_account(value: Sql, *, how: type[exp.AggFunc] = exp.LogicalOr) -> Sql:
    """Return a value over all leads of the account; of a lead without one, its own."""
    window = exp.Window(this=how(this=value.copy()), partition_by=[build.col("account")])
    alone = exp.Is(this=build.col("account"), expression=exp.Null())
    return build.case([(alone, value)], window)


def _end(name: str, end: str) -> str:
    return f"{name}__{end}"


def _less(low: str, high: str) -> Sql:
    return exp.LT(this=build.col(low), expression=build.col(high))


def _and(*parts: Sql) -> Sql:
    found = build.both(*parts)
    assert found is not None
    return exp.Paren(this=found)


def _paren(value: Sql) -> exp.Paren:
    return exp.Paren(this=value.copy())


def _all_of(table: str) -> exp.Column:
    return exp.Column(this=exp.Star(), table=exp.to_identifier(table, quoted=True))


def _more(source: str, columns: Sequence[Sql]) -> exp.Select:
    return exp.select(exp.Star(), *columns).from_(build_table(source))


def _named(value: Sql, name: str) -> exp.Alias:
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))
