"""Requests and answers: who may, what is refused and how, what comes out."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.service.shop import Inside, inside, make_shop

from leadlight.service.inbox import InboxError, InboxFull
from leadlight.service.ingest_routes import KINDS

CALL = {"type": "track", "event": "order", "userId": "crm-1", "properties": {"amount": 20}}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """One service for all tests of this file: each sends what disturbs no other."""
    with inside(make_shop(tmp_path_factory.mktemp("app") / "shop")) as found:
        yield found


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def envelope(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Assert the one shape of every refusal; return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = dict(answer.json())
    assert said["status"] == status
    assert said["title"]
    assert said["detail"] == said["message"]
    assert said["code"]
    return said


# ----------------------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize("name", [*KINDS])
def test_single_calls_come_in_by_either_name(service: Inside, name: str) -> None:
    body = {**CALL, "groupId": "acme", "previousId": "crm-1", "type": "other"}
    answer = service.request("POST", f"/v1/{name}", content=json.dumps(body), headers=basic(service.key))
    assert (answer.status_code, answer.json()["success"]) == (200, True)


@pytest.mark.parametrize("name", ["batch", "b", "import"])
def test_batches_come_in_by_all_names(service: Inside, name: str) -> None:
    assert service.post(f"/v1/{name}", {"batch": [CALL, CALL]}).json() == {
        "success": True, "accepted": 2, "repeated": 0,
    }  # fmt: skip


def test_a_key_is_found_wherever_clients_put_it(service: Inside) -> None:
    body = json.dumps({"batch": [CALL]})
    with_key = json.dumps({"batch": [CALL], "writeKey": service.key})
    for headers, content in (
        (basic(service.key), body), ({"Authorization": f"Bearer {service.key}"}, body),
        ({"Authorization": service.key}, body), ({"X-Write-Key": f"{service.key}:secret"}, body),
        ({"Content-Type": "text/plain"}, with_key),
    ):  # fmt: skip
        answer = service.request("POST", "/v1/batch", content=content, headers=headers)
        assert answer.status_code == 200, headers


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Basic !!"}, {"Authorization": "Bearer ll_x"}, {"X-Write-Key": "k"}]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/batch"), ("POST", "/v1/t"), ("POST", "/v1/lines"), ("POST", "/v1/cloudevents"), ("GET", "/v1/leads"),
     ("GET", "/v1/leads/crm-1"), ("POST", "/v1/score"), ("GET", "/v1/keys"), ("POST", "/v1/keys")],
)  # fmt: skip
def test_without_a_key_nothing_is_answered(service: Inside, method: str, path: str, headers: dict[str, str]) -> None:
    before = service.state.journal.depth
    envelope(service.request(method, path, headers=headers, content='{"batch": []}'), 401)
    assert service.state.journal.depth <= before


def test_a_key_may_do_only_what_its_scopes_say(service: Inside) -> None:
    made = service.post("/v1/keys", {"name": "browser", "scopes": ["ingest"]})
    assert made.status_code == 201
    key = made.json()["key"]
    assert service.request("POST", "/v1/t", json=CALL, headers=basic(key)).status_code == 200
    for asked in ("GET /v1/leads", "GET /v1/explain/crm-1", "POST /v1/score", "GET /v1/keys"):
        method, path = asked.split()
        said = envelope(service.request(method, path, headers=basic(key), content="{}"), 403)
        assert "'browser' may ingest" in said["detail"]
    listed = service.get("/v1/keys").json()["keys"]
    assert key not in json.dumps(listed)
    own = next(one for one in listed if one["name"] == "browser")
    assert service.request("DELETE", f"/v1/keys/{own['id']}", headers=basic(service.key)).status_code == 200
    envelope(service.request("POST", "/v1/t", json=CALL, headers=basic(key)), 401)
    envelope(service.request("DELETE", f"/v1/keys/{own['id']}", headers=basic(service.key)), 404)


@pytest.mark.parametrize("body", [[], {"name": 1, "scopes": ["read"]}, {"name": "x", "scopes": "read"},
                                  {"name": "x", "scopes": ["root"]}, {"name": "x", "scopes": []}])  # fmt: skip
def test_keys_that_make_no_sense_are_not_made(service: Inside, body: Any) -> None:
    count = len(service.state.keys.all())
    envelope(service.post("/v1/keys", body), 400)
    assert len(service.state.keys.all()) == count


# --------------------------------------------------------------------------------------------------------- bodies


def test_gzip_is_read_whatever_the_headers_say(service: Inside) -> None:
    packed = gzip.compress(json.dumps({"batch": [CALL]}).encode())
    for more in ({}, {"Content-Encoding": "gzip"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = service.request("POST", "/v1/batch", content=packed, headers={**basic(service.key), **more})
        assert answer.json()["accepted"] == 1


HOSTILE = [
    b"", b"{", b"null", b"7", b'"batch"', b"[]", b'{"batch": {}}', b'{"batch": [{"a": NaN}]}', b'{"batch": [1e999]}',
    b'{"batch": "\xff"}', b'{"batch": ["\\ud800"]}', b"[" * 20_000, b'{"a":' * 2000, b"\x1f\x8b\x08",
    gzip.compress(b"[" * 30_000), b'{"batch": [{"type": "track", "userId": {"$ne": 1}, "event": "e"}]}',
    b'{"batch": [{"type": "track", "userId": "u", "event": ["e"]}]}', b'{"batch": [[[[]]], null, 1.5, "x"]}',
    b'{"batch": [{"type": "track", "userId": "u", "event": "e", "timestamp": "9999999-01-01"}]}',
    b'{"batch": [{"type": "track", "userId": "u", "event": "e", "properties": "DROP TABLE events"}]}',
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bodies_get_a_400_and_change_nothing(service: Inside, body: bytes) -> None:
    service.settle()
    last = service.state.worker.stored
    for path in ("/v1/batch", "/v1/track", "/v1/score"):
        said = service.request("POST", path, content=body, headers=basic(service.key))
        envelope(said, 400)
    assert service.state.journal.depth == 0
    assert service.state.worker.stored == last


def test_injections_are_texts_like_any_other(service: Inside) -> None:
    text = "'; DROP TABLE events; -- \x00 \" ${x} {{7*7}} \\"
    answer = service.post("/v1/batch", {"batch": [
        {"type": "track", "userId": text, "event": text, "properties": {text: text, "path": text}},
        {"type": "identify", "userId": text, "traits": {text: text, "job": text, "email": text}},
    ]})  # fmt: skip
    assert answer.json()["accepted"] == 2
    service.settle()
    lead = service.get("/v1/leads/" + quote(text.replace("\x00", ""), safe=""))
    assert lead.status_code == 200, lead.text
    assert service.rows("SELECT count(*) > 0 FROM events") == [(True,)]


def test_bodies_too_large_are_413_and_say_the_limit(service: Inside) -> None:
    large = {**CALL, "properties": {"x": "y" * 33_000}}
    assert envelope(service.post("/v1/track", large), 413)["limit"] == 32 * 1024
    assert envelope(service.post("/v1/batch", {"batch": [large] * 20}), 413)["limit"] == 500 * 1024
    packed = gzip.compress(json.dumps({"batch": [large] * 20}).encode())
    envelope(service.request("POST", "/v1/batch", content=packed, headers=basic(service.key)), 413)
    answer = service.post("/v1/batch", {"batch": [CALL, large, {"type": "x"}, CALL]}).json()
    assert (answer["accepted"], [fault["index"] for fault in answer["rejected"]]) == (2, [1, 2])


def test_a_full_journal_is_429_and_a_broken_one_503(service: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> Future[Any]:
        raise InboxFull(7)

    monkeypatch.setattr(service.state.journal, "append", full)
    answer = service.post("/v1/batch", {"batch": [CALL]})
    envelope(answer, 429)
    assert answer.headers["retry-after"] == "7"

    def broken(_: object) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(InboxError("the journal cannot be written: disk full"))
        return future

    monkeypatch.setattr(service.state.journal, "append", broken)
    answer = service.post("/v1/batch", {"batch": [CALL]})
    assert "disk full" in envelope(answer, 503)["detail"]
    assert int(answer.headers["retry-after"]) > 0


def test_json_lines_each_by_itself(service: Inside) -> None:
    lines = [json.dumps(CALL), "", "{broken", json.dumps({"type": "track"}), json.dumps({**CALL, "messageId": "line"})]
    answer = service.request("POST", "/v1/lines", content="\n".join(lines), headers=basic(service.key)).json()
    assert (answer["accepted"], [fault["index"] for fault in answer["rejected"]]) == (2, [2, 3])
    envelope(service.request("POST", "/v1/lines", content="{broken\n", headers=basic(service.key)), 400)


def test_lines_that_a_browser_may_not_send_are_told_by_their_places(service: Inside) -> None:
    page, _ = service.state.keys.make("page", ["browser"])
    alias = json.dumps({"type": "alias", "previousId": "a", "userId": "b"})
    lines = ["", "", "", "{broken", alias, "", json.dumps(CALL)]
    answer = service.request("POST", "/v1/lines", content="\n".join(lines), headers=basic(page)).json()
    assert (answer["accepted"], [fault["index"] for fault in answer["rejected"]]) == (1, [3, 4])


def test_cloud_events_in_both_modes(service: Inside) -> None:
    event = {"specversion": "1.0", "id": "ce1", "source": "/s", "type": "order", "subject": "crm-1"}
    assert service.post("/v1/cloudevents", [event, event]).json()["repeated"] == 1
    headers = {**basic(service.key), **{f"ce-{name}": value for name, value in event.items()}, "ce-id": "ce2"}
    assert service.request("POST", "/v1/cloudevents", content="", headers=headers).json()["accepted"] == 1


# ----------------------------------------------------------------------------------------------------------- CORS


def test_any_page_may_send(service: Inside) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "authorization,content-type,x-retry-count"}  # fmt: skip
    answer = service.request("OPTIONS", "/v1/t", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "x-retry-count" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    sent = service.request("POST", "/v1/t", json=CALL, headers={**basic(service.key), "Origin": "https://shop.example"})
    assert sent.headers["access-control-allow-origin"] == "*"
    refused = service.request("POST", "/v1/t", json={}, headers={"Origin": "https://shop.example"})
    assert refused.headers["access-control-allow-origin"] == "*"


def test_a_browser_is_told_to_send_here(service: Inside) -> None:
    answer = service.request("GET", f"/v1/projects/{service.key}/settings")
    assert answer.json()["integrations"]["Segment.io"]["apiHost"] == "service/v1"
    envelope(service.request("GET", "/v1/projects/unknown/settings"), 404)


# ---------------------------------------------------------------------------------------------------------- reads


def test_a_ranking_is_paged_by_a_cursor(service: Inside) -> None:
    service.settle()
    whole = service.get("/v1/leads", limit=200).json()
    rows, cursor = [], None
    while True:
        page = service.get("/v1/leads", limit=2, **({"cursor": cursor} if cursor else {})).json()
        rows += page["rows"]
        if (cursor := page["next"]) is None:
            break
    assert [row["id"] for row in rows] == [row["id"] for row in whole["rows"]]
    assert len({page["as_of"] for page in (page,)}) == 1
    only = service.get("/v1/leads", grade="C").json()
    assert {row["grade"] for row in only["rows"]} <= {"C"}


@pytest.mark.parametrize(
    ("params", "said"),
    [({"limit": "0"}, "limit"), ({"limit": "1e9"}, "limit"), ({"cursor": "x"}, "cursor"), ({"colour": "red"}, "colour"),
     ({"as_of": "soon"}, "not a moment"),
     ({"cursor": base64.b64encode(b'{"as_of":"2026-01-01","offset":9999}').decode()}, "up to")],
)  # fmt: skip
def test_questions_that_make_no_sense(service: Inside, params: dict[str, str], said: str) -> None:
    assert said in envelope(service.get("/v1/leads", **params), 400)["detail"]


def test_what_is_not_there_is_a_404(service: Inside) -> None:
    for path in ("/v1/leads/nobody", "/v1/explain/nobody", "/v1/history/nobody", "/v1/nothing"):
        envelope(service.get(path), 404)
    envelope(service.get("/v1/leads", scorecard="hose"), 404)
    envelope(service.get("/v1/leads", grade="Z"), 404)
    envelope(service.get("/v1/batch"), 405)


def test_a_lead_is_told_with_reasons_that_add_up_and_its_past(service: Inside) -> None:
    lead = service.get("/v1/leads/crm-3", as_of="2026-03-01").json()
    assert sum(item["points"] for item in lead["contributions"]) == pytest.approx(lead["score"], abs=1e-9)
    assert service.get("/v1/leads/crm-3").json()["history"][0]["grade"] == lead["grade"]
    explained = service.get("/v1/explain/crm-3").json()
    assert any("Job" in reason for reason in explained["reasons"])
    moved = service.get("/v1/why/crm-1", since="2026-02-01T09:00", until="2026-02-02").json()
    assert moved["points"] == pytest.approx(moved["to"]["score"] - moved["from"]["score"], abs=1e-9)
    assert "since is missing" in envelope(service.get("/v1/why/crm-1"), 400)["detail"]
    assert service.get("/v1/leads/acme", scorecard="firms").json()["entity"] == "account"


def test_a_lead_given_is_scored_and_not_stored(service: Inside) -> None:
    lead = {"job": "vp", "staff": 100, "events": [{"type": "Demo Requested", "at": "2026-02-28"}]}
    scored = service.request("POST", "/v1/score", json=lead, params={"as_of": "2026-03-01"}, headers=basic(service.key))
    assert scored.json()["score"] == 12 + 7 + 25
    said = envelope(service.post("/v1/score", {"jop": "vp", "staff": "x"}), 400)
    assert len(said["faults"]) == 2
    envelope(service.post("/v1/score", [1]), 400)
    assert service.get("/v1/leads").json()["total"] == service.get("/v1/leads").json()["total"]
    envelope(service.get("/v1/leads/try"), 404)


# ---------------------------------------------------------------------------------------------------------- house


def test_figures_and_readiness(service: Inside) -> None:
    service.send({"type": "track", "event": "page", "userId": "crm-1"})
    service.settle()
    ready = service.request("GET", "/readyz")
    assert ready.json() == {"ready": True, "waiting": 0, "unscored": 0, "trouble": None, "faults": None}
    text = service.request("GET", "/metrics").text
    for name in ("leadlight_calls_total", "leadlight_call_to_score_seconds_bucket", "leadlight_calls_waiting 0.0",
                 'leadlight_answers_total{route="/v1/batch",status="200"}'):  # fmt: skip
        assert name in text
    assert "crm-" not in text


def test_trouble_of_the_store_is_said(shop: Path) -> None:
    with inside(shop) as service:
        service.state.worker.trouble = "IOException: disk full"
        answer = service.request("GET", "/readyz")
        assert answer.status_code == 503
        assert "disk full" in answer.json()["trouble"]
        assert service.request("GET", "/healthz").status_code == 200


def test_a_bug_is_a_500_without_its_inside(service: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(service.state.readers, "_asked", broken)
    said = envelope(service.get("/v1/leads"), 500)
    assert "secret" not in json.dumps(said)
