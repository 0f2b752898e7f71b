"""Names that another program brings into a store that many share are known to every process within a second."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from tests.service.shop import CRM, inside, make_shop, outside

from leadlight.workspace import Workspace

WITHIN = 1.0
"""Seconds."""


@pytest.fixture
def shared(tmp_path: Path, postgres_store: str) -> Path:
    """A workspace over a store in PostgreSQL."""
    return make_shop(tmp_path / "shop", store=postgres_store)


def read_regions(folder: Path) -> None:
    """Read a new attribute, by a process of its own."""
    head, *rows = CRM.splitlines()
    lines = [f"{head},region", *(f"{row},{region}" for row, region in zip(rows, ("north", "south", ""), strict=True))]
    (folder / "crm.csv").write_text("\n".join(lines) + "\n")
    subprocess.run(
        [sys.executable, "-m", "leadlight", "ingest", "-w", str(folder)], check=True, capture_output=True, timeout=120
    )


@pytest.mark.slow
def test_by_every_process_of_a_team(shared: Path) -> None:
    with outside(shared, "--processes", "2", "--workers", "1") as served:
        asked = {"params": {"where": "region = 'north'"}, "headers": served.auth, "timeout": 20}
        before = httpx.get(f"{served.address}/v1/leads", **asked)  # type: ignore[arg-type]
        assert before.status_code == 400
        assert "region" in before.json()["detail"]
        read_regions(shared)
        time.sleep(WITHIN)
        for _ in range(12):  # each over a connection of its own: both processes answer some
            found = httpx.get(f"{served.address}/v1/leads", **asked)  # type: ignore[arg-type]
            assert found.status_code == 200, found.text
            assert [row["id"] for row in found.json()["rows"]] == ["crm-1"]


def test_by_a_process_that_answers_while_nobody_calls(shared: Path) -> None:
    with inside(shared) as service:
        changes = service.state.worker.changes
        assert service.get("/v1/leads", where="region = 'north'").status_code == 400
        read_regions(shared)
        time.sleep(WITHIN)
        assert service.get("/v1/leads", where="region = 'north'").status_code == 200
        assert service.state.worker.changes > changes
        time.sleep(WITHIN)
        settled = service.state.worker.changes
        time.sleep(2 * WITHIN)  # what is known is told once
        assert service.state.worker.changes == settled


def test_names_that_no_scorecard_fits_change_nothing(shared: Path) -> None:
    with inside(shared) as service:
        with Workspace(shared).store(write=True) as engine:
            engine.execute("UPDATE names SET type = 'text' WHERE name = 'staff'")
        time.sleep(WITHIN)
        assert service.state.worker.faults is not None
        assert service.get("/v1/leads").status_code == 200
        service.send({"type": "track", "event": "Demo Requested", "userId": "crm-2"})
        service.settle()
        with Workspace(shared).store() as engine:
            assert engine.rows("SELECT count(*) FROM events WHERE _source = 'live'") == [(1,)]
            assert engine.rows("SELECT count(*) FROM live_refused") == [(0,)]
        with Workspace(shared).store(write=True) as engine:
            engine.execute("UPDATE names SET type = 'number' WHERE name = 'staff'")
        time.sleep(WITHIN)
        assert service.state.worker.faults is None
