"""Look at leads before anybody is asked: what is known, what is open, what matters, and why one is passed over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.enrich.bounds import RISE, STEPS, reach, used_attributes
from leadlight.enrich.clues import Clues, find_clues
from leadlight.enrich.provider import Query
from leadlight.enrich.providers.email import kinds_by
from leadlight.enrich.report import Reason
from leadlight.enrich.waterfall import Standing, Subject, Waterfalls
from leadlight.expr import build
from leadlight.expr.expression import Expression
from leadlight.expr.types import Type
from leadlight.features.compile import feature_statement
from leadlight.features.moment import Moment
from leadlight.spec import models
from leadlight.spec.resolved import ResolvedFeature, ResolvedWorkspace
from leadlight.store.known import known
from leadlight.store.standing import owned, standing

NEVER, EXCLUDED, WHERE = "enrich: never", "enrich: excluded", "enrich: where"
"""Names of the conditions, which no attribute can have."""


@dataclass(frozen=True, slots=True)
class Look:
    """A lead, what is open about it, and whether anybody outside is to be asked."""

    subject: Subject
    opened: Mapping[str, Sequence[str]] = field(default_factory=dict)
    matter: tuple[str, ...] = ()
    reason: Reason | None = None
    """Why nobody outside is asked; None where somebody is."""
    gain: tuple[float, float] = (0.0, 0.0)
    """By how many grades, then by how many points the lead could rise."""
    basis: str | None = None

    @property
    def lead(self) -> int:
        """The lead's number in the store."""
        return self.subject.lead


@dataclass(frozen=True, slots=True)
class Looker:
    """What it takes to look at leads."""

    workspace: ResolvedWorkspace
    waterfalls: Waterfalls
    now: datetime
    always: bool
    """Whether is asked although no answer could change a grade."""

    def subjects(self, engine: Engine, leads: Sequence[int], tried: Mapping[int, frozenset[str]]) -> list[Subject]:
        """Read what is known of some leads; those that do not exist (any more) are left out."""
        own = {row.pop("lead"): row for row in owned(engine, leads, self.now).to_pylist()}
        standings = _standings(standing(engine, leads, self.now))
        rows = known(engine, leads, self.now)
        clues = self.clues(rows.column_names)
        return [self._subject(row, own, standings, clues, tried) for row in rows.to_pylist()]

    def clues(self, names: Iterable[str]) -> Clues:
        """Return how clues are taken from values of these names."""
        assert self.workspace.spec.enrich is not None
        kind = kinds_by(self.waterfalls.providers.get("email"))
        return find_clues(self.workspace.spec.enrich, [name for name in names if name != "lead"], kind=kind)

    def _subject(
        self,
        row: dict[str, Any],
        own: Mapping[int, Mapping[str, bool]],
        standings: Mapping[int, Mapping[str, Standing]],
        clues: Clues,
        tried: Mapping[int, frozenset[str]],
    ) -> Subject:
        lead = row.pop("lead")
        values = {name: value for name, value in row.items() if value is not None}
        query = Query(clues.of(values), values, self.now)
        has = frozenset(name for name, has in own.get(lead, {}).items() if has)
        standings_of, keys = standings.get(lead, {}), self.waterfalls.keys(query)
        for name, one in standings_of.items():
            if keys.get(name) not in (None, one.subject):
                before = {key: value for key, value in values.items() if key in has or key not in one.facts}
                keys[name] = self._key_before(name, Query(clues.of(before), before, self.now), one, keys[name])
        return Subject(lead, query, has, standings_of, keys, tried.get(lead, frozenset()))

    def _key_before(self, name: str, before: Query, one: Standing, key: str | None) -> str | None:
        """Return what was asked where it differs from the key only by what the provider itself has answered since."""
        return one.subject if self.waterfalls.keys(before)[name] == one.subject else key

    def look(self, engine: Engine, subjects: Sequence[Subject]) -> list[Look]:
        """Say of each lead what is open and matters, and why nobody outside is asked where that is so."""
        conditions = self._conditions(engine, [subject.lead for subject in subjects])
        looks = [self._first(subject, conditions.get(subject.lead, {})) for subject in subjects]
        return self._with_matter(engine, looks, conditions)

    def _first(self, subject: Subject, conditions: Mapping[str, Any]) -> Look:
        spec = self.workspace.spec.enrich
        assert spec is not None
        basis = spec.basis if spec.basis_from is None else _basis(subject, spec.basis_from)
        look = Look(subject, basis=basis)
        if conditions.get(NEVER):
            return replace(look, reason=Reason.NEVER)
        if spec.basis_from is not None and basis is None:
            return replace(look, reason=Reason.BASIS)
        opened = self.waterfalls.open(subject)
        if not opened:
            return replace(look, reason=Reason.CLUE if self.waterfalls.lacks_clue(subject) else Reason.SETTLED)
        return replace(look, opened=opened)

    def _with_matter(
        self, engine: Engine, looks: list[Look], conditions: Mapping[int, Mapping[str, Any]]
    ) -> list[Look]:
        matters = self._matters(engine, [look for look in looks if look.reason is None])
        found = []
        for look in looks:
            if look.reason is None:
                row = matters.get(look.lead, {})
                is_out = bool(conditions.get(look.lead, {}).get(EXCLUDED))
                every = self.always and not is_out
                matter = tuple(name for name in look.opened if every or row.get(name))
                reason = None if matter else Reason.EXCLUDED if is_out else Reason.GRADE
                gain = (float(row.get(STEPS) or 0), float(row.get(RISE) or 0))
                look = replace(look, matter=matter, reason=reason, gain=gain)
            found.append(look)
        return found

    def _matters(self, engine: Engine, looks: Sequence[Look]) -> dict[int, dict[str, Any]]:
        """Return which attributes matter by lead."""
        cards = list(self.workspace.scorecards.values())
        names = sorted(used_attributes(self.workspace, cards, self.waterfalls.attributes))
        if not looks or not names:
            return {}
        columns = {"lead": pa.array([look.lead for look in looks], pa.int32())}
        columns |= {name: pa.array([name in look.opened for look in looks], pa.bool_()) for name in names}
        found = reach(engine, self.workspace, cards, self.now, pa.table(columns))
        return {row.pop("lead"): row for row in found.to_pylist()}

    def _conditions(self, engine: Engine, leads: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return who is never to be looked up, and who is excluded from scoring."""
        asked = {NEVER: self.workspace.never, EXCLUDED: self.workspace.exclude}
        given = {name: condition for name, condition in asked.items() if condition is not None}
        return truths(engine, self.workspace, given, Moment(as_of=self.now, only=list(leads))) if given else {}


def _basis(subject: Subject, name: str) -> str | None:
    """Return the lawful basis that a lead's attribute gives: its text, or its name where it is true."""
    value = subject.query.attributes.get(name)
    if isinstance(value, bool):
        return name if value else None
    return (str(value).strip() or None) if value is not None else None


def truths(
    engine: Engine, workspace: ResolvedWorkspace, conditions: Mapping[str, Expression], moment: Moment
) -> dict[int, dict[str, Any]]:
    """Return whether each condition is true of each lead."""
    features = {
        name: ResolvedFeature(name, models.ExprFeature(expr=condition.text), Type.BOOL, condition)
        for name, condition in conditions.items()
    }
    statement = feature_statement(workspace.with_features(features), moment, features=list(features))
    found = engine.arrow(build.to_text(statement, engine.capabilities.dialect))
    return {row["lead"]: row for row in found.to_pylist()}


def _standings(table: pa.Table) -> dict[int, dict[str, Standing]]:
    """Return by lead and provider how the last question ended, of rows that are in that order."""
    found: dict[int, dict[str, Standing]] = {}
    for (lead, provider, subject, outcome), rows in groupby(
        table.to_pylist(), itemgetter("lead", "provider", "subject", "outcome")
    ):
        facts = {row["attribute"]: (row["value"], row["confidence"]) for row in rows if row["attribute"] is not None}
        found.setdefault(lead, {})[provider] = Standing(subject, outcome == "found", facts)
    return found
