"""Features as SQL: from the tables of the documented shape to one row per lead (or account) and moment.

The statement is a chain of common table expressions, each a question a person could ask:

    units     who exists as of the moment, with the attributes known then
    members   which leads belong to which account then           (where accounts matter)
    events_…  one pass over the events that can count            (where events matter)
    known     values that need attributes only                   (where a scorecard asks for them)
    f0, f1 …  features, each level using only the ones before

All functions are pure: they return trees, an engine runs them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, assert_never

from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.build import Sql
from leadlight.expr.sql import to_sql
from leadlight.expr.types import Type
from leadlight.features.aggregates import Aggregate, Aggregates, Match
from leadlight.features.moment import Moment
from leadlight.spec import models
from leadlight.spec.resolved import ResolvedFeature, ResolvedWorkspace

Unit = Literal["lead", "account"]
Cte = tuple[str, exp.Select]

AGE = "_age"
"""The days from an event to the as-of, in the table of events."""

OUTCOME = "outcome"
"""The name of a lead's last outcome as of the moment, missing while the lead is open."""

_BUILT_IN = frozenset({"created_at", "account", "id", "as_of", "leads"})
"""Names every unit has by itself."""


def feature_statement(
    workspace: ResolvedWorkspace, moment: Moment, *, of: Unit = "lead", features: Iterable[str] | None = None
) -> exp.Select:
    """Return the statement that yields features: keys, then one column for each name asked for (all unless told).

    Rows are (lead, id, as_of), or (account, as_of); a lead that does not exist as of the moment has no row.
    """
    names = list(workspace.features) if features is None else list(features)
    plan = FeaturePlan(workspace, moment, of)
    for name in names:
        plan.need(name)
    ctes = plan.ctes()
    keys = ["account", "as_of"] if of == "account" else ["lead", "id", "as_of"]
    select = exp.select(*(build.col(key) for key in keys), *(build.col(name) for name in names if name not in keys))
    select = select.from_(build_table(plan.table))
    return with_ctes(select if plan.asked is None else select.where(plan.asked, copy=False), ctes)


def with_ctes(select: exp.Select, ctes: Iterable[Cte]) -> exp.Select:
    """Put common table expressions before a statement."""
    for name, query in ctes:
        select = select.with_(exp.to_identifier(name, quoted=True), as_=query, copy=False)
    return select


def build_table(name: str, alias: str | None = None) -> exp.Table:
    """Name a table, always quoted."""
    return exp.table_(name, quoted=True, alias=alias)


@dataclass(frozen=True, slots=True)
class _Join:
    """A table of aggregates, and what it is joined by."""

    table: str
    unit: Unit
    columns: list[str]


@dataclass(slots=True)
class FeaturePlan:
    """Gathers which names and aggregates are needed, then writes the chain of tables that yields them."""

    workspace: ResolvedWorkspace
    moment: Moment
    of: Unit
    prefix: str = ""
    needed: dict[str, ResolvedFeature] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    account_attributes: set[str] = field(default_factory=set)
    values: dict[str, Sql] = field(default_factory=dict)
    """Feature → its value, in terms of the level before it."""
    levels: dict[str, int] = field(default_factory=dict)
    over_leads: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Column → (sum or max, the name summed) over the leads of the account."""
    events: Aggregates = field(init=False)
    account_events: Aggregates = field(init=False)
    known: dict[str, Sql] = field(default_factory=dict)
    """Column → a value that needs nothing but what `units` has."""
    outcome: bool = False
    """Whether the lead's last outcome is needed."""
    of_leads: FeaturePlan | None = None
    """For accounts: the plan of their leads, where a sum or max over leads is asked for."""

    def __post_init__(self) -> None:
        owner = "m" if self.of == "account" else "u"
        own_age = build.col(AGE, "e") if self._ages_first else _age(self.moment.sql(owner))
        self.events = Aggregates(self.moment.sql(owner), f"_{self.prefix}e", own_age)
        theirs = Aggregates(self.moment.sql("m"), f"_{self.prefix}a", _age(self.moment.sql("m")))
        self.account_events = self.events if self.of == "account" else theirs

    @property
    def _ages_first(self) -> bool:
        """Whether each event's age is computed once, before the sums that use it: where no join comes between."""
        return self.of == "lead" and self.moment.single

    # ---------------------------------------------------------------------------------------------- what is needed

    @property
    def table(self) -> str:
        """The table that holds all that is needed."""
        return f"{self.prefix}f{max(self.levels.values(), default=0)}"

    @property
    def keys(self) -> list[str]:
        """The columns that tell rows apart."""
        return [self.of, *self.moment.keys]

    def need(self, name: str) -> None:
        """Ask for a feature, an attribute or a built-in name; what it rests on comes along."""
        if name in self.needed or name in _BUILT_IN:
            return
        if name == OUTCOME:
            self.outcome = True
            return
        feature = self.workspace.features.get(name)
        if feature is None or self._is_attribute(feature):
            self._need_attribute(name)
            return
        self.needed[name] = feature
        self.values[name] = self._value(feature)
        self.levels[name] = 1 + max((self.levels.get(other, 0) for other in self._inputs(feature)), default=0)

    def need_all(self, names: Iterable[str]) -> None:
        """Ask for several names."""
        for name in sorted(names):
            self.need(name)

    def knows(self, names: Iterable[str]) -> bool:
        """Return whether names that were asked for are all in `units`: no events, no other features."""
        own = self.attributes | self.account_attributes | _BUILT_IN
        return all(name in own and name not in self.needed for name in names)

    def early(self, value: Sql) -> exp.Column:
        """Have a value over `units` worked out before anything is joined, and return its column."""
        column = f"_{self.prefix}k{len(self.known) + 1}"
        self.known[column] = value
        return build.col(column)

    def _is_attribute(self, feature: ResolvedFeature) -> bool:
        return isinstance(feature.spec, models.AttributeFeature) and feature.spec.attribute == feature.name

    def _need_attribute(self, name: str) -> None:
        own = name in self.workspace.catalog.attributes and self.of == "lead"
        (self.attributes if own else self.account_attributes).add(name)

    def _inputs(self, feature: ResolvedFeature) -> frozenset[str]:
        """The names a feature's value uses from the level before."""
        if feature.expression is not None:
            return feature.expression.names
        spec = feature.spec
        if isinstance(spec, models.UntilFeature):
            return frozenset({spec.until})
        if isinstance(spec, models.AfterFeature):
            return frozenset({spec.after, spec.by} - {None})  # type: ignore[arg-type]
        if isinstance(spec, models.AccountFeature) and isinstance(
            spec.account, models.LeadSumFeature | models.LeadMaxFeature
        ):
            return frozenset() if self.of == "account" else frozenset({_lead_value(spec.account)[1]})
        return frozenset()

    def _value(self, feature: ResolvedFeature) -> Sql:
        spec = feature.spec
        match spec:
            case models.AttributeFeature():
                self.need(spec.attribute)
                return build.col(spec.attribute)
            case models.ExprFeature():
                assert feature.expression is not None  # resolve parses it
                self.need_all(feature.expression.names)
                return to_sql(feature.expression, build.col)
            case models.AgeFeature():
                self.need(spec.age)
                return build.days_between(build.col(spec.age), self._as_of())
            case models.UntilFeature():
                self.need(spec.until)
                return build.days_between(self._as_of(), build.col(spec.until))
            case models.AfterFeature():
                return self._after(spec)
            case models.AccountFeature():
                return self._account_value(feature, spec.account)
            case _:
                return event_value(self.events, spec, feature, self._as_of())

    def _after(self, spec: models.AfterFeature) -> Sql:
        self.need(spec.after)
        at = build.col(spec.after)
        if spec.by is None or not isinstance(spec.plus, dict):
            assert not isinstance(spec.plus, dict)  # the spec sees to it
            return build.later(at, spec.plus)
        self.need(spec.by)
        kind = self._type(spec.by)
        branches = [
            (build.equals(build.col(spec.by), build.constant(key, kind)), build.later(at.copy(), plus))
            for key, plus in spec.plus.items()
        ]
        # A time that is missing, of a type that every engine knows: ClickHouse casts no null to one.
        nothing = exp.Nullif(this=at.copy(), expression=at.copy())
        return build.case(branches, nothing if spec.other is None else build.later(at.copy(), spec.other))

    def _type(self, name: str) -> Type:
        feature = self.workspace.features.get(name)
        if feature is not None:
            return feature.type
        catalog = self.workspace.catalog
        return {**catalog.account_attributes, **catalog.attributes}[name]

    def _account_value(
        self,
        feature: ResolvedFeature,
        spec: models.EventFeature | models.DistinctLeadsFeature | models.LeadSumFeature | models.LeadMaxFeature,
    ) -> Sql:
        if isinstance(spec, models.LeadSumFeature | models.LeadMaxFeature):
            how, name = _lead_value(spec)
            column = f"_{self.prefix}l{len(self.over_leads) + 1}"
            self.over_leads[column] = (how, name)
            self._leads_plan().need(name)
            value: Sql = build.or_zero(build.col(column)) if how == "sum" else build.col(column)
        else:
            value = event_value(self.account_events, spec, feature, self._as_of())
        if self.of == "account" or not isinstance(value, exp.Coalesce):
            return value
        # A lead without an account has no account whose events could be none: missing, not zero.
        known = exp.Not(this=exp.Is(this=build.col("account"), expression=exp.Null()))
        return build.case([(known, value)])

    def _leads_plan(self) -> FeaturePlan:
        if self.of == "lead":
            return self
        self.of_leads = self.of_leads or FeaturePlan(self.workspace, self.moment, "lead", prefix="leads_")
        return self.of_leads

    def _as_of(self) -> Sql:
        return build.col("as_of")

    # ------------------------------------------------------------------------------------------------- the tables

    def ctes(self) -> list[Cte]:
        """Write the chain of tables, in order of dependence."""
        theirs = self.account_events
        account_pass = theirs is not self.events and theirs.asked
        chain: list[Cte] = []
        if self.of == "account":
            chain += self._account_units()
        else:
            chain.append((f"{self.prefix}units", self._units()))
            if account_pass:
                chain.append((f"{self.prefix}members", self._members_of_units()))
        joins: list[_Join] = []
        if self.events.asked:
            chain += self._event_pass(self.events, f"{self.prefix}events_seen", self.of, joins)
        if account_pass:
            chain += self._event_pass(self.account_events, f"{self.prefix}account_events", "account", joins)
        if self.outcome:
            joins.append(_Join(f"{self.prefix}last_outcome", "lead", [OUTCOME]))
            chain.append((joins[-1].table, self._last_outcome()))
        if self.known:
            chain.append((f"{self.prefix}known", self._known_early()))
        chain.append((f"{self.prefix}f0", self._level_zero(joins)))
        if self.of_leads is not None:
            chain += self.of_leads.ctes()
        for level in range(1, max(self.levels.values(), default=0) + 1):
            chain += self._level(level)
        return chain

    def _units(self) -> exp.Select:
        """Leads that exist as of the moment, with their attributes; colleagues too where features sum over them."""
        as_of = self.moment.sql("l")
        select = exp.select(
            build.col("lead", "l"), build.col("id", "l"), build.col("created_at", "l"),
            _named(as_of.copy(), "as_of"), build.col("account", "a"),
            *(build.col(name, "a") for name in sorted(self.attributes)),
            *(build.col(name, "b") for name in sorted(self.account_attributes)),
            *self._asked(),
        )  # fmt: skip
        known = _known("a", "lead", build.col("lead", "l"), as_of)
        if self.moment.single:
            exists = exp.LTE(this=build.col("created_at", "l"), expression=as_of.copy())
            select = select.from_(build_table("leads", "l")).where(exists, copy=False)
            select = select.join(build_table("attributes", "a"), on=known, join_type="left")
        else:
            # From the right, as the pairs are few: an engine that hashes the right side then hashes them, and reads by.
            select = select.from_(build_table("attributes", "a"))
            select = select.join(self._leads_of_pairs().subquery("l"), on=known, join_type="right")
        if self.account_attributes:
            on = _known("b", "account", build.col("account", "a"), as_of)
            select = select.join(build_table("account_attributes", "b"), on=on, join_type="left")
        if not self.moment.limited or self.prefix:
            return select
        wanted = self.moment.among(build.col("lead", "l"))
        return select.where(self._with_colleagues(wanted) if self.over_leads else wanted, copy=False)

    def _leads_of_pairs(self) -> exp.Select:
        """The leads of the pairs that exist as of their moment."""
        columns = [build.col("lead", "p"), build.col("as_of", "p"), build.col("id", "l"), build.col("created_at", "l")]
        exists = _exists("l", build.col("lead", "p"), build.col("as_of", "p"))
        return exp.select(*columns).from_(self._pairs("p")).join(build_table("leads", "l"), on=exists)

    def _pairs(self, alias: str) -> exp.Expr:
        """The (lead, as_of) pairs asked for, with those of colleagues where features sum over them."""
        assert self.moment.table is not None
        pairs = build_table(self.moment.table, alias)
        if not self.over_leads and not self.prefix:
            return pairs
        if self.prefix:  # the leads of the accounts asked for
            source = exp.select(build.col("lead"), build.col("as_of")).distinct().from_(build_table("members"))
            return source.subquery(alias)
        mine = exp.select(build.col("lead", "q"), build.col("as_of", "q")).from_(build_table(self.moment.table, "q"))
        here = _known("x", "lead", build.col("lead", "q"), build.col("as_of", "q"))
        there = _known("y", "account", build.col("account", "x"), build.col("as_of", "q"))
        theirs = (
            exp.select(build.col("lead", "y"), build.col("as_of", "q"))
            .from_(build_table(self.moment.table, "q"))
            .join(build_table("attributes", "x"), on=here)
            .join(build_table("attributes", "y"), on=there)
        )
        return exp.union(mine, theirs, distinct=True).subquery(alias)

    def _asked(self) -> list[Sql]:
        """Mark the rows asked for, where others come along."""
        if not self.over_leads or self.prefix:
            return []
        if self.moment.table is not None:
            pair = exp.Tuple(expressions=[build.col("lead", "l"), build.col("as_of", "l")])
            pairs = exp.select(build.col("lead"), build.col("as_of")).from_(build_table(self.moment.table))
            return [_named(exp.In(this=pair, query=pairs.subquery()), "_asked")]
        wanted = self.moment.among(build.col("lead", "l")) if self.moment.limited else exp.true()
        return [_named(wanted, "_asked")]

    @property
    def asked(self) -> Sql | None:
        """The condition that keeps only the rows asked for; None where no others came along."""
        return build.col("_asked") if self.over_leads and self.of == "lead" and not self.prefix else None

    def _with_colleagues(self, wanted: Sql) -> Sql:
        theirs = exp.select(build.col("account", "x")).from_(build_table("attributes", "x"))
        theirs = theirs.where(self.moment.among(build.col("lead", "x")), copy=False)
        theirs = theirs.where(_valid("x", self.moment.sql("l")), copy=False)
        return build.either(wanted, exp.In(this=build.col("account", "a"), query=theirs.subquery()))

    def _members_of_units(self) -> exp.Select:
        """The leads of the accounts of the units, as of the same moment."""
        accounts = exp.select(build.col("account"), *map(build.col, self.moment.keys)).distinct()
        accounts = accounts.from_(build_table(f"{self.prefix}units"))
        as_of = self.moment.sql("u")
        select = exp.select(
            build.col("account", "a"), build.col("lead", "a"), *(build.col(key, "u") for key in self.moment.keys)
        ).from_(accounts.subquery("u"))
        select = select.join(
            build_table("attributes", "a"), on=_known("a", "account", build.col("account", "u"), as_of)
        )
        return select.join(build_table("leads", "l"), on=_exists("l", build.col("lead", "a"), as_of))

    def _account_units(self) -> list[Cte]:
        """Accounts that have a lead as of the moment, with the attributes known of them."""
        as_of = self.moment.sql("p")
        members = exp.select(
            build.col("account", "a"), build.col("lead", "a"), build.col("created_at", "l"),
            *(build.col(key, "p") for key in self.moment.keys),
        )  # fmt: skip
        if self.moment.table is None:
            members = members.from_(build_table("attributes", "a")).where(_valid("a", as_of), copy=False)
        else:
            pairs = build_table(self.moment.table, "p")
            on = _known("a", "account", build.col("account", "p"), as_of)
            members = members.from_(pairs).join(build_table("attributes", "a"), on=on)
        members = members.join(build_table("leads", "l"), on=_exists("l", build.col("lead", "a"), as_of))
        has_account = exp.Not(this=exp.Is(this=build.col("account", "a"), expression=exp.Null()))
        members = members.where(has_account, copy=False)
        if self.moment.limited:
            members = members.where(self.moment.among(build.col("account", "a")), copy=False)
        keys = [build.col(key, "m") for key in self.keys]
        counted = exp.select(
            *keys,
            _named(build.double(exp.Count(this=exp.Star())), "leads"),
            _named(exp.Min(this=build.col("created_at", "m")), "created_at"),
        )
        counted = counted.from_(build_table("members", "m")).group_by(*(key.copy() for key in keys))
        at = self.moment.sql("c")
        units = exp.select(
            build.col("account", "c"), _named(build.col("account", "c"), "id"), build.col("created_at", "c"),
            _named(at.copy(), "as_of"), build.col("leads", "c"),
            *(build.col(name, "b") for name in sorted(self.account_attributes)),
        ).from_(counted.subquery("c"))  # fmt: skip
        if self.account_attributes:
            on = _known("b", "account", build.col("account", "c"), at)
            units = units.join(build_table("account_attributes", "b"), on=on, join_type="left")
        return [("members", members), (f"{self.prefix}units", units)]

    def _event_pass(self, aggregates: Aggregates, name: str, unit: Unit, joins: list[_Join]) -> list[Cte]:
        """One pass over the events for all aggregates, and one more for each that needs an order."""
        ctes: list[Cte] = []
        if aggregates.columns:
            asked = list(aggregates.columns.values())
            ctes.append((name, self._aggregated(unit, aggregates, asked)))
            joins.append(_Join(name, unit, [item.column for item in asked]))
        for column, match, value, n in aggregates.ranked:
            table = f"{name}_{column.strip('_')}"
            ctes.append((table, self._ranked(aggregates, unit, column, match, value, n)))
            joins.append(_Join(table, unit, [column]))
        for column, match, gap in aggregates.runs:
            table = f"{name}_{column.strip('_')}"
            ctes.append((table, self._runs(aggregates, unit, column, match, gap)))
            joins.append(_Join(table, unit, [column]))
        return ctes

    def _aggregated(self, unit: Unit, aggregates: Aggregates, asked: list[Aggregate]) -> exp.Select:
        select, keys = self._scope(unit, aggregates.relevant())
        if unit == "account" and aggregates.in_parts():
            return self._by_lead_first(select, keys, asked)
        if unit == "account" or not self._ages_first:
            columns = [_named(item.over(item.value), item.column) for item in asked]
            return select.select(*keys, *columns).group_by(*(key.copy() for key in keys))
        # What each event gives first, the sums over plain columns after: DuckDB adds those up faster.
        shared = _shared_conditions(asked)
        if shared:
            select = _with_columns(select, [_named(condition, name) for name, condition in shared.values()])
        values = [_named(item.value_where(_said(item.condition, shared)), item.column) for item in asked]
        given = select.select(*keys, *values)
        lead = build.col("lead", "v")
        sums = [_named(item.over(build.col(item.column, "v")), item.column) for item in asked]
        return exp.select(lead, *sums).from_(given.subquery("v")).group_by(lead.copy())

    def _by_lead_first(self, select: exp.Select, keys: Sequence[exp.Column], asked: Sequence[Aggregate]) -> exp.Select:
        """Put events together lead by lead, then these: to count leads that way takes no sorting."""
        lead = build.col("lead", "e")
        parts = [(item.column, *item.of_parts, item.value) for item in asked if item.of_parts is not None]
        select = select.select(*keys, *(_named(part(value), column) for column, part, _, value in parts))
        select = select.group_by(*(key.copy() for key in keys), lead)
        outer_keys = [build.col(key.name, "v") for key in keys]
        wholes = [_named(whole(build.col(column, "v")), column) for column, _, whole, _ in parts]
        outer = exp.select(*outer_keys, *wholes).from_(select.subquery("v"))
        return outer.group_by(*(key.copy() for key in outer_keys))

    def _ranked(self, aggregates: Aggregates, unit: Unit, column: str, match: Match, value: Sql, n: int) -> exp.Select:
        select, keys = self._scope(unit, aggregates.condition(match))
        rank = exp.Window(
            this=exp.RowNumber(),
            partition_by=[key.copy() for key in keys],
            order=exp.Order(expressions=[exp.Ordered(this=build.col("at", "e"), nulls_first=False)]),
        )
        inner = select.select(*keys, _named(value, "_value"), _named(rank, "_rank"))
        outer_keys = [build.col(key.name) for key in keys]
        outer = exp.select(*outer_keys, _named(exp.Sum(this=build.col("_value")), column)).from_(inner.subquery("r"))
        outer = outer.where(exp.LTE(this=build.col("_rank"), expression=build.number(n)), copy=False)
        return outer.group_by(*(key.copy() for key in outer_keys))

    def _runs(self, aggregates: Aggregates, unit: Unit, column: str, match: Match, gap: timedelta) -> exp.Select:
        """Count the events that begin a run: the first, and those after a silence longer than the gap."""
        select, keys = self._scope(unit, aggregates.condition(match))
        at, partition = build.col("at", "e"), [key.copy() for key in keys]
        order = exp.Order(expressions=[exp.Ordered(this=at, nulls_first=False)])
        # Not LAG, which is another function in ClickHouse, nor null for no event before, which is 1970 there.
        one = exp.WindowSpec(kind="ROWS", start="1", start_side="PRECEDING", end="1", end_side="PRECEDING")
        before = exp.Window(this=exp.Max(this=at.copy()), partition_by=partition, order=order, spec=one)
        rank = exp.Window(this=exp.RowNumber(), partition_by=partition, order=order.copy())
        inner = select.select(*keys, _named(at.copy(), "_at"), _named(before, "_before"), _named(rank, "_rank"))
        first = build.equals(build.col("_rank"), build.number(1))
        late = exp.LT(this=build.col("_before"), expression=build.earlier(build.col("_at"), gap))
        outer_keys = [build.col(key.name) for key in keys]
        starts = exp.Count(this=build.case([(build.either(first, late), exp.true())]))
        outer = exp.select(*outer_keys, _named(starts, column)).from_(inner.subquery("r"))
        return outer.group_by(*(key.copy() for key in outer_keys))

    def _scope(self, unit: Unit, condition: Sql | None) -> tuple[exp.Select, list[exp.Column]]:
        """Return events of a unit up to the as-of (`SELECT` still empty), and the unit's key columns."""
        owner = "m" if unit == "account" else "u"
        upto = exp.LTE(this=build.col("at", "e"), expression=self.moment.last_event(owner))
        if unit == "lead" and self.moment.single:
            everything = exp.Column(this=exp.Star(), table=exp.to_identifier("e", quoted=True))
            aged = exp.select(everything, _named(_age(self.moment.sql("e")), AGE)).from_(build_table("events", "e"))
            aged = aged.where(build.both(upto, condition, self._only_units()), copy=False)
            return exp.Select().from_(aged.subquery("e")), [build.col("lead", "e")]
        table = f"{self.prefix}{'members' if unit == 'account' else 'units'}"
        if unit == "lead" and self.moment.table is not None and not self.over_leads and not self.prefix:
            table = self.moment.table  # whose size engines know: they hash the pairs and not the events
        on = build.equals(build.col("lead", "e"), build.col("lead", owner))
        select = exp.Select().from_(build_table(table, owner))
        select = select.join(build_table("events", "e"), on=build.both(on, upto))
        keys = [build.col(unit, owner), *(build.col(key, owner) for key in self.moment.keys)]
        return (select.where(condition, copy=False) if condition is not None else select), keys

    def _only_units(self) -> Sql | None:
        if not self.moment.limited:
            return None
        if not self.over_leads and not self.prefix:
            return self.moment.among(build.col("lead", "e"))
        leads = exp.select(build.col("lead")).from_(build_table(f"{self.prefix}units"))
        return exp.In(this=build.col("lead", "e"), query=leads.subquery())

    def _last_outcome(self) -> exp.Select:
        """The latest outcome known of each unit; where two have the same time, the one whose text comes last."""
        keys = [build.col(key, "u") for key in self.keys]
        order = [exp.Ordered(this=build.col(name, "o"), desc=True, nulls_first=False) for name in ("at", OUTCOME)]
        rank = exp.Window(this=exp.RowNumber(), partition_by=keys, order=exp.Order(expressions=order))
        known = exp.LTE(this=build.col("at", "o"), expression=build.col("as_of", "u"))
        same = build.equals(build.col("lead", "o"), build.col("lead", "u"))
        inner = exp.select(*(key.copy() for key in keys), build.col(OUTCOME, "o"), _named(rank, "_rank"))
        inner = inner.from_(build_table(f"{self.prefix}units", "u"))
        inner = inner.join(build_table("outcomes", "o"), on=build.both(same, known))
        kind = self.workspace.catalog.outcome[1] if self.workspace.catalog.outcome else Type.TEXT
        value = _named(build.read_as(build.col(OUTCOME), kind), OUTCOME)
        outer = exp.select(*map(build.col, self.keys), value).from_(inner.subquery("r"))
        return outer.where(build.equals(build.col("_rank"), build.number(1)), copy=False)

    def _known_early(self) -> exp.Select:
        columns = [_named(value, column) for column, value in self.known.items()]
        return exp.select(exp.Star(), *columns).from_(build_table(f"{self.prefix}units"))

    def _level_zero(self, joins: list[_Join]) -> exp.Select:
        columns = [build.col(column, join.table) for join in joins for column in join.columns]
        select = exp.select(exp.Column(this=exp.Star(), table=exp.to_identifier("u", quoted=True)), *columns)
        select = select.from_(build_table(f"{self.prefix}{'known' if self.known else 'units'}", "u"))
        for join in joins:
            keys = [join.unit, *self.moment.keys]
            on = build.both(*(build.equals(build.col(key, join.table), build.col(key, "u")) for key in keys))
            select = select.join(build_table(join.table), on=on, join_type="left")
        return select

    def _level(self, level: int) -> list[Cte]:
        """The features of one level, and the sums over leads they rest on."""
        before, here = f"{self.prefix}f{level - 1}", f"{self.prefix}f{level}"
        names = [name for name in self.needed if self.levels[name] == level]
        sums = {
            column.name: self.over_leads[column.name]
            for name in names
            for column in self.values[name].find_all(exp.Column)
            if column.name in self.over_leads
        }
        columns = [_named(self.values[name], name) for name in names]
        select = exp.select(exp.Column(this=exp.Star(), table=exp.to_identifier("f", quoted=True)), *columns)
        select = select.from_(build_table(before, "f"))
        if not sums:
            return [(here, select)]
        source = self.of_leads.table if self.of_leads is not None else before
        table = f"{here}_over_leads"
        on = build.both(
            *(build.equals(build.col(f"_{key}", "g"), build.col(key, "f")) for key in ["account", *self.moment.keys])
        )
        select = select.join(build_table(table, "g"), on=on, join_type="left")
        return [(table, self._over_leads(source, sums)), (here, select)]

    def _over_leads(self, source: str, sums: Mapping[str, tuple[str, str]]) -> exp.Select:
        keys = [build.col("account"), *map(build.col, self.moment.keys)]
        named = [_named(key.copy(), f"_{key.name}") for key in keys]  # not to be mistaken for the unit's own
        columns = [
            _named((exp.Sum if how == "sum" else exp.Max)(this=build.col(name)), column)
            for column, (how, name) in sums.items()
        ]
        select = exp.select(*named, *columns).from_(build_table(source))
        has_account = exp.Not(this=exp.Is(this=build.col("account"), expression=exp.Null()))
        return select.where(has_account, copy=False).group_by(*(key.copy() for key in keys))


def _shared_conditions(asked: Iterable[Aggregate]) -> dict[str, tuple[str, Sql]]:
    """Return the conditions that several aggregates have, by their text, each with a column name for it.

    Worked out once per event they are also planned once, which is most of the time that one lead takes.
    """
    conditions = [item.condition for item in asked]
    times = Counter(condition.sql() for condition in conditions)
    found = {text: condition for condition in conditions if times[text := condition.sql()] > 1}
    return {text: (f"_m{number}", condition.copy()) for number, (text, condition) in enumerate(found.items(), start=1)}


def _said(condition: Sql, shared: Mapping[str, tuple[str, Sql]]) -> Sql:
    """Say a condition by its column where it has one."""
    text = condition.sql()
    return build.col(shared[text][0], "e") if text in shared else condition


def _with_columns(select: exp.Select, columns: list[exp.Alias]) -> exp.Select:
    """Put a table between a `SELECT` that is still empty and its source `e`: all of `e`, and more columns."""
    everything = exp.Column(this=exp.Star(), table=exp.to_identifier("e", quoted=True))
    return exp.Select().from_(select.select(everything, *columns).subquery("e"))


def event_value(
    aggregates: Aggregates,
    spec: models.EventFeature | models.DistinctLeadsFeature,
    feature: ResolvedFeature,
    as_of: Sql,
) -> Sql:
    """Return an event feature's value in terms of aggregates, which are asked for on the way."""
    where, within = feature.where, spec.within
    match spec:
        case models.CountFeature():
            return _count(aggregates.count(Match(spec.count, where, within)))
        case models.SumFeature():
            return build.or_zero(aggregates.sum(Match(spec.sum, where, within), aggregates.property(spec.property)))
        case models.MinFeature():
            return aggregates.least(Match(spec.min, where, within), aggregates.property(spec.property))
        case models.MaxFeature():
            return aggregates.greatest(Match(spec.max, where, within), aggregates.property(spec.property))
        case models.AvgFeature():
            return aggregates.mean(Match(spec.avg, where, within), aggregates.property(spec.property))
        case models.DistinctFeature():
            return _count(aggregates.distinct(Match(spec.distinct, where, within), aggregates.property(spec.property)))
        case models.DistinctLeadsFeature():
            return _count(aggregates.leads(Match(spec.distinct_leads, where, within)))
        case models.ShareFeature():
            part = _count(aggregates.count(Match(spec.share, where, within)))
            whole = build.double(aggregates.count(Match(spec.share, None, within)))
            return exp.Div(this=part, expression=exp.Nullif(this=whole, expression=build.number(0)))
        case models.RecencyFeature():
            last = aggregates.greatest(Match(spec.recency, where, within), build.col("at", "e"))
            return build.days_between(last, as_of)
        case models.SinceFirstFeature():
            first = aggregates.least(Match(spec.since_first, where, within), build.col("at", "e"))
            return build.days_between(first, as_of)
        case models.IntervalFeature():
            match_ = Match(spec.interval, where, within)
            first, last = (of(match_, build.col("at", "e")) for of in (aggregates.least, aggregates.greatest))
            gaps = exp.Sub(this=build.double(aggregates.count(match_)), expression=build.number(1))
            several = exp.Nullif(this=gaps, expression=build.number(0))
            return exp.Div(this=build.days_between(first, last), expression=several)
        case models.SessionsFeature():
            return _count(aggregates.sessions(Match(spec.sessions, where, within), spec.gap))
        case models.DecayedFeature():
            value = aggregates.decay(spec.half_life)
            if spec.property is not None:
                value = exp.Mul(this=value, expression=aggregates.property(spec.property))
            return build.or_zero(aggregates.sum(Match(spec.decayed, where, within), value))
        case models.TrendFeature():
            now = _count(aggregates.count(Match(spec.trend, where, within)))
            before = _count(aggregates.count(Match(spec.trend, where, spec.within * 2, until=spec.within)))
            both = exp.Nullif(this=exp.Add(this=now, expression=before), expression=build.number(0))
            return exp.Div(this=exp.Paren(this=exp.Sub(this=now.copy(), expression=before.copy())), expression=both)
        case _:
            assert_never(spec)


def _count(column: Sql) -> Sql:
    return build.or_zero(build.double(column))


def _age(as_of: Sql) -> Sql:
    return build.days_between(build.col("at", "e"), as_of)


def _lead_value(spec: models.LeadSumFeature | models.LeadMaxFeature) -> tuple[str, str]:
    return ("sum", spec.sum) if isinstance(spec, models.LeadSumFeature) else ("max", spec.max)


def _named(value: Sql, name: str) -> exp.Alias:
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))


def _valid(table: str, as_of: Sql) -> Sql:
    """Known at the moment: known_at <= T < known_until."""
    since = exp.LTE(this=build.col("known_at", table), expression=as_of.copy())
    until = exp.GT(this=build.col("known_until", table), expression=as_of.copy())
    return exp.And(this=since, expression=until)


def _known(table: str, key: str, value: Sql, as_of: Sql) -> Sql:
    return exp.And(this=build.equals(build.col(key, table), value), expression=_valid(table, as_of))


def _exists(table: str, lead: Sql, as_of: Sql) -> Sql:
    created = exp.LTE(this=build.col("created_at", table), expression=as_of.copy())
    return exp.And(this=build.equals(build.col("lead", table), lead), expression=created)
