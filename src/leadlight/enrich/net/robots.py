"""robots.txt: what a site lets a crawler of our name read, and how often (RFC 9309)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from leadlight.enrich.network import NetworkError, Reply, Why

AGENT = "Leadlight"
HOLDS = timedelta(days=1)
LONGEST = 500_000
"""Bytes that are read of it, as RFC 9309 asks."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one site's robots.txt says to us."""

    parsed: Any | None = None
    """None where everything is allowed."""
    delay: float = 0.0
    """Seconds between two pages that the site asks for, 0 where it asks for none."""
    size: int = 0
    """Bytes that were read."""

    def allows(self, url: str) -> bool:
        """Whether a page may be read."""
        return self.parsed is None or bool(self.parsed.can_fetch(url, AGENT))


EVERYTHING = Rules()


def read(reply: Reply, host: str) -> Rules:
    """Read what a site answered when asked for its robots.txt.

    None there (4xx) allows everything. One that cannot be had (5xx) forbids everything, so it raises NetworkError.
    """
    from protego import Protego

    if reply.status >= 500:
        raise NetworkError(
            Why.NOT_ALLOWED, f"{host} cannot say what may be read: its robots.txt fails ({reply.status})"
        )
    if not reply.ok:
        return EVERYTHING
    body = reply.body[:LONGEST]
    try:
        parsed = Protego.parse(body.decode("utf-8", "replace"))
        return Rules(parsed, _delay(parsed), len(body))
    except Exception:  # rules that nobody can read are none
        return EVERYTHING


def _delay(parsed: Any) -> float:
    rate = parsed.request_rate(AGENT)
    between = rate.seconds / rate.requests if rate is not None else 0.0
    return max(float(parsed.crawl_delay(AGENT) or 0.0), between)
