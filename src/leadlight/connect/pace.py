"""No more requests a second than a system allows."""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FURTHEST, WAITING = 60.0, 32
"""A turn is never further away than so many seconds, or than so many who wait."""
_TURN = struct.Struct("<d")


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is, and how one waits: the machine's own, or a test's."""

    now: Callable[[], datetime] = _utc_now
    """Naive UTC."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds since any moment, never backwards."""
    sleep: Callable[[float], None] = time.sleep


class Pace:
    """Turns, evenly spaced: never two within the same `1 / per_second` seconds, however many threads ask.

    Evenly, not in bursts: vendors count in windows of their own, and a burst at the edge of two is seen as too many.
    With a `file`, all processes of this machine that have the same one take turns with each other.

    >>> waits = []
    >>> pace = Pace(4, Clock(monotonic=lambda: sum(waits), sleep=waits.append))
    >>> for _ in range(3): pace.wait()
    >>> waits
    [0.25, 0.25]
    """

    def __init__(self, per_second: float, clock: Clock | None = None, file: Path | None = None) -> None:
        self._gap = 1 / per_second
        self._clock = clock or Clock()
        self._next = float("-inf")
        self._lock = threading.Lock()
        self._file = file

    def wait(self) -> None:
        """Wait for one's turn, and take it."""
        with self._lock, self._shared() as shared:
            now = self._clock.monotonic()
            turn = max(now, self._next, self._said(shared, now))
            self._next = turn + self._gap
            if shared is not None:
                os.pwrite(shared, _TURN.pack(self._next), 0)
        if turn > now:
            self._clock.sleep(turn - now)

    @contextmanager
    def _shared(self) -> Iterator[int | None]:
        """Open the file and keep others waiting; where that is not possible, nobody shares our turns."""
        handle = self._opened()
        try:
            if handle is not None:
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            if handle is not None:
                os.close(handle)

    def _opened(self) -> int | None:
        if self._file is None:
            return None
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        return None

    def _said(self, shared: int | None, now: float) -> float:
        """Return when the next turn is by what is in the file; what was left there before the machine's start is none.

        (Its seconds are counted from then on.)
        """
        held = b"" if shared is None else os.pread(shared, _TURN.size, 0)
        if len(held) < _TURN.size:
            return float("-inf")
        (turn,) = _TURN.unpack(held)
        return float(turn) if turn <= now + max(FURTHEST, WAITING * self._gap) else float("-inf")
