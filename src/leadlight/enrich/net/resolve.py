"""Our own resolver: DNS questions to the name servers of the settings, with nothing of the system in between.

Hosts files, search domains and caches of the system are left out on purpose: the address that is checked must be the
one that is connected to, and answers must not depend on the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

import dns.asyncquery
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.TXT import TXT

from leadlight.enrich.net.addresses import ascii_name
from leadlight.enrich.net.counts import Counts
from leadlight.enrich.net.failures import Passing
from leadlight.enrich.network import NetworkError, Why

TRIES = 3
PATIENCE = 2.0
"""Seconds that one name server has for an answer."""
AT_ONCE = 100
"""Questions that may be open at the same time."""
MOST_RECORDS = 100
LONGEST_RECORD = 4096
LONGEST_CHAIN = 8
REMEMBERED = 20_000
SHORTEST, LONGEST = 60.0, 3600.0
"""Seconds for which an answer is remembered in memory, whatever its own time to live says."""
KINDS = ("A", "AAAA", "CAA", "CNAME", "DNSKEY", "DS", "MX", "NS", "PTR", "SOA", "SRV", "TXT")
NAMING = ("CNAME", "MX", "NS", "PTR", "SOA", "SRV")
"""Kinds whose records are names of hosts, and numbers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the name servers said of a name: the records of one kind, sorted, and whether the name exists at all."""

    records: tuple[str, ...]
    exists: bool = True
    holds: float = SHORTEST
    """Seconds for which it may be remembered."""


def name_server(text: str) -> tuple[str, int]:
    """Read ADDRESS or ADDRESS:PORT, IPv6 in brackets; raises ValueError.

    >>> name_server("127.0.0.1:5353"), name_server("[::1]:53"), name_server("9.9.9.9")
    (('127.0.0.1', 5353), ('::1', 53), ('9.9.9.9', 53))
    """
    host, port = text, "53"
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        port = (port.removeprefix(":") or "53") if closed else ""
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    return str(ip_address(host)), int(port)


def system_servers() -> tuple[tuple[str, int], ...]:
    """Return the name servers that the system is set up with; none where it has none."""
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
            response = await self._response(name, kind)
            if response.rcode() == dns.rcode.NXDOMAIN:
                return Answer((), exists=False)
            try:
                chain = response.resolve_chaining()
            except Exception as error:
                raise NetworkError(Why.UNREACHABLE, f"the name servers' answer for {name} makes no sense") from error
            if chain.answer is not None:
                texts = [record_text(record) for record in list(chain.answer)[:MOST_RECORDS]]
                holds = min(max(float(chain.minimum_ttl), SHORTEST), LONGEST)
                return Answer(tuple(sorted(set(texts), key=_order)), holds=holds)
            target = chain.canonical_name.to_text(omit_final_dot=True).lower()
            if target == name:
                return Answer(())
            name = target  # an alias whose own records were not sent along
        raise NetworkError(Why.UNREACHABLE, f"the aliases of {name} do not end")

    async def _response(self, name: str, kind: str) -> dns.message.QueryMessage:
        """Ask one name server after the other until one answers yes or no."""
        if not self.servers:
            raise Passing(Why.UNREACHABLE, "no name servers are known; name some with `dns` in enrich.network")
        first = random.randrange(len(self.servers))
        said = ""
        for turn in range(TRIES):
            address, port = self.servers[(first + turn) % len(self.servers)]
            try:
                async with self._slots:
                    response = await self._exchange(name, kind, address, port)
            except dns.exception.Timeout:
                continue
            except Exception:  # whatever a strange answer sets off: the next one is asked
                said = "answered nonsense"
                continue
            if response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return response
            said = f"answered {dns.rcode.to_text(response.rcode())}"
        if said:
            raise NetworkError(Why.UNREACHABLE, f"the name servers {said} when asked for {name}")
        raise Passing(Why.UNREACHABLE, f"no name server answers when asked for {name}")

    async def _exchange(self, name: str, kind: str, address: str, port: int) -> dns.message.QueryMessage:
        self.counts.dns += 1
        query = dns.message.make_query(dns.name.from_text(name), kind, use_edns=0, payload=1232)
        response, _ = await dns.asyncquery.udp_with_fallback(
            query, address, timeout=self.patience, port=port, ignore_unexpected=True, ignore_errors=True
        )
        assert isinstance(response, dns.message.QueryMessage)
        return response


def record_text(record: dns.rdata.Rdata) -> str:
    """Return a record as text: names in lower case without the last dot, TXT joined, at most 4,096 characters."""
    if isinstance(record, TXT):
        return b"".join(record.strings).decode("utf-8", "replace")[:LONGEST_RECORD]
    text = record.to_text()[:LONGEST_RECORD]
    if dns.rdatatype.to_text(record.rdtype) not in NAMING:
        return text
    return " ".join(word if word == "." else word.removesuffix(".") for word in text.lower().split(" "))


def _order(text: str) -> tuple[int, str]:
    """Order MX records by preference, others by text."""
    number, _, rest = text.partition(" ")
    return (int(number), rest) if rest and number.isdecimal() and len(number) < 6 else (0, text)
