"""A DNS server on loopback, UDP and TCP: zones as told, and names that misbehave."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Iterable
from typing import Any

import dnslib
from dnslib import QTYPE, RCODE, RR, DNSRecord

KINDS = ("A", "AAAA", "MX", "TXT", "NS", "CNAME", "PTR", "SOA")
TTL = 300
TROUBLES = (
    "servfail",  # an error of the server
    "refused",
    "silent",  # never answers
    "slow",  # answers after three seconds
    "truncated",  # UDP says only: ask by TCP
    "garbage",  # bytes that are no DNS
    "wrong_id",  # an answer to another question
    "cname_loop",
    "rebinding",  # the first answer is as told, all others 169.254.169.254
    "private",  # 10.0.0.1
    "huge",  # a hundred kilobytes of TXT
)


def ascii_name(name: str) -> str:
    """Return a host name as it goes over the wire, without the last dot."""
    name = name.lower().rstrip(".")
    return name if name.isascii() else ".".join(_ascii_label(label) for label in name.split("."))


def _ascii_label(label: str) -> str:
    return label if label.isascii() else "xn--" + label.encode("punycode").decode()


class Names:
    """The names that exist, and what has been asked."""

    def __init__(self) -> None:
        self.zones: dict[str, dict[str, list[Any]]] = {}
        self.troubles: dict[str, str] = {}
        self.asked: Counter[tuple[str, str]] = Counter()
        self.latency = 0.0

    def add(self, name: str, kind: str, values: Iterable[str]) -> None:
        """Set the records of a kind of a name."""
        self.zones.setdefault(ascii_name(name), {})[kind] = [_data(kind, value) for value in values]

    def answer(self, packet: bytes, *, tcp: bool) -> tuple[float, bytes | None]:
        """Return the seconds to wait and the answer to a question; None where there is none."""
        try:
            asked = DNSRecord.parse(packet)
            name, kind = _wire(asked.q.qname), str(QTYPE[asked.q.qtype])
        except Exception:  # nonsense gets no answer, whatever is wrong with it
            return 0.0, None
        self.asked[name, kind] += 1
        trouble = self.troubles.get(name)
        reply = self._reply(asked, name, kind, trouble)
        if trouble in ("silent", "garbage", "wrong_id"):
            return self.latency, _nonsense(trouble, reply)
        wait = self.latency + (3.0 if trouble == "slow" else 0.0)
        return wait, _packed(asked, reply, tcp=tcp, cut=trouble == "truncated")

    def _reply(self, asked: DNSRecord, name: str, kind: str, trouble: str | None) -> DNSRecord:
        reply = asked.reply(ra=1, aa=1)
        if trouble in ("servfail", "refused"):
            reply.header.rcode = RCODE.SERVFAIL if trouble == "servfail" else RCODE.REFUSED
            return reply
        for owner, of_kind, data in self._records(name, kind, trouble):
            reply.add_answer(RR(owner, getattr(QTYPE, of_kind), ttl=TTL, rdata=data))
        if not reply.rr:
            reply.header.rcode = RCODE.NOERROR if self._exists(name) else RCODE.NXDOMAIN
            reply.add_auth(RR(_parent(name), QTYPE.SOA, ttl=TTL, rdata=_data("SOA", "ns.example hostmaster.example")))
        return reply

    def _records(self, name: str, kind: str, trouble: str | None) -> list[tuple[str, str, Any]]:
        if trouble is not None:
            special = self._special(name, kind, trouble)
            if special is not None:
                return special
        found: list[tuple[str, str, Any]] = []
        for _ in range(10):
            records = self.zones.get(name, {})
            if kind in records or "CNAME" not in records:
                return [*found, *((name, kind, data) for data in records.get(kind, ()))]
            found.append((name, "CNAME", records["CNAME"][0]))
            name = _wire(records["CNAME"][0].label)
        return found

    def _special(self, name: str, kind: str, trouble: str) -> list[tuple[str, str, Any]] | None:
        if trouble == "cname_loop":
            return [(name, "CNAME", dnslib.CNAME(f"x.{name}")), (f"x.{name}", "CNAME", dnslib.CNAME(name))]
        if trouble == "huge" and kind == "TXT":
            return [(name, "TXT", dnslib.TXT([f"{n:0250}"] * 4)) for n in range(60)]
        if kind == "A" and (trouble == "private" or (trouble == "rebinding" and self.asked[name, kind] > 1)):
            return [(name, "A", dnslib.A("10.0.0.1" if trouble == "private" else "169.254.169.254"))]
        return None

    def _exists(self, name: str) -> bool:
        return name in self.zones or name in self.troubles or f"www.{name}" in self.zones


def _wire(label: Any) -> str:
    """Return a name as it was on the wire; the library's own text of it is Unicode."""
    return b".".join(label.label).decode("latin-1").lower()


def _parent(name: str) -> str:
    return name.partition(".")[2] or name


def _packed(asked: DNSRecord, reply: DNSRecord, *, tcp: bool, cut: bool) -> bytes:
    packet = bytes(reply.pack())
    room = max((int(record.rclass) for record in asked.ar if record.rtype == QTYPE.OPT), default=512)
    if tcp or not (cut or len(packet) > room):
        return packet
    short = asked.reply(ra=1, aa=1)  # with the question, which the library's own truncate() leaves out
    short.header.tc = 1
    return bytes(short.pack())


def _nonsense(trouble: str, reply: DNSRecord) -> bytes | None:
    if trouble == "wrong_id":
        reply.header.id = (reply.header.id + 1) % 65536
        return bytes(reply.pack())
    return None if trouble == "silent" else bytes(reply.pack())[:2] + b"\xff\xc0\x0c" * 9


def _data(kind: str, value: str) -> Any:
    if kind == "MX":
        preference, host = value.split()
        return dnslib.MX(ascii_name(host), int(preference))
    if kind == "TXT":
        content = value.encode()
        return dnslib.TXT([content[at : at + 255] for at in range(0, len(content), 255)] or [b""])
    if kind in ("A", "AAAA"):
        return getattr(dnslib, kind)(str(ipaddress.ip_address(value)))
    if kind == "SOA":
        primary, mailbox = value.split()[:2]
        return dnslib.SOA(ascii_name(primary), ascii_name(mailbox), (1, 3600, 600, 86400, TTL))
    return getattr(dnslib, kind)(ascii_name(value))


class Datagrams(asyncio.DatagramProtocol):
    """Answers over UDP."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def connection_made(self, transport: Any) -> None:
        """Keep the way back."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Answer, after the wait."""
        wait, answer = self.names.answer(data, tcp=False)
        if answer is not None:
            asyncio.get_running_loop().call_later(wait, self._send, answer, addr)

    def _send(self, answer: bytes, addr: Any) -> None:
        if not self.transport.is_closing():
            self.transport.sendto(answer, addr)


class Connections(asyncio.Protocol):
    """Answers over TCP: two bytes of length before each message."""

    def __init__(self, names: Names, transports: set[Any]) -> None:
        self.names, self.transports, self.taken = names, transports, b""

    def connection_made(self, transport: Any) -> None:
        """Keep the way back."""
        self.transport = transport
        self.transports.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Let go."""
        self.transports.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        """Answer what has come whole."""
        self.taken += data
        while len(self.taken) >= 2 and len(self.taken) >= (end := 2 + int.from_bytes(self.taken[:2])):
            message, self.taken = self.taken[2:end], self.taken[end:]
            wait, answer = self.names.answer(message, tcp=True)
            if answer is not None:
                asyncio.get_running_loop().call_later(wait, self._send, answer)

    def _send(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(len(answer).to_bytes(2) + answer)
