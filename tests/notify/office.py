"""A workspace whose grades move as it is told, over either engine, with a clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from leadlight.notify.deliver import Delivered
from leadlight.store.outbox import Outgoing
from leadlight.workspace import Workspace

CARD = """
groups:
  fit:
    criteria:
      - {name: Size, feature: employees, bands: [[0, 10, 5], [10, 100, 20], [100, null, 40]], missing: 0}
grades:
  score: {A: 30, B: 10, C: null}
"""

SPEC = """
store: {store}
entity: customer
sources:
  crm: {{csv: "crm/*.csv", id: id, created_at: created, known_at: known}}
features:
  employees: {{attribute: employees}}
notify:
  destinations:
{destinations}
  rules:
{rules}
"""

START = datetime(2026, 3, 4, 12)
"""A Wednesday, noon."""


@dataclass
class Firm:
    """The workspace, and its clock."""

    folder: Path
    store: str
    destinations: Sequence[str]
    rules: Sequence[str] = ("all: {change: both, again: always, tell: [crm]}",)
    now: datetime = START
    files: int = 0
    opened: Workspace | None = field(default=None)

    def open(self) -> Workspace:
        """Write leadlight.yaml and open the workspace anew."""
        (self.folder / "scorecards").mkdir(parents=True, exist_ok=True)
        (self.folder / "crm").mkdir(exist_ok=True)
        lines = {key: "\n".join(f"    {line}" for line in getattr(self, key)) for key in ("destinations", "rules")}
        (self.folder / "leadlight.yaml").write_text(SPEC.format(store=self.store, **lines).lstrip())
        card = self.folder / "scorecards" / "house.yaml"
        if not card.exists():
            card.write_text(CARD.lstrip())
        self.opened = Workspace(self.folder, now=lambda: self.now)
        return self.opened

    @property
    def workspace(self) -> Workspace:
        return self.opened or self.open()

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    def says(self, known: datetime | None = None, **employees: float) -> None:
        """Let the CRM say how many employees each has, a minute ago."""
        self.workspace  # noqa: B018 - the folder is there
        known = known or self.now - timedelta(minutes=1)
        rows = [f"{name},{known - timedelta(days=1):%Y-%m-%d %H:%M},{known:%Y-%m-%d %H:%M:%S},{count}"
                for name, count in employees.items()]  # fmt: skip
        self.files += 1
        text = "\n".join(["id,created,known,employees", *rows, ""])
        (self.folder / "crm" / f"{self.files:03}.csv").write_text(text)
        self.workspace.ingest()

    def moves(self, **employees: float) -> None:
        """Say something new, and score everybody."""
        self.says(**employees)
        self.workspace.score()

    def begin(self, **employees: float) -> None:
        """Score everybody for the first time: of that nobody hears."""
        self.moves(**employees)
        assert self.rows() == []
        self.later(hours=1)

    def send(self) -> Delivered:
        found = self.workspace.notify()
        assert isinstance(found, Delivered)
        return found

    def rows(self, *states: str) -> list[Outgoing]:
        """What is in the outbox, the oldest first."""
        listed = self.workspace.outbox(state=states or ("waiting", "sent", "dead", "void"), limit=1000)
        return sorted(listed.rows, key=lambda row: (row.at, row.message))

    def states(self) -> list[tuple[str, str | None, str, str]]:
        return [(row.who, row.grade_from, row.grade_to, row.state) for row in self.rows()]


def crm(address: str, **more: Any) -> str:
    """A destination that takes webhooks."""
    rest = "".join(f", {key}: {value}" for key, value in more.items())
    return f'crm: {{webhook: "{address}", secret: "${{HOOK_SECRET}}"{rest}}}'
