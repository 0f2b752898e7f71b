"""DNS messages as bytes: one question out, the records of an answer in (RFC 1035, RFC 6891).

A library reads every kind of record into objects, and takes two thirds of a look-up's CPU for that; we need eight kinds
as text. The tests hold what is read here against dnspython, record by record.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

KINDS = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}
"""The kinds of records that are asked for, by their numbers."""
NAMES = frozenset({KINDS["NS"], KINDS["CNAME"], KINDS["PTR"]})
"""Kinds whose record is a name and nothing else."""
NO_ERROR, NO_SUCH_NAME = 0, 3
ERRORS = {1: "FORMERR", 2: "SERVFAIL", 4: "NOTIMP", 5: "REFUSED"}
IN = 1
PAYLOAD = 1232
"""Bytes of an answer over UDP, as resolvers agreed on DNS flag day 2020."""
MOST_RECORDS = 500
LONGEST_NAME = 255
LONGEST_RECORD = 4096
_HEAD = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_OPTIONS = b"\0\0\x29" + PAYLOAD.to_bytes(2) + bytes(6)
_PLAIN = re.compile(rb"[a-z0-9_-]+")
_SPECIAL = b'"().;\\@$'


class Malformed(ValueError):
    """Bytes that are no DNS message."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: whose it is, its kind, how long it holds, and what it says."""

    owner: str
    kind: int
    ttl: int
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """An answer: how it went, whether it was cut off, and its records."""

    code: int
    truncated: bool
    records: tuple[Record, ...]


def question(number: int, name: str, kind: str) -> bytes:
    """Return a message that asks for a name (ASCII) and a kind; raises Malformed where the name is none."""
    labels = name.encode("ascii").split(b".")
    if any(not 0 < len(label) < 64 for label in labels):
        raise Malformed(name)
    asked = b"".join(len(label).to_bytes(1) + label for label in labels) + b"\0"
    head = _HEAD.pack(number, 0x0100, 1, 0, 0, 1)  # recursion desired; one question, one option record
    return head + asked + struct.pack("!HH", KINDS[kind], IN) + _OPTIONS


def answers(message: bytes, asked: bytes) -> bool:
    """Whether a message is an answer to a question: the same number, and the same question in any case of letters."""
    end = len(asked) - len(_OPTIONS)
    return (
        len(message) >= 12
        and message[:2] == asked[:2]
        and bool(message[2] & 0x80)
        and message[4:6] == b"\0\1"
        and message[12:end].lower() == asked[12:end].lower()
    )


def read(message: bytes) -> Message:
    """Read an answer; raises Malformed where it is none."""
    try:
        return _read(message)
    except (struct.error, IndexError) as error:
        raise Malformed("it ends too early") from error


def _read(message: bytes) -> Message:
    _, flags, questions, count, _, _ = _HEAD.unpack_from(message)
    place = 12
    for _ in range(questions):
        _, place = _name(message, place)
        place += 4
    if flags & 0x0200:  # cut off: what there is of it is of no use
        return Message(flags & 0xF, True, ())
    records = []
    for _ in range(min(count, MOST_RECORDS)):
        owner, place = _name(message, place)
        kind, group, ttl, length = _RECORD.unpack_from(message, place)
        place += 10
        if place + length > len(message):
            raise Malformed("a record is longer than its message")
        if group == IN and kind in _READERS:
            records.append(Record(owner, kind, ttl & 0x7FFFFFFF, _READERS[kind](message, place, place + length)))
        place += length
    return Message(flags & 0xF, False, tuple(records))


def _name(message: bytes, place: int) -> tuple[str, int]:
    """Read a name, in lower case and without the last dot; returns it, and where the message goes on."""
    labels: list[str] = []
    size, after, last = 1, -1, len(message)
    while length := message[place]:
        if length >= 0xC0:
            if after < 0:
                after = place + 2
            place = (length & 0x3F) << 8 | message[place + 1]
            if place >= last:  # pointers lead back, so that they end
                raise Malformed("a name runs in a circle")
            last = place
            continue
        if length >= 64:
            raise Malformed("a name has a part of no known kind")
        last = min(last, place) if after >= 0 else place
        label = message[place + 1 : place + 1 + length]
        size += length + 1
        if len(label) < length or size > LONGEST_NAME:
            raise Malformed("a name is too long")
        labels.append(_label(label.lower()))
        place += length + 1
    return ".".join(labels), (place + 1 if after < 0 else after)


def _label(label: bytes) -> str:
    """Return a label as text, what is no letter of a host's name written as in zone files."""
    if _PLAIN.fullmatch(label):
        return label.decode("ascii")
    return "".join(
        f"\\{chr(byte)}" if byte in _SPECIAL else chr(byte) if 0x20 < byte < 0x7F else f"\\{byte:03d}" for byte in label
    )


def _whole(message: bytes, place: int, end: int) -> str:
    name, after = _name(message, place)
    if after != end:
        raise Malformed("a name does not fill its record")
    return name or "."


def _a(message: bytes, place: int, end: int) -> str:
    if end - place != 4:
        raise Malformed("an IPv4 address has four bytes")
    return str(IPv4Address(message[place:end]))


def _aaaa(message: bytes, place: int, end: int) -> str:
    if end - place != 16:
        raise Malformed("an IPv6 address has sixteen bytes")
    return str(IPv6Address(message[place:end]))


def _mx(message: bytes, place: int, end: int) -> str:
    (preference,) = struct.unpack_from("!H", message, place)
    return f"{preference} {_whole(message, place + 2, end)}"


def _srv(message: bytes, place: int, end: int) -> str:
    priority, weight, port = struct.unpack_from("!3H", message, place)
    return f"{priority} {weight} {port} {_whole(message, place + 6, end)}"


def _soa(message: bytes, place: int, end: int) -> str:
    first, place = _name(message, place)
    second, place = _name(message, place)
    if end - place != 20:
        raise Malformed("a zone's record has five numbers")
    return " ".join([first or ".", second or ".", *map(str, struct.unpack_from("!5I", message, place))])


def _txt(message: bytes, place: int, end: int) -> str:
    parts = []
    while place < end:
        length = message[place]
        if place + 1 + length > end:
            raise Malformed("a text is longer than its record")
        parts.append(message[place + 1 : place + 1 + length])
        place += 1 + length
    return b"".join(parts).decode("utf-8", "replace")[:LONGEST_RECORD]


_READERS = {
    KINDS["A"]: _a,
    KINDS["AAAA"]: _aaaa,
    KINDS["MX"]: _mx,
    KINDS["SOA"]: _soa,
    KINDS["SRV"]: _srv,
    KINDS["TXT"]: _txt,
    **dict.fromkeys(NAMES, _whole),
}
