"""Traces, for OpenTelemetry: what became of a request, from its receipt to the score and to whoever is told.

They are made where the package's SDK is there (`pip install "leadlight[otel]"`) and one of the standard variables says
where to send them (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER …), or where a program has given a provider of its
own (`use`); without, nothing is done here at all. No span names a person: routes, counts, statuses and ids of keys.

    POST /v1/batch      a request, within the trace of its client where that says one
      keep              … waiting for the disk
    store               a micro-batch, linked with the requests whose calls it brings into the store
      score             a round of scores, linked with all micro-batches it is about
        deliver         a message about a change of grade that came of it

The first call of a request carries the request's context through the inbox, whatever process stores it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, Span, SpanContext, Tracer, TracerProvider
    from starlette.types import Scope

MAX_LINKS = 128
KEPT = 1000
"""How many rounds of scores are remembered, for messages that are still to be delivered."""
WANTED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_STAMP = re.compile(rb',"tp":"00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]"\}\Z')
_STAMPED = 68
"""Bytes of a stamp at the end of a call."""


@dataclass(slots=True)
class _Traces:
    """The traces of this process."""

    tracer: Tracer
    stored: list[SpanContext] = field(default_factory=list)
    """Micro-batches whose scores are still to come."""
    scored: dict[datetime, SpanContext] = field(default_factory=dict)
    """Rounds of scores, by when the first call was received that they were about."""


_traces: _Traces | None = None


def use(provider: TracerProvider | None) -> None:
    """Make spans with a provider of OpenTelemetry; None makes none."""
    global _traces
    _traces = None if provider is None else _Traces(provider.get_tracer("leadlight"))


@contextmanager
def from_environment() -> Iterator[None]:
    """Make spans, and send them where the standard variables say, where one of them says so."""
    provider = _provider()
    if provider is None:
        yield
        return
    use(provider)
    try:
        yield
    finally:
        use(None)
        provider.shutdown()


def _provider() -> Any:
    """Return a provider that sends spans as the variables say; None where none says so, or the SDK is not there."""
    kind = os.environ.get("OTEL_TRACES_EXPORTER", "").strip()
    is_told = kind in ("otlp", "console") or (not kind and any(os.environ.get(name) for name in WANTED))
    if not is_told or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    from leadlight.errors import MissingExtraError

    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
    except ImportError as error:
        raise MissingExtraError(
            f"traces need {error.name}", fix='Install it with `pip install "leadlight[otel]"`, or unset OTEL_….'
        ) from None
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "leadlight"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter() if kind == "console" else OTLPSpanExporter()))
    return provider


# ----------------------------------------------------------------------------------------------------------- requests


class Traced(Protocol):
    """A request that is traced, or is not."""

    def end(self, route: str, status: int, key: str | None) -> None:
        """Say how it ended."""


class _Not:
    def end(self, route: str, status: int, key: str | None) -> None:
        """Nothing."""


_NOT = _Not()


@dataclass(frozen=True, slots=True)
class _Request:
    span: Span
    method: str

    def end(self, route: str, status: int, key: str | None) -> None:
        from opentelemetry.trace import Status, StatusCode

        self.span.update_name(f"{self.method} {route}")
        self.span.set_attributes({"http.route": route, "http.response.status_code": status})
        if key is not None:
            self.span.set_attribute("leadlight.key", key)
        if status >= 500:
            self.span.set_status(Status(StatusCode.ERROR))


def are_made() -> bool:
    """Say whether traces are made."""
    return _traces is not None


@contextmanager
def request(scope: Scope) -> Iterator[Traced]:
    """Trace a request, as a part of its client's trace where a header says so."""
    if _traces is None:
        yield _NOT
        return
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind, use_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    told = {
        name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"
    }
    context = TraceContextTextMapPropagator().extract(told, context=Context())
    method = scope["method"]
    span = _traces.tracer.start_span(
        method, context, SpanKind.SERVER, {"http.request.method": method}, record_exception=False
    )
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        yield _Request(span, method)


@contextmanager
def keeping(calls: int) -> Iterator[None]:
    """Trace that calls wait for the disk."""
    if _traces is None:
        yield
        return
    with _traces.tracer.start_as_current_span("keep", attributes={"leadlight.calls": calls}, record_exception=False):
        yield


def stamped(entries: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return calls of which the first carries the context of its request, where that is traced."""
    if _traces is None or not entries:
        return entries
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    if not (context.is_valid and context.trace_flags.sampled):
        return entries
    digest, body = entries[0]
    stamp = f',"tp":"00-{context.trace_id:032x}-{context.span_id:016x}-01"}}'
    return [(digest, body[:-1] + stamp.encode()), *entries[1:]]


# ------------------------------------------------------------------------------------------------------- what follows


def stored(calls: Sequence[tuple[int, bytes]], seconds: float) -> None:
    """Trace a micro-batch that is in the store."""
    if _traces is None:
        return
    links = _links(calls)
    context = _made("store", seconds, None, links, {"leadlight.calls": len(calls)})
    if context is not None:
        _traces.stored = [*_traces.stored, context][-MAX_LINKS:]


@dataclass(slots=True)
class Round:
    """A round of scores."""

    scores: int = 0
    """How many were given."""


@contextmanager
def scoring(received: datetime | None) -> Iterator[Round]:
    """Trace a round of scores; `received` is when the first call was received that it is about.

    It is known from its beginning: a message that comes of it may arrive before it has ended.
    """
    made = Round()
    if _traces is None:
        yield made
        return
    from opentelemetry.trace import Link, Status, StatusCode

    batches = list(_traces.stored)
    links = [Link(one) for one in batches[1:]]
    span = _traces.tracer.start_span("score", _within(batches[0] if batches else None), links=links)
    if received is not None:
        _traces.scored[received] = span.get_span_context()
        while len(_traces.scored) > KEPT:
            del _traces.scored[next(iter(_traces.scored))]
    try:
        yield made
        _traces.stored = _traces.stored[len(batches) :]
    except BaseException:
        span.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        span.set_attribute("leadlight.scores", made.scores)
        span.end()


def delivered(destination: str, received: datetime | None, changes: int, seconds: float) -> None:
    """Trace a message that has arrived, as a part of the round of scores it came of, where that was made here."""
    if _traces is None:
        return
    of = None if received is None else _traces.scored.get(received)
    _made("deliver", seconds, of, [], {"leadlight.destination": destination, "leadlight.changes": changes})


def _made(
    name: str, seconds: float, parent: SpanContext | None, links: Sequence[Link], attributes: dict[str, Any]
) -> SpanContext | None:
    """Make a span of something that has just ended; return its context."""
    if _traces is None:
        return None
    end = time.time_ns()
    span = _traces.tracer.start_span(
        name, _within(parent), attributes=attributes, links=links, start_time=end - int(max(seconds, 0.0) * 1e9)
    )
    span.end(end)
    return span.get_span_context()


def _within(parent: SpanContext | None) -> Context:
    """Return where a span belongs: into another, or to a trace of its own."""
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, set_span_in_context

    return Context() if parent is None else set_span_in_context(NonRecordingSpan(parent), Context())


def _links(calls: Sequence[tuple[int, bytes]]) -> list[Link]:
    """Return links with the requests whose first calls these are."""
    from opentelemetry.trace import Link, SpanContext, TraceFlags

    found: list[Link] = []
    for _, body in calls:
        stamp = _STAMP.search(body, max(0, len(body) - _STAMPED))
        if stamp is not None and len(found) < MAX_LINKS:
            context = SpanContext(int(stamp[1], 16), int(stamp[2], 16), is_remote=True, trace_flags=TraceFlags(1))
            found.append(Link(context))
    return found
