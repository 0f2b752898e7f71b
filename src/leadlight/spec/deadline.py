"""A deadline: the moment a lead is due, and the features it gives to every scorecard and condition."""

from __future__ import annotations

from leadlight.spec import models
from leadlight.spec.findings import Findings
from leadlight.spec.marks import Path

DEADLINE, DAYS_LEFT = "deadline", "days_left"
"""The features that `deadline:` gives: when it is due (where that has no name yet), and the days until then."""


def deadline_name(spec: models.WorkspaceSpec) -> str | None:
    """Return the attribute or feature that says when a lead is due; None where nothing does."""
    if spec.deadline is None:
        return None
    return spec.deadline if isinstance(spec.deadline, str) else DEADLINE


def deadline_features(
    spec: models.WorkspaceSpec, findings: Findings
) -> tuple[dict[str, models.Feature], dict[str, Path]]:
    """Return the features that the deadline gives, and where each stands in the file.

    `days_left` is negative once the deadline has passed.
    """
    name = deadline_name(spec)
    if name is None:
        return {}, {}
    made: dict[str, models.Feature] = {DAYS_LEFT: models.UntilFeature(until=name)}
    if isinstance(spec.deadline, models.AfterFeature):
        made = {DEADLINE: spec.deadline, **made}
    for taken in made.keys() & spec.features.keys():
        findings.error(f"`deadline:` gives a feature {taken} already: leave this out", ("features", taken), on_key=True)
    return made, dict.fromkeys(made, ("deadline",))
