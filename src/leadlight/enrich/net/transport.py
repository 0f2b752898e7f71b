"""Connections to checked addresses, and bodies that cannot grow without end."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
import time
import zlib
from collections import OrderedDict
from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpcore
from httpcore._backends.base import AsyncNetworkBackend, AsyncNetworkStream

from leadlight.enrich.net.addresses import Guard, Target
from leadlight.enrich.net.counts import Counts
from leadlight.enrich.net.resolve import Resolver
from leadlight.enrich.network import NetworkError, Why

TIMEOUT = 10.0
ADDRESSES_TRIED = 3
KEEP_OPEN = 15.0
"""Seconds that a connection stays open for the next request to the same host."""
MOST_OPEN = 200
"""Connections kept open at most."""
HIGH_WATER = 1 << 18
"""Bytes read ahead before the other side is made to wait."""
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered to one request, before redirects are followed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    raw: int
    """Bytes of the body as they came."""


class Stream(asyncio.Protocol, AsyncNetworkStream):
    """A connection for httpcore, straight on the event loop's transports (anyio's costs twice the CPU)."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Keep what came until it is read; make the other side wait where it is too much."""
        self._buffer += data
        if len(self._buffer) > HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Note the end; the transport then closes itself."""
        self._ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end, and why."""
        self._ended, self._error = True, exc
        self._wake()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def pause_writing(self) -> None:
        """Make writers wait."""
        self._drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Let writers go on."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Return the next bytes, none at the end."""
        if not self._buffer and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(timeout):
                    await self._waiter
            except TimeoutError:
                raise httpcore.ReadTimeout("no answer in time") from None
            finally:
                self._waiter = None
        if not self._buffer and self._error is not None:
            raise httpcore.ReadError(str(self._error))
        data = bytes(self._buffer[:max_bytes])
        del self._buffer[:max_bytes]
        if self._paused and len(self._buffer) < HIGH_WATER // 2 and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send bytes."""
        if self._transport is None or self._transport.is_closing():
            raise httpcore.WriteError("the connection is closed")
        self._transport.write(buffer)
        if self._drained is not None:
            try:
                async with asyncio.timeout(timeout):
                    await self._drained
            except TimeoutError:
                raise httpcore.WriteTimeout("nothing is taken") from None

    async def aclose(self) -> None:
        """Close at once: what the other side has still to say is of no use."""
        if self._transport is not None:
            self._transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None  # noqa: ASYNC109
    ) -> AsyncNetworkStream:  # fmt: skip
        """Speak TLS from here on, with a certificate for the host's name."""
        assert self._transport is not None
        try:
            self._transport = await asyncio.get_running_loop().start_tls(
                self._transport, self, ssl_context,
                server_hostname=server_hostname, ssl_handshake_timeout=timeout or TIMEOUT,
            )  # fmt: skip
        except ssl.SSLCertVerificationError as error:
            raise httpcore.ConnectError(f"its certificate is not valid ({error.verify_message})") from error
        except (OSError, TimeoutError) as error:
            raise httpcore.ConnectError("TLS could not be agreed on") from error
        if self._transport is None:
            raise httpcore.ConnectError("TLS could not be agreed on")
        return self

    def get_extra_info(self, info: str) -> Any:
        """Answer httpcore's questions about the connection."""
        if info == "is_readable":
            return self._ended or bool(self._buffer) or self._transport is None or self._transport.is_closing()
        if info == "ssl_object" and self._transport is not None:
            return self._transport.get_extra_info("ssl_object")
        return None


@dataclass(slots=True)
class Connector(AsyncNetworkBackend):
    """Connects a host's name to an address that was checked just now, and to no other.

    The name is looked up by our own resolver; every address it has must be public (or allowed), and the connection goes
    to that very address, so that a name which changes its mind between check and use gains nothing. TLS and the Host
    header keep the name.
    """

    resolver: Resolver
    guard: Guard
    ports: Mapping[int, int] = field(default_factory=dict)
    """Ports that stand for others, for tests."""

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,  # noqa: ASYNC109, ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> AsyncNetworkStream:  # fmt: skip
        """Look up, check, connect; raises NetworkError where the address is refused."""
        addresses = self.guard.check(host, await self.resolver.addresses(host), port)[:ADDRESSES_TRIED]
        loop = asyncio.get_running_loop()
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                async with asyncio.timeout(None if timeout is None else timeout / left):
                    _, stream = await loop.create_connection(Stream, address, self.ports.get(port, port))
                    return stream
            except TimeoutError:
                reason = "does not answer"
            except OSError:
                reason = "refuses connections"
        raise httpcore.ConnectError(f"{host} {reason}")

    async def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Any = None) -> Any:  # noqa: ARG002, ASYNC109
        """Refuse: nothing on this machine is asked."""
        raise NetworkError(Why.NOT_ALLOWED, "sockets of this machine are not asked")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def tls_context(authorities: Path | None = None) -> ssl.SSLContext:
    """Return what TLS is checked with: the system's authorities (certifi's where it has none), and one's own besides.

    Environment variables (SSL_CERT_FILE, SSLKEYLOGFILE) are not heard.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if sys.platform == "win32":
        context.load_default_certs()
    else:
        paths = ssl.get_default_verify_paths()
        file, folder = Path(paths.openssl_cafile), Path(paths.openssl_capath)
        if file.is_file() or folder.is_dir():
            context.load_verify_locations(
                str(file) if file.is_file() else None, str(folder) if folder.is_dir() else None
            )
        else:
            import certifi

            context.load_verify_locations(certifi.where())
    if authorities is not None:
        context.load_verify_locations(str(authorities))
    return context


@dataclass(slots=True)
class Transport:
    """Sends one request and takes one answer, within limits of time and size."""

    connector: Connector
    tls: ssl.SSLContext
    counts: Counts
    timeout: float = TIMEOUT
    _idle: OrderedDict[str, list[httpcore.AsyncHTTPConnection]] = field(default_factory=OrderedDict)
    _open: int = 0

    async def send(
        self, target: Target, *, method: str, headers: Headers, body: bytes | None = None, limit: int,
        secret_path: str | None = None,
    ) -> Answer:  # fmt: skip
        """Return the answer; raises NetworkError. `secret_path` is asked for in place of the target's own."""
        url = httpcore.URL(
            scheme=target.scheme.encode(), host=target.host.encode(), port=target.port,
            target=(secret_path or target.path).encode("ascii"),
        )  # fmt: skip
        times = {"connect": self.timeout, "read": self.timeout / 2, "write": self.timeout / 2}
        request = httpcore.Request(
            method=method, url=url, headers=[(b"Host", target.authority.encode()), *headers], content=body,
            extensions={"timeout": times},
        )  # fmt: skip
        try:
            async with asyncio.timeout(self.timeout):
                return await self._exchange(target, request, limit)
        except NetworkError:
            raise
        except TimeoutError:
            raise NetworkError(Why.UNREACHABLE, f"{target.host} takes longer than {self.timeout:g} s") from None
        except httpcore.ConnectError as error:
            raise NetworkError(Why.UNREACHABLE, _connect_message(target.host, error)) from error
        except httpcore.TimeoutException as error:
            raise NetworkError(Why.UNREACHABLE, f"{target.host} does not answer in time") from error
        except httpcore.NetworkError as error:
            raise NetworkError(Why.UNREACHABLE, f"{target.host} broke the connection") from error
        except Exception as error:  # whatever a strange answer sets off costs one look-up
            raise NetworkError(Why.UNREACHABLE, f"{target.host} answered nonsense in place of HTTP") from error

    async def _exchange(self, target: Target, request: httpcore.Request, limit: int) -> Answer:
        connection, used = self._take(target, request)
        try:
            return await self._on(connection, target, request, limit)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError, httpcore.ConnectionNotAvailable):
            if not used:
                raise
        # the host had closed what was kept open
        return await self._on(self._new(request), target, request, limit)

    async def _on(
        self, connection: httpcore.AsyncHTTPConnection, target: Target, request: httpcore.Request, limit: int
    ) -> Answer:
        try:
            response = await connection.handle_async_request(request)
            answer = await self._read(target, response, limit)
        except BaseException:
            await self._drop(connection)
            raise
        await self._give_back(target, connection)
        return answer

    async def _read(self, target: Target, response: httpcore.Response, limit: int) -> Answer:
        headers = header_map(response.headers)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > 15 or int(declared) > limit):
            raise too_large(target, limit)
        body = Body(headers.get("content-encoding", ""), limit)
        assert isinstance(response.stream, AsyncIterable)
        try:
            async for chunk in response.stream:
                self.counts.bytes += len(chunk)
                body.add(chunk)
            taken = body.end()
        except OverflowError:
            raise too_large(target, limit) from None
        except (zlib.error, LookupError) as error:
            raise NetworkError(Why.BROKEN, f"what {target.host} sent cannot be decompressed") from error
        finally:
            with contextlib.suppress(Exception):
                await response.aclose()
        return Answer(response.status, headers, taken, body.raw)

    def _take(self, target: Target, request: httpcore.Request) -> tuple[httpcore.AsyncHTTPConnection, bool]:
        waiting = self._idle.get(target.origin)
        while waiting:
            connection = waiting.pop()
            if not waiting:
                del self._idle[target.origin]
            if connection.is_available() and not connection.has_expired():
                return connection, True
            self._forget(connection)
        return self._new(request), False

    def _new(self, request: httpcore.Request) -> httpcore.AsyncHTTPConnection:
        self._open += 1
        return httpcore.AsyncHTTPConnection(
            request.url.origin, ssl_context=self.tls, keepalive_expiry=KEEP_OPEN, network_backend=self.connector
        )

    def _forget(self, connection: httpcore.AsyncHTTPConnection) -> None:
        self._open -= 1
        task = asyncio.ensure_future(connection.aclose())
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _drop(self, connection: httpcore.AsyncHTTPConnection) -> None:
        self._open -= 1
        with contextlib.suppress(Exception):
            await connection.aclose()

    async def _give_back(self, target: Target, connection: httpcore.AsyncHTTPConnection) -> None:
        if not connection.is_idle():
            await self._drop(connection)
            return
        self._idle.setdefault(target.origin, []).append(connection)
        self._idle.move_to_end(target.origin)
        while self._open > MOST_OPEN and self._idle:
            oldest, connections = next(iter(self._idle.items()))
            self._forget(connections.pop(0))
            if not connections:
                del self._idle[oldest]

    async def aclose(self) -> None:
        """Close everything that was kept open."""
        idle, self._idle = self._idle, OrderedDict()
        for connections in idle.values():
            for connection in connections:
                await self._drop(connection)
        await asyncio.sleep(0)  # transports close in the loop's next round


def _connect_message(host: str, error: Exception) -> str:
    text = str(error)
    return text if text.startswith(host) else f"{host}: {text or 'no connection'}"


def too_large(target: Target, limit: int) -> NetworkError:
    """Say that a body is larger than what is taken."""
    return NetworkError(Why.TOO_LARGE, f"{target.host} sent more than {limit:,} bytes")


def header_map(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by name in lower case, those that come several times joined; controls become spaces."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.decode("latin-1").lower()
        text = value.decode("utf-8", "replace").translate(_CONTROLS)
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


_CONTROLS = {code: " " for code in (*range(32), 127)}


class Body:
    """Takes a body piece by piece, decompressing gzip and deflate; never holds more than the limit and one piece.

    >>> body = Body("gzip", limit=1000)
    >>> body.add(zlib.compress(b"hello", wbits=31))
    >>> body.end()
    b'hello'
    """

    def __init__(self, encoding: str, limit: int) -> None:
        self.raw = 0
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._encoding = encoding.strip().lower()
        self._inflate: Any = None
        if self._encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise LookupError(encoding)

    def add(self, piece: bytes) -> None:
        """Take the next piece; raises OverflowError above the limit, zlib.error where it is broken."""
        self.raw += len(piece)
        if self._encoding in ("", "identity"):
            self._keep(piece)
            return
        if self._inflate is None and piece:
            self._inflate = zlib.decompressobj(self._wbits(piece))
        while piece:
            self._keep(self._inflate.decompress(piece, self._limit - self._size + 1))
            piece = self._inflate.unconsumed_tail
            if self._inflate.eof:
                piece = self._inflate.unused_data if self._encoding != "deflate" else b""
                if not piece.startswith(b"\x1f\x8b"):
                    return  # what follows the end is no further part
                self._inflate = zlib.decompressobj(31)

    def _wbits(self, piece: bytes) -> int:
        if self._encoding != "deflate":
            return 31
        # "deflate" is zlib's format by the standard, and the bare one by some servers' habit
        return 15 if piece[0] & 0x0F == 8 and (len(piece) < 2 or (piece[0] * 256 + piece[1]) % 31 == 0) else -15

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit:
            raise OverflowError(self._limit)
        self._pieces.append(data)

    def end(self) -> bytes:
        """Return the whole body; raises zlib.error where it ends too early."""
        if self._inflate is not None and not self._inflate.eof:
            if self._size == 0:
                raise zlib.error("ends too early")
            self._keep(self._inflate.flush())
        return b"".join(self._pieces)
