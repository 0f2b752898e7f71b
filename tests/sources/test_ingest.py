from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.scorecards.shop import EVENTS, LEADS, NOW, open_shop

from leadlight.errors import DataError, TooManyRejects
from leadlight.workspace import Workspace

TABLES = ("ids", "leads", "attributes", "observations", "events", "outcomes", "names")


def content(workspace: Workspace) -> dict[str, list[tuple[Any, ...]]]:
    with workspace.store() as engine:
        return {table: sorted(engine.rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES}


def again(folder: Path, **files: str) -> Workspace:
    """Change files of a shop and open it a day later."""
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return Workspace(folder, now=lambda: NOW.replace(day=2))


def test_twice_changes_nothing(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.ingest()
    before = content(shop)
    report = again(tmp_path).ingest()
    assert content(shop) == before
    assert all(source.new == source.changed == 0 for source in report.sources)


def test_the_same_rows_in_a_changed_file_change_nothing(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.ingest()
    before = content(shop)
    header, *rows = EVENTS.splitlines()
    turned = again(tmp_path, events="\n".join([header, *reversed(rows)]) + "\n")
    turned.ingest()
    assert content(shop) == before


def test_a_changed_lead_is_known_since_the_reading(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.ingest()
    later = again(tmp_path, leads=LEADS.replace("Acme,manager", "Acme,vp"))
    later.ingest()
    points = {
        as_of: {item.name: item.points for item in later.explain("bob", as_of=as_of).contributions}["Seniority"]
        for as_of in ("2026-03-01", "2026-03-02")
    }
    assert points == {"2026-03-01": 5.0, "2026-03-02": 15.0}


def test_late_and_out_of_order_events_land_at_their_time(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.ingest()
    late = again(tmp_path, events=EVENTS + "di,demo,2026-02-21,\n")
    late.ingest()
    assert {i.name: i.points for i in late.explain("di", as_of="2026-02-21").contributions}["Asked for a demo"] == 10
    assert {i.name: i.points for i in late.explain("di", as_of="2026-02-20").contributions}["Asked for a demo"] == 0


def test_events_of_a_lead_not_known_yet_count_once_it_is(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    (tmp_path / "events.csv").write_text(EVENTS + "hal,demo,2026-02-21,\n")
    shop.ingest()
    later = again(tmp_path, leads=LEADS + "hal,2026-02-20,hal@x.example,X,,\n")
    later.ingest()
    assert {i.name: i.points for i in later.explain("hal").contributions}["Asked for a demo"] == 10


def test_duplicates_by_address_are_merged_and_reported(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    (tmp_path / "leads.csv").write_text(LEADS + "ann2,2026-02-11, ANN@Acme.example,Acme,,\n")
    (tmp_path / "events.csv").write_text(EVENTS + "ann2,unsubscribe,2026-02-12,\n")
    report = shop.ingest()
    assert "ann2" in str(report.as_dict())
    assert shop.explain("ann2").id == "ann"
    points = {item.name: item.points for item in shop.explain("ann").contributions}
    assert (points["Unsubscribed"], points["Seniority"]) == (-6.0, 15.0)  # the event followed; the blank erased nothing


def test_unreadable_rows_go_to_the_rejects_file(tmp_path: Path) -> None:
    rows = "".join(f"x{i},2026-01-01,x{i}@a.example,Acme,vp,5\n" for i in range(200))
    open_shop(tmp_path)
    (tmp_path / "leads.csv").write_text(LEADS + rows + "zed,31st of May,z@z.example,Z,vp,5\n")
    shop = Workspace(tmp_path, now=lambda: NOW)
    report = {source.source: source for source in shop.ingest().sources}["leads"]
    assert report.rejected == 1
    text = (tmp_path / "rejects" / "leads.csv").read_text()
    assert "leads.csv,208,created,31st of May," in text


def test_too_many_leave_the_store_as_it_was(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.ingest()
    before = content(shop)
    with pytest.raises(TooManyRejects, match="leads.csv:2: created"):
        again(tmp_path, leads=LEADS.replace("2026-01-01", "someday"), events=EVENTS + "ann,demo,2026-02-28,\n").ingest()
    assert content(shop) == before


def test_a_missing_file_and_a_missing_column_at_once(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    (tmp_path / "deals.csv").unlink()
    (tmp_path / "events.csv").write_text(EVENTS.replace("lead,type,at,path", "lead,kind,at,path"))
    with pytest.raises(DataError) as caught:
        shop.ingest()
    text = str(caught.value)
    assert "deals.csv" in text
    assert "'type'" in text


KILLED = """
import sys
from datetime import datetime
from leadlight.workspace import Workspace
workspace = Workspace(sys.argv[1], now=lambda: datetime(2026, 3, 2))
print("go", flush=True)
workspace.ingest()
"""


def test_killed_at_any_moment_leaves_the_last_complete_state(tmp_path: Path) -> None:
    random.seed(7)
    shop = open_shop(tmp_path)
    shop.ingest()
    old = content(shop)
    more = "".join(f"ann,page_view,2026-02-{1 + i % 28:02d}T{i % 24:02d}:00,/p{i}\n" for i in range(3000))
    (tmp_path / "events.csv").write_text(EVENTS + more)
    (tmp_path / "leads.csv").write_text(LEADS.replace("manager", "vp"))
    done = 0
    for _ in range(15):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(random.random() * 1.2)
            os.kill(process.pid, signal.SIGKILL)
        found = content(shop)
        assert len(found["events"]) in (len(old["events"]), len(old["events"]) + 3000)
        if len(found["events"]) == len(old["events"]):
            assert found == old
        else:
            assert shop.explain("bob", as_of="2026-03-02").totals["fit"] == 20  # the lead's row came along
            done += 1
    shop.ingest()
    assert len(content(shop)["events"]) == len(old["events"]) + 3000
