"""Questions about scores, answered in threads beside the worker: each sees what was committed when it asks."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from anyio import to_thread

from leadlight.engines.base import Engine
from leadlight.engines.faults import Unreachable, reachable
from leadlight.errors import StoreError
from leadlight.service.live_workspace import LiveWorkspace

Answer = TypeVar("Answer")

READERS = 2
LONG = 1
"""Of them apart: one for questions that look at the whole past, so that the others wait for none."""
LONG_WAITING = 10
"""Such questions that may wait, each in a thread; more are refused, so that there are threads left."""
Idle = queue.SimpleQueue[tuple[LiveWorkspace, int]]


class Readers:
    """A few workspaces over connections of their own to one store."""

    def __init__(
        self, folder: Path, connect: Callable[[], Engine], *, changes: Callable[[], int], count: int = READERS
    ) -> None:
        """`connect` opens the store once more; `changes` counts how often there were new names or files.

        Who has seen fewer changes looks again.
        """
        self._changes = changes
        self._idle, self._idle_long, self._room = Idle(), Idle(), threading.Semaphore(LONG_WAITING)
        self._all = [LiveWorkspace(folder, connect()) for _ in range(count + LONG)]
        for number, workspace in enumerate(self._all):
            workspace.refresh()
            (self._idle if number < count else self._idle_long).put((workspace, changes()))

    async def ask(self, question: Callable[[LiveWorkspace], Answer], *, long: bool = False) -> Answer:
        """Ask a workspace something, in a thread; a `long` question waits for other long ones only."""
        return await to_thread.run_sync(self.ask_long if long else self._ask, question)

    def _ask(self, question: Callable[[LiveWorkspace], Answer]) -> Answer:
        return self._asked(question, self._idle)

    def ask_long(self, question: Callable[[LiveWorkspace], Answer]) -> Answer:
        """Ask something long in this thread. Raises StoreError where many such questions wait."""
        if not self._room.acquire(blocking=False):
            raise StoreError("many long questions wait", fix="Send it again in a moment.")
        try:
            return self._asked(question, self._idle_long)
        finally:
            self._room.release()

    def _asked(self, question: Callable[[LiveWorkspace], Answer], idle: Idle) -> Answer:
        """Ask in this thread; where the connection was lost meanwhile, once more over another."""
        workspace, seen = idle.get()
        try:
            now = self._changes()
            if seen != now:
                _again(workspace, lambda one: one.renew())
                seen = now
            return _again(workspace, question)
        finally:
            idle.put((workspace, seen))

    def close(self) -> None:
        """Let go of the connections."""
        for workspace in self._all:
            workspace.engine.close()


def _again(workspace: LiveWorkspace, question: Callable[[LiveWorkspace], Answer]) -> Answer:
    with suppress(Unreachable), reachable(workspace.engine):
        return question(workspace)
    with reachable(workspace.engine):
        return question(workspace)
