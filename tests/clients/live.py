"""The service on a real socket, in this process, with moods: what it answers first to some keys; and pages to visit."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.service.shop import settle

from leadlight.service.access import secrets_of
from leadlight.service.app import create_app
from leadlight.service.bodies import unpacked
from leadlight.service.ingest_routes import ORIGIN
from leadlight.service.problems import Problem
from leadlight.service.serve import running
from leadlight.service.state import State

REFUSALS = {
    429: Problem(429, "too many calls wait to be stored", headers={"Retry-After": "1"}),
    503: Problem(503, "the journal cannot be written", headers={"Retry-After": "1"}),
}


@dataclass
class Moods:
    """Stands before the service: what it answers to the next requests of a key, before it lets one through."""

    app: ASGIApp
    plans: dict[str, list[int]] = field(default_factory=dict)
    asked: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """The answers that each key got."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        key = next(iter(secrets_of(request, json.loads(unpacked(body, 10**7)))), "")
        plan = self.plans.get(key, [])
        if plan:
            status = plan.pop(0)
            self.asked[key].append(status)
            refused: Response = REFUSALS[status].response()
            refused.headers.update(ORIGIN)
            await refused(scope, receive, send)
            return

        async def once() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def note(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.asked[key].append(message["status"])
            await send(message)

        await self.app(scope, once, note)


@dataclass
class Live:
    """A running service."""

    state: State
    address: str
    moods: Moods

    def key(self, *plan: int, scope: str = "browser") -> str:
        """Make a key, and say what its first requests are answered."""
        secret, _ = self.state.keys.make("client", [scope], at=self.state.now())
        self.moods.plans[secret] = list(plan)
        return secret

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the store, when all that was accepted is in it."""
        worker = self.state.worker
        settle(lambda: {"waiting": self.state.journal.depth, "unscored": worker.unscored})
        return self.state.readers.ask_long(lambda workspace: workspace.engine.rows(sql))


@contextmanager
def live(folder: Path) -> Iterator[Live]:
    """Run the service over a folder."""
    with running(folder) as state, socket.create_server(("127.0.0.1", 0)) as listening:
        moods = Moods(create_app(state))
        config = uvicorn.Config(moods, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=partial(asyncio.run, server.serve(sockets=[listening])), daemon=True)
        thread.start()
        try:
            yield Live(state, f"http://127.0.0.1:{listening.getsockname()[1]}", moods)
        finally:
            server.should_exit = True
            thread.join(20)


@contextmanager
def pages(content: dict[str, bytes]) -> Iterator[str]:
    """Serve pages by path (without the query) on a port of their own: another origin than the service's."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = content.get(self.path.partition("?")[0])
            self.send_response(404 if found is None else 200)
            kind = "text/javascript" if self.path.endswith(".js") else "text/html; charset=utf-8"
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(found or b"")

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10)
