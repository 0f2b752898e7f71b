"""What is taken out of a store, what stays and why; scores stay."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.service.shop import make_shop

from leadlight.errors import NotFoundError
from leadlight.scorecards import retain as retaining
from leadlight.scorecards.staleness import staleness
from leadlight.store.backup import restore
from leadlight.workspace import Workspace

NOW = datetime(2026, 3, 1)
OLD = """lead,type,at,path,amount,source
crm-1,page,2025-09-01 10:00,/pricing,,mail
crm-1,Demo Requested,2025-09-01 11:00,,,
crm-2,order,2025-09-02 10:00,,25,
crm-2,sneeze,2025-09-03 10:00,,,
crm-1,page,2026-02-01 10:00,/pricing,,mail
"""
TIMED = """
groups:
  interest:
    criteria:
      - {name: Pricing, event: page, where: "path like '/pricing%'", points: 5, within: 90d}
      - {name: Orders, event: order, points: 3}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return stocked(tmp_path / "shop")


def stocked(folder: Path, store: str = "duckdb:store.duckdb") -> Workspace:
    make_shop(folder)
    (folder / "visits.csv").write_text(OLD)
    (folder / "scorecards" / "house.yaml").write_text(TIMED.lstrip())
    (folder / "scorecards" / "firms.yaml").unlink()
    text = (folder / "leadlight.yaml").read_text()
    text = text.replace("duckdb:store.duckdb", store)
    (folder / "leadlight.yaml").write_text(text + "retain: {keep: 60d}\n")
    workspace = Workspace(folder, now=lambda: NOW)
    workspace.ingest()
    return workspace


def scores(workspace: Workspace) -> list[object]:
    later = [NOW, NOW - timedelta(days=50), NOW + timedelta(days=80)]
    return [workspace.explain(f"crm-{n}", as_of=moment).as_dict() for n in (1, 2) for moment in later]


def test_who_asks_is_shown_what_lies_in_the_archive(shop: Workspace) -> None:
    before = shop.access("crm-1").tables
    assert "archived_events" not in before
    shop.retain()
    after = shop.access("crm-1").tables
    assert {(row["type"], row["at"]) for row in after["archived_events"]} == {
        ("page", "2025-09-01T10:00:00Z"), ("Demo Requested", "2025-09-01T11:00:00Z")
    }  # fmt: skip
    assert {row["_id"] for row in after["archived_events"]} == {"crm-1"}
    assert len(after["events"]) + len(after["archived_events"]) == len(before["events"])


def test_what_goes_and_why_the_rest_stays(shop: Workspace) -> None:
    before = scores(shop)
    dry = shop.retain(dry_run=True)
    assert {each.type: (each.old, each.taken) for each in dry.types} == {
        "Demo Requested": (1, 1), "order": (1, 0), "page": (1, 1), "sneeze": (1, 1)
    }  # fmt: skip
    assert next(each.why for each in dry.types if each.type == "order") == ("Orders of house looks at all the past",)
    assert "would be taken out" in str(dry)
    assert not list(Path(shop.root).glob(".leadlight/archive/*"))
    done = shop.retain()
    assert (done.taken, done.dry_run) == (3, False)
    assert done.archive is not None
    assert done.archive.is_file()
    assert scores(shop) == before
    assert shop.retain().taken == 0


def test_a_history_tells_of_what_went(shop: Workspace) -> None:
    assert shop.history("crm-1").rolled_up == ()
    shop.retain()
    found = shop.history("crm-1")
    assert [(one.month, one.type, one.events) for one in found.rolled_up] == [
        ("2025-09", "Demo Requested", 1), ("2025-09", "page", 1)
    ]  # fmt: skip
    assert found.as_dict()["rolled_up"][1] == {
        "type": "page", "month": "2025-09", "events": 1, "first_at": "2025-09-01T10:00:00Z",
        "last_at": "2025-09-01T10:00:00Z",
    }  # fmt: skip
    assert str(found).splitlines()[1:3] == [
        "2 events taken out of the store", "  2025-09  Demo Requested: 1 from 01 Sep to 01 Sep"
    ]  # fmt: skip
    assert shop.history("crm-1", as_of="2025-09-01T10:30:00Z").rolled_up == found.rolled_up[1:]


def test_a_file_that_is_read_again_brings_nothing_back(shop: Workspace) -> None:
    before = shop.retain(), scores(shop), shop.history("crm-1").rolled_up
    visits = Path(shop.root) / "visits.csv"
    visits.write_text(visits.read_text() + "crm-2,page,2026-02-03 10:00,/pricing,,\n")
    assert next(each for each in shop.ingest().sources if each.source == "visits").new == 1
    assert shop.retain().taken == 0
    assert (scores(shop)[:3], shop.history("crm-1").rolled_up) == (before[1][:3], before[2])


def test_a_backup_holds_it(shop: Workspace, tmp_path: Path) -> None:
    shop.retain()
    there = tmp_path / "there"
    restore(there, shop.backup().file, now=NOW)
    assert Workspace(there).history("crm-1").rolled_up == shop.history("crm-1").rolled_up
    assert {*shop.access("crm-1").tables} >= {"rolled_up", "taken_out", "archived_events"}


def test_scores_of_before_are_said_to_lack_them(shop: Workspace) -> None:
    shop.retain()
    with shop.store() as engine:
        assert "taken out" in staleness(engine, datetime(2025, 12, 1))[0]
        assert staleness(engine, NOW) == ()


def test_a_person_is_erased_from_the_archive(shop: Workspace) -> None:
    done = shop.retain()
    assert done.archive is not None
    assert shop.erase("crm-2").rows["archived_events"] == 1
    assert shop.erase("crm-1").rows["archived_events"] == 2
    assert not done.archive.exists()
    with pytest.raises(NotFoundError):
        shop.erase("crm-1")


def test_a_person_is_erased_from_what_a_killed_run_left(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    take_out = retaining.take_out

    def killed(*given: Any, **told: Any) -> int:
        take_out(*given, **told)
        raise KeyboardInterrupt

    monkeypatch.setattr(retaining, "take_out", killed)
    with pytest.raises(KeyboardInterrupt):
        shop.retain()
    folder = Path(shop.root) / ".leadlight" / "archive"
    assert len(list(folder.iterdir())) == 1
    assert len(shop.access("crm-1").tables["events"]) == 3
    shop.erase("crm-1")
    assert list(folder.iterdir()) == []


def test_the_event_by_which_a_lead_began_stays(shop: Workspace) -> None:
    crm = Path(shop.root) / "crm.csv"
    crm.write_text(crm.read_text().replace("crm-2,2026-01-06", "crm-2,2025-09-03 10:00"))
    shop.ingest()
    left = {each.type: each.taken for each in shop.retain().types}
    assert left["sneeze"] == 0


@pytest.mark.slow
def test_in_postgres(tmp_path: Path, shop: Workspace, postgres_store: str) -> None:
    there = stocked(tmp_path / "there", postgres_store)
    before, ours = scores(there), shop.retain()
    assert before == scores(shop)
    found = there.retain()
    assert found.types == ours.types
    assert found.archive is not None
    assert ours.archive is not None
    assert said(found.archive) == said(ours.archive)
    assert scores(there) == before
    assert there.history("crm-1").as_dict() == shop.history("crm-1").as_dict()
    there.ingest()
    assert there.retain().taken == 0
    assert there.erase("crm-2").rows["archived_events"] == 1


def said(archive: Path) -> set[tuple[object, ...]]:
    rows = pq.read_table(archive).to_pylist()
    return {(row["_id"], row["type"], row["at"], row["path"]) for row in rows}
