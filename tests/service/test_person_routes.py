"""A person's rights over HTTP, while the service runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.service.shop import Inside, inside

from leadlight.service.live_workspace import LiveWorkspace
from leadlight.store.erase import about, find_person

SECRET = "eve-unmistakable"


def _visit(**more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "order", "userId": SECRET, "properties": {"note": "eve-was-here"}, **more}


def _identified(service: Inside) -> None:
    service.send(
        {"type": "identify", "userId": SECRET, "anonymousId": "device-of-eve", "traits": {"job": "vp"}},
        _visit(messageId="m1"),
    )
    service.settle()


def test_erased_while_serving_and_by_the_end_from_the_bytes(shop: Path) -> None:
    with inside(shop) as service:
        _identified(service)
        assert service.get(f"/v1/leads/{SECRET}").status_code == 200
        service.send(_visit(messageId="m2"))  # it waits in the journal, perhaps
        erased = service.request("DELETE", f"/v1/leads/{SECRET}")
        assert erased.status_code == 200
        assert erased.json()["rows"]["events"] == 2
        assert service.get(f"/v1/leads/{SECRET}").status_code == 404
        assert service.request("DELETE", f"/v1/leads/{SECRET}").status_code == 404
        service.send(_visit(messageId="m3"))
        service.settle()
        assert service.get(f"/v1/leads/{SECRET}").status_code == 404, "a later call brought them back"
        assert service.get(f"/v1/access/{SECRET}").status_code == 404
    files = [path for path in shop.rglob("*") if path.is_file()]
    assert [path.name for path in files if b"eve-was-here" in path.read_bytes()] == []
    assert not (shop / ".leadlight" / "rewrite").exists()
    assert "store.duckdb" in [path.name for path in files]


def test_access_is_a_file_of_all_that_is_held(service: Inside) -> None:
    _identified(service)
    answer = service.get(f"/v1/leads/{SECRET}/access")
    assert "attachment" in answer.headers["content-disposition"]
    found = answer.json()
    assert found["ids"] == [SECRET]
    assert {row["_source"] for row in found["tables"]["events"]} == {"live"}
    assert [row["anonymous"] for row in found["tables"]["live_links"]] == ["device-of-eve"]
    assert any(row["name"] == "job" and json.loads(row["value"]) == "vp" for row in found["tables"]["live_traits"])
    assert service.get(f"/v1/access/{SECRET}").json()["tables"] == found["tables"]


@pytest.mark.parametrize("scope", ["ingest", "read"])
def test_only_for_who_may_manage(service: Inside, scope: str) -> None:
    key, _ = service.state.keys.make("other", [scope])
    headers = {"Authorization": f"Bearer {key}"}
    assert service.request("DELETE", "/v1/leads/crm-1", headers=headers).status_code == 403
    assert service.request("GET", "/v1/access/crm-1", headers=headers).status_code == 403
    assert service.get("/v1/leads/crm-1").status_code == 200


NAMES = {
    "lead",
    "key",
    "_key",
    "_said_of",
    "user",
    "anonymous",
    "a",
    "b",
    "was",
    "survivor",
    "subject",
    "call",
    "address",
}
"""Columns by which a table may be about a person."""
OF_NOBODY = {
    "live_unscored": "who is to be scored again: numbers, gone within a second",
    "live_due": "who is due for time alone: numbers, made anew by each look",
}


def test_every_table_about_persons_is_erased_and_shown(service: Inside) -> None:
    _identified(service)

    def look(workspace: LiveWorkspace) -> tuple[set[str], set[str]]:
        engine = workspace.engine
        told = {table for table, _, _ in about(engine, find_person(engine, SECRET))}
        return {table for table in engine.tables() if NAMES & set(engine.columns(table))}, told

    found, told = service.state.worker.do(look).result(20)
    assert found - told - OF_NOBODY.keys() == set(), "see leadlight/store/erase.py: `access` and `erase` read its lists"
