"""Calls that could not be stored, sent once more: back into the inbox, where they wait like any other.

A call keeps its message id and its own time, so it counts once, then. One that still cannot be stored is put aside
again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from leadlight.engines.base import Engine
from leadlight.errors import UsageError
from leadlight.service.admission import OURS
from leadlight.service.inbox import GROUP, Inbox
from leadlight.service.journal import Journal
from leadlight.service.places import is_shared
from leadlight.spec.variables import expand
from leadlight.store import refused
from leadlight.store.refused import RefusedListing, Which
from leadlight.workspace import Workspace

PATIENCE = 60.0
"""Seconds that a write to the inbox may take."""


def replay(engine: Engine, inbox: Inbox, which: Which) -> RefusedListing:
    """Put calls that were refused back into the inbox, those of some ids, or all that are calls.

    A crash in between leaves calls in both places, which does no harm: they are known by their message ids. Raises
    NotFoundError for an id that there is none of, UsageError for what is no call; InboxFull where there is no more
    room: what went before is replayed.
    """
    found = refused.named(engine, which, to="replay")
    broken = [one for one in found if one.parts is None]
    if broken and which != "all":
        raise UsageError(
            f"{broken[0].id} is no call, and no replay makes it one",
            fix="Send what it was meant to say as a call, and drop it: `leadlight refused --show` has the text.",
        )
    calls = sorted((one for one in found if one.parts is not None), key=lambda one: one.at)
    for first in range(0, len(calls), GROUP):
        part = calls[first : first + GROUP]
        # The inbox has seen their own message ids. It keeps one call a line.
        entries = [(uuid4().bytes, one.call.replace("\n", " ").encode()) for one in part]
        inbox.append(entries).result(PATIENCE)
        with engine.transaction():
            refused.remove(engine, [one.id for one in part])
    return RefusedListing((), refused.counts(engine), tuple(one.id for one in calls), "replayed")


def look(
    folder: Path, *, again: Which | None = None, drop: Which | None = None, limit: int = 50, full: bool = False
) -> RefusedListing:
    """List what a workspace's service could not store; or send calls once more (`again`); or take some out for good.

    Raises UsageError, NotFoundError; StoreInUse where a service holds the embedded store.
    """
    if again is not None and drop is not None:
        raise UsageError("--replay and --drop are two different things", fix="Ask for one at a time.")
    workspace = Workspace(folder)
    with workspace.store(write=again is not None or drop is not None) as engine:
        if drop is not None:
            return refused.drop(engine, drop)
        if again is None:
            return refused.listing(engine, limit=limit, full=full)
        refused.named(engine, again, to="replay")
        with _inbox(folder, workspace) as inbox:
            return replay(engine, inbox, again)


@contextmanager
def _inbox(folder: Path, workspace: Workspace) -> Iterator[Inbox]:
    """Open the inbox of a workspace that a service takes calls out of, now or when it runs again."""
    inbox: Inbox
    if is_shared(folder):
        from leadlight.engines.postgres import PostgresEngine
        from leadlight.service.inbox_postgres import PostgresInbox

        inbox = PostgresInbox(PostgresEngine(expand(workspace.loaded.workspace.spec.store, os.environ)))
    else:
        inbox = Journal(folder / OURS / "journal.sqlite")
    try:
        yield inbox
    finally:
        inbox.close()
