"""What every system has to give: for each lead the points of 20 criteria, the score and the grade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FIT = ("seniority", "size", "industry", "country", "source", "revenue", "works", "mailbox")
ENGAGEMENT = (
    "pricing", "visits", "stories", "docs", "jobs", "opens", "clicks", "week", "demo", "forms", "webinars", "left",
)  # fmt: skip
CRITERIA = FIT + ENGAGEMENT
"""Short names, in the order of workspace/scorecards/house.yaml."""
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Scores:
    """One value per lead in each array; the order of leads is free. `points` has the criteria in order."""

    lead: np.ndarray
    points: Sequence[np.ndarray]
    score: np.ndarray
    grade: np.ndarray

    def save(self, folder: Path) -> None:
        """Write the arrays in order of lead, one file each, so that they can be compared one at a time."""
        folder.mkdir(parents=True, exist_ok=True)
        order = np.argsort(self.lead, kind="stable")
        named = {"lead": self.lead, "score": self.score, **dict(zip(CRITERIA, self.points, strict=True))}
        for name, values in named.items():
            np.save(folder / name, np.asarray(values)[order])
        np.save(folder / "grade", np.asarray(self.grade).astype("S2")[order])


def difference(ours: Path, theirs: Path) -> float:
    """Return the largest difference of any score or contribution; infinite where leads or grades differ."""
    for name in ("lead", "grade"):
        left, right = np.load(ours / f"{name}.npy"), np.load(theirs / f"{name}.npy")
        if left.shape != right.shape or not np.array_equal(left, right):
            return float("inf")
    names = ("score", *CRITERIA)
    return max(_largest(np.load(ours / f"{name}.npy"), np.load(theirs / f"{name}.npy")) for name in names)


def _largest(left: np.ndarray, right: np.ndarray) -> float:
    worst = float(np.max(np.abs(left - right), initial=0.0))
    return float("inf") if np.isnan(worst) else worst
