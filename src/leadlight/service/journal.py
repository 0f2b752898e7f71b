"""The journal: what was accepted and is not yet in the store, on disk before its sender hears so.

It is an SQLite file in WAL mode with full sync. Appends that come together share one commit: a thread of its own takes
all that wait, writes them in one transaction, and then tells every sender. A message id that was seen before is not
written again. (Measured, 100 calls a commit: the wait for the disk is the same 3.7 ms as for a bare log with fsync; a
millisecond of CPU more buys the index of message ids and all of crash recovery.)

Positions rise by one from call to call and are never given twice. Who takes calls out keeps its position with what it
made of them, and may `forget` them here afterwards. Bytes of forgotten calls are overwritten.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from uuid import uuid4

from leadlight.engines.base import Engine
from leadlight.errors import StoreError
from leadlight.service.inbox import GROUP, LIMIT, REMEMBERED, Calls, Entry, InboxError, InboxFull, Kept, retry_after
from leadlight.service.live_tables import keep_position, position

_TABLES = """
CREATE TABLE IF NOT EXISTS waiting (position INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS seen (message BLOB PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS days (day INTEGER PRIMARY KEY, position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS last (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class _Append:
    entries: Sequence[Entry]
    done: Future[Kept] = field(default_factory=Future)


class Journal:
    """An open journal, the inbox of the embedded store; one process holds it at a time.

    >>> import tempfile
    >>> from contextlib import closing
    >>> with tempfile.TemporaryDirectory() as folder, closing(Journal(Path(folder) / "j.sqlite")) as journal:
    ...     print(journal.append([(b"1", b"a"), (b"2", b"b")]).result(), journal.append([(b"1", b"a")]).result())
    ...     print(journal.read(0, 10))
    Kept(new=2, repeated=0) Kept(new=0, repeated=1)
    [(1, b'a'), (2, b'b')]
    """

    unscored = 0
    trouble: str | None = None

    def __init__(self, path: Path, *, limit: int = LIMIT) -> None:
        """Open it, or make it with its folder.

        Raises StoreError where that is not possible or another process holds it.
        """
        self.path, self.limit = path, limit
        self.written = threading.Event()
        """Set when there is something new to read; who waits clears it."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _connect(path)
            self._writer.execute("PRAGMA locking_mode = NORMAL")
            self._writer.executescript(_TABLES)
            self._reader = _connect(path)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the journal {path} cannot be opened: {error}") from None
        self.id = self._own_id()
        first, last = self._writer.execute("SELECT min(position), max(position) FROM waiting").fetchone()
        self._last = max(int(self._kept("last")), last or 0)
        self._forgotten = self._last if first is None else first - 1
        self._asked, self._waiting, self._lock = queue.SimpleQueue[_Append | int | None](), 0, threading.Lock()
        self._day, self._stored = 0, 0
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """How many calls wait for the store, those included that are being written."""
        with self._lock:
            return self._last - self._forgotten + self._waiting

    def append(self, entries: Sequence[Entry]) -> Future[Kept]:
        """Write calls; the future is done when they are on disk.

        Raises InboxFull at once where the limit is reached. The future raises InboxError.
        """
        with self._lock:
            depth = self._last - self._forgotten + self._waiting
            if depth + len(entries) > self.limit:
                raise InboxFull(retry_after(depth))
            self._waiting += len(entries)
        append = _Append(entries)
        self._asked.put(append)
        return append.done

    def begin(self, engine: Engine) -> None:
        """Take over from the store how far it came."""
        self._stored = position(engine, self.id)
        self.forget(self._stored)

    def has_more(self, engine: Engine) -> bool:
        """Return whether there are calls that are not in the store."""
        return bool(self.take(engine, 1))

    def take(self, engine: Engine, limit: int) -> Calls:
        """Return the first calls that are not in the store."""
        del engine  # they are in a file of their own
        return self.read(self._stored, limit)

    def settle(self, engine: Engine, calls: Calls) -> None:
        """Keep in the store up to where it has all calls."""
        keep_position(engine, self.id, calls[-1][0])

    def settled(self, calls: Calls) -> None:
        """Let go of calls that are in the store."""
        self._stored = calls[-1][0]
        self.forget(self._stored)

    def read(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return calls behind a position, in order; from one thread only."""
        return self._reader.execute(
            "SELECT position, body FROM waiting WHERE position > ? ORDER BY position LIMIT ?", [after, limit]
        ).fetchall()

    def forget(self, upto: int) -> None:
        """Let go of the calls up to a position: they are in the store."""
        self._asked.put(upto)

    def close(self) -> None:
        """Write what was appended, and let go of the file."""
        self._asked.put(None)
        self._thread.join()
        self._writer.close()
        self._reader.close()

    # ------------------------------------------------------------------------------------------------------ inside

    def _kept(self, name: str) -> int | str:
        found = self._writer.execute("SELECT value FROM last WHERE name = ?", [name]).fetchone()
        return found[0] if found else 0

    def _own_id(self) -> str:
        self._writer.execute("INSERT OR IGNORE INTO last VALUES ('id', ?)", [uuid4().hex])
        return str(self._kept("id"))

    def _run(self) -> None:
        going = True
        while going:
            taken, upto, going = self._take()
            if upto:
                with suppress(sqlite3.Error):  # it is only left lying: the next start or forget takes it away
                    self._drop(upto)
            if taken:
                self._commit(taken)

    def _take(self) -> tuple[list[_Append], int, bool]:
        """Wait for something to do; return all appends that wait, up to where to forget, and whether to go on."""
        taken, upto, going = list[_Append](), 0, True
        item = self._asked.get()
        while True:
            match item:
                case None:
                    going = False
                case int():
                    upto = max(upto, item)
                case _:
                    taken.append(item)
            if not going or sum(len(append.entries) for append in taken) >= GROUP:
                return taken, upto, going
            try:
                item = self._asked.get_nowait()
            except queue.Empty:
                return taken, upto, going

    def _commit(self, taken: Sequence[_Append]) -> None:
        count = sum(len(append.entries) for append in taken)
        try:
            kept, last = self._write(taken)
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")
            with self._lock:
                self._waiting -= count
            for append in taken:
                append.done.set_exception(InboxError(f"the journal cannot be written: {error}"))
            return
        with self._lock:
            self._last, self._waiting = last, self._waiting - count
        self.written.set()
        for append, result in zip(taken, kept, strict=True):
            append.done.set_result(result)

    def _write(self, taken: Sequence[_Append]) -> tuple[list[Kept], int]:
        last, kept, run = self._last, list[Kept](), self._writer.execute
        run("BEGIN IMMEDIATE")
        self._note_day(last)
        for append in taken:
            before = last
            for message, body in append.entries:
                if run("INSERT OR IGNORE INTO seen VALUES (?, ?)", (message, last + 1)).rowcount:
                    last += 1
                    run("INSERT INTO waiting VALUES (?, ?)", (last, body))
            kept.append(Kept(last - before, len(append.entries) - (last - before)))
        run("INSERT OR REPLACE INTO last VALUES ('last', ?)", (last,))
        run("COMMIT")
        return kept, last

    def _note_day(self, last: int) -> None:
        """Once a day, note where it began and forget the message ids that are too old."""
        now = int(time())
        if now // 86_400 == self._day:
            return
        self._day = now // 86_400
        self._writer.execute("INSERT OR IGNORE INTO days VALUES (?, ?)", (self._day, last))
        oldest = now // 86_400 - REMEMBERED
        self._writer.execute(
            "DELETE FROM seen WHERE position <= (SELECT max(position) FROM days WHERE day <= ?)", (oldest,)
        )

    def _drop(self, upto: int) -> None:
        self._writer.execute("DELETE FROM waiting WHERE position <= ?", (upto,))
        with self._lock:
            self._forgotten = max(self._forgotten, min(upto, self._last))


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "wal_autocheckpoint = 2000"):
        connection.execute(f"PRAGMA {setting}")
    return connection
