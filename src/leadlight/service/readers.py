"""Questions about scores, answered in threads beside the worker: each sees what was committed when it asks."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from anyio import to_thread

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.service.live_workspace import LiveWorkspace

Answer = TypeVar("Answer")

READERS = 2


class Readers:
    """A few workspaces over connections of their own to the store that this process holds."""

    def __init__(self, folder: Path, store: Path, *, changes: Callable[[], int], count: int = READERS) -> None:
        """`changes` counts how often the store got new names: who has seen fewer looks again."""
        self._changes = changes
        self._idle = queue.SimpleQueue[tuple[LiveWorkspace, int]]()
        self._all = [LiveWorkspace(folder, DuckDBEngine(store)) for _ in range(count)]
        for workspace in self._all:
            workspace.refresh()
            self._idle.put((workspace, changes()))

    async def ask(self, question: Callable[[LiveWorkspace], Answer]) -> Answer:
        """Ask a workspace something, in a thread."""
        return await to_thread.run_sync(self._asked, question)

    def _asked(self, question: Callable[[LiveWorkspace], Answer]) -> Answer:
        workspace, seen = self._idle.get()
        now = self._changes()
        try:
            if seen != now:
                workspace.refresh()
            return question(workspace)
        finally:
            self._idle.put((workspace, now))

    def close(self) -> None:
        """Let go of the connections."""
        for workspace in self._all:
            workspace.engine.close()
