"""What came of giving a limited resource away: who is served, who waits and why, and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadlight.spec.entity import many, plural
from leadlight.spec.readable import Readable


def amount(value: float) -> str:
    """Write how much, in full where it is large.

    >>> amount(125_514_000.0), amount(0.25), amount(29.5), amount(1234.5)
    ('125,514,000', '0.25', '29.5', '1,234')
    """
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.4g}"


@dataclass(frozen=True, slots=True)
class Asker:
    """One who asked: what it needs, where it is served (None where it waits, with the reason), under either policy."""

    rank: int
    id: str
    score: float
    grade: str | None
    value: float
    need: Mapping[str, float | None]
    pool: str | None
    reason: str | None
    best_pool: str | None
    """Where the best total serves it."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "rank": self.rank, "id": self.id, "score": self.score, "grade": self.grade, "value": self.value,
            "need": dict(self.need), "pool": self.pool, "reason": self.reason, "best_pool": self.best_pool,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policy:
    """One way to choose: how many it serves, what they are worth, and how much of each resource they take."""

    name: str
    served: int
    value: float
    used: Mapping[str, float]
    bound: float | None = None
    """What no choice can exceed, where it was worked out."""
    gap: float | None = None
    solved: bool = False
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "name": self.name, "served": self.served, "value": self.value, "used": dict(self.used),
            "bound": self.bound, "gap": self.gap, "solved": self.solved, "note": self.note,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class PoolUse:
    """What one pool has and gives, by rank."""

    name: str
    served: int
    capacity: Mapping[str, float]
    used: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "name": self.name, "served": self.served, "capacity": dict(self.capacity), "used": dict(self.used),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Allocation(Readable):
    """A limited resource given to the ranked list, strictly by rank, and beside it the best total there is."""

    entity: str
    scorecard: str
    version: str
    as_of: datetime
    total: int
    unit: str
    """What value is counted in: expected value, expected number, points."""
    capacity: Mapping[str, float]
    by_rank: Policy
    best: Policy | None
    served: tuple[Asker, ...] = field(repr=False)
    waiting: tuple[Asker, ...] = field(repr=False)
    reasons: Mapping[str, int]
    """Why who waits waits, and how many."""
    pools: tuple[PoolUse, ...] = field(repr=False)
    pool_count: int
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float | None:
        """The value that strictly by rank serves, as a share of the best total's."""
        if self.best is None or not self.best.value:
            return None
        return self.by_rank.value / self.best.value

    def as_dict(self) -> dict[str, Any]:
        """Return the allocation as plain JSON values."""
        return {
            "entity": self.entity, "scorecard": self.scorecard, "version": self.version,
            "as_of": self.as_of.isoformat() + "Z", "total": self.total, "unit": self.unit,
            "capacity": dict(self.capacity), "by_rank": self.by_rank.as_dict(),
            "best": None if self.best is None else self.best.as_dict(), "share_of_best": self.share,
            "served": [item.as_dict() for item in self.served], "waiting": [item.as_dict() for item in self.waiting],
            "reasons": dict(self.reasons), "pools": [item.as_dict() for item in self.pools],
            "pool_count": self.pool_count, "notes": list(self.notes),
        }  # fmt: skip

    def __str__(self) -> str:
        lines = [self.headline, *map(self.told, [self.by_rank, *([self.best] if self.best else [])])]
        lines += [f"  {item.rank:>5}  {item.id}: {item.pool}" for item in self.served]
        lines += [f"  {item.rank:>5}  {item.id} waits: {item.reason}" for item in self.waiting]
        return "\n".join([*lines, *self.notes])

    @property
    def headline(self) -> str:
        """What was given away, in a line."""
        what = ", ".join(f"{amount(whole)} {name}" for name, whole in self.capacity.items())
        whose = f" of {many(self.pool_count, 'pool')}" if self.pool_count > 1 else ""
        return (
            f"{what}{whose} for {many(self.total, self.entity)}, ranked by {self.scorecard} as of "
            f"{self.as_of:%Y-%m-%d %H:%M} UTC"
        )

    def told(self, policy: Policy) -> str:
        """Say what a policy comes to, in a line."""
        used = ", ".join(
            f"{amount(taken)} of {amount(self.capacity[name])} {name}" for name, taken in policy.used.items()
        )
        text = (
            f"{policy.name}: {policy.served:,} {plural(self.entity)} served, {amount(policy.value)} {self.unit}; {used}"
        )
        if policy.gap is not None and not policy.solved:
            text += f"; at most {policy.gap:.1%} below the best there can be"
        return text + (f" ({policy.note})" if policy.note else "")
