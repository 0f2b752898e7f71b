"""How a scorecard, learned or hand-written, would have done on the leads of a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError
from leadlight.evaluate.arrays import Floats
from leadlight.evaluate.bootstrap import leads_of
from leadlight.evaluate.calibration import Calibration, calibration
from leadlight.evaluate.fairness import Fairness
from leadlight.evaluate.metrics import Metrics, draw, measure
from leadlight.evaluate.rates import Rate, conversions
from leadlight.evaluate.uplift import CampaignFigures
from leadlight.evaluate.verdict import Comparison, compare
from leadlight.learn.card import features_of
from leadlight.learn.groups import compare_groups, line_of
from leadlight.learn.training import Rows, features_at, orders, past_rows
from leadlight.learn.uplift import campaign_figures
from leadlight.scorecards.outcomes import learned_from
from leadlight.scorecards.scores_at import ScoresAt, scores_at
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.words import Words, words_of

NEWEST_FIRST, OLDEST_FIRST = "newest first", "oldest first"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A scorecard held against outcomes: its figures, and how they compare with first come, first served."""

    scorecard: str
    version: str
    entity: str
    since: datetime | None
    until: datetime
    metrics: Metrics
    against: tuple[Comparison, ...]
    grades: tuple[Rate, ...]
    calibration: Calibration | None = field(repr=False)
    fairness: tuple[Fairness, ...] = ()
    """For each protected attribute, how its groups are chosen (the first fifth of the ranking) and won."""
    notes: tuple[str, ...] = ()
    beside: tuple[tuple[str, Metrics], ...] = ()
    """The figures of the numbers that people rank by today."""
    campaign: CampaignFigures | None = None
    """What the ranking would have been worth to a randomised campaign."""

    def as_dict(self) -> dict[str, Any]:
        """Return the evaluation as plain JSON values."""
        return {
            "scorecard": self.scorecard,
            "version": self.version,
            "entity": self.entity,
            "since": None if self.since is None else self.since.isoformat() + "Z",
            "until": self.until.isoformat() + "Z",
            "metrics": self.metrics.as_dict(),
            "against": [item.as_dict() for item in self.against],
            "grades": [rate.as_dict() for rate in self.grades],
            "calibration": None if self.calibration is None else self.calibration.as_dict(),
            "fairness": [item.as_dict() for item in self.fairness],
            "notes": list(self.notes),
            "beside": {label: metrics.as_dict() for label, metrics in self.beside},
            "campaign": None if self.campaign is None else self.campaign.as_dict(),
        }

    def __str__(self) -> str:
        since = "" if self.since is None else f" from {self.since:%Y-%m-%d}"
        lines = [f"{self.scorecard} {self.version}{since} until {self.until:%Y-%m-%d}: {self.metrics}"]
        lines += [f"  {item}" for item in self.against if item.figure == "auc"]
        lines += [f"  {label}: {metrics}" for label, metrics in self.beside]
        lines += [f"  grade {rate}" for rate in self.grades]
        lines += [f"  {self.calibration}"] if self.calibration is not None else []
        lines += [str(item) for item in self.fairness]
        lines += [f"  {self.campaign}"] if self.campaign is not None else []
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def evaluate(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    *,
    since: datetime | None,
    until: datetime,
    seed: int = 0,
    line: str | None = None,
) -> Evaluation:
    """Judge a scorecard by the leads looked at from `since` on whose outcome is settled at `until`.

    `line` (a grade, or a score) says who is chosen, where the groups of protected attributes are compared.

    Raises NotFoundError where there are none.
    """
    rows = past_rows(engine, workspace, until)
    if since is not None:
        rows = rows.take(rows.time >= _days(since))
    found = scores_at(engine, workspace, scorecard, rows.lead, rows.as_of)
    rows, found = rows.take(found.scored), found.take(found.scored)
    if not len(rows.lead):
        raise NotFoundError(
            f"no {workspace.spec.entity} of that period has an outcome that is settled by {until:%Y-%m-%d}",
            fix=f"Outcomes need {_horizon(workspace)} days to settle: name an earlier --since or a later --until.",
        )
    said = words_of(workspace.spec)
    beside, capacity = _beside(engine, workspace, rows), workspace.spec.learn.capacity
    return Evaluation(
        scorecard.name,
        scorecard.version,
        workspace.spec.entity,
        since,
        until,
        measure(
            found.score,
            rows.won,
            probability=found.probability,
            lead=rows.lead,
            seed=seed,
            words=said,
            capacity=capacity,
        ),
        _against(rows, found, beside, seed),
        _by_grade(scorecard, rows, found, said),
        None
        if found.probability is None
        else calibration(found.probability, rows.won, lead=rows.lead, seed=seed, words=said),
        fairness_at(engine, workspace, scorecard, rows, found, line),
        notes(scorecard, since),
        tuple(
            (
                label,
                measure(score, rows.won, lead=rows.lead, seed=seed, words=said, capacity=capacity),
            )
            for label, score in beside.items()
        ),
        campaign_figures(
            engine, workspace, scorecard, until, since=-np.inf if since is None else _days(since), seed=seed
        ),
    )


def fairness_at(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    rows: Rows,
    found: ScoresAt,
    line: str | None,
) -> tuple[Fairness, ...]:
    """Compare the groups of each protected attribute at the line, or at about the fifth ranked first."""
    return compare_groups(
        engine,
        workspace.with_features(scorecard.features),
        rows,
        found.score,
        features=features_of(workspace, scorecard),
        probability=found.probability,
        line=line_of(workspace, line, found.score, found.grade, scorecard.spec.grades),
    )


def _beside(engine: Engine, workspace: ResolvedWorkspace, rows: Rows) -> dict[str, Floats]:
    """Return the numbers that people rank by today, of each row."""
    names = {label: feature.name for label, feature in workspace.beside.items()}
    if not names:
        return {}
    full = workspace.with_features({feature.name: feature for feature in workspace.beside.values()})
    table = features_at(engine, full, list(names.values()), rows)
    return orders({label: table.column(name) for label, name in names.items()})


def _against(rows: Rows, found: ScoresAt, beside: Mapping[str, Floats], seed: int) -> tuple[Comparison, ...]:
    """Hold the order against both orders of arrival, where there are dates, and against what people rank by today."""
    leads = leads_of(rows.lead, len(rows.lead))
    own = draw(found.score, rows.won, leads, seed=seed)
    orders = {OLDEST_FIRST: -rows.created, NEWEST_FIRST: rows.created} if rows.dated else {}
    orders |= beside
    return tuple(
        item
        for name, order in orders.items()
        for item in compare("the scorecard", own, name, draw(order, rows.won, leads, seed=seed))
    )


def _by_grade(scorecard: ResolvedScorecard, rows: Rows, found: ScoresAt, said: Words) -> tuple[Rate, ...]:
    if scorecard.spec.grades is None or found.grade is None:
        return ()
    grades = np.array([str(grade) for grade in found.grade])
    return conversions(grades, rows.won, labels=scorecard.spec.grades.labels, words=said)


def notes(scorecard: ResolvedScorecard, since: datetime | None) -> tuple[str, ...]:
    """Return what makes the figures of a scorecard on the rows from `since` on kinder than they will be."""
    if not learned_from(scorecard, since):
        return ()
    return (f"{scorecard.name} was learned from this period: judged by the same rows it looks better than it is.",)


def _days(moment: datetime) -> float:
    return (moment - datetime(1970, 1, 1)).total_seconds() / 86_400  # noqa: DTZ001 -- naive UTC


def _horizon(workspace: ResolvedWorkspace) -> int:
    return workspace.spec.outcome.horizon.days if workspace.spec.outcome is not None else 0
