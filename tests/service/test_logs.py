from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.service.gate import Browser, Gate, gate
from tests.service.shop import Inside, inside, make_shop

from leadlight.service import logs, traces
from leadlight.service.app import behind_the_door
from leadlight.service.audit import audited
from leadlight.service.metrics import Metrics

PEOPLE = ("zoe.larsson@nordwind.example", "Zoë Larsson", "lead-4711-larsson", "device-larsson-77", "+46701234567")
EMAIL, NAME, USER, DEVICE, PHONE = PEOPLE
PASSWORD = "correct horse battery larsson"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    with inside(make_shop(tmp_path_factory.mktemp("shop") / "shop")) as found:
        yield found


def live(shop: Inside) -> list[int]:
    """A person goes through all of the service; things go wrong, too."""
    traits = {"email": EMAIL, "name": NAME, "phone": PHONE, "job": "vp"}
    track = {"type": "track", "userId": USER, "anonymousId": DEVICE, "event": f"Call {PHONE}", "properties": traits}
    stranger = {"headers": {"Authorization": f"Basic {EMAIL}"}}
    answers = [
        shop.post("/v1/batch", {"batch": [{"type": "identify", "userId": USER, "traits": traits}, track]}),
        shop.post("/v1/track", {"userId": USER, "event": 5, "properties": {EMAIL: NAME}}),
        shop.post("/v1/identify", {"userId": [EMAIL]}),
        shop.request("POST", "/v1/batch", content=f'{{"batch": "{EMAIL}'.encode()),
        shop.request("POST", f"/v1/{EMAIL}", json=track),
        shop.request("POST", "/v1/track", json=track, **stranger),
    ]
    shop.settle()
    answers += [
        shop.get(f"/v1/leads/{USER}"), shop.get(f"/v1/leads/{EMAIL}"), shop.get(f"/v1/explain/{USER}"),
        shop.get("/v1/leads", where=f"email = '{EMAIL}'", cursor=EMAIL, grade=NAME), shop.get(f"/v1/{NAME}"),
        shop.post("/v1/score", {"job": NAME, "email": EMAIL, "nothing": PHONE}),
        shop.request("DELETE", f"/v1/keys/{EMAIL}"), shop.post("/v1/keys", {"name": EMAIL, "scopes": [NAME]}),
        shop.request("POST", "/login", data={"name": EMAIL, "password": PASSWORD}, headers={}),
        shop.request("GET", "/login/first", params={"token": EMAIL}, headers={}),
        shop.request("GET", f"/healthz?{EMAIL}", headers={"User-Agent": NAME.encode(), "Cookie": EMAIL}),
    ]  # fmt: skip
    return [answer.status_code for answer in answers]


def test_nothing_that_is_written_names_a_person_or_a_key(shop: Inside) -> None:
    written, exporter, provider = io.StringIO(), InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces.use(provider)
    try:
        with logs.logging_to(written, "json"):
            codes = live(shop)
    finally:
        traces.use(None)
    assert {200, 400, 401, 403, 404} <= set(codes)
    said = {
        "logs": written.getvalue(),
        "figures": shop.get("/metrics").text,
        "traces": "".join(span.to_json() for span in exporter.get_finished_spans()),
        "readiness": shop.get("/readyz").text,
        "audit log": json.dumps(audited(shop.state.admission.audit).as_dict()),
    }
    assert len(lines(said["logs"])) >= len(codes)
    assert '"store"' in said["traces"]
    for where, text in said.items():
        shown = text.encode().decode("unicode_escape", "ignore").lower()
        for word in (*PEOPLE, "larsson", "nordwind", PASSWORD, shop.key, shop.key[3:12]):
            assert word.lower() not in text.lower() + shown, f"{word} stands in the {where}"


def test_a_line_tells_of_a_request(shop: Inside) -> None:
    written = io.StringIO()
    with logs.logging_to(written, "json"):
        answer = shop.get("/v1/leads/crm-1")
        shop.request("GET", "/v1/keys", headers={})
    first, second = lines(written.getvalue())
    mine = shop.state.keys.all()[-1].id
    told = {name: first[name] for name in ("level", "event", "request", "method", "route", "status", "key")}
    assert told == {
        "level": "info", "event": "request", "request": answer.headers["x-request-id"], "method": "GET",
        "route": "/v1/leads/{id:path}", "status": 200, "key": mine,
    }  # fmt: skip
    assert first["ms"] > 0
    assert first["time"].endswith("Z")
    assert (second["status"], second["key"]) == (401, None)


def test_off_leaves_requests_out_and_text_is_for_people(shop: Inside) -> None:
    quiet, words = io.StringIO(), io.StringIO()
    with logs.logging_to(quiet, "off"):
        shop.get("/v1/leads")
    assert quiet.getvalue() == ""
    with logs.logging_to(words, "text"):
        shop.get("/v1/leads")
    assert " info request request=" in words.getvalue()
    assert words.getvalue().count("\n") == 1


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[tuple[Gate, Browser]]:
    """A service with a bug in it."""

    async def bug(request: Request) -> Response:
        raise ValueError(f"cannot take {EMAIL} of {await request.body()!r}")

    with gate(tmp_path) as found:
        app = behind_the_door([Route("/v1/bug/{id}", bug, methods=["POST"])], found.admission, Metrics(lambda: 0))
        yield found, Browser(app, "203.0.113.7")


@pytest.mark.parametrize("kind", logs.KINDS)
def test_a_bug_is_told_by_its_kind_and_place(broken: tuple[Gate, Browser], kind: logs.Kind) -> None:
    written = io.StringIO()
    with logs.logging_to(written, kind):
        answer = broken[1].ask("POST", f"/v1/bug/{USER}", content=NAME.encode())
    assert (answer.status_code, answer.json()["detail"]) == (500, "this is a bug in Leadlight; nothing was changed")
    assert (answer.headers["x-content-type-options"], len(answer.headers["x-request-id"])) == ("nosniff", 16)
    said = written.getvalue()
    assert "ValueError" in said
    assert "service/test_logs" in said
    assert "/v1/bug/{id}" in said
    for word in PEOPLE:
        assert word not in answer.text + said


def test_what_libraries_log_is_written_without_its_values() -> None:
    written = io.StringIO()
    with logs.logging_to(written, "json"):
        try:
            raise KeyError(EMAIL)
        except KeyError:
            logging.getLogger("uvicorn.error").exception("went wrong for %s", EMAIL)
    [said] = lines(written.getvalue())
    assert (said["event"], said["logger"], said["error"]) == ("went wrong for %s", "uvicorn.error", "KeyError")
    assert EMAIL not in written.getvalue()
