"""Nothing that the service writes down of a request says whom its path names, whatever the route and how it ends."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.service.shop import Inside, inside, make_shop

from leadlight.service import logs, traces
from leadlight.service.app import operations
from leadlight.service.audit import audited
from leadlight.service.operation import Operation

KNOWN, UNKNOWN = "zoe/larsson@nordwind.example", "ulf/larsson@nordwind.example"
WORDS = ("larsson", "nordwind", "zoe", "ulf")
NAMING = [one for one in operations() if "{" in one.path]
"""Every operation whose path has a part that may be a person's id."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    with inside(make_shop(tmp_path_factory.mktemp("routes") / "shop")) as found:
        found.send({"type": "identify", "userId": KNOWN, "traits": {"email": KNOWN, "job": "vp"}},
                   {"type": "track", "userId": KNOWN, "event": "Demo Requested"})  # fmt: skip
        found.settle()
        yield found


def ask(service: Inside, operation: Operation, who: str, **more: Any) -> int:
    """Ask for somebody, in the path and in each text of the query."""
    path = re.sub(r"\{\w+\}", quote(who.replace("/", "-")), operation.path)
    path = re.sub(r"\{\w+:path\}", quote(who), path)
    if operation.method in ("POST", "PUT", "PATCH"):
        more["json"] = {"id": who, "first": who, "second": who}
    return service.request(operation.method, path, **more).status_code


def test_there_are_such_routes() -> None:
    assert {one.path for one in NAMING} >= {"/v1/leads/{id:path}", "/v1/explain/{id:path}", "/v1/refused/{id}"}
    assert len(NAMING) > 20


def test_logs_figures_traces_and_the_audit_log_name_nobody(served: Inside) -> None:
    written, exporter, provider = io.StringIO(), InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces.use(provider)
    last = sorted(NAMING, key=lambda one: one.method == "DELETE")  # who is erased is unknown from then on
    try:
        with logs.logging_to(written, "json"):
            codes = [ask(served, one, who) for who in (UNKNOWN, KNOWN) for one in last]
            codes += [ask(served, one, KNOWN, params={"as_of": WORDS[0], WORDS[1]: KNOWN}) for one in last]
            codes += [ask(served, one, KNOWN, headers={"Authorization": f"Bearer {KNOWN}"}) for one in last]
            codes += [served.request("TRACE", f"/v1/leads/{quote(KNOWN)}").status_code]
    finally:
        traces.use(None)
    assert {200, 400, 401, 404, 405} <= set(codes)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    asked = [line for line in lines if line["event"] == "request"]
    assert len(asked) >= len(codes)
    assert {one.path for one in NAMING} <= {line["route"] for line in asked}
    said = {
        "logs": written.getvalue(),
        "figures": served.get("/metrics").text,
        "traces": "".join(span.to_json() for span in exporter.get_finished_spans()),
        "audit log": json.dumps(audited(served.state.admission.audit, limit=1000).as_dict()),
    }
    for where, text in said.items():
        shown = text + text.encode().decode("unicode_escape", "ignore")
        for word in WORDS:
            assert word not in shown.lower(), f"{word} stands in the {where}"
