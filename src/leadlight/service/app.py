"""The service as an ASGI application: its routes, and how each request ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadlight.errors import LeadlightError
from leadlight.service import ingest_routes, key_routes, read_routes
from leadlight.service.problems import Problem, problem_of
from leadlight.service.state import State


def create_app(state: State) -> Starlette:
    """Return the application over a running service."""
    handlers: Mapping[Any, Callable[[Request, Any], Awaitable[Response]]] = {
        Problem: _problem, LeadlightError: _library, HTTPException: _http, ClientDisconnect: _gone, Exception: _bug,
    }  # fmt: skip
    app = Starlette(
        routes=[*ingest_routes.routes(state), *read_routes.routes(state), *key_routes.routes(state), *_house(state)],
        exception_handlers=handlers,
    )
    app.add_middleware(_Counted, state=state)
    return app


def _house(state: State) -> list[Route]:
    """Return the routes for whoever keeps it running."""

    async def alive(_: Request) -> Response:
        return Response(b"ok", media_type="text/plain")

    async def ready(_: Request) -> Response:
        worker = state.worker
        trouble = worker.trouble or (None if worker.alive else "the worker has stopped")
        content = {
            "ready": trouble is None, "waiting": state.journal.depth, "unscored": worker.unscored, "trouble": trouble,
        }  # fmt: skip
        return Response(orjson.dumps(content), 200 if trouble is None else 503, media_type="application/json")

    async def figures(_: Request) -> Response:
        return Response(state.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", figures)]


async def _problem(request: Request, problem: Problem) -> Response:
    response = problem.response()
    if request.url.path.startswith("/v1/"):
        response.headers.update(ingest_routes.ORIGIN)
    return response


async def _library(request: Request, error: LeadlightError) -> Response:
    return await _problem(request, problem_of(error))


async def _http(request: Request, error: HTTPException) -> Response:
    return await _problem(request, Problem(error.status_code, error.detail, headers=error.headers))


async def _gone(_request: Request, _error: ClientDisconnect) -> Response:
    return Response(status_code=400)


async def _bug(request: Request, _error: Exception) -> Response:
    return await _problem(request, Problem(500, "this is a bug in Leadlight; nothing was changed"))


class _Counted:
    """Counts answers by route and status."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app, self.state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at how it is answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                self.state.metrics.answers.labels(route, str(message["status"])).inc()
            await send(message)

        await self.app(scope, receive, counted)
