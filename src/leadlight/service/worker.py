"""The worker: takes calls out of the inbox into the store, and scores at once whoever they are about.

A micro-batch is one transaction: events, traits, identities, who is to be scored again, and that the calls are taken
out. So a crash at any moment repeats nothing and loses nothing. What is loaded is loaded by
the functions that `ingest` uses, so live and batch mean the same.

Scores and changes of grade are a second transaction, at once where the worker keeps up. Where more waits than it stores
at a time, it stores first and scores what has come together, so that nobody is scored twice in between.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from leadlight.engines.base import Engine
from leadlight.engines.desk import lasting_desk
from leadlight.errors import LeadlightError
from leadlight.service.identity import join_aliases, settle_devices
from leadlight.service.inbox import Inbox
from leadlight.service.live_tables import prepare, refuse
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.mail.addresses import settle_addresses
from leadlight.service.rescore import gather_changed, note_changed, rescore
from leadlight.service.staging import drop_calls, keep_traits, stage_accounts, stage_calls, stage_events, stage_traits
from leadlight.store import facts
from leadlight.store.accounts import load_accounts
from leadlight.store.attributes import load_leads
from leadlight.store.events import load_events, settle_events
from leadlight.store.history import ACCOUNTS
from leadlight.store.leads import refresh_leads, touch_undated
from leadlight.store.merge import merge_duplicates
from leadlight.store.names import catalog
from leadlight.store.periods import rebuild
from leadlight.store.runs import start_run

MICRO = 5_000
"""Calls of a micro-batch at most; fewer wait for nobody."""
LONGEST = 1.0
"""Seconds for which scoring is put off at most, when more waits to be stored."""
IDLE = 0.5
"""Seconds after which the worker looks around though nobody called."""
PATIENCE = 30.0
"""Seconds between tries at most, where the store cannot be written."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a round of scoring came to."""

    scored: int
    """How many scores were given."""
    received: tuple[datetime, ...]
    """When the calls were received that it was about."""
    at: datetime
    """When their scores could be read."""


class Watcher(Protocol):
    """Who is told what the worker does."""

    def stored(self, calls: int, seconds: float) -> None:
        """Hear of a micro-batch in the store."""

    def scored(self, scored: Scored) -> None:
        """Hear of scores that can be read."""

    def refused(self, reason: str) -> None:
        """Hear of a call that was put aside."""


class Worker:
    """Drains an inbox into a workspace's store, in a thread of its own."""

    def __init__(self, workspace: LiveWorkspace, inbox: Inbox, watcher: Watcher) -> None:
        """Take over where a former worker ended; the store is scored once, so that all has a score."""
        self.workspace, self.inbox, self.watcher = workspace, inbox, watcher
        self.engine, self.desk = workspace.engine, lasting_desk(workspace.engine)
        prepare(self.engine)
        inbox.begin(self.engine)
        self.engine.execute("DELETE FROM live_unscored")
        self._tried = 0
        self._received: list[datetime] = []
        self._scored_at = time.monotonic()
        self.names = catalog(self.engine)
        self.changes = 0
        """Counts the times that names were added to the store."""
        self.stored = 0
        """Counts the calls brought into the store since the start."""
        self.trouble: str | None = None
        """Why nothing can be stored at present."""
        self._run = start_run(self.engine, "serve", started_at=workspace.now())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, *, seconds: float = 20.0) -> None:
        """Finish what is being stored; what still waits in the inbox is taken up at the next start."""
        self._stop.set()
        self.inbox.written.set()
        self._thread.join(seconds)

    @property
    def unscored(self) -> int:
        """How many calls are in the store whose scores are still to come."""
        return len(self._received)

    @property
    def alive(self) -> bool:
        """Whether it works."""
        return self._thread.is_alive()

    def drain(self) -> int:
        """Store all that waits; return how many calls."""
        count = 0
        while not self._stop.is_set() and (stored := self._store(MICRO)):
            count += stored
            if stored < MICRO or time.monotonic() - self._scored_at > LONGEST:
                self._score()
        return count

    # ------------------------------------------------------------------------------------------------------ inside

    def _work(self) -> None:
        pause = IDLE
        while not self._stop.is_set():
            self.inbox.written.wait(IDLE)
            self.inbox.written.clear()
            try:
                self.drain()
                if self._received:  # it could not be done before
                    self._score()
                self.trouble, pause = None, IDLE
            except Exception as error:  # the thread must live: it says what is wrong, and tries again
                self.trouble = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
                self._stop.wait(pause)
                pause = min(pause * 2, PATIENCE)
                self.inbox.written.set()

    def _store(self, limit: int) -> int:
        """Store so many of the calls that wait, and return how many there were.

        Where one of them cannot be stored, the others are, and that one is put aside.
        """
        try:
            return self._store_all(limit)
        except (self.engine.fault, LeadlightError) as raised:
            error, tried = _cause(self.engine, raised), self._tried
            if tried == 0 or self.engine.unusable(error):
                raise
        if tried > 1:
            return self._store(tried // 2) + self._store(tried - tried // 2)
        return self._put_aside(error)

    def _put_aside(self, error: Exception) -> int:
        with self.engine.transaction():
            calls = self.inbox.take(self.engine, 1)
            for _, body in calls:
                refuse(self.engine, self.workspace.now(), body.decode(), str(error)[:500])
            if calls:
                self.inbox.settle(self.engine, calls)
        if calls:
            self.inbox.settled(calls)
            self.watcher.refused(type(error).__name__)
        return len(calls)

    def _store_all(self, limit: int) -> int:
        began, engine, self._tried = time.perf_counter(), self.engine, 0
        if not self.inbox.has_more(engine):
            return 0
        try:
            with engine.transaction():
                calls = self.inbox.take(engine, limit)
                if not calls:
                    return 0
                self._tried = len(calls)
                received = stage_calls(engine, self.desk, calls)
                self._load()
                self._look_at_names()
                note_changed(engine)
                self.inbox.settle(engine, calls)
        finally:
            if self._tried:
                self._clean()
        self.inbox.settled(calls)
        self.stored += len(calls)
        self._received += received
        self.watcher.stored(len(calls), time.perf_counter() - began)
        return len(calls)

    def _load(self) -> None:
        """Bring the staged calls into the store's tables, and make again what follows from them."""
        engine, now = self.engine, self.workspace.now()
        engine.execute("CREATE TEMP TABLE touched (lead INTEGER)")
        engine.execute("CREATE TEMP TABLE touched_accounts (account VARCHAR)")
        sources = self.workspace.loaded.workspace.spec.sources
        merge_by = {name: source.merge_by for name, source in sources.items()}
        settle_addresses(engine, merge_by)
        said = bool(engine.rows("SELECT 1 FROM live_calls WHERE said LIMIT 1"))
        if said:
            keep_traits(engine, self.desk)
        moved = settle_devices(engine, at=now)
        if said or moved:
            self._load_traits(now)
        if (events := stage_events(engine, self.desk)) is not None:
            load_events(engine, events, None)
        if join_aliases(engine, merge_by, at=now) or said or moved:
            merge_duplicates(engine, merge_by, at=now, touched_only=True)
        self._settle(events is not None)

    def _load_traits(self, now: datetime) -> None:
        engine, features = self.engine, self.workspace.feature_names
        if (leads := stage_traits(engine, self.desk, features)) is not None:
            load_leads(engine, leads, now)
        if (accounts := stage_accounts(engine, self.desk, features)) is not None:
            load_accounts(engine, accounts, now)

    def _settle(self, events: bool) -> None:
        engine = self.engine
        if events:
            settle_events(engine)
            if engine.rows("SELECT 1 FROM observations WHERE _created_at IS NULL AND known_at IS NULL LIMIT 1"):
                touch_undated(engine)
        if engine.rows("SELECT 1 FROM touched LIMIT 1"):
            refresh_leads(engine)
            facts.settle(engine, self.workspace.loaded.workspace.spec.enrich)
        rebuild(engine, ACCOUNTS)

    def _look_at_names(self) -> None:
        """Where calls brought new names or types of events, let the scorecards know of them."""
        names = catalog(self.engine)
        if names != self.names:
            self.names = names
            self.workspace.refresh()
            self.changes += 1

    def _score(self) -> None:
        """Score whoever something happened to since the last time."""
        engine, now, scored = self.engine, self.workspace.now(), 0
        with engine.transaction():
            if gather_changed(engine, now):
                resolved = self.workspace.resolved
                for card in resolved.scorecards.values():
                    scored += rescore(engine, resolved, card, now, run=self._run)
            engine.execute("DELETE FROM live_unscored")
        received, self._received, self._scored_at = tuple(self._received), [], time.monotonic()
        self.watcher.scored(Scored(scored, received, self.workspace.now()))

    def _clean(self) -> None:
        drop_calls(self.desk)
        if self.engine is not self.desk:
            drop_calls(self.engine)
        for table in ("touched", "touched_accounts"):
            self.engine.execute(f"DROP TABLE IF EXISTS {table}")


def _cause(engine: Engine, error: Exception) -> Exception:
    """Return what went wrong first: what is done in a transaction after a fault only says that there was one."""
    found: BaseException = error
    while engine.follows(found) and found.__context__ is not None:
        found = found.__context__
    assert isinstance(found, Exception)
    return found
