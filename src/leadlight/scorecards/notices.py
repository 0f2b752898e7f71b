"""Changes of grade that somebody wants to hear of: put into the outbox in the very transaction that keeps them.

A rule is about changes up, down or both, into and out of some grades, of leads for which a condition is true. A first
grade is a change from nothing: up, unless the grade is the lowest. Nobody hears of silent changes, nor of those as of
more than a day ago: a back-fill tells of what was long ago.

What falls into a destination's quiet hours waits until their end. If the lead changes again meanwhile, that message is
void, and the new change is judged as one from the grade at which the quiet found it: to where it was is no change.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

import pyarrow as pa
from sqlglot import exp

from leadlight.engines.base import Engine
from leadlight.expr import build
from leadlight.expr.types import Type
from leadlight.features.compile import feature_statement
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import chance_columns
from leadlight.scorecards.ledger import ledgers
from leadlight.spec import models
from leadlight.spec.notify import NotifySpec
from leadlight.spec.resolved import ResolvedFeature, ResolvedRule, ResolvedScorecard, ResolvedWorkspace
from leadlight.store import outbox
from leadlight.store.sql import Sql, fill, joined, literal

FRESH = timedelta(days=1)
"""How old a change may be: as of a longer time ago, nobody hears of it."""
REASONS = 3
"""How many reasons a message gives."""
EXPLAINED = 256
"""Of how many leads at a time the reasons are worked out, the highest scores first."""
LENGTHS = (1, 4, 16, 64, EXPLAINED)
"""Of how many leads a statement is kept that explains them."""
TOLD = "_told"
LEADS = "_told_leads"
MOMENT = Moment(table=LEADS)
OVERTAKEN = "overtaken by a later change in the same quiet hours"


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of grade that are being kept."""

    table: str
    """A temporary table: what the statement yielded, and `was`, the grade before."""
    run: int
    as_of: datetime
    now: datetime
    silent: bool
    received: datetime | None = None
    """When the first call was received that they follow from."""


def note(engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, changes: Changes) -> int:
    """Put messages about changes into the outbox, as the rules say; return how many.

    Call it inside the transaction that keeps the changes.
    """
    notify = workspace.spec.notify
    rules = [rule for rule in workspace.rules.values() if rule.scorecard == scorecard.name]
    moved = fill("SELECT 1 FROM {table} WHERE was IS DISTINCT FROM grade LIMIT 1", table=changes.table)
    if notify is None or not rules or not engine.rows(moved):
        return 0
    outbox.prepare(engine)
    held = _overtake(engine, notify, scorecard, changes)
    if changes.silent or changes.as_of < changes.now - FRESH:
        return 0
    noting = _Noting(engine, workspace, scorecard, notify, rules, changes, held)
    noting.gather()
    count = int(engine.rows(fill("SELECT count(*) FROM {told}", told=TOLD))[0][0])
    if count:
        count = noting.keep()
    engine.execute(fill("DROP TABLE {told}", told=TOLD))
    return count


def _overtake(engine: Engine, notify: NotifySpec, scorecard: ResolvedScorecard, changes: Changes) -> bool:
    """Make void what waits for the end of quiet hours and is no longer the last change; say whether there may be any.

    What was made void stands in the temporary table `_overtaken`.
    """
    if all(destination.quiet is None for destination in notify.destinations.values()):
        return False
    engine.execute(
        fill(
            "CREATE OR REPLACE TEMP TABLE _overtaken AS SELECT message, destination, {own} AS key, grade_from "
            "FROM outbox WHERE state = 'waiting' AND held AND tries = 0 AND scorecard = {scorecard} "
            "AND {own} IN (SELECT {key} FROM {table} WHERE was IS DISTINCT FROM grade)",
            own=_own(scorecard),
            key=scorecard.spec.of,
            table=changes.table,
            scorecard=_text(scorecard.name),
        )
    )
    engine.execute(
        "UPDATE outbox SET state = 'void', error = ?, done_at = ?, reasons = NULL, attributes = NULL "
        "WHERE state = 'waiting' AND held AND tries = 0 AND message IN (SELECT message FROM _overtaken)",
        [OVERTAKEN, changes.now],
    )
    # Whoever sends may have taken one just now: that is told, and the new change is one from its grade.
    engine.execute("DELETE FROM _overtaken WHERE message IN (SELECT message FROM outbox WHERE state <> 'void')")
    return True


def _own(scorecard: ResolvedScorecard) -> str:
    """Return the column of the outbox that says whose row it is."""
    return "_key" if scorecard.spec.of == "lead" else "account"


@dataclass(frozen=True, slots=True)
class _Noting:
    """The changes of one scorecard in one round."""

    engine: Engine
    workspace: ResolvedWorkspace
    scorecard: ResolvedScorecard
    notify: NotifySpec
    rules: Sequence[ResolvedRule]
    changes: Changes
    held: bool

    # ------------------------------------------------------------------------------------------- who is to be told

    def gather(self) -> None:
        """Make `_told` of (key, rule, destination, grade_from, grade) that the rules are about, conditions left out."""
        key = self.scorecard.spec.of
        was = Sql("CASE WHEN h.message IS NULL THEN c.was ELSE h.grade_from END") if self.held else Sql("c.was")
        earlier = Sql("LEFT JOIN _overtaken h ON h.key = c.{key} AND h.destination = r.destination")
        created = Sql("l.created_at") if key == "lead" else Sql("NULL::TIMESTAMP")
        moved = fill(
            "SELECT c.{key} AS key, c.score, c.grade, {was} AS grade_from, {created} AS created_at, "
            "r.rule, r.destination, r.place FROM {table} c CROSS JOIN (VALUES {pairs}) r(rule, destination, place) "
            "{leads} {earlier}",
            key=key,
            was=was,
            created=created,
            table=self.changes.table,
            pairs=self._pairs(),
            leads=Sql("JOIN leads l ON l.lead = c.lead") if key == "lead" else Sql(""),
            earlier=fill(earlier, key=key) if self.held else Sql(""),
        )
        self.engine.execute(
            fill(
                "CREATE OR REPLACE TEMP TABLE {told} AS SELECT * FROM ({moved}) m "
                "WHERE m.grade_from IS DISTINCT FROM m.grade AND ({wanted})",
                told=TOLD,
                moved=moved,
                wanted=joined([self._wanted(rule) for rule in self.rules], " OR "),
            )
        )

    def _pairs(self) -> Sql:
        """Return each rule with each of its destinations, in order."""
        pairs = [(rule.name, name) for rule in self.rules for name in rule.spec.tell]
        return joined(
            [
                fill("({rule}, {name}, {place})", rule=_text(rule), name=_text(name), place=Sql(str(place)))
                for place, (rule, name) in enumerate(pairs)
            ]
        )

    def _wanted(self, rule: ResolvedRule) -> Sql:
        """Return whether a rule is about a change `m`."""
        spec = rule.spec
        parts = [fill("m.rule = {rule}", rule=_text(rule.name)), self._direction(spec.change)]
        for column, grades in (("grade", spec.to), ("grade_from", spec.from_)):
            if grades:
                listed = joined([_text(grade) for grade in grades])
                parts.append(fill("m.{column} IN ({listed})", column=column, listed=listed))
        if spec.created_within is not None:
            parts.append(fill("m.created_at > {since}", since=_moment(self.changes.as_of - spec.created_within)))
        if spec.again != "always":
            parts.append(self._not_told(None if spec.again == "never" else self.changes.as_of - spec.again))
        return fill("({parts})", parts=joined(parts, " AND "))

    def _direction(self, change: str) -> Sql:
        before, now = self._place("grade_from"), self._place("grade")
        sign = {"up": "<", "down": ">", "both": "<>"}[change]
        return Sql(f"{now} {sign} {before}")

    def _place(self, column: str) -> Sql:
        """Return a grade's place from the best (0) on: nothing counts as the lowest, an unknown grade as less."""
        grades = self.scorecard.spec.grades
        assert grades is not None
        labels = grades.labels
        cases = [fill("WHEN {label} THEN {n}", label=_text(label), n=Sql(str(n))) for n, label in enumerate(labels)]
        return fill(
            "(CASE coalesce(m.{column}, {lowest}) {cases} ELSE {beyond} END)",
            column=column,
            lowest=_text(labels[-1]),
            cases=joined(cases, " "),
            beyond=Sql(str(len(labels))),
        )

    def _not_told(self, since: datetime | None) -> Sql:
        """Return whether a change's rule has not told its destination of the lead yet (since a moment)."""
        recent = Sql("") if since is None else fill(' AND o."at" > {since}', since=_moment(since))
        return fill(
            "NOT EXISTS (SELECT 1 FROM outbox o WHERE o.rule = m.rule AND o.destination = m.destination "
            "AND o.{own} = m.key AND o.state <> 'void'{recent})",
            own=_own(self.scorecard),
            recent=recent,
        )

    # --------------------------------------------------------------------------------------------- what is told

    def keep(self) -> int:
        """Look at the conditions, find the reasons, and put what is left into the outbox; return how many."""
        self._keep_leads()
        values = self._values()
        if values is not None:
            self._test(values)
            self._keep_leads()
        self._register("_told_facts", self._facts(values))
        try:
            return self._insert()
        finally:
            self.engine.unregister("_told_facts")
            self.engine.execute(fill("DROP TABLE {leads}", leads=LEADS))

    def _keep_leads(self) -> None:
        """Make the table of whom it is about."""
        self.engine.execute(
            fill(
                "CREATE OR REPLACE TEMP TABLE {leads} AS SELECT key AS {key}, {as_of} AS as_of, max(score) AS score "
                "FROM {told} GROUP BY key",
                leads=LEADS,
                key=self.scorecard.spec.of,
                as_of=_moment(self.changes.as_of),
                told=TOLD,
            )
        )

    def _moment(self) -> Moment:
        """Return the moment of the values of all whom it is about."""
        if self.scorecard.spec.of == "lead":
            return MOMENT
        return Moment(as_of=self.changes.as_of, only=self._first(2**31))

    def _first(self, count: int) -> list[int | str]:
        """Return so many leads (or accounts), those of the highest scores."""
        query = fill(
            "SELECT {key} FROM {leads} ORDER BY score DESC, {key} LIMIT ?", key=self.scorecard.spec.of, leads=LEADS
        )
        return [key for (key,) in self.engine.rows(query, [count])]

    def _values(self) -> pa.Table | None:
        """Return the truth of conditions and what is said along, by lead; None where nothing is asked."""
        if not any(rule.spec.include or rule.condition for rule in self.rules):
            return None
        of, dialect = self.scorecard.spec.of, self.engine.capabilities.dialect
        if of == "lead":
            text = _leads_statement(_Rules(self.workspace, tuple(self.rules)), dialect)
        else:
            text = build.to_text(_values_statement(self.workspace, self.rules, self._moment(), of), dialect)
        return self.engine.arrow(text)

    def _test(self, values: pa.Table) -> None:
        """Take out those for whom a rule's condition is not true."""
        self._register("_told_values", values)
        for rule in self.rules:
            if rule.condition is not None:
                self.engine.execute(
                    fill(
                        "DELETE FROM {told} WHERE rule = ? AND key NOT IN (SELECT {key} FROM _told_values "
                        "WHERE {asked})",
                        told=TOLD, key=self.scorecard.spec.of, asked=_asked(rule),
                    ),
                    [rule.name],
                )  # fmt: skip
        self.engine.unregister("_told_values")

    def _facts(self, values: pa.Table | None) -> pa.Table:
        """Return the reasons, and what is said along, by lead and rule."""
        key = self.scorecard.spec.of
        first = self._first(EXPLAINED)
        shown = Moment(as_of=self.changes.as_of, only=_padded(first))
        made = ledgers(self.engine, self.workspace, self.scorecard, shown)
        reasons = {ledger.key: json.dumps(ledger.reasons(REASONS), ensure_ascii=False) for ledger in made}
        rows = {row[key]: row for row in values.to_pylist()} if values is not None else {}
        found: list[dict[str, Any]] = [
            {"key": who, "rule": rule.name, "reasons": reasons.get(who), "attributes": _said(rule, rows.get(who))}
            for who in {**reasons, **rows}
            for rule in self.rules
        ]
        kind = pa.int32() if key == "lead" else pa.string()
        columns = [("key", kind), *((name, pa.string()) for name in ("rule", "reasons", "attributes"))]
        return pa.Table.from_pylist(found, schema=pa.schema(columns))

    def _register(self, name: str, table: pa.Table) -> None:
        self.engine.register(name, table)

    def _insert(self) -> int:
        """Put into the outbox one message for each lead and destination, that of the first rule."""
        changes, key = self.changes, self.scorecard.spec.of
        chance = Sql("c.probability") if "probability" in chance_columns(self.scorecard.spec) else Sql("NULL::DOUBLE")
        count = fill("SELECT count(*) FROM (SELECT DISTINCT key, destination FROM {told}) t", told=TOLD)
        self.engine.execute(
            fill(
                "INSERT INTO outbox BY NAME SELECT 'msg_' || md5(concat_ws('|', ?::VARCHAR, ?::VARCHAR, ?::VARCHAR, "
                "t.key::VARCHAR, t.destination)) AS message, t.destination, t.rule, ?::VARCHAR AS scorecard, "
                "?::VARCHAR AS version, t.key AS {own}, {who} AS who, t.grade_from, t.grade AS grade_to, t.score, "
                "{chance} AS probability, f.reasons, f.attributes, ?::TIMESTAMP AS \"at\", "
                "?::TIMESTAMP AS received_at, ?::TIMESTAMP AS noted_at, d.due_at, d.held, 'waiting' AS state, "
                "0 AS tries FROM (SELECT *, row_number() OVER (PARTITION BY key, destination ORDER BY place) AS _n "
                "FROM {told}) t JOIN {table} c ON c.{key} = t.key "
                "JOIN (VALUES {waits}) d(destination, due_at, held) ON d.destination = t.destination "
                "LEFT JOIN _told_facts f ON f.key = t.key AND f.rule = t.rule WHERE t._n = 1 "
                "ORDER BY t.key, t.destination",
                own=_own(self.scorecard),
                who=Sql("c.id" if key == "lead" else "c.account"),
                chance=chance,
                told=TOLD,
                table=changes.table,
                key=key,
                waits=self._waits(),
            ),
            [self.scorecard.name, changes.as_of.isoformat(), changes.run, self.scorecard.name,
             self.scorecard.version, changes.as_of, changes.received, changes.now],
        )  # fmt: skip
        return int(self.engine.rows(count)[0][0])

    def _waits(self) -> Sql:
        """Return until when what is told each destination waits now."""
        rows = []
        for name, destination in self.notify.destinations.items():
            until = None if destination.quiet is None else destination.quiet.until(self.changes.now)
            rows.append(
                fill(
                    "({name}, {due}, {held})",
                    name=_text(name),
                    due=_moment(until or self.changes.now),
                    held=Sql("false" if until is None else "true"),
                )
            )
        return joined(rows)


def _padded(keys: list[int | str]) -> list[int | str]:
    """Repeat the last key up to one of few lengths: for each there is a statement, which is kept.

    >>> [len(_padded(list(range(n)))) for n in (0, 1, 2, 5, 17)]
    [0, 1, 4, 16, 64]
    """
    length = next((length for length in LENGTHS if len(keys) <= length), len(keys))
    return keys + keys[-1:] * (length - len(keys))


class _Rules:
    """A key of a cache: the same rules of the same workspace."""

    def __init__(self, workspace: ResolvedWorkspace, rules: tuple[ResolvedRule, ...]) -> None:
        self.workspace, self.rules = workspace, rules

    def __hash__(self) -> int:
        return hash((id(self.workspace), tuple(rule.name for rule in self.rules)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Rules) and other.workspace is self.workspace and other.rules == self.rules


@lru_cache(maxsize=32)
def _leads_statement(of: _Rules, dialect: str) -> str:
    """Compile once what is asked again and again."""
    return build.to_text(_values_statement(of.workspace, of.rules, MOMENT, "lead"), dialect)


def _values_statement(
    workspace: ResolvedWorkspace, rules: Sequence[ResolvedRule], moment: Moment, of: Literal["lead", "account"]
) -> exp.Select:
    """Return the statement of the truth of rules' conditions, and of what they say along."""
    names = {name for rule in rules for name in rule.spec.include}
    conditions = {
        _asked(rule): ResolvedFeature(
            _asked(rule), models.ExprFeature(expr=rule.condition.text), Type.BOOL, rule.condition
        )
        for rule in rules
        if rule.condition is not None
    }
    return feature_statement(workspace.with_features(conditions), moment, of=of, features=[*sorted(names), *conditions])


def _asked(rule: ResolvedRule) -> str:
    return f"{rule.name}__when"


def _said(rule: ResolvedRule, row: dict[str, Any] | None) -> str | None:
    """Return what a rule says along of a lead, as JSON."""
    if not rule.spec.include or row is None:
        return None
    return json.dumps({name: _plain(row[name]) for name in rule.spec.include}, ensure_ascii=False, default=str)


def _plain(value: Any) -> Any:
    """Return a value as JSON can say it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() + "Z" if isinstance(value, datetime) else value


def _text(value: str) -> Sql:
    return fill("{value}::VARCHAR", value=Sql(literal(value)))


def _moment(value: datetime) -> Sql:
    return Sql(f"'{value.isoformat(sep=' ')}'::TIMESTAMP")
