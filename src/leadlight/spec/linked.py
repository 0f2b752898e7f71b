"""`connections:` against the rest of the workspace: that what they and their sources name exists."""

from __future__ import annotations

import string
from collections.abc import Mapping

from leadlight.errors import did_you_mean, shorten
from leadlight.spec import models
from leadlight.spec.catalog import Catalog
from leadlight.spec.connections import PushSpec
from leadlight.spec.features import TypedFeatures
from leadlight.spec.findings import Findings
from leadlight.spec.marks import Path
from leadlight.spec.scopes import lead_scope

WORDS = ("id", "grade", "from", "score", "probability", "reasons")
"""What the subject of a task may hold in braces."""
MOVES = ("up", "down")


def check_connections(
    spec: models.WorkspaceSpec,
    scorecards: Mapping[str, models.ScorecardSpec],
    catalog: Catalog,
    typed: TypedFeatures,
    findings: Findings,
) -> None:
    """Check that sources name connections there are, and that what is pushed and when makes sense."""
    for name, source in spec.sources.items():
        if source.connection is not None and source.connection not in spec.connections:
            known = did_you_mean(source.connection, spec.connections)
            message = f"there is no connection {shorten(source.connection)} in leadlight.yaml; {known}"
            findings.error(message, ("sources", name, "connection"))
    used = {source.connection for source in spec.sources.values()}
    for name, connection in spec.connections.items():
        path: Path = ("connections", name)
        if name not in used:
            findings.warn(f"no source reads {name}: write `connection: {name}` in one", path, on_key=True)
        if connection.push is not None:
            scope = lead_scope(catalog, typed.features, typed.broken)
            if connection.push.when is not None:
                findings.condition(connection.push.when, (*path, "push", "when"), scope)
            _check_push(connection.push, scorecards, (*path, "push"), findings)


def _check_push(push: PushSpec, scorecards: Mapping[str, models.ScorecardSpec], path: Path, findings: Findings) -> None:
    card = scorecards.get(push.scorecard) if push.scorecard else None
    if push.scorecard is not None and card is None:
        known = did_you_mean(push.scorecard, scorecards)
        findings.error(f"there is no scorecard {shorten(push.scorecard)}: {known}", (*path, "scorecard"))
    if card is not None and card.of == "account":
        findings.error(f"{push.scorecard} scores accounts: name one of leads", (*path, "scorecard"))
    grades = card.grades.labels if card is not None and card.grades is not None else None
    for moved, subject in push.tasks.items():
        place = (*path, "tasks", moved)
        if grades is not None and moved not in (*MOVES, *grades):
            findings.error(
                f"{shorten(moved)} is no grade: {did_you_mean(moved, [*MOVES, *grades])}", place, on_key=True
            )
        _check_words(subject, place, findings)


def _check_words(subject: str, place: Path, findings: Findings) -> None:
    try:
        named = [name for _, name, _, _ in string.Formatter().parse(subject) if name is not None]
    except ValueError:
        findings.error("a brace is not closed: write {{ and }} for braces that are meant", place)
        return
    for name in named:
        if name not in WORDS:
            findings.error(f"nothing is called {shorten(name)} here: {did_you_mean(name, WORDS)}", place)
