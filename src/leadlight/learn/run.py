"""The verb `learn`: learn, judge, write the scorecard's file, published or as a draft."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from leadlight.engines.base import Engine
from leadlight.errors import UsageError, shorten
from leadlight.learn.drafts import Placed, draft, publish
from leadlight.learn.learn import Learned, Step, learn
from leadlight.learn.write import scorecard_text
from leadlight.spec.load import SCORECARD_FOLDER
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace

LEARNED = "learned"


@dataclass(frozen=True, slots=True)
class LearnRun:
    """What was learned, and where its file is."""

    learned: Learned
    placed: Placed

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {**self.learned.as_dict(), "file": self.placed.as_dict()}

    def __str__(self) -> str:
        return f"{self.learned}\n{self.placed}"


def learn_run(
    engine: Engine,
    workspace: ResolvedWorkspace,
    until: datetime,
    root: Path,
    *,
    name: str = LEARNED,
    today: ResolvedScorecard | None = None,
    keep: Sequence[str] = (),
    force: bool = False,
    seed: int = 1,
    step: Step = lambda _: None,
) -> LearnRun:
    """Learn a scorecard and write its file under `root`.

    Raises UsageError for a name that cannot be a file's, or that of a hand-written scorecard.
    """
    check_name(root, workspace, name)
    found = learn(engine, workspace, until, today=today, keep=keep, seed=seed, step=step)
    text = scorecard_text(found.spec, heading=heading(found))
    place = publish if found.publishable or force else draft
    return LearnRun(found, place(root, name, text))


def learned_name(workspace: ResolvedWorkspace, name: str | None) -> str:
    """Return what a learned scorecard is called: as told, else `learned`, with the outcome where it has a name."""
    if name is not None:
        return name
    return LEARNED if workspace.outcome_name is None else f"{LEARNED}_{workspace.outcome_name}"


def to_beat(workspace: ResolvedWorkspace) -> ResolvedScorecard | None:
    """Return the scorecard in use for the workspace's outcome, as one to be beaten: `house`, else the first by hand."""
    cards = [
        card
        for card in workspace.scorecards.values()
        if workspace.meant(card.spec.outcome) == workspace.outcome_name and card.spec.effect is None
    ]
    by_hand = [card for card in cards if card.spec.learned is None]
    return next((card for card in cards if card.name == "house"), next(iter(by_hand or cards), None))


def check_name(root: Path, workspace: ResolvedWorkspace, name: str) -> None:
    """Raise UsageError for a name that cannot be a file's, or that of a hand-written scorecard."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,60}", name):
        raise UsageError(f"{shorten(name)} cannot name a scorecard", fix="Use letters, digits, - and _.")
    there = workspace.scorecards.get(name)
    if there is not None and there.spec.learned is None:
        raise UsageError(
            f"{root / SCORECARD_FOLDER / name}.yaml is written by hand and would be lost",
            fix="Give the learned one another name with --name.",
        )


def heading(found: Learned) -> str:
    """Say above the file what it is, how good it is, and how to read it."""
    counts, verdict = found.counts, found.verdict
    lines = [
        f"Learned from {counts.rows:,} rows of {counts.leads:,} {found.words.entities} known by "
        f"{found.until:%Y-%m-%d}, {counts.wins:,} of them {found.words.won}.",
        "Points are log-odds: 20 points double the odds.",
        "Edit what you know better; `leadlight diff` shows what that does.",
        "",
        *str(verdict).splitlines(),
    ]
    return "\n".join(lines)
