"""Run the service in this process, over the embedded store: nothing else has to be started."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn

from leadlight.errors import UsageError
from leadlight.service import logs, traces
from leadlight.service.admission import Admission, first_key, open_admission
from leadlight.service.app import create_app
from leadlight.service.deliverer import Deliverer
from leadlight.service.kafka.reading import kafka_reader
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.metrics import Metrics
from leadlight.service.places import Say, open_place
from leadlight.service.readers import Readers
from leadlight.service.scorer import Scorer
from leadlight.service.state import State
from leadlight.service.worker import Worker
from leadlight.spec.readable import Readable


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
        left = f", {self.waiting:,} wait in the journal for the next start" if self.waiting else ""
        return f"Served {self.address} for {self.seconds:.1f} s: {self.stored:,} calls stored{left}"


def serve(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8123,
    for_: timedelta | None = None,
    log: logs.Kind = "off",
    say: Say = lambda _: None,
) -> Served:
    """Serve a workspace until told to stop (SIGINT, SIGTERM), or for a while; port 0 is any free one.

    Where nothing was read into the store yet, the sources are read first; then everybody is scored once. The first
    start makes a key that may do all, and says it once.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(logs.logging_to(None, log))
        stack.enter_context(traces.from_environment())
        listening = stack.enter_context(_listen(host, port))
        address = f"http://{host}:{listening.getsockname()[1]}"
        state = stack.enter_context(running(folder, say=say))
        _invite(state.admission, address, say)
        say(f"Listening on {address}")
        _run(create_app(state), listening, for_)
        state.worker.stop()
        return Served(address, time.monotonic() - began, state.worker.stored, state.journal.depth)


@contextmanager
def running(folder: Path, *, work: bool = True, say: Say = lambda _: None) -> Iterator[State]:
    """Open all parts of a service and let its worker begin; close them afterwards, each behind those that need it.

    Without `work`, workers of other processes store and score what this one takes in.
    """
    with ExitStack() as stack:
        place = stack.enter_context(open_place(folder, say))
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
        kafka = kafka_reader(worker, place.inbox, metrics) if work else None
        state = State(place.inbox, worker, readers, scorer, admission, metrics, kafka=kafka)
        worker.start()
        stack.callback(worker.stop)
        if kafka is not None:
            kafka.start()
            stack.callback(kafka.stop)
        if work:
            deliverer = Deliverer(LiveWorkspace(folder, place.connect()), metrics)
            deliverer.start()
            stack.callback(deliverer.stop)
        yield state


def _invite(admission: Admission, address: str, say: Say) -> None:
    """Where nobody can log in yet, say how the first person can."""
    if admission.issuer is None and not admission.people.any:
        say(f"To log in, set a password within a day: {admission.spec.address or address}{admission.people.link()}")


def _listen(host: str, port: int) -> socket.socket:
    """Listen at an address: who comes before all is ready waits.

    Raises UsageError where that is not possible.
    """
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((place[0], port), family=family, backlog=2048)
    except OSError as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen on {host}:{port}: {reason}", fix="Name another --host or --port.") from None


class _Server(uvicorn.Server):
    """A server that leaves signals to us: uvicorn's own would end the process before the store is closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let a signal end the serving, not the process."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {sign: signal.signal(sign, self.handle_exit) for sign in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sign, handler in before.items():
                signal.signal(sign, handler)


def _run(app: Any, listening: socket.socket, for_: timedelta | None) -> None:
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=10
    )
    server = _Server(config)
    timer = threading.Timer(for_.total_seconds(), lambda: setattr(server, "should_exit", True)) if for_ else None
    if timer is not None:
        timer.start()
    try:
        server.run(sockets=[listening])
    finally:
        if timer is not None:
            timer.cancel()
