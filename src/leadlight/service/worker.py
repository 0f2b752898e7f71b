"""The worker: takes calls out of the inbox into the store, and scores at once whoever they are about.

A micro-batch is one transaction: events, traits, identities, who is to be scored again, and that the calls are taken
out. So a crash at any moment repeats nothing and loses nothing. What is loaded is loaded by
the functions that `ingest` uses, so live and batch mean the same.

Scores and changes of grade are a second transaction, at once where the worker keeps up. Where more waits than it stores
at a time, it stores first and scores what has come together, so that nobody is scored twice in between.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from leadlight.engines.desk import lasting_desk
from leadlight.engines.faults import cause
from leadlight.errors import LeadlightError, SpecError, StoreError
from leadlight.service import at_hand, enrich_queue, traces
from leadlight.service.clock import Clock
from leadlight.service.identity import join_aliases, settle_devices
from leadlight.service.inbox import Calls, Inbox
from leadlight.service.live_tables import LIVE, refuse
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.mail.addresses import settle_addresses
from leadlight.service.marks import Marks, drop_marks
from leadlight.service.rescore import gather_changed, note_changed, rescore
from leadlight.service.staging import drop_calls, keep_traits, stage_accounts, stage_calls, stage_events, stage_traits
from leadlight.service.words import settle_words
from leadlight.store import facts
from leadlight.store.accounts import load_accounts
from leadlight.store.apart import any_apart
from leadlight.store.attributes import load_leads
from leadlight.store.domains import settle_domains
from leadlight.store.events import load_events, settle_events
from leadlight.store.history import ACCOUNTS
from leadlight.store.known_keys import known_keys
from leadlight.store.known_values import KnownValues
from leadlight.store.leads import refresh_leads, touch_undated
from leadlight.store.merge import merge_duplicates
from leadlight.store.names import catalog
from leadlight.store.periods import rebuild
from leadlight.store.runs import start_run
from leadlight.store.scorecards import is_in_use

MICRO = 5_000
"""Calls of a micro-batch at most; fewer wait for nobody."""
LONGEST = 1.0
"""Seconds for which scoring is put off at most, when more waits to be stored."""
LOOK_UP = 5.0
"""Seconds after which the worker looks around though calls never cease."""
IDLE = 0.5
"""Seconds after which the worker looks around though nobody called."""
LONG_TAIL = 0.5
"""The share of events that may lie out of order while calls come: to put millions in order holds everybody up."""
QUIET = 60.0
"""Seconds without a call after which they are put in order."""
PATIENCE = 30.0
"""Seconds between tries at most, where the store cannot be written; for which is waited for other workers, too."""
TURN = 0.02
"""Seconds between looks whether they have stored what waits."""

Done = TypeVar("Done")


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


class _Gone(Exception):
    """What was to be taken out of the inbox is not there any more; what was taken instead is put back."""


class Worker:
    """Drains an inbox into a workspace's store, in a thread of its own."""

    def __init__(self, workspace: LiveWorkspace, inbox: Inbox, watcher: Watcher, *, drains: bool = True) -> None:
        """Take over where a former worker ended, in a store that is `prepare`d, where everybody has a score.

        One that does not drain leaves storing and scoring to the workers of other processes, and runs errands only.
        """
        self.drains = drains
        self.workspace, self.inbox, self.watcher = workspace, inbox, watcher
        self.engine, self.desk = workspace.engine, lasting_desk(workspace.engine)
        inbox.begin(self.engine)
        self._left = drains and bool(self.engine.rows("SELECT 1 FROM live_unscored LIMIT 1"))
        self._tried: Calls = ()
        """The calls that were to be stored at the last try."""
        self._received: list[datetime] = []
        self._scored_at = self._stored_at = time.monotonic()
        self._untidy = True
        self.clock = Clock(self.engine, workspace.now(), workspace.resolved.spec.clock.every)
        """Knows when scores are to be given again although nobody called."""
        self.names = catalog(self.engine)
        self.marks = Marks()
        self._values = KnownValues()
        self._known = known_keys(self.engine, LIVE) if drains else None
        self.changes = 0
        """Counts the times that names were added to the store, or the workspace's files changed."""
        self.tell: Callable[[], None] = lambda: None
        """Called then too, to let other processes know."""
        self._renamed, self._looked_at = False, 0.0
        self._unfit: SpecError | None = None
        self.stored = 0
        """Counts the calls brought into the store since the start."""
        self.trouble: str | None = None
        """Why nothing can be stored at present."""
        self.faults: SpecError | None = None
        """What is wrong with the workspace's files as they stand; the service goes on by what they said before."""
        with self.engine.transaction():
            self._run = start_run(self.engine, "serve", started_at=workspace.now())
        self._stop = threading.Event()
        self._errands = queue.SimpleQueue[tuple[Callable[[LiveWorkspace], Any], Future[Any]]]()
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, *, seconds: float = 20.0) -> None:
        """Finish what is being stored; what still waits in the inbox is taken up at the next start."""
        self._stop.set()
        self.inbox.written.set()
        self._thread.join(seconds)
        self._turn_away()

    def do(self, errand: Callable[[LiveWorkspace], Done]) -> Future[Done]:
        """Do something that changes the store, between micro-batches: all calls accepted before are stored by then.

        Where other processes store them, that is as long as any of these works. The future raises what the errand
        raises, and StoreError where the worker ends before.
        """
        done: Future[Done] = Future()
        done.set_running_or_notify_cancel()  # whoever asked may go away; it is done all the same
        self._errands.put((errand, done))
        self.inbox.written.set()
        if not self.alive:
            self._turn_away()
        return done

    @property
    def unscored(self) -> int:
        """How many calls are in the store whose scores are still to come (or leads, where others score them)."""
        return max(len(self._received), self.inbox.unscored)

    @property
    def alive(self) -> bool:
        """Whether it works."""
        return self._thread.is_alive()

    def drain(self) -> int:
        """Store what waits, all of it unless calls never cease; return how many calls."""
        count, began = 0, time.monotonic()
        while not self._stop.is_set() and (stored := self._store(MICRO)):
            count += stored
            if stored < MICRO or time.monotonic() - self._scored_at > LONGEST:
                self._score()
            if not self._errands.empty() or time.monotonic() - began > LOOK_UP:
                self.inbox.written.set()  # more may wait
                break
        return count

    # ------------------------------------------------------------------------------------------------------ inside

    def _work(self) -> None:
        pause = IDLE
        while not self._stop.is_set():
            self.inbox.written.wait(IDLE)
            self.inbox.written.clear()
            try:
                self.engine.revive()
                self._look_at_files()
                self._look_at_others()
                if self.drains:
                    self._drain_all()
                self._run_errands()
                self.trouble, pause = None, IDLE
            except Exception as error:  # the thread must live: it says what is wrong, and tries again
                self.trouble = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
                self._stop.wait(pause)
                pause = min(pause * 2, PATIENCE)
                self.inbox.written.set()

    def _drain_all(self) -> None:
        self.drain()
        elsewhere = not self.engine.capabilities.one_file and self._waits_for_scores()
        if self._received or self._left or elsewhere or self.clock.strikes(self.workspace.now()):
            self._score()
            self._left = False
        self._tidy()

    def _tidy(self) -> None:
        """Put what came in order, once nobody has called for a while."""
        if self._untidy and time.monotonic() - self._stored_at > QUIET:
            with self.engine.transaction():
                settle_events(self.engine)
            self._untidy = False

    def _waits_for_scores(self) -> bool:
        """Return whether somebody is noted to be scored again, by what others do to the store too."""
        return bool(self.engine.rows("SELECT 1 FROM live_unscored LIMIT 1"))

    def _run_errands(self) -> None:
        while not self._stop.is_set() and not self._errands.empty():
            if self.drains:
                self._store_what_waits()
            else:
                self._let_others_store()
            try:
                errand, done = self._errands.get_nowait()
            except queue.Empty:  # turned away meanwhile
                return
            try:
                at_hand.set_down(self.engine)
                found = errand(self.workspace)
                self._left |= self._waits_for_scores()
                self._values.forget()
                self._look_at_files()
                self._look_at_names()
                self._tell_names()
            except BaseException as error:  # whoever asked must hear of it
                done.set_exception(error)
            else:
                done.set_result(found)

    def _store_what_waits(self) -> None:
        """Store the calls that wait now, and score; more may come meanwhile."""
        left = self.inbox.depth
        while left > 0 and not self._stop.is_set() and (stored := self._store(MICRO)):
            left -= stored
        if self._received:
            self._score()

    def _let_others_store(self) -> None:
        """Wait until other workers have stored the calls that wait now, as long as there are any who do."""
        waits, end = self.inbox.waiting(self.engine), time.monotonic() + PATIENCE
        while waits() and self.inbox.trouble is None and time.monotonic() < end and not self._stop.is_set():
            self._stop.wait(TURN)

    def _turn_away(self) -> None:
        while True:
            try:
                _, done = self._errands.get_nowait()
            except queue.Empty:
                return
            done.set_exception(StoreError("the service is stopping", fix="Send it again in a moment."))

    def _look_at_files(self) -> None:
        """Where scorecards or leadlight.yaml were changed, go on by them: what is new scores everybody, silently.

        Files with faults change nothing: `faults` says what is wrong with them.
        """
        try:
            if not self.workspace.reload():
                return
        except SpecError as error:
            self.faults = error
            return
        self.faults = None
        if self.drains:
            self._publish()
        self.note_changes()
        self.tell()

    def _look_at_others(self) -> None:
        """Where others share the store, go on by the names that they have brought."""
        if self.engine.capabilities.one_file or time.monotonic() - self._looked_at < IDLE:
            return
        self._looked_at = time.monotonic()
        self._look_at_names()
        self._tell_names()

    def _publish(self) -> None:
        """Score everybody by each scorecard that is new; of several workers the first does it."""
        for card in self.workspace.scorecards:
            if is_in_use(self.engine, card.name, card.version):
                continue
            with self.engine.transaction():
                if not is_in_use(self.engine, card.name, card.version):
                    self.workspace.score(card.name)

    def _store(self, limit: int) -> int:
        """Store so many of the calls that wait, and return how many there were.

        Where one of them cannot be stored, the others are, and that one is put aside.
        """
        try:
            return self._store_all(limit)
        except (self.engine.fault, self.desk.fault, LeadlightError) as raised:
            error, tried = cause(self.engine, raised), self._tried
            if not tried or self.engine.unusable(error) or self.desk.unusable(error):
                raise
        if len(tried) > 1:
            half = len(tried) // 2
            return self._store(half) + self._store(len(tried) - half)
        return self._put_aside(tried, error)

    def _put_aside(self, broken: Calls, error: Exception) -> int:
        """Put a call aside; return how many that is: another worker may have done so meanwhile."""
        try:
            with self.engine.transaction():
                if list(self.inbox.take(self.engine, 1)) != list(broken):
                    raise _Gone
                refuse(self.engine, self.workspace.now(), broken[0][1].decode(), str(error)[:500])
                self.inbox.settle(self.engine, broken)
        except _Gone:
            return 0
        self.inbox.settled(broken)
        self.watcher.refused(type(error).__name__)
        return len(broken)

    def _store_all(self, limit: int) -> int:
        began, engine, self._tried = time.perf_counter(), self.engine, ()
        if not self.inbox.has_more(engine):
            return 0
        try:
            with engine.transaction():
                calls = self.inbox.take(engine, limit)
                if not calls:
                    return 0
                self._tried = calls
                received = stage_calls(engine, self.desk, calls)
                self._load()
                self._look_at_names()
                note_changed(engine)
                enrich_queue.note_stored(engine, self.workspace.loaded.workspace.spec.enrich, self.workspace.now())
                self.inbox.settle(engine, calls)
        except BaseException:
            self._begin_anew()
            raise
        self._clean()
        self.stored += len(calls)
        self._stored_at, self._untidy = time.monotonic(), True
        self._received += received
        self.inbox.settled(calls)
        self._tell_names()
        self.watcher.stored(len(calls), time.perf_counter() - began)
        traces.stored(calls, time.perf_counter() - began)
        return len(calls)

    def _load(self) -> None:
        """Bring the staged calls into the store's tables, and make again what follows from them."""
        engine, now = self.engine, self.workspace.now()
        engine.execute("CREATE TEMP TABLE touched (lead INTEGER)")
        engine.execute("CREATE TEMP TABLE touched_accounts (account VARCHAR)")
        sources = self.workspace.loaded.workspace.spec.sources
        merge_by = {name: source.merge_by for name, source in sources.items()}
        settle_addresses(engine, merge_by, at=now)
        said = bool(engine.rows("SELECT 1 FROM live_calls WHERE said LIMIT 1"))
        if said:
            keep_traits(engine, self.desk)
        moved = settle_devices(engine, at=now)
        if said or moved:
            self._load_traits(now)
        if (events := stage_events(engine, self.desk)) is not None:
            load_events(engine, events, None, known=self._known, counting=engine.capabilities.one_file)
        if join_aliases(engine, merge_by, at=now) or said or moved:
            known = self._values if engine.capabilities.one_file else None
            merge_duplicates(engine, merge_by, at=now, touched_only=True, known=known)
            if any_apart(engine):
                settle_words(engine, self.desk, self.workspace.feature_names, merge_by, at=now)
        spec = self.workspace.loaded.workspace.spec
        self.marks.settle(engine, self.desk, spec, events=events is not None, at=now)
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
            settle_events(engine, tail=LONG_TAIL)
            if engine.rows("SELECT 1 FROM observations WHERE _created_at IS NULL AND known_at IS NULL LIMIT 1"):
                touch_undated(engine)
        if engine.rows("SELECT 1 FROM touched LIMIT 1"):
            if (accounts := self.workspace.loaded.workspace.spec.accounts) is not None:
                settle_domains(engine, accounts.attribute)
            refresh_leads(engine)
            facts.settle(engine, self.workspace.loaded.workspace.spec.enrich)
        rebuild(engine, ACCOUNTS)

    def _look_at_names(self) -> None:
        """Where calls brought new names or types of events, let the scorecards know of them.

        Where they do not fit, all goes on as before: `faults` says why.
        """
        names = catalog(self.engine)
        if names == self.names:
            return
        self.names = names
        try:
            self.workspace.refresh()
        except SpecError as error:
            self.faults = self._unfit = error
            return
        self.faults = None if self.faults is self._unfit else self.faults
        self._renamed = True

    def _tell_names(self) -> None:
        """Let the readers know of new names, when they can see them."""
        if self._renamed:
            self._renamed = False
            self.note_changes()
            self.tell()

    def note_changes(self) -> None:
        """Let whoever reads the store look again at its names, and at the workspace's files."""
        self.changes += 1

    def _score(self) -> None:
        """Score whoever something happened to since the last time."""
        engine, now = self.engine, self.workspace.now()
        first = min(self._received, default=None)
        with traces.scoring(first) as made, engine.transaction():
            if self.clock.strikes(now):
                self.clock.wind(engine, self.workspace.resolved, now)
            if gather_changed(engine, now):
                made.scores = rescore(engine, self.workspace.resolved, now, run=self._run, received=first)
            engine.execute("DELETE FROM live_unscored")
        received, self._received, self._scored_at = tuple(self._received), [], time.monotonic()
        self.watcher.scored(Scored(made.scores, received, self.workspace.now()))

    def _begin_anew(self) -> None:
        """After a fault, leave nothing behind that could pass for one of the next calls'; nor hide the fault itself."""
        if self.desk is not self.engine:
            self.desk.close()
            self.desk = lasting_desk(self.engine)
        with suppress(self.engine.fault):
            self._clean()

    def _clean(self) -> None:
        drop_calls(self.desk)
        drop_marks(self.desk)
        if self.engine is not self.desk:
            drop_calls(self.engine)
            drop_marks(self.engine)
        for table in ("touched", "touched_accounts"):
            self.engine.execute(f"DROP TABLE IF EXISTS {table}")
