"""A POST with an Idempotency-Key is done once."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.service.shop import Inside, inside

from leadlight.service import idempotency


def post(service: Inside, body: Any, once: str, path: str = "/v1/keys", key: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {key or service.key}", "Idempotency-Key": once}
    return service.request("POST", path, json=body, headers=headers)


WEB = {"name": "web", "scopes": ["ingest"]}


def names(service: Inside) -> list[str]:
    return [key["name"] for key in service.get("/v1/keys").json()["keys"]]


def test_done_once_also_after_a_restart_and_kept_unreadable(shop: Path) -> None:
    with inside(shop) as service:
        first, again = post(service, WEB, "a-1"), post(service, WEB, "a-1")
        assert first.status_code == again.status_code == 201
        assert again.json() == first.json()
        assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
        assert names(service).count("web") == 1
        assert post(service, WEB, "a-2").json()["id"] != first.json()["id"]
        key = service.key
    with inside(shop) as service:
        assert post(service, WEB, "a-1", key=key).json() == first.json()
    secret = first.json()["key"].encode()
    assert [path.name for path in (shop / ".leadlight").iterdir() if secret in path.read_bytes()] == []


def test_another_body_under_the_same_key_is_refused(past: Inside) -> None:
    post(past, WEB, "b-1")
    before = names(past)
    answer = post(past, {**WEB, "name": "other"}, "b-1")
    assert answer.status_code == 422
    assert "take a new one" in answer.json()["detail"]
    assert post(past, WEB, "b-1", path="/v1/learn").status_code == 422
    assert names(past) == before


def test_keys_are_everybodys_own(past: Inside) -> None:
    other, _ = past.state.keys.make("other", ["manage"])
    first = post(past, WEB, "c-1")
    assert post(past, WEB, "c-1", key=other).json()["id"] != first.json()["id"]


def test_who_is_nobody_any_more_gets_no_answer_of_before(past: Inside) -> None:
    secret, key = past.state.keys.make("short", ["manage"])
    assert post(past, WEB, "d-1", key=secret).status_code == 201
    past.state.keys.revoke(key.id)
    assert post(past, WEB, "d-1", key=secret).status_code == 401


def test_what_was_refused_for_a_while_may_be_tried_again(past: Inside) -> None:
    reader, _ = past.state.keys.make("reader", ["read"])
    assert post(past, WEB, "e-1", key=reader).status_code == 403
    assert post(past, WEB, "e-1", key=reader).headers.get("idempotency-replayed") is None


def test_a_request_still_worked_on(past: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency.Idempotency, "_settle", lambda *_: None)
    assert post(past, WEB, "f-1").status_code == 201
    answer = post(past, WEB, "f-1")
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")


@pytest.mark.parametrize("once", ["", "x" * 256, "é"], ids=["empty", "long", "no ASCII"])
def test_keys_that_are_none(past: Inside, once: str) -> None:
    headers = {"Authorization": f"Bearer {past.key}", "Idempotency-Key": once.encode("utf-8") + b"\x01"}
    assert past.request("POST", "/v1/keys", json=WEB, headers=headers).status_code == 400


def test_forgotten_after_a_day(past: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    first = post(past, WEB, "g-1")
    monkeypatch.setattr(idempotency, "KEPT", timedelta(0))
    assert post(past, WEB, "g-1").json()["id"] != first.json()["id"]


def test_forgotten_after_a_day_though_nobody_asks_any_more(shop: Path) -> None:
    kept = shop / ".leadlight"
    with inside(shop) as service:
        post(service, WEB, "d-1")
        (file,) = kept.glob("once-*.json")
        entries = json.loads(file.read_text())
    for one in entries.values():
        one["at"] = (datetime.fromisoformat(one["at"]) - timedelta(days=1)).isoformat()
    file.write_text(json.dumps(entries))
    with inside(shop):
        end = time.monotonic() + 10
        while json.loads(file.read_text()):
            assert time.monotonic() < end
            time.sleep(0.05)


def test_nothing_is_kept_for_a_key_that_everybody_can_see(service: Inside, shop: Path) -> None:
    page, _ = service.state.keys.make("page", ["browser"])
    call = {"userId": "u1", "event": "x", "messageId": "m1"}
    answers = [post(service, call, "e-1", path="/v1/track", key=page).json() for _ in range(2)]
    assert [(one["accepted"], one["repeated"]) for one in answers] == [(1, 0), (0, 1)]
    assert list((shop / ".leadlight").glob("once-*")) == []


def test_reading_is_left_alone(past: Inside) -> None:
    headers = {"Authorization": f"Bearer {past.key}", "Idempotency-Key": "h-1"}
    for _ in range(2):
        answer = past.request("GET", "/v1/leads", headers=headers)
        assert "idempotency-replayed" not in answer.headers
