"""How fast a key may go: token buckets, and what a client is told of them.

A bucket holds one second's worth, and at least one; it fills at its rate. What is taken may overdraw it, so a batch
larger than the bucket passes once it is not empty, and is paid for by waiting afterwards. These buckets are one
process's; where several share a store, see `shared_limits`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Clock = Callable[[], float]
"""Seconds that only go forward."""


@dataclass(slots=True)
class Bucket:
    """A rate, units a second, and how much may be taken at once now.

    >>> bucket = Bucket(10, level=10, at=0.0)
    >>> bucket.take(25, 0.0), round(bucket.take(1, 0.5), 3), bucket.take(1, 1.7)
    (0.0, 1.1, 0.0)
    """

    rate: float
    level: float
    at: float

    @property
    def size(self) -> float:
        """How much it holds."""
        return max(self.rate, 1.0)

    def take(self, amount: float, now: float) -> float:
        """Take an amount; else return for how many seconds to wait before asking again."""
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        needed = min(1.0, amount)
        if self.level < needed:
            return (needed - self.level) / self.rate
        self.level -= amount
        return 0.0


@dataclass(slots=True)
class Limits:
    """The buckets of all keys, made when a key is first used, and anew when its limit is another."""

    clock: Clock = time.monotonic
    _buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)

    def take(self, key: str, what: str, rate: float, amount: float = 1.0) -> float:
        """Take from the bucket of a key for `what` (requests, events); return the seconds to wait, 0 where it may go
        on.
        """  # fmt: skip
        now = self.clock()
        bucket = self._buckets.get((key, what))
        if bucket is None or bucket.rate != rate:
            bucket = self._buckets[key, what] = Bucket(rate, max(rate, 1.0), now)
        return bucket.take(amount, now)

    def headers(self, key: str, rates: dict[str, float]) -> dict[str, str]:
        """Return what a client is told: how much there is, and how much is left (IETF's RateLimit fields).

        >>> limits = Limits(clock=lambda: 0.0)
        >>> limits.take("k1", "requests", 5)
        0.0
        >>> limits.headers("k1", {"requests": 5})
        {'RateLimit-Policy': '"requests";q=5;w=1', 'RateLimit': '"requests";r=4;t=1'}
        """
        levels = dict[str, Level]()
        for what, rate in rates.items():
            bucket = self._buckets.get((key, what))
            levels[what] = Level(rate, max(rate, 1.0) if bucket is None else bucket.level)
        return told(levels)


@dataclass(frozen=True, slots=True)
class Level:
    """A rate, units a second, and how much is left now."""

    rate: float
    left: float


def told(levels: Mapping[str, Level]) -> dict[str, str]:
    """Return the fields that tell a client how much there is of each kind, and how much is left.

    >>> told({"events": Level(10, 2.5)})
    {'RateLimit-Policy': '"events";q=10;w=1', 'RateLimit': '"events";r=2;t=1'}
    """
    policies, lefts = [], []
    for what, level in levels.items():
        quota = math.ceil(level.rate)
        left = quota if level.left >= max(level.rate, 1.0) else max(0, math.floor(level.left))
        missing = max(level.rate, 1.0) - level.left
        policies.append(f'"{what}";q={quota};w={math.ceil(quota / level.rate)}')
        lefts.append(f'"{what}";r={left};t={math.ceil(missing / level.rate)}')
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(lefts)}


@dataclass(slots=True)
class Misses:
    """Who shows wrong keys or passwords too often, by a name of theirs (an address): after a few they have to wait.

    >>> at = [0.0]
    >>> misses = Misses(clock=lambda: at[0], free=2)
    >>> [misses.wait("1.2.3.4") for _ in range(3) if not misses.note("1.2.3.4")]
    [0.0, 2.0, 4.0]
    """

    clock: Clock = time.monotonic
    free: int = 20
    longest: float = 60.0
    most: int = 10_000
    _seen: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Who → how often lately, and until when they have to wait."""

    def note(self, who: str) -> None:
        """Note a miss; the ones of a quarter of an hour ago are forgotten."""
        now = self.clock()
        count, until = self._seen.pop(who, (0, 0.0))
        count = 1 if now > until + 900 else count + 1
        pause = min(self.longest, 2.0 ** min(count - self.free + 1, 16)) if count >= self.free else 0.0
        self._seen[who] = (count, now + pause)
        while len(self._seen) > self.most:
            del self._seen[next(iter(self._seen))]

    def wait(self, who: str) -> float:
        """Return for how many seconds they have to wait."""
        found = self._seen.get(who)
        return 0.0 if found is None else max(0.0, found[1] - self.clock())

    def forgive(self, who: str) -> None:
        """Forget the misses of somebody who was right."""
        self._seen.pop(who, None)
