"""The inbox of a store in PostgreSQL: tables beside those of the store, that any number of processes write to.

Appends that come together share one commit: a thread of its own takes all that wait in this process and writes them
with one statement. A message id that was seen before is not written again. Calls are taken out by deleting them in the
transaction that stores them, so that they are in the one place or in the other, whatever ends when.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import time
from uuid import UUID

import psycopg

from leadlight.engines.base import Engine
from leadlight.engines.postgres import PostgresEngine
from leadlight.errors import StoreError
from leadlight.service.bell import CALLS, ring
from leadlight.service.inbox import GROUP, LIMIT, REMEMBERED, Calls, Entry, InboxError, InboxFull, Kept, retry_after

TABLES = (
    # Rows are deleted as fast as they come: the table is to be cleaned by what is dead in it, not by its size.
    "CREATE TABLE IF NOT EXISTS live_inbox (position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "body TEXT NOT NULL) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)",
    "CREATE TABLE IF NOT EXISTS live_seen (message UUID PRIMARY KEY, day INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS live_seen_by_day ON live_seen USING brin (day)",
)

LOOK = 0.1
"""Seconds after which it is looked how many calls wait, where some did."""
REST = 1.0
"""The same, where none did."""

_CALLS = "unnest($1::text::uuid[], string_to_array($2, E'\\n')) WITH ORDINALITY AS c(message, body, place)"

# Message ids are written in their order, so that two processes that write the same ones do not wait for each other.
_WRITE = f"""
WITH fresh AS (
    INSERT INTO live_seen (message, day) SELECT m, $3::text::integer FROM unnest($1::text::uuid[]) m ORDER BY m
    ON CONFLICT DO NOTHING RETURNING message
), put AS (
    INSERT INTO live_inbox (body) SELECT body FROM {_CALLS} JOIN fresh USING (message) ORDER BY place
)
SELECT count(*), CASE WHEN count(*) < $4::text::integer THEN array_agg(message) END FROM fresh
"""  # noqa: S608 - our own words

_LOOK = """SELECT coalesce((SELECT position FROM live_inbox ORDER BY position DESC LIMIT 1)
    - (SELECT position FROM live_inbox ORDER BY position LIMIT 1) + 1, 0),
    (SELECT count(*) FROM live_unscored), (SELECT count(*) FROM pg_stat_activity
    WHERE application_name = left('leadlight worker ' || current_schema(), 63))"""
"""How many calls wait, counted by their numbers (a few too many, where a transaction failed); how many leads have no
score yet; how many workers there are."""


@dataclass(frozen=True, slots=True)
class _Append:
    entries: Sequence[Entry]
    done: Future[Kept] = field(default_factory=Future)


class PostgresInbox:
    """The inbox of one process, over a connection of its own."""

    def __init__(self, engine: PostgresEngine, *, limit: int = LIMIT) -> None:
        """`engine` is the inbox's alone; it closes it."""
        self.limit, self._engine = limit, engine
        self.written = threading.Event()
        self._asked = queue.SimpleQueue[_Append | None]()
        self._lock, self._kept, self._waiting, self._day = threading.Lock(), 0, 0, 0
        self.unscored = 0
        self.trouble: str | None = None
        with engine.transaction():
            for statement in TABLES:
                engine.connection.execute(statement.encode())
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """How many calls wait for the store, as it was a moment ago; those of this process are all counted."""
        with self._lock:
            return self._kept + self._waiting

    def append(self, entries: Sequence[Entry]) -> Future[Kept]:
        """Write calls; the future is done when they are on disk.

        Raises InboxFull at once where the limit is reached. The future raises InboxError.
        """
        with self._lock:
            depth = self._kept + self._waiting
            if depth + len(entries) > self.limit:
                raise InboxFull(retry_after(depth))
            self._waiting += len(entries)
        append = _Append(entries)
        append.done.set_running_or_notify_cancel()  # whoever waits for it may go away; it is written all the same
        self._asked.put(append)
        return append.done

    def begin(self, engine: Engine) -> None:
        """Do nothing: what is in the store is not in the inbox."""

    def has_more(self, engine: Engine) -> bool:
        """Return whether any call waits."""
        return bool(engine.rows("SELECT position FROM live_inbox ORDER BY position LIMIT 1"))

    def waiting(self, engine: Engine) -> Callable[[], bool]:
        """Return what says whether any of the calls that wait now still does."""
        last = engine.rows("SELECT max(position) FROM live_inbox")[0][0]
        left = "SELECT 1 FROM live_inbox WHERE position <= ? LIMIT 1"
        return lambda: last is not None and bool(engine.rows(left, [last]))

    def take(self, engine: Engine, limit: int) -> Calls:
        """Take the first calls out; whoever rolls the transaction back puts them in again."""
        found = engine.rows(
            "DELETE FROM live_inbox WHERE position IN (SELECT position FROM live_inbox ORDER BY position LIMIT ?) "
            "RETURNING position, body",
            [limit],
        )
        return [(position, body.encode()) for position, body in sorted(found)]

    def settle(self, engine: Engine, calls: Calls) -> None:
        """Do nothing: they are out."""

    def settled(self, calls: Calls) -> None:
        """Count them as gone."""
        with self._lock:
            self._kept = max(self._kept - len(calls), 0)

    def close(self) -> None:
        """Write what was appended, and let go of the connection."""
        self._asked.put(None)
        self._thread.join()
        self._engine.close()

    # ------------------------------------------------------------------------------------------------------ inside

    def _run(self) -> None:
        going = True
        while going:
            taken, going = self._take()
            if taken:
                self._commit(taken)
            else:
                self._look()

    def _take(self) -> tuple[list[_Append], bool]:
        """Wait a while for something to do; return all appends that wait, and whether to go on."""
        taken, count = list[_Append](), 0
        try:
            item = self._asked.get(timeout=LOOK if self._kept or self.unscored else REST)
            while item is not None:
                taken.append(item)
                count += len(item.entries)
                if count >= GROUP:
                    return taken, True
                item = self._asked.get_nowait()
        except queue.Empty:
            return taken, True
        return taken, False

    def _look(self) -> None:
        """See how many calls wait, and who stores them; where that is not to be seen, the last number stands."""
        try:
            self._engine.revive()
            found = self._engine.connection.execute(_LOOK.encode()).fetchone() or (0, 0, 0)
        except (psycopg.Error, StoreError) as error:
            self.trouble = f"the store cannot be reached: {str(error).strip().partition(chr(10))[0]}"
            return
        with self._lock:
            self._kept, self.unscored, workers = (int(value) for value in found)
        self.trouble = None if workers else "no worker runs: what is taken in waits"

    def _commit(self, taken: Sequence[_Append]) -> None:
        try:
            self._engine.revive()
            kept = self._write(taken)
        except psycopg.DataError as error:  # a call that PostgreSQL does not take is to take no other with it
            if len(taken) > 1:
                for append in taken:
                    self._commit([append])
                return
            self._failed(taken, error)
        except (psycopg.Error, StoreError) as error:
            self._failed(taken, error)
        else:
            self._succeeded(taken, kept)

    def _write(self, taken: Sequence[_Append]) -> list[Kept]:
        first = {message: body for append in reversed(taken) for message, body in reversed(append.entries)}
        messages, today = list(reversed(first)), int(time()) // 86_400
        bodies = b"\n".join(first[message] for message in messages)
        text = "{" + ",".join(message.hex() for message in messages) + "}"
        cursor = psycopg.RawCursor(self._engine.connection)
        # One statement is one transaction.
        found = cursor.execute(_WRITE.encode(), [text, bodies.decode(), str(today), str(len(first))], prepare=True)
        count, named = found.fetchone() or (0, None)
        fresh = set(first) if count == len(first) else {_digest(message) for message in named or ()}
        self._forget_old(today)
        return list(_each(taken, fresh))

    def _forget_old(self, today: int) -> None:
        """Once a day, forget the message ids that are too old."""
        if today != self._day:
            self._day = today
            psycopg.RawCursor(self._engine.connection).execute(
                b"DELETE FROM live_seen WHERE day < $1", [today - REMEMBERED]
            )

    def _succeeded(self, taken: Sequence[_Append], kept: Sequence[Kept]) -> None:
        with self._lock:
            self._waiting -= sum(len(append.entries) for append in taken)
            self._kept += sum(one.new for one in kept)
        for append, result in zip(taken, kept, strict=True):
            append.done.set_result(result)
        self.written.set()
        try:
            ring(self._engine, CALLS)
        except psycopg.Error:  # who did not hear it looks around by itself
            return

    def _failed(self, taken: Sequence[_Append], error: Exception) -> None:
        with self._lock:
            self._waiting -= sum(len(append.entries) for append in taken)
        reason = f"the calls cannot be kept: {str(error).strip().partition(chr(10))[0]}"
        if not isinstance(error, psycopg.DataError):
            self.trouble = reason
        for append in taken:
            append.done.set_exception(InboxError(reason))


def _digest(message: UUID | str) -> bytes:
    return UUID(str(message)).bytes


def _each(taken: Iterable[_Append], fresh: set[bytes]) -> Iterable[Kept]:
    """Tell of each append how many of its messages are new: the first of several with the same id is."""
    left = set(fresh)
    for append in taken:
        before = len(left)
        left.difference_update(message for message, _ in append.entries)
        new = before - len(left)
        yield Kept(new, len(append.entries) - new)
