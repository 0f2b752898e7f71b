"""Systems that leads live in: how they are, read and written to now, and the webhooks by which they say what changed.

A webhook is let in by its system's own signature and not by a key. Nothing that it says is believed: it only lets the
connection be read soon. Its address is `/v1/connections/NAME/webhook`, behind the service's own (`service.address`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from anyio import to_thread
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.connect.opened import QUOTA, limits_of
from leadlight.connect.protocol import Connector
from leadlight.connect.quota import Quota
from leadlight.connect.registry import connector
from leadlight.connect.secrets import find_secrets
from leadlight.errors import LeadlightError
from leadlight.service.access import allowed
from leadlight.service.answers import answer
from leadlight.service.bodies import read_as
from leadlight.service.connection_state import Known
from leadlight.service.connections import Connections
from leadlight.service.job_routes import JobShown
from leadlight.service.operation import Answer, Body, Operation, Wanted
from leadlight.service.parameters import asked
from leadlight.service.problems import RETRY_AFTER, Problem
from leadlight.service.state import State
from leadlight.sources.lake import connection_folder
from leadlight.spec.connections import ConnectionSpec

MAX_WEBHOOK = 1024 * 1024
"""Bytes of a webhook's body."""
PLAIN = Body({"text/plain": {"type": "string"}})
CALL = Body({"application/json": {"type": ["object", "array"]}}, "as the system sends it")
FieldName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class SyncWanted(Wanted):
    """Nothing is asked: what has changed there since the last reading is read."""


class PushWanted(Wanted):
    """How to write back: `take_over` names fields that are written whatever people have put there."""

    dry_run: bool = False
    limit: int | None = Field(default=None, ge=1, le=10_000_000)
    take_over: list[FieldName] = Field(default_factory=list, max_length=20)
    again: bool = False


class RunShown(Answer):
    """How the last sync or push went; times are RFC 3339, `problem` is in words."""

    began_at: str | None
    ended_at: str | None
    problem: str | None
    counts: dict[str, int]


class QuotaShown(Answer):
    """What was used of a day's requests, and how many may be; null for any number."""

    used: int
    most: int | None


class ConnectionShown(Answer):
    """A connection: what it is, what is done about it, how that went."""

    name: str
    system: str
    title: str
    every_seconds: float | None
    pushes: bool
    live: bool
    webhook: str | None
    """Where its webhooks go, where it sends any."""
    busy: bool
    woken_at: str | None
    rests_until: str | None
    sync: RunShown | None
    push: RunShown | None
    quota: QuotaShown | None
    problem: str | None
    """Why it cannot be used at all."""


class ConnectionList(Answer):
    """All connections of leadlight.yaml; `trouble` is why this process cannot look what is due, where it keeps that."""

    connections: list[ConnectionShown]
    trouble: str | None


_AT = "/v1/connections/{name}"
_JOB = "The answer's Location is where to look for its end, and what to DELETE to cancel it."
OPERATIONS = (
    Operation("GET", "/v1/connections", "Systems that leads live in, and how they are", scope="read",
              response=ConnectionList),
    Operation("POST", f"{_AT}/sync", "Read a connection and score, as a job", scope="manage", request=SyncWanted,
              response=JobShown, status=202, refusals=(404,), about=_JOB),
    Operation("POST", f"{_AT}/push", "Write scores back to a connection, as a job", scope="manage", request=PushWanted,
              response=JobShown, status=202, refusals=(404,), about=_JOB),
    Operation("POST", f"{_AT}/webhook", "Take a call of the system that something has changed",
              request=CALL, response=PLAIN, refusals=(401, 404),
              about="Let in by the system's own signature; the connection is read soon."),
    Operation("GET", f"{_AT}/webhook", "Say to a system that asks that its webhooks are welcome", response=PLAIN,
              refusals=(404,)),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes about connections."""
    connections = state.connections

    async def all_(request: Request) -> Response:
        allowed(state.keys, request, "read")
        asked(request, ())
        found = await to_thread.run_sync(_all, state, connections)
        return answer(request, {"connections": found, "trouble": connections.trouble})

    async def webhook(request: Request) -> Response:
        name = request.path_params["name"]
        _listening(connections.named(name))
        if request.method != "GET":
            body = await _raw(request)
            await to_thread.run_sync(_hear, state, request, name, body)
        return Response(b"ok", media_type="text/plain")

    return [
        Route("/v1/connections", all_, methods=["GET"]),
        Route(f"{_AT}/sync", _beginning(state, "sync", SyncWanted, connections.sync), methods=["POST"]),
        Route(f"{_AT}/push", _beginning(state, "push", PushWanted, connections.push), methods=["POST"]),
        Route(f"{_AT}/webhook", webhook, methods=["POST", "GET"]),
    ]


def _beginning(
    state: State, verb: str, wanted: type[Wanted], work: Callable[..., Mapping[str, Any]]
) -> Callable[[Request], Any]:
    async def begin(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        asked(request, ())
        name = request.path_params["name"]
        state.connections.named(name)
        options = (await read_as(request, wanted)).model_dump()
        told = {key: value for key, value in options.items() if value not in (None, [], False)}
        stop = threading.Event()
        job = state.jobs.begin(verb, {"connection": name, **told}, lambda: work(name, stop=stop, **options), stop=stop)
        return answer(request, job, 202, location=f"/v1/jobs/{job['id']}")

    return begin


# -------------------------------------------------------------------------------------------------------- webhooks


def _listening(spec: ConnectionSpec) -> Connector:
    """Return the connector of a system that sends webhooks. Raises Problem 405 for another one."""
    made = connector(spec.system)
    if not made.about.listens:
        raise Problem(405, f"{made.about.title} sends no webhooks that are understood here", headers={"Allow": ""})
    return made


async def _raw(request: Request) -> bytes:
    """Return the very bytes that were sent, as they are signed. Raises Problem 413."""
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_WEBHOOK:
            raise Problem(413, f"the body is larger than {MAX_WEBHOOK // 1024} KB")
        parts.append(part)
    return b"".join(parts)


def _hear(state: State, request: Request, name: str, body: bytes) -> None:
    """Verify a webhook, and let its connection be read soon. Raises Problem: 401 where it is not the system's."""
    connections, metrics = state.connections, state.metrics
    spec = connections.named(name)
    made = _listening(spec)
    file = None if spec.secrets_file is None else Path(spec.secrets_file)
    try:
        secrets = find_secrets(made.about, os.environ, told=spec.secrets, file=file, workspace=connections.root)
    except LeadlightError as error:
        raise Problem(503, f"{name} cannot verify webhooks: {error.message.partition(chr(10))[0]}",
                      headers={"Retry-After": str(RETRY_AFTER)}) from None  # fmt: skip
    try:
        objects = made.changed(request.headers, body, url=_address(state, request), secrets=secrets, now=state.now())
    except PermissionError as error:
        metrics.heard(name, "refused")
        raise Problem(401, str(error) or f"this is not signed by {made.about.title}") from None
    except NotImplementedError:
        raise Problem(405, f"{made.about.title} sends no webhooks", headers={"Allow": ""}) from None
    except (ValueError, TypeError, KeyError, AttributeError):
        metrics.heard(name, "refused")
        raise Problem(400, f"this is no webhook of {made.about.title}") from None
    metrics.heard(name, "taken" if objects else "ignored")
    if objects:
        connections.wake(name)


def _address(state: State, request: Request) -> str:
    """Return the address a webhook was sent to, as its sender knows it: that of the service, as people reach it."""
    public = state.admission.spec.address
    if public is None:
        return str(request.url)
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{public}{request.url.path}{query}"


# ----------------------------------------------------------------------------------------------------------- as it is


def _all(state: State, connections: Connections) -> list[dict[str, Any]]:
    known, public = connections.states.all(), state.admission.spec.address or ""
    specs = connections.spec.connections
    return [_shown(connections, name, spec, known.get(name, {}), public) for name, spec in specs.items()]


def _shown(connections: Connections, name: str, spec: ConnectionSpec, known: Known, public: str) -> dict[str, Any]:
    push, problem, made = spec.push, None, None
    try:
        made = connector(spec.system)
    except LeadlightError as error:
        problem = error.message
    return {
        "name": name,
        "system": spec.system,
        "title": spec.system if made is None else made.about.title,
        "every_seconds": None if spec.every is None else spec.every / timedelta(seconds=1),
        "pushes": push is not None,
        "live": push is not None and push.live,
        "webhook": f"{public}/v1/connections/{name}/webhook" if made is not None and made.about.listens else None,
        "busy": connections.states.is_busy(known),
        "woken_at": _with_zone(known.get("woken_at")),
        "rests_until": _with_zone(known.get("rest_until")),
        "sync": _run(known.get("sync")),
        "push": _run(known.get("push")),
        "quota": None if made is None else _quota(connections, name, spec, made),
        "problem": problem,
    }


def _run(found: Known | None) -> dict[str, Any] | None:
    if found is None:
        return None
    times = {name: _with_zone(found.get(name)) for name in ("began_at", "ended_at")}
    return {**times, "problem": found.get("problem"), "counts": found.get("counts") or {}}


def _quota(connections: Connections, name: str, spec: ConnectionSpec, made: Connector) -> dict[str, Any]:
    """Return what was used of a day's requests, by all processes together."""
    file = connection_folder(connections.root, name) / QUOTA
    quota = Quota(made.about.title, limits_of(spec, made).per_day, file, share=spec.share)
    return {"used": quota.used, "most": quota.most}


def _with_zone(text: str | None) -> str | None:
    return None if text is None else f"{text}Z"
