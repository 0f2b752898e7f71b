"""Run the service: in this process, or in several that share a store in PostgreSQL."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from leadlight.errors import UsageError
from leadlight.service import logs, traces
from leadlight.service.admission import Admission, first_key, open_admission
from leadlight.service.app import create_app
from leadlight.service.connections import Connections
from leadlight.service.deliverer import Deliverer
from leadlight.service.enrich_live import EnrichLive
from leadlight.service.enrich_lookups import Lookups
from leadlight.service.jobs import Jobs
from leadlight.service.kafka.consumer import KafkaReader
from leadlight.service.kafka.reading import kafka_reader
from leadlight.service.listening import answer_on, listen, until_stopped
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.metrics import Metrics
from leadlight.service.places import Place, Say, is_shared, open_place
from leadlight.service.readers import Readers
from leadlight.service.scorer import Scorer
from leadlight.service.shelf import TableShelf
from leadlight.service.state import State
from leadlight.service.team import Task, Team
from leadlight.service.tuning import settled_objects
from leadlight.service.worker import Worker
from leadlight.spec.entity import many
from leadlight.spec.readable import Readable
from leadlight.store.refused import count
from leadlight.workspace import utc_now

TURN = 0.001
"""Seconds for which a thread of Python keeps the others waiting at most. Python's own 5 ms are long for a worker that
lets go of its turn with every statement: beside a busy thread 100 small statements took 410 ms, with this 140 ms."""


@dataclass(frozen=True, slots=True, repr=False)
class Served(Readable):
    """How a service ended."""

    address: str
    seconds: float
    stored: int
    waiting: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"address": self.address, "seconds": round(self.seconds, 3), "stored": self.stored,
                "waiting": self.waiting}  # fmt: skip

    def __str__(self) -> str:
        left = f", {self.waiting:,} wait for the next start" if self.waiting else ""
        return f"Served {self.address} for {self.seconds:.1f} s: {self.stored:,} calls stored{left}"


@dataclass(frozen=True, slots=True, repr=False)
class Worked(Readable):
    """How a worker ended."""

    seconds: float
    stored: int
    waiting: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"seconds": round(self.seconds, 3), "stored": self.stored, "waiting": self.waiting}

    def __str__(self) -> str:
        left = f", {self.waiting:,} wait" if self.waiting else ""
        return f"Worked for {self.seconds:.1f} s: {self.stored:,} calls stored{left}"


@dataclass(frozen=True, slots=True)
class Crew:
    """How many processes do what on this machine."""

    processes: int = 1
    """Processes that answer requests, over one socket."""
    workers: int = 1
    """Processes that store and score; where one process does all, it works too."""

    @property
    def alone(self) -> bool:
        """Whether one process is all there is to it."""
        return self.processes == 1 and self.workers <= 1


ALONE = Crew()


def serve(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8123,
    crew: Crew = ALONE,
    for_: timedelta | None = None,
    log: logs.Kind = "off",
    say: Say = lambda _: None,
) -> Served:
    """Serve a workspace until told to stop (SIGINT, SIGTERM), or for a while; port 0 is any free one.

    Where nothing was read into the store yet, the sources are read first; then everybody is scored once. The first
    start makes a key that may do all, and says it once. More than one process, or none that works, needs a store in
    PostgreSQL: UsageError says so.
    """
    if crew != ALONE and not is_shared(folder):
        raise UsageError(
            "the embedded store is one process's: it cannot be served by several",
            fix="Leave --processes and --workers out, or put the store into PostgreSQL (`store: postgresql://…`).",
        )
    began = time.monotonic()
    sys.setswitchinterval(TURN)
    with ExitStack() as stack:
        stack.enter_context(logs.logging_to(None, log))
        listening = stack.enter_context(listen(host, port))
        address = f"http://{host}:{listening.getsockname()[1]}"
        if not crew.alone:
            stored, waiting = _serve_together(folder, crew, listening, address, for_, log, say)
            return Served(address, time.monotonic() - began, stored, waiting)
        stack.enter_context(traces.from_environment())
        state = stack.enter_context(running(folder, work=crew.workers > 0, say=say))
        _invite(state.admission, address, say)
        state.scorer.ready.wait()
        stack.enter_context(settled_objects())
        say(f"Listening on {address}")
        answer_on(listening, create_app(state), for_)
        state.worker.stop()
        return Served(address, time.monotonic() - began, state.worker.stored, state.journal.depth)


def _serve_together(
    folder: Path, crew: Crew, listening: socket.socket, address: str, for_: timedelta | None, log: logs.Kind, say: Say
) -> tuple[int, int]:
    """Serve with several processes; return how many calls they stored, and how many wait."""
    with open_place(folder, say) as place:  # so that all of them find it ready
        _tell_refused(place, say)
    with open_admission(folder, watch=False) as admission:
        first_key(admission.keys, say)
        _invite(admission, address, say)
    task = Task(str(folder), log, listening.fileno())
    with Team(task, processes=crew.processes, workers=crew.workers, say=say) as team:
        say(f"Listening on {address}")
        team.watch(for_)
    with open_place(folder, say) as place:
        return team.stored, place.inbox.depth


def work(folder: Path, *, for_: timedelta | None = None, log: logs.Kind = "off", say: Say = lambda _: None) -> Worked:
    """Store and score what other processes take in, until told to stop (SIGINT, SIGTERM), or for a while.

    Raises UsageError where the store is no PostgreSQL's.
    """
    if not is_shared(folder):
        raise UsageError(
            "the embedded store is one process's: whoever serves it works too",
            fix="Run `leadlight serve`, or put the store into PostgreSQL (`store: postgresql://…`).",
        )
    began = time.monotonic()
    with logs.logging_to(None, log), traces.from_environment(), working(folder, say=say) as worker, settled_objects():
        say("Working")
        until_stopped(for_)
        worker.stop()
        return Worked(time.monotonic() - began, worker.stored, worker.inbox.depth)


@contextmanager
def running(folder: Path, *, work: bool = True, say: Say = lambda _: None) -> Iterator[State]:
    """Open all parts of a service and let its worker begin; close them afterwards, each behind those that need it.

    Without `work`, workers of other processes store and score what this one takes in.
    """
    with ExitStack() as stack:
        place = stack.enter_context(open_place(folder, say))
        _tell_refused(place, say)
        metrics = Metrics(lambda: place.inbox.depth)
        worker = Worker(place.workspace, place.inbox, metrics, drains=work)
        stack.enter_context(place.follow(worker))
        readers = Readers(folder, place.connect, changes=lambda: worker.changes)
        stack.callback(readers.close)
        own = place.connect()
        stack.callback(own.close)
        scorer = Scorer(LiveWorkspace(folder, own), changes=lambda: worker.changes)
        stack.callback(scorer.close)
        admission = stack.enter_context(open_admission(folder))
        first_key(admission.keys, say)
        connections = Connections(worker, place.connect, admission.keys.shelf, metrics, say=say)
        live = EnrichLive(Lookups(worker, place.connect, admission.keys.shelf, metrics))
        kafka = _begin(stack, place, worker, metrics, connections, live, say)
        jobs = Jobs(admission.keys.shelf, now=utc_now)
        stack.callback(jobs.close)
        stack.callback(live.lookups.stop)
        stack.callback(connections.break_off)
        yield State(place.inbox, worker, readers, scorer, admission, metrics, jobs, connections, live.lookups,
                    live, kafka=kafka)  # fmt: skip


@contextmanager
def working(folder: Path, *, say: Say = lambda _: None) -> Iterator[Worker]:
    """Open what a worker needs and let it begin; nothing answers requests."""
    with ExitStack() as stack:
        place = stack.enter_context(open_place(folder, say))
        metrics = Metrics(lambda: place.inbox.depth)
        worker = Worker(place.workspace, place.inbox, metrics)
        stack.enter_context(place.follow(worker))
        documents = place.connect()
        stack.callback(documents.close)
        shelf = TableShelf(documents)
        connections = Connections(worker, place.connect, shelf, metrics, say=say)
        live = EnrichLive(Lookups(worker, place.connect, shelf, metrics))
        _begin(stack, place, worker, metrics, connections, live, say)
        yield worker


def _begin(
    stack: ExitStack, place: Place, worker: Worker, metrics: Metrics, connections: Connections, live: EnrichLive,
    say: Say,
) -> KafkaReader | None:  # fmt: skip
    """Let a worker begin, with what else is done where work is done; all of it ends with the stack."""
    kafka = kafka_reader(worker, place.inbox, metrics) if worker.drains else None
    worker.start()
    stack.callback(worker.stop)
    if kafka is not None:
        kafka.start()
        stack.callback(kafka.stop)
    if worker.drains:
        deliverer = Deliverer(LiveWorkspace(worker.workspace.root, place.connect()), metrics, say=say)
        deliverer.start()
        stack.callback(deliverer.stop)
        connections.start()
        stack.callback(connections.stop)
        live.start()
        stack.callback(live.stop)
    return kafka


def _tell_refused(place: Place, say: Say) -> None:
    """Where calls could not be stored, say so at the start."""
    if refused := count(place.workspace.engine):
        say(f"{many(refused, 'call')} could not be stored: `leadlight refused` lists and replays them")


def _invite(admission: Admission, address: str, say: Say) -> None:
    """Where nobody can log in yet, say how the first person can."""
    if admission.issuer is None and not admission.people.any:
        say(f"To log in, set a password within a day: {admission.spec.address or address}{admission.people.link()}")
