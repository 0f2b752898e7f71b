"""The service as an ASGI application: its routes, and how each request ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from leadlight.errors import LeadlightError
from leadlight.service import (
    account_routes,
    audit_routes,
    connection_routes,
    enrich_routes,
    house_routes,
    ingest_routes,
    job_routes,
    key_routes,
    link_routes,
    login_routes,
    mail_routes,
    merge_routes,
    openapi_routes,
    outbox_routes,
    past_routes,
    person_routes,
    read_routes,
    refused_routes,
    scorecard_routes,
    set_aside_routes,
    tracker_routes,
)
from leadlight.service.admission import Admission
from leadlight.service.door import Door
from leadlight.service.idempotency import Idempotency
from leadlight.service.metrics import Metrics
from leadlight.service.operation import Operation
from leadlight.service.problems import Problem, problem_of
from leadlight.service.state import State

MODULES: Sequence[ModuleType] = (
    person_routes,
    read_routes,
    account_routes,
    past_routes,
    scorecard_routes,
    merge_routes,
    set_aside_routes,
    job_routes,
    ingest_routes,
    mail_routes,
    link_routes,
    tracker_routes,
    key_routes,
    audit_routes,
    login_routes,
    house_routes,
    outbox_routes,
    refused_routes,
    connection_routes,
    enrich_routes,
)
"""Each has `routes(state)` and, beside them, `OPERATIONS`, what they are for."""


def operations() -> tuple[Operation, ...]:
    """Return what all routes declare."""
    return tuple(operation for module in (*MODULES, openapi_routes) for operation in module.OPERATIONS)


def create_app(state: State) -> Starlette:
    """Return the application over a running service."""
    routes = [route for module in MODULES for route in module.routes(state)]
    return behind_the_door([*routes, *_about_itself()], state.admission, state.metrics)


@cache
def _about_itself() -> Sequence[Route]:
    """Return the routes that describe the API: the same for every workspace, and dear to make."""
    return openapi_routes.routes(operations())


def behind_the_door(routes: Sequence[Route], admission: Admission, metrics: Metrics) -> Starlette:
    """Return routes as an application: each request passes the door, and each fault has an answer."""
    handlers: Mapping[Any, Callable[[Request, Any], Awaitable[Response]]] = {
        Problem: _problem, LeadlightError: _library, HTTPException: _http, ClientDisconnect: _gone, Exception: _bug,
    }  # fmt: skip
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.add_middleware(Idempotency, keys=admission.keys, now=admission.now)
    app.add_middleware(Door, admission=admission, metrics=metrics)
    return app


async def _problem(request: Request, problem: Problem) -> Response:
    response = problem.response()
    if request.url.path.startswith(("/v1/", "/api/")):
        response.headers.update(ingest_routes.ORIGIN)
    return response


async def _library(request: Request, error: LeadlightError) -> Response:
    return await _problem(request, problem_of(error))


async def _http(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
    return await _problem(request, Problem(error.status_code, error.detail, headers=headers))


def _methods(request: Request) -> list[str]:
    """Return the methods that a path has: it may have a route for each."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    there = [route.methods or set() for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted(set().union(*there))


async def _gone(_request: Request, _error: ClientDisconnect) -> Response:
    return Response(status_code=400)


async def _bug(request: Request, _error: Exception) -> Response:
    return await _problem(request, Problem(500, "this is a bug in Leadlight; nothing was changed"))
