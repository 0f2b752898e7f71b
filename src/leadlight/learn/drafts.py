"""Drafts of scorecards: written beside those in use, published through a gate, reverted when they disappoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadlight.errors import NotFoundError, UsageError, did_you_mean
from leadlight.learn.write import write_whole
from leadlight.spec.load import SCORECARD_FOLDER, load_scorecard
from leadlight.spec.models import ScorecardSpec

DRAFT_FOLDER = "drafts"
BEFORE = ".before.yaml"
"""How the file ends that keeps what a published scorecard replaced."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a scorecard's file is now; `published` says that `score` uses it, `kept` where the one before it lies."""

    name: str
    path: Path
    published: bool
    kept: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as plain JSON values."""
        return {
            "name": self.name,
            "path": self.path.as_posix(),
            "published": self.published,
            "kept": None if self.kept is None else self.kept.as_posix(),
        }

    def __str__(self) -> str:
        if not self.published:
            return f"{self.name} is a draft: {self.path.as_posix()}"
        kept = f" (the one before it lies in {self.kept.as_posix()})" if self.kept is not None else ""
        return f"{self.name} is published: {self.path.as_posix()}{kept}"


def draft(root: Path, name: str, text: str) -> Placed:
    """Write a scorecard where `score` does not look."""
    path = root / DRAFT_FOLDER / f"{name}.yaml"
    write_whole(path, text)
    return Placed(name, path, published=False)


def drafts(root: Path) -> dict[str, Path]:
    """Return the drafts there are, by name."""
    found = (root / DRAFT_FOLDER).glob("*.yaml")
    return {file.stem: file for file in sorted(found) if not file.name.endswith(BEFORE)}


def find_draft(root: Path, name: str) -> Path:
    """Return a draft's file. Raises NotFoundError."""
    known = drafts(root)
    if name not in known:
        raise NotFoundError(
            f"no draft {name!r}: {did_you_mean(name, known)}", fix="`leadlight learn` writes drafts/learned.yaml."
        )
    return known[name]


def publish(root: Path, name: str, text: str) -> Placed:
    """Write a scorecard where `score` looks, and keep the one it replaces; an older draft of its name is done with."""
    path = root / SCORECARD_FOLDER / f"{name}.yaml"
    before = path.read_text(encoding="utf-8") if path.exists() else None
    kept = root / DRAFT_FOLDER / f"{name}{BEFORE}"
    if before is not None and before != text:
        write_whole(kept, before)
    write_whole(path, text)
    (root / DRAFT_FOLDER / f"{name}.yaml").unlink(missing_ok=True)
    if before == text:
        return Placed(name, path, published=True)
    return Placed(name, path, published=True, kept=kept if before is not None else None)


def publish_draft(root: Path, name: str, *, force: bool = False) -> Placed:
    """Publish a draft by its name.

    Raises NotFoundError where there is none, SpecError where it has faults, UsageError where it did not pass the gate
    and is not forced.
    """
    path = find_draft(root, name)
    against = what_stands_against(load_scorecard(path).spec)
    if against and not force:
        raise UsageError(
            f"{name} did not pass the gate: {'; '.join(against)}",
            fix=f"Learn again with more outcomes, or publish it all the same: leadlight publish {name} --force",
        )
    return publish(root, name, path.read_text(encoding="utf-8"))


def what_stands_against(spec: ScorecardSpec) -> list[str]:
    """Return what the judgement of a learned scorecard says against publishing it; nothing for a hand-written one."""
    evaluation = (spec.learned or {}).get("evaluation") or {}
    if not isinstance(evaluation, dict) or evaluation.get("publishable", True):
        return []
    return [str(reason) for reason in evaluation.get("against") or ["it was not judged to be good enough"]]


def revert(root: Path, name: str) -> Placed:
    """Put back the scorecard that the one in use replaced, and keep that one in its place.

    Raises NotFoundError where nothing was replaced.
    """
    path, kept = root / SCORECARD_FOLDER / f"{name}.yaml", root / DRAFT_FOLDER / f"{name}{BEFORE}"
    if not kept.exists():
        raise NotFoundError(
            f"{name} has replaced nothing that could be put back",
            fix=f"To do without it, move {path.as_posix()} away.",
        )
    before = kept.read_text(encoding="utf-8")
    if path.exists():
        write_whole(kept, path.read_text(encoding="utf-8"))
    write_whole(path, before)
    return Placed(name, path, published=True, kept=kept)
