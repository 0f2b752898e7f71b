"""Why a score is not higher, for a letter: the principal reasons, in the wording a letter needs.

A lender in the United States that turns an applicant down says the specific principal reasons (Equal Credit Opportunity
Act, Regulation B, 12 CFR 1002.9(b)(2)), of which more than four are not thought helpful (official interpretation of
9(b)(2), comment 1). With a scorecard, they are the factors for which the applicant's points fall furthest below a
reference (comment 5), which is one of

    all       the average points of all applicants. The default: the regulation names it, it needs no threshold, and
              nobody is told of points that hardly anybody has
    passing   the average points of those whose score was at or slightly above the line; named by the regulation, too
    best      the most points there are to get: the usage of credit bureaus ("points below maximum"). Every distance is
              0 or more, and the reasons do not depend on who else applied

Whatever the reference, the distances add up to its score less the applicant's. A gate is the first reason. Factors with
the same wording are one reason; what a pair of features takes counts half to each. A protected attribute is no reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, UsageError, did_you_mean
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import CAP
from leadlight.scorecards.export import RISKY, Exported
from leadlight.scorecards.ledger import Ledger, ledgers
from leadlight.scorecards.rank import scored
from leadlight.scorecards.sentences import amount
from leadlight.spec import models
from leadlight.spec.readable import Readable
from leadlight.spec.resolve import feature_uses
from leadlight.spec.resolved import ResolvedCriterion, ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import Sql, each, fill, joined

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Against = Literal["all", "passing", "best"]

MOST = 4
"""How many reasons a letter has unless told (Regulation B, comment 9(b)(2)-1)."""
WORTH_SAYING = 0.05
"""A distance of fewer points is no reason."""
SLIGHTLY = 0.1
"""The share of all applicants, those next to the line, that stand slightly above it."""
FEWEST = 20
SUFFIX = "letters"


@dataclass(frozen=True, slots=True)
class PrincipalReason:
    """One reason: its wording, how many points it lacks, and the criteria behind it with what they saw."""

    wording: str
    distance: float
    seen: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the reason as plain JSON values."""
        return {"wording": self.wording, "distance": self.distance, "seen": list(self.seen)}


@dataclass(frozen=True, slots=True, repr=False)
class Letter(Readable):
    """The principal reasons why a score is not higher, the heaviest first.

    `reference` is the score they are told against; the distances of all `reasons` and the `rest` add up to `reference`
    less `score`. `gate` is the wording of the gate that set the grade; it stands before all others.
    """

    id: str
    entity: str
    scorecard: str
    version: str
    as_of: datetime
    score: float
    grade: str | None
    against: Against
    reference: float
    gate: str | None
    reasons: tuple[PrincipalReason, ...]
    rest: float
    notes: tuple[str, ...] = ()

    @property
    def wordings(self) -> tuple[str, ...]:
        """What the letter says: the gate, then the reasons."""
        return tuple(([self.gate] if self.gate else []) + [item.wording for item in self.reasons])

    def as_dict(self) -> dict[str, Any]:
        """Return the reasons as plain JSON values."""
        return {
            "id": self.id, "entity": self.entity, "scorecard": self.scorecard, "version": self.version,
            "as_of": self.as_of.isoformat() + "Z", "score": self.score, "grade": self.grade, "against": self.against,
            "reference": self.reference, "gate": self.gate, "letter": list(self.wordings),
            "reasons": [item.as_dict() for item in self.reasons], "rest": self.rest, "notes": list(self.notes),
        }  # fmt: skip

    def __str__(self) -> str:
        if not self.wordings:
            return "Nothing stands below " + REFERENCES[self.against] + "."
        return "\n".join(f"{number}. {wording}" for number, wording in enumerate(self.wordings, 1))


REFERENCES: Mapping[Against, str] = {
    "all": "the average of all",
    "passing": "the average of those slightly above the line",
    "best": "the best there is",
}


def letter(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    lead: int | str,
    as_of: datetime,
    *,
    most: int = MOST,
    against: Against = "all",
    line: str | None = None,
) -> Letter:
    """Return the principal reasons of one lead.

    Raises NotFoundError for a lead that did not exist yet, UsageError where `passing` has no line to be above of.
    """
    found = ledgers(engine, workspace, scorecard, Moment(as_of=as_of, only=[lead]))
    if not found:
        raise NotFoundError(f"there is no {workspace.spec.entity} of that name as of {as_of:%Y-%m-%d %H:%M} UTC")
    plan = _plan(workspace, scorecard)
    with scored(engine, workspace, scorecard, as_of) as table:
        reference = _reference(engine, scorecard, table, plan, against, line)
    return _written(found[0], plan, reference, scorecard, most=most, against=against)


def letters(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    as_of: datetime,
    target: Path,
    *,
    line: str,
    most: int = MOST,
    against: Against = "all",
) -> Exported:
    """Write a CSV file with the principal reasons of everybody below the line: id, score, grade, gate, reason_1 …

    Raises UsageError where the file cannot be written or the line is no grade and no number.
    """
    if target.suffix.lower() != ".csv" or target.is_dir() or not target.parent.is_dir():
        raise UsageError(f"cannot write {target}", fix="Name a file *.csv in a folder that exists.")
    plan = _plan(workspace, scorecard)
    with scored(engine, workspace, scorecard, as_of) as table:
        reference = _reference(engine, scorecard, table, plan, against, line)
        below = _below(engine, scorecard, table, plan, line)
    distances = (reference - _matrix(below, plan.items)) @ plan.share
    columns = _columns(below, plan, distances, most)
    pyarrow.csv.write_csv(columns, target)
    return Exported(str(target), "csv", below.num_rows)


# --------------------------------------------------------------------------------------------------------- the plan


@dataclass(frozen=True, slots=True)
class _Plan:
    """The items of a score (criteria and caps), the wordings, and what share of each item counts to each wording.

    Items that may not be a reason (protected) have no share; `share` is of shape (items, wordings).
    """

    items: tuple[str, ...]
    wordings: tuple[str, ...]
    share: Floats = field(repr=False)
    gates: Mapping[str, str] = field(default_factory=dict)
    """Gate → its wording; those that rest on protected attributes are left out."""
    notes: tuple[str, ...] = ()


def _plan(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard) -> _Plan:
    """Say which item counts to which reason."""
    of_feature = _wording_of_features(scorecard)
    counted: list[tuple[str, dict[str, float]]] = []
    barred: list[str] = []
    for criterion in scorecard.criteria:
        if rests_on(criterion, workspace, scorecard) & set(workspace.spec.learn.protected):
            barred.append(criterion.spec.name)
            counted.append((criterion.key, {}))
        else:
            counted.append((criterion.key, _wordings(criterion, of_feature)))
    capped = [f"{name}{CAP}" for name, group in scorecard.spec.groups.items() if group.cap != (None, None)]
    wordings = tuple(dict.fromkeys(wording for _, parts in counted for wording in parts))
    share = np.zeros((len(counted) + len(capped), len(wordings)))
    for row, (_, parts) in enumerate(counted):
        for wording, part in parts.items():
            share[row, wordings.index(wording)] += part
    gates = {
        gate.spec.name: gate.spec.letter or gate.spec.name
        for gate in scorecard.gates
        if not _all_under(gate.condition.names, workspace, scorecard) & set(workspace.spec.learn.protected)
    }
    barred += [gate.spec.name for gate in scorecard.gates if gate.spec.name not in gates]
    return _Plan(tuple([key for key, _ in counted] + capped), wordings, share, gates, _notes(barred))


def _notes(barred: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        f"{name} rests on a protected attribute: it is never told as a reason, and should not count at all"
        for name in barred
    )


def _wording_of_features(scorecard: ResolvedScorecard) -> dict[str, str]:
    """Return the wording of each feature that has a criterion of its own."""
    found: dict[str, str] = {}
    for criterion in scorecard.criteria:
        if isinstance(criterion.spec, models.CategoryCriterion | models.BandCriterion):
            found.setdefault(criterion.spec.feature, criterion.spec.letter or criterion.spec.name)
    return found


def _wordings(criterion: ResolvedCriterion, of_feature: Mapping[str, str]) -> dict[str, float]:
    """Return the wordings a criterion counts to: its own, or for a pair half to each feature that has one."""
    spec = criterion.spec
    if spec.letter is None and isinstance(spec, models.PairCriterion):
        sides = [of_feature[name] for name in spec.features if name in of_feature]
        if sides:
            return {wording: sides.count(wording) / len(sides) for wording in sides}
    return {spec.letter or spec.name: 1.0}


def rests_on(
    criterion: ResolvedCriterion, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard
) -> frozenset[str]:
    """Return all attributes and features a criterion is made of, however deep."""
    match criterion.spec:
        case models.CategoryCriterion() | models.BandCriterion():
            names: frozenset[str] = frozenset({criterion.spec.feature})
        case models.PairCriterion():
            names = frozenset(criterion.spec.features)
        case models.WhenCriterion() if criterion.condition is not None:
            names = criterion.condition.names
        case _:
            names = frozenset()
    return _all_under(names, workspace, scorecard)


def _all_under(names: frozenset[str], workspace: ResolvedWorkspace, scorecard: ResolvedScorecard) -> frozenset[str]:
    features = {**workspace.features, **scorecard.features}
    found, fresh = set[str](), set(names)
    while fresh:
        name = fresh.pop()
        found.add(name)
        if name in features:
            spec = features[name].spec
            own = {spec.attribute} if isinstance(spec, models.AttributeFeature) else set[str]()
            own |= {spec.age} if isinstance(spec, models.AgeFeature) else set()
            fresh |= (own | feature_uses(features[name])) - found
    return frozenset(found)


# ----------------------------------------------------------------------------------------------------- the reference


def _reference(
    engine: Engine, scorecard: ResolvedScorecard, table: str, plan: _Plan, against: Against, line: str | None
) -> Floats:
    """Return the reference's points of each item."""
    if not plan.items:
        return np.zeros(0)
    if against == "best":
        return _best(engine, scorecard, table, plan)
    averages = each("avg({name})", plan.items)
    if against == "all":
        row = engine.rows(fill("SELECT {averages} FROM {table}", averages=averages, table=table))[0]
        return np.array([float(value or 0) for value in row])
    if line is None:
        raise UsageError("`passing` needs the line that is passed", fix="Name it with --line: a grade, or a score.")
    passes, parameters = passing(scorecard, line)
    query = fill(
        "SELECT count(*), {averages} FROM (SELECT * FROM {table} WHERE {passes} ORDER BY score LIMIT greatest(?, "
        "(SELECT count(*) FROM {table}) * ?)::BIGINT)",
        averages=averages,
        table=table,
        passes=passes,
    )
    count, *values = engine.rows(query, [*parameters, FEWEST, SLIGHTLY])[0]
    if not count:
        raise NotFoundError(f"nobody is at or above {line}", fix="Name a lower --line, or use --against all.")
    return np.array([float(value) for value in values])


def passing(scorecard: ResolvedScorecard, line: str) -> tuple[Sql, list[Any]]:
    """Return the condition of being at or above a line, with its parameters: a grade (and all better), or a score.

    Raises UsageError for a line that is neither.
    """
    grades = scorecard.spec.grades
    labels = grades.labels if grades is not None else []
    if line in labels:
        better = labels[: labels.index(line) + 1]
        return fill("grade IN ({places})", places=joined([Sql("?")] * len(better))), list(better)
    try:
        return Sql("score >= ?"), [float(line)]
    except ValueError:
        known = did_you_mean(line, labels) if labels else "the scorecard has no grades: name a score"
        raise UsageError(f"--line: {line!r} is no score and no grade of {scorecard.name}: {known}") from None


def _best(engine: Engine, scorecard: ResolvedScorecard, table: str, plan: _Plan) -> Floats:
    """Return the most points of each item that there are to get; of what has no end, the most that anybody has."""
    row = engine.rows(fill("SELECT {most} FROM {table}", most=each("max({name})", plan.items), table=table))[0]
    seen = dict(zip(plan.items, [float(value or 0) for value in row], strict=True))
    most = {c.key: _most(c.spec, seen[c.key]) for c in scorecard.criteria}
    caps = {}
    for name, group in scorecard.spec.groups.items():
        raw = sum(most[c.key] for c in scorecard.criteria if c.group == name)
        low, high = group.cap
        caps[f"{name}{CAP}"] = float(np.clip(raw, low, high)) - raw if group.cap != (None, None) else 0.0
    return np.array([most.get(key, caps.get(key, 0.0)) for key in plan.items])


def _most(spec: models.Criterion, seen: float) -> float:
    """Return the most points a criterion can give."""
    match spec:
        case models.CategoryCriterion():
            return max([*spec.points.values(), spec.missing, spec.other])
        case models.BandCriterion():
            return max([*(points for _, _, points in spec.bands), spec.missing, spec.other or spec.missing])
        case models.PairCriterion():
            rows = spec.table.values() if isinstance(spec.table, dict) else spec.table
            cells = [float(x) for row in rows for x in (row.values() if isinstance(row, dict) else row)]
            return max([*cells, spec.missing, spec.other])
        case models.WhenCriterion():
            return max(spec.points, 0.0)
        case models.EventCriterion():
            if spec.points <= 0:
                return 0.0
            return spec.max if spec.max is not None else max(seen, spec.points)


# ---------------------------------------------------------------------------------------------------------- writing


def _written(
    found: Ledger,
    plan: _Plan,
    reference: Floats,
    scorecard: ResolvedScorecard,
    *,
    most: int,
    against: Against,
) -> Letter:
    given = {item.key: item for item in found.contributions}
    points = np.array([given[key].points if key in given else 0.0 for key in plan.items])
    distances = (reference - points) @ plan.share
    gate = plan.gates.get(found.gate.name) if found.gate is not None else None
    chosen = _chosen(distances[None, :], most - (gate is not None))[0]
    reasons = tuple(
        PrincipalReason(
            plan.wordings[place],
            float(distances[place]),
            tuple(
                f"{given[key].reason}: {amount(given[key].points)}, against {amount(float(reference[row]))}"
                + (" (counts half)" if plan.share[row, place] < 1 else "")
                for row, key in enumerate(plan.items)
                if plan.share[row, place] and key in given and abs(reference[row] - points[row]) >= WORTH_SAYING
            ),
        )
        for place in chosen
        if place >= 0
    )
    target = scorecard.spec.base + float(reference.sum())
    rest = target - found.score - sum(item.distance for item in reasons)
    return Letter(
        found.id, found.entity, found.scorecard, found.version, found.as_of, found.score, found.grade, against, target,
        gate, reasons, rest, plan.notes,
    )  # fmt: skip


def _chosen(distances: Floats, most: int) -> Ints:
    """Return for each row the places of the largest distances, the largest first; -1 where there is none worth saying.

    >>> _chosen(np.array([[3.0, 0.0, 9.0]]), 3).tolist()
    [[2, 0, -1]]
    """
    order = np.argsort(-distances, axis=1, kind="stable")[:, : max(most, 0)]
    size = np.take_along_axis(distances, order, axis=1)
    found: Ints = np.where(size >= WORTH_SAYING, order, -1)
    return found


def _below(engine: Engine, scorecard: ResolvedScorecard, table: str, plan: _Plan, line: str) -> pa.Table:
    passes, parameters = passing(scorecard, line)
    graded = scorecard.spec.grades is not None
    key = "account" if scorecard.spec.of == "account" else "id"
    return engine.arrow(
        fill(
            "SELECT {key} AS id, score, {grade} AS grade, {gate} AS gate, {items} FROM {table} WHERE NOT ({passes}) "
            "ORDER BY score DESC, 1",
            key=key,
            grade="grade" if graded else Sql("NULL::VARCHAR"),
            gate="gate" if graded else Sql("NULL::VARCHAR"),
            items=list(plan.items),
            table=table,
            passes=passes,
        ),
        parameters,
    )


def _matrix(table: pa.Table, items: Sequence[str]) -> Floats:
    columns = [table.column(key).cast(pa.float64()).to_numpy() for key in items]
    return np.column_stack(columns) if columns else np.zeros((table.num_rows, 0))


def _columns(below: pa.Table, plan: _Plan, distances: Floats, most: int) -> pa.Table:
    """Return the columns of the file: who, how many points, and the reasons, the gate first."""
    gates = np.array([plan.gates.get(name) for name in below.column("gate").to_pylist()], object)
    words = np.array([*plan.wordings, None], object)
    told = words[_chosen(distances, most)]
    first = np.column_stack([gates[:, None], told])
    # Those without a gate move one to the left.
    rows = np.where((gates == None)[:, None], first[:, 1:], first[:, :-1])  # noqa: E711 -- elementwise
    found = {
        "id": _safe(below.column("id")),
        "score": below.column("score"),
        "grade": below.column("grade"),
        "gate": below.column("gate"),
    }
    reasons = {f"reason_{k + 1}": pa.array(rows[:, k].tolist(), pa.string()) for k in range(rows.shape[1])}
    return pa.table({**found, **reasons})


def _safe(column: pa.ChunkedArray) -> pa.Array:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    import pyarrow.compute as pc

    text = column.cast(pa.string()).combine_chunks()
    return pc.if_else(pc.match_substring_regex(text, RISKY), pc.binary_join_element_wise("'", text, ""), text)
