"""Scoring a few again is scoring everybody: the same numbers, from fewer rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from leadlight.cli.app import app
from leadlight.engines.base import Engine
from leadlight.service import at_hand
from leadlight.service import rescore as module
from leadlight.service.live_tables import prepare
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.rescore import Statement, _Same, _statement, gather_changed, rescore
from leadlight.store.open import open_store

NOW = datetime(2026, 6, 30)
LATER = NOW + timedelta(hours=1)


@contextmanager
def scored_company(folder: Path, address: str) -> Iterator[LiveWorkspace]:
    """A simulated company that was scored as of NOW."""
    assert CliRunner().invoke(app, ["init", str(folder), "--template", "demo"]).exit_code == 0
    spec = folder / "leadlight.yaml"
    spec.write_text(re.sub(r"(?m)^store: \S+", lambda _: f"store: {address}", spec.read_text()))
    for words in (["simulate", str(folder / "data"), "--leads", "400"], ["ingest", "-w", str(folder)]):
        assert CliRunner().invoke(app, words).exit_code == 0
    engine = open_store(address, folder)
    prepare(engine)
    workspace = LiveWorkspace(folder, engine, now=lambda: NOW)
    workspace.score(as_of="2026-06-30")
    try:
        yield workspace
    finally:
        engine.close()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveWorkspace]:
    folder = tmp_path_factory.mktemp("company") / "demo"
    with scored_company(folder, f"duckdb:{folder / 'leadlight.duckdb'}") as workspace:
        yield workspace


def kept(engine: Engine, where: str) -> dict[Any, Any]:
    rows = engine.rows(f"SELECT scorecard, lead, account, score, groups, grade, gate FROM scores WHERE {where}")
    return {row[:3]: row[3:] for row in rows}


def again(workspace: LiveWorkspace, as_of: datetime, run: int, leads: str) -> int:
    engine = workspace.engine
    engine.execute("DELETE FROM live_unscored")
    engine.execute(f"INSERT INTO live_unscored SELECT lead, NULL FROM leads WHERE {leads}")
    with engine.transaction():
        gather_changed(engine, as_of)
        return rescore(engine, workspace.resolved, as_of, run=run)


@pytest.mark.parametrize("small", [0, 10**9], ids=["at-hand", "read-through"])
def test_everybody_again_has_the_same_scores(
    company: LiveWorkspace, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr(at_hand, "SMALL", small)
    run = 900 + min(small, 1)
    first = kept(company.engine, "run < 900")
    assert again(company, NOW, run, "lead % 7 = 0") > 0  # what is at hand is of some
    company.engine.execute("DELETE FROM scores WHERE run = ?", [run])
    assert again(company, NOW, run, "true") == len(first) > 200
    found = kept(company.engine, f"run = {run}")
    assert found.keys() == first.keys()
    for key, (score, groups, *rest) in first.items():
        assert found[key] == (pytest.approx(score, abs=1e-9), pytest.approx(groups, abs=1e-9), *rest), key


def test_postgres_scores_the_same_and_adds_nothing_up_of_those_it_leaves_out(
    tmp_path: Path, postgres_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[int]()
    keep = module.keep_scores

    def counted(engine: Engine, *given: Any, **more: Any) -> tuple[int, int, int]:
        asked.extend(count for (count,) in engine.rows("SELECT count(*) FROM live_changed"))
        return keep(engine, *given, **more)

    with scored_company(tmp_path / "demo", postgres_store) as workspace:
        engine, first = workspace.engine, kept(workspace.engine, "run < 900")
        ours = sum(key[1] is not None for key in first)
        monkeypatch.setattr(module, "keep_scores", counted)
        assert again(workspace, NOW, 901, "true") == len(first) > 200
        found = kept(engine, "run = 901")
    assert 0 < ours < 400
    assert asked == [ours, ours]
    assert found.keys() == first.keys()
    for key, (score, groups, *rest) in first.items():
        assert found[key] == (pytest.approx(score, abs=1e-9), pytest.approx(groups, abs=1e-9), *rest), key


def test_statements_say_what_they_read(company: LiveWorkspace) -> None:
    cards = company.resolved.scorecards

    def statement(name: str, *, gathers: bool = True) -> Statement:
        return _statement(_Same(company.resolved, cards[name]), True, gathers, "duckdb")

    house, accounts = statement("house"), statement("accounts")
    assert house.tables == frozenset({"events", "attributes", "leads", "outcomes", "account_attributes"})
    assert house.types is not None
    assert {"page_view", "demo_request", "webinar"} <= house.types
    assert not {"email_sent", "email_open", "call"} & house.types
    assert accounts.types == frozenset({"demo_request", "meeting", "page_view"})
    assert {"path", "form", "seconds", "at", "lead", "type"} <= house.names
    assert '"live_of_events"' in house.text
    assert '"events"' not in house.text.replace('"events" AS', "")
    plain = statement("house", gathers=False)
    assert (plain.tables, "live_of_" in plain.text) == (frozenset(), False)
