"""Where a service keeps what it takes in: the embedded store that this process alone holds, or one in PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadlight.engines.base import Engine
from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import NotFoundError, UsageError
from leadlight.service import enrich_queue, rewriting
from leadlight.service.admission import OURS
from leadlight.service.inbox import Inbox
from leadlight.service.journal import Journal
from leadlight.service.live_tables import prepare
from leadlight.service.live_workspace import AsksNobody, LiveWorkspace
from leadlight.service.our_names import know_our_names
from leadlight.spec.variables import expand
from leadlight.store.open import POSTGRES, open_store, store_path
from leadlight.store.scorecards import is_in_use
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from leadlight.scorecards.score import ScoreRun
    from leadlight.service.worker import Worker

START = "leadlight start"
"""The lock that a process holds while it makes the store ready for all."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """A store ready to be served: everybody in it has a score."""

    workspace: LiveWorkspace
    """The worker's; its connection is closed with the place."""
    inbox: Inbox
    connect: Callable[[], Engine]
    """Opens the store once more."""
    follow: Callable[[Worker], AbstractContextManager[object]]
    """Lets a worker hear of what other processes do, and them of what it does."""


def is_shared(folder: Path) -> bool:
    """Return whether a workspace's store can be served by several processes at once."""
    return Workspace(folder).loaded.workspace.spec.store.startswith(POSTGRES)


@contextmanager
def open_place(folder: Path, say: Say) -> Iterator[Place]:
    """Open a workspace's store to be served, with its sources read where nothing was read before.

    Raises UsageError for a store in memory, StoreError.
    """
    open_ = _shared if is_shared(folder) else _embedded
    with ExitStack() as stack:
        yield open_(folder, say, stack)


def _embedded(folder: Path, say: Say, stack: ExitStack) -> Place:
    path = store_path(Workspace(folder).loaded.workspace.spec.store, folder)
    if path is None:
        raise UsageError("a store in memory cannot be served", fix="Write `store: duckdb:leadlight.duckdb`.")
    if rewriting.settle(folder, path):
        say("The store was written anew: no byte of those who were erased is left in it")
    stack.callback(rewriting.settle, folder, path)
    _read_sources(folder, say)
    engine = open_store(f"duckdb:{path.absolute()}", folder, create=True)
    stack.callback(engine.close)
    prepare(engine)
    know_our_names(engine, folder)
    workspace = LiveWorkspace(folder, engine)
    workspace.settle_words()
    enrich_queue.prepare(engine, workspace.loaded.workspace.spec.enrich)
    _tell(workspace.score(), say)
    engine.execute("DELETE FROM live_unscored")
    journal = Journal(folder / OURS / "journal.sqlite")
    stack.callback(journal.close)
    return Place(workspace, journal, lambda: DuckDBEngine(path), lambda _: ExitStack())


def _shared(folder: Path, say: Say, stack: ExitStack) -> Place:
    """Make the store ready, one process at a time; who comes later finds it so."""
    store = Workspace(folder).loaded.workspace.spec.store
    engine = open_store(store, folder, create=True)
    stack.callback(engine.close)

    from leadlight.engines.postgres import PostgresEngine
    from leadlight.service.bell import following
    from leadlight.service.inbox_postgres import PostgresInbox

    assert isinstance(engine, PostgresEngine)
    with engine.alone(name=START):
        _read_sources(folder, say)
        prepare(engine)
        know_our_names(engine, folder)
        workspace = LiveWorkspace(folder, engine)
        workspace.settle_words()
        enrich_queue.prepare(engine, workspace.loaded.workspace.spec.enrich)
        for card in workspace.scorecards:
            if not is_in_use(engine, card.name, card.version):
                _tell(workspace.score(card.name), say)

    def connect() -> PostgresEngine:
        return PostgresEngine(expand(store, os.environ))

    inbox = PostgresInbox(connect())
    stack.callback(inbox.close)
    return Place(workspace, inbox, connect, lambda worker: following(connect(), inbox, worker))


def _read_sources(folder: Path, say: Say) -> None:
    """Read the sources where nothing was read before, and first the systems that they are read of.

    Raises RemoteError where nothing at all comes of these.
    """
    workspace = AsksNobody(folder)
    spec = workspace.loaded.workspace.spec
    if not spec.sources or _is_stocked(workspace):
        return
    if names := sorted({source.connection for source in spec.sources.values() if source.connection is not None}):
        say(f"Reading {', '.join(names)} first")
        error = workspace.sync(names).error
        if error is not None and not _is_stocked(workspace):
            raise error
    say("Reading the sources first")
    workspace.ingest()


def _is_stocked(workspace: Workspace) -> bool:
    """Return whether anything was ever read into the store."""
    try:
        with workspace.store() as engine:
            return bool(engine.rows("SELECT 1 FROM files UNION ALL SELECT 1 FROM leads LIMIT 1"))
    except NotFoundError:
        return False


def _tell(runs: Iterable[ScoreRun], say: Say) -> None:
    for run in runs:
        say(str(run).splitlines()[0])
