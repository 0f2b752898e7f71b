"""What was asked, and how much of it may be asked at most."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from leadlight.enrich.network import NetworkError, Why

HOSTS_COUNTED = 2_000
"""So many hosts are counted by name; the others together, so that memory stays flat."""
OTHERS = "(others)"


@dataclass(slots=True)
class Counts:
    """What went through the door since it was opened; `limit` is the budget of HTTP requests."""

    limit: int | None = None
    requests: int = 0
    """HTTP requests that were sent, redirects, retries and robots.txt included."""
    dns: int = 0
    """DNS questions that were sent."""
    bytes: int = 0
    """Bytes of bodies that came back, as they came."""
    cached: int = 0
    """Answers that came from the cache, without a request."""
    unchanged: int = 0
    """Answers that the host said are still good (304)."""
    unkept: int = 0
    """Answers that could not be written to the cache (a full disk)."""
    unforeseen: int = 0
    """Answers that set off an error that nobody had thought of; a mistake of Leadlight's, that cost one look-up."""
    retries: int = 0
    waited: float = 0.0
    """Seconds that requests waited for a host's pace, summed."""
    failed: Counter[Why] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)

    def spend(self, host: str) -> None:
        """Count one request before it is sent; raises NetworkError (budget) where none is left."""
        if self.limit is not None and self.requests >= self.limit:
            raise NetworkError(Why.BUDGET, f"the budget of {self.limit:,} requests is spent")
        self.requests += 1
        known = host in self.hosts or len(self.hosts) < HOSTS_COUNTED
        self.hosts[host if known else OTHERS] += 1

    @property
    def left(self) -> int | None:
        """How many requests may still be sent; None without a budget."""
        return None if self.limit is None else max(self.limit - self.requests, 0)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, hosts with most requests first."""
        return {
            "requests": self.requests, "dns": self.dns, "bytes": self.bytes, "cached": self.cached,
            "unchanged": self.unchanged, "unkept": self.unkept, "unforeseen": self.unforeseen,
            "retries": self.retries, "waited": round(self.waited, 3), "left": self.left,
            "failed": {str(why): count for why, count in self.failed.most_common()},
            "hosts": dict(self.hosts.most_common()),
        }  # fmt: skip
