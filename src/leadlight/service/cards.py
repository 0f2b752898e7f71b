"""Scorecards as the service changes them: a draft is checked against the store, compared on real leads, published.

The files stay the truth: a draft lies in `drafts/`, what is in use in `scorecards/`, as after `leadlight learn`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leadlight.errors import Fault, NotFoundError, SpecError, UsageError, did_you_mean, shorten
from leadlight.learn import drafts
from leadlight.scorecards.diff import Difference, diff
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.spec.load import MAX_BYTES, SCORECARD_FOLDER, read_scorecard
from leadlight.spec.resolve import resolve_scorecard
from leadlight.spec.resolved import ResolvedScorecard
from leadlight.store import scorecards

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
"""How a scorecard may be called: it is the name of a file."""


def named(name: str) -> str:
    """Return a name. Raises NotFoundError for one that no scorecard can have."""
    if not NAME.fullmatch(name):
        raise NotFoundError(f"no scorecard {shorten(name)}: names are letters, digits, _ and -, up to 64")
    return name


def listed(workspace: LiveWorkspace) -> list[Mapping[str, Any]]:
    """Return every scorecard in use or drafted: its version, since when, and whether there is a draft."""
    known, in_use = drafts.drafts(workspace.root), {card.name: card for card in workspace.scorecards}
    return [_told(workspace, name, in_use.get(name), name in known) for name in sorted({*known, *in_use})]


def _told(workspace: LiveWorkspace, name: str, card: ResolvedScorecard | None, drafted: bool) -> Mapping[str, Any]:
    stored = scorecards.latest(workspace.engine, name)
    return {
        "name": name,
        "of": None if card is None else card.spec.of,
        "version": None if card is None else card.version,
        "published_at": None if stored is None or card is None else stored.published_at.isoformat() + "Z",
        "learned": card is not None and card.spec.learned is not None,
        "draft": drafted,
    }


def live_text(workspace: LiveWorkspace, name: str) -> str:
    """Return the file of a scorecard in use. Raises NotFoundError."""
    path = workspace.root / SCORECARD_FOLDER / f"{named(name)}.yaml"
    if name not in workspace.loaded.scorecards or not path.exists():
        raise NotFoundError(f"no scorecard {name!r}: {did_you_mean(name, workspace.loaded.scorecards)}")
    return path.read_text(encoding="utf-8")


def draft_text(root: Path, name: str) -> str:
    """Return the file of a draft. Raises NotFoundError."""
    return drafts.find_draft(root, named(name)).read_text(encoding="utf-8")


def checked(workspace: LiveWorkspace, name: str, text: str) -> tuple[ResolvedScorecard, list[Fault]]:
    """Return a scorecard of a text, ready to run, and its warnings.

    Raises SpecError with all faults, each with its line, NotFoundError for a name that no scorecard can have.
    """
    shown = f"{drafts.DRAFT_FOLDER}/{named(name)}.yaml"
    if len(text.encode()) > MAX_BYTES:
        raise UsageError(f"a scorecard has at most {MAX_BYTES // 1_000_000} MB")
    card, faults = resolve_scorecard(read_scorecard(text, shown), workspace.resolved)
    if card is None or any(fault.severity == "error" for fault in faults):
        raise SpecError(faults)
    return card, faults


def put(workspace: LiveWorkspace, name: str, text: str) -> Mapping[str, Any]:
    """Check a text and keep it as the draft. Raises SpecError."""
    card, warnings = checked(workspace, name, text)
    drafts.draft(workspace.root, name, text)
    return {"name": name, "version": card.version, "warnings": [fault.as_dict() for fault in warnings]}


def drop(root: Path, name: str) -> None:
    """Remove a draft. Raises NotFoundError."""
    drafts.find_draft(root, named(name)).unlink()


def difference(workspace: LiveWorkspace, name: str, as_of: str | None = None) -> Difference:
    """Return what publishing the draft would do to real leads. Raises NotFoundError, SpecError."""
    new, _ = checked(workspace, name, draft_text(workspace.root, name))
    return diff(workspace.engine, workspace.resolved, workspace.scorecard(name), new, workspace.moment(as_of))


def publish(workspace: LiveWorkspace, name: str, *, force: bool = False) -> Mapping[str, Any]:
    """Publish a draft; the worker then scores everybody by it, silently.

    Raises NotFoundError, SpecError, UsageError where it has not passed its gate.
    """
    card, _ = checked(workspace, name, draft_text(workspace.root, name))
    placed = drafts.publish_draft(workspace.root, name, force=force)
    return {"name": name, "version": card.version, "replaced": placed.kept is not None}


def revert(workspace: LiveWorkspace, name: str) -> Mapping[str, Any]:
    """Put back what the scorecard in use replaced. Raises NotFoundError, SpecError where that does not fit any more."""
    kept = workspace.root / drafts.DRAFT_FOLDER / f"{named(name)}{drafts.BEFORE}"
    if kept.exists():
        card, _ = checked(workspace, name, kept.read_text(encoding="utf-8"))
        drafts.revert(workspace.root, name)
        return {"name": name, "version": card.version, "replaced": True}
    return drafts.revert(workspace.root, name).as_dict()  # it raises


def versions(workspace: LiveWorkspace, name: str) -> list[Mapping[str, Any]]:
    """Return every version that was ever used, the last first. Raises NotFoundError."""
    found = scorecards.history(workspace.engine, named(name))
    if not found:
        raise NotFoundError(f"scorecard {name!r} was never used")
    return [{"version": one.version, "published_at": one.published_at.isoformat() + "Z"} for one in reversed(found)]
