"""The bell: what one process did, told to the others that share a store in PostgreSQL, by LISTEN and NOTIFY."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from leadlight.engines.postgres import PostgresEngine
from leadlight.errors import StoreError
from leadlight.service.inbox import Inbox
from leadlight.service.worker import Worker

CALLS = "calls"
"""There are calls to be stored."""
NAMES = "names"
"""The store has new names, or the workspace's files changed."""

_CHANNEL = "leadlight"
_RETRY = 1.0
_TURN = 0.5


def ring(engine: PostgresEngine, what: str) -> None:
    """Tell all who listen; in a transaction, once it is committed."""
    engine.connection.execute(b"SELECT pg_notify(%s, current_schema() || ':' || %s)", [_CHANNEL, what])


@contextmanager
def following(engine: PostgresEngine, inbox: Inbox, worker: Worker) -> Iterator[None]:
    """Let a worker hear of calls that others took in and of new names, and others of those it brings.

    `engine` is the bell's alone, which closes it.
    """

    def heard(what: str) -> None:
        inbox.written.set()
        if what == NAMES:
            worker.note_changes()

    assert isinstance(worker.engine, PostgresEngine)
    ours = worker.engine
    if worker.drains:
        ours.be("worker")
    bell = Bell(engine, heard)
    worker.tell = lambda: ring(ours, NAMES)
    try:
        yield
    finally:
        bell.close()


class Bell:
    """Listens, in a thread of its own, over a connection of its own."""

    def __init__(self, engine: PostgresEngine, heard: Callable[[str], None]) -> None:
        """`heard` is called with what was told; also where it may have been missed."""
        self._engine, self._heard = engine, heard
        self._stop = threading.Event()
        self._listen()
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
        self._thread.join()
        self._engine.close()

    def _listen(self) -> None:
        self._engine.connection.execute(f"LISTEN {_CHANNEL}".encode())
        self._schema = str(self._engine.rows("SELECT current_schema()")[0][0])

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                for note in self._engine.connection.notifies(timeout=_TURN):
                    self._tell(note.payload)
            except psycopg.Error:
                self._return()

    def _tell(self, payload: str) -> None:
        schema, _, what = payload.rpartition(":")
        if schema == self._schema:
            self._heard(what)

    def _return(self) -> None:
        """Connect again; what was told meanwhile is taken to be everything."""
        while not self._stop.wait(_RETRY):
            try:
                self._engine.revive()
                self._listen()
            except (psycopg.Error, StoreError):
                continue
            for what in (CALLS, NAMES):
                self._heard(what)
            return
