"""A process of a team: what runs where `team` starts it, `python -m leadlight.service.member`.

It reads its task from standard input, which stays open: when that ends, whoever started it has ended, and so does it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

from leadlight.service import logs, traces
from leadlight.service.app import create_app
from leadlight.service.listening import answer_on, until_stopped
from leadlight.service.serve import running, working
from leadlight.service.team import READY, Task
from leadlight.service.tuning import settled_objects


def main() -> None:
    """Do a task until told to stop; say `ready`, and at the end how many calls were stored."""
    signal.signal(signal.SIGTERM, _leave)
    if not (told := sys.stdin.readline()):
        return  # whoever would have said what to do has ended
    task = Task(**json.loads(told))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with logs.logging_to(None, task.log), traces.from_environment():
        stored = _answer(task) if task.part == "api" else _work(task)
    _say(str(stored))


def _answer(task: Task) -> int:
    with running(Path(task.folder), work=False) as state, socket.socket(fileno=task.socket) as listening:
        state.scorer.ready.wait()
        _say(READY)
        with settled_objects():
            answer_on(listening, create_app(state))
        _hear_no_more()
    return 0


def _work(task: Task) -> int:
    with working(Path(task.folder)) as worker, settled_objects():
        _say(READY)
        until_stopped()
        _hear_no_more()
        worker.stop()
        return worker.stored


def _say(text: str) -> None:
    with suppress(BrokenPipeError):  # whoever would hear it has ended
        os.write(sys.stdout.fileno(), f"{text}\n".encode())


def _leave(*_: object) -> None:
    """End while all is being made ready: what is open is closed."""
    raise SystemExit(0)


def _hear_no_more() -> None:
    """Let nothing disturb the end."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.SIG_IGN)


def _end_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
