"""A workspace that is connected to a system without network, and a clock: for tests of `sync`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connect.memory import World, as_a_system
from leadlight.connect.sync_report import SyncReport
from leadlight.workspace import Workspace, open_workspace

START = datetime(2026, 3, 1, 12)
YAML = """\
connections:
  crm: {{system: memory, world: {world}}}
sources:
  contacts:
    connection: crm
    object: contacts
    kind: leads
    created_at: created
    columns: {{email: email, title: jobtitle, size: employees}}
  deals: {{connection: crm, object: deals, lead: contact, at: closed, outcome: stage, value: amount}}
  emails: {{connection: crm, object: emails, lead: contact, at: sent, type: kind}}
outcome: {{win: "stage = 'won'", lose: "stage = 'lost'"}}
exclude: "deleted"
"""


class Crm:
    """A workspace, the system it is connected to, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.root = folder / "shop"
        self.root.mkdir()
        self.world = World(folder / "world.json")
        self.world.object("contacts", {"email": "text", "jobtitle": "text", "employees": "number"})
        self.world.object("deals", {"contact": "text", "stage": "text", "closed": "time", "amount": "number"})
        self.world.object("emails", {"contact": "text", "kind": "text", "sent": "time"})
        self.yaml(YAML)

    def yaml(self, text: str) -> None:
        (self.root / "leadlight.yaml").write_text(text.format(world=self.world.file))

    def later(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now

    def workspace(self) -> Workspace:
        return open_workspace(self.root, now=lambda: self.now)

    def sync(self, **more: Any) -> SyncReport:
        self.world.save()
        return self.workspace().sync(**more)

    def rows(self, query: str) -> list[tuple]:
        with self.workspace().store() as engine:
            return engine.rows(query)

    def versions(self, lead: str) -> list[tuple]:
        """Return (since when, title, deleted) of what a contact's record was."""
        return self.rows(
            "SELECT o.known_at, o.title, o.deleted FROM observations o JOIN ids i ON i.key = o._key "
            f"WHERE i.id = 'crm:{lead}' ORDER BY o.known_at NULLS FIRST"
        )


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with as_a_system(tmp_path_factory.mktemp("system")) as folder:
        yield folder


@pytest.fixture
def crm(registered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crm:
    monkeypatch.setenv("MEMORY_TOKEN", "s3cr3t-of-memory")
    return Crm(tmp_path)
