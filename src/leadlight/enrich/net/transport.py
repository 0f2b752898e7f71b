"""One request, one answer, within limits of time and size; connections are kept open for the next."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import zlib
from collections import OrderedDict
from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

import httpcore

from leadlight.enrich.net.addresses import Target
from leadlight.enrich.net.body import Body
from leadlight.enrich.net.connect import Connector
from leadlight.enrich.net.counts import Counts
from leadlight.enrich.net.failures import Cut
from leadlight.enrich.network import NetworkError, Why

TIMEOUT = 10.0
"""Seconds for one request, from the connection to the last byte; half of it for each step."""
KEEP_OPEN = 15.0
"""Seconds that a connection stays open for the next request to the same host."""
MOST_OPEN = 600
"""Connections kept open at most: more than there are sites being read at a time, or each page costs a handshake."""
Headers = list[tuple[bytes, bytes]]
_ENDED_EARLY = ("peer closed connection", "Server disconnected")
"""How h11 and httpcore begin when they say that the other side went away."""
_CONTROLS = dict.fromkeys((*range(32), 127), " ")


@dataclass(frozen=True, slots=True)
class Sending:
    """One request."""

    at: Target
    method: str
    headers: Headers
    body: bytes | None
    limit: int
    cut: bool = False
    """Take what is within the limit and leave the rest."""
    path: str | None = None
    """The path to ask for in place of the target's own, where it holds secrets."""

    def request(self, timeout: float) -> httpcore.Request:
        """Return it as httpcore takes it."""
        path = self.at.path if self.path is None else self.path
        url = httpcore.URL(
            scheme=self.at.scheme.encode(), host=self.at.host.encode(), port=self.at.port, target=path.encode("ascii")
        )
        times = {"connect": timeout, "read": timeout / 2, "write": timeout / 2}
        headers = [(b"Host", self.at.authority.encode()), *self.headers]
        return httpcore.Request(self.method, url, headers=headers, content=self.body, extensions={"timeout": times})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered to one request, before redirects are followed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Transport:
    """Sends requests over connections that are kept open for a while."""

    connector: Connector
    tls: ssl.SSLContext
    counts: Counts
    timeout: float = TIMEOUT
    _idle: OrderedDict[str, list[httpcore.AsyncHTTPConnection]] = field(default_factory=OrderedDict)
    _closing: set[asyncio.Task[None]] = field(default_factory=set)
    _open: int = 0

    async def send(self, sending: Sending) -> Answer:
        """Return the answer; raises NetworkError, whatever happens."""
        try:
            async with asyncio.timeout(self.timeout):
                return await self._exchange(sending)
        except NetworkError:
            raise
        except Exception as error:
            raise self._failure(sending.at.host, error) from error

    def _failure(self, host: str, error: Exception) -> NetworkError:
        match error:
            case httpcore.ConnectError():
                message = str(error)
                return NetworkError(Why.UNREACHABLE, message if message.startswith(host) else f"{host}: {message}")
            case httpcore.TimeoutException():
                return NetworkError(Why.UNREACHABLE, f"{host} does not answer in time")
            case TimeoutError():
                return NetworkError(Why.UNREACHABLE, f"{host} takes longer than {self.timeout:g} s")
            case httpcore.NetworkError():
                return Cut(host)
            case httpcore.RemoteProtocolError() if str(error).startswith(_ENDED_EARLY):
                return Cut(host)
        # whatever else a strange answer sets off costs one look-up
        return NetworkError(Why.UNREACHABLE, f"{host} answered nonsense in place of HTTP")

    async def _exchange(self, sending: Sending) -> Answer:
        request = sending.request(self.timeout)
        connection = self._kept(sending.at)
        if connection is not None:
            try:
                return await self._on(connection, request, sending)
            except (httpcore.RemoteProtocolError, httpcore.NetworkError, httpcore.ConnectionNotAvailable):
                pass  # the host had closed what was kept open
        return await self._on(self._new(request.url.origin), request, sending)

    async def _on(
        self, connection: httpcore.AsyncHTTPConnection, request: httpcore.Request, sending: Sending
    ) -> Answer:
        try:
            response = await connection.handle_async_request(request)
            answer = await self._read(response, sending)
        except BaseException:
            await self._close(connection)
            raise
        await self._keep(sending.at, connection)
        return answer

    async def _read(self, response: httpcore.Response, sending: Sending) -> Answer:
        headers = header_map(response.headers)
        assert isinstance(response.stream, AsyncIterable)
        try:
            body = Body(headers.get("content-encoding", ""), sending.limit, cut=sending.cut)
            if _declared(headers) > sending.limit and not sending.cut:
                raise OverflowError(sending.limit)
            async for chunk in response.stream:
                self.counts.bytes += len(chunk)
                body.add(chunk)
                if body.full:
                    break
            return Answer(response.status, headers, body.end())
        except (OverflowError, zlib.error, LookupError) as error:
            _refuse(sending, error)
        finally:
            with contextlib.suppress(Exception):
                await response.aclose()

    def _kept(self, at: Target) -> httpcore.AsyncHTTPConnection | None:
        """Take a connection that was kept open, if there is one that still is."""
        waiting = self._idle.pop(at.origin, [])
        while waiting:
            connection = waiting.pop()
            if connection.is_available() and not connection.has_expired():
                if waiting:
                    self._idle[at.origin] = waiting
                return connection
            self._close_later(connection)
        return None

    def _new(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        self._open += 1
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=self.tls, keepalive_expiry=KEEP_OPEN, network_backend=self.connector
        )

    async def _keep(self, at: Target, connection: httpcore.AsyncHTTPConnection) -> None:
        if not connection.is_idle():
            await self._close(connection)
            return
        self._idle.setdefault(at.origin, []).append(connection)
        self._idle.move_to_end(at.origin)
        while self._idle:
            oldest, connections = next(iter(self._idle.items()))
            if self._open <= MOST_OPEN and not connections[0].has_expired():
                break
            self._close_later(connections.pop(0))
            if not connections:
                del self._idle[oldest]

    def _close_later(self, connection: httpcore.AsyncHTTPConnection) -> None:
        task = asyncio.ensure_future(self._close(connection))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, connection: httpcore.AsyncHTTPConnection) -> None:
        self._open -= 1
        with contextlib.suppress(Exception):
            await connection.aclose()

    async def aclose(self) -> None:
        """Close everything that was kept open."""
        idle, self._idle = self._idle, OrderedDict()
        for connection in (connection for connections in idle.values() for connection in connections):
            await self._close(connection)
        await asyncio.gather(*self._closing, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the loop's next round


def _declared(headers: Mapping[str, str]) -> int:
    """Return the length that is declared, 0 where none is that can be read."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _refuse(sending: Sending, error: Exception) -> NoReturn:
    if isinstance(error, OverflowError):
        raise NetworkError(Why.TOO_LARGE, f"{sending.at.host} sent more than {sending.limit:,} bytes") from None
    raise NetworkError(Why.BROKEN, f"what {sending.at.host} sent cannot be unpacked") from error


def header_map(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by name in lower case, those that come several times joined; controls become spaces.

    >>> header_map([(b"Vary", b"Accept"), (b"vary", b"Cookie")])
    {'vary': 'Accept, Cookie'}
    """
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.decode("latin-1").lower()
        text = value.decode("utf-8", "replace").translate(_CONTROLS)
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found
