"""A bucket of which several processes take: each leases a part of it, spends that, and says so afterwards.

What is in it and what is leased of it is never more than it holds. So over any seconds there passes what a bucket of
one process would let pass.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

LAPSE = 3.0
"""Seconds after which a lease that is not renewed counts as spent."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a process says of a bucket."""

    rate: float
    spent: float = 0.0
    """What it spent of its lease."""
    back: float = 0.0
    """What it gives back of it."""
    asks: Sequence[float] = ()
    """What is asked for at once, each to be had wholly or not."""
    wants: float = 0.0
    """What it would lease."""


@dataclass(frozen=True, slots=True)
class Dealt:
    """What it is told."""

    waits: Sequence[float]
    """For each that asked, the seconds to wait: 0 where it may go on."""
    lease: float
    level: float
    """What is left for everybody."""


@dataclass(slots=True)
class SharedBucket:
    """A bucket of which several processes take.

    >>> bucket = SharedBucket(10, level=10, at=0.0)
    >>> bucket.deal("a", Said(10, asks=[4], wants=1), 0.0)
    Dealt(waits=[0.0], lease=1, level=5.0)
    >>> bucket.deal("b", Said(10, asks=[5, 1]), 0.0)
    Dealt(waits=[0.0, 0.1], lease=0.0, level=0.0)
    >>> bucket.deal("a", Said(10, back=1), 0.0).level
    1.0
    """

    rate: float
    level: float
    at: float
    leased: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Which process has leased how much, as far as it has said what it spent; and when that was."""

    def deal(self, who: str, said: Said, now: float) -> Dealt:
        """Let a process spend, give back, take and lease."""
        if now < self.at - LAPSE:  # the store's clock was set back: without this nothing flowed in until it is there
            self.at, self.leased = now, {other: (amount, now) for other, (amount, _) in self.leased.items()}
        self._flow(max(now, self.at))
        mine, _ = self.leased.pop(who, (0.0, 0.0))
        mine = max(mine - said.spent, 0.0)
        back = min(said.back, mine)
        self.level += back
        waits = [self._take(amount) for amount in said.asks]
        lease = min(said.wants, self.level / 2)  # others shall find something, too
        lease = lease if lease >= 1 else 0.0
        self.level -= lease
        if mine - back + lease > 0:
            self.leased[who] = mine - back + lease, self.at
        return Dealt(waits, lease, self.level)

    def _flow(self, now: float) -> None:
        """Let flow in what has come since: with what is leased it is no more than the bucket holds."""
        self.leased = {who: lease for who, lease in self.leased.items() if now - lease[1] < LAPSE}
        room = max(self.rate, 1.0) - sum(amount for amount, _ in self.leased.values())
        self.level = max(self.level, min(room, self.level + (now - self.at) * self.rate))
        self.at = now

    def _take(self, amount: float) -> float:
        needed = min(1.0, amount)
        if self.level < needed:
            return (needed - self.level) / self.rate
        self.level -= amount
        return 0.0

    def as_text(self) -> str:
        """Return it as it is kept."""
        return json.dumps([self.level, self.at, self.leased])

    @classmethod
    def of_text(cls, text: str | None, rate: float, now: float) -> SharedBucket:
        """Return a bucket that was kept; a full one where there was none."""
        if text is None:
            return cls(rate, max(rate, 1.0), now)
        level, at, leased = json.loads(text)
        return cls(rate, level, at, {who: (amount, seen) for who, (amount, seen) in leased.items()})
