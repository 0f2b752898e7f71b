"""A workspace whose grades move as it is told, over either engine, with a clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from leadlight.notify.deliver import Delivered
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.store.open import open_store
from leadlight.store.outbox import Outgoing
from leadlight.store.schema import FOREVER

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
    opened: LiveWorkspace | None = field(default=None)

    def open(self) -> LiveWorkspace:
        """Write leadlight.yaml and open the workspace anew; its store stays open, which is quicker."""
        self.close()
        (self.folder / "scorecards").mkdir(parents=True, exist_ok=True)
        (self.folder / "crm").mkdir(exist_ok=True)
        lines = {key: "\n".join(f"    {line}" for line in getattr(self, key)) for key in ("destinations", "rules")}
        (self.folder / "leadlight.yaml").write_text(SPEC.format(store=self.store, **lines).lstrip())
        card = self.folder / "scorecards" / "house.yaml"
        if not card.exists():
            card.write_text(CARD.lstrip())
        engine = open_store(self.store, self.folder, create=True)
        self.opened = LiveWorkspace(self.folder, engine, now=lambda: self.now)
        if engine.rows("SELECT 1 FROM leads LIMIT 1"):
            self.opened.refresh()
        return self.opened

    def close(self) -> None:
        """Let go of the store, for others."""
        if self.opened is not None:
            self.opened.engine.close()
            self.opened = None

    @property
    def workspace(self) -> LiveWorkspace:
        return self.opened or self.open()

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    def says(self, known: datetime | None = None, **employees: float) -> None:
        """Let the CRM say how many employees each has, a minute ago: first by a file, then as a file would."""
        known = known or self.now - timedelta(minutes=1)
        engine = self.workspace.engine
        if not engine.rows("SELECT 1 FROM leads LIMIT 1"):
            rows = [f"{name},{known - timedelta(days=1)},{known},{count}" for name, count in employees.items()]
            (self.folder / "crm" / "1.csv").write_text("\n".join(["id,created,known,employees", *rows, ""]))
            self.workspace.ingest()
            self.workspace.refresh()
            return
        with engine.transaction():
            for name, count in employees.items():
                lead = self._lead(name, known)
                engine.execute(
                    "UPDATE attributes SET known_until = ? WHERE lead = ? AND known_until > ?", [known, lead, known]
                )
                engine.execute(
                    "INSERT INTO attributes (lead, known_at, known_until, employees) VALUES (?, ?, ?, ?)",
                    [lead, known, datetime.fromisoformat(FOREVER), count],
                )

    def _lead(self, name: str, known: datetime) -> int:
        """Return somebody's number; who is new came to exist a day ago."""
        engine = self.workspace.engine
        found = engine.rows("SELECT lead FROM ids WHERE id = ?", [name])
        if not found:
            lead = int(engine.rows("SELECT max(key) + 1 FROM ids")[0][0])
            engine.execute("INSERT INTO ids VALUES (?, ?, ?)", [name, lead, lead])
            engine.execute("INSERT INTO leads VALUES (?, ?, ?)", [lead, name, known - timedelta(days=1)])
            return lead
        return int(found[0][0])

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
