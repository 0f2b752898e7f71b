"""Systems that leads live in, while the service runs: read on a schedule or when they call, written to at once.

A thread looks every second whether a connection is due. Reading it goes by without the store; what was read is taken in
by the worker, between two micro-batches, as other errands are; writing back has a connection to the store of its own.
Of several processes one keeps the schedule, and one at a time works on a connection: see `connection_state`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from leadlight.engines.base import Engine
from leadlight.errors import LeadlightError, NotFoundError, RemoteError, StoreError, did_you_mean
from leadlight.service import logs
from leadlight.service.break_off import Cancelled, Check
from leadlight.service.connection_state import ConnectionStates, Known, is_to_read, rests
from leadlight.service.live_push import LivePush, News
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.shelf import Shelf
from leadlight.service.taking_in import take_in
from leadlight.service.worker import Worker
from leadlight.spec.connections import ConnectionSpec
from leadlight.spec.models import WorkspaceSpec
from leadlight.workspace import utc_now

TURN = 0.1
"""Seconds between looks, of who waits for its turn, whether it is cancelled."""
LOOK = 1.0
"""Seconds between looks at what is due."""
SCHEDULE = "(schedule)"
"""What the process has claimed that keeps the schedule: no connection is called so."""
RENEW = 20
"""Looks after which claims are renewed."""
TOLD = 1000
"""Writes that a dry run tells one by one; how many there are says `written`."""
REST = (timedelta(seconds=30), timedelta(minutes=15))
"""How long a system is left alone that could not be read or written to: at first, and at most."""


class Watcher(Protocol):
    """Who is told what is done."""

    def ended(self, what: str, connection: str, outcome: str) -> None:
        """Hear of a `sync` or a `push`: `done`, or what was wrong."""

    def written(self, connection: str, records: int) -> None:
        """Hear of records that were written."""


@dataclass(slots=True)
class _Ending:
    """How a sync or a push ends."""

    error: Exception | None = None
    counts: dict[str, int] = field(default_factory=dict)


class Connections:
    """The connections of a service."""

    def __init__(
        self,
        worker: Worker,
        connect: Callable[[], Engine],
        shelf: Shelf,
        watcher: Watcher,
        *,
        now: Callable[[], datetime] = utc_now,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`connect` opens the store once more; `say` hears of connections that cannot be read or written to."""
        self.worker, self._connect, self._watcher, self._now, self._say = worker, connect, watcher, now, say
        self.root = worker.workspace.root
        self.states = ConnectionStates(shelf, now=now)
        self.trouble: str | None = None
        """Why nothing can be looked at at present."""
        self._busy: dict[str, threading.Thread | None] = {}
        self._turns: dict[str, threading.Lock] = {}
        """Of each connection, who is asked to work on it now: one after the other."""
        self._lock = threading.Lock()
        self._live: dict[str, LivePush] = {}
        self._rests: dict[str, timedelta] = {}
        self._engine: Engine | None = None
        """By which the thread looks whose scores have changed."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="connections", daemon=True)

    def start(self) -> None:
        """Begin to look what is due."""
        self._thread.start()

    def break_off(self) -> None:
        """Break off what is being read or written, and begin nothing more."""
        self._stop.set()

    def stop(self, *, seconds: float = 20.0) -> None:
        """End; what is being read or written is broken off and taken up at the next start."""
        self.break_off()
        threads = [self._thread, *filter(None, list(self._busy.values()))]
        for thread in threads:
            if thread.is_alive():
                thread.join(seconds)
        if self._engine is not None and not self._thread.is_alive():
            self._engine.close()
        with suppress(StoreError):
            if self.states.is_ours(self.states.all().get(SCHEDULE, {})):
                self.states.release(SCHEDULE)

    @property
    def spec(self) -> WorkspaceSpec:
        """What leadlight.yaml says now."""
        return self.worker.workspace.loaded.workspace.spec

    def named(self, name: str) -> ConnectionSpec:
        """Return what leadlight.yaml says of a connection. Raises NotFoundError."""
        found = self.spec.connections.get(name)
        if found is None:
            raise NotFoundError(f"there is no connection {name!r}: {did_you_mean(name, self.spec.connections)}")
        return found

    def wake(self, name: str) -> None:
        """Let a connection be read soon: something has changed there. Many calls are one."""
        if not self.states.all().get(name, {}).get("woken_at"):
            self.states.note(name, woken_at=self._stamp())

    def sync(self, name: str, *, stop: threading.Event | None = None) -> Mapping[str, Any]:
        """Read a connection now, and score, until `stop` is set: what was read by then counts.

        Raises RemoteError, StoreError where the schedule or another process works on it.
        """
        return self._asked(name, stop, lambda check: self._sync(name, check))

    def push(self, name: str, *, stop: threading.Event | None = None, **told: Any) -> Mapping[str, Any]:
        """Write scores back now, until `stop` is set. Raises RemoteError, StoreError as `sync` does."""
        return self._asked(name, stop, lambda check: self._push(name, check, **told))

    def _asked(
        self, name: str, stop: threading.Event | None, work: Callable[[Check], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        """Do what was asked for, after what was asked for before; nothing where it is stopped until then."""
        self.named(name)
        check = Check(self._stop, stop)
        turn = self._turns.setdefault(name, threading.Lock())
        while not turn.acquire(timeout=TURN):
            check.unless_ending()
            if check.is_cancelled:
                return {}
        try:
            with self._claimed(name):
                return work(check)
        finally:
            turn.release()

    # ----------------------------------------------------------------------------------------------------- schedule

    def _work(self) -> None:
        looks = 0
        while not self._stop.wait(LOOK):
            looks += 1
            try:
                if looks % RENEW == 0:
                    self.states.renew([*self._busy, SCHEDULE])
                self._look()
                self.trouble = None
            except Exception as error:  # the thread must live: it says what is wrong, and looks again
                self.trouble = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
                logs.fault("connections", error, {})

    def _look(self) -> None:
        spec = self.spec
        if not spec.connections:
            return
        states = self.states.all()
        if not self._keeps_schedule(states.get(SCHEDULE, {})):
            return
        for name, connection in spec.connections.items():
            state = states.get(name, {})
            if name in self._busy or self.states.is_busy(state) or rests(state, self._now()):
                continue
            if is_to_read(connection, state, self._now()):
                self._begin(name, partial(self._sync, name, Check(self._stop)))
            elif connection.push is not None and connection.push.live and (news := self._news(name)) is not None:
                self._begin(name, partial(self._write, name, news))

    def _keeps_schedule(self, known: Known) -> bool:
        """Return whether it is this process that looks what is due: the first to claim that, as long as it lives."""
        if self.states.is_ours(known):
            return True
        return not self.states.is_busy(known) and self.states.claim(SCHEDULE)

    def _begin(self, name: str, work: Callable[[], Any]) -> None:
        """Work on a connection in a thread of its own."""

        def run() -> None:
            with suppress(LeadlightError), self._claimed(name):  # what goes wrong is noted, and said
                work()

        thread = threading.Thread(target=run, name=f"connection {name}", daemon=True)
        thread.start()

    @contextmanager
    def _claimed(self, name: str) -> Iterator[None]:
        """Work on a connection that nobody else works on meanwhile. Raises StoreError where somebody does."""
        with self._lock:
            free = name not in self._busy and self.states.claim(name)
            if free:
                self._busy[name] = threading.current_thread()
        if not free:
            raise StoreError(
                f"{name} is being read or written to at this moment",
                fix="GET /v1/connections says how far it is; send it again when it is done.",
            )
        try:
            yield
        finally:
            del self._busy[name]
            self.states.release(name)

    # --------------------------------------------------------------------------------------------------- read, write

    def _sync(self, name: str, check: Check) -> Mapping[str, Any]:
        """Read a connection, take in what was read, score, and note how that ended."""
        from leadlight.connect.extract import extract

        self.states.note(name, woken_at=None)
        with self._noting(name, "sync") as ending:
            extracted = extract(self.spec, self.root, name, now=self._now, progress=check)
            ending.counts = {
                what: sum(getattr(one, what) for one in extracted.objects)
                for what in ("read", "new", "changed", "gone", "merged")
            }
            taken = self.worker.do(partial(take_in, name)).result()
            ending.error = extracted.error
            if extracted.error is not None and not check.is_cancelled:
                raise extracted.error
            return {**extracted.as_dict(), **taken}

    def _push(self, name: str, check: Check, **told: Any) -> Mapping[str, Any]:
        """Write scores back, and note how that ended."""
        with self._noting(name, "push", dry=bool(told.get("dry_run"))) as ending:
            engine = self._connect()
            try:
                workspace = LiveWorkspace(self.root, engine, now=self._now)
                report = workspace.push(name, score=False, progress=check, **told)
            finally:
                engine.close()
            ending.error = report.stopped
            ending.counts = report.counts
            self._watcher.written(name, 0 if told.get("dry_run") else report.written)
            return report.as_dict(changes=TOLD)

    @contextmanager
    def _noting(self, name: str, what: str, *, dry: bool = False) -> Iterator[_Ending]:
        """Let all processes know how something ends; a system that is in trouble is left alone for a while.

        Of a dry run that goes well there is nothing to know.
        """
        ending, began = _Ending(), self._stamp()
        try:
            yield ending
        except Exception as raised:
            ending.error = raised
            raise
        finally:
            error, problem = ending.error, None
            if error is None:
                self._rests.pop(name, None)
            else:
                problem = str(error) if isinstance(error, LeadlightError) else f"a bug: {type(error).__name__}"
                if not isinstance(error, Cancelled):
                    logs.fault(what, error, {"connection": name})
                self._say(f"{name}, {what}: {problem.partition(chr(10))[0]}")
            self._watcher.ended(what, name, "done" if error is None else _kind(error))
            note = {"began_at": began, "ended_at": self._stamp(), "problem": problem, "counts": ending.counts}
            rest = self._rest(name) if isinstance(error, RemoteError) else None
            if error is not None or not dry:
                self.states.note(name, rest_until=rest, **{what: note})

    def _rest(self, name: str) -> str:
        """Leave a system alone for a while, longer each time; return until when."""
        self._rests[name] = min(max(self._rests.get(name, REST[0] / 2) * 2, REST[0]), REST[1])
        return (self._now() + self._rests[name]).isoformat()

    def _news(self, name: str) -> News | None:
        """Return whose scores have changed since they were last written; None where there is nothing to do."""
        live, push = self._live.setdefault(name, LivePush(self._now())), self.named(name).push
        cards = self.worker.workspace.loaded.scorecards
        if push is None or not cards or not live.is_due(self._now()):
            return None
        if self._engine is None:
            self._engine = self._connect()
        self._engine.revive()
        card = push.scorecard or ("house" if "house" in cards else next(iter(cards)))
        return live.look(self._engine, card, self._now())

    def _write(self, name: str, news: News) -> None:
        """Write what has changed."""
        if all(run["stopped"] is None for run in self._push(name, Check(self._stop), among=news.leads)["connections"]):
            self._live[name].wrote(news)

    def _stamp(self) -> str:
        return self._now().isoformat()


def _kind(error: Exception) -> str:
    return error.trouble if isinstance(error, RemoteError) else type(error).__name__
