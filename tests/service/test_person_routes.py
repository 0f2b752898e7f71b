"""A person's rights over HTTP, while the service runs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.service.shop import Inside, inside, make_shop

from leadlight.service.app import create_app
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.serve import running, working
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


@pytest.fixture(params=["duckdb", "postgres"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Inside]:
    """A service over either store."""
    postgres = request.param == "postgres"
    store = request.getfixturevalue("postgres_store") if postgres else "duckdb:store.duckdb"
    with inside(make_shop(tmp_path / "shop", store=store)) as found:
        yield found


def _left(service: Inside, *words: str) -> dict[str, list[Any]]:
    """Return the rows of all tables in which any of these words stands."""

    def look(workspace: LiveWorkspace) -> dict[str, list[Any]]:
        engine = workspace.engine
        rows = {table: engine.rows(f'SELECT * FROM "{table}"') for table in sorted(engine.tables())}
        found = {
            table: [row for row in some if any(word in str(row) for word in words)] for table, some in rows.items()
        }
        return {table: some for table, some in found.items() if some}

    return service.ask(look)


def test_no_later_call_leaves_an_id_of_an_erased_person(either: Inside) -> None:
    _identified(either)
    either.send({"type": "alias", "previousId": "former-eve", "userId": SECRET})
    either.settle()
    assert either.request("DELETE", f"/v1/leads/{SECRET}").status_code == 200
    device = {"userId": "crm-1", "anonymousId": "device-of-eve"}
    either.send(
        {"type": "identify", "userId": SECRET, "anonymousId": "another-of-eve", "traits": {"job": "vp"}},
        {"type": "alias", "previousId": "older-eve", "userId": SECRET},
        {"type": "alias", "previousId": SECRET, "userId": "crm-1"},
        {"type": "identify", **device, "traits": {"job": "vp"}},
        {"type": "track", "event": "order", "userId": "former-eve"},
        {"type": "track", "event": "order", "anonymousId": "device-of-eve"},
    )
    either.settle()
    assert _left(either, "-eve", "eve-") == {}


def test_erasing_a_device_takes_out_whose_it_was_seen_to_be(either: Inside) -> None:
    device = {"anonymousId": "tablet-of-eve"}
    either.send({"type": "track", "event": "order", **device},
                 {"type": "identify", "userId": SECRET, **device, "traits": {"job": "vp"}})  # fmt: skip
    either.settle()
    merge = either.get("/v1/merges", lead=SECRET).json()["merges"][0]["merge"]
    assert either.request("DELETE", f"/v1/merges/{merge}").status_code == 200
    assert either.request("DELETE", "/v1/leads/anonymous:tablet-of-eve").status_code == 200
    assert _left(either, "tablet-of-eve") == {}
    assert either.get(f"/v1/leads/{SECRET}").status_code == 200


def test_whose_scores_rest_on_an_erased_person_are_scored_again(either: Inside) -> None:
    either.send(*({"type": "page", "userId": f"crm-{lead}", "properties": {"path": "/"}} for lead in (1, 2)))
    either.settle()
    before = either.get("/v1/leads/crm-1").json()
    assert [one["points"] for one in before["contributions"] if one["name"] == "Colleagues"] == [6.0]
    assert either.request("DELETE", "/v1/leads/crm-2").status_code == 200
    either.settle()
    last = either.rows("SELECT score FROM scores s JOIN ids i ON i.lead = s.lead WHERE i.id = 'crm-1' "
                        "AND scorecard = 'house' ORDER BY as_of DESC LIMIT 1")  # fmt: skip
    assert last[0][0] == either.get("/v1/leads/crm-1").json()["score"] == before["score"] - 6


def test_what_waits_for_another_process_to_be_stored_goes_with_the_person(tmp_path: Path, postgres_store: str) -> None:
    folder, free = make_shop(tmp_path / "shop", store=postgres_store), threading.Event()
    with working(folder) as worker, running(folder, work=False) as state, ThreadPoolExecutor(1) as beside:
        key, _ = state.keys.make("test", ["ingest", "manage"])
        service = Inside(state, create_app(state), key)
        service.settle()
        worker.do(lambda _: free.wait(20))  # it is busy
        service.send({"type": "track", "event": "order", "anonymousId": "tablet-of-eve"},
                     {"type": "identify", "userId": SECRET, "anonymousId": "tablet-of-eve"})  # fmt: skip
        erased = beside.submit(service.request, "DELETE", f"/v1/leads/{SECRET}")
        time.sleep(0.5)
        free.set()
        assert erased.result(30).json()["ids"] == ["anonymous:tablet-of-eve", SECRET]
        service.settle()
        assert _left(service, "-eve", "eve-") == {}
