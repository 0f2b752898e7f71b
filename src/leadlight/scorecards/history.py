"""What a lead's score was, when its grade changed, and what it did that no score needs any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable, html_table
from leadlight.store.rolled_up import RolledUp
from leadlight.store.sql import fill


@dataclass(frozen=True, slots=True)
class PastScore:
    """A score that was given."""

    as_of: datetime
    score: float
    grade: str | None
    gate: str | None
    version: str
    change: str | None = None
    """`up`, `down` or None: how the grade compares with the one before."""


@dataclass(frozen=True, slots=True, repr=False)
class History(Readable):
    """The scores a lead was given by one scorecard, oldest first."""

    id: str
    scorecard: str
    scores: tuple[PastScore, ...] = field(repr=False)
    rolled_up: tuple[RolledUp, ...] = field(repr=False, default=())
    """What `retain` took out of its events, by month and type; none for accounts."""

    def as_dict(self) -> dict[str, Any]:
        """Return the history as plain JSON values."""
        return {
            "id": self.id,
            "scorecard": self.scorecard,
            "scores": [
                {
                    "as_of": s.as_of.isoformat() + "Z", "score": s.score, "grade": s.grade, "gate": s.gate,
                    "version": s.version, "change": s.change,
                }
                for s in self.scores
            ],
            "rolled_up": [each.as_dict() for each in self.rolled_up],
        }  # fmt: skip

    def __str__(self) -> str:
        lines = [f"{self.id} by {self.scorecard}: {many(len(self.scores), 'score')}"]
        for s in self.scores:
            arrow = {"up": " ↑", "down": " ↓"}.get(s.change or "", "")
            lines.append(f"  {s.as_of:%Y-%m-%d %H:%M}  {s.score:>8.1f}  {s.grade or ''}{arrow}  ({s.version})")
        if self.rolled_up:
            lines.append(f"{many(sum(each.events for each in self.rolled_up), 'event')} taken out of the store")
            lines += [f"  {each}" for each in self.rolled_up]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [
            [f"{s.as_of:%Y-%m-%d %H:%M}", f"{s.score:.1f}", s.grade or "", s.gate or "", s.version, s.change or ""]
            for s in self.scores
        ]
        columns = ["as of", "score", "grade", "gate", "version", "change"]
        return html_table(str(self).partition("\n")[0], columns, rows, numbers=["score"])


def history(
    engine: Engine,
    scorecard: str,
    of: str,
    key: int | str,
    shown_id: str,
    labels: list[str],
    *,
    until: datetime | None = None,
    taken: tuple[RolledUp, ...] = (),
) -> History:
    """Return the stored scores of a lead (or account), oldest first; the latest run of each as-of counts.

    Scores of moments after `until` are left out. `taken` is what was rolled up of the lead's events until then.
    """
    rows = engine.rows(
        fill(
            "SELECT as_of, score, grade, gate, version FROM scores WHERE scorecard = ? AND {of} = ? "
            "AND (?::TIMESTAMP IS NULL OR as_of <= ?) "
            "QUALIFY row_number() OVER (PARTITION BY as_of ORDER BY run DESC) = 1 ORDER BY as_of",
            of=of,
        ),
        [scorecard, key, until, until],
    )
    place = {label: number for number, label in enumerate(labels)}
    scores: list[PastScore] = []
    for as_of, score, grade, gate, version in rows:
        before = scores[-1].grade if scores else None
        change = None
        if grade in place and before in place and grade != before:
            change = "up" if place[grade] < place[before] else "down"
        scores.append(PastScore(as_of, score, grade, gate, version, change))
    return History(shown_id, scorecard, tuple(scores), taken)
