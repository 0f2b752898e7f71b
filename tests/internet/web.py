"""An HTTP server for any number of host names: asyncio, one loop, no more than tests and benchmarks need."""

from __future__ import annotations

import asyncio
import fnmatch
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from internet.answers import Answer, Content, Request, Stream, Visit, answer_of

HEAD_LIMIT = 65536


@dataclass(slots=True)
class Site:
    """A host: pages by path, handlers by pattern, and how it behaves."""

    host: str
    pages: dict[str, Content] = field(default_factory=dict)
    handlers: list[tuple[str, Content]] = field(default_factory=list)
    http: bool = True
    https: bool = True
    tls: str | None = None
    per_second: float | None = None
    delay: float = 0.0
    starts: deque[float] = field(default_factory=deque)

    def content(self, path: str) -> Content:
        """Return what is at a path, None where there is nothing."""
        if path in self.pages:
            return self.pages[path]
        for pattern, function in self.handlers:
            if fnmatch.fnmatchcase(path, pattern):
                return function
        return None

    def too_many(self, now: float) -> bool:
        """Whether this request is more than the host takes in a second."""
        if self.per_second is None:
            return False
        while self.starts and self.starts[0] <= now - 1:
            self.starts.popleft()
        self.starts.append(now)
        return len(self.starts) > self.per_second


class Web:
    """The sites, and what has been asked of them."""

    def __init__(self) -> None:
        self.sites: dict[str, Site] = {}
        self.fallback: Callable[[str], Site | None] | None = None
        self.begun: Counter[tuple[str, str]] = Counter()
        self.ended: Counter[tuple[str, str]] = Counter()
        self.statuses: Counter[int] = Counter()
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.visits: list[Visit] = []
        self.keep = True
        self.latency = 0.0
        self.connections = 0
        self.errors: list[BaseException] = []
        self.transports: set[Any] = set()

    def site(self, host: str) -> Site | None:
        """Return a host, by itself or by its `www.`."""
        found = self.sites.get(host) or self.sites.get(host.removeprefix("www."))
        return self.fallback(host) if found is None and self.fallback is not None else found

    def answer(self, request: Request) -> tuple[float, Answer | Stream]:
        """Return the seconds to wait and what is sent."""
        site = self.site(request.host)
        if site is None or not (site.https if request.secure else site.http):
            return 0.0, Answer("No such site here", status=421, kind="text/plain")
        if site.too_many(time.monotonic()):
            return site.delay, Answer("Too many", status=429, headers={"retry-after": "1"}, kind="text/plain")
        try:
            sent = answer_of(site.content(request.path), request)
        except Exception as error:  # a handler's fault is told by the test that reads `errors`
            self.errors.append(error)
            sent = Answer(f"{type(error).__name__}: {error}", status=500, kind="text/plain")
        return site.delay + (sent.delay if isinstance(sent, Answer) else 0.0), sent


class Connection(asyncio.Protocol):
    """One connection: requests one after the other, kept alive."""

    def __init__(self, web: Web, *, secure: bool) -> None:
        self.web, self.secure = web, secure
        self.taken = bytearray()
        self.asked: tuple[Request, float] | None = None
        self.first = True
        self.room = asyncio.Event()
        self.room.set()
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: Any) -> None:
        """Take those from this machine only."""
        self.transport = transport
        peer = transport.get_extra_info("peername")
        if not str(peer[0]).startswith("127."):
            transport.abort()
        self.web.transports.add(transport)
        self.web.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Stop sending."""
        self.web.transports.discard(self.transport)
        self.room.set()
        if self.asked is not None:
            self._over(0)
        if self.task is not None:
            self.task.cancel()

    def pause_writing(self) -> None:
        """Wait until the other side has read."""
        self.room.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self.room.set()

    def data_received(self, data: bytes) -> None:
        """Gather bytes; answer when a request is whole."""
        self.taken += data
        if self.asked is None:
            self._next()

    def _next(self) -> None:
        head, gap, rest = self.taken.partition(b"\r\n\r\n")
        if not gap:
            if len(self.taken) > HEAD_LIMIT:
                self.transport.abort()
            return
        request = _request(bytes(head), self.secure)
        if request is None:
            self.transport.abort()
            return
        length = int(request.headers.get("content-length") or 0)
        if len(rest) < length:
            return
        self.taken = rest[length:]
        self._begin(_with_body(request, bytes(rest[:length])))

    def _begin(self, request: Request) -> None:
        web = self.web
        web.begun[request.host, request.path] += 1
        web.now[request.host] += 1
        web.most[request.host] = max(web.most[request.host], web.now[request.host])
        self.asked = request, time.time()
        wait, sent = web.answer(request)
        trips = 1 if not self.first else 3 if self.secure else 2
        self.first = False
        asyncio.get_running_loop().call_later(wait + web.latency * trips, self._send, sent)

    def _send(self, sent: Answer | Stream) -> None:
        if self.asked is None or self.transport.is_closing():
            return
        request = self.asked[0]
        if isinstance(sent, Stream):
            self.task = asyncio.get_running_loop().create_task(self._stream(sent.parts(request)))
            return
        self.transport.write(sent.head() + (b"" if request.method == "HEAD" else sent.content()))
        self._over(sent.status)
        if request.headers.get("connection", "").lower() == "close":
            self.transport.close()
        else:
            self._next()

    async def _stream(self, parts: Iterable[bytes | float | None]) -> None:
        for part in parts:
            if part is None:
                self.transport.abort()
                return
            if isinstance(part, bytes):
                self.transport.write(part)
                await self.room.wait()
            await asyncio.sleep(0 if isinstance(part, bytes) else part)
            if self.transport.is_closing():
                return
        self._over(200)
        self.transport.close()

    def _over(self, status: int) -> None:
        assert self.asked is not None
        (request, begun), self.asked = self.asked, None
        web = self.web
        web.now[request.host] -= 1
        web.statuses[status] += 1
        if status:
            web.ended[request.host, request.path] += 1
        if web.keep:
            web.visits.append(
                Visit(
                    request.host, request.path, request.method, request.headers, self.secure, begun, time.time(), status
                )
            )


def _request(head: bytes, secure: bool) -> Request | None:
    try:
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    except ValueError:
        return None
    path, _, query = target.partition("?")
    host = headers.get("host", "").rsplit(":", 1)[0].lower().rstrip(".")
    return Request(method, host, unquote(path) or "/", dict(parse_qsl(query, True)), headers, b"", secure)


def _with_body(request: Request, body: bytes) -> Request:
    if not body:
        return request
    return Request(request.method, request.host, request.path, request.query, request.headers, body, request.secure)


def as_pages(pages: Mapping[str, Content], make: Callable[[Content, str], Content]) -> dict[str, Content]:
    """Return pages by path."""
    return {path: make(content, path) for path, content in pages.items()}
