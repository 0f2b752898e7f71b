"""Events in: the Segment HTTP API under all names its clients use, JSON lines, CloudEvents.

A call is answered when it is on disk. What is wrong with one call of a request takes no other with it: those that are
right are kept, the answer lists the others by their places, and only a request without any right call is a 400.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import orjson
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service import traces
from leadlight.service.access import allowed, count_request, taken, trusted
from leadlight.service.bodies import parsed, read_body
from leadlight.service.call import Call, entries
from leadlight.service.cloudevents import read_events
from leadlight.service.inbox import Kept
from leadlight.service.operation import TEXT, Answer, Body, Operation
from leadlight.service.problems import Problem
from leadlight.service.segment import (
    MAX_BATCH,
    MAX_CALL,
    MAX_ID,
    Batch,
    CallFault,
    Rejected,
    read_batch,
    read_call,
)
from leadlight.service.state import State

MAX_LINES = 10 * 1024 * 1024
"""Bytes of a body of JSON lines."""
MAX_REJECTED_SHOWN = 100
TOO_LARGE = f"the call is larger than {MAX_CALL // 1024} KB"

SHORT = {"t": "track", "p": "page", "i": "identify", "g": "group", "a": "alias", "s": "screen"}
KINDS = (*SHORT.values(), *SHORT)
BATCHES = ("batch", "b", "import")
JITSU = tuple(f"/api/s/{name}" for name in SHORT.values())
"""Where Jitsu's clients send a call."""
DITTOFEED = "/api/public/apps/batch"
"""Where Dittofeed's clients send a batch."""
Read = TypeVar("Read")
Handler = Callable[[Request], Awaitable[Response]]


class RejectedCall(Answer):
    """A call of a request that cannot be counted, and why."""

    index: int
    message: str


class Accepted(Answer):
    """What was kept: on disk before this is said."""

    success: bool
    accepted: int
    repeated: int
    rejected: list[RejectedCall] = Field(default_factory=list)


_ID: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[\x21-\x7e]+$"}
_MOMENT: Mapping[str, Any] = {"type": "string", "format": "date-time"}
_THINGS: Mapping[str, Any] = {"type": "object"}
CALL: Mapping[str, Any] = {
    "type": "object",
    "required": ["userId"],
    "properties": {
        **dict.fromkeys(("userId", "anonymousId", "previousId", "groupId", "messageId", "event"), _ID),
        "name": {"type": "string"},
        "type": {"enum": list(SHORT.values())},
        "timestamp": _MOMENT,
        **dict.fromkeys(("properties", "traits", "context"), _THINGS),
    },
}
"""A call of the Segment API as it is said to clients; more is taken (an anonymousId alone, say)."""
ONE = Body({"application/json": CALL})
MANY = Body({"application/json": {"type": "object", "required": ["batch"],
                                  "properties": {"batch": {"type": "array", "minItems": 1}}}})  # fmt: skip
LINES = Body({"application/x-ndjson": TEXT})
CLOUD_EVENTS = Body({"application/cloudevents+json": CALL, "application/cloudevents-batch+json": {"type": "array"}})


def _operation(name: str, summary: str, request: Body) -> Operation:
    return Operation("POST", f"/v1/{name}", summary, scope="ingest", request=request, response=Accepted)


OPERATIONS = (
    *(_operation(name, f"Take one {SHORT.get(name, name)} call of the Segment API", ONE) for name in KINDS),
    *(_operation(name, "Take a batch of calls of the Segment API", MANY) for name in BATCHES),
    *(Operation("POST", path, "Take one call of Jitsu's clients", scope="ingest", request=ONE, response=Accepted)
      for path in JITSU),
    Operation("POST", DITTOFEED, "Take a batch of Dittofeed's clients", scope="ingest", request=MANY,
              response=Accepted),
    _operation("lines", "Take one call a line", LINES),
    _operation("cloudevents", "Take CloudEvents, one or a list", CLOUD_EVENTS),
    Operation("GET", "/v1/projects/{key}/settings", "Where the browser's client sends to",
              response=Body({"application/json": {"type": "object"}}), refusals=(404,)),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes by which events come in."""
    ingest = _Ingest(state)
    found = [
        *(Route(f"/v1/{name}", ingest.batch, methods=["POST"]) for name in BATCHES),
        *(Route(f"/v1/{name}", ingest.single(SHORT.get(name, name)), methods=["POST"]) for name in KINDS),
        *(Route(path, ingest.single(kind), methods=["POST"]) for path, kind in zip(JITSU, SHORT.values(), strict=True)),
        Route(DITTOFEED, ingest.batch, methods=["POST"]),
        Route("/v1/lines", ingest.lines, methods=["POST"]),
        Route("/v1/cloudevents", ingest.cloud_events, methods=["POST"]),
        Route("/v1/projects/{key}/settings", ingest.settings, methods=["GET"]),
    ]
    return [*found, *(Route(route.path, preflight, methods=["OPTIONS"]) for route in found)]


class _Ingest:
    """The ways in, over one journal."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def batch(self, request: Request) -> Response:
        """Take a batch of calls."""
        raw = await read_body(request, MAX_BATCH)
        body = parsed(raw)
        await count_request(self.state.keys, request, body)
        allowed(self.state.keys, request, "ingest", body)
        batch = _or_400(lambda: read_batch(body, self.state.now()))
        batch = batch if len(raw) <= MAX_CALL else _within(batch, body["batch"])
        return await take_in(self.state, await admitted(self.state, request, batch))

    def single(self, kind: str) -> Handler:
        """Take one call of a kind."""

        async def take(request: Request) -> Response:
            body = parsed(await read_body(request, MAX_CALL))
            await count_request(self.state.keys, request, body)
            allowed(self.state.keys, request, "ingest", body)
            batch = Batch([_or_400(lambda: read_call(body, self.state.now(), kind=kind))])
            return await take_in(self.state, await admitted(self.state, request, batch))

        return take

    async def lines(self, request: Request) -> Response:
        """Take one call a line, each with its `type`."""
        allowed(self.state.keys, request, "ingest")
        body = await read_body(request, MAX_LINES)
        lines, now = body.splitlines(), self.state.now()
        batch = Batch(empty=frozenset(index for index, line in enumerate(lines) if not line.strip()))
        for index, line in enumerate(lines):
            if index not in batch.empty:
                _take_line(batch, index, line, lambda said: read_call(said, now))
        return await take_in(self.state, await admitted(self.state, request, batch))

    async def cloud_events(self, request: Request) -> Response:
        """Take CloudEvents, one or many."""
        allowed(self.state.keys, request, "ingest")
        raw = await read_body(request, MAX_BATCH)
        body = parsed(raw) if raw else None
        batch = read_events(body, request.headers, self.state.now())
        return await take_in(self.state, await admitted(self.state, request, batch))

    async def settings(self, request: Request) -> Response:
        """Tell the browser's client where to send: here."""
        key = self.state.keys.find(request.path_params["key"])
        if key is None or not key.may("ingest"):
            raise Problem(404, "no such write key")
        host = f"{request.url.netloc}/v1"
        segment = {"apiKey": request.path_params["key"], "apiHost": host, "protocol": request.url.scheme,
                   "deliveryStrategy": {"strategy": "batching"}}  # fmt: skip
        return answer({"integrations": {"Segment.io": segment}, "plan": {"track": {}}})


async def admitted(state: State, request: Request, batch: Batch) -> Batch:
    """Count calls against the limit of their key; leave out those that a key which anybody can see may not send.

    A key for browsers is used by browsers: calls that name no client have that of the request, so that crawlers which
    run scripts are known by their own word. (Not its internet address: it may be that of a proxy, which all share.)

    Raises Problem 429.
    """
    await taken(state.keys, request, len(batch.calls))
    if trusted(request):
        return batch
    batch = replace(batch, calls=_by_browser(batch.calls, request.headers.get("user-agent")))
    if all(call.previous is None for call in batch.calls):
        return batch
    return batch.without({index: NO_ALIAS for index, call in batch.numbered if call.previous is not None})


def _by_browser(calls: Sequence[Call], agent: str | None) -> list[Call]:
    agent = agent[:MAX_ID] if agent else None
    return [replace(call, agent=agent) if call.agent is None else call for call in calls]


NO_ALIAS = "alias joins two people: it needs a key that may ingest, not one for browsers"


async def take_in(state: State, batch: Batch, **more: Any) -> Response:
    """Put calls on disk, then answer; `more` is said in the answer.

    Raises Problem 400 where none of them can be counted.
    """
    count = state.metrics.calls.labels
    count("rejected").inc(len(batch.rejected))
    if batch.rejected and not batch.calls:
        raise Problem(400, _summary(batch.rejected), rejected=_shown(batch.rejected))
    kept = await keep(state, batch.calls)
    content: dict[str, Any] = {"success": True, "accepted": kept.new, "repeated": kept.repeated, **more}
    return answer(content | ({"rejected": _shown(batch.rejected)} if batch.rejected else {}))


async def keep(state: State, calls: Sequence[Call]) -> Kept:
    """Put calls on disk.

    Raises InboxFull or InboxError.
    """
    kept = Kept(0, 0)
    if calls:
        written = traces.stamped(entries(calls))
        with traces.keeping(len(calls)):
            kept = await asyncio.wrap_future(state.journal.append(written))
    state.metrics.calls.labels("accepted").inc(kept.new)
    state.metrics.calls.labels("repeated").inc(kept.repeated)
    return kept


def _or_400(read: Callable[[], Read]) -> Read:
    try:
        return read()
    except CallFault as fault:
        raise Problem(400, str(fault)) from None


def _take_line(batch: Batch, index: int, line: bytes, read: Callable[[Any], Call]) -> None:
    try:
        if len(line) > MAX_CALL:
            raise CallFault(TOO_LARGE)
        batch.calls.append(read(orjson.loads(line)))
    except orjson.JSONDecodeError as error:
        batch.rejected.append(Rejected(index, f"no JSON: {error}"))
    except CallFault as fault:
        batch.rejected.append(Rejected(index, str(fault)))


def _within(batch: Batch, items: Sequence[Any]) -> Batch:
    """Leave out the calls of a batch that are larger than a call may be."""
    large = [index for index, item in enumerate(items) if len(orjson.dumps(item)) > MAX_CALL]
    return batch.without(dict.fromkeys(large, TOO_LARGE)) if large else batch


def _summary(rejected: Sequence[Rejected]) -> str:
    return f"none of {len(rejected)} calls can be counted; the first: {rejected[0].message}"


def _shown(rejected: Sequence[Rejected]) -> list[dict[str, Any]]:
    return [fault.as_dict() for fault in rejected[:MAX_REJECTED_SHOWN]]


# ---------------------------------------------------------------------------------------------------------- CORS

ORIGIN = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
"""Any page may send; no cookies are read, the write key is all there is to show."""
USUAL_HEADERS = "authorization, content-type, content-encoding, x-retry-count, x-write-key"


def answer(content: Mapping[str, Any]) -> Response:
    """Return a 200 that a page of another origin may read."""
    return Response(orjson.dumps(content), 200, ORIGIN, "application/json")


async def preflight(request: Request) -> Response:
    """Say that any page may send what it asks to send."""
    asked = request.headers.get("access-control-request-headers", "")
    headers = asked if re.fullmatch(r"[A-Za-z0-9\-, ]{1,500}", asked) else USUAL_HEADERS
    allow = {
        **ORIGIN, "Access-Control-Allow-Methods": "POST, GET, OPTIONS", "Access-Control-Allow-Headers": headers,
        "Access-Control-Max-Age": "86400",
    }  # fmt: skip
    return Response(status_code=204, headers=allow)
