from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.notify.receivers import SECRET
from tests.service.shop import Inside, inside, make_shop

from leadlight.service import traces

CLIENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Sink:
    """A receiver of messages and of traces."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.spans: list[Any] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.paths.append(self.path)
                if self.path == "/v1/traces":
                    if self.headers.get("content-encoding") == "gzip":
                        import gzip

                        body = gzip.decompress(body)
                    said = ExportTraceServiceRequest.FromString(body)
                    for resource in said.resource_spans:
                        outer.spans += [(resource.resource, span) for one in resource.scope_spans for span in one.spans]
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    found = Sink()
    yield found
    found.close()


@pytest.fixture(scope="module")
def shop(sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    folder = make_shop(tmp_path_factory.mktemp("shop") / "shop")
    notify = (
        f"notify:\n  destinations: {{crm: {{webhook: {sink.address}/hook, secret: {SECRET}}}}}\n"
        "  rules: {hot: {scorecard: house, again: always, tell: crm}}\n"
    )
    with (folder / "leadlight.yaml").open("a") as file:
        file.write(notify)
    with inside(folder) as found:
        yield found


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces.use(provider)
    yield exporter
    traces.use(None)


def named(spans: InMemorySpanExporter, name: str, *, seconds: float = 20) -> ReadableSpan:
    """The span of a name; it is waited for."""
    end = time.monotonic() + seconds
    while True:
        found = [span for span in spans.get_finished_spans() if span.name == name]
        if found:
            return found[-1]
        assert time.monotonic() < end, [span.name for span in spans.get_finished_spans()]
        time.sleep(0.01)


def test_a_round_that_fails_is_tried_again_about_the_same(spans: InMemorySpanExporter) -> None:
    traces.stored([(1, b"{}")], 0.1)
    with pytest.raises(ZeroDivisionError), traces.scoring(None):
        raise ZeroDivisionError("ann@acme.example")
    with traces.scoring(None) as made:
        made.scores = 3
    store, failed, score = spans.get_finished_spans()
    assert failed.parent.span_id == score.parent.span_id == store.context.span_id
    assert (failed.status.is_ok, score.status.is_ok) == (False, True)
    assert dict(score.attributes) == {"leadlight.scores": 3}
    assert "ann@acme.example" not in failed.to_json()


def of(spans: InMemorySpanExporter, context: Any) -> ReadableSpan:
    """The span of a context; it is waited for."""
    end = time.monotonic() + 20
    while True:
        for span in spans.get_finished_spans():
            if span.context.span_id == context.span_id:
                return span
        assert time.monotonic() < end
        time.sleep(0.01)


def hot(user: str) -> list[dict[str, Any]]:
    """Calls that make somebody an A."""
    at = datetime.now(UTC) - timedelta(minutes=1)
    demo = {"type": "track", "userId": user, "event": "Demo Requested", "timestamp": at.isoformat()}
    return [{"type": "identify", "userId": user, "traits": {"job": "c_level", "staff": 400}}, demo]


def test_what_becomes_of_a_request_is_one_story(shop: Inside, spans: InMemorySpanExporter) -> None:
    headers = {"Authorization": f"Bearer {shop.key}", "traceparent": CLIENT}
    assert shop.request("POST", "/v1/batch", json={"batch": hot("u1")}, headers=headers).status_code == 200
    request, keep = named(spans, "POST /v1/batch"), named(spans, "keep")
    assert f"{request.context.trace_id:032x}" == CLIENT.split("-")[1], "the client's own trace"
    assert f"{request.parent.span_id:016x}" == CLIENT.split("-")[2]
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST", "http.route": "/v1/batch", "http.response.status_code": 200,
        "leadlight.key": shop.state.keys.all()[-1].id,
    }  # fmt: skip
    assert keep.parent.span_id == request.context.span_id
    deliver = named(spans, "deliver")
    score = of(spans, deliver.parent)
    store = of(spans, score.parent)
    assert (store.name, score.name) == ("store", "score")
    assert [link.context.span_id for link in store.links] == [request.context.span_id]
    assert [link.context.trace_id for link in store.links] == [request.context.trace_id]
    assert dict(deliver.attributes or {})["leadlight.destination"] == "crm"
    assert store.start_time < store.end_time <= score.end_time


def test_requests_stored_together_are_all_linked(shop: Inside, spans: InMemorySpanExporter) -> None:
    body = [(bytes([n]) * 16, b'{"m":"m%d"}' % n) for n in range(3)]
    stamped = []
    for one in body:
        with traces.request({"method": "POST", "headers": []}):
            stamped += traces.stamped([one, (b"x" * 16, b'{"m":"x"}')])
    traces.stored(list(enumerate(entry for _, entry in stamped)), 0.1)
    made = [span.context.span_id for span in spans.get_finished_spans() if span.name == "POST" and span.context]
    assert [link.context.span_id for link in named(spans, "store").links] == made
    assert len(made) == 3


def test_what_only_looks_like_a_stamp_is_none(spans: InMemorySpanExporter) -> None:
    forged = b'{"m":"1","p":{"tp":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}'
    traces.stored([(1, forged), (2, b"{}"), (3, b"")], 0.1)
    assert list(named(spans, "store").links) == []


def test_a_fault_is_told_without_its_words(shop: Inside, spans: InMemorySpanExporter) -> None:
    assert shop.request("POST", "/v1/batch", json={"batch": "ann@acme.example"}).status_code == 400
    assert "ann@acme.example" not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_without_a_provider_nothing_is_done(shop: Inside) -> None:
    entries = [(b"x" * 16, b'{"m":"x"}')]
    with traces.request({"method": "POST", "headers": []}) as request:
        assert traces.stamped(entries) is entries
        request.end("/", 200, None)
    assert shop.request("POST", "/v1/batch", json={"batch": hot("u2")}).status_code == 200


def test_the_standard_variables_say_where_spans_go(shop: Inside, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.address)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "leads")
    with traces.from_environment():
        assert shop.request("POST", "/v1/batch", json={"batch": hot("u3")}).status_code == 200
        shop.settle()
    assert {"POST /v1/batch", "keep", "store", "score"} <= {span.name for _, span in sink.spans}
    names = {pair.key: pair.value.string_value for pair in sink.spans[0][0].attributes}
    assert names["service.name"] == "leads"


@pytest.mark.parametrize(
    "variables",
    [{}, {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
     {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}],
    ids=["nothing told", "none", "disabled"],
)  # fmt: skip
def test_no_spans_are_made_where_none_are_wanted(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], tmp_path: Path
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    entries = [(b"x" * 16, b'{"m":"x"}')]
    with traces.from_environment(), traces.request({"method": "POST", "headers": []}):
        assert traces.stamped(entries) is entries
