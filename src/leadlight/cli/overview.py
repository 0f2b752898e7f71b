"""`leadlight` alone: look at the folder and say what to do next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadlight.workspace import Workspace

Step = tuple[str, str]
"""A command, and what it is good for."""

DAILY: tuple[Step, ...] = (
    ("leadlight ingest", "read what is new"),
    ("leadlight score", "score everybody and keep the scores"),
    ("leadlight rank", "who comes first, and why"),
    ("leadlight explain ID", "where each point of a score comes from"),
    ("leadlight why ID --since 30d", "what moved it"),
    ("leadlight learn", "a scorecard from past outcomes, held against yours"),
    ("leadlight diff", "what an edited scorecard would do"),
    ("leadlight report", "one page for everybody"),
)


@dataclass(frozen=True, slots=True)
class Overview:
    """Where a folder stands, and what to do next; `refused` counts the calls that the service could not store."""

    workspace: bool
    leads: int | None
    events: int | None
    scored_as_of: datetime | None
    state: str
    next: tuple[Step, ...]
    refused: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the overview as plain JSON values."""
        return {
            "workspace": self.workspace,
            "leads": self.leads,
            "events": self.events,
            "scored_as_of": None if self.scored_as_of is None else self.scored_as_of.isoformat() + "Z",
            "state": self.state,
            "refused": self.refused,
            "next": [{"command": command, "what": what} for command, what in self.next],
        }


def look(folder: Path) -> Overview:
    """Look at a folder. Raises the faults of a workspace that has some, and StoreInUse."""
    if not (folder / "leadlight.yaml").exists():
        return _no_workspace(folder)
    from leadlight.errors import NotFoundError
    from leadlight.workspace import open_workspace

    workspace = open_workspace(folder)
    try:
        leads, events, scored, refused, files = _counts(workspace)
    except NotFoundError:
        return _no_store(workspace)
    spec = workspace.loaded.workspace.spec
    if not leads and not events and (spec.connections or (spec.sources and not files)):
        return _no_store(workspace)  # what ingest finds before the first sync is nothing; nor is there after a kill
    found = _stored(workspace, leads, events, scored)
    return _with_refused(found, refused) if refused else found


def _counts(workspace: Workspace) -> tuple[int, int, datetime | None, int, int]:
    from leadlight.store.refused import count

    with workspace.store() as engine:
        row = engine.rows(
            "SELECT (SELECT count(*) FROM leads), (SELECT count(*) FROM events), "
            "(SELECT max(as_of) FROM runs WHERE verb = 'score'), (SELECT count(*) FROM files)"
        )[0]
        refused = count(engine)
    return int(row[0]), int(row[1]), row[2], refused, int(row[3])


def _with_refused(found: Overview, refused: int) -> Overview:
    from leadlight.spec.entity import many

    state = f"{found.state} {many(refused, 'call')} could not be stored."
    steps = (("leadlight refused", "the calls that the service could not store, and why"), *found.next)
    return replace(found, state=state, next=steps, refused=refused)


def _no_workspace(folder: Path) -> Overview:
    makes = folder / "Makefile"
    steps = [
        ("leadlight rank leads.csv", "rank the open leads of an export, learned from those won and lost"),
        ("leadlight init shop", "make a small workspace with example data in the folder shop"),
        ("leadlight init --playbooks", "list the ready workspaces for lines of business: `init shop --playbook NAME`"),
        ("leadlight init --systems", "list the CRMs and other systems to read from: `init shop --from NAME`"),
        ("leadlight -w FOLDER", "look at a workspace somewhere else"),
        ("leadlight --help", "all commands"),
    ]
    if makes.exists() and "leadlight" in makes.read_text(encoding="utf-8", errors="replace"):
        steps.insert(0, ("make demo", "a simulated company, ranked and explained"))
    return Overview(False, None, None, None, "There is no workspace here (no leadlight.yaml).", tuple(steps))


def _no_store(workspace: Workspace) -> Overview:
    spec = workspace.loaded.workspace.spec
    sources = ", ".join(spec.sources) or "none yet"
    steps: list[Step] = [("leadlight check", "look for faults, before anything is read")]
    if spec.connections:
        steps.append(("leadlight sync", f"read {', '.join(spec.connections)}, what is there and what has changed"))
    if not spec.sources or any(source.connection is None for source in spec.sources.values()):
        steps.append(("leadlight ingest", "read the sources into the store"))
    return Overview(True, None, None, None, f"A workspace that has read nothing yet; sources: {sources}.", tuple(steps))


def _stored(workspace: Workspace, leads: int, events: int, scored: datetime | None) -> Overview:
    from leadlight.cli.render import moment
    from leadlight.spec.entity import many

    state = f"A workspace with {many(leads, workspace.loaded.workspace.spec.entity)} and {many(events, 'event')}"
    if not workspace.loaded.scorecards:
        steps: tuple[Step, ...] = (("scorecards/house.yaml", "write one; `leadlight init` shows how one looks"),)
        return Overview(True, leads, events, None, f"{state}, and no scorecard yet.", steps)
    if scored is None:
        return Overview(True, leads, events, None, f"{state}, not scored yet.", DAILY[2:3] + DAILY[1:2])
    return Overview(True, leads, events, scored, f"{state}, last scored as of {moment(scored)} UTC.", _daily(workspace))


def _daily(workspace: Workspace) -> tuple[Step, ...]:
    spec = workspace.loaded.workspace.spec
    steps = list(DAILY)
    if spec.connections:
        steps.insert(0, ("leadlight sync", "read what has changed in connected systems"))
    if any(connection.push is not None for connection in spec.connections.values()):
        steps.insert(3, ("leadlight push", "write scores back into them"))
    return tuple(steps)
