"""Connections to addresses that were checked just now, and to no others."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpcore

from leadlight.enrich.net.addresses import Guard
from leadlight.enrich.net.resolve import Resolver
from leadlight.enrich.network import NetworkError, Why

HANDSHAKE = 10.0
"""Seconds for the TLS handshake where nothing else is told."""
ADDRESSES_TRIED = 3
HIGH_WATER = 1 << 18
"""Bytes read ahead before the other side is made to wait."""


class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
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
        self._transport = None  # it holds us too, and a quarter of a megabyte over TLS
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

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
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

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
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
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        """Speak TLS from here on, with a certificate for the host's name."""
        if self._transport is None or self._buffer:  # what was said before is nobody's: it must not count as secure
            raise httpcore.ConnectError("TLS could not be agreed on")
        try:
            self._transport = await asyncio.get_running_loop().start_tls(
                self._transport, self, ssl_context,
                server_hostname=server_hostname, ssl_handshake_timeout=timeout or HANDSHAKE,
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
class Connector(httpcore.AsyncNetworkBackend):
    """Connects a host's name to an address that was checked just now, and to no other.

    The name is looked up by our own resolver; every address it has must be public (or allowed), and the connection goes
    to that very address, so that a name which changes its mind between check and use gains nothing. TLS and the Host
    header keep the name.
    """

    resolver: Resolver
    guard: Guard
    ports: Mapping[int, int] = field(default_factory=dict)
    """Ports that stand for others, for tests."""

    async def checked(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses of a host, all of which may be connected to; raises NetworkError."""
        return self.guard.check(host, await self.resolver.addresses(host), port)

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        """Look up, check, connect; raises NetworkError where the address is refused."""
        addresses = (await self.checked(host, port))[:ADDRESSES_TRIED]
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

    async def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Any = None) -> Any:  # noqa: ARG002
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
        context.load_verify_locations(*_system_authorities())
    if authorities is not None:
        context.load_verify_locations(str(authorities))
    return context


def _system_authorities() -> tuple[str | None, str | None]:
    """Return the file and the folder of the system's certificates, certifi's file where it has none."""
    paths = ssl.get_default_verify_paths()
    file, folder = Path(paths.openssl_cafile), Path(paths.openssl_capath)
    found = (str(file) if file.is_file() else None, str(folder) if any(folder.glob("*.0")) else None)
    if any(found):
        return found
    import certifi

    return certifi.where(), None
