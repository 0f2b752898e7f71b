"""How hosts are asked: one thing at a time, not too often, and later when they say so."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from leadlight.enrich.net.counts import Counts
from leadlight.enrich.net.failures import Passing
from leadlight.enrich.network import Why

RETRIES = 2
FIRST_PAUSE = 0.5
"""Seconds before the first retry; the second waits twice as long; both by chance up to half more or less."""
LONGEST_PAUSE = 10.0
"""A host that asks for more patience than these seconds is left alone until then, and the look-up fails."""
LATER = 60.0
"""Seconds for which a host is left alone that is busy again and again, and names no time."""
DEAD_AFTER = 3
"""So many failed connections in a row, and a host is taken as dead …"""
DEAD_FOR = 120.0
"""… for these seconds."""
MOST_AT_ONCE = 8
HOSTS_REMEMBERED = 10_000


@dataclass(slots=True)
class _Host:
    slots: asyncio.Semaphore
    pace: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_at: float = 0.0
    quiet_until: float = 0.0
    back_at: datetime | None = None
    failures: int = 0
    users: int = 0


@dataclass(slots=True)
class Politeness:
    """Keeps every host's pace, and bounds how many are asked at the same time."""

    at_once: int
    counts: Counts
    _hosts: OrderedDict[str, _Host] = field(default_factory=OrderedDict)
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.at_once)

    @asynccontextmanager
    async def turn(
        self, host: str, *, every: float, together: int = 1, spaced: bool = True, patience: float = math.inf
    ) -> AsyncIterator[None]:
        """Wait for the host's turn: `every` seconds after the last, `together` at the same time at most.

        A host that waits for its turn takes none of the places of those that are asked at the same time. What is not
        `spaced` (robots.txt, redirects) neither waits nor makes others wait. Raises NetworkError where the host asked
        to be left alone, is dead, or where its turn is farther away than `patience`, in seconds.
        """
        state = self._state(host, together)
        state.users += 1
        try:
            self._check(host, state)
            async with state.slots:
                await self._start(host, state, every if spaced else None, patience)
                try:
                    yield
                finally:
                    self._slots.release()
        finally:
            state.users -= 1

    async def _start(self, host: str, state: _Host, every: float | None, patience: float) -> None:
        """Wait for the turn and for a place; the next turn is counted from when this one really begins."""
        if every is None:
            await self._slots.acquire()
            return
        async with state.pace:
            wait = state.next_at - time.monotonic()
            if wait > patience:
                raise Passing(Why.NOT_ALLOWED, f"{host} asks for {every:g} s between two pages, and was read just now")
            if wait > 0:
                self.counts.waited += wait
                await asyncio.sleep(wait)
            self._check(host, state)
            await self._slots.acquire()
            state.next_at = time.monotonic() + every

    def _state(self, host: str, together: int) -> _Host:
        state = self._hosts.get(host)
        if state is None:
            state = self._hosts[host] = _Host(asyncio.Semaphore(together))
            self._trim()
        else:
            self._hosts.move_to_end(host)
        return state

    def _trim(self) -> None:
        """Let the hosts go that were not asked for longest and owe nobody anything."""
        now = time.monotonic()
        for _ in range(min(2, len(self._hosts) - HOSTS_REMEMBERED)):
            host, state = next(iter(self._hosts.items()))
            if state.users or state.next_at > now or state.quiet_until > now:
                self._hosts.move_to_end(host)
            else:
                del self._hosts[host]

    def _check(self, host: str, state: _Host) -> None:
        if state.quiet_until <= time.monotonic():
            return
        if state.back_at is not None:
            raise Passing(Why.RATE_LIMITED, f"{host} asked to come back later", retry_at=state.back_at)
        raise Passing(Why.UNREACHABLE, f"{host} did not answer the last {state.failures} times")

    def delay(self, host: str, seconds: float) -> None:
        """Let the host's next turn come no sooner than in so many seconds."""
        state = self._hosts.get(host)
        if state is not None:
            state.next_at = max(state.next_at, time.monotonic() + seconds)

    def quiet(self, host: str, seconds: float, back_at: datetime | None) -> None:
        """Leave a host alone for a while."""
        state = self._hosts.get(host)
        if state is not None:
            state.quiet_until, state.back_at = time.monotonic() + seconds, back_at

    def went(self, host: str, *, well: bool) -> None:
        """Note whether a host could be reached; one that could not several times in a row is taken as dead."""
        state = self._hosts.get(host)
        if state is None:
            return
        state.failures = 0 if well else state.failures + 1
        if state.failures >= DEAD_AFTER:
            self.quiet(host, DEAD_FOR, None)


def pause(attempt: int) -> float:
    """Return how long to wait before the next attempt (0 is the first that failed), in seconds, by chance."""
    return FIRST_PAUSE * 2.0**attempt * random.uniform(0.5, 1.5)


def together(per_second: float) -> int:
    """Return how many requests an API that is asked so often may have open: as many as a second brings, at most 8.

    >>> together(1.0), together(2.5), together(100)
    (1, 3, 8)
    """
    return max(1, min(MOST_AT_ONCE, math.ceil(per_second)))


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read Retry-After, seconds or a date, as seconds from now (naive UTC); None where it says nothing readable.

    >>> retry_after("120", datetime(2026, 1, 1)), retry_after("soon", datetime(2026, 1, 1))
    (120.0, None)
    >>> retry_after("Thu, 01 Jan 2026 00:01:00 GMT", datetime(2026, 1, 1))
    60.0
    """
    text = (value or "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        at = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max((at - now).total_seconds(), 0.0)


def later(now: datetime, seconds: float) -> datetime:
    """Return the moment to come back, at most 30 days away."""
    return now + timedelta(seconds=min(seconds, 30 * 86_400.0))
