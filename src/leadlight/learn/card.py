"""From what was learned to a scorecard: groups, grades, probability, worth, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

import numpy as np

from leadlight.learn.calibrate import Calibration
from leadlight.learn.examples import Floats
from leadlight.scorecards.compile import name_types
from leadlight.spec import models
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace

FIT, ENGAGEMENT = "fit", "engagement"
GRADES = (("A", 0.1), ("B", 0.3), ("C", 0.6))
"""Grade → the share of leads with this or a better one; the rest are D."""
EVENT_FEATURES = (*get_args(models.EventFeature), models.AccountFeature)


def learned_card(
    base: float,
    criteria: Sequence[models.Criterion],
    *,
    features: Mapping[str, models.Feature],
    known: Mapping[str, models.Feature],
    titles: Mapping[str, str],
    calibration: Calibration,
    scores: Floats,
    worth: models.WorthSpec | None,
    learned: Mapping[str, Any],
    double_odds: float = 20.0,
) -> models.ScorecardSpec:
    """Put a scorecard together.

    `features` are those the card may have to bring along, `known` those of the workspace; `titles` names features for
    people; `scores` are the scores of held-out rows, which the grades cut into shares.
    """
    named = [_titled(criterion, titles) for criterion in criteria]
    groups = _grouped(named, {**known, **features})
    used = {name for item in criteria for name in uses(item)}
    used |= {item.feature for item in worth.criteria} if worth is not None else set()
    return models.ScorecardSpec(
        features={name: spec for name, spec in features.items() if name in used},
        base=round(base, 2),
        groups=groups,
        grades=_grades(scores),
        scale=models.ScaleSpec(double_odds=double_odds),
        calibration=models.CalibrationSpec.model_validate(calibration.as_dict()),
        worth=None if worth is None else _titled_worth(worth, titles),
        learned=dict(learned),
    )


def effect_card(
    base: float,
    criteria: Sequence[models.Criterion],
    *,
    features: Mapping[str, models.Feature],
    known: Mapping[str, models.Feature],
    titles: Mapping[str, str],
    effect: models.EffectSpec,
    scores: Floats,
    worth: models.WorthSpec | None,
    outcome: str | None,
    learned: Mapping[str, Any],
) -> models.ScorecardSpec:
    """Put an uplift scorecard together: as `learned_card`, with an effect in place of a probability."""
    groups = _grouped([_titled(criterion, titles) for criterion in criteria], {**known, **features})
    used = {name for item in criteria for name in uses(item)}
    used |= {item.feature for item in worth.criteria} if worth is not None else set()
    return models.ScorecardSpec(
        outcome=outcome,
        features={name: spec for name, spec in features.items() if name in used},
        base=round(base, 2),
        groups=groups,
        grades=_grades(scores, digits=1),
        effect=effect,
        worth=None if worth is None else _titled_worth(worth, titles),
        learned=dict(learned),
    )


def _grouped(named: Sequence[models.Criterion], features: Mapping[str, models.Feature]) -> dict[str, models.GroupSpec]:
    """Return the criteria in their groups; one group without any where there is none."""
    groups: dict[str, models.GroupSpec] = {}
    for group in (FIT, ENGAGEMENT):
        mine = [item for item in named if _group(item, features) == group]
        if mine:
            groups[group] = models.GroupSpec(criteria=_told_apart(mine))
    return groups or {FIT: models.GroupSpec()}


def uses(criterion: models.Criterion) -> tuple[str, ...]:
    """Return the names of the features a criterion looks at."""
    if isinstance(criterion, models.CategoryCriterion | models.BandCriterion):
        return (criterion.feature,)
    return tuple(criterion.features) if isinstance(criterion, models.PairCriterion) else ()


def _group(criterion: models.Criterion, features: Mapping[str, models.Feature]) -> str:
    """Engagement is what leads do; a pair is engagement as soon as one side is."""
    specs = (features.get(name) for name in uses(criterion))
    return ENGAGEMENT if any(isinstance(spec, EVENT_FEATURES) for spec in specs) else FIT


def _titled(criterion: models.Criterion, titles: Mapping[str, str]) -> models.Criterion:
    names = [titles.get(name, name) for name in uses(criterion)]
    return criterion.model_copy(update={"name": " × ".join(names)[:200]}) if names else criterion


def _titled_worth(worth: models.WorthSpec, titles: Mapping[str, str]) -> models.WorthSpec:
    named = [item.model_copy(update={"name": titles.get(item.feature, item.feature)[:200]}) for item in worth.criteria]
    return worth.model_copy(update={"criteria": named})


def _told_apart(criteria: Iterable[models.Criterion]) -> list[models.Criterion]:
    """Number the names that occur twice, and put the criteria that can give most first."""
    seen: dict[str, int] = {}
    found = []
    for criterion in sorted(criteria, key=lambda item: -_reach(item)):
        seen[criterion.name] = seen.get(criterion.name, 0) + 1
        number = seen[criterion.name]
        found.append(
            criterion if number == 1 else criterion.model_copy(update={"name": f"{criterion.name} ({number})"})
        )
    return found


def _reach(criterion: models.Criterion) -> float:
    """How far apart the points are that a criterion can give."""
    given = [getattr(criterion, "missing", 0.0), getattr(criterion, "other", 0.0) or 0.0, *_all_points(criterion)]
    return max(given) - min(given)


def _all_points(criterion: models.Criterion) -> list[float]:
    match criterion:
        case models.CategoryCriterion():
            return list(criterion.points.values())
        case models.BandCriterion():
            return [points for _, _, points in criterion.bands]
        case models.PairCriterion():
            rows = criterion.table.values() if isinstance(criterion.table, dict) else criterion.table
            return [float(cell) for row in rows for cell in (row.values() if isinstance(row, dict) else row)]
        case _:
            return []


def _grades(scores: Floats, *, digits: int = 0) -> models.GradesSpec | None:
    """Cut the scores into shares; none where they hardly differ."""
    if not len(scores):
        return None
    bounds = {label: round(float(np.quantile(scores, 1 - share)), digits) for label, share in GRADES}
    if len(set(bounds.values())) < len(bounds):
        return None
    return models.GradesSpec.model_validate({"score": {**{k: float(v) for k, v in bounds.items()}, "D": None}})


def features_of(workspace: ResolvedWorkspace, scorecard: ResolvedScorecard) -> list[str]:
    """Return the features a scorecard looks at that have values to compare (numbers, texts, yes and no)."""
    types = name_types(workspace.with_features(scorecard.features))
    named = [name for criterion in scorecard.criteria for name in uses(criterion.spec)]
    conditions = [name for c in scorecard.criteria if c.condition is not None for name in c.condition.names]
    spec = workspace.with_features(scorecard.features).features
    chosen = [*named, *(name for name in conditions if name in spec or name in workspace.catalog.attributes)]
    return [name for name in dict.fromkeys(chosen) if str(types.get(name)) != "time"]
