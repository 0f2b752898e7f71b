"""The verb `learn --from`: outcomes move the points of a hand-written scorecard as far as they bear it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from leadlight.engines.base import Engine
from leadlight.errors import UsageError
from leadlight.learn.drafts import Placed, draft
from leadlight.learn.levers import gather
from leadlight.learn.prior import Proposal, learn_from
from leadlight.learn.training import past_rows
from leadlight.learn.write import scorecard_text
from leadlight.spec import models
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.words import words_of


@dataclass(frozen=True, slots=True)
class AdjustRun:
    """What outcomes say of a scorecard's points, and the draft that has them; no draft where nothing should change."""

    scorecard: str
    entity: str
    until: datetime
    proposal: Proposal
    placed: Placed | None

    def as_dict(self) -> dict[str, Any]:
        """Return the proposal as plain JSON values."""
        return {
            "scorecard": self.scorecard,
            "entity": self.entity,
            "until": self.until.isoformat() + "Z",
            **self.proposal.as_dict(),
            "file": None if self.placed is None else self.placed.as_dict(),
        }

    def __str__(self) -> str:
        where = "nothing should change" if self.placed is None else str(self.placed)
        return f"{self.scorecard}: {self.proposal}\n{where}"


def adjust(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    until: datetime,
    root: Path,
    *,
    seed: int,
) -> AdjustRun:
    """Propose points for a scorecard from the outcomes known at a moment, and write them as a draft of its name.

    A scorecard without a calibration gets one, as soon as there are wins to calibrate it on. Raises NotFoundError
    without outcomes, UsageError for an uplift scorecard.
    """
    if scorecard.spec.effect is not None:
        raise UsageError(
            f"{scorecard.name} says who is moved, and wins alone cannot tell that",
            fix="Learn it again, from a campaign with a part held back: `leadlight uplift`.",
        )
    rows = past_rows(engine, workspace, until)
    pulled, scored = gather(engine, workspace, scorecard, rows.lead, rows.as_of)
    rows, pulled = rows.take(scored), pulled.take(np.flatnonzero(scored))
    found = learn_from(
        scorecard,
        pulled,
        rows.won,
        lead=rows.lead,
        time=rows.time if rows.dated else None,
        horizon=_horizon(workspace) if rows.dated else 0.0,
        seed=seed,
    )
    said = words_of(workspace.spec)
    found = replace(found, words=said, changes=tuple(replace(change, words=said) for change in found.changes))
    spec = _calibrated(found)
    if spec == scorecard.spec:
        return AdjustRun(scorecard.name, workspace.spec.entity, until, found, None)
    placed = draft(root, scorecard.name, scorecard_text(spec, heading=_heading(found, until)))
    return AdjustRun(scorecard.name, workspace.spec.entity, until, found, placed)


def _calibrated(found: Proposal) -> models.ScorecardSpec:
    """Return the proposed card with the probabilities that its scores turned out to have."""
    if found.calibration is None:
        return found.spec
    curve = models.CalibrationSpec.model_validate(found.calibration.as_dict())
    return found.spec.model_copy(update={"calibration": curve})


def _heading(found: Proposal, until: datetime) -> str:
    title = f"Points moved by {found.wins:,} {found.words.wins} among {found.rows:,} rows of {found.words.entities}"
    return "\n".join([f"{title} known by {until:%Y-%m-%d}:", *str(found).splitlines()[1:]])


def _horizon(workspace: ResolvedWorkspace) -> float:
    outcome = workspace.spec.outcome
    return 0.0 if outcome is None else outcome.horizon.total_seconds() / 86_400
