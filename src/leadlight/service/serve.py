"""Run the service in this process, over the embedded store: nothing else has to be started."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import NotFoundError, UsageError
from leadlight.service.admission import OURS, Admission, first_key, open_admission
from leadlight.service.app import create_app
from leadlight.service.journal import Journal
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.metrics import Metrics
from leadlight.service.readers import Readers
from leadlight.service.scorer import Scorer
from leadlight.service.state import State
from leadlight.service.worker import Worker
from leadlight.spec.readable import Readable
from leadlight.store.open import open_store, store_path
from leadlight.workspace import Workspace

Say = Callable[[str], None]


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
    folder: Path, *, host: str = "127.0.0.1", port: int = 8123, for_: timedelta | None = None, say: Say = lambda _: None
) -> Served:
    """Serve a workspace until told to stop (SIGINT, SIGTERM), or for a while; port 0 is any free one.

    Where nothing was read into the store yet, the sources are read first; then everybody is scored once. The first
    start makes a key that may do all, and says it once.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        listening = stack.enter_context(_listen(host, port))
        address = f"http://{host}:{listening.getsockname()[1]}"
        state = stack.enter_context(running(folder, say=say))
        _invite(state.admission, address, say)
        say(f"Listening on {address}")
        _run(create_app(state), listening, for_)
        state.worker.stop()
        return Served(address, time.monotonic() - began, state.worker.stored, state.journal.depth)


@contextmanager
def running(folder: Path, *, say: Say = lambda _: None) -> Iterator[State]:
    """Open all parts of a service and let its worker begin; close them afterwards, each behind those that need it."""
    path = _stocked(folder, say)
    with ExitStack() as stack:
        engine = open_store(f"duckdb:{path.absolute()}", folder, create=True)
        stack.callback(engine.close)
        workspace = LiveWorkspace(folder, engine)
        for run in workspace.score():
            say(str(run).splitlines()[0])
        journal = Journal(folder / OURS / "journal.sqlite")
        stack.callback(journal.close)
        metrics = Metrics(lambda: journal.depth)
        worker = Worker(workspace, journal, metrics)
        readers = Readers(folder, path, changes=lambda: worker.changes)
        stack.callback(readers.close)
        own = DuckDBEngine(path)
        stack.callback(own.close)
        scorer = Scorer(LiveWorkspace(folder, own), changes=lambda: worker.changes)
        stack.callback(scorer.close)
        admission = stack.enter_context(open_admission(folder))
        first_key(admission.keys, say)
        state = State(journal, worker, readers, scorer, admission, metrics)
        worker.start()
        stack.callback(worker.stop)
        yield state


def _stocked(folder: Path, say: Say) -> Path:
    """Return the store's file, with the sources read where nothing was read before."""
    workspace = Workspace(folder)
    spec = workspace.loaded.workspace.spec
    path = store_path(spec.store, folder)
    if path is None:
        raise UsageError("a store in memory cannot be served", fix="Write `store: duckdb:leadlight.duckdb`.")
    try:
        with workspace.store() as engine:
            stocked = bool(engine.rows("SELECT 1 FROM files UNION ALL SELECT 1 FROM leads LIMIT 1"))
    except NotFoundError:
        stocked = False
    if spec.sources and not stocked:
        say("Reading the sources first")
        workspace.ingest()
    return path


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
