"""The ledger of a score: every contribution as an item with its reason; the items add up to the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from leadlight.engines.base import Engine
from leadlight.expr import build
from leadlight.expr.english import to_english
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import CAP, EVENTS, LAST, TOTAL, VALUE, Options, score_statement
from leadlight.scorecards.past import continues
from leadlight.scorecards.sentences import Unit, amount, chance, moved, sentence, unit_of
from leadlight.spec import models
from leadlight.spec.readable import Readable, html_table
from leadlight.spec.resolved import ResolvedCriterion, ResolvedFeature, ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.words import USUAL, Words, words_of

SHOWN = 1e-9
"""Points of this size or less count as none."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """The points one item gave: a criterion, what a group's cap took, or the base."""

    key: str
    name: str
    group: str | None
    points: float
    reason: str
    kind: Literal["criterion", "cap", "base"] = "criterion"

    def __str__(self) -> str:
        return f"{self.reason}: {amount(self.points)}"


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate that set the grade."""

    name: str
    reason: str
    grade: str


@dataclass(frozen=True, slots=True, repr=False)
class Ledger(Readable):
    """Why a lead has its score: `base`, criteria and caps add up to `score` within 1e-9."""

    id: str
    key: int | str
    entity: str
    scorecard: str
    version: str
    as_of: datetime
    score: float
    grade: str | None
    gate: Gate | None
    probability: float | None
    totals: Mapping[str, float]
    contributions: tuple[Contribution, ...] = field(repr=False)
    excluded: bool = False
    interval: tuple[float, float] | None = None
    """The ends of the probability's interval."""
    worth: float | None = None
    """What a win is expected to bring."""
    expected: float | None = None
    """Probability (or uplift) × worth."""
    uplift: float | None = None
    """By how much the treatment raises the win rate, by an uplift scorecard."""
    uplift_interval: tuple[float, float] | None = None
    words: Words = field(default=USUAL, repr=False, compare=False)

    def reasons(self, limit: int | None = None) -> list[str]:
        """Return the reasons in words, the gate first, then the largest contributions of either sign."""
        given = sorted((item for item in self.contributions if abs(item.points) > SHOWN), key=lambda c: -abs(c.points))
        texts = [f"{self.gate.name}: grade {self.gate.grade}"] if self.gate else []
        return (texts + [str(item) for item in given if item.kind != "base"])[:limit]

    def as_dict(self) -> dict[str, Any]:
        """Return the ledger as plain JSON values."""
        return {
            "id": self.id,
            "entity": self.entity,
            "scorecard": self.scorecard,
            "version": self.version,
            "as_of": self.as_of.isoformat() + "Z",
            "score": self.score,
            "grade": self.grade,
            "gate": None if self.gate is None else {"name": self.gate.name, "grade": self.gate.grade},
            "probability": self.probability,
            "interval": None if self.interval is None else list(self.interval),
            "worth": self.worth,
            "expected": self.expected,
            "uplift": self.uplift,
            "uplift_interval": None if self.uplift_interval is None else list(self.uplift_interval),
            "excluded": self.excluded,
            "groups": dict(self.totals),
            "contributions": [
                {"key": c.key, "name": c.name, "group": c.group, "kind": c.kind, "points": c.points, "reason": c.reason}
                for c in self.contributions
            ],
        }

    def __str__(self) -> str:
        grade = f", grade {self.grade}" if self.grade else ""
        lines = [f"{self.entity} {self.id}: {self.score:.1f} points{grade} as of {self.as_of:%Y-%m-%d %H:%M} UTC"]
        if self.probability is not None:
            lines.append(f"  {chance(self.probability, self.interval)}")
        if self.uplift is not None:
            lines.append(f"  {moved(self.uplift, self.uplift_interval)}")
        if self.excluded:
            lines.append("  (excluded from scoring by the workspace)")
        if self.gate:
            lines.append(f"  grade {self.gate.grade} by gate: {self.gate.name} ({self.gate.reason})")
        items = sorted(self.contributions, key=lambda item: -abs(item.points))
        lines += [f"  {amount(item.points):>8}  {item.reason}" for item in items if abs(item.points) > SHOWN]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        items = sorted(self.contributions, key=lambda item: -abs(item.points))
        rows = [[amount(i.points), i.group or "", i.reason] for i in items if abs(i.points) > SHOWN]
        return html_table(str(self).partition("\n")[0], ["points", "group", "reason"], rows, numbers=["points"])


def ledgers(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    moment: Moment,
    *,
    grade_history: bool = True,
) -> list[Ledger]:
    """Return the ledgers of the leads the moment names (`only`), in that order; one that is unknown has none."""
    if moment.only is not None and not moment.only:
        return []
    asked = replace(moment, prepared=moment.single and moment.only is not None)
    past = grade_history and continues(engine, scorecard, moment.as_of)
    text = _statement(_Same(workspace), _Same(scorecard), _Shape(asked), past, engine.capabilities.dialect)
    rows = engine.prepared(text, asked.parameters) if asked.prepared else engine.arrow(text).to_pylist()
    made = {row[scorecard.spec.of]: ledger(workspace, scorecard, row) for row in rows}
    return [made[key] for key in (moment.only or made) if key in made]


class _Same:
    """A key of a cache: equal to itself only."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value


class _Shape:
    """A key of a cache: moments whose prepared statements are the same."""

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        self.key = (len(moment.only or ()), moment.only is None) if moment.prepared else moment

    def __hash__(self) -> int:
        return hash(self.key) if self.moment.prepared else id(self.moment)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shape) and other.key == self.key


@lru_cache(maxsize=32)
def _statement(workspace: _Same, scorecard: _Same, shape: _Shape, grade_history: bool, dialect: str) -> str:
    """Compile once what is asked again and again."""
    card: ResolvedScorecard = scorecard.value
    options = Options(grade_history=grade_history, evidence=True, excluded=True)
    return build.to_text(score_statement(workspace.value, card, shape.moment, options), dialect)


def ledger(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, row: Mapping[str, Any]) -> Ledger:
    """Make a ledger from a row of a statement with evidence."""
    spec = scorecard.spec
    entity = workspace.spec.entity if spec.of == "lead" else "account"
    items = [Contribution("base", "Base", None, spec.base, "Base points", "base")] if spec.base else []
    features = {**workspace.features, **scorecard.features}
    items += [_item(criterion, row, features) for criterion in scorecard.criteria]
    for group in spec.groups:
        if abs(row[group + CAP]) > SHOWN:
            cap = spec.groups[group].cap
            limit = cap[1] if row[group + CAP] < 0 else cap[0]
            reason = f"{group} is limited to {limit:g} (cap)"
            items.append(Contribution(group + CAP, f"{group} cap", group, row[group + CAP], reason, "cap"))
    return Ledger(
        id=str(row["id"] if spec.of == "lead" else row["account"]),
        key=row[spec.of],
        entity=entity,
        scorecard=scorecard.name,
        version=scorecard.version,
        as_of=row["as_of"],
        score=row["score"],
        grade=row.get("grade"),
        gate=_gate(scorecard, row.get("gate")),
        probability=row.get("probability"),
        totals={group: row[group + TOTAL] for group in spec.groups},
        contributions=tuple(items),
        excluded=row["excluded"],
        interval=None if row.get("probability_low") is None else (row["probability_low"], row["probability_high"]),
        worth=row.get("worth"),
        expected=row.get("expected"),
        uplift=row.get("uplift"),
        uplift_interval=None if row.get("uplift_low") is None else (row["uplift_low"], row["uplift_high"]),
        words=words_of(workspace.spec),
    )


def _item(
    criterion: ResolvedCriterion, row: Mapping[str, Any], features: Mapping[str, ResolvedFeature]
) -> Contribution:
    evidence = {suffix: row.get(criterion.key + suffix) for suffix in (EVENTS, LAST, VALUE, VALUE + "1")}
    reason = sentence(
        criterion,
        events=evidence[EVENTS],
        last=evidence[LAST],
        values=[evidence[VALUE], evidence[VALUE + "1"]],
        units=_units(criterion.spec, features),
    )
    return Contribution(criterion.key, criterion.spec.name, criterion.group, row[criterion.key], reason)


def _units(spec: models.Criterion, features: Mapping[str, ResolvedFeature]) -> list[Unit | None]:
    """Return the unit of each value a criterion looks at."""
    match spec:
        case models.CategoryCriterion() | models.BandCriterion():
            names: Sequence[str] = (spec.feature,)
        case models.PairCriterion():
            names = spec.features
        case _:
            names = ()
    return [unit_of(features[name].spec) if name in features else None for name in names]


def _gate(scorecard: ResolvedScorecard, name: str | None) -> Gate | None:
    for gate in scorecard.gates:
        if gate.spec.name == name:
            return Gate(gate.spec.name, to_english(gate.condition), gate.spec.grade)
    return None


def top(items: Sequence[Contribution], limit: int) -> list[Contribution]:
    """Return the largest contributions of either sign, the base left out."""
    given = [item for item in items if item.kind != "base" and abs(item.points) > SHOWN]
    return sorted(given, key=lambda item: -abs(item.points))[:limit]
