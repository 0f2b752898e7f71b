"""A workspace as `init --from` makes it, connected to a stand-in, on the stand-in's clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from connect.stand_in import StandIn
from leadlight.connect.push_report import PushReport
from leadlight.connect.sync_report import SyncReport
from leadlight.templates.init import init
from leadlight.workspace import Workspace, open_workspace


class Firm:
    """It, with what tests ask of it."""

    def __init__(self, folder: Path, system: StandIn) -> None:
        self.system, self.root = system, folder / "firm"
        init(self.root, system=system.system)
        path = self.root / "leadlight.yaml"
        spec = yaml.safe_load(path.read_text())
        spec["connections"][system.system] |= {**system.settings(), "per_second": 1000}
        path.write_text(yaml.safe_dump(spec, sort_keys=False))

    def workspace(self) -> Workspace:
        return open_workspace(self.root, now=self.system.clock.now)

    def later(self, **by: float) -> None:
        self.system.clock.advance(timedelta(**by).total_seconds())

    def sync(self, **more: Any) -> SyncReport:
        self.later(minutes=1)
        report = self.workspace().sync(**more)
        assert report.error is None, str(report.error)
        return report

    def push(self, **more: Any) -> PushReport:
        self.later(minutes=1)
        return self.workspace().push(**more)

    def rows(self, query: str) -> list[tuple]:
        with self.workspace().store() as engine:
            return engine.rows(query)

    def counts(self) -> dict[str, int]:
        """Return how many there are in the store."""
        return {table: self.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("leads", "events", "outcomes")}

    def same(self, *ids: str) -> bool:
        """Say whether records are one lead."""
        told = ",".join(f"'{self.system.system}:{id}'" for id in ids)  # noqa: A001
        return self.rows(f"SELECT count(*), count(DISTINCT lead) FROM ids WHERE id IN ({told})") == [(len(ids), 1)]

    def versions(self, id: str, attribute: str) -> list[tuple]:  # noqa: A002
        """Return since when an attribute of a record was what, as it was read."""
        return self.rows(
            f"SELECT o.known_at, o.{attribute} FROM observations o JOIN ids i ON i.key = o._key "
            f"WHERE i.id = '{self.system.system}:{id}' ORDER BY o.known_at NULLS FIRST"
        )
