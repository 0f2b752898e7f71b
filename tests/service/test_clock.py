"""Scores that time alone moves are as fresh as the workspace asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest
from tests.service.shop import inside, make_shop

from leadlight.engines.base import Engine
from leadlight.service import clock as clocks
from leadlight.service.clock import Clock
from leadlight.service.live_tables import prepare
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.store.open import open_store
from leadlight.workspace import Workspace

BEGIN = datetime(2026, 2, 8, 10)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_shop(tmp_path_factory.mktemp("clock") / "shop")
    text = (folder / "leadlight.yaml").read_text()
    (folder / "leadlight.yaml").write_text(text + "clock: {every: 6h}\n")
    Workspace(folder, now=lambda: BEGIN).ingest()
    return folder


@pytest.fixture
def live(stocked: Path) -> Iterator[LiveWorkspace]:
    engine = open_store("duckdb:store.duckdb", stocked)
    prepare(engine)
    for table in ("live_clock", "live_due", "live_unscored"):
        engine.execute(f"DELETE FROM {table}")
    yield LiveWorkspace(stocked, engine, now=lambda: BEGIN)
    engine.close()


def begun(live: LiveWorkspace) -> Clock:
    return Clock(live.engine, BEGIN, live.resolved.spec.clock.every)


def names(engine: Engine, table: str) -> set[str]:
    return {name for (name,) in engine.rows(f"SELECT id FROM ids WHERE lead IN (SELECT lead FROM {table})")}


def test_it_strikes_as_often_as_is_said(live: LiveWorkspace) -> None:
    clock, engine = begun(live), live.engine
    assert not clock.strikes(BEGIN + timedelta(seconds=59))  # everybody has just been scored
    assert clock.strikes(BEGIN + timedelta(seconds=60))
    assert clock.wind(engine, live.resolved, BEGIN + timedelta(hours=5)) == 0
    assert clock.wind(engine, live.resolved, BEGIN + timedelta(hours=6)) > 0
    assert names(engine, "live_unscored") >= {"crm-1", "crm-2"}  # their points fade
    engine.execute("DELETE FROM live_unscored")
    assert clock.wind(engine, live.resolved, BEGIN + timedelta(hours=7)) == 0


def test_nobody_else_is_scored(live: LiveWorkspace) -> None:
    clock, engine = begun(live), live.engine
    clock.wind(engine, live.resolved, BEGIN + timedelta(days=1))
    assert "crm-3" not in names(engine, "live_unscored")  # nothing of hers moves: no events, no colleagues


def test_some_at_a_time(live: LiveWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "AT_ONCE", 1)
    clock, engine, seen = begun(live), live.engine, list[int]()
    later = BEGIN + timedelta(days=1)
    clock.wind(engine, live.resolved, later)
    while engine.rows("SELECT 1 FROM live_unscored"):
        seen += [lead for (lead,) in engine.rows("SELECT lead FROM live_unscored")]
        engine.execute("DELETE FROM live_unscored")
        assert clock.strikes(later) == bool(engine.rows("SELECT 1 FROM live_due"))
        clock.wind(engine, live.resolved, later)
    assert len(seen) == len(set(seen)) == 2


def test_who_else_takes_it_is_left_to_it(live: LiveWorkspace) -> None:
    one, other, engine = begun(live), begun(live), live.engine
    later = BEGIN + timedelta(hours=6)
    assert one.wind(engine, live.resolved, later) > 0
    engine.execute("DELETE FROM live_unscored")
    assert other.wind(engine, live.resolved, later) == 0


def test_never_where_that_is_said(live: LiveWorkspace) -> None:
    spec = live.resolved.spec.model_copy(update={"clock": live.resolved.spec.clock.model_copy(update={"every": None})})
    still = replace(live.resolved, spec=spec)
    clock = Clock(live.engine, BEGIN, None)
    assert clock.wind(live.engine, still, BEGIN + timedelta(days=400)) == 0


def test_a_stop_is_made_up_for(live: LiveWorkspace) -> None:
    begun(live)
    again = Clock(live.engine, BEGIN + timedelta(days=3), timedelta(hours=6))
    assert again.strikes(BEGIN + timedelta(days=3))
    assert again.wind(live.engine, live.resolved, BEGIN + timedelta(days=3)) > 0


def test_a_served_workspace_scores_by_the_clock(tmp_path: Path) -> None:
    folder = make_shop(tmp_path / "shop")
    text = (folder / "leadlight.yaml").read_text()
    (folder / "leadlight.yaml").write_text(text + "clock: {every: 1s}\n")
    with inside(folder) as service:
        end = monotonic() + 60
        while len(service.get("/v1/history/crm-1").json()["scores"]) < 3:
            assert monotonic() < end
            sleep(0.1)
        assert len(service.get("/v1/history/crm-3").json()["scores"]) == 1


@pytest.mark.slow
def test_in_postgres(live: LiveWorkspace, tmp_path: Path, postgres_store: str) -> None:
    folder = make_shop(tmp_path / "shop")
    text = (folder / "leadlight.yaml").read_text().replace("duckdb:store.duckdb", postgres_store)
    (folder / "leadlight.yaml").write_text(text + "clock: {every: 6h}\n")
    Workspace(folder, now=lambda: BEGIN).ingest()
    engine, later = open_store(postgres_store, folder), BEGIN + timedelta(days=1)
    prepare(engine)
    there = LiveWorkspace(folder, engine, now=lambda: BEGIN)
    for workspace in (live, there):
        clock = begun(workspace)
        with workspace.engine.transaction():
            clock.wind(workspace.engine, workspace.resolved, later)
    assert names(engine, "live_unscored") == names(live.engine, "live_unscored") != set()
    engine.close()
