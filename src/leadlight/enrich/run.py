"""Look leads up: chunk by chunk, stage by stage, each stage asking only whom the answers so far have not made needless.

Of a chunk of leads, what follows from their own values is worked out first, by the providers that ask nobody. Then the
waterfalls go on from stage to stage: who is open and matters (`look`), who is asked (`asking`), what is recorded; until
nobody is left to ask. The store is open for moments only, never while an answer is waited for. What was recorded stays:
a run that ends early goes on where it was. At the end those of whom something new is known are scored again.

With a budget, the leads that could rise furthest come first.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from leadlight.engines.base import Engine
from leadlight.enrich.again import score_again
from leadlight.enrich.asking import Asking, Given, Want
from leadlight.enrich.catalog import open_providers
from leadlight.enrich.forget import CACHE
from leadlight.enrich.look import WHERE, Look, Looker, truths
from leadlight.enrich.network import Network
from leadlight.enrich.plan import NOBODY, Plan, plans, within_budget
from leadlight.enrich.provider import Provider, Surroundings
from leadlight.enrich.record import Looked, tables
from leadlight.enrich.report import EnrichRun, ProviderRun, Reason, Traffic
from leadlight.enrich.waterfall import Subject, Waterfalls, make_waterfalls
from leadlight.errors import NotFoundError, StoreInUse, UsageError, did_you_mean
from leadlight.expr.parse import ExpressionError, parse_condition
from leadlight.features.moment import Moment
from leadlight.scorecards.score import ScoreRun
from leadlight.spec.enrich import EnrichSpec, ProviderSpec
from leadlight.spec.marks import Marks
from leadlight.spec.resolved import ResolvedWorkspace
from leadlight.spec.scopes import lead_scope
from leadlight.store.facts import SINCE_CREATION, record
from leadlight.store.known import since

CHUNK, SMALL = 500, 50
"""How many leads go through the stages together; fewer with a budget, so that those with more to gain are first."""
AT_ONCE = 3
"""How many chunks are on their way at the same time: their sites keep a connection each (`MOST_OPEN` of the door)."""
OFTEN = 3
"""How often what follows from a lead's own values is worked out in a run, where others' answers change these."""
PATIENCE = 60.0
"""For how many seconds is waited for a store that another process has open."""

T = TypeVar("T")
Leads = npt.NDArray[np.int32]
"""Numbers of leads."""


class OpenStore(Protocol):
    """Opens the store for a moment."""

    def __call__(self, *, write: bool) -> AbstractContextManager[Engine]: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """Whom to look up, by whom, and what it may cost; what is not told comes from leadlight.yaml."""

    leads: tuple[int, ...] | None = None
    """Only these (their numbers in the store); everybody for None."""
    where: str | None = None
    providers: tuple[str, ...] = ()
    money: float | None = None
    requests: int | None = None
    dry_run: bool = False
    score: bool = True
    """Whether those of whom something new is known are scored again."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    done: int
    total: int
    questions: int
    answered: int = 0
    """Of these questions, those that came to an end."""


def enrich(
    open_store: OpenStore,
    workspace: ResolvedWorkspace,
    root: Path,
    wish: Wish,
    *,
    now: Callable[[], datetime],
    progress: Callable[[Progress], None] = lambda _: None,
    stop: threading.Event | None = None,
    marks: Marks | None = None,
) -> EnrichRun:
    """Look leads up, and score those again of whom something new is known.

    `stop` ends the run early, as the first Ctrl-C does: what came is recorded. `marks` says where the values of
    leadlight.yaml stand. Raises UsageError where leadlight.yaml
    does not say `enrich:`, SpecError where what it says cannot be run.
    """
    began = time.monotonic()
    run = _make(open_store, workspace, root, wish, now, progress, marks)
    if wish.dry_run:
        made = run.plan_only()
    else:
        _in_loop(run.look_up(stop))
        scored = run.score_again() if wish.score else []
        made = replace(run.report(), scored=tuple(scored))
    return replace(made, seconds=time.monotonic() - began)


def _in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, also where a loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def asked_providers(spec: EnrichSpec, only: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the providers that may be asked, in order, or those of `only`. Raises NotFoundError for others."""
    told = [name for attribute in spec.attributes for name in spec.waterfall(attribute, spec.ask or [""]).ask if name]
    names = tuple(dict.fromkeys([*spec.ask, *told]))
    for name in only:
        if name not in names:
            raise NotFoundError(f"no provider {name!r} in `enrich: ask`: {did_you_mean(name, names)}")
    return tuple(name for name in names if not only or name in only)


def _make(
    open_store: OpenStore, workspace: ResolvedWorkspace, root: Path, wish: Wish, now: Callable[[], datetime],
    progress: Callable[[Progress], None], marks: Marks | None,
) -> _Run:  # fmt: skip
    spec = workspace.spec.enrich
    if spec is None:
        raise UsageError(
            "leadlight.yaml does not say whom to ask, so nobody is", fix="Write `enrich: {ask: [email, dns, website]}`."
        )
    names = asked_providers(spec, wish.providers)
    environ = None if wish.dry_run else os.environ
    providers = open_providers(spec, Surroundings(root, environ), marks=marks, only=names) if names else {}
    waterfalls = make_waterfalls(spec, providers, without=workspace.catalog.account_attributes)
    always = spec.always or not workspace.scorecards
    looker = Looker(workspace, waterfalls, now(), always)
    return _Run(open_store, workspace, spec, root, wish, now, progress, providers, waterfalls, looker)


@dataclass(slots=True)
class _Run:
    open_store: OpenStore
    workspace: ResolvedWorkspace
    spec: EnrichSpec
    root: Path
    wish: Wish
    now: Callable[[], datetime]
    progress: Callable[[Progress], None]
    providers: Mapping[str, Provider]
    waterfalls: Waterfalls
    looker: Looker
    total: int = 0
    done: int = 0
    facts: int = 0
    stopped: bool = False
    touched: array[int] = field(default_factory=lambda: array("i"))
    """Leads of whom something new was recorded, some of them twice."""
    asked: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)
    told: tuple[ProviderRun, ...] = ()
    _alone: threading.Lock = field(default_factory=threading.Lock)

    @property
    def money(self) -> float | None:
        """The budget of money."""
        return self.spec.budget.money if self.wish.money is None else self.wish.money

    @property
    def requests(self) -> int | None:
        """The budget of requests."""
        return self.spec.budget.requests if self.wish.requests is None else self.wish.requests

    @property
    def is_limited(self) -> bool:
        """Whether there is a budget."""
        return self.money is not None or self.requests is not None

    # ---------------------------------------------------------------------------------------------------- the store

    @contextmanager
    def store(self, *, write: bool) -> Iterator[Engine]:
        """Open the store for a moment, one of us at a time; wait a while for another process that has it open."""
        until = time.monotonic() + PATIENCE
        with self._alone:
            while True:
                opened = self.open_store(write=write)
                try:
                    engine = opened.__enter__()
                    break
                except StoreInUse:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.1)
            try:
                yield engine
            finally:
                opened.__exit__(None, None, None)

    def select(self) -> Leads:
        """Return whom to look at, in the order of their numbers."""
        with self.store(write=False) as engine:
            if self.wish.where is not None:
                moment = Moment(as_of=self.looker.now, only=self.wish.leads)
                truth = truths(engine, self.workspace, {WHERE: self._where(self.wish.where)}, moment)
                return np.array(sorted(lead for lead, row in truth.items() if row[WHERE]), np.int32)
            if self.wish.leads is not None:
                return np.array(self.wish.leads, np.int32)
            found = engine.arrow("SELECT lead FROM leads WHERE created_at <= ? ORDER BY lead", [self.looker.now])
            return np.asarray(found.column("lead").to_numpy(), np.int32)

    def _where(self, text: str) -> Any:
        scope = lead_scope(self.workspace.catalog, self.workspace.features, frozenset())
        try:
            return parse_condition(text, scope.types)
        except ExpressionError as error:
            raise UsageError(f"--where is no condition: {error}") from None

    # ----------------------------------------------------------------------------------------------------- dry run

    def plan_only(self) -> EnrichRun:
        """Say what a run would ask at most; nobody is asked, and nothing is written."""
        leads = self.select()
        self.total = len(leads)
        found: list[Plan] = []
        for chunk in _chunks(leads, CHUNK):
            with self.store(write=False) as engine:
                found += _in_loop(plans(engine, self.looker, chunk))
            self.done += len(chunk)
            self.progress(Progress(self.done, self.total, 0))
        found, self.told = within_budget(found, self.looker, money=self.money, requests=self.requests)
        self.asked = sum(plan.reason is None for plan in found)
        self.reasons.update(plan.reason for plan in found if plan.reason is not None)
        return self.report()

    # ------------------------------------------------------------------------------------------------------ the run

    async def look_up(self, stop: threading.Event | None) -> None:
        """Look everybody up."""
        leads = await asyncio.to_thread(self.select)
        self.total = len(leads)
        async with self._door() as (networks, counts):
            asking = Asking(self.providers, networks, self.now, self.money)
            asking.told = partial(self._tell, asking)
            with _stops(asking.stop, stop):
                if self.is_limited:
                    await self._each(asking, leads, CHUNK, only_local=True)
                    leads = await asyncio.to_thread(self._by_gain, leads)
                    self.done = 0
                await self._each(asking, leads, SMALL if self.is_limited else CHUNK)
            self.stopped = asking.stop.is_set()
            self.traffic = counts()
        tallies = {name: asking.tally(name) for name in self.providers}
        self.told = tuple(tally.told(self.providers[name].about) for name, tally in tallies.items())
        self.notes += [
            f"{name} was not asked any more: {tally.stopped}" for name, tally in tallies.items() if tally.stopped
        ]

    @asynccontextmanager
    async def _door(self) -> AsyncIterator[tuple[dict[str, Network], Callable[[], Traffic]]]:
        """Open the network where anybody outside may be asked."""
        networks: dict[str, Network] = dict.fromkeys(self.providers, NOBODY)
        if not any(provider.about.network for provider in self.providers.values()):
            yield networks, Traffic
            return
        from leadlight.enrich.net.net import open_network

        path = self.root / CACHE
        path.parent.mkdir(exist_ok=True)
        opened = open_network(self.spec.network, path, requests=self.requests, now=self.now, base=self.root)
        async with opened as door:
            for name, provider in self.providers.items():
                if provider.about.network:
                    networks[name] = door.asked_by(name, per_second=provider.about.per_second)
            yield (
                networks,
                lambda: Traffic(door.counts.requests, door.counts.dns, door.counts.cached, door.counts.bytes),
            )

    async def _each(self, asking: Asking, leads: Leads, size: int, *, only_local: bool = False) -> None:
        """Send chunks through the stages, some at the same time; one after the other with a budget."""
        chunks = _chunks(leads, size)

        async def work() -> None:
            for chunk in chunks:
                if asking.stop.is_set():
                    return
                group = _Group(chunk, only_local)
                try:
                    await self._stages(asking, group)
                finally:
                    self._add(group)
                if not asking.stop.is_set():
                    self.done += len(chunk)
                self._tell(asking)

        workers = [asyncio.ensure_future(work()) for _ in range(1 if self.is_limited else AT_ONCE)]
        try:
            await asyncio.gather(*workers)
        except BaseException:
            asking.stop.set()
            await asyncio.gather(*workers, return_exceptions=True)
            raise

    async def _stages(self, asking: Asking, group: _Group) -> None:
        """Send a chunk through stages until nobody is left to ask."""
        given: list[Given] = []
        while True:
            wants = await asyncio.to_thread(self._stage, group, given)
            if not wants or asking.stop.is_set():
                return
            given, unasked = await asking.put(wants)
            for want in wants:
                group.put(want, 1 if self.waterfalls.about(want.provider).network else OFTEN)
            for one in given:
                if self.waterfalls.about(one.want.provider).network:
                    group.asked.add(one.want.look.lead)
            if asking.spent:
                group.reasons |= {want.look.lead: Reason.BUDGET for want in unasked}
            self._tell(asking)
            if asking.stop.is_set():
                await asyncio.to_thread(self._keep, group, given)
                return

    def _stage(self, group: _Group, given: Sequence[Given]) -> list[Want]:
        """Record what came, and say whom to ask next; writers are kept out no longer than it takes to record."""
        self._keep(group, given)
        with self.store(write=False) as engine:
            looker = replace(self.looker, now=self._at())  # what was recorded just now is known by now
            subjects = looker.subjects(engine, group.leads, group.tried)
            own = [Want(Look(subject), name) for subject in subjects for name in self._local(subject)]
            if own or group.only_local:
                return own
            wants: list[Want] = []
            for look in looker.look(engine, subjects):
                names = self.waterfalls.wanted(look.subject, look.opened, look.matter)
                wants += [Want(look, name) for name in names if self.waterfalls.about(name).network]
                if look.reason is not None:
                    group.reasons.setdefault(look.lead, look.reason)
        return sorted(wants, key=lambda want: (-want.look.gain[0], -want.look.gain[1], want.look.lead))

    def _keep(self, group: _Group, given: Sequence[Given]) -> None:
        """Record what came, known from now on."""
        if given:
            with self.store(write=True) as engine:
                self._record(engine, group, given, self._at())

    def _local(self, subject: Subject) -> list[str]:
        return [name for name in self.waterfalls.ready(subject) if not self.waterfalls.about(name).network]

    def _add(self, group: _Group) -> None:
        """Add what became of a chunk to the sums."""
        self.asked += len(group.asked)
        self.reasons.update(reason for lead, reason in group.reasons.items() if lead not in group.asked)
        self.touched.extend(sorted(group.touched))

    def _record(self, engine: Engine, group: _Group, given: Sequence[Given], at: datetime) -> None:
        dated = self._dated(engine, given, at)
        looked = [
            Looked(
                one.want.look.lead, self.waterfalls.about(one.want.provider), one.want.subject, one.at,
                one.answer.facts, one.answer.error, known_at=dated.get((one.want.provider, one.want.look.lead)),
                cost=one.cost, basis=one.want.look.basis or self.spec.basis,
            )
            for one in given
        ]  # fmt: skip
        self.facts += record(engine, self.spec, *tables(looked), at).facts
        group.touched |= {one.key for one in looked if one.error is None}

    def _at(self) -> datetime:
        """Return the moment, never before the run began: what was found at an earlier stage is known by then."""
        return max(self.now(), self.looker.now)

    def _dated(self, engine: Engine, given: Sequence[Given], at: datetime) -> dict[tuple[str, int], datetime]:
        """Return since when answers are known that are not known since now.

        What follows from a lead's own values is known since these are.
        """
        found: dict[tuple[str, int], datetime] = {}
        for name in {one.want.provider for one in given}:
            leads = [one.want.look.lead for one in given if one.want.provider == name]
            about = self.waterfalls.about(name)
            if self.spec.providers.get(name, ProviderSpec()).since == "creation":
                found |= {(name, lead): SINCE_CREATION for lead in leads}
            elif not about.network:
                clues = self.looker.clues(_names(one.want.look.subject for one in given))
                names = clues.sources(frozenset().union(*about.needs))
                rows = since(engine, leads, names, at).to_pylist()
                found |= {(name, row["lead"]): row["known_at"] for row in rows if row["known_at"] is not None}
        return found

    def _by_gain(self, leads: Leads) -> Leads:
        """Return the leads that could rise furthest first."""
        gains: list[tuple[float, float, int]] = []
        for chunk in _chunks(leads, CHUNK):
            with self.store(write=False) as engine:
                looker = replace(self.looker, now=self._at())
                looks = looker.look(engine, looker.subjects(engine, chunk, {}))
            gains += [(-look.gain[0], -look.gain[1], look.lead) for look in looks]
        return np.array([lead for _, _, lead in sorted(gains)], np.int32)

    def _tell(self, asking: Asking) -> None:
        self.progress(Progress(self.done, self.total, asking.questions, asking.answered))

    # -------------------------------------------------------------------------------------------------- at the end

    def _changed(self) -> Leads:
        return np.unique(np.array(self.touched, np.int32))

    def score_again(self) -> list[ScoreRun]:
        """Score those of whom something new is known, by the scorecards that are in use as they stand."""
        if not self.touched:
            return []
        with self.store(write=True) as engine:
            runs, notes = score_again(engine, self.workspace, self._changed().tolist(), self.now())
        self.notes += notes
        return runs

    def report(self) -> EnrichRun:
        """Say what was done, or would be."""
        return EnrichRun(
            entity=self.workspace.spec.entity,
            at=self.looker.now,
            dry_run=self.wish.dry_run,
            leads=self.total,
            asked=self.asked,
            skipped={str(reason): self.reasons[reason] for reason in Reason if self.reasons[reason]},
            providers=self.told,
            facts=self.facts,
            changed=len(self._changed()),
            traffic=self.traffic,
            money=self.money,
            requests=self.requests,
            stopped=self.stopped,
            notes=tuple(self.notes),
        )


@dataclass(slots=True)
class _Group:
    """A chunk of leads on its way through the stages."""

    leads: Sequence[int]
    only_local: bool
    tried: dict[int, frozenset[str]] = field(default_factory=dict)
    """Who is not to be asked about a lead any more."""
    times: Counter[tuple[int, str]] = field(default_factory=Counter)
    asked: set[int] = field(default_factory=set)
    reasons: dict[int, Reason] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)

    def put(self, want: Want, often: int) -> None:
        """Note that a question was put, which may be so often."""
        lead = want.look.lead
        self.times[lead, want.provider] += 1
        if self.times[lead, want.provider] >= often:
            self.tried[lead] = self.tried.get(lead, frozenset()) | {want.provider}


def _chunks(leads: Leads, size: int) -> Iterator[list[int]]:
    return (leads[start : start + size].tolist() for start in range(0, len(leads), size))


def _names(subjects: Iterable[Subject]) -> set[str]:
    return {name for subject in subjects for name in subject.query.attributes}


@contextmanager
def _stops(stop: asyncio.Event, told: threading.Event | None) -> Iterator[None]:
    """Stop the run gently when `told` is set; without it, at the first Ctrl-C (the second ends it at once)."""
    loop = asyncio.get_running_loop()
    if told is not None:
        watching = asyncio.ensure_future(_watch(told, stop))
        try:
            yield
        finally:
            watching.cancel()
        return
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def gently() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, gently)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def _watch(told: threading.Event, stop: asyncio.Event) -> None:
    while not told.is_set():
        await asyncio.sleep(0.1)
    stop.set()
