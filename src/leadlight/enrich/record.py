"""From what providers answered to the rows of the store's tables of look-ups and facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from leadlight.enrich.network import NetworkError, Why
from leadlight.enrich.provider import About, Fact, Value
from leadlight.expr.types import Type
from leadlight.store.facts import FACTS, LOOKUPS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

RETRY = {
    Why.NOT_PUBLIC: DAY,
    Why.NOT_ALLOWED: DAY,
    Why.NO_SUCH_HOST: DAY,
    Why.TOO_LARGE: DAY,
    Why.TOO_MANY_REDIRECTS: DAY,
    Why.UNREACHABLE: HOUR,
    Why.BROKEN: HOUR,
    Why.RATE_LIMITED: HOUR,
    Why.DENIED: timedelta(0),
    Why.BUDGET: timedelta(0),
}
"""For how long nobody is asked again after a failure; zero where the next run may, because the user has to do something
first. A host that says when to come back (`retry_at`) is believed."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A question that was put about a lead, and what came of it: facts, nothing, or an error."""

    key: int
    """The lead's number (`ids.key`)."""
    about: About
    subject: str
    """What was asked: the provider's `key(query)`."""
    at: datetime
    """When it was asked, naive UTC."""
    facts: tuple[Fact, ...] = ()
    error: NetworkError | None = None
    fetched_at: datetime | None = None
    """When what was read was fetched, where a cache knew it from before."""
    known_at: datetime | None = None
    """Since when the answer is known: when it is recorded for None; see `store.facts.LOOKUPS`."""
    cost: float = 0.0
    basis: str | None = None

    @property
    def outcome(self) -> str:
        """How it ended: found, nothing or failed."""
        if self.error is not None:
            return "failed"
        return "found" if self.facts else "nothing"

    @property
    def until(self) -> datetime:
        """Until when nobody needs to ask this again."""
        if self.error is not None:
            return self.error.retry_at or self.at + RETRY[self.error.why]
        return (self.fetched_at or self.at) + (self.about.ttl if self.facts else self.about.nothing_ttl)


def tables(looked: Iterable[Looked]) -> tuple[pa.Table, pa.Table]:
    """Return the tables of look-ups and facts, as `store.facts.record` takes them."""
    looked = list(looked)
    lookups = pa.Table.from_pylist([_lookup(one) for one in looked], LOOKUPS)
    facts = pa.Table.from_pylist([_fact(one, fact) for one in looked for fact in one.facts], FACTS)
    return lookups, facts


def _lookup(one: Looked) -> dict[str, Any]:
    return {
        "_key": one.key,
        "provider": one.about.name,
        "subject": one.subject,
        "outcome": one.outcome,
        "why": None if one.error is None else str(one.error.why),
        "message": None if one.error is None else one.error.message,
        "cost": one.cost,
        "basis": one.basis,
        "fetched_at": one.fetched_at or one.at,
        "known_at": one.known_at,
        "until": one.until,
    }


def _fact(one: Looked, fact: Fact) -> dict[str, Any]:
    text, kind = canonical(fact.value)
    return {
        "_key": one.key,
        "provider": one.about.name,
        "attribute": fact.attribute,
        "value": text,
        "type": str(kind),
        "confidence": fact.confidence,
        "origin": fact.origin,
        "evidence": fact.evidence,
        "licence": one.about.licence,
    }


def canonical(value: Value) -> tuple[str, Type]:
    """Write a value as the one text that stands for it, from which its type can be read back.

    >>> [canonical(value) for value in (250.0, 0.1, True, "x")]
    [('250', <Type.NUMBER: 'number'>), ('0.1', <Type.NUMBER: 'number'>), ('true', <Type.BOOL: 'bool'>), \
('x', <Type.TEXT: 'text'>)]
    >>> canonical(datetime(2026, 3, 1, 12))[0]
    '2026-03-01 12:00:00'
    """
    if isinstance(value, bool):
        return ("true" if value else "false"), Type.BOOL
    if isinstance(value, datetime):
        return value.isoformat(sep=" "), Type.TIME
    if isinstance(value, str):
        return value, Type.TEXT
    number = float(value)
    return (str(int(number)) if number.is_integer() else repr(number)), Type.NUMBER
