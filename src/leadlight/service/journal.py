"""The journal: what was accepted and is not yet in the store, on disk before its sender hears so.

It is an SQLite file in WAL mode with full sync. Appends that come together share one commit: a thread of its own takes
all that wait, writes them in one transaction, and then tells every sender. A message id that came lately is not
written again; which did is kept here in the order of arrival, and in memory sorted (`seen`). Older ones the store
knows. (Measured, 100 calls a commit: the wait for the disk is the same 3.7 ms as for a bare log with fsync; half a
millisecond of CPU more buys all of crash recovery.)

Positions rise by one from call to call and are never given twice. Who takes calls out keeps its position with what it
made of them, and may `forget` them here afterwards. Bytes of forgotten calls are overwritten.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from leadlight.engines.base import Engine
from leadlight.errors import StoreError
from leadlight.service.inbox import GROUP, LIMIT, Calls, Entry, InboxError, InboxFull, Kept, retry_after
from leadlight.service.live_tables import keep_position, position
from leadlight.service.seen import RECENT, Seen

_TABLES = """
CREATE TABLE IF NOT EXISTS waiting (position INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS recent (position INTEGER PRIMARY KEY, message BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS last (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""

LOADED = 50_000
"""Message ids that are read at a time."""


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

    def __init__(self, path: Path, *, limit: int = LIMIT, recent: int = RECENT) -> None:
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
        self._stored = 0
        self._seen = Seen(recent=recent)
        self._oldest = self._load_seen()
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
        append.done.set_running_or_notify_cancel()  # whoever waits for it may go away; it is written all the same
        self._asked.put(append)
        return append.done

    def begin(self, engine: Engine) -> None:
        """Take over from the store how far it came."""
        self._stored = position(engine, self.id)
        self.forget(self._stored)

    def has_more(self, engine: Engine) -> bool:
        """Return whether there are calls that are not in the store."""
        return bool(self.take(engine, 1))

    def waiting(self, engine: Engine) -> Callable[[], bool]:
        """Return what says whether any of the calls that wait now still does."""
        del engine
        last = self._last
        return lambda: self._stored < last

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

    def _load_seen(self) -> int:
        """Read which message ids came lately; return the position of the oldest."""
        found = self._writer.execute("SELECT position, message FROM recent ORDER BY position")
        oldest = None
        while part := found.fetchmany(LOADED):
            self._seen.add([message for _, message in part], part[0][0])
            oldest = part[0][0] if oldest is None else oldest
        return self._last + 1 if oldest is None else int(oldest)

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
        first, run = self._last + 1, self._writer
        parts = self._new(taken)
        messages = [message for part in parts for message in part]
        calls = [call for part in parts for call in part.values()]
        last = self._last + len(calls)
        forgotten = min(last - self._seen.recent, self._oldest + 2 * len(calls))
        run.execute("BEGIN IMMEDIATE")
        run.executemany("INSERT INTO recent VALUES (?, ?)", zip(range(first, last + 1), messages, strict=True))
        run.executemany("INSERT INTO waiting VALUES (?, ?)", zip(range(first, last + 1), calls, strict=True))
        if forgotten >= self._oldest:
            run.execute("DELETE FROM recent WHERE position <= ?", (forgotten,))
        run.execute("INSERT OR REPLACE INTO last VALUES ('last', ?)", (last,))
        run.execute("COMMIT")
        self._oldest = max(self._oldest, forgotten + 1)
        if messages:
            self._seen.add(messages, first)
        sizes = zip(taken, parts, strict=True)
        return [Kept(len(part), len(append.entries) - len(part)) for append, part in sizes], last

    def _new(self, taken: Sequence[_Append]) -> list[dict[bytes, bytes]]:
        """Return of each append the calls that did not come before, by message id."""
        entries = [message for append in taken for message, _ in append.entries]
        known = {entries[place] for place, at in self._seen.find(entries).items() if self._is_at(entries[place], at)}
        parts = list[dict[bytes, bytes]]()
        for append in taken:
            part = dict[bytes, bytes]()
            for message, body in append.entries:
                if message not in known:
                    known.add(message)
                    part[message] = body
            parts.append(part)
        return parts

    def _is_at(self, message: bytes, at: int) -> bool:
        found = self._writer.execute("SELECT message FROM recent WHERE position = ?", (at,)).fetchone()
        return bool(found == (message,))

    def _drop(self, upto: int) -> None:
        self._writer.execute("DELETE FROM waiting WHERE position <= ?", (upto,))
        with self._lock:
            self._forgotten = max(self._forgotten, min(upto, self._last))


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "wal_autocheckpoint = 2000"):
        connection.execute(f"PRAGMA {setting}")
    return connection
