"""Errands of the worker, and files that change while the service runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.service.shop import Inside, settle

from leadlight.errors import NotFoundError, StoreError


def test_an_errand_is_run_between_batches_after_all_that_was_accepted(service: Inside) -> None:
    service.send({"type": "track", "event": "order", "userId": "crm-2", "messageId": "m1"})
    count = service.state.worker.do(
        lambda workspace: workspace.engine.rows("SELECT count(*) FROM events WHERE _source = 'live'")[0][0]
    )
    assert count.result(20) == 1


def test_whoever_asked_hears_of_the_fault(service: Inside) -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        service.state.worker.do(lambda workspace: workspace.explain("nobody")).result(20)
    assert service.state.worker.alive


def test_errands_are_turned_away_at_the_end(service: Inside) -> None:
    service.state.worker.stop()
    with pytest.raises(StoreError, match="stopping"):
        service.state.worker.do(lambda workspace: workspace.root).result(20)


def _points(service: Inside) -> float:
    return float(service.get("/v1/leads/crm-1", fields="groups.fit").json()["groups"]["fit"])


def test_an_edited_scorecard_is_published_silently(service: Inside, shop: Path) -> None:
    before, file = _points(service), shop / "scorecards" / "house.yaml"
    file.write_text(file.read_text().replace("vp: 12", "vp: 15"))
    settle(lambda: {"waiting": _points(service) == before, "unscored": 0})
    assert _points(service) == before + 3
    kept = service.get("/v1/history/crm-1").json()["scores"]
    assert [score["change"] for score in kept] == [None, None]
    assert kept[0]["version"] != kept[1]["version"]
    assert service.post("/v1/score", {"job": "vp"}).json()["groups"]["fit"] == 15


def test_an_edit_with_faults_changes_nothing_and_is_told(service: Inside, shop: Path) -> None:
    before, file = _points(service), shop / "scorecards" / "house.yaml"
    right = file.read_text()
    file.write_text(right.replace("feature: job", "feature: jib"))

    def faults() -> str | None:
        return json.loads(service.get("/readyz").content)["faults"]  # type: ignore[no-any-return]

    settle(lambda: {"waiting": faults() is None, "unscored": 0})
    assert "jib" in (faults() or "")
    assert _points(service) == before
    service.send({"type": "track", "event": "order", "userId": "crm-2", "properties": {"amount": 99, "brand_new": 1}})
    service.settle()
    assert _points(service) == before
    file.write_text(right)
    settle(lambda: {"waiting": faults() is not None, "unscored": 0})
