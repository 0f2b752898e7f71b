"""The server of a stand-in: the routes of a class, served on loopback from a thread, with faults as they are told."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self
from urllib.parse import parse_qsl

import uvicorn
from starlette.routing import compile_path

from connect.standing import StandClock
from connect.wire import Call, Handler, Reply, null, number, spoilt


class Server:
    """Answers requests by the methods that are marked with `route`."""

    clock: StandClock
    calls: list[Call]
    faults: deque[str]
    errors: list[str]
    today: tuple[Any, int]
    at_call: Callable[[Call], None]

    def __init__(self) -> None:
        self.url = ""
        self._server: uvicorn.Server | None = None
        self._lock = threading.RLock()
        self._routes = self._routing()

    def authorised(self, call: Call) -> Reply | None:
        """Return a refusal, unless the request is signed as it should."""
        raise NotImplementedError

    def too_many(self) -> Reply:
        """Return how the vendor says that there were too many requests."""
        raise NotImplementedError

    @contextmanager
    def serving(self) -> Iterator[Self]:
        """Serve on a free port of loopback as long as the context lasts."""
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(128)
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            config = uvicorn.Config(
                self._app,
                interface="asgi3",
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_keep_alive=60,
            )
            self._server = uvicorn.Server(config)
            thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
            thread.start()
            while not self._server.started:
                time.sleep(0.005)
            try:
                yield self
            finally:
                self._server.should_exit = True
                thread.join(10)

    def _routing(self) -> list[tuple[str, Any, Any, bool, Handler]]:
        made = []
        for cls in type(self).__mro__:
            for handler in cls.__dict__.values():
                for method, path, open_ in getattr(handler, "_routes", ()):
                    pattern, _, convertors = compile_path(path)
                    made.append((method, pattern, convertors, open_, handler))
        return made

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
        with self._lock:
            call = Call(scope["method"], scope["path"], {}, query, headers, body, self.clock.seconds)
            fault = self.faults.popleft() if self.faults else None
            reply = self._answer(call, fault)
        sent = reply.bytes()
        kind = b"application/json"
        kept = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
        if not any(name == b"content-type" for name, _ in kept):
            kept.append((b"content-type", kind))
        length = len(sent) + (1000 if fault == "cut" else 0)
        kept.append((b"content-length", str(length).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": kept})
        # Where it is cut, less comes than was said, and the server closes the connection.
        await send({"type": "http.response.body", "body": sent[: len(sent) // 2] if fault == "cut" else sent})

    def _answer(self, call: Call, fault: str | None) -> Reply:
        self.at_call(call)
        day = self.clock.now().date()
        self.today = (day, self.today[1] + 1 if self.today[0] == day else 1)
        found = self._routed(call)
        if found is None:
            self.calls.append(call)
            return Reply({"message": f"no such address: {call.method} {call.url}"}, 404)
        path, open_, handler = found
        call = replace(call, path=path)
        self.calls.append(call)
        if fault == "too_many":
            return self.too_many()
        if fault in ("unavailable", "broken"):
            return Reply({"message": "something went wrong"}, 503 if fault == "unavailable" else 500)
        if fault == "html":
            return Reply(b"<html><body>Sign in</body></html>", 200, {"Content-Type": "text/html"})
        if fault == "empty":
            return Reply(b"", 200)
        try:
            reply = (None if open_ else self.authorised(call)) or handler(self, call)
        except Exception:
            self.errors.append(traceback.format_exc())
            return Reply({"message": self.errors[-1]}, 418)
        if fault == "nulls":
            return replace(reply, body=spoilt(reply.bytes(), null))
        if fault == "numbers":
            return replace(reply, body=spoilt(reply.bytes(), number))
        if fault == "elsewhere":
            return replace(reply, body=reply.bytes().replace(self.url.encode(), b"https://elsewhere.example"))
        return reply

    def _routed(self, call: Call) -> tuple[dict[str, str], bool, Handler] | None:
        for method, pattern, convertors, open_, handler in self._routes:
            match = pattern.match(call.url) if method == call.method else None
            if match:
                path = {name: str(convertors[name].convert(text)) for name, text in match.groupdict().items()}
                return path, open_, handler
        return None
