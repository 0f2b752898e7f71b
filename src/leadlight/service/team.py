"""Several processes of one service on this machine: who starts them, watches them, and starts again who ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from leadlight.errors import StoreError
from leadlight.service.listening import until_stopped
from leadlight.service.logs import Kind
from leadlight.service.places import Say
from leadlight.sources.scratch import Scratch

PART = Literal["api", "worker"]
READY = "ready"
REST = (1.0, 30.0)
"""Seconds until who ended is started again: at first, and at most where it ends again and again."""
LASTING = 60.0
"""Seconds after which a process counts as one that lives."""
GRACE = 40.0
"""Seconds to end by itself, when told to stop."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a process needs to know: the workspace, what it logs, the socket it shares."""

    folder: str
    log: Kind
    socket: int
    part: PART = "api"


@dataclass
class _Member:
    part: PART
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    rest: float = REST[0]
    due: float = field(default=0.0)


class Team:
    """Processes that answer and processes that work, from `with` to its end."""

    def __init__(self, task: Task, *, processes: int, workers: int, say: Say) -> None:
        self._task, self._say = task, say
        self._members = [*(_Member("worker") for _ in range(workers)), *(_Member("api") for _ in range(processes))]
        self.stored = 0
        """Counts the calls that workers stored, once all have ended."""

    def __enter__(self) -> Self:
        """Start all, and wait until they are ready.

        Raises StoreError where one is not.
        """
        self._figures = Scratch()
        try:
            for member in self._members:
                self._start(member)
            for member in self._members:
                self._await(member)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Tell all to stop, and wait."""
        self._end()

    def watch(self, for_: timedelta | None) -> None:
        """Start again who ends, until told to stop or for a while."""
        until_stopped(for_, self._look_at_all)

    # ------------------------------------------------------------------------------------------------------ inside

    def _start(self, member: _Member) -> None:
        task = Task(self._task.folder, self._task.log, self._task.socket, member.part)
        member.started = time.monotonic()
        member.process = subprocess.Popen(
            [sys.executable, "-m", "leadlight.service.member"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, pass_fds=[task.socket], env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(self._figures.path)},
        )  # fmt: skip
        assert member.process.stdin is not None
        member.process.stdin.write(json.dumps(asdict(task)) + "\n")
        member.process.stdin.flush()

    def _await(self, member: _Member) -> None:
        assert member.process is not None
        assert member.process.stdout is not None
        if member.process.stdout.readline().strip() != READY:
            raise StoreError(f"the process for the {member.part} ended as it began")

    def _look_at_all(self) -> None:
        for member in self._members:
            self._look(member)

    def _look(self, member: _Member) -> None:
        """Start a process again that has ended, after a rest that grows where it ends again and again."""
        now = time.monotonic()
        if member.process is not None:
            if member.process.poll() is None:
                return
            member.rest = REST[0] if now - member.started > LASTING else min(member.rest * 2, REST[1])
            member.due = now + member.rest
            self._say(f"A process ({member.part}) ended by itself, code {member.process.returncode}; it starts again")
            self._close(member)
        elif now >= member.due:
            self._start(member)

    def _close(self, member: _Member) -> None:
        assert member.process is not None
        for pipe in (member.process.stdin, member.process.stdout):
            if pipe is not None:
                pipe.close()
        _forget_figures(self._figures.path, member.process.pid)
        member.process = None

    def _end(self) -> None:
        living = [member.process for member in self._members if member.process is not None]
        for process in living:
            if process.poll() is None:
                process.terminate()
        for process in living:
            try:
                said, _ = process.communicate(timeout=GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                said, _ = process.communicate()
            self.stored += _stored(said)
        self._figures.cleanup()


def _stored(said: str) -> int:
    """Return what a process says last: how many calls it stored."""
    last = said.strip().rpartition("\n")[2]
    return int(last) if last.isdecimal() else 0


def _forget_figures(folder: Path, process: int) -> None:
    """Let go of what a process that ended had at that moment; what it counted stays."""
    for path in folder.glob(f"gauge_live*_{process}.db"):
        path.unlink(missing_ok=True)
