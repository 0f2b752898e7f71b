from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest
from tests.service.shop import make_shop

from leadlight.errors import NotFoundError, UsageError
from leadlight.scorecards.trial import TrialError, Trials
from leadlight.service import scorer as module
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.scorer import Scorer
from leadlight.spec.resolved import ResolvedScorecard
from leadlight.store.open import open_store
from leadlight.workspace import Workspace

AS_OF = "2026-03-01"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = make_shop(tmp_path_factory.mktemp("scorer") / "shop")
    workspace = Workspace(folder)
    workspace.ingest()
    return workspace


@pytest.fixture(scope="module")
def scorer(workspace: Workspace) -> Iterator[Scorer]:
    engine = open_store("duckdb:store.duckdb", Path(workspace.root))
    scorer = Scorer(LiveWorkspace(workspace.root, engine), changes=lambda: 0)
    yield scorer
    scorer.close()
    engine.close()


def lead(number: int) -> dict[str, Any]:
    visits = [{"type": "page", "at": f"2026-02-{day:02}", "path": "/pricing"} for day in range(20, 21 + number % 7)]
    return {"id": f"n{number}", "job": ["vp", "c_level", "dev"][number % 3], "staff": number * 10, "events": visits,
            "account": None if number % 2 else "acme"}  # fmt: skip


def test_many_at_once_get_what_each_gets_alone(workspace: Workspace, scorer: Scorer) -> None:
    asked = [scorer.score(lead(number), as_of=AS_OF) for number in range(11)]
    wait(asked, 60)
    engine = scorer.workspace.engine  # the store is held: the library asks over the same connection
    alone = LiveWorkspace(workspace.root, engine)
    for number, answer in enumerate(asked):
        expected = alone.try_lead(lead(number), as_of=AS_OF)
        assert answer.result().id == f"n{number}"
        assert {item.key: item.points for item in answer.result().contributions} == pytest.approx(
            {item.key: item.points for item in expected.contributions}, abs=1e-9
        )


def test_a_faulty_one_takes_no_other_with_it(scorer: Scorer) -> None:
    good, bad, unknown = (scorer.score(lead(2)), scorer.score({"jop": 1}), scorer.score(lead(2), "hose"))
    assert good.result(60).score > 0
    assert isinstance(bad.exception(60), TrialError)
    assert isinstance(unknown.exception(60), NotFoundError)
    assert isinstance(scorer.score({"job": "vp"}, as_of="soon").exception(60), UsageError)


def test_a_scorecard_of_accounts_needs_one(scorer: Scorer) -> None:
    assert isinstance(scorer.score({"job": "vp"}, "firms").exception(60), UsageError)
    assert scorer.score(lead(2), "firms", AS_OF).result(60).score == 3


def test_new_names_are_planned_for_before_anybody_asks(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_UP", 0.01)
    engine, changes, planned = open_store("duckdb:store.duckdb", Path(workspace.root)), [0], threading.Event()
    scorer = Scorer(LiveWorkspace(workspace.root, engine), changes=lambda: changes[0])
    try:
        assert scorer.ready.wait(60)
        ready = Trials.ready

        def seen(trials: Trials, card: ResolvedScorecard) -> None:
            ready(trials, card)
            planned.set()

        monkeypatch.setattr(Trials, "ready", seen)
        assert not planned.wait(0.1)  # nothing is new
        changes[0] = 1
        assert planned.wait(60)
        assert scorer.score(lead(2), "firms", AS_OF).result(60).score == 3
    finally:
        scorer.close()
        engine.close()
