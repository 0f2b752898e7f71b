"""Our own resolver: DNS questions to the name servers of the settings, with nothing of the system in between.

Hosts files, search domains and caches of the system are left out on purpose: the address that is checked must be the
one that is connected to, and answers must not depend on the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import socket
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from leadlight.enrich.net.addresses import ascii_name
from leadlight.enrich.net.counts import Counts
from leadlight.enrich.net.failures import Passing
from leadlight.enrich.net.wire import (
    ERRORS,
    KINDS,
    NO_ERROR,
    NO_SUCH_NAME,
    Malformed,
    Message,
    Record,
    answers,
    question,
    read,
)
from leadlight.enrich.network import NetworkError, Why

TRIES = 3
PATIENCE = 2.0
"""Seconds that one name server has for an answer."""
AT_ONCE = 100
"""Questions that may be open at the same time."""
MOST_RECORDS = 100
LONGEST_CHAIN = 8
REMEMBERED = 20_000
SHORTEST, LONGEST = 60.0, 3600.0
"""Seconds for which an answer is remembered in memory, whatever its own time to live says."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the name servers said of a name: the records of one kind, sorted, and whether the name exists at all."""

    records: tuple[str, ...]
    exists: bool = True
    holds: float = SHORTEST
    """Seconds for which it may be remembered."""


def system_servers() -> tuple[tuple[str, int], ...]:
    """Return the name servers that the system is set up with; none where it has none."""
    import dns.resolver

    try:
        found = dns.resolver.Resolver(configure=True)
    except dns.resolver.NoResolverConfiguration:
        return ()
    return tuple((server, found.port) for server in found.nameservers if isinstance(server, str))


@dataclass(slots=True)
class Resolver:
    """Asks name servers, in turn where one fails, and remembers the answers for a while."""

    servers: Sequence[tuple[str, int]]
    counts: Counts = field(default_factory=Counts)
    patience: float = PATIENCE
    _known: OrderedDict[tuple[str, str], tuple[float, Answer]] = field(default_factory=OrderedDict)
    _asked: dict[tuple[str, str], asyncio.Task[Answer]] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Return the IP addresses of a host; IPv6 is asked for where there is no IPv4.

        Raises NetworkError: no such host where there are none, unreachable where no name server answers.
        """
        if host == "localhost" or host.endswith(".localhost"):
            return ("127.0.0.1",)  # RFC 6761
        with contextlib.suppress(ValueError):
            return (str(ip_address(host)),)
        for kind in ("A", "AAAA"):
            answer = await self.ask(host, kind)
            if answer.records:
                return answer.records
            if not answer.exists:
                break
        raise NetworkError(Why.NO_SUCH_HOST, f"{host} has no address")

    async def ask(self, name: str, kind: str) -> Answer:
        """Return the records of a kind; the same question is not asked twice while its answer is remembered."""
        kind = kind.upper()
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of record that is asked for; known: {', '.join(KINDS)}")
        question = (ascii_name(name), kind)
        known = self._known.get(question)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        task = self._asked.get(question)
        if task is None:
            task = self._asked[question] = asyncio.ensure_future(self._ask(*question))
            task.add_done_callback(lambda done: self._finished(question, done))
        return await asyncio.shield(task)

    def _finished(self, question: tuple[str, str], task: asyncio.Task[Answer]) -> None:
        self._asked.pop(question, None)
        if task.cancelled() or task.exception() is not None:
            return
        self._known.pop(question, None)
        self._known[question] = (time.monotonic() + task.result().holds, task.result())
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    async def _ask(self, name: str, kind: str) -> Answer:
        for _ in range(LONGEST_CHAIN):
            message = await self._message(name, kind)
            if message.code == NO_SUCH_NAME:
                return Answer((), exists=False)
            end, found = followed(message.records, name, kind)
            if found:
                texts = sorted({record.text for record in found[:MOST_RECORDS]}, key=_order)
                ttl = float(min(record.ttl for record in found))
                return Answer(tuple(texts), holds=min(max(ttl, SHORTEST), LONGEST))
            if end == name:
                return Answer(())
            name = end  # an alias whose own records were not sent along
        raise NetworkError(Why.UNREACHABLE, f"the aliases of {name} do not end")

    async def _message(self, name: str, kind: str) -> Message:
        """Ask one name server after the other until one says yes or no."""
        if not self.servers:
            raise Passing(Why.UNREACHABLE, "no name servers are known; name some with `dns` in enrich.network")
        first = random.randrange(len(self.servers))
        said = ""
        for turn in range(TRIES):
            try:
                async with self._slots:
                    message = await self._exchange(name, kind, self.servers[(first + turn) % len(self.servers)])
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                continue
            except Malformed:
                said = "answer nonsense"
                continue
            if message.code in (NO_ERROR, NO_SUCH_NAME):
                return message
            said = f"answer {ERRORS.get(message.code, message.code)}"
        if said:
            raise NetworkError(Why.UNREACHABLE, f"the name servers {said} when asked for {name}")
        raise Passing(Why.UNREACHABLE, f"no name server answers when asked for {name}")

    async def _exchange(self, name: str, kind: str, server: tuple[str, int]) -> Message:
        self.counts.dns += 1
        asked = question(secrets.randbits(16), name, kind)
        async with asyncio.timeout(self.patience):
            message = read(await over_udp(asked, server))
            return read(await over_tcp(asked, server)) if message.truncated else message


def followed(records: Sequence[Record], name: str, kind: str) -> tuple[str, list[Record]]:
    """Follow the aliases of a name among records; returns where they end, and the records of the kind there."""
    aliases = {record.owner: record.text for record in records if record.kind == KINDS["CNAME"]}
    for _ in range(LONGEST_CHAIN):
        found = [record for record in records if record.owner == name and record.kind == KINDS[kind]]
        if found or name not in aliases:
            return name, found
        name = aliases[name]
    raise NetworkError(Why.UNREACHABLE, f"the aliases of {name} do not end")


async def over_udp(asked: bytes, server: tuple[str, int]) -> bytes:
    """Ask over UDP, from a port of the system's choice each time; what is no answer to the question is not heard."""
    with socket.socket(socket.AF_INET6 if ":" in server[0] else socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.setblocking(False)
        ear.connect(server)
        ear.send(asked)
        loop = asyncio.get_running_loop()
        while True:
            message = await loop.sock_recv(ear, 65535)
            if answers(message, asked):
                return message


async def over_tcp(asked: bytes, server: tuple[str, int]) -> bytes:
    """Ask over TCP, for answers that are too long for UDP; raises Malformed where it is no answer to the question."""
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(len(asked).to_bytes(2) + asked)
        message = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
    finally:
        writer.transport.abort()
    if not answers(message, asked):
        raise Malformed("it answers another question")
    return message


def _order(text: str) -> tuple[int, str]:
    """Order MX records by preference, others by text."""
    number, _, rest = text.partition(" ")
    return (int(number), rest) if rest and number.isdecimal() and len(number) < 6 else (0, text)
