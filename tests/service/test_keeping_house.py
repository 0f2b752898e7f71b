"""Backups and retention of a workspace that is served."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from tests.service.shop import Inside, inside, make_shop

from leadlight.store.backup import restore
from leadlight.workspace import Workspace, utc_now

AT = "2026-02-20T10:00:00Z"


def done(service: Inside, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Begin a job, and wait for what it came to."""
    begun = service.post(path, body)
    assert begun.status_code == 202, begun.text
    end = monotonic() + 60
    while (job := service.get(begun.headers["location"]).json())["state"] in ("waiting", "running"):
        assert monotonic() < end
        sleep(0.02)
    assert job["state"] == "done", job
    return dict(job["result"])


def track(number: int) -> dict[str, Any]:
    return {"type": "track", "event": "order", "userId": "crm-2", "timestamp": AT, "messageId": f"m{number}",
            "properties": {"amount": 20 + number}}  # fmt: skip


def test_a_backup_while_events_come_holds_each_once(tmp_path: Path) -> None:
    folder, there = make_shop(tmp_path / "shop"), tmp_path / "there"
    with inside(folder) as service:
        service.send(*map(track, range(10)))
        made = done(service, "/v1/backup", {})
        service.send(track(99))
        service.settle()
    assert Path(made["file"]).parent == folder / ".leadlight" / "backups"
    restore(there, Path(made["file"]), now=utc_now())
    with inside(there) as service:  # what was waiting then is stored now; what came later is not there
        service.settle()
        assert service.send(track(3))["repeated"] == 1
        service.send(track(100))
        service.settle()
        amounts = service.rows("SELECT amount FROM events WHERE lead = 2 ORDER BY 1")
    assert [amount for (amount,) in amounts] == [20, 21, 22, 23, 24, 25, 25, 26, 27, 28, 29, 120]


def test_old_events_are_taken_out_of_a_store_that_is_served(tmp_path: Path) -> None:
    folder = make_shop(tmp_path / "shop")
    text = (folder / "leadlight.yaml").read_text()
    (folder / "leadlight.yaml").write_text(text + "retain: {keep: 30d}\n")
    old = {"type": "track", "event": "sneeze", "userId": "crm-2", "timestamp": "2026-01-20T10:00:00Z"}
    with inside(folder) as service:
        service.send(old, track(1))
        service.settle()
        assert done(service, "/v1/retain", {"dry_run": True})["taken"] == 1
        found = done(service, "/v1/retain", {})
        assert (found["taken"], found["dry_run"]) == (1, False)
        service.send(track(2))
        service.settle()
        assert service.rows("SELECT count(*) FROM events WHERE type = 'sneeze'") == [(0,)]
        shown = {"type": "sneeze", "month": "2026-01", "events": 1, "first_at": "2026-01-20T10:00:00Z",
                 "last_at": "2026-01-20T10:00:00Z"}  # fmt: skip
        assert service.get("/v1/leads/crm-2").json()["rolled_up"] == [shown]
        assert service.get("/v1/history/crm-2").json()["rolled_up"] == [shown]
        assert service.get("/v1/history/crm-2", fields="rolled_up").json() == {"rolled_up": [shown]}
    whole = (archive := next((folder / ".leadlight").rglob("*.parquet"))).read_bytes()
    archive.write_bytes(b"broken")
    with pytest.raises(Exception, match="parquet|Parquet"):  # it ends halfway
        Workspace(folder).erase("crm-2")
    archive.write_bytes(whole)
    assert Workspace(folder).erase("crm-2").rows["archived_events"] == 1, "what was left could not be erased any more"
