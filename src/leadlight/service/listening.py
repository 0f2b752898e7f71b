"""The socket that a service listens on, and the server that answers on it."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from leadlight.errors import UsageError

LOOK = 0.2
"""Seconds between looks."""
HEAD = 30.0
"""Seconds in which the line and headers of a request have to come; see `pace` for its body."""


def listen(host: str, port: int) -> socket.socket:
    """Listen at an address: who comes before all is ready waits.

    Raises UsageError where that is not possible.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((place[0], port), family=family, backlog=2048)
    except OSError as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen on {host}:{port}: {reason}", fix="Name another --host or --port.") from None


@contextmanager
def _stopping(stop: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Let signals call `stop`, where this is the thread that hears them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {sign: signal.signal(sign, stop) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


class Connection(HttpToolsProtocol):
    """A connection that ends where no request comes on it in time.

    uvicorn waits for ever for the first one, and where bytes drip in behind an answer.
    """

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._expect()

    def on_headers_complete(self) -> None:
        """Wait no more."""
        self._expect_no_more()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it is there."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._expect_no_more()
        super().connection_lost(exc)

    def _expect(self) -> None:
        self._expect_no_more()
        self._due = self.loop.call_later(HEAD, self.timeout_keep_alive_handler)

    def _expect_no_more(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


class Server(uvicorn.Server):
    """A server that leaves signals to us: uvicorn's own would end the process before the store is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let a signal end the serving, not the process."""
        with _stopping(self.handle_exit):
            yield


def server_of(app: Any) -> Server:
    """Return what answers by an application."""
    return Server(
        uvicorn.Config(
            app, http=Connection, log_config=None, access_log=False, server_header=False, lifespan="off",
            timeout_graceful_shutdown=10,
        )
    )  # fmt: skip


def answer_on(listening: socket.socket, app: Any, for_: timedelta | None = None) -> None:
    """Answer until told to stop (SIGINT, SIGTERM), or for a while; several processes may share the socket."""
    server = server_of(app)
    timer = threading.Timer(for_.total_seconds(), lambda: setattr(server, "should_exit", True)) if for_ else None
    if timer is not None:
        timer.start()
    try:
        server.run(sockets=[listening])
    finally:
        if timer is not None:
            timer.cancel()


def until_stopped(for_: timedelta | None = None, look: Callable[[], object] = lambda: None) -> None:
    """Wait until told to stop (SIGINT, SIGTERM), or for a while; `look` is called now and then."""
    stop = threading.Event()
    end = None if for_ is None else time.monotonic() + for_.total_seconds()
    with _stopping(lambda *_: stop.set()):
        while not stop.is_set() and (end is None or time.monotonic() < end):
            look()
            stop.wait(LOOK if end is None else min(LOOK, max(end - time.monotonic(), 0)))
