"""No more requests a second than a system allows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


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

    >>> waits = []
    >>> pace = Pace(4, Clock(monotonic=lambda: sum(waits), sleep=waits.append))
    >>> for _ in range(3): pace.wait()
    >>> waits
    [0.25, 0.25]
    """

    def __init__(self, per_second: float, clock: Clock | None = None) -> None:
        self._gap = 1 / per_second
        self._clock = clock or Clock()
        self._next = float("-inf")
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for one's turn, and take it."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._gap
        if turn > now:
            self._clock.sleep(turn - now)
