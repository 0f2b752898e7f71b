"""What was answered before: one SQLite file that survives restarts, and that several processes share.

An answer is on disk before it is handed on, so that a process that is killed repeats no request that was finished. The
key is a hash of what was asked, without headers and secrets; what was asked stands beside it in clear, so that
everything about a person can be found and erased. The file is readable by its owner only.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import queue
import re
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, quote_plus

import zstandard

VERSION = 1
BUSY = 30.0
"""Seconds to wait for another process's write."""
GATHER = 0.005
"""Seconds in which answers gather for one commit."""
KEPT = timedelta(days=180)
"""Answers are dropped that were not fetched again for so long."""
LARGEST = 1 << 26
SHORTEST_SUBJECT = 5
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, about TEXT NOT NULL, asker TEXT NOT NULL, url TEXT NOT NULL, status INTEGER NOT NULL,
    headers TEXT NOT NULL, why TEXT, message TEXT, fetched_at INTEGER NOT NULL, until INTEGER, body BLOB NOT NULL
)
"""
_BY_AGE = "CREATE INDEX IF NOT EXISTS answers_by_age ON answers (fetched_at)"
_READ = "SELECT url, status, headers, body, why, message, fetched_at, until FROM answers WHERE key = ?"
_WRITE = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PHONE = re.compile(r"\+?[\d\s()./-]{8,30}")
PHONE_DIGITS = 8
"""Digits at the end of a phone number by which it is found."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer as it is kept: a reply, or why there was none."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched_at: datetime
    why: str | None = None
    message: str | None = None
    until: datetime | None = None
    """Until when it holds, where the asker has no say in it (failures)."""


def key_of(*parts: str) -> bytes:
    """Return the key of a question: a hash of its parts."""
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).digest()


@dataclass(slots=True)
class _Write:
    row: tuple[object, ...]
    body: bytes
    done: asyncio.Future[bool]
    loop: asyncio.AbstractEventLoop


class Cache:
    """The file, opened: read on the event loop, written by one thread in groups."""

    def __init__(self, path: Path | None, *, now: datetime | None = None) -> None:
        self.path = path
        self._reader = connect(path) if path is not None else None
        self._queue: queue.SimpleQueue[list[_Write] | None] = queue.SimpleQueue()
        self._waiting: list[_Write] = []
        self._inflate = zstandard.ZstdDecompressor()
        self._thread: threading.Thread | None = None
        if self._reader is not None and path is not None:
            drop_old(self._reader, (now or datetime.now(UTC).replace(tzinfo=None)) - KEPT)
            self._thread = threading.Thread(target=self._write_all, args=(path,), name="lookups", daemon=True)
            self._thread.start()

    def read(self, key: bytes) -> Stored | None:
        """Return the answer to a question, None where there is none that can be read."""
        if self._reader is None:
            return None
        try:
            row = self._reader.execute(_READ, (key,)).fetchone()
            if row is None:
                return None
            url, status, headers, body, why, message, fetched_at, until = row
            whole = self._inflate.decompress(body, max_output_size=LARGEST) if body else b""
            return Stored(url, status, json.loads(headers), whole, _moment(fetched_at), why, message,
                          None if until is None else _moment(until))  # fmt: skip
        except (sqlite3.Error, zstandard.ZstdError, ValueError):
            return None

    async def write(self, key: bytes, stored: Stored, *, about: str, asker: str = "") -> bool:
        """Keep an answer; returns when it is on disk, with False where it cannot be kept."""
        if self._thread is None:
            return False
        loop = asyncio.get_running_loop()
        row = (
            key, about, asker, stored.url, stored.status, json.dumps(dict(stored.headers)), stored.why, stored.message,
            _micros(stored.fetched_at), None if stored.until is None else _micros(stored.until),
        )  # fmt: skip
        done: asyncio.Future[bool] = loop.create_future()
        if not self._waiting:
            loop.call_later(GATHER, self._hand_on)
        self._waiting.append(_Write(row, stored.body, done, loop))
        return await done

    def _hand_on(self) -> None:
        """Give the writer what has gathered: waking a thread for each answer costs more than writing it."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._queue.put(waiting)

    def _write_all(self, path: Path) -> None:
        connection = connect(path)
        deflate = zstandard.ZstdCompressor(level=1)
        try:
            while (group := self._queue.get()) is not None:
                _tell(group, kept=_commit(connection, deflate, group))
        finally:
            connection.close()

    def close(self) -> None:
        """Write what waits, and close the file."""
        if self._thread is not None:
            self._hand_on()
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _commit(connection: sqlite3.Connection, deflate: zstandard.ZstdCompressor, group: list[_Write]) -> bool:
    rows = [(*write.row, deflate.compress(write.body) if write.body else b"") for write in group]
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_WRITE, rows)
        connection.execute("COMMIT")
    except sqlite3.Error:  # a full disk, say: answers are used all the same
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        return False
    return True


def _tell(group: list[_Write], *, kept: bool) -> None:
    """Let those go on who wait, with one call into the event loop."""

    def resolve() -> None:
        for write in group:
            if not write.done.done():
                write.done.set_result(kept)

    with contextlib.suppress(RuntimeError):  # the loop has ended
        group[0].loop.call_soon_threadsafe(resolve)


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, made for its owner only; one that is no database is put aside, since it can be made again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise
        path.replace(path.with_name(path.name + ".broken"))
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    # A file that exists is not opened but by SQLite: closing it would take away the locks this process has on it.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    path.chmod(0o600)
    connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    try:
        _to_wal(connection)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA secure_delete=ON")
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _to_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait here while another process does the same."""
    until = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _prepare(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        connection.execute("DROP TABLE IF EXISTS answers")
        connection.execute(_SCHEMA)
        connection.execute(_BY_AGE)
        connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("COMMIT")


def drop_old(connection: sqlite3.Connection, before: datetime) -> int:
    """Drop the answers that were fetched before a moment; returns how many."""
    with contextlib.suppress(sqlite3.OperationalError):  # another process writes: next time
        return connection.execute("DELETE FROM answers WHERE fetched_at < ?", (_micros(before),)).rowcount
    return 0


def forget(path: Path, subjects: Iterable[str]) -> int:
    """Erase every answer that was asked about a subject (an e-mail address, a name, a phone number) or that holds it.

    Questions that hold a hash of it (Gravatar) are found too, and numbers however they are spaced. Returns how many
    answers went. Raises ValueError for a subject shorter than five characters: it would be found everywhere.
    """
    wanted = _pattern(subjects)
    if not path.exists() or wanted is None:
        return 0
    with contextlib.closing(connect(path)) as connection:
        gone = [(key,) for key, text in _texts(connection) if wanted.search(text)]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("DELETE FROM answers WHERE key = ?", gone)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return len(gone)


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, by whom, and when an answer came that is kept."""

    asker: str
    about: str
    url: str
    status: int
    fetched_at: datetime


def find(path: Path, subjects: Iterable[str]) -> list[Question]:
    """Return the questions whose answers `forget` would erase, the oldest first."""
    wanted = _pattern(subjects)
    if not path.exists() or wanted is None:
        return []
    with contextlib.closing(connect(path)) as connection:
        keys = [key for key, text in _texts(connection) if wanted.search(text)]
        read = "SELECT asker, about, url, status, fetched_at FROM answers WHERE key = ?"
        rows = [connection.execute(read, (key,)).fetchone() for key in keys]
    found = [Question(asker, about, url, status, _moment(at)) for asker, about, url, status, at in filter(None, rows)]
    return sorted(found, key=lambda question: question.fetched_at)


def _pattern(subjects: Iterable[str]) -> re.Pattern[bytes] | None:
    forms = sorted({form for subject in subjects for form in _forms(subject)})
    return re.compile(b"|".join(forms)) if forms else None


def forget_asker(path: Path, asker: str) -> int:
    """Erase every answer that one provider asked for; returns how many went."""
    if not path.exists():
        return 0
    with contextlib.closing(connect(path)) as connection:
        gone = connection.execute("DELETE FROM answers WHERE asker = ?", (asker,)).rowcount
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return gone


def _forms(subject: str) -> Iterator[bytes]:
    """Return the ways in which a subject may stand in an address or a body, as patterns."""
    text = subject.strip().lower()
    if len(text) < SHORTEST_SUBJECT:
        raise ValueError(f"a subject to forget needs {SHORTEST_SUBJECT} characters, this one has {len(text)}")
    for form in (text, quote(text, safe=""), quote(text), quote_plus(text), json.dumps(text)[1:-1]):
        yield re.escape(form.lower().encode())
    for name in ("md5", "sha256", "sha1"):
        yield hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest().encode()
    if _PHONE.fullmatch(text):  # without the country's code, and spaced in any way
        digits = re.sub(r"\D", "", text)[-PHONE_DIGITS:]
        yield rb"(?:[\s()./+-]|%20|&nbsp;|\xc2\xa0){0,3}".join(digit.encode() for digit in digits)


def _texts(connection: sqlite3.Connection) -> Iterator[tuple[bytes, bytes]]:
    inflate = zstandard.ZstdDecompressor()
    for key, about, url, headers, body in connection.execute("SELECT key, about, url, headers, body FROM answers"):
        try:
            whole = inflate.decompress(body, max_output_size=LARGEST) if body else b""
        except zstandard.ZstdError:
            whole = b""
        yield key, "\n".join((about, url, headers)).lower().encode("utf-8", "replace") + b"\n" + whole.lower()


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
