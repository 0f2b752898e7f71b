"""The internet: servers on a loop in a thread of its own, and what they are told and asked about."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from internet.answers import Content, Visit, as_page
from internet.certificates import Certificates
from internet.names import TROUBLES, Connections, Datagrams, Names, ascii_name
from internet.web import Connection, Site, Web, as_pages
from leadlight.spec.enrich import NetworkSpec


class Internet:
    """A small internet on loopback; a context manager, running while it is entered. See the package's text."""

    def __init__(self, *, latency: float = 0.0, keep: bool = True) -> None:
        self.names, self.web = Names(), Web()
        self.web.keep = keep
        self.latency = latency
        self._addresses = 0
        self._folder = tempfile.TemporaryDirectory(prefix="internet")
        self.certificates = Certificates(Path(self._folder.name), self._tls)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="internet", daemon=True)
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self.dns_port = self.http_port = self.https_port = 0

    # what there is

    def site(
        self, host: str, pages: Mapping[str, Content] | None = None, *, robots: str | None = None, http: bool = True,
        https: bool = True, www: bool = True, tls: str | None = None, per_second: float | None = None,
        delay: float = 0.0,
    ) -> Site:  # fmt: skip
        """Add a site, or set it anew; returns it."""
        host = ascii_name(host)
        site = Site(host, http=http, https=https, tls=tls, per_second=per_second, delay=delay)
        site.pages = as_pages(pages or {}, as_page)
        if robots is not None:
            site.pages["/robots.txt"] = as_page(robots, "/robots.txt")
        self.web.sites[host] = site
        self.certificates.contexts.pop(host, None)
        self._give_address(host)
        if www and not host.startswith("www."):
            self.records(f"www.{host}", cname=host)
        return site

    def handle(self, host: str, pattern: str, function: Callable[..., Content] | Content) -> None:
        """Answer what is asked of a host at paths of a pattern (`/users/*`); the first that fits answers."""
        host = ascii_name(host)
        if host not in self.web.sites:
            self.site(host, www=False)
        handlers = self.web.sites[host].handlers
        handlers[:] = [(pattern, function), *(item for item in handlers if item[0] != pattern)]

    def records(self, name: str, **kinds: str | Iterable[str]) -> None:
        """Set DNS records: `mx=["10 mx.acme.example"]`, `txt=`, `ns=`, `a=`, `aaaa=`, `cname=`, `ptr=`, `soa=`."""
        for kind, values in kinds.items():
            self.names.add(name, kind.upper(), [values] if isinstance(values, str) else values)

    def dns_trouble(self, name: str, kind: str) -> None:
        """Make the server misbehave for a name, in one of the ways of `names.TROUBLES`."""
        assert kind in TROUBLES, kind
        self.names.troubles[ascii_name(name)] = kind

    # how it is reached

    def settings(self, **more: Any) -> dict[str, Any]:
        """Return what to write under `network:` in leadlight.yaml."""
        return {
            "dns": [f"127.0.0.1:{self.dns_port}"], "allow": ["127.0.0.0/8"],
            "authorities": str(self.certificates.file),
            "ports": {"http": self.http_port, "https": self.https_port}, "per_second": 50.0, **more,
        }  # fmt: skip

    def network(self, **more: Any) -> NetworkSpec:
        """Return the same, checked."""
        return NetworkSpec.model_validate(self.settings(**more))

    @property
    def latency(self) -> float:
        """Seconds of a round trip."""
        return self.web.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.web.latency = self.names.latency = seconds

    # what was asked

    def count(self, host: str | None = None, path: str | None = None) -> int:
        """Return how many requests were answered whole."""
        return _sum(self.web.ended, host and ascii_name(host), path)

    def begun(self, host: str | None = None, path: str | None = None) -> int:
        """Return how many requests were begun."""
        return _sum(self.web.begun, host and ascii_name(host), path)

    def questions(self, name: str | None = None, kind: str | None = None) -> int:
        """Return how many questions were put to the DNS."""
        return _sum(self.names.asked, name and ascii_name(name), kind)

    def visits(self, host: str | None = None) -> list[Visit]:
        """Return the requests that are over, in order; with `keep=False` there are none."""
        found = list(self.web.visits)
        return found if host is None else [visit for visit in found if visit.host == ascii_name(host)]

    def most_at_once(self, host: str | None = None) -> int:
        """Return how many requests a host (any host) had open at a time, at most."""
        most = dict(self.web.most)
        return max(most.values(), default=0) if host is None else most.get(ascii_name(host), 0)

    def least_pause(self, host: str) -> float:
        """Return the least seconds between the beginnings of two requests to a host."""
        begun = sorted(visit.begun for visit in self.visits(host))
        return min((later - earlier for earlier, later in pairwise(begun)), default=float("inf"))

    @property
    def errors(self) -> list[BaseException]:
        """What went wrong in handlers."""
        return self.web.errors

    def forget(self) -> None:
        """Start the counts again."""
        for counter in (self.web.begun, self.web.ended, self.web.most, self.web.statuses, self.names.asked):
            counter.clear()
        self.web.visits.clear()
        self.web.errors.clear()
        self.web.connections = 0

    # running

    def __enter__(self) -> Internet:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._folder.cleanup()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(
            lambda _loop, _context: None
        )  # failed handshakes are what some tests are about
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            asyncio.set_event_loop(None)

    async def _serve(self) -> None:
        loop, web = self._loop, self.web
        http = await loop.create_server(lambda: Connection(web, secure=False), "0.0.0.0", 0, backlog=2048)
        https = await loop.create_server(
            lambda: Connection(web, secure=True), "0.0.0.0", 0, backlog=2048, ssl=self.certificates.context
        )
        tcp, datagrams = await self._serve_names()
        self.http_port, self.https_port = (server.sockets[0].getsockname()[1] for server in (http, https))
        self._ready.set()
        await self._stop.wait()
        for server in (http, https, tcp):
            server.close()
        for transport in [datagrams, *self.web.transports]:
            transport.abort()
        await self._finish()

    async def _serve_names(self) -> tuple[asyncio.Server, asyncio.DatagramTransport]:
        loop = self._loop
        tcp = await loop.create_server(lambda: Connections(self.names, self.web.transports), "127.0.0.1", 0)
        self.dns_port = tcp.sockets[0].getsockname()[1]
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)  # bursts of a thousand leads
        ear.setblocking(False)
        ear.bind(("127.0.0.1", self.dns_port))
        datagrams, _ = await loop.create_datagram_endpoint(lambda: Datagrams(self.names), sock=ear)
        return tcp, datagrams

    async def _finish(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)  # transports close in the next turns of the loop

    def _give_address(self, host: str) -> None:
        if "A" not in self.names.zones.get(host, {}):
            self._addresses += 1
            number = self._addresses
            self.records(host, a=f"127.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}")

    def _tls(self, host: str) -> str | None:
        site = self.web.site(host)
        return None if site is None else "refused" if not site.https else site.tls


def _sum(counter: Mapping[tuple[str, str], int], first: str | None, second: str | None) -> int:
    if first is not None and second is not None:
        return counter[first, second]
    items = list(counter.items())
    return sum(n for (one, two), n in items if first in (None, one) and second in (None, two))
