"""What publishing an edited scorecard would do to real leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import Options
from leadlight.scorecards.ledger import SHOWN, ledgers
from leadlight.scorecards.outcomes import Hindsight, hindsight
from leadlight.scorecards.rank import scored
from leadlight.scorecards.sentences import amount
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable, html_table
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import Sql, fill, joined

MOST_MOVED = 10
CUTS = ("0", "0.05", "0.25", "0.5", "0.75", "0.95", "1")


@dataclass(frozen=True, slots=True)
class Moved:
    """A lead whose score the edit moves, and the contributions that differ."""

    id: str
    before: float
    after: float
    grade_before: str | None
    grade_after: str | None
    items: Mapping[str, float]
    """Name of an item → by how many points it differs."""


@dataclass(frozen=True, slots=True, repr=False)
class Difference(Readable):
    """Two versions of a scorecard over the same leads as of the same moment."""

    scorecard: str
    entity: str
    as_of: datetime
    old: str
    new: str
    total: int
    moved: int
    mean_before: float | None
    mean_after: float | None
    quantiles: Mapping[str, tuple[float, float]]
    """Quantile of the scores → (before, after)."""
    grades: Mapping[str, tuple[int, int]]
    """Grade → how many leads have it (before, after)."""
    transitions: Mapping[tuple[str, str], int] = field(repr=False)
    """(Grade before, grade after) → how many leads, those that change only."""
    most_moved: tuple[Moved, ...] = field(repr=False)
    hindsight: tuple[Hindsight | None, Hindsight | None]
    """How each version would have ranked the past (before, after)."""

    @property
    def changes_grade(self) -> int:
        """How many leads would change grade."""
        return sum(self.transitions.values())

    def as_dict(self) -> dict[str, Any]:
        """Return the difference as plain JSON values."""
        return {
            "scorecard": self.scorecard,
            "as_of": self.as_of.isoformat() + "Z",
            "old": self.old,
            "new": self.new,
            "total": self.total,
            "moved": self.moved,
            "changes_grade": self.changes_grade,
            "mean": {"before": self.mean_before, "after": self.mean_after},
            "quantiles": {name: {"before": a, "after": b} for name, (a, b) in self.quantiles.items()},
            "grades": {grade: {"before": a, "after": b} for grade, (a, b) in self.grades.items()},
            "transitions": [{"from": a, "to": b, "count": n} for (a, b), n in self.transitions.items()],
            "most_moved": [
                {
                    "id": m.id, "before": m.before, "after": m.after, "grade_before": m.grade_before,
                    "grade_after": m.grade_after, "items": dict(m.items),
                }
                for m in self.most_moved
            ],
            "hindsight": {
                "before": self.hindsight[0].as_dict() if self.hindsight[0] else None,
                "after": self.hindsight[1].as_dict() if self.hindsight[1] else None,
            },
        }  # fmt: skip

    def __str__(self) -> str:
        lines = [
            f"{self.scorecard}: {self.old} → {self.new} as of {self.as_of:%Y-%m-%d %H:%M} UTC",
            f"  {self.moved:,} of {many(self.total, self.entity)} get another score, "
            f"{self.changes_grade:,} another grade",
        ]
        lines += [f"  {a} → {b}: {n:,}" for (a, b), n in self.transitions.items()]
        for name, found in zip(("before", "after"), self.hindsight, strict=True):
            lines += [f"  {name}: {found}"] if found else []
        for item in self.most_moved:
            why = ", ".join(f"{name} {amount(points)}" for name, points in item.items.items())
            lines.append(f"  {item.id}: {item.before:.1f} → {item.after:.1f} ({why})")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = str(self).split("\n")
        rows = [
            [item.id, f"{item.before:.1f}", f"{item.after:.1f}", item.grade_before or "", item.grade_after or "",
             ", ".join(f"{name} {amount(points)}" for name, points in item.items.items())]
            for item in self.most_moved
        ]  # fmt: skip
        columns = ["most moved", "before", "after", "grade before", "grade after", "by"]
        return html_table("\n".join(head[: len(head) - len(rows)]), columns, rows, numbers=["before", "after"])


def diff(
    engine: Engine,
    workspace: ResolvedWorkspace,
    old: ResolvedScorecard,
    new: ResolvedScorecard,
    as_of: datetime,
) -> Difference:
    """Score everybody with both versions as of one moment and compare; nothing is stored.

    The version in use is graded as `score` would, going on from its history; an edit begins anew, as its first run
    would.
    """
    key = new.spec.of
    with (
        scored(engine, workspace, old, as_of, options=Options(contributions=False), table="_old") as before,
        scored(engine, workspace, new, as_of, options=Options(contributions=False), table="_new") as after,
    ):
        both = fill(
            "FROM (SELECT {key} AS key, score, {old} AS grade FROM {before}) a "
            "FULL JOIN (SELECT {key} AS key, score, {new} AS grade FROM {after}) b USING (key)",
            key=key,
            old=_grade(old),
            new=_grade(new),
            before=before,
            after=after,
        )
        total, moved, mean_a, mean_b = engine.rows(
            fill(
                "SELECT count(*), count(*) FILTER (WHERE abs(a.score - b.score) > ?), avg(a.score), avg(b.score) "
                "{both}",
                both=both,
            ),
            [SHOWN],
        )[0]
        columns = joined(Sql(f"quantile_cont({side}.score, {cut})") for cut in CUTS for side in "ab")
        found = engine.rows(fill("SELECT {columns} {both}", columns=columns, both=both))[0]
        quantiles = {cut: (found[2 * i], found[2 * i + 1]) for i, cut in enumerate(CUTS) if found[2 * i] is not None}
        grades = engine.rows(
            fill("SELECT a.grade, b.grade, count(*) {both} GROUP BY ALL ORDER BY 3 DESC, 1, 2", both=both)
        )
        most = fill(
            "SELECT key {both} WHERE abs(a.score - b.score) > ? ORDER BY abs(a.score - b.score) DESC, key LIMIT ?",
            both=both,
        )
        keys = [row[0] for row in engine.rows(most, [SHOWN, MOST_MOVED])]
    return Difference(
        scorecard=new.name,
        entity=workspace.spec.entity if key == "lead" else "account",
        as_of=as_of,
        old=old.version,
        new=new.version,
        total=int(total),
        moved=int(moved),
        mean_before=mean_a,
        mean_after=mean_b,
        quantiles=quantiles,
        grades=_by_grade(grades, old, new),
        transitions={(a, b): int(n) for a, b, n in grades if a is not None and b is not None and a != b},
        most_moved=_most_moved(engine, workspace, old, new, Moment(as_of=as_of, only=keys)),
        hindsight=(hindsight(engine, workspace, old, as_of), hindsight(engine, workspace, new, as_of)),
    )


def _grade(scorecard: ResolvedScorecard) -> str:
    return "grade" if scorecard.spec.grades is not None else Sql("NULL::VARCHAR")


def _by_grade(
    rows: list[tuple[Any, ...]], old: ResolvedScorecard, new: ResolvedScorecard
) -> dict[str, tuple[int, int]]:
    labels = [label for card in (new, old) if card.spec.grades is not None for label in card.spec.grades.labels]
    return {
        label: (sum(n for a, _, n in rows if a == label), sum(n for _, b, n in rows if b == label))
        for label in dict.fromkeys(labels)
    }


def _most_moved(
    engine: Engine, workspace: ResolvedWorkspace, old: ResolvedScorecard, new: ResolvedScorecard, moment: Moment
) -> tuple[Moved, ...]:
    if not moment.only:
        return ()
    before = {item.key: item for item in ledgers(engine, workspace, old, moment)}
    moved = []
    for after in ledgers(engine, workspace, new, moment):
        a = before[after.key]
        points = {item.name: -item.points for item in a.contributions}
        for item in after.contributions:
            points[item.name] = points.get(item.name, 0.0) + item.points
        items = {name: value for name, value in points.items() if abs(value) > SHOWN}
        moved.append(Moved(after.id, a.score, after.score, a.grade, after.grade, items))
    return tuple(moved)
