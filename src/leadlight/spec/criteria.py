"""Scorecards: every criterion, gate and grade held against the names, types and rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, overload

from leadlight.errors import did_you_mean, shorten
from leadlight.expr.parse import Expression
from leadlight.expr.types import Type
from leadlight.spec import models
from leadlight.spec.bands import Flaw, band_flaws, category_flaws, describe, pair_flaws
from leadlight.spec.catalog import Catalog
from leadlight.spec.findings import Findings, Scope
from leadlight.spec.keys import criterion_keys
from leadlight.spec.marks import Path
from leadlight.spec.resolved import ResolvedCriterion, ResolvedGate, ResolvedScorecard
from leadlight.spec.scopes import event_scope
from leadlight.spec.version import version

MAX_GROUP = 40
"""How long a group's name may be: it begins the names of its criteria's columns."""


def check_scorecard(
    name: str, spec: models.ScorecardSpec, scope: Scope, catalog: Catalog, findings: Findings
) -> ResolvedScorecard | None:
    """Resolve a scorecard; None, with the faults in the findings, where it has any."""
    before = len(findings.faults)
    check = _Check(spec, scope, catalog, findings)
    check.groups()
    conditions = list(check.criteria())
    gates = list(check.gates())
    check.grades()
    check.worth()
    if any(fault.severity == "error" for fault in findings.faults[before:]):
        return None
    names = {group: [criterion.name for criterion in held.criteria] for group, held in spec.groups.items()}
    criteria = tuple(
        ResolvedCriterion(key, group, criterion, condition)
        for key, (group, criterion, condition) in zip(criterion_keys(names), conditions, strict=True)
    )
    resolved = tuple(ResolvedGate(gate, condition) for gate, condition in gates if condition is not None)
    return ResolvedScorecard(name, spec, version(spec), criteria, resolved)


@overload
def points_of(criterion: models.WorthBands) -> models.BandCriterion: ...
@overload
def points_of(criterion: models.WorthCategory) -> models.CategoryCriterion: ...
def points_of(
    criterion: models.WorthBands | models.WorthCategory,
) -> models.BandCriterion | models.CategoryCriterion:
    """Return a criterion of the worth as one of points, whose points are the factors."""
    rest: dict[str, Any] = {"name": criterion.name, "missing": criterion.missing, "other": criterion.other}
    if isinstance(criterion, models.WorthBands):
        return models.BandCriterion(feature=criterion.feature, bands=criterion.bands, **rest)
    return models.CategoryCriterion(feature=criterion.feature, points=criterion.factors, **rest)


def scorecard_name(file: str) -> str:
    """Return a scorecard's name: that of its file, without `.yaml`.

    >>> scorecard_name("scorecards/house.yaml")
    'house'
    """
    return PurePath(file).stem


@dataclass(slots=True)
class _Check:
    spec: models.ScorecardSpec
    scope: Scope
    catalog: Catalog
    findings: Findings

    # ----------------------------------------------------------------------------------------------------- groups

    def groups(self) -> None:
        seen: dict[str, str] = {}
        for name, group in self.spec.groups.items():
            path: Path = ("groups", name)
            message = self._group_fault(name, seen)
            if message is not None:
                self.findings.error(message, path, on_key=True)
            seen[name.lower()] = name
            if not group.criteria:
                self.findings.warn(f"the group {name} has no criteria: it gives no points", path, on_key=True)

    def _group_fault(self, name: str, seen: dict[str, str]) -> str | None:
        if name.lower() == "score":
            return "a group cannot be called score: that is the sum of all groups"
        if name == "hysteresis":
            return "a group cannot be called hysteresis: it could not be an axis of grades"
        if "__" in name or len(name) > MAX_GROUP:
            return f"a group's name has at most {MAX_GROUP} characters and no '__'"
        if name.lower() in seen:
            return f"the group {name} differs from {seen[name.lower()]} only in case"
        return None

    # --------------------------------------------------------------------------------------------------- criteria

    def criteria(self) -> Iterator[tuple[str, models.Criterion, Expression | None]]:
        """Check each criterion, and yield it with its group and its condition."""
        first: dict[str, Path] = {}
        for group, held in self.spec.groups.items():
            for index, criterion in enumerate(held.criteria):
                path: Path = ("groups", group, "criteria", index)
                self._unique(criterion.name, (*path, "name"), first)
                yield group, criterion, self._criterion(criterion, path)

    def _unique(self, name: str, path: Path, first: dict[str, Path]) -> None:
        if name in first:
            mark = self.findings.marks.at(first[name])
            line = f" on line {mark.line}" if mark else ""
            self.findings.error(f"the name {shorten(name)} is taken{line}: reasons must be told apart", path)
        first.setdefault(name, path)

    def _criterion(self, criterion: models.Criterion, path: Path) -> Expression | None:
        match criterion:
            case models.WhenCriterion():
                return self.findings.condition(criterion.when, (*path, "when"), self.scope)
            case models.EventCriterion():
                return self._event(criterion, path)
            case models.PairCriterion():
                self._pair(criterion, path)
            case models.BandCriterion():
                self._bands(criterion, path)
            case models.CategoryCriterion():
                self._category(criterion, path)
        return None

    def _event(self, criterion: models.EventCriterion, path: Path) -> Expression | None:
        self.findings.event(criterion.event, (*path, "event"), self.catalog.events)
        if criterion.where is None:
            return None
        return self.findings.condition(criterion.where, (*path, "where"), event_scope(self.catalog))

    def _category(self, criterion: models.CategoryCriterion, path: Path) -> None:
        kind = self._feature(criterion.feature, (*path, "feature"))
        if kind is Type.TIME:
            message = f"{criterion.feature} is a time: use a feature with its `age`, and `bands`; or a condition"
            self.findings.error(message, (*path, "feature"))
        elif kind is not None:
            self._note(category_flaws(criterion, kind), path)

    def _bands(self, criterion: models.BandCriterion, path: Path) -> None:
        kind = self._feature(criterion.feature, (*path, "feature"))
        if kind not in (Type.NUMBER, None):
            hint = "use a feature with its `age`" if kind is Type.TIME else "use `points`, a map from value to points"
            message = f"bands need a number; {criterion.feature} is {describe(kind)}: {hint}"
            self.findings.error(message, (*path, "feature"))
        self._note(band_flaws(criterion), path)

    def _pair(self, criterion: models.PairCriterion, path: Path) -> None:
        kinds = {
            name: kind
            for index, name in enumerate(criterion.features)
            if (kind := self._feature(name, (*path, "features", index))) is not None
        }
        self._note(pair_flaws(criterion, kinds), path)

    def _feature(self, name: str, path: Path) -> Type | None:
        of_accounts = " of accounts" if self.spec.of == "account" else ""
        return self.findings.name(name, path, self.scope, f"feature or attribute{of_accounts}")

    def _note(self, flaws: Iterator[Flaw], path: Path) -> None:
        for flaw in flaws:
            note = self.findings.warn if flaw.is_warning else self.findings.error
            note(flaw.message, (*path, *flaw.path), on_key=flaw.on_key)

    # ------------------------------------------------------------------------------------------- gates and grades

    def gates(self) -> Iterator[tuple[models.GateSpec, Expression | None]]:
        """Check each gate, and yield it with its condition."""
        labels = self.spec.grades.labels if self.spec.grades else None
        first: dict[str, Path] = {}
        for index, gate in enumerate(self.spec.gates):
            path: Path = ("gates", index)
            self._unique(gate.name, (*path, "name"), first)
            if labels is not None and gate.grade not in labels:
                known = did_you_mean(gate.grade, labels)
                self.findings.error(f"unknown grade {shorten(gate.grade)}: {known}", (*path, "grade"))
            yield gate, self.findings.condition(gate.when, (*path, "when"), self.scope)

    def grades(self) -> None:
        """Check that axes are groups, and that every grade has a name of its own."""
        if self.spec.grades is None:
            return
        known = [*self.spec.groups, "score"]
        for axis, levels in self.spec.grades.axes.items():
            path: Path = ("grades", axis)
            if axis not in known:
                message = f"an axis of grades is a group or score, and {shorten(axis)} is none: "
                self.findings.error(message + did_you_mean(axis, known), path, on_key=True)
            self._labels([label for label, _ in levels], path)
        repeated = [label for label, count in Counter(self.spec.grades.labels).items() if count > 1]
        if repeated:
            message = f"two grades would both be called {repeated[0]!r}: choose other names for the levels"
            self.findings.error(message, ("grades",))

    # ------------------------------------------------------------------------------------------------------ worth

    def worth(self) -> None:
        """Check what the worth is made of, as criteria are checked."""
        criteria = self.spec.worth.criteria if self.spec.worth is not None else []
        if self.spec.worth is not None and (self.spec.calibration or self.spec.effect) is None:
            self.findings.warn("without a calibration there is no expected value: the worth is only shown", ("worth",))
        first: dict[str, Path] = {}
        for index, criterion in enumerate(criteria):
            path: Path = ("worth", "criteria", index)
            self._unique(criterion.name, (*path, "name"), first)
            if isinstance(criterion, models.WorthBands):
                self._bands(points_of(criterion), path)
            else:
                self._category(points_of(criterion), path)

    def _labels(self, labels: list[str], path: Path) -> None:
        if any(not label.strip() for label in labels):
            self.findings.error("a level needs a name", path)
