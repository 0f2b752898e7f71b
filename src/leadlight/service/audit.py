"""The audit log: every change, by whom, when, how it ended; and a chain of hashes, so that tampering is seen.

Entries are only ever added. Each has the hash of the one before it in its own hash, so that whoever changes, removes or
inserts one would have to write all that follow anew, and the last hash would be another than the one noted elsewhere.
What was sent stands there as a digest under a key of this service, so that it can be proved but not guessed. No entry
names a lead: a change of one is a change of "a lead".
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from leadlight.engines.base import Engine
from leadlight.errors import StoreError
from leadlight.service.shelf import asked, locked, make_tables
from leadlight.spec.readable import Readable

FILE = "audit.jsonl"
PAGE = 5_000
"""Entries of a table that are in memory at a time."""
BEFORE_ALL = -(2**63)
FIRST = "0" * 64
"""What stands as the hash before the first entry."""
TABLES = (
    "CREATE TABLE IF NOT EXISTS live_audit (position BIGINT NOT NULL, entry VARCHAR NOT NULL)",
    "CREATE INDEX IF NOT EXISTS live_audit_by_position ON live_audit (position)",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done or tried.

    `who` is the id of a key, a person (`person:…`) or whoever is at the machine (`cli:…`); `what` the method and route,
    or the verb; `on` what was changed, where that is nobody; `outcome` the status; `body` a digest of what was sent.
    """

    who: str
    what: str
    on: str
    outcome: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An act as it is kept."""

    position: int
    at: str
    who: str
    what: str
    on: str
    outcome: str
    body: str
    before: str
    hash: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.at}  {self.who:18}  {self.what} {self.on}  {self.outcome}".rstrip()


@dataclass(frozen=True, slots=True, repr=False)
class Audited(Readable):
    """The newest entries of an audit log, oldest first, and whether the whole log is as it was written."""

    entries: tuple[Entry, ...]
    count: int
    head: str
    broken_at: int | None
    """The first position that does not follow from the one before it."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"entries": [entry.as_dict() for entry in self.entries], "count": self.count, "head": self.head,
                "broken_at": self.broken_at}  # fmt: skip

    def __str__(self) -> str:
        ends = f"{self.count:,} entries, the last with the hash {self.head}"
        if self.broken_at is not None:
            ends = f"The log was tampered with: entry {self.broken_at} does not follow from the one before it"
        return "\n".join([*map(str, self.entries), ends])


def sealed(before: Entry | None, at: datetime, act: Act) -> Entry:
    """Return the entry that follows another.

    >>> first = sealed(None, datetime(2026, 3, 1), Act("k1", "DELETE /v1/keys/{id}", "k2", "200"))
    >>> second = sealed(first, datetime(2026, 3, 2), Act("k1", "POST /v1/keys", "", "201"))
    >>> broken_at([first, second]), broken_at([second]), second.before == first.hash
    (None, 2, True)
    """
    facts = {
        "position": before.position + 1 if before else 1, "at": at.isoformat(timespec="milliseconds") + "Z",
        **asdict(act), "before": before.hash if before else FIRST,
    }  # fmt: skip
    return Entry(**facts, hash=_hash(facts))


def broken_at(entries: Iterable[Entry]) -> int | None:
    """Return the position of the first entry that does not follow from the one before it; None where all do."""
    position, before = 0, FIRST
    for entry in entries:
        facts = {name: value for name, value in asdict(entry).items() if name != "hash"}
        if entry.position != position + 1 or entry.before != before or entry.hash != _hash(facts):
            return position + 1 if entry.position == position + 1 else entry.position
        position, before = entry.position, entry.hash
    return None


def _hash(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class AuditLog(Protocol):
    """Where acts are kept."""

    def append(self, at: datetime, act: Act) -> Entry:
        """Keep an act; it is on disk afterwards. Raises StoreError."""

    def entries(self) -> Iterator[Entry]:
        """Return all entries in order. Raises StoreError where one cannot be read."""


class AuditFile:
    """The log as a file, one entry a line, which only its owner may read."""

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, Lock()

    def append(self, at: datetime, act: Act) -> Entry:
        """Write a line, and see that it is on disk."""
        with self._lock, _written(self.path) as handle:
            last = _last_line(handle)
            entry = sealed(_entry(last) if last else None, at, act)
            os.lseek(handle, 0, os.SEEK_END)
            line = json.dumps(asdict(entry)).encode() + b"\n"
            if os.write(handle, line) < len(line):  # what there was room for is cut off by the next one
                raise StoreError("the audit log cannot be written: there is no room for a whole entry")
            os.fsync(handle)
        return entry

    def entries(self) -> Iterator[Entry]:
        """Return all entries in order."""
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            yield from (_entry(line) for line in file if line.endswith(b"\n"))


@contextmanager
def _written(path: Path) -> Iterator[int]:
    """Open a log to write to it, alone."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_suffix(".lock")):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                yield handle
            finally:
                os.close(handle)
    except OSError as error:
        raise StoreError(f"the audit log cannot be written: {error.strerror}") from None


def _last_line(handle: int, *, longest: int = 8192) -> bytes:
    """Return the last whole line of a file; what a crash has left behind it, and nobody was told of, is cut off."""
    size = os.lseek(handle, 0, os.SEEK_END)
    tail = os.pread(handle, longest, max(0, size - longest))
    whole = tail[: tail.rfind(b"\n") + 1]
    if len(whole) < len(tail):
        os.ftruncate(handle, size - (len(tail) - len(whole)))
    return whole.rstrip(b"\n").rpartition(b"\n")[2]


class AuditTable:
    """The log as a table of the store, over a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        """Make the table where there is none."""
        self.engine, self._lock = engine, Lock()
        make_tables(engine, "live_audit", TABLES)

    def append(self, at: datetime, act: Act) -> Entry:
        """Add a row, one process at a time."""
        with self._lock, asked(self.engine), self.engine.transaction():
            last = self.engine.rows("SELECT entry FROM live_audit ORDER BY position DESC LIMIT 1")
            entry = sealed(_entry(last[0][0]) if last else None, at, act)
            self.engine.execute("INSERT INTO live_audit VALUES (?, ?)", [entry.position, json.dumps(asdict(entry))])
        return entry

    def entries(self) -> Iterator[Entry]:
        """Return all entries in order, a page at a time; rows that claim one position are of one page, and seen."""
        last = BEFORE_ALL
        while found := self._page(last):
            yield from (_entry(text) for _, text in found)
            last = found[-1][0]

    def _page(self, last: int) -> list[tuple[Any, ...]]:
        with self._lock, asked(self.engine):
            ends = self.engine.rows(
                "SELECT position FROM live_audit WHERE position > ? ORDER BY position LIMIT ?", [last, PAGE]
            )
            if not ends:
                return []
            return self.engine.rows(
                "SELECT position, entry FROM live_audit WHERE position > ? AND position <= ? ORDER BY position",
                [last, ends[-1][0]],
            )


def _entry(line: bytes | str) -> Entry:
    try:
        return Entry(**json.loads(line))
    except (ValueError, TypeError):
        raise StoreError("the audit log was tampered with: it holds a line that is no entry") from None


def audited(log: AuditLog, *, limit: int = 50, since: int | None = None, seen: str | None = None) -> Audited:
    """Read the log through: its newest entries, or the first ones after a position, and whether it is whole.

    `seen` is a hash that stood at its end once: where it is not in the log any more, the end was cut off.
    """
    chosen: deque[Entry] = deque(maxlen=limit)
    count, head, there = 0, FIRST, seen in (None, FIRST)

    def noted() -> Iterator[Entry]:
        nonlocal count, head, there
        for entry in log.entries():
            count, head, there = count + 1, entry.hash, there or entry.hash == seen
            if since is None or (entry.position > since and len(chosen) < limit):
                chosen.append(entry)
            yield entry

    walk = noted()
    broken = broken_at(walk)
    for _ in walk:  # what stands behind a break counts too
        pass
    if broken is None and not there:
        broken = count + 1
    return Audited(tuple(chosen), count, head, broken)


def at_the_machine() -> str:
    """Return who is at the machine, as an entry says it."""
    try:
        return f"cli:{getpass.getuser()[:50]}"
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"
