"""Look-ups while the service runs: the network's half in a thread of its own, the store's half lent by the worker.

Questions are put and waited for without the worker, which stores and scores meanwhile. What came is recorded by the
worker's connection between two micro-batches, and in the same transaction everybody of whom something new is known is
noted to be scored again; so a kill at any moment leaves nobody with new values and an old score.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from leadlight.engines.base import Engine
from leadlight.enrich.bounds import rests_on_colleagues
from leadlight.enrich.report import EnrichRun, ProviderRun, Reason
from leadlight.enrich.run import Wish, enrich
from leadlight.service.connection_state import ConnectionStates
from leadlight.service.enrich_turn import Turn
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.shelf import Shelf
from leadlight.service.worker import Worker
from leadlight.spec.enrich import EnrichSpec
from leadlight.spec.resolved import ResolvedWorkspace
from leadlight.store.sql import Sql, fill
from leadlight.store.unscored import note_unscored
from leadlight.workspace import utc_now

SCORED = "those of whom something new is known were scored again at once"


class Watcher(Protocol):
    """Who is told what is done."""

    def looked_up(self, run: EnrichRun) -> None:
        """Hear of look-ups that are done."""

    def to_look_up(self, leads: int) -> None:
        """Hear how many leads wait to be looked up."""


class Lookups:
    """Looks leads up for a service: what was asked for over HTTP, and what `EnrichLive` finds due."""

    def __init__(
        self,
        worker: Worker,
        connect: Callable[[], Engine],
        shelf: Shelf,
        watcher: Watcher,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """`connect` opens the store once more."""
        self.worker, self.connect, self.watcher, self.now = worker, connect, watcher, now
        states = None if worker.engine.capabilities.one_file else ConnectionStates(shelf, now=now)
        self.turn = Turn(states, now=now)
        self._stops: set[threading.Event] = set()
        self.ending = threading.Event()
        """Set when the service ends."""

    @property
    def root(self) -> Path:
        """The workspace's folder."""
        return self.worker.workspace.root

    @property
    def spec(self) -> EnrichSpec | None:
        """What leadlight.yaml says now."""
        return self.worker.workspace.loaded.workspace.spec.enrich

    def stop(self) -> None:
        """End what is on its way; what came is kept."""
        self.ending.set()
        for stop in list(self._stops):
            stop.set()

    def alone(self) -> AbstractContextManager[None]:
        """Let nobody be looked up meanwhile: see `Turn.alone`. Where nobody ever is, nobody is waited for."""
        return nullcontext() if self.spec is None else self.turn.alone()

    def look_up(self, wish: Wish, *, stop: threading.Event) -> EnrichRun | None:
        """Look leads up as `enrich` does, until it is done or `stop` is set; a dry run only reads.

        Returns None where it was stopped before it could begin.
        Raises UsageError, NotFoundError, SpecError as `enrich.run.enrich` does; StoreError where the service ends.
        """
        self._stops.add(stop)
        if self.ending.is_set():
            stop.set()
        try:
            with self._workspace() as workspace:
                if wish.dry_run:
                    return self._ask(workspace, wish, stop, None)
                return self._in_turns(workspace, replace(wish, score=False), stop)
        finally:
            self._stops.discard(stop)

    def look_up_now(
        self, workspace: LiveWorkspace, wish: Wish, give_up: threading.Event, among: Sequence[int]
    ) -> EnrichRun:
        """Look some leads up in a turn that is ours."""
        return self._ask(workspace, replace(wish, score=False), give_up, among)

    # ------------------------------------------------------------------------------------------------------ inside

    def _in_turns(self, workspace: LiveWorkspace, wish: Wish, stop: threading.Event) -> EnrichRun | None:
        """Look up to the end, making way for whoever must be alone as often as it is asked for."""
        made: EnrichRun | None = None
        going = True
        while going:
            with self.turn.taken(stop) as give_up:
                if stop.is_set():
                    break
                found = self._ask(workspace, wish, give_up, None)
            made = found if made is None else joined(made, found)
            going, wish = found.stopped and not stop.is_set(), _less(wish, found)
        return replace(made, notes=(*made.notes, SCORED)) if made is not None and made.changed else made

    def _ask(
        self, workspace: LiveWorkspace, wish: Wish, give_up: threading.Event, among: Sequence[int] | None
    ) -> EnrichRun:
        marks = workspace.loaded.workspace.marks
        open_store = partial(self._open, among)
        run = enrich(open_store, workspace.resolved, self.root, wish, now=self.now, stop=give_up, marks=marks)
        if not wish.dry_run:
            self.watcher.looked_up(run)
        return run

    @contextmanager
    def _workspace(self) -> Iterator[LiveWorkspace]:
        engine = self.connect()
        try:
            yield LiveWorkspace(self.root, engine, now=self.now)
        finally:
            engine.close()

    @contextmanager
    def _open(self, among: Sequence[int] | None, *, write: bool) -> Iterator[Engine]:
        """Open the store for a moment: to read, over a connection of its own, so that temporary tables go with it."""
        if not write:
            engine = self.connect()
            try:
                yield engine
            finally:
                engine.close()
            return
        with lent(self.worker) as engine, engine.transaction():
            began = self.now()
            yield engine
            note_answered(engine, self.worker.workspace.resolved, began, among)


@contextmanager
def lent(worker: Worker) -> Iterator[Engine]:
    """Borrow the worker's connection between two micro-batches; it does nothing else meanwhile.

    Raises StoreError where the worker ends before.
    """
    engine, done = Future[Engine](), threading.Event()

    def lend(workspace: LiveWorkspace) -> None:
        engine.set_result(workspace.engine)
        done.wait()

    def ended(errand: Future[None]) -> None:
        if not engine.done():
            engine.set_exception(errand.exception() or RuntimeError("the errand ended before it began"))

    errand = worker.do(lend)
    errand.add_done_callback(ended)
    try:
        yield engine.result()
    finally:
        done.set()
    errand.result()


def note_answered(
    engine: Engine, workspace: ResolvedWorkspace, since: datetime, among: Sequence[int] | None = None
) -> None:
    """Note to be scored again who was answered about since a moment, and whose scores rest on theirs.

    `among` are the only leads that can have been, where that is known.
    """
    only = Sql("") if among is None else Sql(" AND i.lead IN (SELECT unnest(?::INTEGER[]))")
    answered = fill(
        "SELECT i.lead FROM lookups l JOIN ids i ON i.key = l._key WHERE l.recorded_at >= ? "
        "AND l.outcome <> 'failed'{only}",
        only=only,
    )
    told = [since] if among is None else [since, list(among)]
    leads = sorted({int(lead) for (lead,) in engine.rows(answered, told)})
    if not leads:
        return
    if any(card.spec.of == "lead" and rests_on_colleagues(workspace, card) for card in workspace.scorecards.values()):
        leads += _colleagues(engine, leads, since)
    note_unscored(engine, Sql("SELECT unnest(?::INTEGER[]) AS lead"), [leads])


def _colleagues(engine: Engine, leads: Sequence[int], now: datetime) -> list[int]:
    """Return the leads that have the accounts of these at a moment."""
    found = engine.rows(
        "SELECT DISTINCT lead FROM attributes WHERE known_at <= $2 AND known_until > $2 AND account IN (SELECT account "
        "FROM attributes WHERE lead IN (SELECT unnest($1::INTEGER[])) AND known_at <= $2 AND known_until > $2)",
        [list(leads), now],
    )
    return [int(lead) for (lead,) in found]


# ------------------------------------------------------------------------------------------ runs that were broken off


def _less(wish: Wish, run: EnrichRun) -> Wish:
    """Return a wish with the budget that is left after a run."""
    money = None if run.money is None else max(run.money - run.cost, 0.0)
    requests = None if run.requests is None else max(run.requests - run.traffic.requests, 0)
    return replace(wish, money=money, requests=requests)


def joined(first: EnrichRun, then: EnrichRun) -> EnrichRun:
    """Return as one what a run did before it made way, and what it did when it went on.

    Whoever was asked about at first is no longer passed over for having been asked.
    """
    skipped = dict(then.skipped)
    settled = skipped.pop(str(Reason.SETTLED), 0) - first.asked
    if settled > 0:
        skipped[str(Reason.SETTLED)] = settled
    traffic = replace(
        then.traffic,
        requests=first.traffic.requests + then.traffic.requests, dns=first.traffic.dns + then.traffic.dns,
        cached=first.traffic.cached + then.traffic.cached, bytes=first.traffic.bytes + then.traffic.bytes,
    )  # fmt: skip
    return replace(
        then, at=first.at, leads=first.leads, asked=first.asked + then.asked, skipped=skipped,
        providers=tuple(_providers(first.providers, then.providers)), facts=first.facts + then.facts,
        changed=first.changed + then.changed, traffic=traffic, money=first.money, requests=first.requests,
        seconds=first.seconds + then.seconds, notes=tuple(dict.fromkeys((*first.notes, *then.notes))),
    )  # fmt: skip


def _providers(first: Iterable[ProviderRun], then: Iterable[ProviderRun]) -> Iterator[ProviderRun]:
    before = {one.provider: one for one in first}
    for one in then:
        if (old := before.get(one.provider)) is None:
            yield one
            continue
        sums = {name: getattr(old, name) + getattr(one, name)
                for name in ("questions", "leads", "found", "nothing", "failed", "cost", "requests")}  # fmt: skip
        yield replace(one, **sums, why=dict(Counter(old.why) + Counter(one.why)), stopped=one.stopped or old.stopped)
